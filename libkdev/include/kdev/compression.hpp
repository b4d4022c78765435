#pragma once

namespace kdev {

enum class Compression { none, gzip, zstd };

}  // namespace kdev
