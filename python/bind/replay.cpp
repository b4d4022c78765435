// Recordings, and a session's ways back in time.
#include <kdev/debug_session.hpp>
#include <kdev/recording.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "debug_handle.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_replay(py::module_& m, DebugClass& debug) {
  using Self = DebugHandle&;
  debug
      .def(
          "reverse_continue",
          [](Self d, Seconds timeout) {
            return blocking([&] { return d.session().reverse_continue(timeout); });
          },
          py::kw_only(), py::arg("timeout") = 300.0,
          "In a replay: to the last breakpoint's or watchpoint's hit before now; 'no-history': there was "
          "none.")
      .def(
          "reverse_step",
          [](Self d, Seconds timeout) { return blocking([&] { return d.session().reverse_step(timeout); }); },
          py::kw_only(), py::arg("timeout") = 300.0,
          "In a replay: to the begin of the line that ran before, also one in a function that was called.")
      .def(
          "reverse_next",
          [](Self d, Seconds timeout) { return blocking([&] { return d.session().reverse_next(timeout); }); },
          py::kw_only(), py::arg("timeout") = 300.0, "The same over calls and interrupts.")
      .def(
          "reverse_finish",
          [](Self d, Seconds timeout) {
            return blocking([&] { return d.session().reverse_finish(timeout); });
          },
          py::kw_only(), py::arg("timeout") = 300.0,
          "In a replay: to the call that the innermost frame is of.")
      .def(
          "reverse_step_instruction",
          [](Self d, Seconds timeout) {
            return blocking([&] { return d.session().reverse_step_instruction(timeout); });
          },
          py::kw_only(), py::arg("timeout") = 300.0)
      .def(
          "last_write",
          [](Self d, const std::string& expression, Seconds timeout) {
            return blocking([&] { return d.session().last_write(expression, timeout); });
          },
          py::arg("expression"), py::kw_only(), py::arg("timeout") = 300.0,
          "In a replay: which instruction wrote last, before now, to the object that a C expression names (a "
          "number: "
          "the address of eight bytes), and which task. The session stands before it afterwards.")
      .def(
          "last_write",
          [](Self d, std::uint64_t address, Seconds timeout) {
            return blocking([&] { return d.session().last_write(std::to_string(address), timeout); });
          },
          py::arg("address"), py::kw_only(), py::arg("timeout") = 300.0)
      .def_property_readonly(
          "position", [](Self d) { return blocking([&] { return d.session().position(); }); },
          "Of a replay: instructions executed since the recording began.")
      .def(
          "go_to",
          [](Self d, std::uint64_t position, Seconds timeout) {
            return blocking([&] { return d.session().go_to(position, timeout); });
          },
          py::arg("position"), py::kw_only(), py::arg("timeout") = 300.0,
          "In a replay: to where so many instructions were executed.");

  Value<Recording> recording(
      m, "Recording",
      "A guest's run, from its first instruction to its end: the same runs again in every replay.");
  recording.field("file", &Recording::file, "What came into the machine from outside.")
      .field("instructions", &Recording::instructions, "Executed when it ended.")
      .field("hypervisor", &Recording::hypervisor, "Its version: no other replays it.")
      .field("machine", &Recording::machine, "What it is made of (JSON).")
      .field("kernel", &Recording::kernel)
      .field("modules", &Recording::modules, "Files of those that were added.")
      .finish({"file", "instructions", "hypervisor"});
  recording.py().def(
      "replay",
      [](const Recording& r, bool at_end, Seconds timeout, const std::optional<Path>& run_dir) {
        const ReplayOptions options{
            .at_end = at_end, .timeout = timeout, .run_dir = run_dir.value_or(Path()), .stop = {}};
        return std::make_shared<DebugHandle>(nullptr, blocking([&] { return r.replay(options); }));
      },
      py::kw_only(), py::arg("at_end") = true, py::arg("timeout") = 120.0, py::arg("run_dir") = py::none(),
      "The run again, under gdb, which goes back in time as well; it stands at the end, or before the first "
      "instruction.");

  m.attr("Bundle").cast<py::class_<Bundle>>().def(
      "recording",
      [](const Bundle& b, Timeout timeout) {
        return blocking([&] { return Recording::from_bundle(b, deadline(timeout)); });
      },
      py::kw_only(), py::arg("timeout") = py::none(),
      "The run that was recorded, to be replayed by the QEMU that recorded it: that boots the kernel that is "
      "in the "
      "bundle, in a machine without disks and network.");

  m.attr("VM").cast<py::class_<VmHandle, std::shared_ptr<VmHandle>>>().def(
      "recording", [](VmHandle& v) { return blocking([&] { return v.vm().recording(); }); },
      "What a VM with record=True recorded, from start() to now or to the crash. A machine that still "
      "runs ends "
      "with it.");
}

}  // namespace kdev::python
