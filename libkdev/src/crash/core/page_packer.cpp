#include "crash/core/page_packer.hpp"

#include <zlib.h>
#include <zstd.h>

#include <new>

#include "crash/core/kdump_format.hpp"

namespace kdev::crash {

/// Kept from page to page: making them takes longer than a page does.
struct PagePacker::Streams {
  explicit Streams(KdumpCompression compression) {
    if (compression == KdumpCompression::zlib) {
      if (deflateInit(&zlib, Z_BEST_SPEED) != Z_OK) throw std::bad_alloc();
      made = true;
    } else if (compression == KdumpCompression::zstd) {
      zstd.reset(ZSTD_createCCtx());
      if (!zstd) throw std::bad_alloc();
    }
  }
  ~Streams() {
    if (made) deflateEnd(&zlib);
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  z_stream zlib{};
  bool made = false;
  std::unique_ptr<ZSTD_CCtx, Free> zstd;
};

PagePacker::PagePacker(KdumpCompression compression)
    : streams_(new Streams(compression)), compression_(compression) {}
PagePacker::~PagePacker() = default;

std::uint32_t PagePacker::flag() const {
  return compression_ == KdumpCompression::zlib   ? KdumpPage::zlib
         : compression_ == KdumpCompression::zstd ? KdumpPage::zstd
                                                  : 0;
}

std::string_view PagePacker::pack(std::string_view page) {
  buffer_.resize(page.size() - 1);
  if (compression_ == KdumpCompression::zlib) {
    auto& z = streams_->zlib;
    deflateReset(&z);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(page.data()));  // it is not written to
    z.avail_in = static_cast<uInt>(page.size());
    z.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    z.avail_out = static_cast<uInt>(buffer_.size());
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) return {};
    return std::string_view(buffer_).substr(0, buffer_.size() - z.avail_out);
  }
  if (compression_ == KdumpCompression::zstd) {
    const auto size =
        ZSTD_compressCCtx(streams_->zstd.get(), buffer_.data(), buffer_.size(), page.data(), page.size(), 1);
    return ZSTD_isError(size) ? std::string_view() : std::string_view(buffer_).substr(0, size);
  }
  return {};
}

}  // namespace kdev::crash
