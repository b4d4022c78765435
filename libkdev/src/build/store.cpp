#include "build/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
constexpr const char* unpublished = ".new-";

HostError cannot_store(const Path& path, int error) {
  ErrorInfo info = host_error("store a build's result: " + path.string(), error).info();
  if (error == ENOSPC || error == EDQUOT) info.hint = "make room on that disk; what was built is kept";
  return HostError(info);
}

void store_copy(const Path& from, const Path& to) {
  UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) throw cannot_store(from, errno);
  struct stat st {};
  if (::fstat(in.get(), &st) != 0) throw cannot_store(from, errno);
  UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 0777));
  if (!out) throw cannot_store(to, errno);
  if (::ioctl(out.get(), FICLONE, in.get()) == 0) return;
  for (off_t left = st.st_size; left > 0;) {
    const ssize_t n =
        ::copy_file_range(in.get(), nullptr, out.get(), nullptr, static_cast<std::size_t>(left), 0);
    if (n > 0) {
      left -= n;
      continue;
    }
    if (n == 0)
      throw HostError({.attempted = "store a build's result: " + from.string(),
                       .reason = "it became shorter while it was read",
                       .hint = "",
                       .log = {}});
    if (errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
      throw cannot_store(to, errno);
    // Across file systems on an old kernel.
    boost::system::error_code error;
    out.reset();
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) throw cannot_store(to, error.value());
    return;
  }
}

std::vector<std::pair<std::string, std::uint64_t>> files_of(const Path& dir) {
  std::vector<std::pair<std::string, std::uint64_t>> files;
  for (const Path& file : hostfs::files_below(dir))
    files.emplace_back(file.lexically_relative(dir).string(), hostfs::size(file));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

StagedArtifact::StagedArtifact(Host& host, const Path& artifacts, std::string id)
    : host_(&host),
      artifacts_(artifacts),
      dir_(artifacts / fmt::format("{}{}-{}", unpublished, id, ::getpid())),
      id_(std::move(id)) {
  host.remove_all(dir_);
  host.make_directories(dir_);
}

StagedArtifact::~StagedArtifact() {
  if (dir_.empty()) return;
  boost::system::error_code error;
  fs::remove_all(dir_, error);
}

void StagedArtifact::add(const Path& file, const Path& name) {
  const Path to = dir_ / name;
  if (to.has_parent_path()) host_->make_directories(to.parent_path());
  store_copy(file, to);
}

void StagedArtifact::add_tree(const Path& folder, const Path& name) {
  host_->make_directories(dir_ / name);
  for (const Path& from : hostfs::list(folder)) {
    const Path to = name / from.filename();
    const fs::file_type type = hostfs::link_type(from);
    if (type == fs::symlink_file)
      hostfs::copy_symlink(from, dir_ / to);
    else if (type == fs::directory_file)
      add_tree(from, to);
    else if (type == fs::regular_file)
      add(from, to);
  }
}

void StagedArtifact::publish() {
  const Path to = destination();
  if (::rename(dir_.c_str(), to.c_str()) == 0) {
    dir_.clear();
    return;
  }
  if (errno != ENOTEMPTY && errno != EEXIST) throw cannot_store(to, errno);
  if (stored_artifact(*host_, artifacts_, id_)) return;  // theirs is good; the destructor removes this one
  host_->remove_all(to);
  if (::rename(dir_.c_str(), to.c_str()) != 0) throw cannot_store(to, errno);
  dir_.clear();
}

std::optional<std::string> stored_artifact(Host& host, const Path& artifacts, const std::string& id) {
  const Path dir = artifacts / id, record = dir / "artifact.json";
  if (!host.exists(record)) return std::nullopt;
  try {
    const std::string text = host.read_file(record);
    const json::object o = json::parse_object(text, "stored artifact");
    for (const auto& [name, size] : o.at("files").as_object()) {
      boost::system::error_code error;
      if (fs::file_size(dir / std::string(name), error) !=
              static_cast<std::uint64_t>(size.to_number<std::int64_t>()) ||
          error)
        return std::nullopt;
    }
    ::utimensat(AT_FDCWD, record.c_str(), nullptr, 0);
    return text;
  } catch (const std::exception&) {
    return std::nullopt;  // damaged: built anew
  }
}

std::string artifact_record(const std::string& artifact_json, const std::string& kind,
                            const std::string& title, const Path& dir) {
  json::object files;
  for (const auto& [name, size] : files_of(dir))
    if (name != "artifact.json") files[name] = size;
  json::object record = json::parse_object(artifact_json, "artifact");
  record["kind"] = kind;
  record["title"] = title;
  record["files"] = std::move(files);
  return json::dump(record, true);
}

void remove_unpublished(Host& host, const Path& artifacts) {
  if (!host.exists(artifacts)) return;
  for (const Path& path : hostfs::list(artifacts))
    if (path.filename().string().starts_with(unpublished)) host.remove_all(path);
}

std::vector<StoredArtifact> list_store(Host& host, const Path& artifacts) {
  std::vector<StoredArtifact> result;
  if (!host.exists(artifacts)) return result;
  for (const Path& dir : hostfs::list(artifacts)) {
    const Path record = dir / "artifact.json";
    if (dir.filename().string().starts_with(".") || !host.exists(record)) continue;
    try {
      const json::object o = json::parse_object(host.read_file(record), "stored artifact");
      StoredArtifact artifact{.id = dir.filename().string(),
                              .kind = json::get_string(o, "kind"),
                              .title = json::get_string(o, "title"),
                              .dir = dir,
                              .bytes = 0};
      for (const auto& [name, size] : o.at("files").as_object())
        artifact.bytes += size.to_number<std::uint64_t>();
      result.push_back(std::move(artifact));
    } catch (
        const std::exception&) {  // not one of ours, or damaged: not listed, and built anew when asked for
    }
  }
  return result;
}

}  // namespace kdev
