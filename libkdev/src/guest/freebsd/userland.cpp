// FreeBSD's own programs: the libraries and /rescue, one static program of many names (rescue/README of the
// tree).
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <set>
#include <sstream>

#include "guest/freebsd/build_make.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/loaders.hpp"
#include "guest/userland_rules.hpp"

namespace kdev::guest {
namespace {

Path obj_top(const MakeRequest& request) {
  return freebsd_obj_top(request.root, request.source, request.variables);
}

/// The names that rescue.conf (crunchgen(1)) gives the program: "progs NAME", "ln PROGRAM NAME".
std::vector<std::string> crunched_names(const std::string& conf) {
  std::vector<std::string> names;
  std::istringstream lines(conf);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, name;
    words >> word;
    if (word == "progs")
      while (words >> name) names.push_back(name);
    if (word == "ln" && words >> name >> name && name.front() != '-') names.push_back(name);
  }
  return names;
}

/// Folders of the libraries that rescue's makefile links (CRUNCH_LIBS), of those below lib/ that the tree
/// has. What stands under `.if ${MK_NAME} != "no"` counts unless `src_conf` says WITHOUT_NAME.
std::vector<std::string> crunched_libraries(Host& host, const Path& source, const std::string& src_conf) {
  static const RE2 condition(R"re(^\.\s*if\s+\$\{MK_(\w+)\} != "no")re"), any_if(R"(^\.\s*if)");
  static const RE2 other(R"(^\.\s*else\s*$)"), end(R"(^\.\s*endif)"), library(R"((?:-l|lib/lib)(\w+))");
  std::set<std::string> names;
  std::vector<bool> stack;
  std::istringstream lines(host.read_file(source / "rescue/rescue/Makefile"));
  for (std::string line; std::getline(lines, line);) {
    std::string name;
    if (RE2::PartialMatch(line, condition, &name))
      stack.push_back(src_conf.find("WITHOUT_" + name + "=") == src_conf.npos);
    else if (RE2::PartialMatch(line, any_if))
      stack.push_back(true);
    else if (RE2::PartialMatch(line, end) && !stack.empty())
      stack.pop_back();
    else if (RE2::PartialMatch(line, other) && !stack.empty())
      stack.back() = true;  // one library too many does no harm
    if (std::find(stack.begin(), stack.end(), false) != stack.end() || line.starts_with('#')) continue;
    re2::StringPiece rest(line);
    while (RE2::FindAndConsume(&rest, library, &name)) names.insert("lib/lib" + name);
  }
  std::erase_if(names, [&](const std::string& name) { return !host.is_file(source / name / "Makefile"); });
  return {names.begin(), names.end()};
}

class FreebsdUserlandRules final : public UserlandRules {
 public:
  std::vector<std::string> kinds() const override { return {"rescue"}; }

  bool matters(std::string_view path) const override {
    // Of the kernel's sources the headers are the libraries' too.
    return !path.starts_with("sys/") || path.ends_with(".h") || freebsd_loader_source(path);
  }

  std::vector<MakeStep> make(Host& host, const MakeRequest& request, const std::string&) const override {
    const std::string inputs = request.digest([](std::string_view path) {
      return !path.starts_with("sys/") || path.ends_with(".h");
    }) + "\n" + freebsd_build_rules().flags(host, request.root);
    const Path stamps = request.root / "obj";
    const std::string arch = freebsd_target(request.variables).machine_arch;
    // Beside those that others are linked with, only what the program itself is made of: all of lib/ takes
    // longer, and fails for what is missing elsewhere.
    const Path src_conf = FreebsdConfFiles(request.root).src;
    const std::vector<std::string> names =
        crunched_libraries(host, request.source, host.exists(src_conf) ? host.read_file(src_conf) : "");
    MakeStep libraries{
        .title = "libraries",
        .command = freebsd_make(host, request,
                                {fmt::format("_generic_libs={}", fmt::join(names, " ")), "toolchain"}),
        .stamp = stamps / (".kdev-libraries-" + arch),
        .key = inputs,
        .once = true};
    MakeStep rescue{
        .title = "rescue",
        .command = freebsd_make(host, request, {"-DWORLDFAST", "SUBDIR_OVERRIDE=rescue", "everything"}),
        .stamp = stamps / (".kdev-rescue-" + arch),
        .key = inputs,
        .once = true};
    // Not among the bootstrap tools of every release, and one that expects flags in this host's struct stat.
    MakeStep makefs{
        .title = "makefs",
        .command = freebsd_make(
            host, request,
            {"LOCAL_BSTOOL_DIRS=usr.sbin/makefs", "CFLAGS.gcc=-UHAVE_STRUCT_STAT_ST_FLAGS -Wno-error",
             "CFLAGS.clang=-UHAVE_STRUCT_STAT_ST_FLAGS -Wno-error", "_bootstrap-tools"}),
        .stamp = stamps / (".kdev-makefs-" + arch),
        .key = inputs,
        .once = true};
    std::vector<MakeStep> steps = {std::move(libraries), std::move(rescue), std::move(makefs)};
    if (freebsd_builds_loaders(host, request)) steps.push_back(freebsd_make_loaders(host, request, inputs));
    return steps;
  }

  Path sysroot(const MakeRequest& request) const override { return obj_top(request) / "tmp"; }

  void install(Host& host, const MakeRequest& request, const std::string&, const Path& dir,
               const RunOptions& run) const override {
    const Path made = obj_top(request) / "rescue/rescue", built_tools = sysroot(request) / "legacy/usr",
               makefs_built = built_tools / "sbin" / makefs(), mkimg_built = built_tools / "bin" / mkimg();
    for (const Path& file : {made / "rescue", made / "rescue.conf", makefs_built, mkimg_built})
      if (!host.is_file(file))
        throw HostError({.attempted = "put a FreeBSD userland together",
                         .reason = "the build left no " + file.string(),
                         .hint = "see obj/libraries.log and obj/rescue.log of the workspace",
                         .log = request.root / "obj/rescue.log"});
    const Path root = dir / "root";
    for (const char* folder :
         {"rescue", "dev", "tmp", "mnt", "root", "etc", "var/run", "var/tmp", "boot", "m"})
      host.make_directories(root / folder);
    host.set_mode(root / "tmp", 01777);
    host.set_mode(root / "var/tmp", 01777);
    host.copy_file(made / "rescue", root / "rescue/rescue");
    for (const std::string& name : crunched_names(host.read_file(made / "rescue.conf")))
      if (!host.link_status(root / "rescue" / name).exists())
        host.make_link("rescue", root / "rescue" / name);
    for (const char* folder : {"bin", "sbin"}) host.make_link("rescue", root / folder);
    host.write_file(root / "etc/passwd", "root:*:0:0:Charlie &:/root:/bin/sh\n");
    host.write_file(root / "etc/group", "wheel:*:0:root\noperator:*:5:root\n");
    host.make_directories(dir / "tools");
    host.copy_file(makefs_built, dir / "tools" / makefs());
    host.copy_file(mkimg_built, dir / "tools" / mkimg());
    if (freebsd_builds_loaders(host, request))
      freebsd_install_loaders(host, request, dir / "boot", dir / "boot.new", run);
  }

  Path makefs() const override { return "makefs"; }
  Path mkimg() const override { return "mkimg"; }  // one of the bootstrap tools
};

}  // namespace

const UserlandRules& freebsd_userland_rules() {
  static const FreebsdUserlandRules rules;
  return rules;
}

}  // namespace kdev::guest
