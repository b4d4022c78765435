#include <kdev/pipeline.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <kdev/error.hpp>

using namespace kdev;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

KernelArtifact no_kernel() {
  KernelArtifact kernel;
  kernel.release = "6.1.0";
  kernel.image = "/no/such/kernel";
  return kernel;
}

TEST(Pipeline, IsAValue) {
  const Pipeline base = Pipeline("p").kernel(no_kernel());
  const Pipeline longer = base.boot(SeedImage::from_entries({})).run("true").expect_crash("KASAN: *").analyze();
  EXPECT_THAT(base.stage_names(), ElementsAre("kernel"));
  EXPECT_THAT(longer.stage_names(), ElementsAre("kernel", "boot", "run", "crash", "analyze"));
}

TEST(Pipeline, AFailingStageEndsItAndTheRestIsSkipped) {
  std::vector<Event> events;
  const PipelineResult r = Pipeline("p").run("true").analyze().run([&](const Event& e) { events.push_back(e); });
  EXPECT_FALSE(r.ok);
  ASSERT_EQ(r.stages.size(), 2u);
  EXPECT_EQ(r.stages[0].outcome, "failed");
  EXPECT_THAT(r.stages[0].error, HasSubstr("no boot before it"));
  EXPECT_EQ(r.stages[1].outcome, "skipped");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(std::get<StageStarted>(events[0]).stage, "run");
  EXPECT_EQ(std::get<StageFinished>(events[1]).outcome, "failed");
  EXPECT_THAT(r.to_text(), HasSubstr("skipped"));
}

TEST(Pipeline, AStopTokenPassesThrough) {
  std::stop_source source;
  source.request_stop();
  std::vector<Event> events;
  EXPECT_THROW(Pipeline("p").kernel(no_kernel()).run([&](const Event& e) { events.push_back(e); }, source.get_token()), Interrupted);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(std::get<StageFinished>(events[1]).outcome, "interrupted");
}

TEST(Pipeline, AKernelThatIsNotThereFailsAtBoot) {
  const PipelineResult r = Pipeline("p").kernel(no_kernel()).boot(SeedImage::from_entries({})).run();
  EXPECT_FALSE(r.ok);
  EXPECT_EQ(r.stages[0].outcome, "done");
  EXPECT_THAT(r.stages[1].error, HasSubstr("/no/such/kernel"));
}

TEST(Pipeline, AnEmptyOneIsFine) {
  const PipelineResult r = Pipeline().run();
  EXPECT_TRUE(r.ok);
  EXPECT_TRUE(r.stages.empty());
}

}  // namespace
