#include "build/tree_state.hpp"

#include <algorithm>
#include <cstring>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"

namespace kdev {
namespace {

constexpr std::string_view magic = "kdev tree state 1\n";

void put(std::string& out, std::uint64_t number) {
  char bytes[8];
  std::memcpy(bytes, &number, 8);
  out.append(bytes, 8);
}

void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out.append(text);
}

/// Reads what put() wrote; `good` turns false at the first thing that does not fit.
struct Reader {
  std::string_view data;
  bool good = true;

  std::string_view bytes(std::size_t size) {
    if (size > data.size()) {
      good = false;
      return {};
    }
    const std::string_view result = data.substr(0, size);
    data.remove_prefix(size);
    return result;
  }
  std::uint64_t number() {
    const std::string_view text = bytes(8);
    std::uint64_t value = 0;
    if (good) std::memcpy(&value, text.data(), 8);
    return value;
  }
  std::string_view text() { return bytes(number()); }
};

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::string_view view(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

std::string TreeState::digest(const std::function<bool(std::string_view path)>& accept) const {
  Digest digest;
  std::string piece;  // many small updates cost more than the hashing
  for (const auto& [folder, files] : folders_)
    for (const FileState& file : files) {
      if (accept && !accept(joined(folder, file.name))) continue;
      put(piece, folder);
      put(piece, file.name);
      piece += file.kind;
      piece += view(file.hash);
      if (piece.size() > 60000) {
        digest.raw(piece);
        piece.clear();
      }
    }
  return digest.raw(piece).hex();
}

std::string TreeState::name_digest(const std::function<bool(std::string_view path)>& accept) const {
  std::string names;
  for (const auto& [folder, files] : folders_)
    for (const FileState& file : files)
      if (std::string path = joined(folder, file.name); accept(path)) names += path + file.kind + '\0';
  return sha256(names);
}

std::vector<TreeChange> TreeState::changes_since(const TreeState& older) const {
  std::vector<TreeChange> changes;
  static const std::vector<FileState> none;
  const auto compare = [&](const std::string& folder, const std::vector<FileState>& now,
                           const std::vector<FileState>& was) {
    auto a = now.begin();
    auto b = was.begin();
    while (a != now.end() || b != was.end()) {
      if (b == was.end() || (a != now.end() && a->name < b->name)) {
        changes.push_back({TreeChange::Kind::added, joined(folder, a->name), a->mtime_ns});
        ++a;
      } else if (a == now.end() || b->name < a->name) {
        changes.push_back({TreeChange::Kind::removed, joined(folder, b->name), 0});
        ++b;
      } else {
        if (!a->same_content(*b))
          changes.push_back({TreeChange::Kind::edited, joined(folder, a->name), a->mtime_ns});
        ++a, ++b;
      }
    }
  };
  for (const auto& [folder, files] : folders_) {
    const auto was = older.folders_.find(folder);
    compare(folder, files, was == older.folders_.end() ? none : was->second);
  }
  for (const auto& [folder, files] : older.folders_)
    if (!folders_.contains(folder)) compare(folder, none, files);
  return changes;
}

bool TreeState::untouched_since(const TreeState& older) const {
  return std::equal(folders_.begin(), folders_.end(), older.folders_.begin(), older.folders_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first &&
                             std::equal(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(),
                                        [](const FileState& x, const FileState& y) {
                                          return x.name == y.name && x.same_stat(y) && x.hash == y.hash;
                                        });
                    });
}

TreeState TreeState::load(Host& host, const Path& path) {
  std::string content;
  try {
    if (!host.exists(path)) return {};
    content = host.read_file(path);
  } catch (const HostError&) {
    return {};
  }
  constexpr std::size_t checksum = 64;
  Reader reader{content};
  if (content.size() < magic.size() + checksum || reader.bytes(magic.size()) != magic) return {};
  reader.data.remove_suffix(checksum);
  if (sha256(reader.data) != std::string_view(content).substr(content.size() - checksum)) return {};
  TreeState state;
  const std::uint64_t folders = reader.number();
  for (std::uint64_t i = 0; i < folders && reader.good; ++i) {
    std::string folder(reader.text());
    std::vector<FileState> files(std::min<std::uint64_t>(reader.number(), reader.data.size()));
    for (FileState& file : files) {
      file.name = reader.text();
      const std::string_view flags = reader.bytes(2);
      if (!reader.good) return {};
      file.kind = flags[0];
      file.settled = flags[1] == 's';
      for (std::uint64_t* field : {&file.inode, &file.device}) *field = reader.number();
      for (std::int64_t* field : {&file.size, &file.mtime_ns, &file.ctime_ns})
        *field = static_cast<std::int64_t>(reader.number());
      const std::string_view hash = reader.bytes(file.hash.size());
      if (!reader.good) return {};
      std::memcpy(file.hash.data(), hash.data(), hash.size());
    }
    state.counts_.files += files.size();
    state.folders_.emplace_hint(state.folders_.end(), std::move(folder), std::move(files));
  }
  return reader.good ? std::move(state) : TreeState();
}

void TreeState::save(Host& host, const Path& path) const {
  std::string content(magic);
  put(content, folders_.size());
  for (const auto& [folder, files] : folders_) {
    put(content, folder);
    put(content, files.size());
    for (const FileState& file : files) {
      put(content, file.name);
      content += file.kind;
      content += file.settled ? 's' : '-';
      for (const std::uint64_t field : {file.inode, file.device}) put(content, field);
      for (const std::int64_t field : {file.size, file.mtime_ns, file.ctime_ns})
        put(content, static_cast<std::uint64_t>(field));
      content += view(file.hash);
    }
  }
  content += sha256(std::string_view(content).substr(magic.size()));
  host.write_file(path, content);
}

}  // namespace kdev
