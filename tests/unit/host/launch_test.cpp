// This program's operator new watches what a child does between fork and exec: another thread may hold the
// allocator's lock at the fork, and in the child nobody gives it back.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <kdev/host.hpp>
#include <new>

namespace {

std::atomic<int> watched_parent{0};
constexpr int kAllocated = 99;

void* allocate(std::size_t size) {
  if (const int parent = watched_parent.load(); parent != 0 && ::getpid() != parent) ::_exit(kAllocated);
  if (void* p = std::malloc(size != 0 ? size : 1)) return p;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}

namespace kdev {
namespace {

struct Watched {
  Watched() { watched_parent = ::getpid(); }
  ~Watched() { watched_parent = 0; }
};

TEST(Launch, AllocatesNothingInTheChild) {
  const Watched watched;
  const ProcessResult r = local_host()->run({.argv = {"cat"}, .input = "through"});
  EXPECT_EQ(r.status.code, 0);
  EXPECT_EQ(r.out, "through");
}

TEST(Launch, TheWatchSeesAnAllocation) {
  const Watched watched;
  EXPECT_EXIT(::operator delete(::operator new(8)), testing::ExitedWithCode(kAllocated), "");
}

}  // namespace
}  // namespace kdev
