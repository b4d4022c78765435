#include "hypervisor/qemu/registers.hpp"

#include <gtest/gtest.h>

namespace kdev::hypervisor {
namespace {

// QEMU 7.2, of a CPU in the kernel and one in a 32-bit program.
constexpr std::string_view two_cpus =
    "\r\nCPU#0\r\n"
    "RAX=ffffffff819078e0 RBX=000000000001ad00 RCX=0000000000000018 RDX=00005345078a75de\r\n"
    "RSI=0000000000000001 RDI=00000000000000b0 RBP=ffffc90000003fe8 RSP=ffffc90000003fd0\r\n"
    "R8 =0000000000000008 R9 =0000000000000009 R10=0000000000000010 R11=ffffc90000003ff8\r\n"
    "R12=0000000000000012 R13=0000000000000013 R14=0000000000000014 R15=0000000000000015\r\n"
    "RIP=ffffffff81030ae0 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n"
    "ES =0000 0000000000000000 00000000 00000000\r\n"
    "CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r\n"
    "SS =0018 0000000000000000 ffffffff 00c09300 DPL=0 DS   [-WA]\r\n"
    "GS =0000 ffff88801f200000 00000000 00000000\r\n"
    "TR =0040 fffffe0000003000 00000067 00008900 DPL=0 TSS64-avl\r\n"
    "CR0=80050033 CR2=0000000009061618 CR3=0000000000247000 CR4=000006b0\r\n"
    "\r\nCPU#1\r\n"
    "EAX=00000001 EBX=00000002 ECX=00000003 EDX=00000004\r\n"
    "ESI=00000005 EDI=00000006 EBP=00000007 ESP=ffd01230\r\n"
    "EIP=08049000 EFL=00000246 [---Z-P-] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n"
    "CS =0023 0000000000000000 ffffffff 00cffb00 DPL=3 CS32 [-RA]\r\n"
    "CR0=80050033 CR2=0000000000000000 CR3=000000000096d000 CR4=000006a0\r\n";

TEST(Registers, AreReadOfEveryCpu) {
  auto cpus = read_registers(two_cpus);
  ASSERT_EQ(cpus.size(), 2u);
  auto& kernel = cpus[0];
  EXPECT_EQ(kernel["rax"], 0xffffffff819078e0);
  EXPECT_EQ(kernel["rip"], 0xffffffff81030ae0);
  EXPECT_EQ(kernel["rsp"], 0xffffc90000003fd0);
  EXPECT_EQ(kernel["eflags"], 0x46u);
  EXPECT_EQ(kernel["r8"], 8u);
  EXPECT_EQ(kernel["r9"], 9u);
  EXPECT_EQ(kernel["r15"], 0x15u);
  EXPECT_EQ(kernel["cs"], 0x10u);
  EXPECT_EQ(kernel["gs_base"], 0xffff88801f200000);
  EXPECT_EQ(kernel["cr2"], 0x9061618u);
  EXPECT_EQ(kernel["cr3"], 0x247000u);
  auto& program = cpus[1];
  EXPECT_EQ(program["rsp"], 0xffd01230u);
  EXPECT_EQ(program["rip"], 0x8049000u);
  EXPECT_EQ(program["cs"], 0x23u);
  EXPECT_FALSE(program.contains("r8"));
}

TEST(Registers, OfOtherMachinesAreNone) {
  EXPECT_TRUE(read_registers("").empty());
  EXPECT_TRUE(read_registers("CPU#0\n PC=ffff800008010000 X00=0000000000000000\n").empty());
  for (std::size_t end = 0; end < two_cpus.size(); ++end) read_registers(two_cpus.substr(0, end));
}

}  // namespace
}  // namespace kdev::hypervisor
