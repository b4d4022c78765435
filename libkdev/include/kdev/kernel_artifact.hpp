#pragma once
#include <optional>
#include <string>
#include <vector>

#include <kdev/export.hpp>
#include <kdev/source_tree.hpp>

namespace kdev {

/// A symbol of a kernel's symbol table, as the lookup of a bare address finds it.
struct SymbolMatch {
  std::string name;
  std::uint64_t address = 0;  ///< of the symbol's start
  std::uint64_t offset = 0;   ///< of the looked-up address into it
  char type = '?';            ///< as nm(1) prints it
  bool operator==(const SymbolMatch&) const = default;
};

/// One built kernel, everything from the same build. A value: copies name the same files in the artifact store.
struct KDEV_API KernelArtifact {
  std::string id;        ///< content key in the store (hex)
  Os os = Os::linux;
  std::string arch;      ///< "x86_64"
  std::string release;   ///< uname -r
  std::string build_id;  ///< GNU build id of vmlinux, hex
  Path dir;              ///< the artifact's folder in the store
  Path image;            ///< what boots fastest directly: stripped vmlinux with its PVH note
  Path bzimage;          ///< compressed image; empty when not built
  Path vmlinux;          ///< with debug information
  Path system_map;
  Path config;
  Path modules;          ///< folder that holds lib/modules/RELEASE; empty when there are none
  Path source;           ///< the tree it was built from
  Path obj;              ///< the output tree; for out-of-tree modules
  bool from_store = false;  ///< this build() ran no make

  bool operator==(const KernelArtifact&) const = default;
  std::string to_json() const;
  static KernelArtifact from_json(std::string_view json);

  /// Nearest symbols for an address written in hex, as `nm -n | grep` would find them. Missing digits may
  /// be given as 'x' or left out at the end ("f014a7" or "f014axxx"): then all symbols whose range meets the
  /// addresses meant are returned, in order. An empty result: the address lies outside every symbol.
  std::vector<SymbolMatch> lookup(std::string_view address) const;
};

/// Where Workspace::install_kernel() has put a kernel.
struct InstalledKernel {
  std::string name;  ///< what boot loaders know it by: /boot/NAME on FreeBSD, vmlinuz-NAME on Linux
  Path kernel;       ///< the file that is booted
  Path modules;      ///< folder of its modules; empty: there are none
  Path debug;        ///< folder of the debug information; empty: there is none
  Path metalog;      ///< owners and modes, in the form of mtree(5); empty: all are root's
  bool operator==(const InstalledKernel&) const = default;
};

/// An out-of-tree module built for one kernel.
struct KDEV_API ModuleArtifact {
  std::string name;          ///< as lsmod shows it
  Path ko;                   ///< the .ko with debug information, in the store
  Path source;               ///< folder it was built from
  std::string kernel_id;     ///< KernelArtifact::id
  std::string build_id;
  bool from_store = false;
  bool operator==(const ModuleArtifact&) const = default;
  std::string to_json() const;
  static ModuleArtifact from_json(std::string_view json);
};

}  // namespace kdev
