#include "guest/freebsd/config_tool.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <sstream>

#include "guest/freebsd/build_make.hpp"

namespace kdev::guest {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

/// The statement of a flattened configuration's line, and who asked for it: "device nosuch (asked for by:
/// user)". Such a line's comment is the place that it comes from.
std::string statement(const std::string& line, const std::vector<ConfSetting>& settings) {
  static const RE2 parts(R"(^(\S+)\s+([^\s=#]+)([^#]*?)\s*(?:#\s*(.*))?$)");
  std::string keyword, name, value, place;
  if (!RE2::FullMatch(line, parts, &keyword, &name, &value, &place)) return line;
  std::string who = place;
  // The last one who asked has been heard.
  for (const ConfSetting& setting : settings)
    if (setting.option == keyword + " " + name || setting.option == keyword) who = setting.origin;
  const std::string text = fmt::format("{} {}{}", keyword, name, value);
  return who.empty() ? text : fmt::format("{} (asked for by: {})", text, who);
}

/// One message of config(8), with the statement that it is about; empty: it says nothing.
std::string explained(const std::string& message, const ConfCheck& request) {
  static const RE2 placed(R"(^config: \S+:(\d+): (.*)$)"), option(R"re(^\S+: (unknown option "(.*)")$)re"),
      device(R"re(^config: Error: (device "(.*)" is .*)$)re"), count(R"(^config: \d+ errors?$)"),
      other(R"(^(?:config|ERROR): (?:Error: )?(.*)$)");
  const std::vector<std::string> lines = lines_of(request.text);
  std::string what, name;
  std::size_t number = 0;
  if (RE2::FullMatch(message, count)) return {};
  if (RE2::FullMatch(message, placed, &number, &what)) {
    // The grammar has often read the line end of the statement that it does not take.
    if (number > lines.size()) number = lines.size();
    if (!number) return what;
    return fmt::format("{}: {}", what, statement(lines[number - 1], request.settings));
  }
  if (RE2::FullMatch(message, option, &what, &name) || RE2::FullMatch(message, device, &what, &name)) {
    for (const std::string& line : lines) {
      std::istringstream words(line);
      std::string keyword, item;
      words >> keyword >> item;
      if (item.substr(0, item.find('=')) == name)
        return fmt::format("{}: {}", what, statement(line, request.settings));
    }
    return what;
  }
  return RE2::FullMatch(message, other, &what) ? what : message;
}

}  // namespace

void freebsd_run_config(const ConfCheck& request) {
  Host& host = request.host;
  const Path conf_dir = request.source / "sys" / freebsd_target(request.make_variables).machine / "conf";
  const Path folder = request.scratch / freebsd_kernconf_folder;
  // The name is a command's and a file's there: no blanks.
  const Path file = folder / "KERNCONF";
  host.remove_all(request.scratch);
  host.make_directories(folder);
  host.write_file(file, request.text);
  RunOptions run;
  run.deadline = request.deadline;
  run.lease_dir = request.run;
  run.lease_name = "configure";
  // As Makefile.inc1's buildkernel does.
  const ProcessResult result =
      host.run({.argv = {request.tool.string(), "-d", (request.scratch / "kernel").string(), "-I",
                         folder.string(), "-I", conf_dir.string(), file.string()},
                .cwd = conf_dir},
               run);
  host.remove_all(request.scratch);
  if (result.ok()) return;
  std::vector<std::string> reasons;
  for (const std::string& line : lines_of(result.err + "\n" + result.out))
    if (std::string reason = explained(line, request); !reason.empty()) reasons.push_back(std::move(reason));
  if (reasons.empty()) reasons.push_back("it says nothing");
  throw ConfigError(
      {.attempted = "configure " + request.source.string(),
       .reason = fmt::format("config(8) of the tree refuses it: {}", fmt::join(reasons, "\n  ")),
       .hint = "take it back, or see KernConf.describe() for the layers",
       .log = {}});
}

}  // namespace kdev::guest
