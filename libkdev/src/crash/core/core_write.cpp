// Core's ways to a file.
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "crash/core/core_state.hpp"
#include "crash/core/elf_writer.hpp"
#include "crash/core/kdump_writer.hpp"
#include "guest/gdb_rules.hpp"
#include "guest/prstatus.hpp"
#include "host/hostfs.hpp"
#include "host/sparse_file.hpp"

namespace kdev {
namespace {

/// Whoever may read a dump may read all that the machine knew.
constexpr unsigned mode = 0600;

[[noreturn]] void refuse(const std::string& attempted, std::string reason, std::string hint = {}) {
  throw FormatError(
      {.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}
[[noreturn]] void cannot(const std::string& attempted, std::string reason, std::string hint = {}) {
  throw ConfigError(
      {.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

/// For gdb's commands, which are split at blanks.
std::string quoted(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// Their headers, and notes of registers.
void need_x86_64(const std::string& attempted, const std::string& arch) {
  if (arch != "x86_64")
    cannot(attempted, fmt::format("kdev writes dumps of x86_64 only: this one is of {}", arch));
}

std::uint64_t total(const std::vector<guest::MemoryRange>& ranges) {
  std::uint64_t size = 0;
  for (const auto& r : ranges) size += r.size;
  return size;
}

}  // namespace

std::vector<guest::MemoryRange> Core::State::kept(const std::vector<PageKind>& leave_out,
                                                  const std::string& attempted, const Deadline& deadline) {
  std::vector<std::string> problems = file.problems;
  for (auto& p : memory->problems()) problems.push_back(std::move(p));
  if (!problems.empty()) refuse(attempted, fmt::format("{} is not complete: {}", path.string(), problems[0]));
  auto ranges = memory->physical_ranges();
  if (ranges.empty()) refuse(attempted, fmt::format("{} has no memory", path.string()));
  if (leave_out.empty()) return ranges;
  const auto pages = view ? rules->pages_of(*view, leave_out, deadline) : std::nullopt;
  if (!pages)
    cannot(attempted, "what its pages are for is not known, so none can be left out",
           view ? "kdev does not know the lists of this kernel" : "give the kernel that crashed");
  return without(ranges, *pages);
}

/// All threads: the panicked one first, then those that ran. Without them, what the dump has of CPUs.
std::vector<guest::CoreNote> Core::State::thread_notes() {
  const auto known = memory->notes();
  std::vector<const guest::ThreadState*> order;
  for (const auto& t : list_threads()) order.push_back(&t);
  if (order.empty()) return known;
  const auto rank = [](const guest::ThreadState* t) {
    return t->thread.panicked ? 0 : t->thread.cpu >= 0 ? 1 : 2;
  };
  std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
  std::vector<guest::CoreNote> notes;
  for (const auto* t : order) {
    // gdb knows no thread 0.
    const int tid = t->thread.tid ? t->thread.tid : -1;
    notes.push_back(guest::write_prstatus(static_cast<std::uint32_t>(tid), t->registers, known));
  }
  for (auto& n : rules->self_notes(*memory, kernel_view(), place ? &*place : nullptr))
    notes.push_back(std::move(n));
  return notes;
}

/// As a machine wrote them, or one for each CPU in their order, as a kernel does.
std::vector<guest::CoreNote> Core::State::cpu_notes() {
  const auto known = memory->notes();
  std::vector<std::string> problems;
  const auto cpus =
      view && !memory->made_by_machine() ? rules->cpus(*view, problems) : std::vector<CoreCpu>();
  std::vector<guest::CoreNote> notes;
  for (const auto& cpu : cpus) {
    std::optional<guest::Registers> registers;
    for (const auto& t : list_threads())
      if (t.thread.cpu == cpu.id && t.thread.tid == cpu.tid) registers = t.registers;
    notes.push_back(
        guest::write_prstatus(static_cast<std::uint32_t>(std::max(cpu.tid, 0)), registers, known));
  }
  if (cpus.empty())
    for (const auto& n : known)
      if (n.name != "VMCOREINFO") notes.push_back(n);
  for (auto& n : rules->self_notes(*memory, kernel_view(), place ? &*place : nullptr))
    notes.push_back(std::move(n));
  return notes;
}

/// gdb puts a kernel where its file says: one that KASLR moved is read as symbols alone.
std::vector<std::string> Core::State::gdb_command(const Path& core) const {
  std::vector<std::string> command{"gdb"};
  if (const auto* gdb = guest->gdb())
    for (auto& line : gdb->core_setup()) command.insert(command.end(), {"-iex", std::move(line)});
  if (!image) {
    command.insert(command.end(), {"-c", core.string()});
    return command;
  }
  const auto vmlinux = hostfs::absolute(image->kernel().file().path()).string();
  if (const auto slide = place ? place->slide : 0)
    command.insert(command.end(), {"-c", core.string(), "-ex",
                                   fmt::format("symbol-file -o {:#x} {}", slide, quoted(vmlinux))});
  else
    command.insert(command.end(), {vmlinux, core.string()});
  std::vector<std::string> problems;
  for (const auto& m : rules->modules(*view, problems)) {
    const auto listed = std::find_if(modules->begin(), modules->end(), [&](const CoreModule& c) {
      return c.address == m.module.address && !c.file.empty();
    });
    if (listed == modules->end() || m.sections.empty()) continue;
    std::string add = "add-symbol-file " + quoted(hostfs::absolute(listed->file).string());
    for (const auto& [name, address] : m.sections)
      if (name.starts_with('.')) add += fmt::format(" -s {} {:#x}", name, address);
    command.insert(command.end(), {"-ex", std::move(add)});
  }
  return command;
}

WrittenDump Core::write_elf(const Path& file, const std::vector<PageKind>& leave_out,
                            const Deadline& deadline) const {
  const std::string attempted =
      fmt::format("write {} as ELF core file {}", state_->path.string(), file.string());
  need_x86_64(attempted, arch());
  WrittenDump done;
  crash::ElfContent content{.memory = *state_->memory};
  {
    const std::lock_guard lock(state_->mutex);
    const auto ranges = state_->kept(leave_out, attempted, deadline);
    content.mappings = within(state_->memory->kernel_mappings(deadline), ranges);
    if (content.mappings.empty())
      refuse(attempted, "the kernel's page tables are not known",
             state_->image ? "" : "give the kernel that crashed");
    state_->list_modules();
    content.notes = state_->thread_notes();
    content.abi = state_->rules->elf_abi();
    done.file = hostfs::absolute(file);
    done.command = state_->gdb_command(done.file);
    if (const auto* gdb = state_->guest->gdb()) done.script = gdb->script();
    done.notes = state_->notes;
    done.memory = total(ranges);
  }
  AtomicFile out(file);
  const auto written = crash::write_elf_core(content, out, attempted, deadline);
  out.commit(mode);
  if (written != done.memory)
    done.notes.push_back(fmt::format(
        "{} bytes of physical memory are at no address of the kernel's: left out", done.memory - written));
  done.memory = written;
  done.size = real_size(done.file);
  return done;
}

WrittenDump Core::write_kdump(const Path& file, KdumpCompression compression,
                              const std::vector<PageKind>& leave_out, const Deadline& deadline) const {
  const std::string attempted =
      fmt::format("write {} as kdump-compressed file {}", state_->path.string(), file.string());
  need_x86_64(attempted, arch());
  WrittenDump done;
  crash::KdumpContent content{.memory = *state_->memory, .left_out = leave_out, .compression = compression};
  {
    const std::lock_guard lock(state_->mutex);
    const auto& s = *state_;
    const auto header = s.rules->kdump_header(*s.memory, s.kernel_view(), s.place ? &*s.place : nullptr);
    if (!header)
      cannot(attempted,
             "what its header has to say of the kernel is not known: it is of a system without such files,"
             " or says too little of itself",
             s.view ? "write an ELF core file" : "give the kernel that crashed");
    content.header = *header;
    content.written = state_->kept(leave_out, attempted, deadline);
    content.there = s.memory->physical_ranges();
    content.notes = state_->cpu_notes();
    content.cpus =
        static_cast<int>(std::count_if(content.notes.begin(), content.notes.end(),
                                       [](const auto& n) { return guest::read_prstatus(n).has_value(); }));
    done.file = hostfs::absolute(file);
    done.command = {"crash"};
    if (s.image) done.command.push_back(hostfs::absolute(s.image->kernel().file().path()).string());
    done.command.push_back(done.file.string());
    done.notes = s.notes;
    done.memory = total(content.written);
  }
  AtomicFile out(file);
  crash::write_kdump_core(content, out, attempted, deadline);
  out.commit(mode);
  done.size = real_size(done.file);
  return done;
}

}  // namespace kdev
