#include "crash/core/flattened.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <kdev/error.hpp>

#include "common/system_error.hpp"

namespace kdev::crash {
namespace {

constexpr std::string_view signature = "makedumpfile";
/// The header is padded to this; after it come pieces.
constexpr std::uint64_t header_size = 4096;
constexpr std::int64_t type_flat = 1, version_flat = 1, end_marker = -1;
/// A dump of more is none: it is made to fill the disk.
constexpr std::uint64_t max_size = 1ull << 40;

/// All numbers are big-endian.
std::optional<std::int64_t> number(const guest::CoreBytes& bytes, std::uint64_t at) {
  unsigned char raw[8];
  if (!bytes.read(at, raw, sizeof(raw))) return std::nullopt;
  std::uint64_t value = 0;
  for (const auto byte : raw) value = value << 8 | byte;
  return static_cast<std::int64_t>(value);
}

void write_at(int fd, std::uint64_t at, std::string_view data, const std::string& attempted) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw host_error(attempted, n < 0 ? errno : ENOSPC);
    data.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

bool is_flattened(std::string_view head) {
  return head.size() >= 16 && head.substr(0, std::min<std::size_t>(head.find('\0'), 16)) == signature;
}

std::unique_ptr<FileBytes> unflatten(const guest::CoreBytes& bytes, const std::string& attempted,
                                     std::vector<std::string>& problems, const Deadline& deadline) {
  std::string magic(16, '\0');
  if (!bytes.read(0, magic.data(), magic.size()) || !is_flattened(magic)) return nullptr;
  const auto fail = [&](std::string reason) {
    throw FormatError({.attempted = attempted, .reason = std::move(reason), .hint = "", .log = {}});
  };
  const auto type = number(bytes, 16), version = number(bytes, 24);
  if (!type || !version) fail("the flattened dump is cut off within its header");
  if (*type != type_flat || *version != version_flat)
    fail(fmt::format("it is a flattened dump of type {}, version {}, which kdev does not read", *type,
                     *version));
  UniqueFd fd = nameless_file(attempted);
  std::uint64_t end = 0;
  std::string buffer;
  for (std::uint64_t at = header_size;;) {
    deadline.check(attempted);
    const auto offset = number(bytes, at), size = number(bytes, at + 8);
    if (!offset || !size) {
      problems.push_back("the flattened dump is cut off: not all of its pieces are there");
      break;
    }
    if (*offset == end_marker && *size == end_marker) break;
    at += 16;
    if (*offset < 0 || *size < 0 || static_cast<std::uint64_t>(*offset) > max_size ||
        static_cast<std::uint64_t>(*size) > max_size) {
      problems.push_back(
          fmt::format("the flattened dump is damaged: a piece of {} bytes at {}", *size, *offset));
      break;
    }
    const auto there = std::min<std::uint64_t>(static_cast<std::uint64_t>(*size), bytes.size() - at);
    for (std::uint64_t done = 0; done < there;) {
      buffer.resize(std::min<std::uint64_t>(1 << 20, there - done));
      if (!bytes.read(at + done, buffer.data(), buffer.size())) fail("the flattened dump cannot be read");
      // Zeros are holes.
      if (buffer.find_first_not_of('\0') != std::string::npos)
        write_at(fd.get(), static_cast<std::uint64_t>(*offset) + done, buffer, attempted);
      done += buffer.size();
    }
    at += there;
    end = std::max(end, static_cast<std::uint64_t>(*offset) + there);
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(end)) != 0) throw host_error(attempted, errno);
  return std::make_unique<FileBytes>(std::move(fd), end);
}

}  // namespace kdev::crash
