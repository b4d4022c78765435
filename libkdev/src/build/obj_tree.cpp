#include "build/obj_tree.hpp"

#include <algorithm>
#include <kdev/error.hpp>
#include <unordered_map>

namespace kdev {
namespace {

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// The paths that a dependency record names; the source tree's own are relative to it.
class NamedPaths {
 public:
  NamedPaths(std::string text, const Path& source) : text_(std::move(text)), prefix_(source.string() + "/") {}

  /// f(base name, path, absolute) for each word of the record that may be a path.
  template <class F>
  void each(F&& f) const {
    constexpr std::string_view separators = " \t\n\\:$()\"',;";
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t start = text_.find_first_not_of(separators, at);
      if (start == text_.npos) break;
      at = std::min(text_.find_first_of(separators, start), text_.size());
      f(std::string_view(text_).substr(start, at - start));
    }
  }
  /// "-I/src/a/../b.h" and "./b.h" alike: the path within the tree, as far as it can be told; and whether it
  /// can.
  std::pair<std::string, bool> within_tree(std::string_view word) const {
    const std::size_t at = word.find(prefix_);
    const bool absolute = at != word.npos;
    std::string path(absolute ? word.substr(at + prefix_.size()) : word);
    path = Path(path).lexically_normal().string();
    while (path.starts_with("../")) path.erase(0, 3);
    return {std::move(path), absolute};
  }

 private:
  std::string text_, prefix_;
};

}  // namespace

ObjTree::ObjTree(Host& host, const guest::BuildRules& rules, Path dir, Path source)
    : host_(host), rules_(rules), dir_(std::move(dir)), source_(std::move(source)), notes_(dir_ / ".kdev") {}

bool ObjTree::fresh() const {
  return !host_.exists(notes_ / "tree");
}

std::size_t ObjTree::objects() const {
  const std::vector<Path> files = host_.files_below(dir_);
  return static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [](const Path& file) { return file.extension() == ".o"; }));
}

std::size_t ObjTree::prepare(const TreeState& now) {
  host_.make_directories(notes_);
  if (host_.exists(notes_ / "running")) remove_half_written();
  std::size_t removed = 0;
  if (!fresh()) {
    const TreeState built = TreeState::load(host_, notes_ / "tree");
    bool start_over = built.empty();  // what it was made from is not known
    if (!start_over) {
      const std::vector<TreeChange> changes = now.changes_since(built);
      const std::int64_t last_end = host_.status(notes_ / "tree").mtime_ns;
      std::vector<bool> matched(changes.size());
      removed = remove_dependents(changes, matched);
      for (std::size_t i = 0; i < changes.size(); ++i)
        start_over |=
            rules_.untracked_input(changes[i].path) ||
            (!matched[i] && changes[i].mtime_ns <= last_end && rules_.hidden_input(changes[i].path));
    }
    if (start_over) {
      for (const Path& path : host_.list(dir_))
        if (path != notes_ && path != dir_ / rules_.products(dir_).config) host_.remove_all(path);
      removed = 0;
    }
  }
  // From here on nothing in it is older than this state, or make knows by the time stamp.
  now.save(host_, notes_ / "tree");
  return removed;
}

std::size_t ObjTree::remove_dependents(const std::vector<TreeChange>& changes, std::vector<bool>& matched) {
  if (changes.empty()) return 0;
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < changes.size(); ++i) by_name[base_name(changes[i].path)].push_back(i);
  std::size_t removed = 0;
  for (const Path& record : host_.files_below(dir_)) {
    const Path output = rules_.recorded_output(record);
    if (output.empty()) continue;
    const NamedPaths named(host_.read_file(record), source_);
    bool hit = false;
    named.each([&](std::string_view word) {
      const auto found = by_name.find(base_name(word));
      if (found == by_name.end()) return;
      const auto [path, absolute] = named.within_tree(word);
      for (const std::size_t i : found->second) {
        const TreeChange& change = changes[i];
        // A new file may come before the one of the same name that was used: where, the search path decides.
        const bool same = absolute ? change.path == path : ("/" + change.path).ends_with("/" + path);
        if (same || change.kind == TreeChange::Kind::added) hit = matched[i] = true;
      }
    });
    if (!hit) continue;
    host_.remove_all(output);
    host_.remove_all(record);
    removed += output.extension() == ".o";
  }
  return removed;
}

void ObjTree::remove_half_written() {
  for (const Path& file : rules_.half_written(host_, host_.files_below(dir_))) host_.remove_all(file);
  host_.remove_all(dir_ / rules_.products(dir_).vmlinux);
  host_.remove_all(notes_ / "running");
}

void ObjTree::outside_inputs(const std::string& digest) {
  const Path note = notes_ / "outside";
  const std::string before = host_.exists(note) ? host_.read_file(note) : "";
  if (before == digest) return;
  for (const Path& product : rules_.outside_products()) host_.remove_all(dir_ / product);
  host_.make_directories(notes_);
  host_.write_file(note, digest);
}

void ObjTree::begin() {
  host_.make_directories(notes_);
  host_.write_file(notes_ / "running", "");
}

void ObjTree::end() noexcept {
  try {
    host_.remove_all(notes_ / "running");
    // Its date is when the last make ended: what is dated before that, make would not see.
    host_.touch(notes_ / "tree");
  } catch (const std::exception&) {  // the next build looks at every output
  }
}

}  // namespace kdev
