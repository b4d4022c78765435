#pragma once
// Speaks the agent's protocol by hand, to an agent that runs here as a normal process, over a socket pair.
#include <gtest/gtest.h>
#include <protocol.h>

#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::test {

struct Frame {
  std::uint32_t type = 0, id = 0;
  std::string payload;
};

struct Ended {
  std::optional<kdev_exit> exit;
  std::optional<std::pair<int, std::string>> error;  ///< errno and text
  std::string out, err;
};

struct Exec {
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string cwd;
  bool feed = false;
};

template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <typename T>
T read_as(std::string_view bytes) {
  T value{};
  EXPECT_GE(bytes.size(), sizeof value);
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

class AgentClient {
 public:
  explicit AgentClient(const std::string& program, const std::vector<std::string>& arguments = {});
  ~AgentClient();

  void send(std::uint32_t type, std::uint32_t id, std::string_view payload = {});
  void send_raw(std::string_view bytes);
  /// Sends what goes out without waiting; false when not all did.
  bool send_some(std::string_view bytes);
  /// The next frame; fails the test and gives an empty one when none comes within 20 s or the agent is gone.
  Frame receive();
  /// True when a frame (or the end) is there within the time.
  bool readable(int timeout_ms);
  std::map<std::string, std::string> hello(std::uint32_t flags = KDEV_HELLO_RESET);
  void start(std::uint32_t id, const Exec& exec);
  /// Until the job's EXIT or ERROR; frames of others are kept by id in `others`.
  Ended finish(std::uint32_t id);
  Ended run(const Exec& exec);
  Ended run(const std::vector<std::string>& argv) { return run(Exec{.argv = argv, .env = {}, .cwd = {}}); }
  Ended shell(const std::string& script) { return run({"/bin/sh", "-c", script}); }
  /// errno of a PUT, 0 when it worked.
  int put(const std::string& path, std::string_view content, unsigned mode = 0644);
  /// The content, or errno.
  std::pair<std::optional<std::string>, int> get(const std::string& path, kdev_meta* meta = nullptr);
  int mkdir(const std::string& path, unsigned mode = 0755);
  /// Closes our end and waits for the agent: its exit code, or -signal.
  int close_and_wait();
  bool open() const { return fd_ >= 0; }
  int pid() const { return pid_; }

  std::map<std::uint32_t, std::vector<Frame>> others;
  std::uint32_t next_id = 100;

 private:
  bool fill();
  int fd_ = -1, pid_ = -1;
  std::string buffer_;
};

std::string exec_payload(const Exec& exec);

}  // namespace kdev::test
