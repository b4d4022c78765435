#include "debug/mi.hpp"

#include <charconv>

namespace kdev::debug {
namespace {

constexpr int deepest = 100;

class Parser {
 public:
  explicit Parser(std::string_view rest) : rest_(rest) {}

  std::optional<MiRecord> record() {
    MiRecord record;
    unsigned long token = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), token);
    if (error == std::errc()) {
      record.token = token;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    }
    if (rest_.empty()) return {};
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    using Kind = MiRecord::Kind;
    switch (kind) {
      case '^':
        record.kind = Kind::result;
        break;
      case '*':
        record.kind = Kind::exec;
        break;
      case '=':
        record.kind = Kind::notify;
        break;
      case '+':
        record.kind = Kind::status;
        break;
      case '~':
      case '@':
      case '&':
        record.kind = kind == '~' ? Kind::console : kind == '@' ? Kind::target : Kind::log;
        if (!c_string(record.text) || !rest_.empty()) return {};
        return record;
      default:
        return {};
    }
    record.name = word();
    if (record.name.empty()) return {};
    while (take(','))
      if (!result(record.results, 0)) return {};
    if (!rest_.empty()) return {};
    return record;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string word() {
    std::size_t n = 0;
    while (n < rest_.size() && std::string_view("=,{}[]\"").find(rest_[n]) == std::string_view::npos) ++n;
    const std::string text(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return text;
  }

  bool result(json::object& into, int depth) {
    const std::string name = word();
    json::value v;
    if (name.empty() || !take('=') || !value(v, depth)) return false;
    into.insert_or_assign(json::utf8(name), std::move(v));
    return true;
  }

  bool value(json::value& into, int depth) {
    if (depth > deepest) return false;
    if (rest_.starts_with('"')) {
      std::string text;
      if (!c_string(text)) return false;
      into = json::utf8(text);
      return true;
    }
    if (take('{')) {
      json::object tuple;
      if (!take('}')) {
        do {
          // "script={"silent","p x"}" in breakpoints: values without names, against the grammar.
          if (rest_.starts_with('"') || rest_.starts_with('{') || rest_.starts_with('[')) {
            json::value unnamed;
            if (!value(unnamed, depth + 1)) return false;
            tuple.insert_or_assign(std::to_string(tuple.size()), std::move(unnamed));
          } else if (!result(tuple, depth + 1)) {
            return false;
          }
        } while (take(','));
        if (!take('}')) return false;
      }
      into = std::move(tuple);
      return true;
    }
    if (!take('[')) return false;
    json::array list;
    if (!take(']')) {
      do {
        if (!(rest_.starts_with('"') || rest_.starts_with('{') || rest_.starts_with('['))) {
          word();
          if (!take('=')) return false;
        }
        json::value element;
        if (!value(element, depth + 1)) return false;
        list.push_back(std::move(element));
      } while (take(','));
      if (!take(']')) return false;
    }
    into = std::move(list);
    return true;
  }

  bool c_string(std::string& into) {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (rest_.empty()) return false;
        c = rest_.front();
        rest_.remove_prefix(1);
        if (c >= '0' && c <= '7') {
          int code = c - '0';
          for (int i = 0; i < 2 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7'; ++i) {
            code = code * 8 + (rest_.front() - '0');
            rest_.remove_prefix(1);
          }
          c = static_cast<char>(code);
        } else if (constexpr std::string_view from = "abfnrtve", to = "\a\b\f\n\r\t\v\033";
                   from.find(c) != from.npos) {
          c = to[from.find(c)];
        }
      }
      into += c;
    }
    return false;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<MiRecord> parse_mi(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  if (line == "(gdb)") return MiRecord{};
  return Parser(line).record();
}

std::string mi_quote(std::string_view word) {
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else
      quoted += c;
  }
  return quoted + '"';
}

}  // namespace kdev::debug
