#pragma once
// What tests of the symbolizer share: the fixture's kernel, made once, and where its instructions are.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev::test {

/// "function file:line", with '\' in front of inlined ones.
inline std::vector<std::string> lines(const std::vector<StackFrame>& frames) {
  std::vector<std::string> out;
  for (const auto& f : frames) {
    std::string text = f.inlined ? "\\" : "";
    text += f.function + " " + f.file + ":" + std::to_string(f.line);
    out.push_back(text);
  }
  return out;
}

class SymbolizerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture = new Fixture; }
  static void TearDownTestSuite() {
    delete fixture;
    fixture = nullptr;
  }

  /// Offset into `function` of the first instruction whose expansion begins with `function` and `line`.
  static std::uint64_t offset_of(const Path& file, const std::string& function, const std::string& step,
                                 int line) {
    const crash::DebugInfo info(file, "test");
    for (const auto* symbol : info.named(function))
      for (std::uint64_t o = 0; o < symbol->extent; ++o) {
        const auto steps = info.expand(symbol->address + o);
        if (!steps.empty() && steps[0].function == step && steps[0].line == line) return o;
      }
    ADD_FAILURE() << function << " has no instruction of " << step << ":" << line;
    return 0;
  }
  static std::uint64_t size_of(const std::string& function, std::size_t which) {
    const crash::DebugInfo info(fixture->vmlinux(), "test");
    const auto all = info.named(function);
    EXPECT_GT(all.size(), which);
    return all.size() > which ? all[which]->extent : 0;
  }

  static inline Fixture* fixture = nullptr;
};

}  // namespace kdev::test
