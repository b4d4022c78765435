// Kernel configurations.
#include <kdev/kern_conf.hpp>
#include <kdev/workspace.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_kern_conf(py::module_& m) {
  Value<ConfSetting>(m, "ConfSetting", "One asked-for setting and who asked.")
      .field("option", &ConfSetting::option, "Without the CONFIG_ prefix.")
      .field("value", &ConfSetting::value, "As in .config; strings without quotes.")
      .field("origin", &ConfSetting::origin, "'base tiny', 'preset debug', 'fragment FILE:LINE', 'user'.")
      .field("wanted", &ConfSetting::wanted, "False: dropped silently where the tree does not know it.")
      .finish();
  Value<ConfDiff>(m, "ConfDiff", "One difference between two configs.")
      .field("option", &ConfDiff::option)
      .field("left", &ConfDiff::left)
      .field("right", &ConfDiff::right)
      .finish();
  Value<LostOption>(m, "LostOption", "An asked-for option that the tree's own olddefconfig did not keep.")
      .field("asked", &LostOption::asked)
      .field("got", &LostOption::got, "None: the tree does not know the option.")
      .field("type", &LostOption::type, "'bool', 'tristate', 'string', 'int' or 'hex'; empty: unknown.")
      .field("depends", &LostOption::depends)
      .field("unmet", &LostOption::unmet)
      .field("nearest", &LostOption::nearest, "Known options with a similar name.")
      .finish();
  Value<ResolvedConf>(m, "ResolvedConf",
                      "The outcome of merging and running the tree's own configuration tool.")
      .field("text", &ResolvedConf::text, "The full .config.")
      .field("values", &ResolvedConf::values, "Set options only.")
      .field("lost", &ResolvedConf::lost)
      .field("overridden", &ResolvedConf::overridden, "Settings that a later layer replaced, in merge order.")
      .finish({"lost", "overridden"});

  py::class_<Workspace> workspace(
      m, "Workspace", "A folder of kdev's own beside an untouched source tree. Usable from several threads.");
  py::class_<KernConf, std::shared_ptr<KernConf>> conf(
      m, "KernConf", "What a kernel is to be configured as: immutable, every call returns a new value.");
  using Self = const KernConf&;
  conf.def_static(
          "tiny", [](const Workspace& ws) { return KernConf::tiny(ws); }, py::arg("ws"),
          "Boots in a VM on little more than serial, virtio, proc, sysfs and modules.")
      .def_static(
          "tiny", [](Os os) { return KernConf::tiny(os); }, py::arg("os") = "linux")
      .def_static("defconfig", &KernConf::defconfig, py::arg("os") = "linux")
      .def_static(
          "running",
          [](std::optional<Os> os) {
            return blocking([&] { return os ? KernConf::running(*os) : KernConf::running(); });
          },
          py::arg("os") = py::none(),
          "The running kernel's. ConfigError when this machine does not run an `os`; None: whatever it runs.")
      .def_static(
          "file", [](const Path& path, Os os) { return blocking([&] { return KernConf::file(path, os); }); },
          py::arg("path"), py::arg("os") = "linux", "A whole .config.")
      .def_static("preset_names", &KernConf::preset_names, py::arg("os") = "linux")
      .def(
          "preset", [](Self c, const std::string& name) { return c.preset(name); }, py::arg("name"))
      .def(
          "enable", [](Self c, const std::string& option) { return c.enable(option); }, py::arg("option"))
      .def(
          "disable", [](Self c, const std::string& option) { return c.disable(option); }, py::arg("option"))
      .def(
          "module", [](Self c, const std::string& option) { return c.module(option); }, py::arg("option"))
      .def(
          "set",
          [](Self c, const std::string& option, const std::string& value) { return c.set(option, value); },
          py::arg("option"), py::arg("value"))
      .def(
          "set",
          [](Self c, const std::string& option, long long value) {
            return c.set(option, std::to_string(value));
          },
          py::arg("option"), py::arg("value"))
      .def(
          "fragment", [](Self c, const Path& path) { return blocking([&] { return c.fragment(path); }); },
          py::arg("path"), "A file in merge_config.sh's format.")
      .def(
          "make_variable",
          [](Self c, const std::string& name, const std::string& value) {
            return c.make_variable(name, value);
          },
          py::arg("name"), py::arg("value"), "A Kbuild variable for make's command line, e.g. KCFLAGS.")
      .def("initramfs_source", &KernConf::initramfs_source, py::arg("path"),
           "What the kernel holds its first file system from (Linux: CONFIG_INITRAMFS_SOURCE).")
      .def_property_readonly("os", &KernConf::os)
      .def_property_readonly("base", [](Self c) { return c.base(); })
      .def_property_readonly("base_file",
                             [](Self c) -> std::optional<Path> {
                               if (c.base_file().empty()) return std::nullopt;
                               return c.base_file();
                             })
      .def_property_readonly(
          "settings", [](Self c) { return c.settings(); }, "In merge order: later ones win.")
      .def_property_readonly("make_variables", [](Self c) { return c.make_variables(); })
      .def_property_readonly("presets", [](Self c) { return c.presets(); })
      .def("describe", &KernConf::describe, "The merge order as a table for people.")
      .def("diff", &KernConf::diff, py::arg("other"), "Settings of this one against another, without a tree.")
      .def(
          "resolve",
          [](Self c, const Workspace& ws, Timeout timeout) {
            return blocking([&] { return c.resolve(ws, deadline(timeout)); });
          },
          py::arg("ws"), py::kw_only(), py::arg("timeout") = py::none(),
          "Merges, runs the tree's own olddefconfig, checks every wanted setting. ConfigError names each "
          "lost one.")
      .def(
          "try_resolve",
          [](Self c, const Workspace& ws, Timeout timeout) {
            return blocking([&] { return c.try_resolve(ws, deadline(timeout)); });
          },
          py::arg("ws"), py::kw_only(), py::arg("timeout") = py::none(),
          "The same without raising for lost ones.")
      .def("__repr__", [](Self c) {
        std::string s = "KernConf." + c.base() + "()";
        for (const auto& p : c.presets()) s += ".preset('" + p + "')";
        int user = 0;
        for (const auto& setting : c.settings()) {
          if (setting.origin != "user") continue;
          if (++user > 6) return s + "...";
          s += ".set('" + setting.option + "', '" + setting.value + "')";
        }
        return s;
      });
  json_value<KernConf>(conf);
  m.def(
      "diff_configs",
      [](const std::string& left, const std::string& right, Os os) { return diff_configs(left, right, os); },
      py::arg("left"), py::arg("right"), py::arg("os") = "linux",
      "Differences between two complete configurations of one OS, in its own form (Linux: .config).");
}

}  // namespace kdev::python
