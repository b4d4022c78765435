// The i386 kernel's address space.
#include <kdev/address_space.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_address_space(py::module_& m) {
  Value<TreeEdit>(m, "TreeEdit", "One thing to change for another address space.")
      .field("file", &TreeEdit::file, "Of the tree; KERNCONF stands for the configuration.")
      .field("setting", &TreeEdit::setting, "'.' is the linker's location counter.")
      .field("value", &TreeEdit::value, "As it is written there.")
      .finish();
  Value<KernelAddressSpace>(m, "KernelAddressSpace", "The part of an i386's 4 GB that is the kernel's.")
      .field("size", &KernelAddressSpace::size, "In bytes.")
      .field("smp", &KernelAddressSpace::smp)
      .field("pae", &KernelAddressSpace::pae)
      .field("pde_size", &KernelAddressSpace::pde_size,
             "Bytes that one page directory entry maps: 4 MB, with PAE 2 MB.")
      .field("kva_pages", &KernelAddressSpace::kva_pages, "Page directory entries of that size.")
      .field("nkpde", &KernelAddressSpace::nkpde, "Of those the ones for the kernel's own page tables.")
      .field("kernbase", &KernelAddressSpace::kernbase, "Virtual address where it begins.")
      .field("load_address", &KernelAddressSpace::load_address,
             "Virtual address that the kernel is linked to.")
      .field("edits", &KernelAddressSpace::edits, "What makes a tree's kernel so; empty: it is so.")
      .finish({"size", "nkpde", "kernbase", "load_address"});

  using Self = const I386Pmap&;
  py::class_<I386Pmap>(m, "I386Pmap",
                       "How the kernels of one FreeBSD tree for i386 lay out their address space.")
      .def(py::init<>(), "That of FreeBSD 3 and 4.")
      .def_static(
          "of_tree", [](const Path& tree) { return blocking([&] { return I386Pmap::of_tree(tree); }); },
          py::arg("tree"), "What the tree's sys/i386/include says.")
      .def_property_readonly("knob", &I386Pmap::knob, "What the address space is set by.")
      .def_property_readonly("granularity", &I386Pmap::granularity,
                             "A size must be a multiple of this many bytes.")
      .def("default_size", &I386Pmap::default_size, py::arg("pae") = false,
           "The usual size; 0 where the tree states none.")
      .def("space", &I386Pmap::space, py::arg("size"), py::kw_only(), py::arg("smp") = false,
           py::arg("pae") = false, "The space of that many bytes.")
      .def("space_of_nkpde", &I386Pmap::space_of_nkpde, py::arg("nkpde"), py::kw_only(),
           py::arg("smp") = false, py::arg("pae") = false,
           "The one with that many page directory entries for the kernel's page tables.")
      .def(
          "__eq__",
          [](Self a, const py::object& b) { return py::isinstance<I386Pmap>(b) && a == b.cast<Self>(); },
          py::arg("other"), py::is_operator())
      .def("__hash__", [](Self p) {
        return std::hash<std::uint64_t>()(p.default_size() + static_cast<std::uint64_t>(p.knob()));
      });
}

}  // namespace kdev::python
