#pragma once
// Expressions of the Kconfig language (Documentation/kbuild/kconfig-language.rst, "Menu dependencies").
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// n, m, y as the kernel's tools count them: && is the minimum, || the maximum, ! the difference to y.
enum class Tristate { n = 0, m = 1, y = 2 };

struct KconfigExpr;
using ExprPtr = std::shared_ptr<const KconfigExpr>;  ///< null: no condition, y

struct KconfigExpr {
  enum class Kind { symbol, text, macro, negation, conjunction, disjunction, comparison } kind = Kind::symbol;
  std::string text;     ///< symbol's name; text; a macro call as written; the operator of a comparison
  ExprPtr left, right;  ///< negation has only left
};

/// Throws ConfigError when it makes no sense. Macro calls are kept as written: they are not run.
ExprPtr parse_kconfig_expr(std::string_view text);

/// a && b; null operands stand for y.
ExprPtr both(ExprPtr a, ExprPtr b);
std::string to_string(const ExprPtr& expr);

using ConfValues = std::map<std::string, std::string>;  ///< as in a .config, "n" ones absent

/// A macro's outcome is not known here: taken as y.
Tristate evaluate(const ExprPtr& expr, const ConfValues& values);

/// What keeps the expression below `needed`, in words: "MODULES=n", "A=n or B=n", "X86_32=y". Empty when
/// nothing does.
std::vector<std::string> unmet_parts(const ExprPtr& expr, const ConfValues& values, Tristate needed);

/// The macro calls in it.
std::vector<std::string> macros_in(const ExprPtr& expr);

}  // namespace kdev::guest
