// What a crash's bundle has of the VM that it happened in.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>

#include "vm/state.hpp"

namespace kdev {
namespace {

std::string this_host() {
  utsname name{};
  ::uname(&name);
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

}  // namespace

/// Keeps neither the VM nor its memory: those are whoever has the VM's to keep.
class vm::CrashSource final : public CrashOrigin {
 public:
  CrashSource(std::weak_ptr<VM::State> vm, std::weak_ptr<Session> boot, std::shared_ptr<ConsoleLog> console)
      : vm_(std::move(vm)), boot_(std::move(boot)), console_(std::move(console)) {}

  void save(const CrashReport& report, const Path& file, const BundleOptions& options) const override {
    const std::size_t shown = console_->size();
    CrashRecord record{.report = report,
                       .console = console_->read(shown - std::min(shown, max_bundle_console)),
                       .config = {},
                       .environment = {},
                       .commands = {}};
    const auto vm = vm_.lock();
    std::optional<Core> core;
    if (vm) {
      vm->describe(record);
      // Another boot's memory knows nothing of this crash.
      const auto boot = boot_.lock();
      if (boot && boot == vm->current() && (options.memory || options.symbols))
        core.emplace(vm->core(boot, Deadline::after(options.timeout, options.stop)));
    }
    std::function<RecordedRun()> recorded;
    if (vm && vm->spec.record && options.recording)
      recorded = [&] { return vm->recorded_run(boot_, options.stop); };
    save_bundle(file, record, core ? &*core : nullptr, options, recorded);
  }

 private:
  std::weak_ptr<VM::State> vm_;
  std::weak_ptr<Session> boot_;
  std::shared_ptr<ConsoleLog> console_;
};

std::shared_ptr<const CrashOrigin> VM::State::origin_of_crashes(const std::shared_ptr<vm::Session>& boot) {
  return std::make_shared<vm::CrashSource>(weak_from_this(), boot, console);
}

void VM::State::describe(CrashRecord& record) {
  KernelArtifact of;
  std::vector<std::string> line;
  {
    std::lock_guard lock(mutex);
    of = kernel;
    line = argv;
    record.commands.assign(history.begin(), history.end());
  }
  auto& said = record.environment;
  said = {{"host", this_host()},
          {"vm", spec.name},
          {"memory", spec.memory},
          {"cpus", std::to_string(spec.cpus)},
          {"accel", accel == Accel::kvm ? "kvm" : "tcg"},
          {"command_line", fmt::format("{}", fmt::join(line, " "))},
          {"os", to_string(of.os)},
          {"arch", of.arch},
          {"release", of.release},
          {"build_id", of.build_id}};
  if (!of.config.empty()) {
    try {
      record.config = local_host()->read_file(of.config);
    } catch (const HostError&) {
      // The artifact is no longer in the store.
    }
  }
}

}  // namespace kdev
