#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <string>
#include <vector>

#include "host/proc.hpp"

namespace kdev::test {

inline ProcessResult sh(const std::string& script, const RunOptions& options = {}) {
  return local_host()->run({.argv = {"sh", "-c", script}}, options);
}

/// Marks processes through their environment, to find out later whether any is left.
struct Mark {
  std::string value =
      fmt::format("{}-{}", ::getpid(), ::testing::UnitTest::GetInstance()->current_test_info()->name());
  Command command(std::vector<std::string> argv) const {
    return {.argv = std::move(argv), .env = {{"TEST_MARK", value}}};
  }
  std::vector<int> left() const { return processes_with_environment("TEST_MARK", value); }
};

template <class E, class F>
E expect_throw(F f) {
  try {
    f();
  } catch (const E& e) {
    return e;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another exception: " << e.what();
  }
  ADD_FAILURE() << "no exception";
  return E(ErrorInfo{});
}

}  // namespace kdev::test
