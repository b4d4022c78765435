#pragma once
#include <kdev/crash.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guest/crash_format.hpp"

namespace re2 {
class RE2;
}

namespace kdev::crash {

/// The function that a report blames.
struct Guilty {
  std::string printed;  ///< as in the report
  std::string variant;  ///< without the compiler's suffixes
  std::string name;     ///< all variants of a function made one; for titles. Empty: none was found
};

/// Finds it by a guest's lists of helpers, dispatchers and names. Thread-safe.
class GuiltyFinder {
 public:
  explicit GuiltyFinder(const guest::FunctionRules& rules);
  ~GuiltyFinder();
  /// A trace holds frames of another CPU.
  bool mixed(const std::vector<StackTrace>& traces) const;
  /// `words`: TitleRule::function. `captures`: of the title's pattern. `skip`: more helpers, or null.
  Guilty find(const std::vector<std::string_view>& words, const std::vector<std::string_view>& captures,
              const std::vector<StackTrace>& traces, const StackFrame* pc, const re2::RE2* skip) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kdev::crash
