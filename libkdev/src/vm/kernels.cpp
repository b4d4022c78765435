// install and reboot: kernels under names, and which of them comes next.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <set>

#include "vm/state.hpp"

namespace kdev {
namespace {

void check_kernel_name(const std::string& attempted, const std::string& name) {
  // It becomes part of the guest's paths and of its loader's configuration.
  static const RE2 good_name("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");
  if (!RE2::FullMatch(name, good_name))
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("\"{}\" is no name for a kernel", name),
                       .hint = "letters, digits, '-', '_' and '.', 63 at most",
                       .log = {}});
}

void check_ran(const CommandResult& result, const std::string& attempted) {
  if (result.exit_code == 0) return;  // whatever the kernel that it ran on said of itself
  throw GuestError(
      {.attempted = attempted,
       .reason = fmt::format("{}: {}", result.command, result.err.empty() ? "it failed" : result.err),
       .hint = "SeedImage.free_space() makes its disk larger",
       .log = {}});
}

/// Beside what is there, and in its place once it is whole.
void put_on_disk(VM& vm, const guest::Guest& guest, const std::string& attempted,
                 const KernelArtifact& kernel, const std::string& name, const std::stop_token& stop) {
  const std::vector<ImageEntry> entries = guest.kernel_entries(kernel, name + ".new"),
                                finally = guest.kernel_entries(kernel, name);
  const CommandOptions options{.stop = stop};
  std::set<std::string> folders;
  for (const ImageEntry& entry : entries) folders.insert(entry.path.substr(0, entry.path.rfind('/')));
  try {
    for (const std::string& folder : folders) {
      check_ran(vm.run(std::vector<std::string>{"rm", "-rf", folder}, options), attempted);
      check_ran(vm.run(std::vector<std::string>{"mkdir", "-p", folder}, options), attempted);
    }
    for (const ImageEntry& entry : entries) vm.push(entry.source, entry.path, stop);
    const std::string made = *folders.begin(),
                      place = finally.front().path.substr(0, finally.front().path.rfind('/'));
    const std::string old = place + ".old";
    check_ran(vm.run(std::vector<std::string>{"rm", "-rf", old}, options), attempted);
    if (vm.run(std::vector<std::string>{"test", "-e", place}, options).exit_code == 0)
      check_ran(vm.run(std::vector<std::string>{"mv", place, old}, options), attempted);
    check_ran(vm.run(std::vector<std::string>{"mv", made, place}, options), attempted);
    check_ran(vm.run(std::vector<std::string>{"rm", "-rf", old}, options), attempted);
    check_ran(vm.run(std::vector<std::string>{"sync"}, options), attempted);
  } catch (...) {
    try {
      if (vm.state() == VmState::ready)
        for (const std::string& folder : folders)
          vm.run(std::vector<std::string>{"rm", "-rf", folder}, options);
    } catch (const Error&) {
      // The first error is the one to tell.
    }
    throw;
  }
}

void change_file(VM& vm, const guest::FileChange& change, const std::string& attempted,
                 const std::stop_token& stop) {
  const CommandOptions options{.stop = stop};
  const bool there = vm.run(std::vector<std::string>{"test", "-e", change.path}, options).exit_code == 0;
  vm.write_file(change.path, change.change(there ? vm.read_file(change.path) : std::string()));
  check_ran(vm.run(std::vector<std::string>{"sync"}, options), attempted);
}

}  // namespace

std::map<std::string, KernelArtifact> VM::kernels() const {
  std::lock_guard lock(state_->mutex);
  return state_->kernels;
}

void VM::install(const KernelArtifact& kernel, const std::string& given, std::stop_token stop) {
  State& s = *state_;
  std::string name = given, usual, running;
  bool disk;
  {
    std::lock_guard lock(s.mutex);
    usual = s.usual;
    running = s.running;
    disk = s.boots_disk();
  }
  if (name.empty()) name = usual == "dev" ? "dev2" : "dev";
  const std::string attempted =
      fmt::format("install kernel {} in VM '{}' as {}", kernel.release, s.spec.name, name);
  check_kernel_name(attempted, name);
  if (!boost::filesystem::exists(kernel.image.empty() ? kernel.vmlinux : kernel.image))
    throw ConfigError(
        {.attempted = attempted, .reason = "its image is not there", .hint = "build it again", .log = {}});
  if (name == usual)
    throw ConfigError(
        {.attempted = attempted,
         .reason = fmt::format("{} is the one to come back to when another does not come up", name),
         .hint = "give it another name",
         .log = {}});
  if (disk && name == running)
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} is the one that runs", name),
                       .hint = "give it another name, or reboot() into another first",
                       .log = {}});
  if (disk) put_on_disk(*this, guest::guest_for(kernel.os), attempted, kernel, name, stop);
  std::lock_guard lock(s.mutex);
  s.kernels[name] = kernel;
  s.installed = name;
}

RebootResult VM::reboot(const RebootOptions& options) {
  State& s = *state_;
  const std::string attempted = fmt::format("reboot VM '{}'", s.spec.name);
  RebootResult result;
  s.in_turn(attempted, options.stop,
            [&](const std::stop_token& either) { result = s.reboot(*this, attempted, options, either); });
  return result;
}

std::string VM::State::find_kernel(const std::string& attempted, const std::string& name) const {
  if (!kernels.contains(name)) {
    std::vector<std::string> names;
    for (const auto& [known, kernel] : kernels) names.push_back(known);
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("no kernel {} is installed", name),
                       .hint = fmt::format("there is: {}", fmt::join(names, ", ")),
                       .log = {}});
  }
  return name;
}

void VM::State::boot_kernel(const std::string& name, const Deadline& deadline) {
  {
    std::lock_guard lock(mutex);
    running = name;
    kernel = kernels.at(name);
  }
  boot(deadline);
}

RebootResult VM::State::reboot(VM& vm, const std::string& attempted, const RebootOptions& options,
                               const std::stop_token& stop) {
  const auto began = Clock::now();
  std::string next, before;
  {
    std::lock_guard lock(mutex);
    if (!console || !dir)
      throw GuestError({.attempted = attempted, .reason = "it was never started", .hint = "", .log = {}});
    next = find_kernel(attempted, !options.kernel.empty() ? options.kernel
                                  : !installed.empty()    ? installed
                                                          : usual);
    before = running;
    installed.clear();
  }
  const guest::Guest& guest = guest::guest_for(kernel.os);
  RebootResult result;
  auto run = [&](const std::string& which) {
    boot_kernel(which, Deadline::after(spec.timeouts.boot, stop));
    result.kernel = kernel;
    result.name = which;
  };
  auto restart = [&] { stop_machine(Deadline::after(spec.timeouts.close, stop)); };
  auto give_up = [&] {
    end_session(spec.timeouts.close);
    {
      std::lock_guard lock(mutex);
      running = before;
      kernel = kernels.at(before);
    }
    set_state(VmState::stopped, "the reboot failed");
  };
  const bool tried = next != usual, on_disk = boots_disk();
  auto fall_back = [&](const Error& e, std::shared_ptr<const CrashReport> crash) {
    end_session(spec.timeouts.close);
    result.fell_back = true;
    result.reason = e.what();
    result.crash = std::move(crash);
    if (events->wanted())
      events->push(Notice{fmt::format("kernel {} did not come up, back to {}: {}", kernels.at(next).release,
                                      kernels.at(usual).release, e.reason())});
  };
  try {
    if (tried && on_disk) {
      if (seen_state().first != VmState::ready) {  // only a guest can tell its loader
        restart();
        run(usual);
      }
      change_file(vm, guest.select_kernel(next, true), attempted, stop);
      next_is_armed = true;
    }
    restart();
    try {
      run(next);
    } catch (const BootError& e) {
      if (!tried) throw;
      fall_back(e, e.crash());
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& e) {
      // The wrong identity, or a file that the hypervisor refuses. If it is the host's fault, the usual
      // kernel fails as well, and that error is the caller's.
      if (!tried) throw;
      fall_back(e, nullptr);
    }
    if (result.fell_back) {
      run(usual);
    } else if (tried && !options.once) {
      if (on_disk) change_file(vm, guest.select_kernel(next, false), attempted, stop);
      std::lock_guard lock(mutex);
      usual = next;
    }
  } catch (...) {
    give_up();
    throw;
  }
  result.duration = Clock::now() - began;
  return result;
}

}  // namespace kdev
