#include "unit/agent/agent_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace kdev::test {

AgentClient::AgentClient(const std::string& program, const std::vector<std::string>& arguments) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const std::string number = "9";
  std::vector<const char*> argv{program.c_str(), "--fd", number.c_str()};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], 9);
    ::close_range(3, 8, 0);
    ::close_range(10, ~0u, 0);
    ::execv(program.c_str(), const_cast<char* const*>(argv.data()));
    ::_exit(126);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

AgentClient::~AgentClient() {
  if (fd_ >= 0) close_and_wait();
}

int AgentClient::close_and_wait() {
  ::close(fd_);
  fd_ = -1;
  int status = 0;
  for (int i = 0; i < 2000; ++i) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    ::usleep(10000);
  }
  ADD_FAILURE() << "the agent did not end with its channel";
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  return -SIGKILL;
}

void AgentClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      ADD_FAILURE() << "the agent is gone: " << std::strerror(errno);
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool AgentClient::send_some(std::string_view bytes) {
  for (int tries = 0; !bytes.empty() && tries < 50; ++tries) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    if (n < 0) ::usleep(1000);
  }
  return bytes.empty();
}

void AgentClient::send(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  const kdev_frame header{KDEV_FRAME_MAGIC, static_cast<std::uint32_t>(payload.size()), type, id};
  send_raw(bytes_of(header) + std::string(payload));
}

bool AgentClient::readable(int timeout_ms) {
  pollfd p{fd_, POLLIN, 0};
  return !buffer_.empty() || ::poll(&p, 1, timeout_ms) > 0;
}

bool AgentClient::fill() {
  pollfd p{fd_, POLLIN, 0};
  if (::poll(&p, 1, 20000) <= 0) {
    ADD_FAILURE() << "no frame within 20 s";
    return false;
  }
  char block[1 << 16];
  const ssize_t n = ::recv(fd_, block, sizeof block, 0);
  if (n <= 0) {
    ADD_FAILURE() << "the agent closed the channel";
    return false;
  }
  buffer_.append(block, static_cast<std::size_t>(n));
  return true;
}

Frame AgentClient::receive() {
  while (buffer_.size() < sizeof(kdev_frame))
    if (!fill()) return {};
  const auto header = read_as<kdev_frame>(buffer_);
  EXPECT_EQ(header.magic, KDEV_FRAME_MAGIC);
  EXPECT_LE(header.length, KDEV_MAX_PAYLOAD);
  while (buffer_.size() < sizeof header + header.length)
    if (!fill()) return {};
  Frame f{header.type, header.id, buffer_.substr(sizeof header, header.length)};
  buffer_.erase(0, sizeof header + header.length);
  return f;
}

std::map<std::string, std::string> AgentClient::hello(std::uint32_t flags) {
  const std::uint32_t request[2] = {KDEV_PROTOCOL_VERSION, flags};
  send(KDEV_HELLO, 0, {reinterpret_cast<const char*>(request), sizeof request});
  Frame f = receive();
  while (f.type && f.type != KDEV_HELLO) f = receive();
  EXPECT_EQ(read_as<std::uint32_t>(f.payload), KDEV_PROTOCOL_VERSION);
  std::map<std::string, std::string> facts;
  for (std::size_t at = 4; at < f.payload.size();) {
    const std::string text = f.payload.c_str() + at;
    const std::size_t equals = text.find('=');
    facts[text.substr(0, equals)] = text.substr(equals + 1);
    at += text.size() + 1;
  }
  return facts;
}

std::string exec_payload(const Exec& exec) {
  kdev_exec request{static_cast<std::uint32_t>(exec.argv.size()), static_cast<std::uint32_t>(exec.env.size()),
                    exec.feed ? KDEV_EXEC_STDIN : 0, 0};
  std::string payload = bytes_of(request);
  payload.append(exec.cwd.c_str(), exec.cwd.size() + 1);
  for (const auto* strings : {&exec.argv, &exec.env})
    for (const std::string& s : *strings) payload.append(s.c_str(), s.size() + 1);
  return payload;
}

void AgentClient::start(std::uint32_t id, const Exec& exec) {
  send(KDEV_EXEC, id, exec_payload(exec));
}

Ended AgentClient::finish(std::uint32_t id) {
  Ended e;
  std::vector<Frame> mine;
  mine.swap(others[id]);
  for (std::size_t i = 0;; ++i) {
    const Frame f = i < mine.size() ? mine[i] : receive();
    if (!f.type) return e;
    if (f.id != id) {
      others[f.id].push_back(f);
      continue;
    }
    if (f.type == KDEV_OUT) e.out += f.payload;
    if (f.type == KDEV_ERR) e.err += f.payload;
    if (f.type == KDEV_EXIT) {
      e.exit = read_as<kdev_exit>(f.payload);
      return e;
    }
    if (f.type == KDEV_ERROR) {
      e.error = {static_cast<int>(read_as<std::uint32_t>(f.payload)), f.payload.substr(4)};
      return e;
    }
  }
}

Ended AgentClient::run(const Exec& exec) {
  const std::uint32_t id = next_id++;
  start(id, exec);
  return finish(id);
}

int AgentClient::put(const std::string& path, std::string_view content, unsigned mode) {
  const std::uint32_t id = next_id++;
  const kdev_put request{mode, 0, content.size()};
  send(KDEV_PUT, id, bytes_of(request) + path);
  for (std::size_t at = 0; at < content.size(); at += KDEV_MAX_PAYLOAD)
    send(KDEV_DATA, id, content.substr(at, KDEV_MAX_PAYLOAD));
  send(KDEV_DATA_END, id);
  const Frame f = receive();
  EXPECT_EQ(f.id, id);
  if (f.type == KDEV_DONE) return 0;
  EXPECT_EQ(f.type, KDEV_ERROR);
  return static_cast<int>(read_as<std::uint32_t>(f.payload));
}

std::pair<std::optional<std::string>, int> AgentClient::get(const std::string& path, kdev_meta* meta) {
  const std::uint32_t id = next_id++;
  send(KDEV_GET, id, path);
  std::string content;
  for (bool first = true;; first = false) {
    const Frame f = receive();
    if (!f.type) return {};
    if (f.type == KDEV_ERROR) return {std::nullopt, static_cast<int>(read_as<std::uint32_t>(f.payload))};
    EXPECT_EQ(f.type == KDEV_META, first);
    if (f.type == KDEV_META && meta) *meta = read_as<kdev_meta>(f.payload);
    if (f.type == KDEV_DATA) content += f.payload;
    if (f.type == KDEV_DATA_END) return {content, 0};
  }
}

int AgentClient::mkdir(const std::string& path, unsigned mode) {
  const std::uint32_t id = next_id++;
  const std::uint32_t m = mode;
  send(KDEV_MKDIR, id, bytes_of(m) + path);
  const Frame f = receive();
  if (f.type == KDEV_DONE) return 0;
  EXPECT_EQ(f.type, KDEV_ERROR);
  return static_cast<int>(read_as<std::uint32_t>(f.payload));
}

}  // namespace kdev::test
