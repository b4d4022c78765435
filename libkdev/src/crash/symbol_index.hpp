#pragma once
// What the debug information says of every address of a kernel or a module, in a form that is mapped and not
// read: see symbol_index_format.hpp for the file, index_cache.hpp for where it is kept.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/dwarf_file.hpp"
#include "crash/source_step.hpp"
#include "crash/symbol_index_format.hpp"

namespace kdev::crash {

/// Every offset is checked where it is used, and every block of the file where it is first touched: damage
/// is found, and never read past. Not thread-safe.
class SymbolIndex {
 public:
  /// Null when there is no such file, or it is not a whole one of this version and of what is `described`.
  static std::unique_ptr<SymbolIndex> open(const Path& file, std::string_view described);
  /// The same of bytes that outlive it.
  static std::unique_ptr<SymbolIndex> of_bytes(std::string_view bytes, std::string_view described);
  ~SymbolIndex();
  SymbolIndex(const SymbolIndex&) = delete;

  /// As ElfFile::symbols() has them; the names live as long as the index. Nothing: the index is damaged.
  std::optional<std::vector<ElfSymbol>> symbols() const;
  /// The source files of the compile units. Nothing: damaged.
  std::optional<std::vector<std::string>> units() const;
  /// Of a relocatable file, those that occupy memory; other files have none. Nothing: damaged.
  std::optional<std::vector<SectionPlace>> sections() const;
  /// As the DWARF has it. Nothing: damaged.
  std::optional<std::vector<SourceStep>> expand(std::uint64_t address) const;
  /// All of it is as it was written.
  bool whole() const;

 private:
  SymbolIndex() = default;
  bool begin(std::string_view described);
  bool good(std::uint64_t at, std::uint64_t size) const;
  template <class T>
  bool read(IndexPart part, std::uint64_t i, T& value) const;
  bool text(std::uint32_t at, std::string_view& out) const;

  std::string_view bytes_;
  bool mapped_ = false;
  IndexHeader header_{};
  std::uint64_t body_ = 0;                          // where the first block begins
  std::array<std::uint64_t, index_parts> parts_{};  // where they begin, from there
  mutable std::vector<bool> checked_;
};

}  // namespace kdev::crash
