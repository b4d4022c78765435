#include "crash/line_program.hpp"

#include <dwarf.h>

#include <cstring>

namespace kdev::crash {
namespace {

constexpr std::size_t most_files = 1u << 20;

}  // namespace

std::uint64_t ByteReader::number(std::size_t size) {
  if (!good_ || size > bytes_.size() - at_) {
    good_ = false;
    return 0;
  }
  const char* from = bytes_.data() + at_;
  at_ += size;
  const auto load = [from](auto value) {
    std::memcpy(&value, from, sizeof(value));
    return static_cast<std::uint64_t>(value);
  };
  switch (size) {
    case 1:
      return load(std::uint8_t{});
    case 2:
      return load(std::uint16_t{});
    case 4:
      return load(std::uint32_t{});
    case 8:
      return load(std::uint64_t{});
    default:
      good_ = false;
      return 0;
  }
}

std::uint64_t ByteReader::uleb() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; good_; shift += 7) {
    const std::uint64_t byte = number(1);
    if (shift < 64) value |= (byte & 0x7f) << shift;
    if (!(byte & 0x80)) break;
  }
  return value;
}

std::int64_t ByteReader::sleb() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; good_; shift += 7) {
    const std::uint64_t byte = number(1);
    if (shift < 64) value |= (byte & 0x7f) << shift;
    if (byte & 0x80) continue;
    if ((byte & 0x40) && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
    break;
  }
  return static_cast<std::int64_t>(value);
}

const char* ByteReader::string() {
  const char* begin = bytes_.data() + at_;
  const void* end = good_ ? std::memchr(begin, 0, bytes_.size() - at_) : nullptr;
  if (!end) {
    good_ = false;
    return "";
  }
  at_ += static_cast<std::size_t>(static_cast<const char*>(end) - begin) + 1;
  return begin;
}

void ByteReader::skip(std::uint64_t size) {
  if (size > bytes_.size() - at_)
    good_ = false;
  else
    at_ += size;
}

LineProgram::LineProgram(const LineSections& sections, std::uint64_t offset, const char* folder)
    : sections_(sections), offset_(offset), unit_folder_(folder) {}

bool LineProgram::read_header() {
  if (offset_ >= sections_.line.size()) return false;
  ByteReader start(sections_.line.substr(offset_));
  const std::uint64_t length = start.number(4);
  const std::string_view rest = sections_.line.substr(offset_ + start.at());
  if (!start.good() || length > rest.size()) return false;  // 64-bit DWARF says 0xffffffff here
  ByteReader in(rest.substr(0, length));
  version_ = in.number(2);
  if (version_ < 2 || version_ > 5) return false;
  if (version_ >= 5) {
    in.number(1);                         // bytes of an address: each that is set says it itself
    if (in.number(1) != 0) return false;  // segments
  }
  const std::uint64_t header = in.number(4);
  if (!in.good() || header > length - in.at()) return false;
  const std::string_view unit = rest.substr(0, length);
  program_ = unit.substr(in.at() + header);
  ByteReader head(unit.substr(in.at(), header));
  step_ = head.number(1);
  if (version_ >= 4 && head.number(1) != 1) return false;  // operations an instruction
  head.number(1);                                          // is_stmt
  line_base_ = static_cast<std::int8_t>(head.number(1));
  line_range_ = head.number(1);
  first_special_ = head.number(1);
  if (!head.good() || line_range_ == 0 || first_special_ == 0) return false;
  operands_.push_back(0);
  for (std::uint64_t i = 1; i < first_special_; ++i)
    operands_.push_back(static_cast<std::uint8_t>(head.number(1)));
  // Those that are known, as they are known.
  static constexpr std::uint8_t usual[] = {0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
  for (std::size_t i = 1; i < operands_.size() && i < std::size(usual); ++i)
    if (operands_[i] != usual[i]) return false;
  return (version_ >= 5 ? read_tables(head) : read_old_tables(head)) && head.good();
}

const char* LineProgram::folder_name(std::uint64_t number) const {
  return number < folders_.size() ? folders_[number] : nullptr;
}

bool LineProgram::read_old_tables(ByteReader& in) {
  folders_.push_back(unit_folder_);
  for (const char* name; *(name = in.string());) folders_.push_back(name);
  files_.emplace_back(nullptr, "???");  // numbers begin with 1; libdw's word for none
  for (const char* name; *(name = in.string());) {
    const std::uint64_t folder = in.uleb();
    in.uleb();  // modified
    in.uleb();  // size
    if (folder >= folders_.size() || files_.size() > most_files) return false;
    files_.emplace_back(folder_name(folder), name);
  }
  return true;
}

bool LineProgram::read_tables(ByteReader& in) {
  std::vector<Entry> folders, files;
  if (!read_entries(in, folders) || !read_entries(in, files)) return false;
  for (const auto& folder : folders) folders_.push_back(folder.name);
  for (const auto& file : files) {
    if (!file.name || file.folder >= folders_.size()) return false;
    files_.emplace_back(folder_name(file.folder), file.name);
  }
  return true;
}

const char* LineProgram::string_at(std::string_view strings, std::uint64_t offset) const {
  if (offset >= strings.size() || !std::memchr(strings.data() + offset, 0, strings.size() - offset))
    return nullptr;
  return strings.data() + offset;
}

bool LineProgram::read_entries(ByteReader& in, std::vector<Entry>& out) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> formats;  // what, form
  for (std::uint64_t left = in.number(1); left > 0; --left) {
    const std::uint64_t what = in.uleb();
    formats.emplace_back(what, in.uleb());
  }
  const std::uint64_t count = in.uleb();
  if (!in.good() || count > most_files || (formats.empty() && count > 0)) return false;
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    Entry entry;
    for (const auto& [what, form] : formats) {
      const char* text = nullptr;
      std::uint64_t value = 0;
      switch (form) {
        case DW_FORM_string:
          text = in.string();
          break;
        case DW_FORM_line_strp:
          text = string_at(sections_.line_strings, in.number(4));
          break;
        case DW_FORM_strp:
          text = string_at(sections_.strings, in.number(4));
          break;
        case DW_FORM_data1:
          value = in.number(1);
          break;
        case DW_FORM_data2:
          value = in.number(2);
          break;
        case DW_FORM_data4:
          value = in.number(4);
          break;
        case DW_FORM_data8:
          value = in.number(8);
          break;
        case DW_FORM_data16:
          in.skip(16);
          break;
        case DW_FORM_udata:
          value = in.uleb();
          break;
        case DW_FORM_block:
          in.skip(in.uleb());
          break;
        default:
          return false;
      }
      if (what == DW_LNCT_path) entry.name = text;
      if (what == DW_LNCT_directory_index) entry.folder = value;
    }
    out.push_back(entry);
  }
  return in.good();
}

bool LineProgram::run(std::vector<LineRow>& rows) {
  ByteReader in(program_);
  const LineRow start{.address = 0, .file = 1, .line = 1, .end = false};
  LineRow now = start;
  while (in.good() && !in.at_end()) {
    const std::uint64_t operation = in.number(1);
    if (operation >= first_special_) {
      const std::uint64_t special = operation - first_special_;
      now.address += special / line_range_ * step_;
      now.line += static_cast<std::uint32_t>(line_base_ + static_cast<int>(special % line_range_));
      rows.push_back(now);
      continue;
    }
    switch (operation) {
      case 0: {
        const std::uint64_t length = in.uleb();
        const std::size_t end = in.at() + length;
        const std::uint64_t extended = in.number(1);
        if (!in.good() || length == 0) return false;
        if (extended == DW_LNE_set_address) {
          if (length != 9 && length != 5) return false;
          now.address = in.number(length - 1);
        } else if (extended == DW_LNE_end_sequence) {
          now.end = true;
          rows.push_back(now);
          now = start;
        } else if (extended == DW_LNE_define_file) {
          return false;
        }
        if (end < in.at()) return false;
        in.skip(end - in.at());
        break;
      }
      case DW_LNS_copy:
        rows.push_back(now);
        break;
      case DW_LNS_advance_pc:
        now.address += in.uleb() * step_;
        break;
      case DW_LNS_advance_line:
        now.line += static_cast<std::uint32_t>(in.sleb());
        break;
      case DW_LNS_set_file:
        now.file = static_cast<std::uint32_t>(in.uleb());
        break;
      case DW_LNS_const_add_pc:
        now.address += (255 - first_special_) / line_range_ * step_;
        break;
      case DW_LNS_fixed_advance_pc:
        now.address += in.number(2);
        break;
      default:  // is_stmt, columns, blocks: of no matter here
        for (int left = operands_[operation]; left > 0; --left) in.uleb();
    }
  }
  return in.good();
}

}  // namespace kdev::crash
