#pragma once
// Machine code as far as a fault's explanation needs it, by Capstone. Registers are by their DWARF numbers.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::crash {

struct MemoryOperand {
  int base = -1, index = -1;      ///< -1: none, or one that DWARF does not number
  std::string base_name{};        ///< "rdi"
  std::int64_t displacement = 0;  ///< bytes
  int scale = 1;
  unsigned size = 0;  ///< bytes accessed; 0: unknown
  bool read = false, write = false;
  bool relative = false;  ///< to the instruction's own address, or to a segment: to no register's value
};

struct Instruction {
  /// What it does to a register, where that is to be followed back.
  enum class Effect { other, load, copy, address, call };
  std::uint64_t address = 0;
  unsigned size = 0;  ///< bytes
  std::string text{};
  std::vector<MemoryOperand> memory{};
  Effect effect = Effect::other;
  int to = -1, from = -1;                 ///< of a copy both, of a load and an address the first
  std::vector<int> written{};             ///< registers that it changes
  std::optional<std::uint64_t> target{};  ///< of a direct jump or call
  bool ends_block = false;                ///< what is behind it is not reached from it: a jump, a return
  int called = -1;                        ///< the register that an indirect call goes by, if it is one
  std::optional<std::int64_t> added{};    ///< a constant that it adds to `to`
  bool shadow = false;                    ///< it makes `to` the number of its 8 bytes, as KASAN does
};

/// Decodes a processor's code. Not thread-safe.
class Disassembler {
 public:
  /// Of an ELF file's e_machine; check known() before use.
  explicit Disassembler(int machine);
  ~Disassembler();
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;
  bool known() const { return handle_ != 0; }
  /// The instruction at the beginning of `code`; nothing: it is none.
  std::optional<Instruction> first(std::string_view code, std::uint64_t address) const;
  /// All up to where there is none.
  std::vector<Instruction> all(std::string_view code, std::uint64_t address) const;
  /// "rdi" of a register; empty: it has none.
  std::string name(int dwarf_number) const;
  /// DWARF number of a register as reports print it: "RDI", "R08", "x0"; -1: none.
  int number(std::string_view printed) const;
  /// The register that a function returns a value in.
  int result() const { return 0; }
  /// The register that a thunk for indirect calls, by its name, goes by; -1: it is none.
  int thunk_register(std::string_view function) const;

 private:
  std::size_t handle_ = 0;
  bool x86_ = false;
};

}  // namespace kdev::crash
