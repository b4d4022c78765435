// gdb on a guest's kernel.
#include <kdev/debug_session.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "handles.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

/// A session must not outlive its VM.
class DebugHandle {
 public:
  DebugHandle(std::shared_ptr<VmHandle> vm, DebugSession session)
      : vm_(std::move(vm)), session_(new DebugSession(std::move(session))) {}
  ~DebugHandle() {
    if (!vm_->mine()) {
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
    vm_->vm();
    return *session_;
  }

 private:
  std::shared_ptr<VmHandle> vm_;
  std::unique_ptr<DebugSession> session_;
};

void bind_values(py::module_& m) {
  Value<DebugFrame>(m, "DebugFrame",
                    "One frame of a live backtrace; inline functions are frames of their own.")
      .field("level", &DebugFrame::level)
      .field("function", &DebugFrame::function, "Empty: no symbol.")
      .field("address", &DebugFrame::address)
      .field("file", &DebugFrame::file, "Relative to the tree where it lies below it.")
      .field("line", &DebugFrame::line, "1-based; 0: unknown.")
      .field("source", &DebugFrame::source, "That line's text, without indentation.")
      .field("args", &DebugFrame::args)
      .finish({"function", "file", "line", "source"});
  Value<DebugStop>(m, "DebugStop", "Why the kernel stopped, and where.")
      .field("reason", &DebugStop::reason,
             "gdb's: 'breakpoint-hit', 'signal-received', 'end-stepping-range', ...")
      .field("signal", &DebugStop::signal, "Empty: none.")
      .field("breakpoint", &DebugStop::breakpoint, "Its number; 0: none.")
      .field("thread", &DebugStop::thread, "As the stub names it.")
      .field("frame", &DebugStop::frame)
      .finish({"reason", "signal", "breakpoint", "thread"});
  Value<DebugBreakpoint>(m, "DebugBreakpoint", "A breakpoint that is set.")
      .field("number", &DebugBreakpoint::number)
      .field("address", &DebugBreakpoint::address)
      .field("function", &DebugBreakpoint::function)
      .field("file", &DebugBreakpoint::file)
      .field("line", &DebugBreakpoint::line)
      .finish();
  Value<DebugThread>(m, "DebugThread", "A thread of the kernel.")
      .field("number", &DebugThread::number, "gdb's.")
      .field("id", &DebugThread::id)
      .field("name", &DebugThread::name)
      .field("frame", &DebugThread::frame)
      .finish({"number", "id", "name"});
  Value<DebuggerBackends>(m, "DebuggerBackends", "The debuggers that a guest's kernel can hand a stop to.")
      .field("available", &DebuggerBackends::available)
      .field("current", &DebuggerBackends::current)
      .finish();
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
          [](Self d, const std::string& location, const std::string& condition, bool once) {
            return blocking([&] { return d.session().break_at(location, condition, once); });
          },
          py::arg("location"), py::kw_only(), py::arg("condition") = "", py::arg("once") = false,
          "'kern_openat', 'vfs_syscalls.c:1111', '*0xffffffff80533240'.")
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
          "backtrace",
          [](Self d, int limit, int thread) {
            return blocking([&] { return d.session().backtrace(limit, thread); });
          },
          py::kw_only(), py::arg("limit") = 64, py::arg("thread") = 0,
          "Innermost first. thread: gdb's number; 0: the one that stopped.")
      .def(
          "locals", [](Self d, int frame) { return blocking([&] { return d.session().locals(frame); }); },
          py::arg("frame") = 0)
      .def("threads", [](Self d) { return blocking([&] { return d.session().threads(); }); })
      .def(
          "evaluate",
          [](Self d, const std::string& expression, int frame) {
            return blocking([&] { return d.session().evaluate(expression, frame); });
          },
          py::arg("expression"), py::kw_only(), py::arg("frame") = 0,
          "A C expression's value, as gdb prints it.")
      .def(
          "memory",
          [](Self d, std::uint64_t address, std::size_t size) {
            return py::bytes(blocking([&] { return d.session().memory(address, size); }));
          },
          py::arg("address"), py::arg("size"))
      .def("registers", [](Self d) { return blocking([&] { return d.session().registers(); }); })
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
      .def_property_readonly(
          "pid",
          [](Self d) -> std::optional<int> {
            const int pid = d.session().pid();
            if (pid < 0) return std::nullopt;
            return pid;
          },
          "gdb's; None: closed.");

  auto vm = m.attr("VM").cast<py::class_<VmHandle, std::shared_ptr<VmHandle>>>();
  vm.def(
        "debug",
        [](const std::shared_ptr<VmHandle>& v) {
          return std::make_shared<DebugHandle>(v, blocking([&] { return v->vm().debug(); }));
        },
        "Stops the kernel in its gdb stub on the debug port (debug_port=True) and connects gdb to it.")
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
