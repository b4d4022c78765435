#pragma once
#include <kdev/compression.hpp>
#include <kdev/export.hpp>
#include <kdev/source_tree.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kdev {

/// How a guest's kernel is to dump when it crashes, and how much a crash may lose: FreeBSD's words for it are
/// dumpon(8), savecore(8), loader(8), syncer(4). What is not set stays as the guest has it. A value;
/// SeedImage::dump_settings() puts it into an image, VM::apply() into a running guest.
struct KDEV_API DumpSettings {
  std::string
      device{};  ///< where the dump goes: "vtbd0", "/dev/gpt/swapfs"; "AUTO": the swap of fstab (image only)
  std::string directory{};  ///< where savecore puts it at the next boot (image only)
  std::string memory{};     ///< "256M": what the kernel uses of the machine's memory; a full dump is as large
                            ///< (image only)
  std::optional<bool> enter_debugger{};  ///< at a panic; false: it dumps and reboots unattended
  std::optional<bool> full{};            ///< all memory, not only the pages that the kernel uses
  std::optional<bool>
      background_fsck{};  ///< false: file systems are checked before they are mounted (image only)
  /// Seconds after which the syncer writes what was changed: files, directories, metadata.
  std::optional<int> file_delay{}, directory_delay{}, metadata_delay{};

  /// Of the dump on `device`, which has to be set. In an image it is rc(8) that sees to it; the kernel needs
  /// `options GZIO` or `ZSTDIO` (the preset "debug" has both).
  Compression compression = Compression::none;

  bool operator==(const DumpSettings&) const = default;
  std::string to_json() const;
  static DumpSettings from_json(std::string_view json);
};

}  // namespace kdev
