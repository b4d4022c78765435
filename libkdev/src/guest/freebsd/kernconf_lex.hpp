#pragma once
// The statements of a KERNCONF file with their places in the text. usr.sbin/config/lang.l and config.y.
#include <cstddef>
#include <kdev/kernconf_file.hpp>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// One entry and where it lies; offsets into the text. The items of one statement share the statement's.
struct KernconfItem {
  KernconfEntry entry;
  std::size_t begin = 0, end = 0;                ///< the item: name, and its value
  std::size_t statement = 0, statement_end = 0;  ///< from its keyword up to the ';' or line end
  int items = 1;                                 ///< in the statement
};

/// ConfigError names file, line, and what was expected.
std::vector<KernconfItem> lex_kernconf(std::string_view text, const Path& file);

/// The keyword as config(5) spells it, for any spelling config(8) takes; empty: it is none.
std::string_view kernconf_keyword(std::string_view word);
/// "nooptions" for "options"; empty: there is no such statement.
std::string_view kernconf_negation(std::string_view keyword);
/// The item's text: NAME, NAME=VALUE. ConfigError for what config(8) could not read back.
std::string kernconf_item_text(std::string_view keyword, std::string_view name,
                               std::optional<std::string_view> value, bool append);

}  // namespace kdev::guest
