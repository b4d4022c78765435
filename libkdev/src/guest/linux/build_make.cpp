#include "guest/linux/build_make.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace kdev::guest {
namespace {

/// Variables that Kbuild, make or GCC read from the environment: what is asked for stands in the KernConf
/// alone.
bool leaks_into_build(std::string_view name) {
  constexpr std::array prefixes = {"KBUILD_", "KCONFIG_", "INSTALL_", "CFLAGS_", "AFLAGS_", "LDFLAGS_"};
  constexpr std::array names = {"ARCH",
                                "CROSS_COMPILE",
                                "LLVM",
                                "LLVM_IAS",
                                "CC",
                                "HOSTCC",
                                "LD",
                                "KCFLAGS",
                                "KAFLAGS",
                                "KCPPFLAGS",
                                "KRUSTFLAGS",
                                "KCFLAGS_KERNEL",
                                "CPPFLAGS",
                                "CFLAGS",
                                "HOSTCFLAGS",
                                "HOSTLDFLAGS",
                                "USERCFLAGS",
                                "USERLDFLAGS",
                                "LOCALVERSION",
                                "MAKEFLAGS",
                                "MFLAGS",
                                "GNUMAKEFLAGS",
                                "MAKELEVEL",
                                "MAKEOVERRIDES",
                                "MAKEFILES",
                                "W",
                                "V",
                                "C",
                                "CF",
                                "M",
                                "O",
                                "CPATH",
                                "C_INCLUDE_PATH",
                                "GCC_EXEC_PREFIX",
                                "COMPILER_PATH",
                                "LIBRARY_PATH",
                                "SOURCE_DATE_EPOCH",
                                "CCACHE_PREFIX",
                                "CCACHE_DISABLE",
                                "CCACHE_RECACHE",
                                "srctree",
                                "objtree",
                                "GREP_OPTIONS",
                                "CDPATH"};
  for (const char* prefix : prefixes)
    if (name.starts_with(prefix)) return true;
  for (const char* known : names)
    if (name == known) return true;
  return false;
}

}  // namespace

std::string linux_arch(const Variables& variables) {
  if (const auto arch = variables.find("ARCH"); arch != variables.end()) return arch->second;
  utsname name{};
  uname(&name);
  return name.machine;
}

std::string linux_tool(const std::string& variable, const Variables& variables) {
  if (const auto own = variables.find(variable); own != variables.end())
    return own->second.substr(0, own->second.find(' '));
  // The same table as the top Makefile's: "Make variables (CC, etc...)".
  static const std::map<std::string, std::pair<std::string, std::string>> programs = {
      {"CC", {"gcc", "clang"}},
      {"LD", {"ld", "ld.lld"}},
      {"AR", {"ar", "llvm-ar"}},
      {"NM", {"nm", "llvm-nm"}},
      {"OBJCOPY", {"objcopy", "llvm-objcopy"}},
      {"STRIP", {"strip", "llvm-strip"}},
      {"HOSTCC", {"gcc", "clang"}}};
  const auto& [gnu, llvm] = programs.at(variable);
  const auto value = [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
  if (const std::string use = value("LLVM"); !use.empty()) {
    if (use.starts_with('-')) return llvm + use;  // LLVM=-15: a version suffix
    if (use.back() == '/') return use + llvm;     // LLVM=/path/to/bin/
    return llvm;
  }
  return variable == "HOSTCC" ? gnu : value("CROSS_COMPILE") + gnu;
}

Command linux_make(const MakeRequest& request) {
  Command command;
  command.argv = {"make",
                  "-C",
                  request.source.string(),
                  "O=" + request.obj.string(),
                  fmt::format("-j{}", request.jobs),
                  "--no-print-directory"};
  Variables variables = request.variables;
  // DW_AT_comp_dir names the tree and not the output folder: the same source built into two folders is then
  // the same object, which lets ccache serve one from the other. Everything but generated files is named by
  // absolute path.
  const std::string map =
      fmt::format("-fdebug-prefix-map={}={}", request.obj.string(), request.source.string());
  for (const char* flags : {"KCFLAGS", "KAFLAGS"}) {
    std::string& own = variables[flags];
    own = own.empty() ? map : own + " " + map;
  }
  // An empty LOCALVERSION keeps setlocalversion from appending "+" for a tree between two tags.
  variables.try_emplace("LOCALVERSION", "");
  if (!request.ccache.empty())
    for (const char* compiler : {"CC", "HOSTCC"}) {
      const auto own = variables.find(compiler);
      const std::string program =
          own != variables.end() ? own->second : linux_tool(compiler, request.variables);
      if (program.find("ccache") == program.npos)
        variables[compiler] = request.ccache.string() + " " + program;
    }
  for (const auto& [name, value] : variables) command.argv.push_back(name + "=" + value);
  command.argv.insert(command.argv.end(), request.targets.begin(), request.targets.end());

  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view name(*entry, std::strcspn(*entry, "="));
    if (leaks_into_build(name)) command.unset_env.emplace_back(name);
  }
  command.env = {{"LC_ALL", "C"},
                 {"KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 1970"},
                 {"KBUILD_BUILD_USER", "kdev"},
                 {"KBUILD_BUILD_HOST", "kdev"},
                 {"KBUILD_BUILD_VERSION", "1"}};
  if (!request.ccache.empty() && !request.toolchain_id.empty())
    command.env["CCACHE_COMPILERCHECK"] = "string:" + request.toolchain_id;
  return command;
}

}  // namespace kdev::guest
