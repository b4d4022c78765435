// Every address at which something changes (a line, a function, an inlined one) is looked up as
// DebugInfo::expand() would; up to the next such address nothing does.
#include "crash/symbol_index_build.hpp"

#include <algorithm>
#include <cstring>
#include <kdev/deadline.hpp>
#include <optional>
#include <unordered_map>

#include "crash/dwarf_ranges.hpp"
#include "crash/symbol_index_format.hpp"
#include "crash/unit_lines.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t deepest = 200;  // as DebugInfo::expand()

/// A function, or a block or an inlined function in one.
struct Scope {
  std::vector<DwarfRange> ranges;
  std::vector<std::size_t> inside;
  std::uint32_t name = 0, file = 0, line = 0;
  bool inlined = false;  ///< or the function itself
};

struct Stretch {
  Dwarf_Addr low = 0, high = 0;
  IndexRow row;
};

bool same(const IndexRow& a, const IndexRow& b) {
  return a.node == b.node && a.file == b.file && a.line == b.line;
}

template <class T>
void append(std::string& out, const std::vector<T>& records) {
  if (!records.empty()) out.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(T));
}

class Builder {
 public:
  explicit Builder(Dwarf* dwarf)
      : dwarf_(dwarf), units_(unit_ranges(dwarf)), sections_of_lines_(LineSections::of(dwarf)) {
    string("");
    for (const auto& unit : units_) edges_.insert(edges_.end(), {unit.low, unit.high});
    std::sort(edges_.begin(), edges_.end());
  }

  void add_symbols(const std::vector<ElfSymbol>& symbols) {
    for (const auto& s : symbols)
      symbols_.push_back({.address = s.address,
                          .size = s.size,
                          .extent = s.extent,
                          .name = string(std::string(s.name)),
                          .type = static_cast<std::uint8_t>(s.type),
                          .function = s.function,
                          .reserved = 0});
  }

  void add_sections(const std::vector<SectionPlace>& sections) {
    for (const auto& s : sections)
      sections_.push_back({.address = s.address, .size = s.size, .name = string(s.name), .reserved = 0});
  }

  void add_units() {
    for (const auto& name : unit_names(dwarf_)) unit_names_.push_back(string(name));
    std::unordered_map<Dwarf_Off, std::vector<DwarfRange>> by_unit;
    std::vector<Dwarf_Off> order;
    for (const auto& range : units_) {
      auto& ranges = by_unit[range.die];
      if (ranges.empty()) order.push_back(range.die);
      ranges.push_back(range);
    }
    for (const Dwarf_Off offset : order) {
      Deadline().check_interrupt("make an index of symbols");
      Dwarf_Die die;
      if (dwarf_offdie(dwarf_, offset, &die)) add_unit(&die, offset, by_unit[offset]);
    }
  }

  std::string bytes(std::string_view described) {
    std::sort(stretches_.begin(), stretches_.end(),
              [](const Stretch& a, const Stretch& b) { return a.low < b.low; });
    std::vector<std::uint64_t> starts;
    std::vector<IndexRow> rows;
    const auto put = [&](std::uint64_t start, const IndexRow& row) {
      if (!rows.empty() && same(rows.back(), row)) return;
      starts.push_back(start);
      rows.push_back(row);
    };
    std::uint64_t end = 0;
    for (const auto& s : stretches_) {
      if (!rows.empty() && s.low < end) continue;  // ranges of one unit that overlap: the same twice
      if (!rows.empty() && s.low > end) put(end, {});
      put(s.low, s.row);
      end = s.high;
    }
    if (!rows.empty()) put(end, {});

    IndexHeader header;
    header.magic = index_magic;
    header.version = index_version;
    std::memcpy(header.described.data(), described.data(),
                std::min(described.size(), header.described.size()));
    header.counts = {starts.size(),      rows.size(),      nodes_.size(),  symbols_.size(),
                     unit_names_.size(), sections_.size(), strings_.size()};
    std::string body;
    append(body, starts);
    append(body, rows);
    append(body, nodes_);
    append(body, symbols_);
    append(body, unit_names_);
    append(body, sections_);
    body += strings_;
    return index_file(header, body);
  }

 private:
  std::uint32_t string(const std::string& text) {
    const auto [it, fresh] = known_.try_emplace(text, static_cast<std::uint32_t>(strings_.size()));
    if (fresh) {
      strings_ += text;
      strings_ += '\0';
    }
    return it->second;
  }

  void add_unit(Dwarf_Die* die, Dwarf_Off offset, const std::vector<DwarfRange>& ranges) {
    file_ids_.clear();
    lines_.emplace(die, sections_of_lines_);

    const auto functions = function_ranges(die);
    scopes_.clear();
    std::unordered_map<Dwarf_Off, std::size_t> scope_of;
    for (const auto& function : functions) {
      if (scope_of.contains(function.die)) continue;
      Dwarf_Die entry;
      if (!dwarf_offdie(dwarf_, function.die, &entry)) continue;
      const std::size_t scope = new_scope(&entry, true);
      scope_of.emplace(function.die, scope);
      add_inside(&entry, scope, 0);
    }

    std::vector<Dwarf_Addr> points;
    for (const auto* list : {&ranges, &functions})
      for (const auto& r : *list) points.insert(points.end(), {r.low, r.high});
    for (const auto& scope : scopes_)
      for (const auto& r : scope.ranges) points.insert(points.end(), {r.low, r.high});
    for (const auto& line : lines_->rows()) points.push_back(line.address);
    for (const auto& r : ranges)
      points.insert(points.end(), std::lower_bound(edges_.begin(), edges_.end(), r.low),
                    std::upper_bound(edges_.begin(), edges_.end(), r.high));
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());

    nodes_of_.clear();
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const Dwarf_Addr pc = points[i];
      const DwarfRange* unit = find_range(units_, pc);
      if (!unit || unit->die != offset) continue;
      Stretch stretch{.low = pc, .high = points[i + 1], .row = {}};
      const auto node_at = [&](Dwarf_Addr at) {
        const DwarfRange* function = find_range(functions, at);
        const auto scope = function ? scope_of.find(function->die) : scope_of.end();
        return scope != scope_of.end() ? innermost(scope->second, at) : index_none;
      };
      stretch.row.node = node_at(pc);
      if (const LineRow* line = lines_->at(pc)) {
        if (line->line == 0 && stretch.row.node != index_none) {
          const auto same = [&](Dwarf_Addr at) { return node_at(at) == stretch.row.node; };
          if (const LineRow* before = lines_->before(line, same)) line = before;
        }
        stretch.row.file = file_id(line->file);
        stretch.row.line = line->line;
      }
      // Without a function, what is at no line is nothing at all.
      if (stretch.row.node == index_none && static_cast<int>(stretch.row.line) <= 0) stretch.row = {};
      stretches_.push_back(stretch);
    }
  }

  std::uint32_t file_id(std::uint64_t number) {
    const auto [it, fresh] = file_ids_.try_emplace(number);
    if (fresh) it->second = string(lines_->file(number));
    return it->second;
  }

  std::size_t new_scope(Dwarf_Die* die, bool function) {
    Scope scope;
    if (!function) add_ranges(die, scope.ranges);
    if (function || dwarf_tag(die) == DW_TAG_inlined_subroutine) {
      scope.inlined = !function;
      const char* name = dwarf_diename(die);
      scope.name = string(name ? name : "");
    }
    if (scope.inlined) {
      Dwarf_Attribute attribute;
      Dwarf_Word value = 0;
      if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &value) == 0)
        scope.file = file_id(value);
      if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &value) == 0)
        scope.line = static_cast<std::uint32_t>(value);
    }
    scopes_.push_back(std::move(scope));
    return scopes_.size() - 1;
  }

  void add_inside(Dwarf_Die* parent, std::size_t scope, std::size_t depth) {
    Dwarf_Die child;
    if (depth > 4 * deepest || dwarf_child(parent, &child) != 0) return;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
      const std::size_t inside = new_scope(&child, false);
      if (scopes_[inside].ranges.empty()) {  // no address leads there
        scopes_.pop_back();
        continue;
      }
      scopes_[scope].inside.push_back(inside);
      add_inside(&child, inside, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
  }

  std::uint32_t innermost(std::size_t scope, Dwarf_Addr pc) {
    std::uint32_t node = node_of(scope, index_none);
    for (std::size_t depth = 1; depth <= deepest;) {
      const auto& inside = scopes_[scope].inside;
      const auto next = std::find_if(inside.begin(), inside.end(), [&](std::size_t s) {
        const auto& ranges = scopes_[s].ranges;
        return std::any_of(ranges.begin(), ranges.end(), [pc](const DwarfRange& r) { return r.covers(pc); });
      });
      if (next == inside.end()) break;
      scope = *next;
      if (!scopes_[scope].inlined) continue;
      node = node_of(scope, node);
      ++depth;
    }
    return node;
  }

  std::uint32_t node_of(std::size_t scope, std::uint32_t parent) {
    const auto [it, fresh] = nodes_of_.try_emplace(scope, static_cast<std::uint32_t>(nodes_.size()));
    if (fresh) {
      const Scope& s = scopes_[scope];
      nodes_.push_back({.parent = parent, .name = s.name, .file = s.file, .line = s.line});
    }
    return it->second;
  }

  Dwarf* dwarf_;
  std::vector<DwarfRange> units_;
  std::vector<Dwarf_Addr> edges_;  // of all units
  LineSections sections_of_lines_;

  // Of the unit at work.
  std::optional<UnitLines> lines_;
  std::vector<Scope> scopes_;
  std::unordered_map<std::uint64_t, std::uint32_t> file_ids_;
  std::unordered_map<std::size_t, std::uint32_t> nodes_of_;

  std::vector<Stretch> stretches_;
  std::vector<IndexNode> nodes_;
  std::vector<IndexSymbol> symbols_;
  std::vector<std::uint32_t> unit_names_;
  std::vector<IndexSection> sections_;
  std::string strings_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

}  // namespace

std::string build_symbol_index(const IndexSource& source, std::string_view described) {
  Builder builder(source.dwarf);
  builder.add_symbols(source.symbols);
  builder.add_sections(source.sections);
  builder.add_units();
  return builder.bytes(described);
}

}  // namespace kdev::crash
