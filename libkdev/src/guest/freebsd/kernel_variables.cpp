#include "guest/freebsd/kernel_variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <kdev/error.hpp>
#include <string_view>

#include "common/conf_variables.hpp"
#include "guest/freebsd/direct_image.hpp"

namespace kdev::guest {
namespace {

[[noreturn]] void bad(std::string reason, std::string hint) {
  throw ConfigError({.attempted = "read the kernel's variables",
                     .reason = std::move(reason),
                     .hint = std::move(hint),
                     .log = {}});
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool any = false, quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (quoted) bad(fmt::format("a quote is left open in {}", text), {});
  if (any) words.push_back(word);
  return words;
}

bool is_yes(const std::string& value) {
  return value == "YES" || value == "yes" || value == "Yes" || value == "1";
}

}  // namespace

KernelVariables read_kernel_variables(const std::string& text) {
  KernelVariables read;
  for (const std::string& word : words_of(text)) {
    const std::size_t equals = word.find('=');
    if (word.starts_with('-') && word.find_first_not_of("-asvd") == std::string::npos && word.size() > 1) {
      read.flags += (read.flags.empty() ? "" : " ") + word;
    } else if (equals != std::string::npos && equals > 0) {
      const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
      read.environment[name] = value;
      if (name.ends_with("_load") && is_yes(value)) read.modules.push_back(name.substr(0, name.size() - 5));
    } else {
      bad(fmt::format("\"{}\" is no NAME=VALUE, and none of -a, -s, -v and -d", word),
          "write them as loader.conf has them: kern.maxusers=64 nullfs_load=YES");
    }
  }
  return read;
}

KernelVariables read_loader_conf(const std::string& text) {
  // Of stand/defaults/loader.conf: how it looks for kernels, waits, draws and talks.
  static constexpr std::array<std::string_view, 12> its_own = {
      "autoboot_delay", "beastie_disable", "boot_multicons",   "boot_serial",
      "bootfile",       "comconsole_port", "console",          "kernel",
      "kernels",        "loader_logo",     "comconsole_speed", "module_path"};
  KernelVariables read;
  for (const auto& [name, value] : conf_values(text)) {
    if (std::find(its_own.begin(), its_own.end(), name) != its_own.end()) continue;
    if (name == "boot_verbose" || name == "boot_single" || name == "boot_ddb") {
      if (is_yes(value)) read.flags += (read.flags.empty() ? "-" : " -") + name.substr(5, 1);
      continue;
    }
    read.environment[name] = value;
    if (name.ends_with("_load") && is_yes(value)) read.modules.push_back(name.substr(0, name.size() - 5));
  }
  return read;
}

std::uint32_t howto_of(const std::string& flags) {
  std::uint32_t howto = rb_serial;
  for (const char c : flags) {
    if (c == 'a') howto |= rb_askname;
    if (c == 's') howto |= rb_single;
    if (c == 'v') howto |= rb_verbose;
    if (c == 'd') howto |= rb_kdb;
  }
  return howto;
}

std::string loader_conf_text(const std::map<std::string, std::string>& environment,
                             const std::string& flags) {
  std::map<std::string, std::string> all = environment;
  for (const char c : flags) {
    // stand/common/boot.c takes them by these names.
    if (c == 'a') all["boot_askname"] = "YES";
    if (c == 's') all["boot_single"] = "YES";
    if (c == 'v') all["boot_verbose"] = "YES";
    if (c == 'd') all["boot_ddb"] = "YES";
  }
  std::string text;
  for (const auto& [name, value] : all) {
    if (value.find_first_of("\"\n") != std::string::npos)
      bad(fmt::format("the value of {} has a quote or a line's end in it", name),
          "loader.conf(5) has no way to say that");
    text += fmt::format("{}=\"{}\"\n", name, value);
  }
  return text;
}

}  // namespace kdev::guest
