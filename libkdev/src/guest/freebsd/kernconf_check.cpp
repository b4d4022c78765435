// A KERNCONF against the names that its tree knows. read_option_file() and read_file() of usr.sbin/config.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>
#include <kdev/kernconf_file.hpp>
#include <map>
#include <set>
#include <sstream>

#include "guest/freebsd/kernconf_read.hpp"
#include "guest/nearest.hpp"

namespace kdev {
namespace {

/// The words of a table's lines: comments left out, a '\' at a line's end followed, "quoted words" as one.
class Table {
 public:
  /// Nothing, when there is no such file.
  Table(Host& host, const Path& file) : in_(host.is_file(file) ? host.read_file(file) : "") {}
  bool next(std::vector<std::string>& words) {
    words.clear();
    std::string line, whole;
    while (words.empty() && std::getline(in_, line)) {
      while (!line.empty() && line.back() == '\\') {
        line.back() = ' ';
        std::string more;
        if (!std::getline(in_, more)) break;
        line += more;
      }
      if (const std::size_t start = line.find_first_not_of(" \t"); start == line.npos || line[start] == '#')
        continue;
      split(line, words);
    }
    return !words.empty();
  }

 private:
  static void split(const std::string& line, std::vector<std::string>& words) {
    for (std::size_t at = 0; at < line.size();) {
      const char c = line[at];
      if (std::isspace(static_cast<unsigned char>(c))) {
        ++at;
      } else if (c == '"') {
        const std::size_t end = std::min(line.find('"', at + 1), line.size());
        words.push_back(line.substr(at + 1, end - at - 1));
        at = end + 1;
      } else if (c == '!' || c == '|') {
        words.emplace_back(1, c);
        ++at;
      } else {
        const std::size_t end = std::min(line.find_first_of(" \t\"|", at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
      }
    }
  }
  std::istringstream in_;
};

class Known {
 public:
  Known(Host& host, const Path& tree, const std::string& machine, const Path& conf_dir)
      : host_(host), tree_(tree) {
    const Path conf = tree / "sys/conf";
    if (!host.is_file(conf / "options") || !host.is_file(conf / "files"))
      throw ConfigError({.attempted = "check a kernel configuration against " + tree.string(),
                         .reason = "sys/conf/options or sys/conf/files is not there",
                         .hint = "name the top of a FreeBSD source tree",
                         .log = {}});
    read_options(conf / "options");
    if (!machine.empty())
      read_options(host.exists(conf / ("options." + machine)) ? conf / ("options." + machine)
                                                              : conf_dir / ("options." + machine));
    read_aliases(conf / "options-compat");
    read_devices(conf / "files");
    if (!machine.empty()) read_devices(conf / ("files." + machine));
  }
  void read_devices(const Path& file) {
    if (!read_.insert(file.string()).second) return;
    Table table(host_, file);
    for (std::vector<std::string> words; table.next(words);) {
      if (words[0] == "include" && words.size() > 1) {
        read_devices(tree_ / "sys" / words[1]);
        continue;
      }
      if (words.size() < 2 || words[1] != "optional") continue;
      bool negated = false;
      for (std::size_t i = 2; i < words.size(); ++i) {
        const std::string& word = words[i];
        // From here on it is not said any more what the file depends on.
        if (word == "compile-with" || word == "dependency" || word == "clean" || word == "warning" ||
            word == "obj-prefix") {
          ++i;
          continue;
        }
        if (word == "!") {
          negated = true;
          continue;
        }
        static const std::set<std::string, std::less<>> flags{
            "|",        "no-ctfconvert", "no-obj",    "no-implicit-rule", "before-depend",
            "nowerror", "local",         "no-depend", "profiling-routine"};
        // "optional !X" does not make X a device.
        if (!flags.contains(word) && !negated) devices_.insert(word);
        negated = false;
      }
    }
  }

  bool option(const std::string& name) const { return options_.contains(name); }
  bool device(const std::string& name) const { return devices_.contains(name); }
  const std::string* alias(const std::string& name) const {
    const auto found = aliases_.find(name);
    return found == aliases_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> near_options(const std::string& name) const { return near(name, options_); }
  std::vector<std::string> near_devices(const std::string& name) const { return near(name, devices_); }

 private:
  static std::vector<std::string> near(const std::string& name, const std::set<std::string>& known) {
    return guest::nearest_names(name, {known.begin(), known.end()});
  }
  void read_options(const Path& file) {
    Table table(host_, file);
    for (std::vector<std::string> words; table.next(words);) options_.insert(words[0]);
  }
  void read_aliases(const Path& file) {
    Table table(host_, file);
    for (std::vector<std::string> words; table.next(words);)
      if (words.size() > 1) aliases_[words[0]] = words[1];
  }

  Host& host_;
  const Path& tree_;
  std::set<std::string> options_, devices_, read_;
  std::map<std::string, std::string> aliases_;
};

}  // namespace

std::vector<KernconfProblem> check_kernconf(const KernconfSummary& summary, const Path& tree) {
  return guest::check_kernconf(*local_host(), summary, tree);
}

std::vector<KernconfProblem> guest::check_kernconf(Host& host, const KernconfSummary& summary,
                                                   const Path& tree) {
  const Path conf_dir = tree / "sys" / summary.machine / "conf";
  Known known(host, tree, summary.machine, conf_dir);
  for (const KernconfEntry& entry : summary.entries)
    if (entry.keyword == "files")
      known.read_devices(Path(entry.name).is_absolute() ? Path(entry.name) : conf_dir / entry.name);
  std::vector<KernconfProblem> problems;
  for (const KernconfEntry& entry : summary.entries) {
    if (entry.keyword == "device" && !known.device(entry.name)) {
      // `device DDB` for `options DDB` and the other way round is a common slip.
      auto nearest = known.near_devices(entry.name);
      if (known.option(entry.name)) nearest.insert(nearest.begin(), "options " + entry.name);
      problems.push_back({entry, "unknown device", std::move(nearest)});
    } else if (entry.keyword == "options" || entry.keyword == "cpu") {
      const std::string* alias = known.alias(entry.name);
      if (alias && known.option(*alias))
        problems.push_back({entry, "obsolete option: now " + *alias, {*alias}});
      else if (!known.option(entry.name) && !entry.name.starts_with("DEV_")) {
        auto nearest = known.near_options(entry.name);
        if (known.device(entry.name)) nearest.insert(nearest.begin(), "device " + entry.name);
        problems.push_back(
            {entry, entry.keyword == "cpu" ? "unknown CPU type" : "unknown option", std::move(nearest)});
      }
    }
  }
  for (const char* keyword : {"machine", "ident"}) {
    const bool there = std::any_of(summary.entries.begin(), summary.entries.end(),
                                   [&](const KernconfEntry& e) { return e.keyword == keyword; });
    if (!there)
      problems.push_back(
          {KernconfEntry{.keyword = keyword, .name = "", .value = {}, .append = false, .file = {}, .line = 0},
           "missing",
           {}});
  }
  return problems;
}

}  // namespace kdev
