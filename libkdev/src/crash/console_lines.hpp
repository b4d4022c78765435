#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::crash {

constexpr std::size_t max_line = 64 << 10;  // what is longer is taken as several lines

/// Walks over the lines of a log, each split into its records.
class ConsoleLines {
 public:
  ConsoleLines(const guest::ConsoleRules& rules, std::string_view log, std::size_t at)
      : rules_(rules), log_(log), next_(at) {}

  bool advance() {
    if (next_ >= log_.size()) return false;
    begin_ = next_;
    const auto window = log_.substr(begin_, max_line);
    const auto newline = window.find('\n');
    const auto end = begin_ + std::min(newline, window.size());
    next_ = newline == std::string_view::npos ? end : end + 1;
    whole_ = newline != std::string_view::npos || window.size() == max_line;
    records_.clear();
    scratch_.clear();
    rules_.split(log_.substr(begin_, end - begin_), records_, scratch_);
    return true;
  }
  std::size_t begin() const { return begin_; }
  std::size_t next() const { return next_; }  ///< where the next line begins
  bool whole() const { return whole_; }       ///< nothing that follows the log belongs to the line
  const std::vector<guest::ConsoleRecord>& records() const { return records_; }

 private:
  const guest::ConsoleRules& rules_;
  std::string_view log_;
  std::size_t begin_ = 0, next_;
  bool whole_ = true;
  std::vector<guest::ConsoleRecord> records_;
  std::string scratch_;
};

}  // namespace kdev::crash
