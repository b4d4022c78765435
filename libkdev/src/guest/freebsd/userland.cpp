// FreeBSD's own programs: the libraries and /rescue, one static program of many names (rescue/README of the
// tree); or all of them, by buildworld and installworld.
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

constexpr const char* world = "world";

class FreebsdUserlandRules final : public UserlandRules {
 public:
  std::vector<std::string> kinds() const override { return {"rescue", world}; }

  bool matters(std::string_view path) const override {
    // Of the kernel's sources the headers are the libraries' too.
    return !path.starts_with("sys/") || path.ends_with(".h") || freebsd_loader_source(path);
  }

  std::vector<MakeStep> make(Host& host, const MakeRequest& request, const std::string& kind) const override {
    require_freebsd_cross_build(host, request.source);
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
    // All that src.conf(5) does not leave out: loaders and rescue are parts of it.
    if (kind == world)
      return {MakeStep{.title = world,
                       .command = freebsd_make(host, request, {"buildworld"}),
                       .stamp = stamps / (".kdev-world-" + arch),
                       .key = inputs + "\n" + request.digest(freebsd_loader_source),
                       .once = true},
              std::move(steps[2])};
    return steps;
  }

  Path sysroot(const MakeRequest& request) const override { return obj_top(request) / "tmp"; }

  void install(Host& host, const MakeRequest& request, const std::string& kind, const Path& dir,
               const RunOptions& run) const override {
    const Path built = sysroot(request) / "legacy/usr";
    if (kind == world)
      install_world(host, request, dir, run);
    else
      install_rescue(host, request, dir / "root");
    host.make_directories(dir / "tools");
    for (const auto& [from, name] : {std::pair(built / "sbin", makefs()), {built / "bin", mkimg()}}) {
      require(host, request, from / name, kind);
      host.copy_file(from / name, dir / "tools" / name);
    }
    if (freebsd_builds_loaders(host, request))
      freebsd_install_loaders(host, request, dir / "boot", dir / "boot.new", run);
  }

  Path makefs() const override { return "makefs"; }
  Path mkimg() const override { return "mkimg"; }  // one of the bootstrap tools

 private:
  static void require(Host& host, const MakeRequest& request, const Path& file, const std::string& kind) {
    if (host.is_file(file)) return;
    throw HostError({.attempted = "put a FreeBSD userland together",
                     .reason = "the build left no " + file.string(),
                     .hint = "see the logs in obj/ of the workspace",
                     .log = request.root / "obj" / (kind + ".log")});
  }

  static void install_rescue(Host& host, const MakeRequest& request, const Path& root) {
    const Path made = obj_top(request) / "rescue/rescue";
    for (const char* name : {"rescue", "rescue.conf"}) require(host, request, made / name, "rescue");
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
  }

  /// Without root's rights: owners and modes go into METALOG (build(7), NO_ROOT).
  static void install_world(Host& host, const MakeRequest& request, const Path& dir, const RunOptions& run) {
    const Path root = dir / "root", metalog = dir / "METALOG";
    host.make_directories(root);
    for (const std::string target : {"installworld", "distribution"})
      host.check(
          "run " + target,
          freebsd_make(host, request,
                       {"DESTDIR=" + root.string(), "-DNO_ROOT", "METALOG=" + metalog.string(), target},
                       target == "installworld"),
          run);
    // The agent and modules come to it.
    host.make_directories(root / "m");
    host.write_file(metalog, host.read_file(metalog) +
                                 "./init type=file uname=root gname=wheel mode=0755\n"
                                 "./m type=dir uname=root gname=wheel mode=0755\n");
  }
};

}  // namespace

const UserlandRules& freebsd_userland_rules() {
  static const FreebsdUserlandRules rules;
  return rules;
}

}  // namespace kdev::guest
