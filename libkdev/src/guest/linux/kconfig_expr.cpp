#include "guest/linux/kconfig_expr.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <kdev/error.hpp>

namespace kdev::guest {
namespace {

using Kind = KconfigExpr::Kind;

/// Recursive descent; binds from loose to tight: ||, &&, !, comparison.
class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), text_(text) {}

  ExprPtr all() {
    ExprPtr expr = disjunction();
    skip();
    if (!text_.empty()) throw bad("is not understood from \"" + std::string(text_) + "\" on");
    return expr;
  }

 private:
  ConfigError bad(const std::string& why) const {
    return ConfigError({.attempted = "read a Kconfig expression",
                        .reason = fmt::format("\"{}\" {}", whole_, why),
                        .hint = "",
                        .log = {}});
  }
  void skip() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front()))) text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  static ExprPtr make(Kind kind, std::string text, ExprPtr left = nullptr, ExprPtr right = nullptr) {
    return std::make_shared<const KconfigExpr>(
        KconfigExpr{kind, std::move(text), std::move(left), std::move(right)});
  }
  ExprPtr disjunction() {
    ExprPtr left = conjunction();
    while (take("||")) left = make(Kind::disjunction, "||", left, conjunction());
    return left;
  }
  ExprPtr conjunction() {
    ExprPtr left = term();
    while (take("&&")) left = make(Kind::conjunction, "&&", left, term());
    return left;
  }
  ExprPtr term() {
    skip();
    if (text_.starts_with("!") && !text_.starts_with("!=")) {
      if (++depth_ > 200) throw bad("is nested too deeply");
      text_.remove_prefix(1);
      ExprPtr inner = term();
      --depth_;
      return make(Kind::negation, "!", inner);
    }
    if (take("(")) {
      if (++depth_ > 200) throw bad("is nested too deeply");
      ExprPtr inner = disjunction();
      --depth_;
      if (!take(")")) throw bad("lacks a closing parenthesis");
      return inner;
    }
    ExprPtr left = operand();
    for (const char* op : {"!=", "<=", ">=", "=", "<", ">"})
      if (take(op)) return make(Kind::comparison, op, left, operand());
    return left;
  }
  ExprPtr operand() {
    skip();
    if (text_.empty()) throw bad("ends too early");
    const char first = text_.front();
    if (first == '"' || first == '\'') {
      const std::size_t end = text_.find(first, 1);
      if (end == text_.npos) throw bad("has a string without its end");
      std::string value(text_.substr(1, end - 1));
      text_.remove_prefix(end + 1);
      return make(value.starts_with("$(") ? Kind::macro : Kind::text, value);
    }
    if (text_.starts_with("$(")) {
      int depth = 0;
      std::size_t end = 1;
      for (; end < text_.size(); ++end) {
        depth += text_[end] == '(';
        if (text_[end] == ')' && --depth == 0) break;
      }
      if (end == text_.size()) throw bad("has a macro without its end");
      std::string call(text_.substr(0, end + 1));
      text_.remove_prefix(end + 1);
      return make(Kind::macro, call);
    }
    std::size_t end = 0;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_' || text_[end] == '-' ||
            text_[end] == '.' || text_[end] == '/' || text_[end] == '$'))
      ++end;
    if (end == 0) throw bad("is not understood from \"" + std::string(text_) + "\" on");
    std::string name(text_.substr(0, end));
    text_.remove_prefix(end);
    return make(Kind::symbol, name);
  }

  std::string_view whole_, text_;
  int depth_ = 0;
};

bool is_number(const std::string& text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return text.size() > 2;
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// A symbol's or constant's value as text.
std::string value_of(const ExprPtr& operand, const ConfValues& values) {
  if (operand->kind != Kind::symbol) return operand->text;
  if (operand->text == "y" || operand->text == "m" || operand->text == "n" || is_number(operand->text))
    return operand->text;
  const auto found = values.find(operand->text);
  return found == values.end() ? "n" : found->second;
}

Tristate tristate(const std::string& value) {
  return value == "y" ? Tristate::y : value == "m" ? Tristate::m : Tristate::n;
}

bool compare(const std::string& op, const std::string& a, const std::string& b) {
  int order = a.compare(b);
  if (is_number(a) && is_number(b)) {
    const long long x = std::strtoll(a.c_str(), nullptr, 0), y = std::strtoll(b.c_str(), nullptr, 0);
    order = x < y ? -1 : x > y;
  }
  // A string that was never set is empty, where a tristate's absence is n.
  if ((a.empty() && b == "n") || (a == "n" && b.empty())) order = 0;
  if (op == "=") return order == 0;
  if (op == "!=") return order != 0;
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return order >= 0;
}

std::string shown(const ExprPtr& operand, const ConfValues& values) {
  return operand->kind == Kind::symbol ? operand->text + "=" + value_of(operand, values) : operand->text;
}

std::string with_parentheses(const ExprPtr& expr, Kind outer) {
  std::string text = to_string(expr);
  const bool loose = expr && ((expr->kind == Kind::disjunction && outer != Kind::disjunction) ||
                              (expr->kind == Kind::conjunction && outer == Kind::negation) ||
                              (expr->kind == Kind::comparison && outer == Kind::negation));
  return loose ? "(" + text + ")" : text;
}

}  // namespace

ExprPtr parse_kconfig_expr(std::string_view text) {
  return Parser(text).all();
}

ExprPtr both(ExprPtr a, ExprPtr b) {
  if (!a) return b;
  if (!b) return a;
  return std::make_shared<const KconfigExpr>(
      KconfigExpr{Kind::conjunction, "&&", std::move(a), std::move(b)});
}

std::string to_string(const ExprPtr& expr) {
  if (!expr) return "";
  switch (expr->kind) {
    case Kind::symbol:
    case Kind::macro:
      return expr->text;
    case Kind::text:
      return "\"" + expr->text + "\"";
    case Kind::negation:
      return "!" + with_parentheses(expr->left, expr->kind);
    case Kind::comparison:
      return fmt::format("{} {} {}", to_string(expr->left), expr->text, to_string(expr->right));
    case Kind::conjunction:
    case Kind::disjunction:
      return fmt::format("{} {} {}", with_parentheses(expr->left, expr->kind), expr->text,
                         with_parentheses(expr->right, expr->kind));
  }
  return "";
}

Tristate evaluate(const ExprPtr& expr, const ConfValues& values) {
  if (!expr) return Tristate::y;
  switch (expr->kind) {
    case Kind::macro:
      return Tristate::y;
    case Kind::symbol:
    case Kind::text: {
      const Tristate value = tristate(value_of(expr, values));
      // "depends on m" is n where there are no modules.
      return value == Tristate::m && !values.contains("MODULES") ? Tristate::n : value;
    }
    case Kind::negation:
      return static_cast<Tristate>(2 - static_cast<int>(evaluate(expr->left, values)));
    case Kind::conjunction:
      return std::min(evaluate(expr->left, values), evaluate(expr->right, values));
    case Kind::disjunction:
      return std::max(evaluate(expr->left, values), evaluate(expr->right, values));
    case Kind::comparison:
      if (expr->left->kind == Kind::macro || expr->right->kind == Kind::macro) return Tristate::y;
      return compare(expr->text, value_of(expr->left, values), value_of(expr->right, values)) ? Tristate::y
                                                                                              : Tristate::n;
  }
  return Tristate::n;
}

std::vector<std::string> unmet_parts(const ExprPtr& expr, const ConfValues& values, Tristate needed) {
  if (evaluate(expr, values) >= needed) return {};
  switch (expr->kind) {
    case Kind::conjunction: {
      std::vector<std::string> parts = unmet_parts(expr->left, values, needed);
      for (std::string& part : unmet_parts(expr->right, values, needed))
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
      return parts;
    }
    case Kind::disjunction: {
      const auto side = [&](const ExprPtr& e) {
        const std::vector<std::string> parts = unmet_parts(e, values, needed);
        const std::string all = fmt::format("{}", fmt::join(parts, " and "));
        return parts.size() > 1 ? "(" + all + ")" : all;
      };
      return {side(expr->left) + " or " + side(expr->right)};
    }
    case Kind::negation:
      if (expr->left->kind == Kind::symbol) return {shown(expr->left, values)};
      return {"!(" + to_string(expr->left) + ")"};
    case Kind::comparison:
      return {fmt::format("{} is not {} {}", shown(expr->left, values), expr->text, to_string(expr->right))};
    default:
      return {shown(expr, values)};
  }
}

std::vector<std::string> macros_in(const ExprPtr& expr) {
  if (!expr) return {};
  if (expr->kind == Kind::macro) return {expr->text};
  std::vector<std::string> macros = macros_in(expr->left);
  for (std::string& macro : macros_in(expr->right)) macros.push_back(std::move(macro));
  return macros;
}

}  // namespace kdev::guest
