// Disks of virtual machines.
#include <kdev/disk.hpp>

#include "bind.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_disk(py::module_& m) {
  Value<Disk> disk(m, "Disk", "A disk of a VM, in the order in which the guest finds them.");
  disk.py()
      .def(py::init([](const std::optional<Path>& file, const std::string& size, bool keep, bool read_only,
                       const std::string& serial) {
             return Disk{file.value_or(Path()), size, keep, read_only, serial};
           }),
           py::arg("file") = py::none(), py::kw_only(), py::arg("size") = "", py::arg("keep") = false,
           py::arg("read_only") = false, py::arg("serial") = "",
           "What the guest writes goes to the VM's own folder, and goes with it; keep: into the file, which "
           "is made "
           "when it is not there and size is given. NAME.qcow2 is one of QEMU's, every other raw.")
      .def_static("blank", &Disk::blank, py::arg("size"), "An empty disk that goes with its VM.");
  disk.optional_path("file", &Disk::file)
      .field("size", &Disk::size, "Like \"2G\": of a blank disk; what the file is grown to.")
      .field("keep", &Disk::keep)
      .field("read_only", &Disk::read_only)
      .field("serial", &Disk::serial)
      .finish();
}

}  // namespace kdev::python
