#pragma once
#include <cstdint>
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

namespace kdev {

/// What a FreeBSD tree for i386 has its kernel's address space set by.
enum class KvaKnob {
  nkpde,      ///< NKPDE in pmap.h, and the load address at two more places: FreeBSD 3 and 4
  kva_pages,  ///< options KVA_PAGES: late 4 to 11
  none,       ///< kernel and processes have 4 GB each: 12 and later
};

/// One thing to change for another address space.
struct TreeEdit {
  Path file;  ///< of the tree; "KERNCONF" stands for the configuration
  std::string
      setting;        ///< "NKPDE", "LOAD_ADDRESS", "options KVA_PAGES"; "." is the linker's location counter
  std::string value;  ///< as it is written there
  bool operator==(const TreeEdit&) const = default;
};

/// The part of an i386's 4 GB that is the kernel's. Sizes in bytes.
struct KernelAddressSpace {
  std::uint64_t size = 0;
  bool smp = false, pae = false;
  std::uint64_t pde_size = 0;      ///< NBPDR, what one page directory entry maps: 4 MB, with PAE 2 MB
  int kva_pages = 0;               ///< page directory entries of `size`
  int nkpde = 0;                   ///< of those the ones for the kernel's own page tables (NKPDE)
  std::uint64_t kernbase = 0;      ///< KERNBASE, virtual: where it begins
  std::uint64_t load_address = 0;  ///< virtual: what the kernel is linked to, its headers before its text
  std::vector<TreeEdit> edits;     ///< what makes a tree's kernel so; empty: it is so
  bool operator==(const KernelAddressSpace&) const = default;
};

/// How the kernels of one tree for i386 lay out their address space. A value. Sources:
/// sys/i386/include/pmap.h (pmap_pae.h, pmap_nopae.h), vmparam.h; FAQ 18.15 for the trees of old.
class KDEV_API I386Pmap {
 public:
  /// FreeBSD 3 and 4, of which the FAQ speaks: no PAE.
  I386Pmap() = default;
  /// What the tree on this machine says. ConfigError when it says nothing that is known.
  static I386Pmap of_tree(const Path& tree);

  KvaKnob knob() const { return knob_; }
  /// A size must be a multiple of this many bytes.
  std::uint64_t granularity() const;
  /// The usual size, where the tree states one.
  std::uint64_t default_size(bool pae = false) const;

  /// The space of `size` bytes. ConfigError: not a multiple of granularity(), less or more than there can be,
  /// PAE where there is none, or a size where there is no choice.
  KernelAddressSpace space(std::uint64_t size, bool smp = false, bool pae = false) const;
  /// The one with that many page directory entries for the kernel's page tables. ConfigError as above.
  KernelAddressSpace space_of_nkpde(int nkpde, bool smp = false, bool pae = false) const;

  bool operator==(const I386Pmap&) const = default;

 private:
  KvaKnob knob_ = KvaKnob::nkpde;
  bool has_pae_ = false;
  // Entries of the kernel's that NKPDE does not count: the alternate page tables' (APTDPTDI), with SMP each
  // processor's private one (MPPTDI).
  int reserved_ = 1, reserved_smp_ = 2;
  int default_pages_ = 0, default_pages_pae_ = 0;  // 0: not stated
  // KERNLOAD, physical: in units of NBPDR, or in bytes where those are 0.
  int load_pdes_ = 0;
  std::uint64_t load_bytes_ = 0x100000;
};

}  // namespace kdev
