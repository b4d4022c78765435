#include "guest/freebsd/kernel_variables.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

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
