// A dump out of an image into files, as sbin/savecore does it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "common/system_error.hpp"
#include "crash/core/core_file.hpp"
#include "crash/core/find_dumps.hpp"
#include "guest/guest.hpp"
#include "host/sparse_file.hpp"

namespace kdev {
namespace {

using crash::FileBytes;

constexpr std::size_t piece = 1 << 20;

[[noreturn]] void refuse(const std::string& attempted, std::string reason, std::string hint = {}) {
  throw FormatError(
      {.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

std::string where(const DumpInfo& info) {
  return info.partition ? fmt::format("partition {}", info.partition) : "the whole medium";
}

DumpInfo chosen(const FileBytes& media, std::optional<int> partition, const std::string& attempted) {
  auto found = crash::dumps_on(media);
  if (partition) std::erase_if(found, [&](const DumpInfo& d) { return d.partition != *partition; });
  if (found.empty()) {
    if (partition) refuse(attempted, fmt::format("partition {} has no dump at its end", *partition));
    refuse(attempted,
           fmt::format("there is no dump at the end of it or of a partition: it is {}",
                       crash::kind_of_file(media)),
           "the guest dumps to a disk named by dumpdev, and says 'Dump complete'");
  }
  // What an earlier one left is in nobody's way.
  const auto whole = [](const DumpInfo& d) { return d.problem.empty(); };
  if (std::any_of(found.begin(), found.end(), whole)) std::erase_if(found, std::not_fn(whole));
  if (found.size() > 1) {
    std::string list;
    for (const auto& d : found) list += (list.empty() ? "" : ", ") + where(d);
    refuse(attempted, "it has several dumps: on " + list, "say which partition");
  }
  if (!found[0].problem.empty())
    refuse(attempted, fmt::format("the dump on {} cannot be lifted: {}", where(found[0]), found[0].problem));
  if (found[0].encrypted())
    refuse(attempted,
           fmt::format("the dump on {} is encrypted (a key of {} bytes)", where(found[0]), found[0].key_size),
           "decryptcore(8) on the machine that has the private key");
  return found[0];
}

/// dir/bounds: the number for the next dump.
int next_number(const Path& dir) {
  boost::system::error_code ec;
  if (!boost::filesystem::is_regular_file(dir / "bounds", ec)) return 0;
  const std::string text = local_host()->read_file(dir / "bounds");
  const long n = std::strtol(text.substr(0, 10).c_str(), nullptr, 10);
  return static_cast<int>(std::clamp(n, 0L, 1000000L));
}

void copy(const FileBytes& media, const DumpInfo& info, int fd, const std::string& attempted,
          const Deadline& deadline) {
  SparseWriter out(fd, attempted);
  std::string buffer;
  // Blocks of a text dump are written downward from the medium's end (textdump_writenextblock,
  // ddb/db_textdump.c).
  const bool reversed = info.kind == "text";
  for (std::uint64_t done = 0; done < info.length;) {
    deadline.check(attempted);
    const auto n = std::min<std::uint64_t>(piece, info.length - done);
    buffer.resize(n);
    const auto at = reversed ? info.offset + info.length - done - n : info.offset + done;
    if (!media.read(at, buffer.data(), n)) throw host_error(attempted, EIO);
    if (reversed)
      for (std::size_t low = 0, high = n - 512; low < high; low += 512, high -= 512)
        std::swap_ranges(buffer.begin() + static_cast<std::ptrdiff_t>(low),
                         buffer.begin() + static_cast<std::ptrdiff_t>(low) + 512,
                         buffer.begin() + static_cast<std::ptrdiff_t>(high));
    out.write(buffer);
    done += n;
  }
  out.finish();
}

void link_last(const Path& dir, const std::string& name, const std::string& last) {
  ::unlink((dir / last).c_str());
  if (::symlink(name.c_str(), (dir / last).c_str()) != 0)
    throw host_error("link " + (dir / last).string(), errno);
}

}  // namespace

LiftedDump lift_dump(const Path& image, const Path& dir, std::optional<int> partition,
                     const Deadline& deadline) {
  const std::string attempted = "lift the dump on " + image.string();
  const auto media = crash::open_media(image, attempted, deadline);
  LiftedDump lifted;
  lifted.info = chosen(*media, partition, attempted);
  if (lifted.info.kind == "text" && lifted.info.length % 512)
    refuse(attempted, fmt::format("the text dump's length {} is no multiple of 512", lifted.info.length));
  const auto& rules = *guest::guest_for(lifted.info.os).core();

  auto host = local_host();
  host->make_directories(dir);
  const UniqueFd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) throw host_error(attempted, errno);
  while (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {  // another dump gets this number
    if (errno != EWOULDBLOCK && errno != EINTR) throw host_error(attempted, errno);
    deadline.check(attempted);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  lifted.number = next_number(dir);
  std::string number = fmt::format("{}", lifted.number);
  lifted.file = dir / rules.lifted_name(lifted.info, number);
  lifted.info_file = dir / ("info." + number);

  std::string temporary = (dir / ".kdev-dump-XXXXXX").string();
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw host_error(attempted, errno);
  try {
    copy(*media, lifted.info, fd.get(), attempted, deadline);
    const std::string device =
        lifted.info.partition ? fmt::format("{}p{}", image.string(), lifted.info.partition) : image.string();
    host->write_file(lifted.info_file, rules.info_text(lifted.info, device, lifted.number));
    host->set_mode(lifted.info_file, 0600);  // like the dump: it may hold secrets
    if (::rename(temporary.c_str(), lifted.file.c_str()) != 0) throw host_error(attempted, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    ::unlink(lifted.info_file.c_str());
    throw;
  }
  host->write_file(dir / "bounds", fmt::format("{}\n", lifted.number + 1));
  link_last(dir, lifted.info_file.filename().string(), "info.last");
  link_last(dir, lifted.file.filename().string(), rules.lifted_name(lifted.info, "last"));
  return lifted;
}

}  // namespace kdev
