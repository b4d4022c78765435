#include "host/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"

extern char** environ;

namespace kdev {
namespace {

/// 0 when execve may run it, else an errno.
int not_executable(const Path& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) return errno;
  if (S_ISDIR(st.st_mode)) return EISDIR;
  if (!S_ISREG(st.st_mode)) return EACCES;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

template <class Visit>
void each_folder(const std::string& search, Visit visit) {
  for (std::size_t begin = 0; begin <= search.size();) {
    const std::size_t end = std::min(search.find(':', begin), search.size());
    // An empty part would mean the current directory: never wanted.
    if (end > begin && !visit(Path(search.substr(begin, end - begin)))) return;
    begin = end + 1;
  }
}

std::string search_path(const Command& command) {
  const auto own = command.env.find("PATH");
  return own != command.env.end() ? own->second + ":/usr/sbin:/sbin" : default_search_path();
}

[[noreturn]] void refuse(const std::string& program, std::string reason, std::string hint) {
  throw HostError({.attempted = "start " + (program.empty() ? "a program" : program),
                   .reason = std::move(reason),
                   .hint = std::move(hint),
                   .log = {}});
}

[[noreturn]] void refuse_file(const Path& path, int error) {
  if (error == EACCES) refuse(path.string(), "not executable", "chmod +x " + path.string());
  if (error == EISDIR) refuse(path.string(), "it is a directory", "name a program");
  if (error == ENOENT) refuse(path.string(), "not found", "check the path");
  throw host_error("start " + path.string(), error);
}

}  // namespace

std::string default_search_path() {
  const char* path = std::getenv("PATH");
  return std::string(path ? path : "/usr/local/bin:/usr/bin:/bin") + ":/usr/sbin:/sbin";
}

std::optional<Path> find_program(const std::string& name, const std::string& search) {
  std::optional<Path> found;
  if (name.empty()) return found;
  if (name.find('/') != std::string::npos) {
    if (not_executable(name) == 0) found = boost::filesystem::absolute(name);
    return found;
  }
  each_folder(search, [&](const Path& folder) {
    if (not_executable(folder / name) == 0) found = folder / name;
    return !found;
  });
  return found;
}

Path resolve_program(const Command& command) {
  if (command.argv.empty() || command.argv[0].empty())
    refuse("", "no program was named", "give an argument vector");
  const std::string& name = command.argv[0];
  for (const std::string& argument : command.argv)
    if (argument.find('\0') != std::string::npos) refuse(name, "an argument holds a NUL byte", "");
  if (name.find('/') != std::string::npos) {
    // execve comes after chdir.
    const bool elsewhere = command.cwd && Path(name).is_relative();
    const Path path = hostfs::absolute(elsewhere ? *command.cwd / name : Path(name));
    if (int error = not_executable(path)) refuse_file(path, error);
    return path;
  }
  const std::string search = search_path(command);
  if (auto found = find_program(name, search)) return hostfs::absolute(*found);
  std::optional<Path> candidate;
  each_folder(search, [&](const Path& folder) {
    if (not_executable(folder / name) == EACCES) candidate = folder / name;
    return !candidate;
  });
  if (candidate) refuse_file(*candidate, EACCES);
  refuse(name, "not found in PATH", fmt::format("install {}, or name its full path", name));
}

std::map<std::string, std::string> child_environment(const Command& command) {
  std::map<std::string, std::string> result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    if (const std::size_t equals = text.find('='); equals != std::string::npos)
      result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const std::string& name : command.unset_env) result.erase(name);
  for (const auto& [name, value] : command.env) {
    if (name.empty() || name.find_first_of(std::string("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos)
      refuse(command.argv.empty() ? "" : command.argv[0],
             fmt::format("'{}' is no environment variable", name), "");
    result[name] = value;
  }
  return result;
}

}  // namespace kdev
