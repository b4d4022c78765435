#include "guest/freebsd/core_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace kdev::guest {
namespace {

constexpr std::string_view linker = "kern/kern_linker.c", object_linker = "kern/link_elf_obj.c",
                           message_buffer = "kern/subr_msgbuf.c";
constexpr std::size_t max_messages = 64u << 20, max_modules = 4096, max_sections = 4096;

/// "<118>" at a line's beginning is the priority of a message that a program logged. `priority` is called
/// with the place in the text, and the number.
template <class Priority>
std::string without_priorities(std::string_view raw, Priority&& priority) {
  std::string text;
  text.reserve(raw.size());
  bool at_line = true;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\0') continue;
    if (at_line && raw[i] == '<') {
      const auto end = raw.find_first_not_of("0123456789", i + 1);
      if (end != std::string_view::npos && end > i + 1 && end < i + 5 && raw[end] == '>') {
        int number = 0;
        for (auto digit = i + 1; digit < end; ++digit) number = number * 10 + (raw[digit] - '0');
        priority(text.size(), number);
        i = end;
        at_line = false;
        continue;
      }
    }
    at_line = raw[i] == '\n';
    text += raw[i];
  }
  return text;
}

std::string raw_messages(const CoreMemory& memory, const KernelView* view) {
  std::string raw = memory.raw_messages();
  if (view) {
    const auto buffer = view->variable("msgbufp");
    const auto field = [&](std::string_view name) {
      return buffer ? view->number(*buffer, "msgbuf", name, message_buffer) : std::nullopt;
    };
    const auto size = field("msg_size"), at = field("msg_ptr"), written = field("msg_wseq");
    if (size && *size && *size <= max_messages && written) {
      if (raw.size() != *size) {
        raw.resize(*size);
        if (!at || !memory.read_virtual(*at, raw.data(), raw.size())) raw = memory.raw_messages();
      }
      if (raw.size() == *size)
        std::rotate(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(*written % *size), raw.end());
    }
  }
  return raw;
}

}  // namespace

std::string freebsd_messages(const CoreMemory& memory, const KernelView* view) {
  return without_priorities(raw_messages(memory, view), [](std::size_t, int) {});
}

std::vector<CoreMessage> freebsd_message_list(const CoreMemory& memory, const KernelView* view) {
  std::unordered_map<std::size_t, int> levels;
  const auto text = without_priorities(raw_messages(memory, view), [&](std::size_t at, int priority) {
    levels[at] = priority & 7;  // LOG_PRI() in sys/syslog.h
  });
  std::vector<CoreMessage> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto level = levels.find(at);
    out.push_back({.level = level == levels.end() ? -1 : level->second, .text = text.substr(at, end - at)});
    at = end + 1;
  }
  return out;
}

namespace {

/// Where the sections of a module lie that is an object file.
std::map<std::string, std::uint64_t> sections_of(const KernelView& view, std::uint64_t file) {
  std::map<std::string, std::uint64_t> sections;
  const auto table = view.number(file, "elf_file", "progtab", object_linker);
  const auto count = view.number(file, "elf_file", "nprogtab", object_linker);
  const auto step = view.size_of("Elf_progent", object_linker);
  if (!table || !count || !step || *count > max_sections) return sections;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto entry = *table + i * *step;
    const auto address = view.number(entry, "Elf_progent", "addr", object_linker);
    const auto name = view.number(entry, "Elf_progent", "name", object_linker);
    if (!address || !name || !*name) continue;
    sections.emplace(view.text(*name), *address);
  }
  return sections;
}

}  // namespace

std::vector<ModuleState> freebsd_modules(const KernelView& view, std::vector<std::string>& notes) {
  std::vector<ModuleState> modules;
  std::unordered_set<std::uint64_t> seen;
  auto file = view.variable("linker_files");
  while (file && *file) {
    if (modules.size() == max_modules || !seen.insert(*file).second) {
      notes.push_back("the list of modules has no end");
      break;
    }
    ModuleState m;
    const auto number = [&](std::string_view name) {
      return view.number(*file, "linker_file", name, linker);
    };
    const auto address = number("address"), size = number("size"), name = number("filename"),
               path = number("pathname");
    if (!address || !size || !name) {
      notes.push_back(fmt::format("the list of modules leads to {:#x}, which is not in the dump", *file));
      break;
    }
    m.module.address = *address;
    m.module.size = *size;
    m.module.name = view.text(*name);
    if (path) m.module.path = view.text(*path, 1024);
    // The class of its linker says whether it is an object file; programs and the kernel lie as they were
    // linked.
    const auto ops = number("ops");
    const auto cls = ops ? view.number(*ops, "kobj_ops", "cls", linker) : std::nullopt;
    const auto cls_name = cls ? view.number(*cls, "kobj_class", "name", linker) : std::nullopt;
    if (cls_name && view.text(*cls_name).ends_with("obj")) m.sections = sections_of(view, *file);
    modules.push_back(std::move(m));
    file = number("link.tqe_next");
  }
  return modules;
}

}  // namespace kdev::guest
