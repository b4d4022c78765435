// Debug information and source from a real debuginfod server on this machine, and from one that does not
// answer.
#include "crash/debuginfod.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <kdev/deadline.hpp>
#include <kdev/error.hpp>
#include <sstream>
#include <thread>

#include "crash/debug_info.hpp"
#include "host/program.hpp"
#include "host/unique_fd.hpp"
#include "unit/crash/symbolizer_fixture.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using test::Fixture;
using test::lines;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kernel_id = "00112233445566778899aabbccddeeff99887766";
const std::string module_id = "00112233445566778899aabbccddeeff00000002";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// A port that somebody listens on, and nobody answers at.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(0, ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)));
    EXPECT_EQ(0, ::listen(fd_.get(), 8));
    EXPECT_EQ(0, ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size));
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  bool was_asked() const {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
  }

 private:
  UniqueFd fd_;
  int port_ = 0;
};

/// The status line of an answer; empty: none.
std::string status_of(int port, const std::string& path) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return {};
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  if (::write(fd.get(), request.data(), request.size()) < 0) return {};
  char answer[64] = {};
  if (::read(fd.get(), answer, sizeof(answer) - 1) < 0) return {};
  const std::string text(answer);
  return text.substr(0, text.find('\r'));
}

/// Variables of the environment, as they were afterwards.
class Environment {
 public:
  void set(const char* name, const std::string& value) {
    const char* was = std::getenv(name);
    before_.emplace(name, was ? std::optional<std::string>(was) : std::nullopt);
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

class DebuginfodTest : public testing::Test {
 protected:
  DebuginfodTest() {
    environment_.set("DEBUGINFOD_CACHE_PATH", (fixture_.dir() / "cache").string());
    environment_.set("DEBUGINFOD_TIMEOUT", "1");
    environment_.set("DEBUGINFOD_RETRY_LIMIT", "1");
    environment_.set("DEBUGINFOD_URLS", "");
    environment_.set("XDG_CACHE_HOME", (fixture_.dir() / "xdg").string());
  }
  void SetUp() override {
    if (!crash::Debuginfod::built_in()) GTEST_SKIP() << "kdev was built without debuginfod";
  }
  void ask(const std::string& urls) { environment_.set("DEBUGINFOD_URLS", urls); }

  /// What the machine with the crash has: no debug information.
  SymbolSources stripped() const {
    SymbolSources sources;
    sources.vmlinux = fixture_.dir() / "vmlinux.bare";
    fixture_.run({"objcopy", "--strip-debug", fixture_.vmlinux().string(), sources.vmlinux.string()});
    return sources;
  }

  Fixture fixture_;
  Environment environment_;
};

/// With a server over a folder that has the fixture's files.
class DebuginfodServerTest : public DebuginfodTest {
 protected:
  void SetUp() override {
    DebuginfodTest::SetUp();
    if (IsSkipped()) return;
    if (!find_program("debuginfod", default_search_path())) GTEST_SKIP() << "debuginfod is not installed";
    module_ = served_ / "with_id.ko";
    fs::create_directories(served_);
    fs::copy_file(fixture_.vmlinux(), served_ / "vmlinux");
    fixture_.run(
        {"ld", "-r", "--build-id=0x" + module_id, "-o", module_.string(), fixture_.module().string()});
    // The port is free, or the next one is.
    for (int attempt = 0; attempt < 5 && port_ == 0; ++attempt) {
      const int port = SilentServer().port();
      server_ = local_host()->spawn(
          {.argv = {"debuginfod", "-F", "-d", ":memory:", "-p", std::to_string(port), served_.string()}});
      const auto wanted = "/buildid/" + module_id + "/debuginfo";
      for (int i = 0; i < 600 && !server_.poll() && port_ == 0; ++i) {
        if (status_of(port, wanted).ends_with("200 OK") &&
            status_of(port, "/buildid/" + kernel_id + "/debuginfo").ends_with("200 OK"))
          port_ = port;
        else
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
    ASSERT_NE(0, port_) << "debuginfod did not come up";
    ask("http://127.0.0.1:" + std::to_string(port_));
  }

  const Path served_ = fixture_.dir() / "served";
  Path module_;
  Process server_;
  int port_ = 0;
};

TEST_F(DebuginfodServerTest, DebugInformationThatVmlinuxHasNot) {
  const Symbolizer symbolizer(stripped());
  EXPECT_THAT(symbolizer.notes(), IsEmpty());
  const auto frames = symbolizer.at_symbol("open_device", 1, 0, "", false);
  EXPECT_THAT(lines(frames), ElementsAre(HasSubstr("open_device ")));
  EXPECT_GT(frames[0].line, 0);
  EXPECT_EQ(kernel_id, symbolizer.build_id());
  // The release is still that of the file that was given: the other has no data.
  CrashReport report;
  report.release = "6.1.192";
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("6.1.0-fixture")));
}

TEST_F(DebuginfodServerTest, AllByTheBuildId) {
  SymbolSources sources;
  sources.build_id = kernel_id;
  const Symbolizer symbolizer(sources);
  EXPECT_THAT(lines(symbolizer.at_symbol("close_device", 1, 0, "", false)),
              ElementsAre(HasSubstr("close_device ")));
  // And once more, by an index of it.
  const Path index = symbolizer.build_index();
  EXPECT_FALSE(index.empty());
  EXPECT_TRUE(Symbolizer(sources).indexed());
  sources.build_id = "00112233445566778899aabbccddeeff00000000";
  try {
    Symbolizer{sources};
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.reason(), HasSubstr(sources.build_id));
  }
}

TEST_F(DebuginfodServerTest, SourceText) {
  crash::Debuginfod direct(true);
  const Path file = direct.source(kernel_id, (fixture_.tree() / "drivers/kernel.c").string());
  ASSERT_FALSE(file.empty());
  std::stringstream text;
  text << std::ifstream(file.string()).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("/* line 25 */"));
  EXPECT_EQ(Path(), direct.source(kernel_id, "/no/such/file.c"));
  EXPECT_THAT(direct.notes(), IsEmpty()) << "many files have none";
  // The server reads the file where this process would: it is in the cache from here on, and no more in the
  // tree.
  fs::rename(fixture_.tree(), fixture_.dir() / "elsewhere");
  SymbolSources sources;
  sources.build_id = kernel_id;
  std::vector<std::string> shown;
  const Symbolizer symbolizer(sources);
  for (std::uint64_t offset = 0; offset < 16; ++offset)
    for (const auto& frame : symbolizer.at_symbol("open_device", offset, 0, "", false))
      shown.push_back(frame.source);
  EXPECT_THAT(shown, testing::Contains("int r = probe(p); /* line 25 */"));
}

TEST_F(DebuginfodServerTest, AModuleByTheBuildIdThatTheReportHas) {
  const crash::DebugInfo module(module_, "test");
  const auto* function = module.named("foo_crash").at(0);
  CrashReport report;
  StackFrame frame;
  frame.function = "foo_crash";
  frame.module = "with_id";
  frame.offset = 1;
  frame.size = function->extent;
  report.traces.push_back({.name = "Call Trace", .context = {}, .frames = {frame}});
  report.text = "[    1.0]  foo_crash+0x1/0x10 [with_id " + module_id + "]\n";
  SymbolSources sources = fixture_.sources();
  sources.modules.clear();
  const Symbolizer symbolizer(sources);
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ("drivers/module.c", report.frames().back().file);
  // In a text as well.
  const std::string line = " foo_crash+0x1/" +
                           ("0x" +
                            [&] {
                              std::stringstream hex;
                              hex << std::hex << function->extent;
                              return hex.str();
                            }()) +
                           " [with_id " + module_id + "]";
  EXPECT_THAT(Symbolizer(sources).decode(line), HasSubstr(" drivers/module.c:"));
}

TEST_F(DebuginfodTest, NobodyIsAskedUnlessTheyAreNamed) {
  const SilentServer server;
  SymbolSources sources = stripped();
  const auto look = [&] {
    const Symbolizer symbolizer(sources);
    CrashReport report;
    symbolizer.symbolize(report);
    symbolizer.at_symbol("do_work", 1, 0, "", false);
    EXPECT_THAT(report.notes, ElementsAre(HasSubstr("has no debug information")));
    EXPECT_FALSE(server.was_asked());
  };
  look();
  ask(server.url());
  sources.debuginfod = false;
  look();
}

TEST_F(DebuginfodTest, AServerThatDoesNotAnswerIsANote) {
  const SilentServer server;
  ask(server.url());
  const Symbolizer symbolizer(stripped());
  EXPECT_TRUE(server.was_asked());
  const auto frames = symbolizer.at_symbol("do_work", 1, 0, "", false);
  ASSERT_EQ(1u, frames.size()) << "the symbols are there";
  CrashReport report;
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("has no debug information"), HasSubstr("not asked again")));
  EXPECT_THAT(symbolizer.notes(), ElementsAre(HasSubstr(kernel_id)));
}

TEST_F(DebuginfodTest, NobodyListensIsANote) {
  ask(SilentServer().url());  // it is closed again
  EXPECT_THAT(Symbolizer(stripped()).notes(), ElementsAre(HasSubstr("Connection refused")));
}

TEST_F(DebuginfodTest, WaitingIsInterrupted) {
  environment_.set("DEBUGINFOD_TIMEOUT", "60");
  const SilentServer server;
  ask(server.url());
  const SymbolSources sources = stripped();
  set_interrupt_hook([&] { return server.was_asked(); });
  EXPECT_THROW(Symbolizer{sources}, Interrupted);
  set_interrupt_hook({});
}

}  // namespace
}  // namespace kdev
