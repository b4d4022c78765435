// The debugger in a guest's kernel.
#include <unistd.h>

#include <kdev/kernel_debugger.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "handles.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

/// A debugger must not outlive its VM.
class KernelDebuggerHandle {
 public:
  KernelDebuggerHandle(std::shared_ptr<VmHandle> vm, KernelDebugger debugger)
      : vm_(std::move(vm)), debugger_(new KernelDebugger(std::move(debugger))) {}
  ~KernelDebuggerHandle() {
    if (!vm_->mine()) {
      (void)debugger_.release();  // a forked child's copy
      return;
    }
    Call call;
    py::gil_scoped_release nogil;
    debugger_.reset();
    vm_.reset();
  }
  KernelDebuggerHandle(const KernelDebuggerHandle&) = delete;
  KernelDebuggerHandle& operator=(const KernelDebuggerHandle&) = delete;
  KernelDebugger& debugger() const {
    vm_->vm();
    return *debugger_;
  }

 private:
  std::shared_ptr<VmHandle> vm_;
  std::unique_ptr<KernelDebugger> debugger_;
};

}  // namespace

void bind_kernel_debugger(py::module_& m) {
  Value<DebuggerTask>(m, "DebuggerTask", "A task in a kernel debugger's 'ps'.")
      .field("pid", &DebuggerTask::pid)
      .field("tid", &DebuggerTask::tid,
             "Of the thread, where threads have numbers of another kind (FreeBSD); 0: not said.")
      .field("parent", &DebuggerTask::parent, "0: none.")
      .field("cpu", &DebuggerTask::cpu, "That it runs on, or ran on last; -1: not said.")
      .field("running", &DebuggerTask::running)
      .field("state", &DebuggerTask::state)
      .field("wait", &DebuggerTask::wait, "What it waits for, as the kernel names it.")
      .field("address", &DebuggerTask::address, "Of its structure; 0: not said.")
      .field("command", &DebuggerTask::command)
      .finish({"pid", "tid", "state", "command"});
  using Self = KernelDebuggerHandle&;
  py::class_<KernelDebuggerHandle, std::shared_ptr<KernelDebuggerHandle>>(
      m, "KernelDebugger",
      "The debugger in a guest's kernel (ddb, kdb) at its prompt: the kernel stands still. A context "
      "manager: at its "
      "end the kernel goes on, unless it has crashed.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](Self d, const py::args&) { blocking([&] { d.debugger().close(); }); })
      .def(
          "close", [](Self d) { blocking([&] { d.debugger().close(); }); },
          "Lets the kernel go on; a crashed one stays at its prompt. Idempotent.")
      .def(
          "run",
          [](Self d, const std::string& command, Timeout timeout) {
            return blocking([&] { return d.debugger().run(command, timeout); });
          },
          py::arg("command"), py::kw_only(), py::arg("timeout") = py::none(),
          "One command; all pages of its answer, stack traces in it symbolized.")
      .def(
          "bt", [](Self d, int task) { return blocking([&] { return d.debugger().backtrace(task); }); },
          py::arg("task") = 0,
          "The frames of a task's stack, the debugger's own first; 0: of the one that runs where it was "
          "entered.")
      .def(
          "ps", [](Self d) { return blocking([&] { return d.debugger().tasks(); }); }, "All tasks.")
      .def_property_readonly(
          "name", [](Self d) { return d.debugger().name(); }, "'ddb', 'kdb'.")
      .def_property(
          "backend", [](Self d) { return d.debugger().backend(); },
          [](Self d, const std::string& backend) { d.debugger().select_backend(backend); },
          "That the next stop goes to: this debugger, or its kernel's gdb stub.")
      .def_property_readonly(
          "crashed", [](Self d) { return d.debugger().crashed(); }, "The kernel is not to go on.");
  auto vm = m.attr("VM").cast<py::class_<VmHandle, std::shared_ptr<VmHandle>>>();
  for (const char* name : {"kernel_debugger", "ddb", "kdb"})
    vm.def(
        name,
        [](const std::shared_ptr<VmHandle>& v, DebuggerEntry enter, Seconds timeout) {
          KernelDebuggerOptions options{.enter = enter, .timeout = timeout, .stop = {}};
          return std::make_shared<KernelDebuggerHandle>(
              v, blocking([&] { return v->vm().kernel_debugger(options); }));
        },
        py::kw_only(), py::arg("enter") = "automatic", py::arg("timeout") = 30.0,
        "Brings the guest to the prompt of the debugger in its kernel, or takes a crashed one that waits "
        "there. "
        "enter: 'sysctl' (FreeBSD), 'sysrq' (Linux), 'nmi', 'panic'.");
}

}  // namespace kdev::python
