#include "crash/unit_lines.hpp"

#include <dwarf.h>
#include <gelf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "crash/dwarf_ranges.hpp"
#include "crash/line_program.hpp"

namespace kdev::crash {
namespace {

constexpr int most_before = 16;  // rows

std::string_view section_bytes(Elf_Scn* section, const GElf_Shdr& header) {
  if ((header.sh_flags & SHF_COMPRESSED) || header.sh_type == SHT_NOBITS) return {};
  const Elf_Data* data = elf_rawdata(section, nullptr);
  if (!data || !data->d_buf) return {};
  return {static_cast<const char*>(data->d_buf), data->d_size};
}

}  // namespace

LineSections LineSections::of(Dwarf* dwarf) {
  LineSections found;
  Elf* elf = dwarf ? dwarf_getelf(dwarf) : nullptr;
  GElf_Ehdr file;
  std::size_t names = 0;
  // The numbers are read as this machine has them; those of a relocatable file are not final.
  constexpr unsigned char here = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (!elf || !gelf_getehdr(elf, &file) || file.e_type == ET_REL || file.e_ident[EI_DATA] != here ||
      elf_getshdrstrndx(elf, &names) != 0)
    return found;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (!name) continue;
    for (auto [wanted, bytes] : {std::pair(".debug_line", &found.line),
                                 {".debug_line_str", &found.line_strings},
                                 {".debug_str", &found.strings}})
      if (std::strcmp(name, wanted) == 0) *bytes = section_bytes(section, header);
  }
  return found;
}

UnitLines::UnitLines(Dwarf_Die* unit, const LineSections& sections)
    : folder_(string_attribute(unit, DW_AT_comp_dir)) {
  if (read(unit, sections)) return;
  rows_.clear();
  sequences_.clear();
  files_.clear();
  ask_libdw(unit);
}

bool UnitLines::read(Dwarf_Die* unit, const LineSections& sections) {
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  if (dwarf_formudata(dwarf_attr(unit, DW_AT_stmt_list, &attribute), &offset) != 0) return false;
  LineProgram program(sections, offset, folder_);
  if (!program.read_header() || !program.run(rows_)) return false;
  files_ = program.take_files();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const bool first = sequences_.empty() ? i == 0 : i == sequences_.back();
    if (!first && rows_[i].address < rows_[i - 1].address) return false;  // libdw sorts them
    if (rows_[i].end) sequences_.push_back(i + 1);
  }
  return sequences_.empty() ? rows_.empty() : sequences_.back() == rows_.size();
}

void UnitLines::ask_libdw(Dwarf_Die* unit) {
  Dwarf_Lines* lines = nullptr;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrclines(unit, &lines, &count) == 0)
    for (std::size_t i = 0; i < count; ++i) {
      Dwarf_Line* line = dwarf_onesrcline(lines, i);
      LineRow row;
      int number = 0;
      std::size_t file = 0;
      dwarf_lineaddr(line, &row.address);
      dwarf_lineno(line, &number);
      dwarf_lineendsequence(line, &row.end);
      if (dwarf_line_file(line, &files, &file) == 0) row.file = static_cast<std::uint32_t>(file);
      row.line = static_cast<std::uint32_t>(number);
      rows_.push_back(row);
    }
  sequences_.push_back(rows_.size());  // all of them, sorted
  if (dwarf_getsrcfiles(unit, &files, &count) == 0)
    for (std::size_t i = 0; i < count; ++i)
      files_.emplace_back(nullptr, dwarf_filesrc(files, i, nullptr, nullptr));
}

const LineRow* UnitLines::at(Dwarf_Addr pc) const {
  const LineRow* best = nullptr;
  auto begin = rows_.begin();
  for (const std::size_t sequence : sequences_) {
    const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(sequence);
    auto row = std::upper_bound(begin, end, pc, [](Dwarf_Addr a, const LineRow& r) { return a < r.address; });
    if (row != begin) {
      --row;
      // The highest address counts; at the same one the last row, but the end of a sequence before any other.
      const bool better = !best || row->address > best->address ||
                          (row->address == best->address && (best->end || !row->end));
      if (better) best = &*row;
    }
    begin = end;
  }
  return best && !best->end ? best : nullptr;
}

const LineRow* UnitLines::before(const LineRow* row, const std::function<bool(Dwarf_Addr)>& same) const {
  for (int back = 0; back < most_before && !row->end; ++back, --row) {
    if (static_cast<int>(row->line) > 0 && same(row->address)) return row;
    if (row == rows_.data()) break;
  }
  return nullptr;
}

std::string UnitLines::file(std::uint64_t number) const {
  if (number >= files_.size() || !files_[number].second) return {};
  const auto [folder, name] = files_[number];
  if (!folder || name[0] == '/') return joined(folder_, name);
  return joined(folder_, (std::string(folder) + "/" + name).c_str());
}

}  // namespace kdev::crash
