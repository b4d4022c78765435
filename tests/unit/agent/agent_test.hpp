#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "unit/agent/agent_client.hpp"

namespace kdev::test {

/// Each test runs against the program that guests get and, where it is built, against the one with
/// sanitizers.
class AgentTest : public ::testing::TestWithParam<std::string> {
 protected:
  AgentTest() : agent(GetParam()) {
    char name[] = "/tmp/kdev-agent-test-XXXXXX";
    dir = ::mkdtemp(name);
  }
  ~AgentTest() override {
    if (agent.open()) {
      EXPECT_EQ(agent.close_and_wait(), 0);
    }
    std::error_code ec;
    std::filesystem::remove_all(dir, ec);
  }
  /// Files below dir, relative.
  std::vector<std::string> files() {
    std::vector<std::string> out;
    for (const auto& e : std::filesystem::recursive_directory_iterator(dir))
      out.push_back(e.path().string().substr(dir.size() + 1));
    return out;
  }

  AgentClient agent;
  std::string dir;
};

inline auto programs() {
#ifdef KDEV_AGENT_CHECKED
  return ::testing::Values(std::string(KDEV_AGENT_PROGRAM), std::string(KDEV_AGENT_CHECKED));
#else
  return ::testing::Values(std::string(KDEV_AGENT_PROGRAM));
#endif
}

inline std::string program_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.index == 0 ? "guest" : "checked";
}

}  // namespace kdev::test
