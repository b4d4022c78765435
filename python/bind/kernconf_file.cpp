// FreeBSD's kernel configuration files.
#include <kdev/kernconf_file.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_kernconf_file(py::module_& m) {
  Value<KernconfEntry>(m, "KernconfEntry",
                       "One statement of a KERNCONF file; of `options A, B` each is one of its own.")
      .field("keyword", &KernconfEntry::keyword,
             "As config(5) spells it: 'options', 'nooptions', 'device' ...")
      .field("name", &KernconfEntry::name)
      .field("value", &KernconfEntry::value, "What follows '=', without quotes.")
      .field("append", &KernconfEntry::append, "makeoptions NAME+=VALUE.")
      .field("file", &KernconfEntry::file)
      .field("line", &KernconfEntry::line, "1-based.")
      .finish();
  Value<KernconfSummary>(m, "KernconfSummary",
                         "What config(8) makes of a configuration and everything it includes.")
      .field("ident", &KernconfSummary::ident, "What `uname -i` says.")
      .field("machine", &KernconfSummary::machine)
      .field("machine_arch", &KernconfSummary::machine_arch)
      .field("entries", &KernconfSummary::entries, "In effect, in order of their places.")
      .field("files", &KernconfSummary::files, "Read, in the order of their first line.")
      .finish({"entries"});
  Value<KernconfProblem>(m, "KernconfProblem", "What config(8), or the build after it, would stumble over.")
      .field("entry", &KernconfProblem::entry)
      .field("what", &KernconfProblem::what,
             "'unknown option', 'obsolete option: now NAME', 'unknown device', 'missing'.")
      .field("nearest", &KernconfProblem::nearest, "Names that may have been meant.")
      .finish();
  Value<KernconfDiff>(m, "KernconfDiff", "One difference between two configurations in effect.")
      .field("keyword", &KernconfDiff::keyword)
      .field("name", &KernconfDiff::name)
      .field("left", &KernconfDiff::left, "None: not there; '': there without a value.")
      .field("right", &KernconfDiff::right)
      .finish();

  using Self = const KernconfFile&;
  using Dirs = const std::vector<Path>&;
  using Value_ = std::optional<std::string>;
  py::class_<KernconfFile>(
      m, "KernconfFile",
      "A FreeBSD kernel configuration file as text that can be looked into and edited: immutable, every edit "
      "returns a new one and leaves the layout and comments of the rest alone.")
      .def_static(
          "parse", [](const std::string& text, const Path& file) { return KernconfFile::parse(text, file); },
          py::arg("text"), py::arg("file") = Path(), "`file` is for messages and for finding includes.")
      .def_static(
          "load", [](const Path& file) { return blocking([&] { return KernconfFile::load(file); }); },
          py::arg("file"))
      .def_property_readonly("text", [](Self f) { return f.text(); })
      .def_property_readonly("file", [](Self f) { return f.file(); })
      .def_property_readonly("entries", &KernconfFile::entries,
                             "The statements in order, includes not followed.")
      .def(
          "set",
          [](Self f, const std::string& keyword, const std::string& name, const Value_& value) {
            return f.set(keyword, name, value ? std::optional<std::string_view>(*value) : std::nullopt);
          },
          py::arg("keyword"), py::arg("name"), py::arg("value") = py::none(),
          "Changed where it stands, else added after the last of its kind.")
      .def(
          "remove",
          [](Self f, const std::string& keyword, const std::string& name) { return f.remove(keyword, name); },
          py::arg("keyword"), py::arg("name"))
      .def(
          "summarize",
          [](Self f, const Path& tree, Dirs dirs) {
            return blocking([&] { return f.summarize(tree, dirs); });
          },
          py::arg("tree") = Path(), py::arg("include_dirs") = std::vector<Path>(),
          "Follows the includes and applies everything in order, DEFAULTS first, as config(8) does.")
      .def(
          "flatten",
          [](Self f, const Path& tree, Dirs dirs) { return blocking([&] { return f.flatten(tree, dirs); }); },
          py::arg("tree") = Path(), py::arg("include_dirs") = std::vector<Path>(),
          "One file without includes that config(8) makes the same kernel of.")
      .def("__str__", [](Self f) { return f.text(); })
      .def("__repr__", [](Self f) { return "KernconfFile('" + f.file().string() + "')"; })
      .def(
          "__eq__",
          [](Self a, const py::object& b) { return py::isinstance<KernconfFile>(b) && a == b.cast<Self>(); },
          py::arg("other"), py::is_operator())
      .def("__hash__", [](Self f) { return std::hash<std::string>()(f.text()); })
      .def(py::pickle([](Self f) { return py::make_tuple(f.text(), f.file()); },
                      [](const py::tuple& t) {
                        return KernconfFile::parse(t[0].cast<std::string>(), t[1].cast<Path>());
                      }));
  m.def(
      "check_kernconf",
      [](const KernconfSummary& s, const Path& tree) {
        return blocking([&] { return check_kernconf(s, tree); });
      },
      py::arg("summary"), py::arg("tree"),
      "Options, CPU types and devices that the tree does not know, and what is missing.");
  m.def("diff_kernconfs", &diff_kernconfs, py::arg("left"), py::arg("right"),
        "Differences of what is in effect.");
}

}  // namespace kdev::python
