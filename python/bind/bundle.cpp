// Crashes as one file.
#include <kdev/bundle.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_bundle(py::module_& m) {
  Value<GuestCommand>(m, "GuestCommand", "A command that was run in a guest.")
      .field("command", &GuestCommand::command)
      .field("exit_code", &GuestCommand::exit_code, "None: it did not exit.")
      .field("duration", &GuestCommand::duration, "Seconds, seen from the host.")
      .finish({"command", "exit_code"});

  using Self = const Bundle&;
  py::class_<Bundle>(
      m, "Bundle",
      "A crash as one file, opened: report, console, configuration, commands, memory and symbols. "
      "Nothing in it is executed; its names lead nowhere, sizes are bounded, digests checked.")
      .def(py::init([](const Path& file, Timeout timeout) {
             return blocking([&] { return std::make_unique<Bundle>(file, deadline(timeout)); });
           }),
           py::arg("file"), py::kw_only(), py::arg("timeout") = py::none())
      .def_property_readonly("report", [](Self b) { return b.record().report; })
      .def_property_readonly(
          "console", [](Self b) { return py::bytes(b.record().console).attr("decode")("utf-8", "replace"); },
          "What the console showed from the guest's start on.")
      .def_property_readonly(
          "config", [](Self b) { return b.record().config; }, "The kernel's configuration.")
      .def_property_readonly(
          "environment", [](Self b) { return b.record().environment; },
          "What it ran on: 'release', 'build_id', 'command_line', 'memory', ...")
      .def_property_readonly(
          "commands", [](Self b) { return b.record().commands; }, "What was run in the guest, in order.")
      .def_property_readonly(
          "notes", [](Self b) { return b.notes(); }, "What was left out when it was made.")
      .def_property_readonly("has_memory", &Bundle::has_memory)
      .def_property_readonly("has_symbols", &Bundle::has_symbols)
      .def_property_readonly("has_recording", &Bundle::has_recording)
      .def(
          "core",
          [](Self b, const std::optional<KernelArtifact>& kernel, const std::optional<Path>& vmlinux,
             const std::vector<Path>& modules, const std::optional<Path>& source, Timeout timeout) {
            return blocking([&] {
              if (!kernel && !vmlinux) return std::make_unique<Core>(b.core(deadline(timeout)));
              SymbolSources sources{kernel, vmlinux.value_or(Path()), modules, source.value_or(Path()), {}};
              return std::make_unique<Core>(b.core(std::move(sources), deadline(timeout)));
            });
          },
          py::arg("kernel") = py::none(), py::kw_only(), py::arg("vmlinux") = py::none(),
          py::arg("modules") = std::vector<Path>(), py::arg("source") = py::none(),
          py::arg("timeout") = py::none(),
          "Its memory, with its own symbols or those given. It outlives the Bundle.")
      .def("_repr_html_",
           [](const py::object& self) {
             return py::str(py::module_::import("kdev.bundle_view").attr("bundle_html")(self));
           })
      .def("__repr__", [](Self b) {
        return "<kdev.Bundle " + py::repr(py::str(b.record().report.title)).cast<std::string>() +
               (b.has_memory() ? ", memory" : "") + (b.has_symbols() ? ", symbols" : "") +
               (b.has_recording() ? ", recording" : "") + ">";
      });
}

}  // namespace kdev::python
