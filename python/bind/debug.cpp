// gdb on a guest's kernel.
#include <kdev/debug_session.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "debug_handle.hpp"
#include "package.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

/// The instructions, and the one that the kernel stopped before.
template <class F>
Disassembly disassembly(DebugSession& session, F read) {
  std::optional<DebugStop> stop;
  const auto code = blocking([&] {
    auto found = read(session);
    stop = session.stopped();
    return found;
  });
  return Disassembly(code, stop ? stop->frame.address : 0);
}

}  // namespace

void bind_debug(py::module_& m) {
  using Self = DebugHandle&;
  bind_debug_values(m);
  DebugClass debug(
      m, "DebugSession",
      "A kernel under gdb: a context manager. The kernel is stopped, or it runs: what needs it stopped stops "
      "it for as "
      "long as that takes.");
  debug.def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](Self d, const py::args&) { blocking([&] { d.session().close(); }); })
      .def(
          "close", [](Self d) { blocking([&] { d.session().close(); }); },
          "Takes all breakpoints out, lets the kernel run, ends gdb. Idempotent.")
      .def(
          "break_at",
          [](Self d, const std::string& location, const std::string& condition, bool once, bool hardware,
             bool pending, int thread, unsigned skip) {
            return blocking([&] {
              return d.session().break_at(location, {.condition = condition,
                                                     .once = once,
                                                     .hardware = hardware,
                                                     .pending = pending,
                                                     .thread = thread,
                                                     .skip = skip});
            });
          },
          py::arg("location"), py::kw_only(), py::arg("condition") = "", py::arg("once") = false,
          py::arg("hardware") = false, py::arg("pending") = false, py::arg("thread") = 0, py::arg("skip") = 0,
          "'kern_openat', 'fs/open.c:1290', '*0xffffffff80533240'. condition: an expression in C. once: goes "
          "when it "
          "is hit. hardware: a debug register. pending: nothing has the place yet, in a module that will be "
          "loaded. "
          "thread: the only one that stops. skip: hits that do not count.")
      .def(
          "watch",
          [](Self d, const std::string& expression, const std::string& what, const std::string& condition) {
            const WatchFor kind = what == "read"     ? WatchFor::read
                                  : what == "access" ? WatchFor::access
                                                     : WatchFor::write;
            if (what != "read" && what != "access" && what != "write")
              throw py::value_error("'write', 'read' or 'access'");
            return blocking([&] { return d.session().watch(expression, kind, condition); });
          },
          py::arg("expression"), py::arg("what") = "write", py::kw_only(), py::arg("condition") = "",
          "Stops when a C expression's value is written (changed), or its memory read: 'write', 'read', "
          "'access'.")
      .def_property_readonly(
          "breakpoints", [](Self d) { return TableOf(blocking([&] { return d.session().breakpoints(); })); },
          "Those that are set, watchpoints as well.")
      .def(
          "clear", [](Self d, int breakpoint) { blocking([&] { d.session().clear(breakpoint); }); },
          py::arg("breakpoint"), "By its number.")
      .def(
          "clear", [](Self d, const DebugBreakpoint& b) { blocking([&] { d.session().clear(b.number); }); },
          py::arg("breakpoint"))
      .def_property_readonly("running", [](Self d) { return d.session().running(); })
      .def_property_readonly(
          "stopped", [](Self d) { return d.session().stopped(); }, "The last stop; None while it runs.")
      .def(
          "resume", [](Self d) { blocking([&] { d.session().resume(); }); }, "Lets the kernel run.")
      .def(
          "wait", [](Self d, Seconds timeout) { return blocking([&] { return d.session().wait(timeout); }); },
          py::kw_only(), py::arg("timeout") = 60.0,
          "Lets it run unless it has stopped meanwhile, and waits for a stop.")
      .def(
          "events",
          [](Self d, Seconds timeout) { return blocking([&] { return d.session().events(timeout); }); },
          py::kw_only(), py::arg("timeout") = 0.0,
          "What happened since the last call, in order; waits for something no longer than `timeout`. A stop "
          "that is "
          "among it is also what wait() returns next.")
      .def(
          "interrupt", [](Self d) { return blocking([&] { return d.session().interrupt(); }); },
          "Stops a running kernel, wherever it is.")
      .def(
          "step", [](Self d) { return blocking([&] { return d.session().step(); }); },
          "A source line, into calls.")
      .def(
          "next", [](Self d) { return blocking([&] { return d.session().next(); }); },
          "A source line, over calls.")
      .def(
          "finish", [](Self d) { return blocking([&] { return d.session().finish(); }); },
          "Out of the innermost frame.")
      .def(
          "step_instruction",
          [](Self d, bool over_calls) {
            return blocking([&] { return d.session().step_instruction(over_calls); });
          },
          py::kw_only(), py::arg("over_calls") = false)
      .def(
          "run_to",
          [](Self d, const std::string& location, Seconds timeout) {
            return blocking([&] { return d.session().run_to(location, timeout); });
          },
          py::arg("location"), py::kw_only(), py::arg("timeout") = 30.0, "Runs to there, or to another stop.")
      .def(
          "backtrace",
          [](Self d, int limit, int thread, bool variables) {
            return Backtrace(blocking([&] { return d.session().backtrace(limit, thread, variables); }));
          },
          py::kw_only(), py::arg("limit") = 64, py::arg("thread") = 0, py::arg("variables") = false,
          "Innermost first. thread: gdb's number; 0: the one that stopped. variables: with the local "
          "variables "
          "of each frame.")
      .def(
          "locals",
          [](Self d, int frame, int thread) {
            return TableOf(blocking([&] { return d.session().locals(frame, thread); }));
          },
          py::arg("frame") = 0, py::kw_only(), py::arg("thread") = 0)
      .def("threads", [](Self d) { return TableOf(blocking([&] { return d.session().threads(); })); })
      .def(
          "evaluate",
          [](Self d, const std::string& expression, int frame, int thread) {
            return blocking([&] { return d.session().evaluate(expression, frame, thread); });
          },
          py::arg("expression"), py::kw_only(), py::arg("frame") = 0, py::arg("thread") = 0,
          "A C expression's value, as gdb prints it. 'x = 5' changes it.")
      .def(
          "type_of",
          [](Self d, const std::string& expression, int frame, int thread) {
            return blocking([&] { return d.session().type_of(expression, frame, thread); });
          },
          py::arg("expression"), py::kw_only(), py::arg("frame") = 0, py::arg("thread") = 0)
      .def(
          "describe_type",
          [](Self d, const std::string& type) {
            return blocking([&] { return d.session().describe_type(type); });
          },
          py::arg("type"), "A type's definition, with offsets and sizes.")
      .def(
          "write_memory",
          [](Self d, std::uint64_t address, const py::bytes& data) {
            const auto bytes = static_cast<std::string>(data);
            blocking([&] { d.session().write_memory(address, bytes); });
          },
          py::arg("address"), py::arg("data"))
      .def(
          "disassemble",
          [](Self d, const std::string& location) {
            return disassembly(d.session(), [&](DebugSession& s) { return s.disassemble(location); });
          },
          py::arg("location") = "", "Of the function around a place; none: where the kernel stopped.")
      .def(
          "disassemble",
          [](Self d, std::uint64_t begin, std::uint64_t end) {
            return disassembly(d.session(), [&](DebugSession& s) { return s.disassemble(begin, end); });
          },
          py::arg("begin"), py::arg("end"), "What begins in a range of addresses.")
      .def(
          "memory",
          [](Self d, std::uint64_t address, std::size_t size) {
            return py::bytes(blocking([&] { return d.session().memory(address, size); }));
          },
          py::arg("address"), py::arg("size"))
      .def(
          "registers",
          [](Self d, int thread) { return blocking([&] { return d.session().registers(thread); }); },
          py::kw_only(), py::arg("thread") = 0)
      .def(
          "source",
          [](Self d, const std::string& location, int lines) {
            return blocking([&] { return d.session().source(location, lines); });
          },
          py::arg("location"), py::kw_only(), py::arg("lines") = 10, "Source text around a location.")
      .def(
          "load_modules", [](Self d) { return blocking([&] { return d.session().load_modules(); }); },
          "Symbols of the modules that were loaded since the last call; their names.")
      .def(
          "execute",
          [](Self d, const std::string& command) {
            return blocking([&] { return d.session().execute(command); });
          },
          py::arg("command"), "One command of gdb's own command line; what it says.")
      .def(
          "hand_over", [](Self d) { return blocking([&] { return d.session().hand_over(); }); },
          "Ends the session's own gdb and gives its place to another one, with all that it knew. What that "
          "needs stays "
          "until close().")
      .def(
          "interact",
          [](const py::object& self) { return package("kdev.gdb_launch", "interact")(self).cast<int>(); },
          "Gives the target to a gdb in this terminal until that ends; its exit code. The session is closed "
          "then.")
      .def_property_readonly(
          "slide", [](Self d) { return d.session().slide(); },
          "How far from where it was linked the kernel runs (KASLR).")
      .def_property_readonly(
          "notes", [](Self d) { return d.session().notes(); }, "What a user should know.")
      .def_property_readonly(
          "pid",
          [](Self d) -> std::optional<int> {
            const int pid = d.session().pid();
            if (pid < 0) return std::nullopt;
            return pid;
          },
          "gdb's; None: closed.")
      .def(
          "monitor",
          [](Self d, const std::string& command) {
            return blocking([&] { return d.session().monitor(command); });
          },
          py::arg("command"),
          "A command to the stub itself: QEMU's monitor behind the machine's, kdb behind Linux's own.");
  bind_debug_ways_in(m, debug);

  for (const char* name : {"ask_debugger", "ddb", "kdb"})
    debug.def(
        name,
        [](Self d, const std::string& command) {
          return blocking([&] { return d.session().ask_debugger(command); });
        },
        py::arg("command"),
        "A command to the debugger in the kernel, which takes its turn at the kernel's stub: gdb lets go of "
        "it, "
        "and has it back.");

  auto vm = m.attr("VM").cast<py::class_<VmHandle, std::shared_ptr<VmHandle>>>();
  vm.def(
        "debug",
        [](const std::shared_ptr<VmHandle>& v, const std::optional<std::string>& stub, bool wait,
           Seconds timeout) {
          DebugOptions options{.stub = DebugStub::automatic, .wait = wait, .timeout = timeout};
          if (stub == "machine" || stub == "gdbstub")
            options.stub = DebugStub::machine;
          else if (stub == "kernel" || stub == "kgdb")
            options.stub = DebugStub::kernel;
          else if (stub)
            throw py::value_error("'machine' ('gdbstub') or 'kernel' ('kgdb')");
          return std::make_shared<DebugHandle>(v, blocking([&] { return v->vm().debug(options); }));
        },
        py::kw_only(), py::arg("stub") = py::none(), py::arg("wait") = false, py::arg("timeout") = 60.0,
        "Stops the guest and connects gdb to it. stub: 'machine' ('gdbstub'), the hypervisor's; 'kernel' "
        "('kgdb'), the "
        "kernel's own, over the second serial port (debug_port=True); none: the kernel's where there is that "
        "port. wait: "
        "starts a VM that was not started, before its first instruction; start() later waits until it is "
        "ready.")
      .def(
          "debugger_backends",
          [](VmHandle& v) { return blocking([&] { return v.vm().debugger_backends(); }); },
          "The debuggers that the kernel can hand a stop to.")
      .def(
          "select_debugger",
          [](VmHandle& v, const std::string& backend) { blocking([&] { v.vm().select_debugger(backend); }); },
          py::arg("backend"))
      .def(
          "set_debugger_script",
          [](VmHandle& v, const std::string& reason, const std::vector<std::string>& commands) {
            blocking([&] { v.vm().set_debugger_script(reason, commands); });
          },
          py::arg("reason"), py::arg("commands"),
          "What the kernel's own debugger does by itself when it is entered for a reason ('panic', 'break', "
          "'sysctl', "
          "..., 'default'). No commands: nothing.");
  bind_replay(m, debug);
}

}  // namespace kdev::python
