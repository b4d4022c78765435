// KernconfFile: a KERNCONF as text, and edits that leave the rest of it alone.
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/kernconf_file.hpp>

#include "guest/freebsd/kernconf_lex.hpp"
#include "guest/freebsd/kernconf_read.hpp"

namespace kdev {

using guest::KernconfItem;

namespace {

/// Statements of which a configuration has one; setting another name replaces it.
bool is_single(std::string_view keyword) {
  return keyword == "ident" || keyword == "machine" || keyword == "maxusers" || keyword == "profile" ||
         keyword == "config";
}

bool is_about(const KernconfEntry& entry, std::string_view keyword, std::string_view name) {
  return entry.keyword == keyword && (is_single(keyword) || entry.name == name);
}

/// Takes one item out: the whole line with its comment when the item is all that is on it.
void cut(std::string& text, const KernconfItem& item) {
  if (item.items > 1) {
    // The comma on one side goes along.
    std::size_t begin = item.begin, end = item.end;
    const std::size_t after = text.find_first_not_of(" \t", end);
    if (after != text.npos && text[after] == ',') {
      end = text.find_first_not_of(" \t", after + 1);
    } else {
      begin = text.find_last_not_of(" \t", text.find_last_of(',', begin) - 1) + 1;
    }
    text.erase(begin, end - begin);
    return;
  }
  std::size_t begin = item.statement, end = item.statement_end;
  const std::size_t line = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
  const bool alone_before = text.find_first_not_of(" \t", line) == begin;
  std::size_t rest = text.find_first_not_of(" \t\r", end);
  if (rest == text.npos) rest = text.size();
  const bool alone_after = rest == text.size() || text[rest] == '\n' || text[rest] == '#';
  if (alone_before && alone_after) {
    begin = line;
    end = std::min(text.find('\n', rest), text.size() - 1) + 1;
  } else if (rest < text.size() && text[rest] == ';') {
    end = rest + 1;
  }
  text.erase(begin, end - begin);
}

/// The white space that this file puts between a keyword and its name: the most recent statement's.
std::string separator(const std::string& text, const std::vector<KernconfItem>& items,
                      std::string_view keyword) {
  for (auto item = items.rbegin(); item != items.rend(); ++item)
    if (item->entry.keyword == keyword && item->items == 1) {
      const std::size_t end = text.find_first_of(" \t", item->statement);
      return text.substr(end, item->begin - end);
    }
  // As the tree's own files do: a name begins at a tab stop.
  return keyword.size() < 8 ? (keyword == "options" ? " \t" : "\t\t") : "\t";
}

}  // namespace

KernconfFile KernconfFile::parse(std::string_view text, const Path& file) {
  guest::lex_kernconf(text, file);
  KernconfFile result;
  result.text_ = text;
  result.file_ = file;
  return result;
}

KernconfFile KernconfFile::load(const Path& file) {
  return guest::load_kernconf(*local_host(), file);
}

KernconfFile guest::load_kernconf(Host& host, const Path& file) {
  try {
    return KernconfFile::parse(host.read_file(file), file);
  } catch (const HostError& e) {
    throw ConfigError({.attempted = "read the kernel configuration " + file.string(),
                       .reason = e.reason(),
                       .hint = "",
                       .log = {}});
  }
}

std::vector<KernconfEntry> KernconfFile::entries() const {
  std::vector<KernconfEntry> entries;
  for (KernconfItem& item : guest::lex_kernconf(text_, file_)) entries.push_back(std::move(item.entry));
  return entries;
}

KernconfFile KernconfFile::set(std::string_view spelling, std::string_view name,
                               std::optional<std::string_view> value) const {
  const std::string item_text = guest::kernconf_item_text(spelling, name, value, false);
  const std::string keyword(guest::kernconf_keyword(spelling));
  const std::string negation(guest::kernconf_negation(keyword));
  KernconfFile result = *this;
  std::string& text = result.text_;
  std::vector<KernconfItem> items = guest::lex_kernconf(text, file_);
  const auto first = std::find_if(items.begin(), items.end(),
                                  [&](const KernconfItem& i) { return is_about(i.entry, keyword, name); });
  if (first != items.end()) {
    // From the back, so that places before stay right.
    for (auto item = items.end(); item-- != first + 1;)
      if (is_about(item->entry, keyword, name) || is_about(item->entry, negation, name)) cut(text, *item);
    text.replace(first->begin, first->end - first->begin, item_text);
    return result;
  }
  // What takes it away in this file, and stands before, may be what makes room for it: makeoptions of an
  // include win.
  std::size_t at = text.size();
  for (auto item = items.rbegin(); item != items.rend(); ++item)
    if (item->entry.keyword == keyword || is_about(item->entry, negation, name) || keyword == "ident") {
      at = std::min(text.find('\n', item->statement_end), text.size());
      break;
    }
  const std::string line = keyword + separator(text, items, keyword) + item_text;
  if (at < text.size())
    text.insert(at + 1, line + "\n");
  else
    text += (text.empty() || text.back() == '\n' ? "" : "\n") + line + "\n";
  return result;
}

KernconfFile KernconfFile::remove(std::string_view spelling, std::string_view name) const {
  const std::string_view keyword = guest::kernconf_keyword(spelling);
  if (keyword.empty())
    throw ConfigError({.attempted = fmt::format("remove {} {} from a kernel configuration", spelling, name),
                       .reason = fmt::format("{} is no statement", spelling),
                       .hint = "",
                       .log = {}});
  KernconfFile result = *this;
  for (;;) {
    // Anew each time: the places and counts of a list change with every cut.
    const std::vector<KernconfItem> items = guest::lex_kernconf(result.text_, file_);
    const auto found = std::find_if(items.begin(), items.end(),
                                    [&](const KernconfItem& i) { return is_about(i.entry, keyword, name); });
    if (found == items.end()) return result;
    cut(result.text_, *found);
  }
}

}  // namespace kdev
