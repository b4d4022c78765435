// Built kernels and modules.
#include <kdev/kernel_artifact.hpp>
#include <kdev/userland_artifact.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_kernel_artifact(py::module_& m) {
  Value<SymbolMatch>(m, "SymbolMatch", "A symbol that an address lies in.")
      .field("name", &SymbolMatch::name)
      .field("address", &SymbolMatch::address, "Of the symbol's start.")
      .field("offset", &SymbolMatch::offset, "Of the looked-up address into it.")
      .field("type", &SymbolMatch::type, "As nm(1) prints it.")
      .finish();

  Value<KernelArtifact> kernel(m, "KernelArtifact", "One built kernel: everything from the same build.");
  kernel.field("id", &KernelArtifact::id, "Content key in the store.")
      .field("os", &KernelArtifact::os)
      .field("arch", &KernelArtifact::arch)
      .field("release", &KernelArtifact::release, "uname -r.")
      .field("build_id", &KernelArtifact::build_id, "GNU build id of vmlinux, hex.")
      .field("dir", &KernelArtifact::dir, "Its folder in the store.")
      .field("image", &KernelArtifact::image, "What boots fastest directly.")
      .optional_path("bzimage", &KernelArtifact::bzimage, "Compressed image; None when not built.")
      .field("vmlinux", &KernelArtifact::vmlinux, "With debug information.")
      .field("system_map", &KernelArtifact::system_map)
      .field("config", &KernelArtifact::config)
      .optional_path("modules", &KernelArtifact::modules,
                     "Folder that holds lib/modules/RELEASE; None when there are none.")
      .field("source", &KernelArtifact::source, "The tree it was built from.")
      .field("obj", &KernelArtifact::obj, "The output tree, for out-of-tree modules.")
      .field("from_store", &KernelArtifact::from_store, "This build ran no make.")
      .finish({"release", "id", "arch", "dir", "from_store"});
  kernel.py().def(
      "lookup",
      [](const KernelArtifact& k, const std::string& address) {
        return blocking([&] { return k.lookup(address); });
      },
      py::arg("address"),
      "Nearest symbols for a hex address; unknown digits are 'x' or left out at the end.");

  kernel.py().def("_repr_html_", [](const py::object& self) {
    return py::str(py::module_::import("kdev.display").attr("kernel_html")(self));
  });

  Value<InstalledKernel>(m, "InstalledKernel", "Where install_kernel() has put a kernel.")
      .field("name", &InstalledKernel::name, "What boot loaders know it by.")
      .field("kernel", &InstalledKernel::kernel, "The file that is booted.")
      .optional_path("modules", &InstalledKernel::modules, "Folder of its modules; None: there are none.")
      .optional_path("debug", &InstalledKernel::debug,
                     "Folder of the debug information; None: there is none.")
      .optional_path("metalog", &InstalledKernel::metalog,
                     "Owners and modes, in the form of mtree(5); None: all are root's.")
      .finish({"name", "kernel"});

  Value<ModuleArtifact>(m, "ModuleArtifact", "An out-of-tree module built for one kernel.")
      .field("name", &ModuleArtifact::name, "As lsmod shows it.")
      .field("ko", &ModuleArtifact::ko)
      .field("source", &ModuleArtifact::source, "Folder it was built from.")
      .field("kernel_id", &ModuleArtifact::kernel_id)
      .field("build_id", &ModuleArtifact::build_id)
      .field("from_store", &ModuleArtifact::from_store)
      .finish({"name", "ko", "kernel_id"});

  Value<UserlandArtifact>(m, "UserlandArtifact",
                          "Programs for a guest, from the tree that its kernel comes from.")
      .field("id", &UserlandArtifact::id, "Content key in the store.")
      .field("os", &UserlandArtifact::os)
      .field("kind", &UserlandArtifact::kind,
             "'rescue': one static program of many names; 'world': all the tree has.")
      .field("release", &UserlandArtifact::release, "The tree's version.")
      .field("dir", &UserlandArtifact::dir, "Its folder in the store.")
      .field("root", &UserlandArtifact::root, "What a guest's root holds, kdev's agent as /init.")
      .optional_path("boot", &UserlandArtifact::boot,
                     "Boot loaders and their scripts, as the guest's /boot; None: the tree's are left out.")
      .optional_path("metalog", &UserlandArtifact::metalog,
                     "Owners and modes of the root's files, in the form of mtree(5); None: all are root's.")
      .optional_path("makefs", &UserlandArtifact::makefs,
                     "Makes the guest's file systems on this host; None: not needed.")
      .optional_path("mkimg", &UserlandArtifact::mkimg,
                     "Puts them, and the loaders, into a disk image on this host; None: not needed.")
      .field("sysroot", &UserlandArtifact::sysroot, "Headers and libraries to build programs against.")
      .field("from_store", &UserlandArtifact::from_store, "Nothing was run.")
      .finish({"kind", "release", "id", "dir", "from_store"});
}

}  // namespace kdev::python
