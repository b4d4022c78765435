#include "guest/freebsd/dump_header.hpp"

#include <fmt/format.h>

#include <cstring>
#include <ctime>

namespace kdev::guest {
namespace {

// Offsets are those of a file format, the same on all architectures; numbers are big-endian.
constexpr std::size_t header_size = 512;
constexpr std::uint32_t known_version = 4;  // KERNELDUMPVERSION, KERNELDUMP_TEXT_VERSION
constexpr std::string_view kernel_magic = "FreeBSD Kernel Dump", text_magic = "FreeBSD Text Dump",
                           cleared_magic = "Cleared Kernel Dump";

std::uint64_t big_endian(std::string_view s, std::size_t at, std::size_t size) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v = v << 8 | static_cast<unsigned char>(s[at + i]);
  return v;
}

std::string field(std::string_view s, std::size_t at, std::size_t size) {
  s = s.substr(at, size);
  return std::string(s.substr(0, s.find('\0')));
}

}  // namespace

std::optional<DumpInfo> parse_freebsd_dump_header(std::string_view s) {
  if (s.size() < header_size) return std::nullopt;
  s = s.substr(0, header_size);
  DumpInfo info;
  info.os = Os::freebsd;
  info.magic = field(s, 0, 20);
  if (info.magic != kernel_magic && info.magic != text_magic && info.magic != cleared_magic)
    return std::nullopt;
  info.kind = info.magic == text_magic ? "text" : "core";
  info.arch = field(s, 20, 12);
  info.version = static_cast<std::uint32_t>(big_endian(s, 32, 4));
  info.arch_version = static_cast<std::uint32_t>(big_endian(s, 36, 4));
  info.length = big_endian(s, 40, 8);
  info.time = static_cast<std::int64_t>(big_endian(s, 48, 8));
  info.key_size = static_cast<std::uint32_t>(big_endian(s, 56, 4));
  info.block_size = static_cast<std::uint32_t>(big_endian(s, 60, 4));
  info.hostname = field(s, 64, 64);
  info.version_text = field(s, 128, 192);
  info.panic = field(s, 320, 175);
  const int compression = static_cast<unsigned char>(s[495]);
  info.compression = compression == 0   ? "none"
                     : compression == 1 ? "gzip"
                     : compression == 2 ? "zstd"
                                        : fmt::format("{}", compression);
  info.extent = big_endian(s, 496, 8);
  std::memcpy(&info.parity, s.data() + 508, 4);
  std::uint32_t parity = 0;
  for (std::size_t at = 0; at < header_size; at += 4)
    parity ^= static_cast<std::uint32_t>(big_endian(s, at, 4));
  if (info.version != known_version)
    info.problem = fmt::format("its header is of version {}, not {}", info.version, known_version);
  else if (info.magic == cleared_magic)
    info.problem = "it has been taken: savecore(8) cleared its header";
  else if (parity != 0)
    info.problem = "its last header is damaged: the parity is wrong";
  else if (compression > 2)
    info.problem = fmt::format("its compression {} is not known", compression);
  return info;
}

std::string freebsd_lifted_name(const DumpInfo& info, const std::string& number) {
  if (info.kind == "text") return "textdump.tar." + number;
  const std::string name = "vmcore." + number;
  return info.compression == "gzip" ? name + ".gz" : info.compression == "zstd" ? name + ".zst" : name;
}

std::string freebsd_info_text(const DumpInfo& info, const std::string& device, int number) {
  std::string time;
  const std::time_t at = info.time;
  std::tm parts{};
  char buffer[64];
  if (::localtime_r(&at, &parts) && std::strftime(buffer, sizeof(buffer), "%F %T %z", &parts)) time = buffer;
  return fmt::format(
      "Dump header from device: {}\n  Architecture: {}\n  Architecture Version: {}\n  Dump Length: {}\n"
      "  Blocksize: {}\n  Compression: {}\n  Dumptime: {}\n  Hostname: {}\n  Magic: {}\n  Version String: {}"
      "  Panic String: {}\n  Dump Parity: {}\n  Bounds: {}\n  Dump Status: {}\n",
      device, info.arch, info.arch_version, info.length, info.block_size, info.compression, time,
      info.hostname, info.magic, info.version_text, info.panic, info.parity, number,
      info.problem.empty() ? "good" : "bad");
}

}  // namespace kdev::guest
