// What a kernel source tree is.
#include <kdev/source_tree.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_source_tree(py::module_& m) {
  Value<SourceTree>(m, "SourceTree", "What a kernel source tree was recognised as.")
      .field("os", &SourceTree::os)
      .field("path", &SourceTree::path, "Absolute.")
      .field("version", &SourceTree::version)
      .finish();
  m.def(
      "detect_source", [](const Path& path) { return blocking([&] { return detect_source(path); }); },
      py::arg("path"), "Recognises the tree at `path`. ConfigError says what is missing when it is none.");
  m.def("os_title", &os_title, py::arg("os"), "For people: 'Linux', 'FreeBSD'.");
  m.def("running_os", &running_os,
        "The OS of this machine's kernel. ConfigError when kdev does not know it.");
}

}  // namespace kdev::python
