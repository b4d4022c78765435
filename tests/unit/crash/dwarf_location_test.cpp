// Expressions as compilers write them, and as nobody should.
#include "crash/dwarf_location.hpp"

#include <dwarf.h>
#include <gmock/gmock.h>

#include <cstring>
#include <limits>

namespace kdev::crash {
namespace {

using Kind = DwarfPiece::Kind;

/// Memory that holds at each address the address itself, up to 0x10000.
class Memory final : public guest::KernelView, public guest::CoreMemory {
 public:
  bool read(std::uint64_t address, void* to, std::size_t size) const override {
    if (address > 0x10000 || size > 8) return false;
    std::memcpy(to, &address, size);
    return true;
  }
  const guest::CoreMemory& memory() const override { return *this; }
  std::string linked_bytes(std::uint64_t, std::size_t) const override { return {}; }
  std::optional<guest::KernelSymbol> symbol(std::string_view) const override { return {}; }
  std::optional<guest::Member> member(std::string_view, std::string_view, std::string_view) const override {
    return {};
  }
  std::optional<std::uint64_t> size_of(std::string_view, std::string_view) const override { return {}; }
  std::optional<std::int64_t> enumerator(std::string_view, std::string_view) const override { return {}; }
  std::string format() const override { return {}; }
  std::string arch() const override { return {}; }
  bool read_physical(std::uint64_t, void*, std::size_t) const override { return false; }
  bool read_virtual(std::uint64_t, void*, std::size_t) const override { return false; }
  std::vector<guest::MemoryRange> physical_ranges() const override { return {}; }
};

struct Op {
  unsigned atom;
  std::uint64_t number = 0, number2 = 0;
};

class DwarfLocationTest : public testing::Test {
 protected:
  /// Each operation takes 3 bytes: what DW_OP_skip counts.
  DwarfLocation run(const std::vector<Op>& list) {
    std::vector<Dwarf_Op> ops;
    for (const auto& op : list)
      ops.push_back({static_cast<std::uint8_t>(op.atom), op.number, op.number2, ops.size() * 3});
    return evaluate(ops.data(), ops.size(), frame, nullptr, limits);
  }
  /// Of a value that was computed.
  std::optional<std::uint64_t> value(std::vector<Op> list) {
    list.push_back({DW_OP_stack_value});
    const auto found = run(list);
    return found.size() == 1 && found[0].kind == Kind::value ? number_at(found) : std::nullopt;
  }
  Kind kind(const std::vector<Op>& list) { return run(list)[0].kind; }

  Memory memory;
  guest::Registers registers{.values = {{3, 0x1000}, {7, 0x8000}}};
  DwarfLimits limits;
  DwarfFrame frame{.memory = &memory, .registers = &registers, .cfa = 0x9000, .slide = 0x100};
};

TEST_F(DwarfLocationTest, Places) {
  const auto reg = run({{DW_OP_reg3}});
  EXPECT_EQ(Kind::value, reg[0].kind);
  EXPECT_EQ(3, reg[0].reg);
  EXPECT_EQ(0x1000u, number_at(reg));
  EXPECT_EQ(0x1000u, number_at(run({{DW_OP_regx, 3}})));
  const auto at = run({{DW_OP_breg7, static_cast<std::uint64_t>(-16)}});
  EXPECT_EQ(Kind::memory, at[0].kind);
  EXPECT_EQ(0x7ff0u, at[0].address);
  EXPECT_EQ(0x8004u, run({{DW_OP_bregx, 7, 4}})[0].address);
  EXPECT_EQ(0x8ff8u,
            run({{DW_OP_call_frame_cfa}, {DW_OP_const1s, static_cast<std::uint64_t>(-8)}, {DW_OP_plus}})[0]
                .address);
  // A file's address moves with the kernel; a number does not.
  EXPECT_EQ(0x5100u, run({{DW_OP_addr, 0x5000}})[0].address);
  EXPECT_EQ(0x2000u, value({{DW_OP_const2u, 0x2000}, {DW_OP_deref}}));
  EXPECT_EQ(0x34u, value({{DW_OP_const2u, 0x1234}, {DW_OP_deref_size, 1}}));
}

TEST_F(DwarfLocationTest, WhatIsNotThere) {
  EXPECT_EQ(Kind::optimized_out, kind({}));
  EXPECT_EQ(Kind::optimized_out, kind({{DW_OP_reg0}}));  // a call does not preserve it
  EXPECT_EQ(Kind::optimized_out, kind({{DW_OP_breg0, 8}}));
  EXPECT_EQ(Kind::optimized_out, kind({{DW_OP_regx, ~0ull}}));
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_const4u, 0x20000}, {DW_OP_deref}, {DW_OP_stack_value}}));
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_form_tls_address}}));
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_fbreg, 8}}));  // of no function
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_entry_value, 1}}));
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_implicit_value, 1}}));
  EXPECT_EQ(Kind::synthetic_pointer, kind({{DW_OP_implicit_pointer, 1}}));
  frame.cfa.reset();
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_call_frame_cfa}}));
}

TEST_F(DwarfLocationTest, Pieces) {
  const auto found = run({{DW_OP_reg3},
                          {DW_OP_piece, 4},
                          {DW_OP_piece, 4},
                          {DW_OP_reg0},
                          {DW_OP_piece, 8},
                          {DW_OP_breg7, 0},
                          {DW_OP_piece, 8},
                          {DW_OP_lit5},
                          {DW_OP_stack_value},
                          {DW_OP_piece, 1}});
  std::vector<std::pair<Kind, std::uint64_t>> kinds;
  for (const auto& piece : found) kinds.emplace_back(piece.kind, piece.size);
  EXPECT_THAT(kinds, testing::ElementsAre(std::pair(Kind::value, 4), std::pair(Kind::optimized_out, 4),
                                          std::pair(Kind::optimized_out, 8), std::pair(Kind::memory, 8),
                                          std::pair(Kind::value, 1)));
  EXPECT_EQ(0x8000u, found[3].address);
  EXPECT_EQ(5, found[4].bytes[0]);
  EXPECT_EQ(0x8002u, run({{DW_OP_breg7, 0}, {DW_OP_bit_piece, 16, 16}})[0].address);
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_reg3}, {DW_OP_bit_piece, 3, 0}}));
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_reg3}, {DW_OP_piece, 1u << 30}}));
  EXPECT_LE(run(std::vector<Op>(4000, {DW_OP_piece, 1})).size(), 256u);
}

TEST_F(DwarfLocationTest, Arithmetic) {
  const auto minus = static_cast<std::uint64_t>(-7);
  EXPECT_EQ(static_cast<std::uint64_t>(-3), value({{DW_OP_const1s, minus}, {DW_OP_lit2}, {DW_OP_div}}));
  EXPECT_EQ(1u, value({{DW_OP_lit7}, {DW_OP_lit3}, {DW_OP_mod}}));
  EXPECT_EQ(static_cast<std::uint64_t>(-4), value({{DW_OP_const1s, minus}, {DW_OP_lit1}, {DW_OP_shra}}));
  EXPECT_EQ(minus >> 1, value({{DW_OP_const1s, minus}, {DW_OP_lit1}, {DW_OP_shr}}));
  EXPECT_EQ(0u, value({{DW_OP_lit1}, {DW_OP_const1u, 64}, {DW_OP_shl}}));
  EXPECT_EQ(0u, value({{DW_OP_lit1}, {DW_OP_const1u, 200}, {DW_OP_shr}}));
  EXPECT_EQ(~0ull, value({{DW_OP_const1s, minus}, {DW_OP_const1u, 200}, {DW_OP_shra}}));
  EXPECT_EQ(1u, value({{DW_OP_const1s, minus}, {DW_OP_lit2}, {DW_OP_lt}}));
  EXPECT_EQ(7u, value({{DW_OP_const1s, minus}, {DW_OP_abs}}));
  EXPECT_EQ(7u, value({{DW_OP_const1s, minus}, {DW_OP_neg}}));
  EXPECT_EQ(6u, value({{DW_OP_const1s, minus}, {DW_OP_not}}));
  EXPECT_EQ(0x0fu ^ 0x3c, value({{DW_OP_const1u, 0x0f}, {DW_OP_const1u, 0x3c}, {DW_OP_xor}}));
  EXPECT_EQ(12u, value({{DW_OP_lit3}, {DW_OP_plus_uconst, 9}}));
  const auto lowest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(lowest, value({{DW_OP_const8u, lowest}, {DW_OP_const1s, ~0ull}, {DW_OP_div}}));
  EXPECT_EQ(std::nullopt, value({{DW_OP_lit1}, {DW_OP_lit0}, {DW_OP_div}}));
  EXPECT_EQ(std::nullopt, value({{DW_OP_lit1}, {DW_OP_lit0}, {DW_OP_mod}}));
}

TEST_F(DwarfLocationTest, TheStackAndJumps) {
  EXPECT_EQ(2u, value({{DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_swap}, {DW_OP_drop}}));
  EXPECT_EQ(1u, value({{DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_over}}));
  EXPECT_EQ(1u, value({{DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_lit3}, {DW_OP_pick, 2}}));
  // The top one goes below the two others.
  EXPECT_EQ(2u, value({{DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_lit3}, {DW_OP_rot}}));
  EXPECT_EQ(3u, value({{DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_lit3}, {DW_OP_rot}, {DW_OP_drop}, {DW_OP_drop}}));
  // Over what would be no expression.
  EXPECT_EQ(4u, value({{DW_OP_lit4}, {DW_OP_skip, 3}, {DW_OP_div}}));
  EXPECT_EQ(5u, value({{DW_OP_lit5}, {DW_OP_lit1}, {DW_OP_bra, 3}, {DW_OP_div}}));
  EXPECT_EQ(6u, value({{DW_OP_lit3}, {DW_OP_lit0}, {DW_OP_bra, 3}, {DW_OP_plus_uconst, 3}}));
  for (const unsigned atom : {DW_OP_drop, DW_OP_dup, DW_OP_over, DW_OP_swap, DW_OP_rot, DW_OP_plus,
                              DW_OP_deref, DW_OP_neg, DW_OP_stack_value, DW_OP_bra})
    EXPECT_EQ(Kind::unavailable, kind({{atom}})) << atom;
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_lit1}, {DW_OP_pick, ~0ull}}));
}

TEST_F(DwarfLocationTest, WhatDoesNotEndIsEnded) {
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_skip, static_cast<std::uint16_t>(-3)}}));
  limits = {};
  EXPECT_EQ(Kind::unavailable, kind({{DW_OP_lit1}, {DW_OP_skip, static_cast<std::uint16_t>(-6)}}));
  limits = {};
  EXPECT_EQ(Kind::unavailable, kind(std::vector<Op>(1000, {DW_OP_lit1})));
  EXPECT_EQ(Kind::unavailable, kind(std::vector<Op>(100000, {DW_OP_nop})));
}

}  // namespace
}  // namespace kdev::crash
