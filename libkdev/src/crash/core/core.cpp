#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "crash/core/core_access.hpp"
#include "crash/core/elf_core.hpp"
#include "crash/core/find_dumps.hpp"
#include "crash/core/frame_variables.hpp"
#include "crash/core/kdump_core.hpp"

namespace kdev {
namespace {

/// More than this at once is no question about a structure.
constexpr std::size_t max_read = 1u << 30;

[[noreturn]] void refuse(const std::string& attempted, std::string reason, std::string hint = {}) {
  throw FormatError(
      {.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

}  // namespace

Core::State::State(const Path& path_, SymbolSources sources, const Deadline& deadline)
    : path(path_),
      attempted("read the dump " + path_.string()),
      file(crash::open_core_file(path_, attempted, deadline)) {
  notes = file.problems;
  const guest::CoreBytes& bytes = *file.bytes;
  // Formats that say little of the kernel, of which a guest has to know whether it is one of its.
  int abi = ELFOSABI_NONE;
  auto plain = crash::open_elf_core(bytes, &abi);
  if (!plain) plain = crash::open_kdump_core(*file.bytes);
  for (const guest::Guest* g : guest::all_guests()) {
    if (!g->core()) continue;
    memory = g->core()->open(bytes);
    if (!memory && plain && g->core()->owns_elf(abi, *plain)) memory = std::move(plain);
    if (memory) {
      guest = g;
      rules = g->core();
      break;
    }
  }
  if (!memory) {
    std::string kind = crash::kind_of_file(bytes), hint;
    if (const auto dumps = crash::dumps_on(bytes); !dumps.empty()) {
      kind = "an image with a dump on it";
      hint = "lift it off first";
    }
    refuse(attempted, fmt::format("it is no dump that kdev reads: it is {}", kind), hint);
  }
  sources.os = guest->os();
  begin(std::move(sources));
}

Core::State::State(const std::string& name, std::unique_ptr<guest::CoreMemory> ram, SymbolSources sources)
    : attempted("read " + name),
      guest(&guest::guest_for(sources.os)),
      rules(guest->core()),
      memory(std::move(ram)) {
  if (!rules) refuse(attempted, "kdev does not know how such a kernel's memory is read");
  begin(std::move(sources));
}

void Core::State::begin(SymbolSources sources) {
  machine = crash::machine_for(memory->arch());
  if (!machine)
    refuse(attempted, fmt::format("it is of a processor that kdev does not know: {}", memory->arch()));
  rules = &rules->of_machine(memory->arch());
  for (auto& problem : memory->problems()) note(std::move(problem));
  if (sources.kernel || !sources.vmlinux.empty()) {
    image = std::make_unique<crash::KernelImage>(sources, guest->symbols());
    view.emplace(*memory, *image);
  }
  if (memory->needs_page_tables()) {
    place = rules->place(*memory, kernel_view());
    if (place) {
      memory->set_page_tables(place->page_tables, place->levels);
      if (image) image->slide(place->slide);
    } else if (image && rules->version(*view).empty()) {
      note(
          "the kernel's page tables are not where its file says: it is not the file of the kernel that "
          "crashed");
    }
  }
  if (image) compare();
}

void Core::State::compare() {
  if (!image->kernel().has_dwarf())
    note(fmt::format("{} has no debug information", image->kernel().file().path().string()));
  const auto version = rules->version(*view);
  std::string built;
  if (const auto symbol = image->symbol(rules->version_symbol()))
    built = image->kernel().file().bytes_at(symbol->address - image->slide_at(symbol->address),
                                            std::min<std::uint64_t>(symbol->size, 1024));
  built = built.substr(0, built.find('\0'));
  const auto id = rules->build_id(*memory), file_id = image->kernel().file().build_id();
  if (!id.empty() && !file_id.empty() && id != file_id)
    note(fmt::format("{} is not the file of the kernel that crashed: its build id is {}, that one's {}",
                     image->kernel().file().path().filename().string(), file_id, id));
  else if (!built.empty() && version != built)
    note(fmt::format("{} is not the file of the kernel that crashed: that one calls itself '{}'",
                     image->kernel().file().path().filename().string(),
                     json::utf8(version.substr(0, version.find('\n')))));
}

void Core::State::note(std::string text) {
  if (std::find(notes.begin(), notes.end(), text) == notes.end() && notes.size() < 100)
    notes.push_back(std::move(text));
}

const std::vector<CoreModule>& Core::State::list_modules() {
  if (modules) return *modules;
  modules.emplace();
  if (!view) return *modules;
  std::vector<std::string> problems;
  for (auto& m : rules->modules(*view, problems)) {
    m.module.name = json::utf8(m.module.name);
    m.module.path = json::utf8(m.module.path);
    // The kernel may list itself: it lies where its file says.
    const bool kernel = image->has_symbols_in(m.module.address, m.module.size);
    if (!kernel) m.module.file = image->add_module(m, problems);
    modules->push_back(std::move(m.module));
  }
  for (auto& p : problems) note(std::move(p));
  return *modules;
}

const std::vector<guest::ThreadState>& Core::State::list_threads() {
  if (threads) return *threads;
  threads.emplace();
  if (!view) return *threads;
  std::vector<std::string> problems;
  *threads = rules->threads(*view, problems);
  for (auto& t : *threads)
    for (auto* s : {&t.thread.process, &t.thread.name, &t.thread.wait_channel}) *s = json::utf8(*s);
  for (auto& p : problems) note(std::move(p));
  return *threads;
}

const guest::ThreadState& Core::State::thread(int tid) {
  for (const auto& t : list_threads())
    if (t.thread.tid == tid) return t;
  throw ConfigError({.attempted = attempted,
                     .reason = fmt::format("it has no thread {}", tid),
                     .hint = view ? "threads() lists them" : "give the kernel that crashed",
                     .log = {}});
}

std::string Core::State::messages() const {
  return json::utf8(rules->messages(*memory, kernel_view()));
}

std::vector<StackFrame> Core::State::frames(const guest::Registers& registers, bool expanded,
                                            bool variables) {
  list_modules();
  std::vector<StackFrame> out;
  const crash::Unwinder unwinder(*view, *image, *rules, *machine);
  const auto stack = unwinder.walk(registers);
  crash::VariableReader reader(*view, *image, *rules, unwinder, stack);
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const auto& a = stack[i];
    auto frames = image->expand(a.pc, a.return_address);
    if (expanded && variables) {
      auto known = reader.of(i);
      for (std::size_t k = 0; known.size() == frames.size() && k < known.size(); ++k) {
        frames[k].args = std::move(known[k].args);
        frames[k].locals = std::move(known[k].locals);
      }
    }
    if (const auto& real = frames.back(); real.function.empty() && !real.module.empty())
      note(fmt::format("no file with symbols for module {}", real.module));
    if (!expanded) {
      // As a console would print it.
      frames.erase(frames.begin(), frames.end() - 1);
      frames[0].file.clear();
      frames[0].source.clear();
      frames[0].line = 0;
    }
    out.insert(out.end(), std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
  }
  return out;
}

Core::Core(const Path& file, SymbolSources symbols, const Deadline& deadline)
    : state_(new State(file, std::move(symbols), deadline)) {}
Core::Core(std::unique_ptr<State> state) : state_(std::move(state)) {}
Core::Core(Core&&) noexcept = default;
Core& Core::operator=(Core&&) noexcept = default;
Core::~Core() = default;

std::string Core::format() const {
  return state_->memory->format() + (state_->file.flattened ? ", flattened" : "");
}
Os Core::os() const {
  return state_->guest->os();
}
std::string Core::arch() const {
  return state_->memory->arch();
}
bool Core::complete() const {
  return state_->file.problems.empty() && state_->memory->problems().empty();
}
std::vector<std::string> Core::notes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->notes;
}

std::string Core::read(std::uint64_t address, std::size_t size) const {
  std::string bytes;
  if (size > max_read) refuse(state_->attempted, fmt::format("{} bytes are too many at once", size));
  bytes.resize(size);
  if (!state_->memory->read_virtual(address, bytes.data(), size))
    refuse(state_->attempted, fmt::format("address {:#x}, {} bytes: not in the dump", address, size),
           state_->memory->needs_page_tables() ? "give the kernel that crashed: its page tables are needed"
                                               : "");
  return bytes;
}

std::string Core::read_physical(std::uint64_t address, std::size_t size) const {
  std::string bytes;
  if (size > max_read) refuse(state_->attempted, fmt::format("{} bytes are too many at once", size));
  bytes.resize(size);
  if (!state_->memory->read_physical(address, bytes.data(), size))
    refuse(state_->attempted,
           fmt::format("physical address {:#x}, {} bytes: not in the dump", address, size));
  return bytes;
}

std::string Core::panic() const {
  const std::lock_guard lock(state_->mutex);
  return state_->view ? json::utf8(state_->rules->panic(*state_->view)) : std::string();
}
std::string Core::version() const {
  const std::lock_guard lock(state_->mutex);
  return state_->view ? json::utf8(state_->rules->version(*state_->view)) : std::string();
}
std::string Core::dmesg() const {
  const std::lock_guard lock(state_->mutex);
  return state_->messages();
}
std::optional<double> Core::uptime() const {
  const std::lock_guard lock(state_->mutex);
  return state_->view ? state_->rules->uptime(*state_->view) : std::nullopt;
}
std::vector<CoreModule> Core::modules() const {
  const std::lock_guard lock(state_->mutex);
  return state_->list_modules();
}
std::vector<CoreThread> Core::threads() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<CoreThread> list;
  for (const auto& t : state_->list_threads()) {
    list.push_back(t.thread);
    list.back().wait_channel = state_->wait_channel(t);
  }
  return list;
}
std::vector<CoreCpu> Core::cpus() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->view) return {};
  std::vector<std::string> problems;
  auto cpus = state_->rules->cpus(*state_->view, problems);
  for (auto& p : problems) state_->note(std::move(p));
  return cpus;
}

std::map<std::string, std::string> Core::registers(int tid) const {
  const std::lock_guard lock(state_->mutex);
  std::map<std::string, std::string> named;
  const auto& t = state_->thread(tid);
  if (!t.registers) return named;
  named[std::string(state_->machine->pc_name)] = fmt::format("{:#x}", t.registers->pc);
  for (const auto& [name, number] : state_->machine->names)
    if (const auto it = t.registers->values.find(number); it != t.registers->values.end())
      named[std::string(name)] = fmt::format("{:#x}", it->second);
  return named;
}

StackTrace Core::stack(int tid, bool variables) const {
  const std::lock_guard lock(state_->mutex);
  const auto& t = state_->thread(tid);
  StackTrace trace;
  trace.name = fmt::format("thread {} of {} ({})", tid, t.thread.pid, t.thread.process);
  if (t.registers) trace.frames = state_->frames(*t.registers, true, variables);
  return trace;
}

crash::CoreFiles crash::CoreMaker::files(const Core& core) {
  const std::lock_guard lock(core.state_->mutex);
  Core::State& s = *core.state_;
  CoreFiles files;
  if (!s.image) return files;
  files.kernel = s.image->kernel().file().path();
  for (const CoreModule& m : s.list_modules())
    if (!m.file.empty()) files.modules.push_back(m.file);
  for (const guest::ThreadState& t : s.list_threads()) {
    if (!t.registers) continue;
    for (const StackFrame& f : s.frames(*t.registers, true))
      if (f.line > 0) files.sources.try_emplace(f.file, s.image->source_file(f.file));
  }
  return files;
}

}  // namespace kdev
