#include "hypervisor/qemu/firmware.hpp"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <map>

#include "common/json.hpp"

namespace kdev::hypervisor {
namespace {

namespace fs = boost::filesystem;

constexpr const char* install_one = "apt install ovmf";

/// The descriptions' file names give their order; the same name in an earlier folder hides a later one.
std::map<std::string, Path> descriptions() {
  std::vector<Path> folders;
  if (const char* chosen = std::getenv("KDEV_UEFI_FIRMWARE"); chosen && *chosen) {
    folders.emplace_back(chosen);
  } else {
    const char *config = std::getenv("XDG_CONFIG_HOME"), *home = std::getenv("HOME");
    if (config && *config)
      folders.push_back(Path(config) / "qemu/firmware");
    else if (home && *home)
      folders.push_back(Path(home) / ".config/qemu/firmware");
    folders.insert(folders.end(), {"/etc/qemu/firmware", "/usr/share/qemu/firmware"});
  }
  std::map<std::string, Path> found;
  for (const Path& folder : folders) {
    boost::system::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
      if (it->path().extension() == ".json") found.try_emplace(it->path().filename().string(), it->path());
  }
  return found;
}

bool targets_q35(const json::object& description) {
  const json::value* targets = description.if_contains("targets");
  if (!targets || !targets->is_array()) return false;
  for (const json::value& target : targets->as_array()) {
    if (!target.is_object() || json::get_string(target.as_object(), "architecture") != "x86_64") continue;
    for (const std::string& machine : json::get_strings(target.as_object(), "machines"))
      if (machine.starts_with("pc-q35-")) return true;
  }
  return false;
}

/// The file that a member of a mapping names, if that is a raw one that is there.
Path raw_file(const json::object& mapping, std::string_view member) {
  const json::value* file = mapping.if_contains(member);
  if (!file || !file->is_object() || json::get_string(file->as_object(), "format") != "raw") return {};
  const Path path = json::get_path(file->as_object(), "filename");
  boost::system::error_code ec;
  return fs::is_regular_file(path, ec) ? path : Path();
}

std::optional<Firmware> read(const Path& file) {
  const json::object description = json::parse_object(local_host()->read_file(file), file.string());
  const auto interfaces = json::get_strings(description, "interface-types"),
             features = json::get_strings(description, "features");
  const auto has = [](const std::vector<std::string>& words, const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const json::value* mapping = description.if_contains("mapping");
  if (!has(interfaces, "uefi") || has(features, "requires-smm") || has(features, "enrolled-keys") ||
      !targets_q35(description) || !mapping || !mapping->is_object() ||
      json::get_string(mapping->as_object(), "device") != "flash")
    return {};
  Firmware firmware{raw_file(mapping->as_object(), "executable"),
                    raw_file(mapping->as_object(), "nvram-template")};
  if (firmware.code.empty() || firmware.variables.empty()) return {};
  return firmware;
}

}  // namespace

std::optional<Firmware> find_firmware() {
  for (const auto& [name, file] : descriptions()) {
    try {
      if (auto firmware = read(file)) return firmware;
    } catch (const Error&) {
      // Another's description, which it may write as it likes: the next one.
    }
  }
  return {};
}

void provide_uefi_variables(const Path& file) {
  boost::system::error_code ec;
  if (fs::exists(file, ec)) return;
  const auto firmware = find_firmware();
  if (!firmware)
    throw HostError({.attempted = "start a machine with UEFI firmware",
                     .reason = "none is installed that fits",
                     .hint = install_one,
                     .log = {}});
  local_host()->copy_file(firmware->variables, file);
}

}  // namespace kdev::hypervisor
