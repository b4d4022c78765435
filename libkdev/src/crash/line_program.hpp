#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/unit_lines.hpp"

namespace kdev::crash {

/// Numbers and strings out of bytes, which end: then, and from then on, it is not good().
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  bool at_end() const { return at_ == bytes_.size(); }
  std::size_t at() const { return at_; }
  /// 1 to 8 bytes, in this machine's order.
  std::uint64_t number(std::size_t size);
  std::uint64_t uleb();
  std::int64_t sleb();
  /// Up to a NUL, which is behind it.
  const char* string();
  void skip(std::uint64_t size);
  void fail() { good_ = false; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

/// One line number program of .debug_line: DWARF 2 to 5 (section 6.2 of version 5), of 32 bits, of machines
/// with one operation an instruction. All else is not read, and is no error.
class LineProgram {
 public:
  /// `folder`: of the compile unit; null: it has none.
  LineProgram(const LineSections& sections, std::uint64_t offset, const char* folder);
  bool read_header();
  /// After read_header(). Appends the rows, in the program's order.
  bool run(std::vector<LineRow>& rows);
  /// By their numbers: folder and name.
  std::vector<std::pair<const char*, const char*>> take_files() { return std::move(files_); }

 private:
  struct Entry {
    const char* name = nullptr;
    std::uint64_t folder = 0;
  };
  bool read_old_tables(ByteReader& in);
  bool read_tables(ByteReader& in);
  bool read_entries(ByteReader& in, std::vector<Entry>& out);
  const char* string_at(std::string_view strings, std::uint64_t offset) const;
  const char* folder_name(std::uint64_t number) const;

  const LineSections& sections_;
  std::uint64_t offset_;
  std::string_view program_;
  std::vector<const char*> folders_;
  std::vector<std::pair<const char*, const char*>> files_;
  const char* unit_folder_;
  std::uint64_t version_ = 0, step_ = 1, line_range_ = 1, first_special_ = 1;
  int line_base_ = 0;
  std::vector<std::uint8_t> operands_;  // of the standard operations
};

}  // namespace kdev::crash
