#include "guest/freebsd/kernconf_lex.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <kdev/error.hpp>
#include <utility>

namespace kdev::guest {
namespace {

bool is_word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}

bool is_word(char c) {
  return is_word_start(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '-';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

/// What a statement's items look like.
enum class Shape {
  names,    // device a, b
  options,  // options A, B=1
  one,      // ident NAME: a name, a quoted text, a number or a path
  machine,  // machine amd64 [amd64]
  line,     // envvar: the rest of the line
};

struct Keyword {
  std::string_view spelling, canonical;
  Shape shape;
};

// key_words[] of lang.l.
constexpr std::array<Keyword, 24> keywords{{
    {"config", "config", Shape::one},
    {"cpu", "cpu", Shape::one},
    {"device", "device", Shape::names},
    {"devices", "device", Shape::names},
    {"env", "env", Shape::one},
    {"envvar", "envvar", Shape::line},
    {"files", "files", Shape::one},
    {"hints", "hints", Shape::one},
    {"ident", "ident", Shape::one},
    {"include", "include", Shape::one},
    {"machine", "machine", Shape::machine},
    {"makeoption", "makeoptions", Shape::options},
    {"makeoptions", "makeoptions", Shape::options},
    {"maxusers", "maxusers", Shape::one},
    {"nocpu", "nocpu", Shape::one},
    {"nodevice", "nodevice", Shape::names},
    {"nodevices", "nodevice", Shape::names},
    {"nomakeoption", "nomakeoptions", Shape::one},
    {"nomakeoptions", "nomakeoptions", Shape::one},
    {"nooption", "nooptions", Shape::names},
    {"nooptions", "nooptions", Shape::names},
    {"option", "options", Shape::options},
    {"options", "options", Shape::options},
    {"profile", "profile", Shape::one},
}};

const Keyword* find_keyword(std::string_view word) {
  const auto found =
      std::find_if(keywords.begin(), keywords.end(), [&](const Keyword& k) { return k.spelling == word; });
  return found == keywords.end() ? nullptr : &*found;
}

class Lexer {
 public:
  Lexer(std::string_view text, const Path& file) : text_(text), file_(file) {}

  std::vector<KernconfItem> run() {
    for (;;) {
      skip_blanks(true);
      if (at_ == text_.size()) return std::move(items_);
      if (text_[at_] == ';')
        ++at_;
      else
        statement();
    }
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::size_t begin = at_ == 0 ? 0 : text_.rfind('\n', at_ - 1) + 1;
    throw ConfigError({.attempted = fmt::format(
                           "read {}:{}", file_.empty() ? "a kernel configuration" : file_.string(), line_),
                       .reason = fmt::format("{}: {}", why, text_.substr(begin, end - begin)),
                       .hint = "config(5) describes the statements",
                       .log = {}});
  }

  /// Blanks, comments, and line ends: all of them between statements, and within one those that a blank
  /// follows (a statement goes on in an indented line).
  void skip_blanks(bool line_ends) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\n') {
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (!line_ends && next != ' ' && next != '\t') return;
        ++at_;
        ++line_;
      } else if (is_blank(c)) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool at_end() const { return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == ';'; }

  std::string_view word() {
    const std::size_t begin = at_;
    if (at_ < text_.size() && is_word_start(text_[at_]))
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// "text" and \"text\": the second keeps its quotes. False: none is here.
  bool quoted(std::string& out) {
    const bool kept = text_.substr(at_, 2) == "\\\"";
    if (!kept && (at_ == text_.size() || text_[at_] != '"')) return false;
    const std::size_t begin = at_ + (kept ? 2 : 1);
    const std::size_t quote = text_.find('"', begin);
    if (quote == text_.npos || (kept && (quote == begin || text_[quote - 1] != '\\')))
      fail("a quote without its end");
    out = kept ? fmt::format("\"{}\"", text_.substr(begin, quote - 1 - begin))
               : std::string(text_.substr(begin, quote - begin));
    line_ += static_cast<int>(
        std::count(text_.begin() + static_cast<long>(at_), text_.begin() + static_cast<long>(quote), '\n'));
    at_ = quote + 1;
    return true;
  }

  std::string name(std::string_view keyword) {
    std::string text;
    if (quoted(text)) return text;
    text = word();
    if (text.empty()) fail(fmt::format("a name was expected after {}", keyword));
    return text;
  }

  /// The one thing after ident, include, maxusers ...
  std::string thing(std::string_view keyword) {
    std::string text;
    if (quoted(text)) return text;
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '\n' && text_[at_] != ';' &&
           text_[at_] != '#' && text_[at_] != ',' && text_[at_] != '=' && text_[at_] != '"')
      ++at_;
    text = text_.substr(begin, at_ - begin);
    if (text.empty()) fail(fmt::format("something was expected after {}", keyword));
    return text;
  }

  /// After '=': up to a blank, a comment or the line's end, or quoted.
  std::string value() {
    std::string text;
    if (quoted(text)) return text;
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '\n' && text_[at_] != '#') ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  void item(std::string_view keyword, std::size_t statement, Shape shape) {
    KernconfItem item;
    item.statement = statement;
    item.begin = at_;
    item.entry.keyword = keyword;
    item.entry.file = file_;
    item.entry.line = line_;
    if (shape == Shape::line) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != '#' && text_[at_] != '\n') ++at_;
      std::string_view rest = text_.substr(begin, at_ - begin);
      while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
      const std::size_t equals = rest.find('=');
      if (equals == rest.npos || equals == 0) fail("NAME=VALUE was expected after envvar");
      item.entry.name = rest.substr(0, equals);
      item.entry.value = rest.substr(equals + 1);
      item.end = begin + rest.size();
      items_.push_back(std::move(item));
      return;
    }
    item.entry.name = shape == Shape::one || shape == Shape::machine ? thing(keyword) : name(keyword);
    item.end = at_;
    if (shape == Shape::options) {
      skip_blanks(false);
      const bool append = text_.substr(at_, 2) == "+=";
      if (append || (at_ < text_.size() && text_[at_] == '=')) {
        if (append && keyword != "makeoptions") fail("only makeoptions has +=");
        item.entry.append = append;
        at_ += append ? 2 : 1;
        skip_blanks(false);
        item.entry.value = value();
        if (item.entry.value->empty() && keyword == "options") fail("a value was expected after =");
        item.end = at_;
      }
      if (keyword == "options" && item.entry.name.find('=') != std::string::npos)
        fail("the = of an option must not be quoted");
    }
    if (shape == Shape::machine) {
      skip_blanks(false);
      if (!at_end()) {
        item.entry.value = thing(keyword);
        item.end = at_;
      }
    }
    items_.push_back(std::move(item));
  }

  void statement() {
    const std::size_t begin = at_;
    const std::size_t first = items_.size();
    const std::string_view spelling = word();
    const Keyword* keyword = find_keyword(spelling);
    if (!keyword) {
      at_ = begin;
      fail(spelling.empty() ? "a statement was expected" : fmt::format("{} is no statement", spelling));
    }
    for (;;) {
      skip_blanks(false);
      if (at_end()) fail(fmt::format("{} of what?", keyword->canonical));
      item(keyword->canonical, begin, keyword->shape);
      skip_blanks(false);
      const bool list = keyword->shape == Shape::names || keyword->shape == Shape::options;
      if (!list || at_ == text_.size() || text_[at_] != ',') break;
      ++at_;
    }
    if (!at_end()) fail("the statement was expected to end");
    for (std::size_t i = first; i < items_.size(); ++i) {
      items_[i].statement_end = items_.back().end;
      items_[i].items = static_cast<int>(items_.size() - first);
    }
  }

  std::string_view text_;
  const Path& file_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<KernconfItem> items_;
};

}  // namespace

std::vector<KernconfItem> lex_kernconf(std::string_view text, const Path& file) {
  return Lexer(text, file).run();
}

std::string_view kernconf_keyword(std::string_view word) {
  const Keyword* keyword = find_keyword(word);
  return keyword ? keyword->canonical : std::string_view();
}

std::string_view kernconf_negation(std::string_view keyword) {
  for (const std::string_view able : {"cpu", "device", "makeoptions", "options"})
    if (keyword == able) return find_keyword("no" + std::string(able))->canonical;
  return {};
}

std::string kernconf_item_text(std::string_view keyword, std::string_view name,
                               std::optional<std::string_view> value, bool append) {
  const Keyword* known = find_keyword(keyword);
  const auto refuse = [&](const std::string& why) {
    throw ConfigError({.attempted = fmt::format("write {} {} into a kernel configuration", keyword, name),
                       .reason = why,
                       .hint = "config(5) describes the statements",
                       .log = {}});
  };
  if (!known) refuse(fmt::format("{} is no statement", keyword));
  const bool takes_value =
      known->shape == Shape::options || known->shape == Shape::line || known->shape == Shape::machine;
  if (value && !takes_value) refuse("it takes no value");
  const bool plain =
      !name.empty() && is_word_start(name.front()) && std::all_of(name.begin(), name.end(), is_word);
  std::string text(name);
  if (!plain && known->shape != Shape::one && known->shape != Shape::line) refuse("that cannot be a name");
  if (!plain) {
    if (name.empty() || name.find_first_of("\n\"") != name.npos) refuse("that cannot be written");
    // Numbers stand bare, and a path (PATH of lang.l) where `include` takes it; nothing else does.
    const bool number = name.find_first_not_of("0123456789") == name.npos;
    const bool bare = number || (keyword == "include" && name.find_first_of(" \t#;,=") == name.npos);
    if (known->shape == Shape::one && !bare) text = fmt::format("\"{}\"", name);
  }
  if (!value) return text;
  if (value->find('\n') != value->npos) refuse("its value has a line end in it");
  if (known->shape == Shape::line) return fmt::format("{}={}", text, *value);
  if (known->shape == Shape::machine) return fmt::format("{} {}", text, *value);
  const std::string_view sign = append ? "+=" : "=";
  const bool in_quotes = value->size() >= 2 && value->front() == '"' && value->back() == '"' &&
                         std::count(value->begin(), value->end(), '"') == 2;
  if (in_quotes) return fmt::format("{}{}\\\"{}\\\"", text, sign, value->substr(1, value->size() - 2));
  const bool special = value->find_first_of(" \t#") != value->npos;
  if (special && value->find('"') != value->npos)
    refuse("config(8) has no way to write quotes beside blanks");
  if (special) return fmt::format("{}{}\"{}\"", text, sign, *value);
  if (value->empty() && keyword == "options") refuse("an option's value cannot be empty");
  return fmt::format("{}{}{}", text, sign, *value);
}

}  // namespace kdev::guest
