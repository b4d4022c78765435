// The list format of usr/gen_init_cpio.c in the Linux tree.
#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>
#include <map>

#include "common/cpio_list.hpp"
#include "image/content.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

class ListParser {
 public:
  ListParser(const Path& base_dir, const Path& name) : base_dir_(base_dir), name_(name) {}

  std::vector<ImageEntry> parse(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      parse_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(std::string reason, std::string hint = {}) const {
    throw FormatError({.attempted = fmt::format("read {}:{}", name_.string(), line_),
                       .reason = std::move(reason),
                       .hint = std::move(hint),
                       .log = {}});
  }

  void parse_line(std::string_view line) {
    words_ = cpio_list_words(line);
    if (words_.empty()) return;
    if (line.find('\0') != std::string_view::npos) fail("a NUL byte");
    const std::string_view type = words_[0];
    if (type == "file") return file();
    if (type == "dir") return simple(Type::dir, "dir <name> <mode> <uid> <gid>");
    if (type == "pipe") return simple(Type::pipe, "pipe <name> <mode> <uid> <gid>");
    if (type == "sock") return simple(Type::socket, "sock <name> <mode> <uid> <gid>");
    if (type == "slink") return symlink();
    if (type == "nod") return node();
    fail(fmt::format("unknown entry type \"{}\"", type), "file, dir, nod, slink, pipe or sock");
  }

  void want(std::size_t count, const char* form) const {
    if (words_.size() < count) fail("too few fields", form);
    if (words_.size() > count) fail(fmt::format("\"{}\" is one field too many", words_[count]), form);
  }

  unsigned number(std::string_view word, int base, unsigned limit, const char* what) const {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc() || end != word.data() + word.size() || value > limit)
      fail(fmt::format("\"{}\" is no {}", word, what));
    return value;
  }

  std::string path(std::string_view word) const {
    if (leads_out(word)) fail(fmt::format("\"{}\" holds \"..\"", word));
    return normal_guest_path(word);
  }

  /// The entry's name, mode, uid and gid; mode etc. start at the given word.
  ImageEntry common(Type type, std::size_t mode_at) const {
    ImageEntry e{.type = type, .path = path(words_[1])};
    // Some lists give the file type's bits as well.
    e.mode = number(words_[mode_at], 8, 0177777, "mode (octal)") & 07777u;
    e.uid = number(words_[mode_at + 1], 10, 0xffffffffu, "user id");
    e.gid = number(words_[mode_at + 2], 10, 0xffffffffu, "group id");
    return e;
  }

  void simple(Type type, const char* form) {
    want(5, form);
    entries_.push_back(common(type, 2));
  }

  void symlink() {
    want(6, "slink <name> <target> <mode> <uid> <gid>");
    ImageEntry e = common(Type::symlink, 3);
    e.target = std::string(words_[2]);
    entries_.push_back(std::move(e));
  }

  void node() {
    want(8, "nod <name> <mode> <uid> <gid> <dev_type> <maj> <min>");
    ImageEntry e = common(Type::node, 2);
    if (words_[5] != "c" && words_[5] != "b")
      fail(fmt::format("\"{}\" is no device type", words_[5]), "b or c");
    e.device = words_[5][0];
    e.major = number(words_[6], 10, 0xfffu, "major number");
    e.minor = number(words_[7], 10, 0xfffffu, "minor number");
    entries_.push_back(std::move(e));
  }

  void file() {
    if (words_.size() < 6) fail("too few fields", "file <name> <location> <mode> <uid> <gid> [<hard links>]");
    ImageEntry e = common(Type::file, 3);
    const Path location = expand(words_[2]);
    e.source = location.is_absolute() ? location : base_dir_ / location;
    entries_.push_back(e);
    for (std::size_t i = 6; i < words_.size(); ++i) {
      ImageEntry link = e;
      link.path = path(words_[i]);
      link.source.clear();
      link.target = e.path;
      entries_.push_back(std::move(link));
    }
  }

  std::string expand(std::string_view text) const {
    try {
      return expand_cpio_location(text);
    } catch (const FormatError& e) {
      fail(e.reason());
    }
  }

  Path base_dir_, name_;
  int line_ = 0;
  std::vector<std::string_view> words_;
  std::vector<ImageEntry> entries_;
};

/// The format has no way to quote.
const std::string& word(const std::string& text, const char* what) {
  bool good = !text.empty() && text.find("${") == std::string::npos;
  for (const char c : text) good = good && c && !std::isspace(static_cast<unsigned char>(c));
  if (!good)
    throw FormatError({.attempted = "write a gen_init_cpio list",
                       .reason = fmt::format("the {} \"{}\" cannot stand in one", what, text),
                       .hint = "write an archive instead",
                       .log = {}});
  return text;
}

}  // namespace

std::vector<ImageEntry> parse_list(std::string_view text, const Path& base_dir, const Path& name) {
  return ListParser(base_dir, name).parse(text);
}

std::string format_list(const std::vector<ImageEntry>& entries) {
  std::map<std::string, std::string> links;
  for (const ImageEntry& e : entries)
    if (is_hard_link(e)) links[e.target] += " " + word(e.path, "path");
  std::string out;
  for (const ImageEntry& e : entries) {
    const std::string owner = fmt::format("{:04o} {} {}", e.mode, e.uid, e.gid);
    const std::string& path = word(e.path, "path");
    switch (e.type) {
      case Type::file:
        if (is_hard_link(e)) break;
        if (e.source.empty())
          throw FormatError({.attempted = "write a gen_init_cpio list",
                             .reason = path + " has content but no file that it comes from",
                             .hint = "SeedImage.write_list() makes one",
                             .log = {}});
        out += fmt::format("file {} {} {}{}\n", path, word(e.source.string(), "source"), owner, links[path]);
        break;
      case Type::dir:
        out += fmt::format("dir {} {}\n", path, owner);
        break;
      case Type::node:
        out += fmt::format("nod {} {} {} {} {}\n", path, owner, e.device, e.major, e.minor);
        break;
      case Type::symlink:
        out += fmt::format("slink {} {} {}\n", path, word(e.target, "link target"), owner);
        break;
      case Type::pipe:
        out += fmt::format("pipe {} {}\n", path, owner);
        break;
      case Type::socket:
        out += fmt::format("sock {} {}\n", path, owner);
        break;
    }
  }
  return out;
}

}  // namespace kdev
