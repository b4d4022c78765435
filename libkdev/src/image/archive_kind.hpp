#pragma once
#include <kdev/path.hpp>
#include <string_view>

namespace kdev {

/// What init/initramfs.c and lib/decompress.c of the kernel tell apart by the first bytes.
enum class ArchiveKind { unknown, cpio, gzip, bzip2, lzma, xz, lzo, lz4, zstd };
ArchiveKind kind_of_bytes(std::string_view start);
/// HostError when it cannot be read.
ArchiveKind kind_of_file(const Path& file);

}  // namespace kdev
