#include "guest/linux/core_facts.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <unordered_set>

#include "common/digest.hpp"

namespace kdev::guest {
namespace {

constexpr std::size_t max_modules = 4096, max_sections = 4096;

}  // namespace

std::string_view linux_module_unit(const KernelView& view) {
  // A folder since 5.19.
  return view.member("module", "list", "kernel/module/main.c") ? "kernel/module/main.c" : "kernel/module.c";
}

/// What panic() printed. When that has been lost or overwritten: the buffer that it made the message in, a
/// static variable (vpanic()'s since 6.16); on its first use.
std::string linux_panic(const KernelView& view) {
  if (linux_panic_cpu(view) < 0) return {};
  constexpr std::string_view before = "] Kernel panic - not syncing: ";
  const auto text = linux_messages(view.memory(), &view);
  if (const auto at = text.rfind(before); at != std::string::npos) {
    const auto begin = at + before.size();
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  for (const auto* function : {"vpanic", "panic"})
    if (const auto buffer = view.static_variable(function, "buf")) {
      const auto message = view.text(buffer->address, 1024);
      return message.substr(0, message.find('\n'));
    }
  return {};
}

/// The monotonic clock when it was last updated: a tick ago.
std::optional<double> linux_uptime(const KernelView& view) {
  constexpr std::string_view unit = "kernel/time/timekeeping.c";
  const auto core = view.symbol("tk_core");
  if (!core) return std::nullopt;
  // A nameless structure of a sequence count and the timekeeper; since 6.13 it is tk_data.
  std::uint64_t at = 0;
  if (const auto member = view.member("tk_data", "timekeeper", unit)) {
    at = member->offset;
  } else {
    auto size = view.size_of("seqcount_raw_spinlock_t", unit);
    if (!size) size = view.size_of("seqcount_t", unit);  // before 5.10
    if (!size) return std::nullopt;
    at = (*size + 7) / 8 * 8;
  }
  const auto keeper = core->address + at;
  const auto base = view.number(keeper, "timekeeper", "tkr_mono.base", unit),
             shifted = view.number(keeper, "timekeeper", "tkr_mono.xtime_nsec", unit),
             shift = view.number(keeper, "timekeeper", "tkr_mono.shift", unit);
  if (!base || !shifted || !shift || *shift > 63) return std::nullopt;
  return (static_cast<double>(*base) + static_cast<double>(*shifted >> *shift)) / 1e9;
}

namespace {

struct TextMembers {
  std::string_view base, size;
};
/// struct module_layout until 6.3, an array of struct module_memory (the text comes first) since.
TextMembers text_members(const KernelView& view, std::string_view unit) {
  if (view.member("module", "core_layout.base", unit)) return {"core_layout.base", "core_layout.size"};
  if (view.member("module", "mem", unit)) return {"mem[0].base", "mem[0].size"};
  return {"module_core", "core_size"};
}

/// Where the sections of a module lie (struct module_sect_attrs in kernel/module/sysfs.c), those that are
/// freed once it is loaded left out.
std::map<std::string, std::uint64_t> sections_of(const KernelView& view, std::uint64_t module,
                                                 std::string_view unit) {
  constexpr std::string_view sysfs = "kernel/module/sysfs.c";
  std::map<std::string, std::uint64_t> sections;
  const auto table = view.number(module, "module", "sect_attrs", unit);
  if (!table || !*table) return sections;
  const auto first = view.member("module_sect_attrs", "attrs", sysfs);
  const auto count = view.number(*table, "module_sect_attrs", "nsections", sysfs);
  // Since 6.14 the attributes are plain ones, whose private member is the address.
  const bool own = view.size_of("module_sect_attr", sysfs).has_value();
  const std::string_view type = own ? "module_sect_attr" : "bin_attribute";
  const auto name_at = view.member(type, own ? "battr.attr.name" : "attr.name", sysfs);
  const auto address_at = view.member(type, own ? "address" : "private", sysfs);
  const auto step = view.size_of(type, sysfs);
  if (!first || !name_at || !address_at || !step) return sections;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count.value_or(max_sections), max_sections); ++i) {
    const auto entry = *table + first->offset + i * *step;
    const auto name = view.number(entry + name_at->offset), address = view.number(entry + address_at->offset);
    if (!name || !address || !*name) break;
    auto text = view.text(*name);
    if (text.empty()) break;
    if (!text.starts_with(".init") && !text.starts_with(".exit")) sections.emplace(std::move(text), *address);
  }
  return sections;
}

/// A note of one section, as it was loaded.
std::string build_id_of(const KernelView& view, const std::map<std::string, std::uint64_t>& sections) {
  const auto section = sections.find(".note.gnu.build-id");
  Elf64_Nhdr header{};
  std::array<char, 64> id{};
  if (section == sections.end() || !view.read(section->second, &header, sizeof(header)) ||
      header.n_type != NT_GNU_BUILD_ID || header.n_namesz != sizeof(ELF_NOTE_GNU) ||
      header.n_descsz > id.size() ||
      !view.read(section->second + sizeof(header) + sizeof(ELF_NOTE_GNU), id.data(), header.n_descsz))
    return {};
  return hex_of({id.data(), header.n_descsz});
}

}  // namespace

std::optional<std::uint64_t> linux_module_at(const KernelView& view, std::uint64_t address) {
  const auto list = view.symbol("modules");
  const auto unit = linux_module_unit(view);
  const auto link = view.member("module", "list", unit);
  if (!list || !link) return std::nullopt;
  const auto [base, size] = text_members(view, unit);
  std::size_t count = 0;
  for (auto at = view.number(list->address); at && *at != list->address && count < max_modules;
       at = view.number(*at), ++count) {
    const auto module = *at - link->offset;
    const auto low = view.number(module, "module", base, unit),
               bytes = view.number(module, "module", size, unit);
    if (low && bytes && address >= *low && address - *low < *bytes) return module;
  }
  return std::nullopt;
}

std::vector<ModuleState> linux_modules(const KernelView& view, std::vector<std::string>& notes) {
  std::vector<ModuleState> modules;
  const auto unit = linux_module_unit(view);
  const auto list = view.symbol("modules");
  const auto link = view.member("module", "list", unit);
  if (!list || !link) return modules;  // a kernel without modules
  const auto [base, size] = text_members(view, unit);
  const auto unformed = view.enumerator("MODULE_STATE_UNFORMED", unit);
  std::unordered_set<std::uint64_t> seen;
  for (auto at = view.number(list->address); at && *at != list->address; at = view.number(*at)) {
    if (modules.size() == max_modules || !seen.insert(*at).second) {
      notes.push_back("the list of modules has no end");
      return modules;
    }
    const auto module = *at - link->offset;
    ModuleState m;
    const auto address = view.number(module, "module", base, unit),
               bytes = view.number(module, "module", size, unit);
    if (!address || !bytes) {
      notes.push_back(fmt::format("the list of modules leads to {:#x}, which is not in the dump", *at));
      return modules;
    }
    if (const auto state = view.number(module, "module", "state", unit);
        unformed && state && static_cast<std::int64_t>(*state) == *unformed)
      continue;
    m.module.name = view.text_member(module, "module", "name", unit);
    m.module.address = *address;
    m.module.size = *bytes;
    m.sections = sections_of(view, module, unit);
    m.build_id = build_id_of(view, m.sections);
    modules.push_back(std::move(m));
  }
  return modules;
}

}  // namespace kdev::guest
