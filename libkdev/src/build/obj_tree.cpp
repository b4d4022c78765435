#include "build/obj_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>
#include <fstream>
#include <kdev/error.hpp>
#include <unordered_map>

#include "host/hostfs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

/// All files under `dir`. Collected first: an iterator ends early when what it stands on is removed.
std::vector<Path> files_under(const Path& dir) {
  std::vector<Path> files;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator it(dir, error), end; it != end; it.increment(error)) {
    if (error) break;
    if (it->symlink_status().type() == fs::regular_file) files.push_back(it->path());
  }
  return files;
}

/// NAME of a file .NAME.cmd (Kbuild's fixdep: command line and dependencies of NAME); empty for any other.
Path target_of(const Path& file) {
  const std::string name = file.filename().string();
  if (name.size() <= 5 || name.front() != '.' || !name.ends_with(".cmd")) return {};
  return file.parent_path() / name.substr(1, name.size() - 5);
}

std::string slurp(const Path& path) {
  fs::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::int64_t mtime_ns(const Path& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 ? st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec : 0;
}

void remove_file(const Path& path) {
  boost::system::error_code error;
  fs::remove(path, error);
}

}  // namespace

ObjTree::ObjTree(Host& host, Path dir, Path source)
    : host_(host), dir_(std::move(dir)), source_(std::move(source)), notes_(dir_ / ".kdev") {}

bool ObjTree::fresh() const {
  return !host_.exists(notes_ / "tree");
}

std::size_t ObjTree::objects() const {
  const std::vector<Path> files = files_under(dir_);
  return static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [](const Path& file) { return file.extension() == ".o"; }));
}

std::size_t ObjTree::prepare(const TreeState& now, const std::function<bool(std::string_view)>& hidden) {
  host_.make_directories(notes_);
  if (host_.exists(notes_ / "running")) remove_half_written();
  std::size_t removed = 0;
  if (!fresh()) {
    const TreeState built = TreeState::load(notes_ / "tree");
    bool start_over = built.empty();  // what it was made from is not known
    if (!start_over) {
      const std::vector<TreeChange> changes = now.changes_since(built);
      const std::int64_t last_end = mtime_ns(notes_ / "tree");
      std::vector<bool> matched(changes.size());
      removed = remove_dependents(changes, matched);
      for (std::size_t i = 0; i < changes.size(); ++i)
        start_over |= !matched[i] && changes[i].mtime_ns <= last_end && hidden && hidden(changes[i].path);
    }
    if (start_over) {
      boost::system::error_code error;
      for (const Path& path : hostfs::list(dir_))
        if (path != notes_ && path.filename() != ".config") fs::remove_all(path, error);
      removed = 0;
    }
  }
  // From here on nothing in it is older than this state, or make knows by the time stamp.
  now.save(notes_ / "tree");
  return removed;
}

std::size_t ObjTree::remove_dependents(const std::vector<TreeChange>& changes, std::vector<bool>& matched) {
  if (changes.empty()) return 0;
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < changes.size(); ++i) by_name[base_name(changes[i].path)].push_back(i);
  const std::string prefix = source_.string() + "/";
  std::size_t removed = 0;
  for (const Path& cmd : files_under(dir_)) {
    const Path target = target_of(cmd);
    if (target.empty()) continue;
    const std::string text = slurp(cmd);
    bool hit = false;
    constexpr std::string_view separators = " \t\n\\:$()\"',;";
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = text.find_first_not_of(separators, at);
      if (start == text.npos) break;
      at = std::min(text.find_first_of(separators, start), text.size());
      const std::string_view word(text.data() + start, at - start);
      const auto named = by_name.find(base_name(word));
      if (named == by_name.end()) continue;
      // "-I/src/a/../b.h" and "./b.h" alike: the path within the tree, as far as it can be told.
      std::string path(word.substr(std::min(word.find('/'), word.size())));
      const bool absolute = word.find(prefix) != word.npos;
      path = absolute ? std::string(word.substr(word.find(prefix) + prefix.size())) : std::string(word);
      path = Path(path).lexically_normal().string();
      while (path.starts_with("../")) path.erase(0, 3);
      for (const std::size_t i : named->second) {
        const TreeChange& change = changes[i];
        // A new file may come before the one of the same name that was used: where, the search path decides.
        const bool same = absolute ? change.path == path : ("/" + change.path).ends_with("/" + path);
        if (same || change.kind == TreeChange::Kind::added) hit = matched[i] = true;
      }
    }
    if (!hit) continue;
    remove_file(target);
    remove_file(cmd);
    removed += target.extension() == ".o";
  }
  return removed;
}

void ObjTree::remove_half_written() {
  for (const Path& file : files_under(dir_)) {
    const Path target = target_of(file);
    if (!target.empty()) {
      // Kbuild writes the .cmd file after its target: a target that is newer may be cut off.
      if (mtime_ns(target) <= mtime_ns(file)) continue;
      remove_file(target);
      remove_file(file);
    } else if (file.extension() == ".o") {
      // The compiler had not come to its end: there is no .cmd file yet.
      if (!hostfs::exists(file.parent_path() / ("." + file.filename().string() + ".cmd"))) remove_file(file);
    } else if (file.filename().string().starts_with(".tmp_")) {
      remove_file(file);
    }
  }
  remove_file(dir_ / "vmlinux");
  remove_file(notes_ / "running");
}

void ObjTree::outside_inputs(const std::string& digest, const std::vector<Path>& products) {
  const Path note = notes_ / "outside";
  const std::string before = host_.exists(note) ? host_.read_file(note) : "";
  if (before == digest) return;
  for (const Path& product : products) remove_file(dir_ / product);
  host_.make_directories(notes_);
  host_.write_file(note, digest);
}

void ObjTree::begin() {
  host_.make_directories(notes_);
  host_.write_file(notes_ / "running", "");
}

void ObjTree::end() noexcept {
  remove_file(notes_ / "running");
  // Its date is when the last make ended: what is dated before that, make would not see.
  ::utimensat(AT_FDCWD, (notes_ / "tree").c_str(), nullptr, 0);
}

}  // namespace kdev
