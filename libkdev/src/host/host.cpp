// What all hosts share: texts for people, and check().
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

namespace kdev {
namespace {

constexpr std::size_t kTailBytes = 2000;
constexpr int kTailLines = 15;

std::string quoted(const std::string& word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string result = "'";
  for (char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// The last lines, not too many bytes of them.
std::string tail(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::size_t begin = text.size();
  for (int lines = 0; begin > 0; --begin)
    if (text[begin - 1] == '\n' && ++lines == kTailLines) break;
  if (text.size() - begin > kTailBytes) begin = text.size() - kTailBytes;
  return std::string(text.substr(begin));
}

}  // namespace

std::string describe(const ExitStatus& status) {
  if (status.code) return fmt::format("exit code {}", *status.code);
  if (!status.signal) return "exit status unknown";
#ifdef __GLIBC__
  if (const char* name = ::sigabbrev_np(*status.signal))
    return fmt::format("killed by signal {} (SIG{})", *status.signal, name);
#endif
  return fmt::format("killed by signal {}", *status.signal);
}

std::string describe(const Command& command) {
  std::string text;
  const auto word = [&text](const std::string& w) { text += (text.empty() ? "" : " ") + w; };
  if (!command.env.empty() || !command.unset_env.empty()) {
    if (!command.unset_env.empty()) word("env");
    for (const std::string& name : command.unset_env) word("-u " + quoted(name));
    for (const auto& [name, value] : command.env) word(name + "=" + quoted(value));
  }
  for (const std::string& argument : command.argv) word(quoted(argument));
  if (command.cwd) text = fmt::format("(cd {} && {})", quoted(command.cwd->string()), text);
  return text;
}

HeldLock::~HeldLock() = default;
Host::~Host() = default;

std::vector<Path> Host::list(const Path& folder) {
  std::vector<Path> paths;
  for (const DirectoryEntry& entry : entries(folder)) paths.push_back(folder / entry.name);
  return paths;
}

std::vector<Path> Host::files_below(const Path& folder) {
  std::vector<Path> files, folders = {folder};
  if (!is_directory(folder)) return files;
  while (!folders.empty()) {
    const Path next = std::move(folders.back());
    folders.pop_back();
    for (const DirectoryEntry& entry : entries(next)) {
      if (entry.status.is_directory())
        folders.push_back(next / entry.name);
      else if (entry.status.is_file())
        files.push_back(next / entry.name);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

ProcessResult Host::check(const std::string& attempted, const Command& command, const RunOptions& options) {
  ProcessResult result = run(command, options);
  if (result.ok()) return result;
  std::string said = tail(result.err);
  if (said.empty()) said = tail(result.out);
  std::string reason = fmt::format("{}: {}", describe(command), describe(result.status));
  if (!said.empty()) reason += "\n" + said;
  std::string hint;
  if (!result.status.code && !result.status.signal)
    hint = "do not ignore SIGCHLD or wait for any child in a program that uses kdev";
  throw HostError({.attempted = attempted, .reason = reason, .hint = hint, .log = options.log});
}

}  // namespace kdev
