#include "build/store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "host/copy_tree.hpp"

namespace kdev {
namespace {

constexpr const char* unpublished = ".new-";

/// f(), with what goes wrong told as a failure to store.
template <class F>
auto storing(F&& f) {
  try {
    return f();
  } catch (const HostError& error) {
    ErrorInfo info = error.info();
    info.attempted = "store a build's result: " + info.attempted;
    throw HostError(info);
  }
}

std::vector<std::pair<std::string, std::uint64_t>> files_of(Host& host, const Path& dir) {
  std::vector<std::pair<std::string, std::uint64_t>> files;
  for (const Path& file : host.files_below(dir))
    files.emplace_back(file.lexically_relative(dir).string(),
                       static_cast<std::uint64_t>(host.status(file).size));
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
  try {
    host_->remove_all(dir_);
  } catch (const std::exception&) {  // the next build does (remove_unpublished)
  }
}

void StagedArtifact::add(const Path& file, const Path& name) {
  const Path to = dir_ / name;
  if (to.has_parent_path()) host_->make_directories(to.parent_path());
  storing([&] { host_->copy_file(file, to); });
}

void StagedArtifact::add_tree(const Path& folder, const Path& name) {
  storing([&] { copy_tree(*host_, folder, dir_ / name); });
}

void StagedArtifact::publish() {
  storing([&] {
    const Path to = destination();
    bool moved = host_->rename(dir_, to);
    if (!moved && !stored_artifact(*host_, artifacts_, id_)) {
      host_->remove_all(to);
      moved = host_->rename(dir_, to);
    }
    if (moved) dir_.clear();  // else theirs is good, and the destructor removes this one
  });
}

std::optional<std::string> stored_artifact(Host& host, const Path& artifacts, const std::string& id) {
  const Path dir = artifacts / id, record = dir / "artifact.json";
  if (!host.exists(record)) return std::nullopt;
  try {
    const std::string text = host.read_file(record);
    const json::object o = json::parse_object(text, "stored artifact");
    for (const auto& [name, size] : o.at("files").as_object()) {
      const FileStatus status = host.status(dir / std::string(name));
      if (!status.is_file() || status.size != size.to_number<std::int64_t>()) return std::nullopt;
    }
    try {
      host.touch(record);
    } catch (const HostError&) {  // a store that may only be read serves as well
    }
    return text;
  } catch (const std::exception&) {
    return std::nullopt;  // damaged: built anew
  }
}

std::string artifact_record(Host& host, const std::string& artifact_json, const std::string& kind,
                            const std::string& title, const Path& dir) {
  json::object files;
  for (const auto& [name, size] : files_of(host, dir))
    if (name != "artifact.json") files[name] = size;
  json::object record = json::parse_object(artifact_json, "artifact");
  record["kind"] = kind;
  record["title"] = title;
  record["files"] = std::move(files);
  return json::dump(record, true);
}

void remove_unpublished(Host& host, const Path& artifacts) {
  if (!host.exists(artifacts)) return;
  for (const Path& path : host.list(artifacts))
    if (path.filename().string().starts_with(unpublished)) host.remove_all(path);
}

std::vector<StoredArtifact> list_store(Host& host, const Path& artifacts) {
  std::vector<StoredArtifact> result;
  if (!host.exists(artifacts)) return result;
  for (const Path& dir : host.list(artifacts)) {
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
