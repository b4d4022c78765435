// gdb on a guest's kernel.
#include <unistd.h>

#include <kdev/debug_session.hpp>
#include <kdev/running_vm.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "handles.hpp"
#include "package.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

/// A session must not outlive its VM.
class DebugHandle {
 public:
  /// `vm`: null when it is of none.
  DebugHandle(std::shared_ptr<VmHandle> vm, DebugSession session)
      : vm_(std::move(vm)), session_(new DebugSession(std::move(session))), owner_(::getpid()) {}
  ~DebugHandle() {
    if (owner_ != ::getpid()) {
      (void)session_.release();  // a forked child's copy: gdb is the parent's
      return;
    }
    Call call;
    py::gil_scoped_release nogil;
    session_.reset();
    vm_.reset();
  }
  DebugHandle(const DebugHandle&) = delete;
  DebugHandle& operator=(const DebugHandle&) = delete;
  DebugSession& session() const {
    if (vm_) vm_->vm();
    if (owner_ != ::getpid())
      throw GuestError({.attempted = "use a debug session",
                        .reason = "it belongs to the process that this one was forked from",
                        .hint = "",
                        .log = {}});
    return *session_;
  }

 private:
  std::shared_ptr<VmHandle> vm_;
  std::unique_ptr<DebugSession> session_;
  pid_t owner_;
};

/// In a notebook and on a terminal, as kdev/debug_view.py makes it: KIND_html, KIND_text.
template <class T>
void show(Value<T>& value, const std::string& kind) {
  value.py()
      .def("_repr_html_",
           [name = kind + "_html"](const py::object& self) {
             return py::str(package("kdev.debug_view", name.c_str())(self));
           })
      .def("__rich__", [name = kind + "_text"](const py::object& self) {
        return package("kdev.debug_view", name.c_str())(self);
      });
}

void bind_values(py::module_& m) {
  Value<DebugFrame> frame(m, "DebugFrame",
                          "One frame of a live backtrace; inline functions are frames of their own.");
  frame.field("level", &DebugFrame::level)
      .field("function", &DebugFrame::function, "Empty: no symbol.")
      .field("address", &DebugFrame::address)
      .field("file", &DebugFrame::file, "Relative to the tree where it lies below it.")
      .field("line", &DebugFrame::line, "1-based; 0: unknown.")
      .field("source", &DebugFrame::source, "That line's text, without indentation.")
      .field("context", &DebugFrame::context, "The source around the line, as it is.")
      .field("context_begin", &DebugFrame::context_begin, "The number of its first line; 0: there is none.")
      .field("args", &DebugFrame::args)
      .field("locals", &DebugFrame::locals, "Where backtrace() was asked for them.")
      .field("inlined", &DebugFrame::inlined, "Into the next frame's function.");
  show<DebugFrame>(frame, "frame");
  frame.finish({"function", "file", "line", "source"});
  Value<DebugStop> stop(m, "DebugStop", "Why the kernel stopped, and where.");
  stop.field("reason", &DebugStop::reason,
             "gdb's: 'breakpoint-hit', 'signal-received', 'end-stepping-range', ...")
      .field("signal", &DebugStop::signal, "Empty: none.")
      .field("breakpoint", &DebugStop::breakpoint, "Its number; 0: none.")
      .field("thread", &DebugStop::thread, "As the stub names it.")
      .field("frame", &DebugStop::frame)
      .field("old_value", &DebugStop::old_value, "Of a watchpoint's expression.")
      .field("new_value", &DebugStop::new_value)
      .field("returned", &DebugStop::returned,
             "What a function that was finished gave back; empty: nothing.");
  show<DebugStop>(stop, "stop");
  stop.finish({"reason", "signal", "breakpoint", "thread"});
  Value<DebugBreakpoint>(m, "DebugBreakpoint", "A breakpoint that is set.")
      .field("number", &DebugBreakpoint::number)
      .field("kind", &DebugBreakpoint::kind, "gdb's: 'breakpoint', 'hw watchpoint', ...")
      .field("address", &DebugBreakpoint::address)
      .field("function", &DebugBreakpoint::function)
      .field("file", &DebugBreakpoint::file)
      .field("line", &DebugBreakpoint::line)
      .field("expression", &DebugBreakpoint::expression, "Of a watchpoint.")
      .field("pending", &DebugBreakpoint::pending, "Nothing has the place yet.")
      .field("hits", &DebugBreakpoint::hits)
      .finish();
  Value<DebugInstruction>(m, "DebugInstruction", "One instruction.")
      .field("address", &DebugInstruction::address)
      .field("function", &DebugInstruction::function)
      .field("offset", &DebugInstruction::offset, "From the function's begin.")
      .field("bytes", &DebugInstruction::bytes, "Hex.")
      .field("text", &DebugInstruction::text)
      .field("file", &DebugInstruction::file)
      .field("line", &DebugInstruction::line)
      .field("source", &DebugInstruction::source, "That line's text.")
      .finish({"address", "function", "offset", "text"});
  Value<DebugThread>(m, "DebugThread", "A thread of the kernel.")
      .field("number", &DebugThread::number, "gdb's.")
      .field("id", &DebugThread::id)
      .field("name", &DebugThread::name)
      .field("frame", &DebugThread::frame)
      .finish({"number", "id", "name"});
  Value<GdbCommand>(m, "GdbCommand", "A gdb for people to type at.")
      .field("argv", &GdbCommand::argv, "Starts it.")
      .field("script", &GdbCommand::script, "The commands that it begins with; another gdb can source them.")
      .field("symbols", &GdbCommand::symbols, "The kernel's file.")
      .finish({"argv"});
  Value<RunningVm>(m, "RunningVm", "A VM that runs, as its folder tells other processes of the same user.")
      .field("name", &RunningVm::name)
      .field("directory", &RunningVm::directory)
      .field("kernel", &RunningVm::kernel, "That it runs.")
      .field("modules", &RunningVm::modules, "Files of those that were added.")
      .finish({"name", "directory"});
  Value<DebugWrite>(m, "DebugWrite", "The last write to an object of a recorded guest.")
      .field("frame", &DebugWrite::frame, "Of the instruction that wrote.")
      .field("instruction", &DebugWrite::instruction)
      .field("backtrace", &DebugWrite::backtrace)
      .field("pid", &DebugWrite::pid, "Of the task that ran; -1: unknown.")
      .field("task", &DebugWrite::task, "Its name.")
      .field("position", &DebugWrite::position, "Instructions executed before that one.")
      .field("address", &DebugWrite::address)
      .field("size", &DebugWrite::size, "Bytes.")
      .field("before", &DebugWrite::before, "Its bytes, hex.")
      .field("after", &DebugWrite::after)
      .field("writes", &DebugWrite::writes, "That there were in all.")
      .field("changed_since", &DebugWrite::changed_since,
             "Its bytes changed again without an instruction that wrote to its address.")
      .finish({"frame", "task", "pid", "before", "after"});
  Value<DebuggerBackends>(m, "DebuggerBackends", "The debuggers that a guest's kernel can hand a stop to.")
      .field("available", &DebuggerBackends::available)
      .field("current", &DebuggerBackends::current)
      .finish();
}

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
  bind_values(m);
  py::class_<DebugHandle, std::shared_ptr<DebugHandle>> debug(
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
          "In a replay: to where so many instructions were executed.")
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
          "gdb's; None: closed.");
  debug
      .def_static(
          "core",
          [](const Core& core) {
            return std::make_shared<DebugHandle>(nullptr, blocking([&] { return DebugSession::core(core); }));
          },
          py::arg("core"),
          "gdb on a dump that is open with its kernel (kdev.open, vm.core()); its threads are the kernel's.")
      .def_static(
          "core",
          [](const Path& file, const std::optional<KernelArtifact>& kernel,
             const std::optional<Path>& vmlinux, const std::vector<Path>& modules,
             const std::optional<Path>& source, Os os) {
            SymbolSources sources{kernel, vmlinux.value_or(Path()), modules, source.value_or(Path()), {}};
            sources.os = os;
            return std::make_shared<DebugHandle>(nullptr,
                                                 blocking([&] { return DebugSession::core(file, sources); }));
          },
          py::arg("file"), py::arg("kernel") = py::none(), py::kw_only(), py::arg("vmlinux") = py::none(),
          py::arg("modules") = std::vector<Path>{}, py::arg("source") = py::none(), py::arg("os") = Os::linux,
          "gdb on a dump of any format that Core reads.")
      .def(
          "monitor",
          [](Self d, const std::string& command) {
            return blocking([&] { return d.session().monitor(command); });
          },
          py::arg("command"),
          "A command to the stub itself: QEMU's monitor behind the machine's, kdb behind Linux's own.")
      .def_static(
          "attach",
          [](const std::string& stub, const std::optional<KernelArtifact>& kernel,
             const std::optional<Path>& vmlinux, const std::vector<Path>& modules,
             const std::optional<Path>& source, Os os, int baud, Seconds timeout) {
            SymbolSources sources{kernel, vmlinux.value_or(Path()), modules, source.value_or(Path()), {}};
            sources.os = os;
            return std::make_shared<DebugHandle>(nullptr, blocking([&] {
                                                   return DebugSession::attach(stub, sources, baud,
                                                                               Deadline::after(timeout));
                                                 }));
          },
          py::arg("stub"), py::arg("kernel") = py::none(), py::kw_only(), py::arg("vmlinux") = py::none(),
          py::arg("modules") = std::vector<Path>{}, py::arg("source") = py::none(), py::arg("os") = Os::linux,
          py::arg("baud") = 115200, py::arg("timeout") = 60.0,
          "gdb on a stub: 'host:port', a serial device, a unix socket's path. Where KASLR has put the kernel "
          "is found.");

  m.def(
      "running_vms", [](const Path& run_dir) { return blocking([&] { return running_vms(run_dir); }); },
      py::arg("run_dir"), "VMs of any process of this user whose folders lie there, by name.");
  m.def(
      "debug_running",
      [](const RunningVm& vm, Seconds timeout) {
        return std::make_shared<DebugHandle>(
            nullptr, blocking([&] { return debug_running(vm, Deadline::after(timeout)); }));
      },
      py::arg("vm"), py::kw_only(), py::arg("timeout") = 60.0,
      "gdb on it, over its machine's stub, whatever process started it.");

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
          "recording", [](VmHandle& v) { return blocking([&] { return v.vm().recording(); }); },
          "What a VM with record=True recorded, from start() to now or to the crash. A machine that still "
          "runs ends "
          "with it.")
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
}

}  // namespace kdev::python
