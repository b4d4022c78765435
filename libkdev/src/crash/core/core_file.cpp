#include "crash/core/core_file.hpp"

#include <archive.h>
#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <kdev/error.hpp>

#include "crash/core/find_dumps.hpp"
#include "crash/core/flattened.hpp"
#include "host/sparse_file.hpp"

namespace kdev::crash {
namespace {

/// A dump that compresses better than this is none: it is made to fill the disk.
constexpr std::uint64_t max_unpacked = 1ull << 40;

struct Source {
  const guest::CoreBytes& bytes;
  std::uint64_t at = 0;
  std::string buffer{};

  static la_ssize_t read(::archive*, void* self, const void** out) {
    auto& s = *static_cast<Source*>(self);
    s.buffer.resize(std::min<std::uint64_t>(1 << 18, s.bytes.size() - s.at));
    if (s.buffer.empty() || !s.bytes.read(s.at, s.buffer.data(), s.buffer.size())) return 0;
    s.at += s.buffer.size();
    *out = s.buffer.data();
    return static_cast<la_ssize_t>(s.buffer.size());
  }
};

using Archive = std::unique_ptr<::archive, int (*)(::archive*)>;

Archive unpacker() {
  Archive a(archive_read_new(), &archive_read_free);
  archive_read_support_filter_gzip(a.get());
  archive_read_support_filter_zstd(a.get());
  archive_read_support_format_raw(a.get());
  return a;
}

void unpack(CoreFile& core, const std::string& attempted, const Deadline& deadline) {
  const auto packed = std::move(core.bytes);
  const Archive a = unpacker();
  Source source{*packed};
  archive_entry* entry = nullptr;
  const auto fail = [&] {
    const char* text = archive_error_string(a.get());
    return fmt::format("the {} data is damaged or cut off: {}", core.compression,
                       text ? text : "it ends too early");
  };
  UniqueFd fd = nameless_file(attempted);
  SparseWriter out(fd.get(), attempted);
  if (archive_read_open(a.get(), &source, nullptr, &Source::read, nullptr) != ARCHIVE_OK ||
      archive_read_next_header(a.get(), &entry) != ARCHIVE_OK)
    throw FormatError({.attempted = attempted, .reason = fail(), .hint = "", .log = {}});
  std::string buffer(1 << 18, '\0');
  for (;;) {
    deadline.check(attempted);
    const la_ssize_t n = archive_read_data(a.get(), buffer.data(), buffer.size());
    if (n == 0) break;
    if (n < 0) {
      core.problems.push_back(fail());
      break;
    }
    out.write({buffer.data(), static_cast<std::size_t>(n)});
    if (out.size() > max_unpacked)
      throw FormatError({.attempted = attempted,
                         .reason = fmt::format("it unpacks to more than {} GiB", max_unpacked >> 30),
                         .hint = "",
                         .log = {}});
  }
  out.finish();
  core.bytes = std::make_unique<FileBytes>(std::move(fd), out.size());
}

}  // namespace

std::string first_bytes(const guest::CoreBytes& bytes, std::size_t size) {
  std::string s(std::min<std::uint64_t>(size, bytes.size()), '\0');
  if (!bytes.read(0, s.data(), s.size())) s.clear();
  return s;
}

std::string compression_of(const guest::CoreBytes& bytes) {
  const std::string magic = first_bytes(bytes, 4);
  if (magic.starts_with("\x1f\x8b")) return "gzip";
  if (magic == "\x28\xb5\x2f\xfd") return "zstd";
  return {};
}

std::string unpacked_head(const guest::CoreBytes& bytes, std::size_t size) {
  const Archive a = unpacker();
  Source source{bytes};
  archive_entry* entry = nullptr;
  std::string head(size, '\0');
  std::size_t done = 0;
  if (archive_read_open(a.get(), &source, nullptr, &Source::read, nullptr) == ARCHIVE_OK &&
      archive_read_next_header(a.get(), &entry) == ARCHIVE_OK &&
      // What is too short to be recognized would come back as it is.
      archive_filter_code(a.get(), 0) != ARCHIVE_FILTER_NONE)
    while (done < size) {
      const la_ssize_t n = archive_read_data(a.get(), head.data() + done, size - done);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
  head.resize(done);
  return head;
}

CoreFile open_core_file(const Path& file, const std::string& attempted, const Deadline& deadline) {
  CoreFile core;
  core.bytes = std::make_unique<FileBytes>(file, attempted);
  core.compression = compression_of(*core.bytes);
  if (!core.compression.empty()) unpack(core, attempted, deadline);
  if (auto whole = unflatten(*core.bytes, attempted, core.problems, deadline)) {
    core.bytes = std::move(whole);
    core.flattened = true;
  }
  return core;
}

std::string kind_of_file(const guest::CoreBytes& bytes) {
  const std::string head = first_bytes(bytes, 512);
  if (head.empty()) return "empty";
  if (head.starts_with(ELFMAG) && head.size() >= 64) {
    Elf64_Ehdr header;
    std::memcpy(&header, head.data(), sizeof(header));
    return header.e_type == ET_CORE
               ? fmt::format("an ELF core file of another kernel (machine {}, OS ABI {})", header.e_machine,
                             static_cast<int>(header.e_ident[EI_OSABI]))
           : header.e_type == ET_REL ? "an ELF object file"
                                     : "an ELF program or kernel";
  }
  if (head.starts_with("QFI\xfb")) return "a qcow2 image, which has to be called NAME.qcow2";
  if (head.starts_with("KDUMP   ")) return "a kdump-compressed dump that does not say of which kernel it is";
  if (head.size() > 262 && head.substr(257, 5) == "ustar") return "a tar archive";
  if (head.size() >= 512 && head.substr(510, 2) == "\x55\xaa") return "a disk image without one";
  if (head.find_first_not_of('\0') == std::string::npos) return "zeros at its beginning";
  std::string hex;
  for (const unsigned char c : head.substr(0, 8)) hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", c);
  return fmt::format("data that begins with {}", hex);
}

}  // namespace kdev::crash
