#include "crash/instruction.hpp"

#include <capstone/capstone.h>
#include <elf.h>

#include <algorithm>
#include <array>
#include <memory>

namespace kdev::crash {
namespace {

/// By DWARF number (System V ABI for AMD64, figure 3.36), with the parts of each.
constexpr std::array<std::array<int, 5>, 16> x86_registers{{
    {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
    {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
    {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
    {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
    {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL, 0},
    {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL, 0},
    {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL, 0},
    {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL, 0},
    {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B, 0},
    {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B, 0},
    {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B, 0},
    {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B, 0},
    {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B, 0},
    {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B, 0},
    {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B, 0},
    {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B, 0},
}};

int x86_number(int reg) {
  for (std::size_t i = 0; i < x86_registers.size(); ++i)
    for (const int part : x86_registers[i])
      if (part && part == reg) return static_cast<int>(i);
  return -1;
}
bool x86_whole(int reg) {
  const int n = x86_number(reg);
  return n >= 0 && x86_registers[static_cast<std::size_t>(n)][0] == reg;
}

/// DWARF for the Arm 64-bit Architecture: x0 to x30, then sp.
int arm_number(int reg) {
  if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28) return reg - ARM64_REG_X0;
  if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30) return reg - ARM64_REG_W0;
  if (reg == ARM64_REG_X29) return 29;
  if (reg == ARM64_REG_X30) return 30;
  if (reg == ARM64_REG_SP || reg == ARM64_REG_WSP) return 31;
  return -1;
}

void read_x86(const cs_insn& insn, Instruction& out) {
  using Effect = Instruction::Effect;
  const cs_x86& d = insn.detail->x86;
  const bool is_address = insn.id == X86_INS_LEA;
  // Those that only name an address do not access it.
  const bool accesses = !is_address && insn.id != X86_INS_NOP;
  for (int i = 0; i < d.op_count; ++i) {
    const cs_x86_op& op = d.operands[i];
    if (op.type != X86_OP_MEM || (!accesses && !is_address)) continue;
    MemoryOperand m;
    m.base = x86_number(op.mem.base);
    m.index = x86_number(op.mem.index);
    m.scale = op.mem.scale;
    m.displacement = op.mem.disp;
    m.size = op.size;
    m.read = accesses && (op.access & CS_AC_READ);
    m.write = accesses && (op.access & CS_AC_WRITE);
    m.relative = op.mem.base == X86_REG_RIP || op.mem.segment == X86_REG_GS || op.mem.segment == X86_REG_FS;
    out.memory.push_back(std::move(m));
  }
  const auto* ops = d.operands;
  const bool to_register = d.op_count > 0 && ops[0].type == X86_OP_REG;
  if (to_register) out.to = x86_number(ops[0].reg);
  if (insn.id == X86_INS_MOV && d.op_count == 2 && to_register && x86_whole(ops[0].reg)) {
    if (ops[1].type == X86_OP_MEM) out.effect = Effect::load;
    if (ops[1].type == X86_OP_REG && x86_whole(ops[1].reg)) {
      out.effect = Effect::copy;
      out.from = x86_number(ops[1].reg);
    }
  } else if (is_address && to_register && x86_whole(ops[0].reg)) {
    out.effect = Effect::address;
  } else if (insn.id == X86_INS_CALL) {
    out.effect = Effect::call;
    if (ops[0].type == X86_OP_REG) out.called = x86_number(ops[0].reg);
    out.to = -1;
  } else if ((insn.id == X86_INS_ADD || insn.id == X86_INS_SUB) && to_register && d.op_count == 2 &&
             ops[1].type == X86_OP_IMM) {
    out.added = insn.id == X86_INS_ADD ? ops[1].imm : -ops[1].imm;
  } else if (insn.id == X86_INS_SHR && to_register && d.op_count == 2 && ops[1].type == X86_OP_IMM &&
             ops[1].imm == 3) {
    out.shadow = true;
  }
  if (d.op_count == 1 && ops[0].type == X86_OP_IMM) out.target = static_cast<std::uint64_t>(ops[0].imm);
}

void read_arm(const cs_insn& insn, Instruction& out) {
  using Effect = Instruction::Effect;
  const cs_arm64& d = insn.detail->arm64;
  // Capstone 4 does not say of all which way they go; stores' names do.
  const std::string_view name = insn.mnemonic;
  const bool store = name.starts_with("st"), load = name.starts_with("ld");
  for (int i = 0; i < d.op_count; ++i) {
    const cs_arm64_op& op = d.operands[i];
    if (op.type != ARM64_OP_MEM) continue;
    MemoryOperand m;
    m.base = arm_number(op.mem.base);
    m.index = arm_number(op.mem.index);
    m.displacement = op.mem.disp;
    m.scale = op.shift.type == ARM64_SFT_LSL && op.shift.value < 8 ? 1 << op.shift.value : 1;
    m.read = load;
    m.write = store;
    out.memory.push_back(std::move(m));
  }
  const auto* ops = d.operands;
  if (d.op_count > 0 && ops[0].type == ARM64_OP_REG && !store) out.to = arm_number(ops[0].reg);
  if (insn.id == ARM64_INS_LDR && d.op_count == 2 && out.to >= 0 && ops[1].type == ARM64_OP_MEM)
    out.effect = Effect::load;
  if (insn.id == ARM64_INS_MOV && d.op_count == 2 && ops[1].type == ARM64_OP_REG) {
    out.from = arm_number(ops[1].reg);
    if (out.to >= 0 && out.from >= 0) out.effect = Effect::copy;
  }
  if (insn.id == ARM64_INS_BL || insn.id == ARM64_INS_BLR) {
    out.effect = Effect::call;
    if (ops[0].type == ARM64_OP_REG) out.called = arm_number(ops[0].reg);
    out.to = -1;
  }
  const bool branch = name.starts_with("b") || name.starts_with("cb") || name.starts_with("tb");
  const auto& last = ops[d.op_count > 0 ? d.op_count - 1 : 0];
  if (branch && d.op_count > 0 && last.type == ARM64_OP_IMM)
    out.target = static_cast<std::uint64_t>(last.imm);
}

constexpr std::size_t most_instructions = 1 << 16;

}  // namespace

Disassembler::Disassembler(int machine) : x86_(machine == EM_X86_64) {
  if (!x86_ && machine != EM_AARCH64) return;
  csh handle = 0;
  if (cs_open(x86_ ? CS_ARCH_X86 : CS_ARCH_ARM64, x86_ ? CS_MODE_64 : CS_MODE_LITTLE_ENDIAN, &handle) !=
      CS_ERR_OK)
    return;
  cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
  handle_ = handle;
}

Disassembler::~Disassembler() {
  csh handle = handle_;
  if (handle) cs_close(&handle);
}

std::optional<Instruction> Disassembler::first(std::string_view code, std::uint64_t address) const {
  if (!handle_) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(code.data());
  std::size_t size = code.size();
  const std::uint64_t begin = address;
  const std::unique_ptr<cs_insn, void (*)(cs_insn*)> insn(cs_malloc(handle_),
                                                          [](cs_insn* i) { cs_free(i, 1); });
  if (!insn || !cs_disasm_iter(handle_, &bytes, &size, &address, insn.get())) return std::nullopt;
  Instruction out;
  out.address = begin;
  out.size = insn->size;
  out.text = insn->mnemonic;
  if (insn->op_str[0]) out.text += std::string(" ") + insn->op_str;
  if (x86_)
    read_x86(*insn, out);
  else
    read_arm(*insn, out);
  cs_regs read, write;
  std::uint8_t reads = 0, writes = 0;
  if (cs_regs_access(handle_, insn.get(), read, &reads, write, &writes) == CS_ERR_OK)
    for (int i = 0; i < writes; ++i)
      if (const int n = x86_ ? x86_number(write[i]) : arm_number(write[i]); n >= 0) out.written.push_back(n);
  out.ends_block = insn->id == static_cast<unsigned>(x86_ ? static_cast<int>(X86_INS_JMP) : ARM64_INS_B) ||
                   cs_insn_group(handle_, insn.get(), CS_GRP_RET) ||
                   cs_insn_group(handle_, insn.get(), CS_GRP_IRET);
  for (auto& m : out.memory) m.base_name = name(m.base);
  return out;
}

std::vector<Instruction> Disassembler::all(std::string_view code, std::uint64_t address) const {
  std::vector<Instruction> list;
  while (!code.empty() && list.size() < most_instructions) {
    auto next = first(code, address);
    if (!next || next->size == 0) break;
    code.remove_prefix(next->size);
    address += next->size;
    list.push_back(std::move(*next));
  }
  return list;
}

std::string Disassembler::name(int number) const {
  if (!handle_ || number < 0) return {};
  int reg = 0;
  if (x86_) {
    if (number >= static_cast<int>(x86_registers.size())) return {};
    reg = x86_registers[static_cast<std::size_t>(number)][0];
  } else {
    if (number > 31) return {};
    reg = number == 31   ? static_cast<int>(ARM64_REG_SP)
          : number == 30 ? static_cast<int>(ARM64_REG_X30)
          : number == 29 ? static_cast<int>(ARM64_REG_X29)
                         : ARM64_REG_X0 + number;
  }
  const char* text = cs_reg_name(handle_, static_cast<unsigned>(reg));
  return text ? text : "";
}

int Disassembler::number(std::string_view printed) const {
  std::string low;
  for (const char c : printed) low += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (low.size() == 3 && low[0] == 'r' && low[1] == '0') low.erase(1, 1);  // R08
  if (!x86_ && low == "lr") low = "x30";
  for (int n = 0; n < 32; ++n) {
    const auto have = name(n);
    if (have == low || (n == 29 && !x86_ && low == "x29") || (n == 30 && !x86_ && low == "x30")) return n;
  }
  return -1;
}

int Disassembler::thunk_register(std::string_view function) const {
  // arch/x86/lib/retpoline.S.
  for (const std::string_view front : {"__x86_indirect_thunk_", "__x86_indirect_call_thunk_"})
    if (x86_ && function.starts_with(front)) return number(function.substr(front.size()));
  return -1;
}

}  // namespace kdev::crash
