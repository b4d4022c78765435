#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "guest/crash_format.hpp"

namespace kdev::guest {

/// A guest's crash formats in their order, matched all at once (RE2, linear time). Thread-safe once made.
class FormatTable {
 public:
  explicit FormatTable(std::vector<std::vector<CrashFormat>> families);
  ~FormatTable();
  const std::vector<CrashFormat>& formats() const { return formats_; }
  /// Index of the first format that the text begins; -1: none. Of a long line the first 4096 bytes count.
  int first(std::string_view text) const;

 private:
  struct Starts;
  std::vector<CrashFormat> formats_;
  std::unique_ptr<Starts> starts_;
};

}  // namespace kdev::guest
