// The i386 kernel's address space: FAQ 18.15's arithmetic, and what later trees made of it.
#include <fmt/format.h>
#include <re2/re2.h>

#include <kdev/address_space.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <sstream>

namespace kdev {
namespace {

constexpr std::uint64_t MB = 1 << 20, all = std::uint64_t{1} << 32;

ConfigError refused(std::string reason, std::string hint = {}) {
  return ConfigError({.attempted = "lay out an i386 kernel's address space",
                      .reason = std::move(reason),
                      .hint = std::move(hint),
                      .log = {}});
}

std::uint64_t pde_size(bool pae) {
  return (pae ? 2 : 4) * MB;
}

std::string content_of(Host& host, const Path& file) {
  return host.is_file(file) ? host.read_file(file) : "";
}

/// The value of `#define NAME (256*4)` or of a bare number; 0: neither.
int number_of(const std::string& header, const std::string& name) {
  int number = 0, times = 1;
  if (!RE2::PartialMatch(header, fmt::format(R"((?m)^#\s*define\s+{}\s+\(?(\d+))", name), &number)) return 0;
  RE2::PartialMatch(header, fmt::format(R"((?m)^#\s*define\s+{}\s+\(\d+\s*\*\s*(\d+)\))", name), &times);
  return number * times;
}

}  // namespace

I386Pmap I386Pmap::of_tree(const Path& tree) {
  Host& host = *local_host();
  const Path include = host.absolute(tree) / "sys/i386/include";
  const std::string pmap = content_of(host, include / "pmap.h");
  I386Pmap result;
  result.has_pae_ = pmap.find("PAE") != pmap.npos;

  // The same number everywhere unless a line says otherwise for SMP.
  static const RE2 reserve(R"(^#\s*define\s+NKPDE\s+\(?\s*KVA_PAGES(?:\s*-\s*(\d+))?)");
  static const RE2 literal(R"(^#\s*define\s+NKPDE\s+\d)"), kernel_first(R"(^#\s*define\s+KPTDI\s+0\s)"),
      if_smp(R"(^#\s*if(?:def\s+|.*defined\(?\s*)SMP)"), other(R"(^#\s*else)"), end(R"(^#\s*endif)"),
      pages(R"(^#\s*define\s+KVA_PAGES\s+(\d+))"), if_pae(R"(^#\s*if(?:def\s+|.*defined\(?\s*)PAE)");
  enum class Branch { any, yes, no } smp = Branch::any, pae = Branch::any;
  bool known = false;
  std::istringstream lines(pmap);
  for (std::string line; std::getline(lines, line);) {
    line += ' ';
    std::string less;
    int number = 0;
    if (RE2::PartialMatch(line, if_smp)) {
      smp = Branch::yes;
    } else if (RE2::PartialMatch(line, if_pae)) {
      pae = Branch::yes;
    } else if (RE2::PartialMatch(line, other)) {
      if (smp == Branch::yes) smp = Branch::no;
      if (pae == Branch::yes) pae = Branch::no;
    } else if (RE2::PartialMatch(line, end)) {
      smp = pae = Branch::any;
    } else if (RE2::PartialMatch(line, reserve, &less)) {
      number = less.empty() ? 0 : std::stoi(less);
      if (smp != Branch::no) result.reserved_smp_ = number;
      if (smp != Branch::yes) result.reserved_ = number;
      result.knob_ = KvaKnob::kva_pages;
      known = true;
    } else if (RE2::PartialMatch(line, pages, &number)) {
      if (pae != Branch::yes) result.default_pages_ = number;
      if (pae != Branch::no) result.default_pages_pae_ = number;
    } else if (RE2::PartialMatch(line, literal)) {
      known = true;
    } else if (RE2::PartialMatch(line, kernel_first)) {
      result.knob_ = KvaKnob::none;
    }
  }
  if (!known)
    throw refused(fmt::format("{} has no NKPDE that is known", (include / "pmap.h").string()),
                  "give a FreeBSD tree with sys/i386");
  if (result.knob_ == KvaKnob::none) {
    result.default_pages_ = number_of(content_of(host, include / "pmap_nopae.h"), "KVA_PAGES");
    result.default_pages_pae_ = number_of(content_of(host, include / "pmap_pae.h"), "KVA_PAGES");
  }

  // Of several (Xen's) the last one is the machine's own.
  static const RE2 load(R"re((?m)^#\s*define\s+KERNLOAD\s+\(?(\d+)(?:\s*<<\s*(PDRSHIFT)|([ *\d]*)\)))re");
  const std::string vmparam = content_of(host, include / "vmparam.h");
  re2::StringPiece rest(vmparam);
  std::string first, shift, factors;
  while (RE2::FindAndConsume(&rest, load, &first, &shift, &factors)) {
    if (!shift.empty()) {
      result.load_pdes_ = std::stoi(first);
      continue;
    }
    result.load_pdes_ = 0;
    result.load_bytes_ = std::stoull(first);
    re2::StringPiece more(factors);
    for (std::uint64_t factor = 1; RE2::FindAndConsume(&more, R"((\d+))", &factor);)
      result.load_bytes_ *= factor;
  }
  return result;
}

std::uint64_t I386Pmap::granularity() const {
  // "This MUST be a multiple of 4 (eg: 252, 256, 260, etc)", with PAE of 8: loader(8) goes by that.
  return knob_ == KvaKnob::kva_pages ? 16 * MB : 4 * MB;
}

std::uint64_t I386Pmap::default_size(bool pae) const {
  return (pae ? default_pages_pae_ : default_pages_) * pde_size(pae);
}

KernelAddressSpace I386Pmap::space(std::uint64_t size, bool smp, bool pae) const {
  if (pae && !has_pae_) throw refused("kernels of this tree know no PAE");
  if (size % granularity() || !size)
    throw refused(fmt::format("{} bytes is no multiple of {} MB", size, granularity() / MB));
  KernelAddressSpace space{.size = size, .smp = smp, .pae = pae, .pde_size = pde_size(pae)};
  const std::uint64_t load = load_pdes_ ? load_pdes_ * space.pde_size : load_bytes_;
  const int reserved = smp ? reserved_smp_ : reserved_;
  space.kva_pages = static_cast<int>(size / space.pde_size);
  space.nkpde = space.kva_pages - reserved;

  if (knob_ == KvaKnob::none) {
    if (size != all)
      throw refused("the kernel of this tree has an address space of 4 GB of its own, and no other",
                    "nothing is to be gained: processes have another 4 GB");
    // Virtual and physical addresses are the same there: KERNBASE is KERNLOAD.
    space.kernbase = space.load_address = load;
    return space;
  }
  if (space.nkpde < 1 || size <= load)
    throw refused(fmt::format("a kernel does not fit into {} bytes", size));
  // Below it lie the page tables' own entries (PTDPTDI) and what processes have.
  if (size >= all - 4 * space.pde_size)
    throw refused(fmt::format("{} bytes leave processes nothing of 4 GB", size));
  space.kernbase = all - size;
  space.load_address = space.kernbase + load;
  if (knob_ == KvaKnob::nkpde) {
    const std::string address = fmt::format("0x{:08x}", space.load_address);
    space.edits = {{"sys/i386/include/pmap.h", "NKPDE", std::to_string(space.nkpde)},
                   {"sys/i386/conf/Makefile.i386", "LOAD_ADDRESS", address},
                   {"sys/i386/conf/kernel.script", ".", address + " + SIZEOF_HEADERS"}};
  } else if (size != default_size(pae)) {
    // The linker script goes by KERNBASE.
    space.edits = {{"KERNCONF", "options KVA_PAGES", std::to_string(space.kva_pages)}};
  }
  return space;
}

KernelAddressSpace I386Pmap::space_of_nkpde(int nkpde, bool smp, bool pae) const {
  if (nkpde < 1) throw refused(fmt::format("{} page directory entries are none", nkpde));
  const int pages = nkpde + (knob_ == KvaKnob::none ? 0 : smp ? reserved_smp_ : reserved_);
  return space(static_cast<std::uint64_t>(pages) * pde_size(pae), smp, pae);
}

}  // namespace kdev
