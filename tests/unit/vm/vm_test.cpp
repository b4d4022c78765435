#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <kdev/error.hpp>
#include <kdev/vm.hpp>

#include "vm/event_queue.hpp"

using namespace kdev;

namespace {

TEST(Vm, ClosingTellsSoAtOnceAndTheDestructorTellsNothing) {
  std::vector<Event> seen;
  const EventSink sink = [&](const Event& e) { seen.push_back(e); };
  {
    VM vm({.name = "vm0"}, sink);
    vm.close();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(std::get<VmStateChanged>(seen[0]), (VmStateChanged{"vm0", "defined", "stopped", "closed"}));
    vm.close();
  }
  { const VM dropped({.name = "vm1"}, sink); }
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Vm, ASinkThatThrowsDoesNotKeepItFromClosing) {
  VM vm({.name = "vm0"}, [](const Event&) { throw std::runtime_error("sink"); });
  vm.close();
  EXPECT_EQ(vm.state(), VmState::stopped);
}

TEST(Vm, ASinkMayCloseIt) {
  VM* self = nullptr;
  int events = 0;
  VM vm({.name = "vm0"}, [&](const Event&) {
    ++events;
    self->close();
  });
  self = &vm;
  vm.close();
  EXPECT_EQ(events, 1);
}

TEST(EventQueue, ASinkThatDeliversIsNotCalledAgain) {
  vm::EventQueue* self = nullptr;
  std::vector<std::string> seen;
  int depth = 0;
  vm::EventQueue queue([&](const Event& e) {
    EXPECT_EQ(++depth, 1);
    self->deliver();
    seen.push_back(std::get<Notice>(e).text);
    --depth;
  });
  self = &queue;
  queue.push(Notice{"one"});
  queue.push(Notice{"two"});
  queue.deliver();
  EXPECT_THAT(seen, ::testing::ElementsAre("one", "two"));
}

TEST(EventQueue, GoesOnAfterASinkThatThrew) {
  int calls = 0;
  vm::EventQueue queue([&](const Event&) {
    if (++calls == 1) throw std::runtime_error("sink");
  });
  queue.push(Notice{"one"});
  queue.push(Notice{"two"});
  EXPECT_THROW(queue.deliver(), std::runtime_error);
  queue.deliver();
  EXPECT_EQ(calls, 2);
}

}  // namespace
