// gdb on what no VM of this process runs: dumps, any stub, VMs of other processes.
#include <kdev/debug_session.hpp>
#include <kdev/running_vm.hpp>

#include "bind.hpp"
#include "debug_handle.hpp"

namespace kdev::python {

void bind_debug_ways_in(py::module_& m, DebugClass& debug) {
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
}

}  // namespace kdev::python
