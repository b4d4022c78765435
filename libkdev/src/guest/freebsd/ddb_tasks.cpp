#include "guest/freebsd/ddb_tasks.hpp"

#include <charconv>

namespace kdev::guest {
namespace {

// What stands behind the numbers, by columns: " %-6.6s " state, "%c%-7.7s " wait, "%18s  " channel, command.
constexpr std::size_t state_width = 8, wait_width = 9, channel_width = 20;
constexpr std::size_t numbers_width = 24;

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

/// The number that begins `row`, which goes on behind it.
std::optional<int> number(std::string_view& row) {
  row.remove_prefix(std::min(row.find_first_not_of(' '), row.size()));
  int value = 0;
  const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), value);
  if (error != std::errc()) return std::nullopt;
  row.remove_prefix(static_cast<std::size_t>(end - row.data()));
  return value;
}

void read_rest(std::string_view rest, DebuggerTask& task) {
  task.state = trimmed(rest.substr(0, state_width));
  rest.remove_prefix(std::min(rest.size(), state_width));
  task.wait = trimmed(rest.substr(0, wait_width));
  task.running = task.state == "Run" || task.wait.starts_with("CPU ");
  if (std::string_view wait = task.wait; wait.starts_with("CPU ")) {
    wait.remove_prefix(4);
    task.cpu = number(wait).value_or(-1);
    task.wait.clear();
  }
  if (task.wait == "(threade") task.wait.clear();
  rest.remove_prefix(std::min(rest.size(), wait_width + channel_width));
  task.command = trimmed(rest);
}

}  // namespace

std::vector<DebuggerTask> read_ddb_tasks(std::string_view answer) {
  std::vector<DebuggerTask> tasks;
  int pid = 0, parent = 0;
  while (!answer.empty()) {
    std::string_view row = answer.substr(0, answer.find('\n'));
    answer.remove_prefix(std::min(answer.size(), row.size() + 1));
    if (row.size() <= numbers_width) continue;
    const std::string_view whole = row;
    const auto first = number(row);
    if (!first) continue;
    DebuggerTask task;
    if (const auto second = number(row)) {
      const auto group = number(row), user = number(row);
      if (!group || !user || row.empty()) continue;
      row.remove_prefix(1);
      task.pid = pid = *first;
      task.parent = parent = *second;
    } else {
      if (tasks.empty()) continue;  // a thread of nothing
      task.tid = *first;
      task.pid = pid;
      task.parent = parent;
      row = whole.substr(numbers_width);
    }
    read_rest(row, task);
    if (!task.command.empty()) tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace kdev::guest
