#pragma once
#include <kdev/bundle.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::crash {

// Names of a bundle's members. Docs: docs/crash.md.
inline constexpr const char* manifest_name = "bundle.json";
inline constexpr const char* report_name = "report.json";
inline constexpr const char* console_name = "console.log";
inline constexpr const char* config_name = "config";
inline constexpr std::string_view memory_folder = "memory/";
inline constexpr std::string_view kernel_folder = "kernel/";
inline constexpr std::string_view module_folder = "modules/";
inline constexpr std::string_view source_folder = "source/";
inline constexpr std::string_view recording_folder = "recording/";
/// In the recording's folder: what it is of.
inline constexpr std::string_view recording_description = "recording.json";
/// Of a member that was compressed before zip got it.
inline constexpr std::string_view zstd_suffix = ".zst";

struct BundleMember {
  std::uint64_t size = 0;  ///< bytes
  std::string sha256;
};

/// What bundle.json says: everything but the other members' content.
struct Manifest {
  std::string os{};                    ///< whose kernel it was
  std::map<std::string, BundleMember, std::less<>> members{};  ///< all but itself, by name
  std::vector<std::string> notes{};
  CrashRecord record{};  ///< its environment and commands

  std::string to_json() const;
  /// FormatError: it is none, or of a later version.
  static Manifest from_json(std::string_view text);
};

/// Files of a bundle below its folder of that kind ("vmlinux", "drivers/net/virtio_net.c"), or empty: the name
/// is not of this kind, or would lead elsewhere.
std::string name_below(std::string_view folder, std::string_view name);

}  // namespace kdev::crash
