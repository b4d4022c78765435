#pragma once
// What a crash says beyond its stacks: the access that faulted, values that are marks, the slab object that
// was misused.
#include <cstdint>
#include <kdev/export.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// A member of a structure that an access may have meant.
struct FaultMember {
  std::string expression{};  ///< "foo->bar.baz"; empty: only the type is known
  std::string variable{};    ///< that it begins with: "foo"
  std::string type{};        ///< what the pointer points to: "struct foo"
  std::string member{};      ///< path in it: "bar.baz", "list[2].next"; empty: it has none there
  std::uint64_t offset = 0;  ///< bytes into the type
  bool operator==(const FaultMember&) const = default;
};

/// A memory access, or a jump, that faulted.
struct FaultInfo {
  std::optional<std::uint64_t> address{};  ///< that could not be accessed
  std::string access{};                    ///< "read", "write", "execute"; empty: unknown
  std::uint64_t pc = 0;                    ///< of the instruction, as the report has it; 0: unknown
  std::string instruction{};               ///< "mov rax, qword ptr [rdi + 0x28]"; of a jump, the call
  std::string base_register{};             ///< of its memory operand, as reports print it: "RDI"
  std::optional<std::uint64_t> base_value{};
  std::int64_t displacement = 0;  ///< bytes, the index register's part in it where its value is known
  /// The debug information says so; else members are those that fit.
  bool certain = false;
  std::vector<FaultMember> members{};  ///< the best first; at most one when it is certain
  std::string poison{};                ///< what the address, or the pointer, is a mark of; empty: of nothing
  std::string explanation{};           ///< one sentence of all that
  bool operator==(const FaultInfo&) const = default;
};

/// A register that holds a mark: of memory that was freed, of a list's removed entry, of an error.
struct PoisonedRegister {
  std::string name{};  ///< as the report prints it
  std::uint64_t value = 0;
  std::string meaning{};
  bool operator==(const PoisonedRegister&) const = default;
};

/// The object of an allocator that was accessed out of its bounds, or after it was freed.
struct SlabObject {
  std::uint64_t address = 0;             ///< of its first byte; 0: not printed
  std::uint64_t size = 0;                ///< bytes; 0: not printed
  std::string cache{};                   ///< "kmalloc-96", "UMA Zones"; empty: not printed
  std::optional<std::int64_t> offset{};  ///< bytes from its first byte to the access; may lie outside
  std::uint64_t access = 0;              ///< the accessed address; 0: not printed
  std::uint64_t access_size = 0;         ///< bytes; 0: not printed
  std::string state{};                   ///< "freed", "allocated"; empty: not printed
  std::string allocated_by{};            ///< function; empty: not printed
  int allocated_pid = -1;
  std::string freed_by{};  ///< likewise
  int freed_pid = -1;
  std::string last_user{};  ///< what the memory was last used for, as FreeBSD names types of memory
  bool operator==(const SlabObject&) const = default;
};

}  // namespace kdev
