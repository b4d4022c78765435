// Whatever lies on a stack, in the registers and in the tables for unwinding, a walk up the stack ends, and
// so does reading the variables of its functions. Kernels are those that the unit tests compile.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <kdev/error.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "crash/core/elf_core.hpp"
#include "crash/core/frame_variables.hpp"
#include "crash/core/kernel_image.hpp"
#include "crash/core/unwinder.hpp"
#include "guest/guest.hpp"
#include "unit/crash/core/fake_arm64.hpp"
#include "unit/crash/core/fake_linux.hpp"

using namespace kdev;

namespace {

struct Bytes final : guest::CoreBytes {
  std::string content;
  std::uint64_t size() const override { return content.size(); }
  bool read(std::uint64_t offset, void* to, std::size_t size) const override {
    if (offset > content.size() || size > content.size() - offset) return false;
    if (size) std::memcpy(to, content.data() + offset, size);
    return true;
  }
};

/// A dump in which some of the memory is the input's.
class Target final : public guest::KernelView {
 public:
  /// `written`: names of what is.
  Target(Os os, std::string dump, SymbolSources sources, std::vector<std::string> written)
      : machine_(nullptr) {
    sources.os = os;
    bytes_.content = std::move(dump);
    const auto& g = guest::guest_for(os);
    memory_ = g.core()->open(bytes_);
    int abi = 0;
    if (!memory_) memory_ = crash::open_elf_core(bytes_, &abi);
    rules_ = &g.core()->of_machine(memory_->arch());
    machine_ = crash::machine_for(memory_->arch());
    image_ = std::make_unique<crash::KernelImage>(sources, g.symbols());
    if (memory_->needs_page_tables())
      if (const auto place = rules_->place(*memory_, this))
        memory_->set_page_tables(place->page_tables, place->levels);
    for (const auto& name : written)
      if (const auto s = image_->symbol(name)) written_.push_back({s->address, {}});
    for (const auto* name : {"panic", "greet", "sys_crash", "calltrap", "asm_sysvec_timer", "__schedule",
                             "handle_el1h_sync", "fork_trampoline", "ret_from_fork", "cpu_idle"})
      if (const auto s = image_->symbol(name)) code_.push_back(s->address);
    if (written_.size() != written.size() || code_.size() < 4) std::abort();
  }

  void walk(const std::uint8_t* data, std::size_t size) {
    // Three bytes make a word: part by part, what is written, then registers.
    std::vector<std::uint64_t> words;
    for (std::size_t at = 0; at + 3 <= size; at += 3) words.push_back(word(data + at));
    const std::size_t registers = std::min<std::size_t>(words.size(), 34);
    guest::Registers r;
    for (std::size_t i = 1; i < registers; ++i) r.values[static_cast<int>(i) - 1] = words[i];
    if (registers) r.pc = words[0];
    r.pc_is_return = size % 2;
    if (size % 5) r.values[machine_->stack_pointer] = written_[0].address + size % 64 * 8;
    std::size_t from = registers;
    for (std::size_t i = written_.size(); i-- > 0;) {
      const auto n = i ? std::min<std::size_t>(6, words.size() - from) : words.size() - from;
      written_[i].words.assign(words.begin() + static_cast<std::ptrdiff_t>(from),
                               words.begin() + static_cast<std::ptrdiff_t>(from + n));
      from += n;
    }
    const crash::Unwinder unwinder(*this, *image_, *rules_, *machine_);
    const auto stack = unwinder.walk(r);
    if (stack.size() > 1024) std::abort();
    crash::VariableReader variables(*this, *image_, *rules_, unwinder, stack);
    for (std::size_t i = 0; i < std::min<std::size_t>(stack.size(), 8); ++i) {
      image_->expand(stack[i].pc, stack[i].return_address);
      variables.of(i);
    }
  }

  bool read(std::uint64_t address, void* to, std::size_t size) const override {
    for (const auto& w : written_) {
      const auto there = w.words.size() * 8;
      if (address - w.address >= there || size > there - (address - w.address)) continue;
      std::memcpy(to, reinterpret_cast<const char*>(w.words.data()) + (address - w.address), size);
      return true;
    }
    return memory_->read_virtual(address, to, size);
  }
  const guest::CoreMemory& memory() const override { return *memory_; }
  std::string linked_bytes(std::uint64_t address, std::size_t size) const override {
    return std::string(image_->kernel().file().bytes_at(address, size));
  }
  std::optional<guest::KernelSymbol> symbol(std::string_view name) const override {
    return image_->symbol(name);
  }
  std::optional<guest::Member> member(std::string_view type, std::string_view path,
                                      std::string_view unit) const override {
    return image_->types().member(type, path, unit);
  }
  std::optional<std::uint64_t> size_of(std::string_view type, std::string_view unit) const override {
    return image_->types().size_of(type, unit);
  }
  std::optional<std::int64_t> enumerator(std::string_view name, std::string_view unit) const override {
    return image_->types().enumerator(name, unit);
  }

 private:
  struct Written {
    std::uint64_t address;
    std::vector<std::uint64_t> words;
  };
  std::uint64_t word(const std::uint8_t* from) const {
    const std::uint64_t value = from[1] | from[2] << 8;
    switch (from[0] % 5) {
      case 0:
      case 1:
        return written_[0].address + value % 2048;
      case 2:
        return code_[value % code_.size()] + value / 256 % 40;
      case 3:
        return value;
      default:
        return value << (from[0] % 49);
    }
  }

  Bytes bytes_;
  std::unique_ptr<guest::CoreMemory> memory_;
  const guest::CoreRules* rules_ = nullptr;
  const crash::Machine* machine_;
  std::unique_ptr<crash::KernelImage> image_;
  std::vector<Written> written_;
  std::vector<std::uint64_t> code_;
};

std::vector<std::unique_ptr<Target>> targets() {
  std::vector<std::unique_ptr<Target>> all;
  const std::vector<std::string> orc{"ORC_CALL=0x205", "ORC_REGS=0x305", "ORC_END=0x100", "ORC_HEADER=0xfe"};
  for (const auto& defines : {std::vector<std::string>{}, orc}) {
    const test::LinuxKernel k(defines);
    std::vector<std::string> written{"stacks"};
    if (!defines.empty()) written.insert(written.end(), {"__start_orc_unwind_ip", "__start_orc_unwind"});
    all.push_back(std::make_unique<Target>(Os::linux, k.dump(k.cpu_notes() + k.vmcoreinfo()), k.sources(),
                                           std::move(written)));
  }
  const test::FakeKernel freebsd;
  all.push_back(std::make_unique<Target>(Os::freebsd, freebsd.memory.minidump(3, ""), freebsd.sources(),
                                         std::vector<std::string>{"panic_stack"}));
  if (std::string why; !test::arm64_compiler(why).empty()) {
    const test::Arm64Kernel arm64;
    all.push_back(std::make_unique<Target>(Os::freebsd, arm64.memory.minidump(3, ""), arm64.sources(),
                                           std::vector<std::string>{"panic_stack"}));
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto all = targets();
  if (size == 0) return 0;
  all[data[0] % all.size()]->walk(data + 1, size - 1);
  return 0;
}
