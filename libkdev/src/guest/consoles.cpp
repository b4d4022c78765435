#include "guest/consoles.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <deque>
#include <kdev/error.hpp>

#include "guest/freebsd/freebsd.hpp"
#include "guest/linux/linux.hpp"
#include "guest/netbsd/console_formats.hpp"
#include "guest/openbsd/console_formats.hpp"

namespace kdev::guest {

using re2::RE2;

namespace {

constexpr std::size_t looked_at = 256 << 10;
constexpr int enough = 200;

int marks_in(const RE2& pattern, std::string_view text) {
  re2::StringPiece rest(text.data(), text.size());
  int count = 0;
  while (count < enough && RE2::FindAndConsume(&rest, pattern)) ++count;
  return count;
}

}  // namespace

const std::vector<ConsoleSystem>& console_systems() {
  static const std::vector<ConsoleSystem> table = {
      {"linux", linux_console_rules},
      {"freebsd", freebsd_console_rules},
      {"openbsd", openbsd_console_rules},
      {"netbsd", netbsd_console_rules},
  };
  return table;
}

const ConsoleRules& console_rules_for(std::string_view system) {
  std::vector<std::string_view> names;
  for (const ConsoleSystem& row : console_systems()) {
    if (row.name == system) return row.rules();
    names.push_back(row.name);
  }
  throw ConfigError({.attempted = "read a console",
                     .reason = fmt::format("of an unknown system: '{}'", system),
                     .hint = fmt::format("{}", fmt::join(names, ", ")),
                     .log = {}});
}

std::string_view detect_console(std::string_view text) {
  struct Marks {
    Marks(std::string_view system, std::string_view marks)
        : name(system), pattern(fmt::format("(?m){}", marks)) {}
    std::string_view name;
    RE2 pattern;
  };
  static const auto* all = [] {
    auto* list = new std::deque<Marks>;  // never destroyed: threads may still scan at exit
    for (const ConsoleSystem& row : console_systems()) list->emplace_back(row.name, row.rules().marks());
    return list;
  }();
  std::string_view found;
  int most = 0;
  for (const Marks& marks : *all) {
    const int count =
        marks_in(marks.pattern, text.substr(0, looked_at)) +
        (text.size() > looked_at ? marks_in(marks.pattern, text.substr(text.size() - looked_at)) : 0);
    if (count <= most) continue;
    most = count;
    found = marks.name;
  }
  return found;
}

}  // namespace kdev::guest
