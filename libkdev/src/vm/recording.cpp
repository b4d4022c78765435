// A guest's recorded run: made when its machine ends, and replayed.
#include <fmt/format.h>
#include <unistd.h>

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

/// Of this host, in bytes.
std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

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
  if (spec.debug_port) reason = "it has a debug port, whose input would not be recorded";
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

void VM::State::keep_recording(const std::shared_ptr<vm::Session>& of, std::uint64_t instructions) noexcept {
  try {
    Recording made;
    made.file = taped.tape_file;
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
    recorded_of = of;
  } catch (const std::exception&) {
    // recording() says that there is none.
  }
}

Recording VM::recording(std::stop_token stop) {
  return state_->take_recording(stop);
}

Recording VM::State::take_recording(const std::stop_token& stop) {
  const std::string attempted = fmt::format("take the recording of VM '{}'", spec.name);
  if (!spec.record)
    throw ConfigError({.attempted = attempted,
                       .reason = "it was not recorded",
                       .hint = "set VmSpec::record (record=True)",
                       .log = {}});
  if (current()) {
    in_turn(attempted, stop, [&](const std::stop_token& either) {
      stop_machine(Deadline::after(spec.timeouts.close, either));
      set_state(VmState::stopped, "its recording was taken");
    });
    events->deliver();
  }
  std::lock_guard lock(mutex);
  if (!recorded)
    throw GuestError({.attempted = attempted,
                      .reason = "it was not started, or its machine ended by itself: where, nobody knows",
                      .hint = "a guest that crashes, hangs or runs can be replayed, not one that powers off",
                      .log = console ? console->file() : Path()});
  return *recorded;
}

RecordedRun VM::State::recorded_run(const std::weak_ptr<vm::Session>& boot, const std::stop_token& stop) {
  const std::shared_ptr<vm::Session> running = boot.lock();
  if (running && running == current()) {
    const VmState now = seen_state().first;
    if (now != VmState::crashed && now != VmState::hung)
      return {
          .description = {},
          .files = {},
          .missing =
              "the guest goes on; VM::recording() ends its machine, and a bundle that is saved then has it"};
    try {
      take_recording(stop);
    } catch (const GuestError& e) {
      return {.description = {}, .files = {}, .missing = e.reason()};
    }
  }
  std::shared_ptr<const Recording> found;
  {
    std::lock_guard lock(mutex);
    if (recorded && !recorded_of.owner_before(boot) && !boot.owner_before(recorded_of)) found = recorded;
  }
  try {
    if (found) return found->for_bundle();
  } catch (const Error& e) {
    return {.description = {}, .files = {}, .missing = e.reason()};
  }
  return {.description = {}, .files = {}, .missing = "there is none of that boot any more"};
}

RecordedRun Recording::for_bundle() const {
  const hypervisor::MachineSpec made_of = vm::machine_from(machine);
  if (!made_of.extra_args.empty())
    throw ConfigError({.attempted = "put a recording into a bundle",
                       .reason = "its machine has arguments of its own for the hypervisor",
                       .hint = "VmSpec::extra_args",
                       .log = {}});
  RecordedRun run{
      .description = to_json(), .files = {{"tape", file}, {"kernel", made_of.plan.kernel}}, .missing = {}};
  if (!made_of.plan.initrd.empty()) run.files["initrd"] = made_of.plan.initrd;
  return run;
}

Recording Recording::from_bundle(const Bundle& bundle, const Deadline& deadline) {
  Recording r;
  RecordedRun run = bundle.recorded_run(r.keep, deadline);
  const auto keep = r.keep;
  r = from_json(run.description);
  r.keep = keep;
  hypervisor::MachineSpec made_of = vm::machine_from(r.machine);
  std::string reason;
  // What may be said to a hypervisor reaches all of its host.
  if (!made_of.extra_args.empty()) reason = "its machine asks for arguments of its own for the hypervisor";
  if (made_of.memory > physical_memory())
    reason = fmt::format("its machine has {} MiB of memory, more than this host", made_of.memory >> 20);
  if (!run.files.contains("tape") || !run.files.contains("kernel") ||
      made_of.plan.initrd.empty() == run.files.contains("initrd"))
    reason = "files of its machine are missing";
  if (!reason.empty())
    throw FormatError(
        {.attempted = "take the recording out of a bundle", .reason = reason, .hint = "", .log = {}});
  made_of.name = "replay";
  made_of.plan.kernel = run.files["kernel"];
  if (!made_of.plan.initrd.empty()) made_of.plan.initrd = run.files["initrd"];
  r.file = run.files["tape"];
  r.machine = vm::describe_machine(made_of);
  // Its paths are of another host.
  KernelArtifact kernel;
  kernel.os = r.kernel.os;
  kernel.arch = r.kernel.arch;
  kernel.release = r.kernel.release;
  kernel.build_id = r.kernel.build_id;
  r.modules.clear();
  if (bundle.has_symbols()) {
    const SymbolSources symbols = bundle.symbols(deadline);
    kernel.vmlinux = symbols.vmlinux;
    kernel.source = symbols.source;
    r.modules = symbols.modules;
  }
  r.kernel = kernel;
  return r;
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
  target->keep = keep;
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
