#pragma once
// A reader of a tree's Kconfig files, for one purpose: to say why an option was not kept. What the
// configuration *is* only the tree's own tool decides.
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "guest/linux/kconfig_expr.hpp"

namespace kdev::guest {

/// One "config X" entry; an option may have several.
struct KconfigEntry {
  ExprPtr depends;  ///< its own and those of the menus and ifs around it
  bool prompt = false;
  ExprPtr visible;  ///< condition of its prompt beyond `depends`
  int choice = -1;  ///< index of the choice it is a member of
};

/// "select X if COND" as seen from X.
struct KconfigSelect {
  std::string by;
  ExprPtr condition;  ///< the selecting entry's dependencies included
};

struct KconfigRange {
  std::string low, high;  ///< numbers or names of options
  ExprPtr condition;
};

struct KconfigOption {
  std::string name;
  std::string type;  ///< "bool", "tristate", "string", "int", "hex"
  std::vector<KconfigEntry> entries;
  std::vector<KconfigSelect> selected_by;
  std::vector<KconfigRange> ranges;
};

class Kconfig {
 public:
  /// Reads TREE/Kconfig and all it sources for `srcarch` ("x86"). Lines that are not understood are passed
  /// over; files that are not there too, as the tree's tool says what is wrong with them.
  static Kconfig read(Host& host, const Path& tree, const std::string& srcarch);

  const KconfigOption* find(std::string_view name) const;
  /// Members of a choice.
  std::vector<std::string> members(int choice) const;
  /// Names that are alike, best first.
  std::vector<std::string> nearest(std::string_view name, std::size_t most = 5) const;

 private:
  friend class KconfigReader;
  std::map<std::string, KconfigOption, std::less<>> options_;
  std::vector<std::vector<std::string>> choices_;
};

/// The folder of arch/ for an ARCH or a machine name of uname (scripts/subarch.include): "x86_64" -> "x86".
std::string linux_srcarch(const std::string& arch);

}  // namespace kdev::guest
