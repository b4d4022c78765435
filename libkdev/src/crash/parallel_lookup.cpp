#include "crash/parallel_lookup.hpp"

#include <atomic>
#include <cerrno>
#include <future>
#include <kdev/deadline.hpp>

#include "common/system_error.hpp"
#include "crash/dwarf_lookup.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t between_checks = 64;  // addresses; about 10 ms of units that were not read yet

struct DwarfEnd {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

}  // namespace

struct ParallelLookup::Worker {
  Worker(ElfFile own, const std::vector<DwarfRange>& units)
      : file(std::move(own)),
        dwarf(dwarf_begin_elf(file.handle(), DWARF_C_READ, nullptr)),
        lookup(dwarf.get(), &units) {
    if (!dwarf) throw host_error("read " + file.path().string() + " once more", errno);
  }
  ElfFile file;
  std::unique_ptr<Dwarf, DwarfEnd> dwarf;
  DwarfLookup lookup;
  std::vector<std::size_t> mine;  // numbers of addresses
};

ParallelLookup::ParallelLookup(const ElfFile& file, const std::vector<DwarfRange>& units, unsigned threads)
    : units_(units) {
  for (unsigned i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>(file.another(), units));
}

ParallelLookup::~ParallelLookup() = default;

std::vector<std::vector<SourceStep>> ParallelLookup::expand(const std::vector<Dwarf_Addr>& addresses) {
  for (auto& worker : workers_) worker->mine.clear();
  for (std::size_t i = 0; i < addresses.size(); ++i)
    if (const DwarfRange* unit = find_range(units_, addresses[i]))
      workers_[(unit->die * 0x9e3779b97f4a7c15ull >> 32) % workers_.size()]->mine.push_back(i);

  std::vector<std::vector<SourceStep>> found(addresses.size());
  std::atomic<bool> stop{false};
  const auto work = [&](Worker& worker, bool callers) {
    for (std::size_t n = 0; n < worker.mine.size() && !stop; ++n) {
      if (callers && n % between_checks == 0) Deadline().check_interrupt("look addresses up");
      found[worker.mine[n]] = worker.lookup.expand(addresses[worker.mine[n]]);
    }
  };
  std::vector<std::future<void>> others;
  try {
    for (std::size_t i = 1; i < workers_.size(); ++i)
      others.push_back(std::async(std::launch::async, [&, i] { work(*workers_[i], false); }));
    work(*workers_[0], true);
  } catch (...) {
    stop = true;  // the futures' destructors wait
    throw;
  }
  for (auto& other : others) other.get();
  return found;
}

}  // namespace kdev::crash
