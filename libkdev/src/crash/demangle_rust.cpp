#include "crash/demangle_rust.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace kdev::crash {
namespace {

constexpr std::size_t max_text = 1024;
constexpr int max_depth = 64, max_steps = 2000;

/// By their letter; empty: none.
constexpr std::array<std::string_view, 26> basic_types = {
    "i8",   "bool", "char", "f64", "str", "f32", "",    "u8", "isize", "usize", "",    "i32", "u32",
    "i128", "u128", "_",    "",    "",    "i16", "u16", "()", "...",   "",      "i64", "u64", "!"};

class Parser {
 public:
  explicit Parser(std::string_view symbol) : in_(symbol) {}

  bool path() {
    const Depth depth(*this);
    if (!depth.ok) return false;
    switch (next()) {
      case 'C':
        return disambiguator() && identifier();
      case 'N': {
        const char space = next();
        if (!path() || !disambiguator()) return false;
        // Upper case: a closure or a shim, numbered by the disambiguator.
        const std::string before = std::exchange(out_, {});
        if (!identifier()) return false;
        std::string name = std::exchange(out_, before);
        if (space >= 'A' && space <= 'Z') {
          const std::string_view what = space == 'C' ? "{closure" : "{shim";
          out_.append("::").append(what).append(name.empty() ? "" : ":" + name).append("}");
        } else if (!name.empty()) {
          out_.append("::").append(name);
        }
        return true;
      }
      case 'M':
        return quietly([this] { return disambiguator() && path(); }) && put("<") && type() && put(">");
      case 'X':
        return quietly([this] { return disambiguator() && path(); }) && as_trait();
      case 'Y':
        return as_trait();
      case 'I': {
        if (!path() || !put("<")) return false;
        return list([this] { return generic(); }, ", ") && put(">");
      }
      case 'B':
        return reference([this] { return path(); });
      default:
        return false;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  struct Depth {
    explicit Depth(Parser& p) : parser(p), ok(++p.depth_ <= max_depth && ++p.steps_ <= max_steps) {}
    ~Depth() { --parser.depth_; }
    Parser& parser;
    bool ok;
  };

  char next() { return at_ < in_.size() ? in_[at_++] : '\0'; }
  bool eat(char c) {
    if (at_ >= in_.size() || in_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool put(std::string_view text) {
    if (silent_) return true;
    if (out_.size() + text.size() > max_text) return false;
    out_ += text;
    return true;
  }
  template <class Read>
  bool quietly(Read read) {
    ++silent_;
    const bool ok = read();
    --silent_;
    return ok;
  }

  bool base62(std::uint64_t& value) {
    value = 0;
    if (eat('_')) return true;
    for (char c; (c = next()) != '_';) {
      int digit = -1;
      if (c >= '0' && c <= '9') digit = c - '0';
      if (c >= 'a' && c <= 'z') digit = c - 'a' + 10;
      if (c >= 'A' && c <= 'Z') digit = c - 'A' + 36;
      if (digit < 0) return false;
      // A crate's hash has 64 bits; what refers to a place is far smaller.
      value = value > (1ull << 40) ? value : value * 62 + static_cast<std::uint64_t>(digit);
    }
    ++value;
    return true;
  }
  bool disambiguator() {
    std::uint64_t number = 0;
    return !eat('s') || base62(number);
  }

  bool identifier() {
    const bool punycode = eat('u');
    std::size_t length = 0;
    if (at_ >= in_.size() || in_[at_] < '0' || in_[at_] > '9') return false;
    if (!eat('0'))
      while (at_ < in_.size() && in_[at_] >= '0' && in_[at_] <= '9' && length < in_.size())
        length = length * 10 + static_cast<std::size_t>(next() - '0');
    eat('_');
    if (length > in_.size() - at_) return false;
    const auto name = in_.substr(at_, length);
    at_ += length;
    return put(punycode ? "punycode:" : "") && put(name);
  }

  template <class Read>
  bool reference(Read read) {
    const std::size_t here = at_ - 1;
    std::uint64_t target = 0;
    // Only backwards: what is referred to has been read.
    if (!base62(target) || target >= here) return false;
    if (silent_) return true;
    const std::size_t back = std::exchange(at_, static_cast<std::size_t>(target));
    const bool ok = read();
    at_ = back;
    return ok;
  }

  template <class Read>
  bool list(Read read, std::string_view between) {
    for (bool first = true; !eat('E'); first = false)
      if (at_ >= in_.size() || (!first && !put(between)) || !read()) return false;
    return true;
  }

  bool as_trait() { return put("<") && type() && put(" as ") && path() && put(">"); }

  bool generic() {
    std::uint64_t lifetime = 0;
    if (eat('L')) return base62(lifetime) && put("'_");
    if (eat('K')) return constant();
    return type();
  }

  bool constant() {
    if (eat('p')) return put("_");
    if (eat('B')) return reference([this] { return constant(); });
    const char kind = next();
    if (kind < 'a' || kind > 'z') return false;
    const std::size_t begin = at_;
    while (at_ < in_.size() && in_[at_] != '_') ++at_;
    const auto digits = in_.substr(begin, at_ - begin);
    return eat('_') && put("0x") && put(digits);
  }

  bool type() {
    const Depth depth(*this);
    if (!depth.ok) return false;
    std::uint64_t number = 0;
    const char c = next();
    if (c >= 'a' && c <= 'z') return !basic_types[c - 'a'].empty() && put(basic_types[c - 'a']);
    switch (c) {
      case 'R':
      case 'Q':
        if (eat('L') && !base62(number)) return false;
        return put(c == 'R' ? "&" : "&mut ") && type();
      case 'P':
        return put("*const ") && type();
      case 'O':
        return put("*mut ") && type();
      case 'S':
        return put("[") && type() && put("]");
      case 'A':
        return put("[") && type() && put("; ") && constant() && put("]");
      case 'T':
        return put("(") && list([this] { return type(); }, ", ") && put(")");
      case 'F':
        if (eat('G') && !base62(number)) return false;
        eat('U');
        if (eat('K') && !eat('C') && !quietly([this] { return identifier(); })) return false;
        return put("fn(") && list([this] { return type(); }, ", ") && put(")") &&
               (eat('u') || (put(" -> ") && type()));
      case 'D':
        if (eat('G') && !base62(number)) return false;
        return put("dyn ") && list([this] { return dyn_trait(); }, " + ") && eat('L') && base62(number);
      case 'B':
        return reference([this] { return type(); });
      default:
        --at_;
        return path();
    }
  }

  bool dyn_trait() {
    if (!path()) return false;
    while (eat('p'))
      if (!quietly([this] { return identifier() && type(); })) return false;
    return true;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  int depth_ = 0, steps_ = 0, silent_ = 0;
};

}  // namespace

std::optional<std::string> demangled_rust(std::string_view symbol) {
  if (!symbol.starts_with("_R") || symbol.size() > max_text) return std::nullopt;
  Parser parser(symbol.substr(2));
  if (!parser.path()) return std::nullopt;
  return parser.take();
}

}  // namespace kdev::crash
