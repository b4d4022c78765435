// Workspaces and builds.
#include <kdev/workspace.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

BuildOptions build_options(int jobs, std::vector<std::string> targets, OnEvent on_event, Timeout timeout) {
  BuildOptions options;
  options.jobs = jobs;
  options.targets = std::move(targets);
  options.deadline = deadline(timeout);
  options.on_event = make_sink(std::move(on_event));
  return options;
}

}  // namespace

void bind_workspace(py::module_& m) {
  Value<StoredArtifact>(m, "StoredArtifact", "What a store holds.")
      .field("id", &StoredArtifact::id)
      .field("kind", &StoredArtifact::kind, "'kernel' or 'module'.")
      .field("title", &StoredArtifact::title)
      .field("dir", &StoredArtifact::dir)
      .field("bytes", &StoredArtifact::bytes)
      .finish();

  // Declared by bind_kern_conf().
  auto workspace = py::reinterpret_borrow<py::class_<Workspace>>(m.attr("Workspace"));
  workspace
      .def(py::init([](const Path& root, const std::optional<Path>& source) {
             return blocking([&] {
               return std::make_unique<Workspace>(root, WorkspaceOptions{source.value_or(Path()), nullptr});
             });
           }),
           py::arg("root"), py::arg("source") = py::none(),
           "Opens or creates a workspace. `source`: the kernel tree, never written to; None: as when it was "
           "created.")
      .def_property_readonly("root", [](const Workspace& w) { return w.root(); })
      .def_property_readonly("source", [](const Workspace& w) { return w.source(); })
      .def_property_readonly("tree", [](const Workspace& w) { return w.tree(); })
      .def_property_readonly("os", [](const Workspace& w) { return w.tree().os; })
      .def_property_readonly("src", &Workspace::src, "Out-of-tree modules and scaffolds.")
      .def_property_readonly("obj", &Workspace::obj, "Build output.")
      .def_property_readonly("sysroot", &Workspace::sysroot)
      .def_property_readonly("artifacts", &Workspace::artifacts, "The artifact store.")
      .def_property_readonly("run_dir", &Workspace::run, "VM folders and leases.")
      .def_property_readonly(
          "reaped", [](const Workspace& w) { return w.reaped(); },
          "What a dead owner had left, one line each.")
      .def(
          "build",
          [](const Workspace& w, const KernConf& conf, int jobs, std::vector<std::string> targets,
             OnEvent on_event, Timeout timeout) {
            BuildOptions options = build_options(jobs, std::move(targets), std::move(on_event), timeout);
            return blocking([&] { return w.build(conf, options); });
          },
          py::arg("conf"), py::kw_only(), py::arg("jobs") = 0,
          py::arg("targets") = std::vector<std::string>(), py::arg("on_event") = py::none(),
          py::arg("timeout") = py::none(),
          "Kernel from config: from the store when nothing changed, else by make. jobs 0: one per CPU.")
      .def(
          "build_module",
          [](const Workspace& w, const Path& dir, const KernelArtifact& kernel, int jobs, OnEvent on_event,
             Timeout timeout) {
            BuildOptions options = build_options(jobs, {}, std::move(on_event), timeout);
            return blocking([&] { return w.build_module(dir, kernel, options); });
          },
          py::arg("dir"), py::arg("kernel"), py::kw_only(), py::arg("jobs") = 0,
          py::arg("on_event") = py::none(), py::arg("timeout") = py::none(),
          "Kbuild module in `dir` (a Makefile with obj-m).")
      .def(
          "install_kernel",
          [](const Workspace& w, const KernelArtifact& kernel, const std::optional<Path>& dest,
             const std::string& name) {
            return blocking([&] { return w.install_kernel(kernel, dest.value_or(Path()), name); });
          },
          py::arg("kernel"), py::arg("dest") = py::none(), py::arg("name") = "",
          "Puts a kernel, its modules and debug information into a root's folder, default the sysroot, as "
          "the guest's own installation does, without root's rights.")
      .def(
          "build_commands",
          [](const Workspace& w, const KernConf& conf, int jobs, std::vector<std::string> targets,
             OnEvent on_event, Timeout timeout) {
            BuildOptions options = build_options(jobs, std::move(targets), std::move(on_event), timeout);
            return blocking([&] { return w.build_commands(conf, options); });
          },
          py::arg("conf"), py::kw_only(), py::arg("jobs") = 0,
          py::arg("targets") = std::vector<std::string>(), py::arg("on_event") = py::none(),
          py::arg("timeout") = py::none(),
          "The commands that build() would run, as a person would type them; nothing is built.")
      .def_property_readonly("userlands", &Workspace::userlands,
                             "What build_userland() takes; empty where the tree holds the kernel alone.")
      .def(
          "build_userland",
          [](const Workspace& w, const std::string& kind, int jobs, OnEvent on_event, Timeout timeout) {
            BuildOptions options = build_options(jobs, {}, std::move(on_event), timeout);
            return blocking([&] { return w.build_userland(kind, options); });
          },
          py::arg("kind") = "", py::kw_only(), py::arg("jobs") = 0, py::arg("on_event") = py::none(),
          py::arg("timeout") = py::none(),
          "Programs for the guest from the same tree (FreeBSD: 'rescue', the usual one; 'world').")
      .def(
          "scaffold",
          [](const Workspace& w, const std::string& kind, const std::string& name,
             const std::optional<Path>& dir) {
            return blocking([&] { return w.scaffold(kind, name, dir.value_or(Path())); });
          },
          py::arg("kind"), py::arg("name"), py::arg("dir") = py::none(),
          "Writes a module and its Makefile to `dir`, default src/NAME; returns the folder.")
      .def("stored", [](const Workspace& w) { return blocking([&] { return w.stored(); }); })
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](const Workspace&, const py::args&) {})
      .def("__repr__", [](const Workspace& w) {
        return "Workspace('" + w.root().string() + "', source='" + w.source().string() + "')";
      });
}

}  // namespace kdev::python
