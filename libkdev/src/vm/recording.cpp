// A guest's recorded run: made when its machine ends, and replayed.
#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/recording.hpp>

#include "common/json.hpp"
#include "guest/guest.hpp"
#include "vm/replay_machine.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

constexpr Seconds machine_call{3};
constexpr std::int64_t json_version = 1;

/// In a file that goes with the VM's folder, under a name that stays.
Path kept(const Path& file, const Path& vm_folder, const std::string& as) {
  if (file.empty() || file.parent_path() != vm_folder) return file;
  const Path copy(as);
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
  return copy;
}

}  // namespace

void VM::State::check_recordable(const std::string& attempted) const {
  if (!spec.record) return;
  std::string reason;
  if (spec.cpus != 1) reason = fmt::format("{} CPUs: the order in which they run is not recorded", spec.cpus);
  if (spec.accel == Accel::kvm) reason = "KVM does not record: instructions are counted under TCG";
  if (!spec.disks.empty() || boots_disk())
    reason = "it has disks, and their content changes beside the recording";
  if (!reason.empty())
    throw ConfigError({.attempted = attempted + " and record it", .reason = reason, .hint = "", .log = {}});
}

std::optional<std::uint64_t> VM::State::stop_tape(vm::Session& ending) noexcept {
  if (!spec.record || ending.status().gone) return std::nullopt;
  try {
    const Deadline deadline = Deadline::after(machine_call);
    ending.machine().pause(deadline);
    return ending.machine().position(deadline);
  } catch (const std::exception&) {
    return std::nullopt;  // it ended by itself: nobody knows where
  }
}

void VM::State::keep_recording(std::uint64_t instructions) noexcept {
  try {
    Recording made;
    made.file = dir->tape();
    // Behind the last one the tape has the machine's end: a replay that stands there ends as well.
    made.instructions = std::max<std::uint64_t>(instructions, 1) - 1;
    made.hypervisor = hypervisor::all_hypervisors().front()->version(Deadline::after(machine_call));
    hypervisor::MachineSpec machine = taped;
    machine.plan.kernel = kept(machine.plan.kernel, dir->path(), made.file.string() + ".kernel");
    machine.plan.initrd = kept(machine.plan.initrd, dir->path(), made.file.string() + ".initrd");
    made.machine = vm::describe_machine(machine);
    std::lock_guard lock(mutex);
    made.kernel = kernel;
    for (const ModuleArtifact& module : spec.modules) made.modules.push_back(module.ko);
    recorded = std::make_shared<const Recording>(std::move(made));
  } catch (const std::exception&) {
    // recording() says that there is none.
  }
}

Recording VM::recording(std::stop_token stop) {
  State& s = *state_;
  const std::string attempted = fmt::format("take the recording of VM '{}'", s.spec.name);
  if (!s.spec.record)
    throw ConfigError({.attempted = attempted,
                       .reason = "it was not recorded",
                       .hint = "set VmSpec::record (record=True)",
                       .log = {}});
  if (s.current()) {
    s.in_turn(attempted, stop, [&](const std::stop_token& either) {
      s.stop_machine(Deadline::after(s.spec.timeouts.close, either));
      s.set_state(VmState::stopped, "its recording was taken");
    });
    s.events->deliver();
  }
  std::lock_guard lock(s.mutex);
  if (!s.recorded)
    throw GuestError({.attempted = attempted,
                      .reason = "it was not started, or its machine ended by itself: where, nobody knows",
                      .hint = "a guest that crashes, hangs or runs can be replayed, not one that powers off",
                      .log = s.console ? s.console->file() : Path()});
  return *s.recorded;
}

DebugSession Recording::replay(const ReplayOptions& options) const {
  const std::string attempted = "replay " + file.string();
  const Deadline deadline = Deadline::after(options.timeout, options.stop);
  const std::string here = hypervisor::all_hypervisors().front()->version(deadline);
  if (here != hypervisor)
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} recorded it, and here is {}", hypervisor, here),
                       .hint = "KDEV_QEMU names another program",
                       .log = {}});
  const hypervisor::MachineSpec made_of = vm::machine_from(machine);
  for (const Path& needed : {file, made_of.plan.kernel, made_of.plan.initrd})
    if (!needed.empty() && !fs::exists(needed))
      throw ConfigError({.attempted = attempted,
                         .reason = needed.string() + " does not exist any more",
                         .hint = "",
                         .log = {}});
  const auto played = std::make_shared<vm::ReplayMachine>(*this, options);
  const guest::Guest& guest = guest::guest_for(kernel.os);
  auto target = std::make_unique<debug::Target>();
  target->name = fmt::format("the replay of VM '{}'", made_of.name);
  target->symbols = kernel.vmlinux;
  target->source = kernel.source;
  target->modules = debug::module_files(kernel, modules);
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->stub = std::string("./") + hypervisor::stub_socket;
  target->options = {.cwd = played->dir().path(),
                     .log = Path(played->dir().console_log().string() + ".gdb.log"),
                     .lease = played->dir().lease().token(),
                     .on_start = [played](int pid, unsigned long long start) {
                       played->dir().lease().add_process(pid, start);
                     }};
  target->travel = played;
  target->crashed = [] { return true; };  // its machine ends: it is not to run on
  target->closed = [played] { played->end(); };
  // At the end the kernel can be found: before the first instruction there is none.
  played->rewind(deadline);
  played->play_to(instructions, deadline);
  played->open_stub(deadline);
  DebugSession session(std::move(target), deadline);
  if (!options.at_end) session.go_to(0, deadline.remaining());
  return session;
}

std::string Recording::to_json() const {
  json::array files;
  for (const Path& module : modules) files.emplace_back(module.string());
  return json::dump(json::object{{"version", json_version},
                                 {"file", file.string()},
                                 {"instructions", instructions},
                                 {"hypervisor", hypervisor},
                                 {"machine", machine},
                                 {"kernel", kernel.to_json()},
                                 {"modules", files}});
}

Recording Recording::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "a recording");
  if (json::get_int(o, "version") != json_version)
    throw FormatError(
        {.attempted = "read a recording", .reason = "another version wrote it", .hint = "", .log = {}});
  Recording r;
  r.file = json::get_path(o, "file");
  const std::int64_t instructions = json::get_int(o, "instructions");
  r.instructions = static_cast<std::uint64_t>(std::max<std::int64_t>(instructions, 0));
  r.hypervisor = json::get_string(o, "hypervisor");
  r.machine = json::get_string(o, "machine");
  r.kernel = KernelArtifact::from_json(json::get_string(o, "kernel"));
  for (const std::string& module : json::get_strings(o, "modules")) r.modules.emplace_back(module);
  return r;
}

}  // namespace kdev
