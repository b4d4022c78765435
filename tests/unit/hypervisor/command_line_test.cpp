#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hypervisor/qemu/qemu.hpp"

using namespace kdev;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

namespace {

hypervisor::MachineSpec example() {
  hypervisor::MachineSpec spec;
  spec.name = "vm0";
  spec.plan = {BootPlan::Kind::direct_elf, "/k/vmlinux", "/k/initrd", "console=ttyS0 x=\"a b\""};
  spec.memory = 512u << 20;
  spec.cpus = 2;
  return spec;
}

/// The value behind an option.
std::string value_of(const std::vector<std::string>& argv, const std::string& option) {
  auto at = std::find(argv.begin(), argv.end(), option);
  return at == argv.end() || at + 1 == argv.end() ? "" : at[1];
}

TEST(QemuCommandLine, SaysWhatWasAskedForAndNothingElse) {
  const auto argv = hypervisor::Qemu().command_line(example());
  EXPECT_THAT(argv, IsSupersetOf({"-nodefaults", "-no-user-config", "-no-reboot"}));
  EXPECT_EQ(value_of(argv, "-name"), "guest=vm0");
  EXPECT_EQ(value_of(argv, "-kernel"), "/k/vmlinux");
  EXPECT_EQ(value_of(argv, "-initrd"), "/k/initrd");
  EXPECT_EQ(value_of(argv, "-append"), "console=ttyS0 x=\"a b\"") << "one argument, whatever is in it";
  EXPECT_EQ(value_of(argv, "-m"), "512M");
  EXPECT_EQ(value_of(argv, "-object"),
            "memory-backend-file,id=ram,size=512M,mem-path=/proc/self/fd/14,share=on");
  EXPECT_EQ(value_of(argv, "-smp"), "2");
  EXPECT_EQ(value_of(argv, "-accel"), "tcg,thread=multi");
  EXPECT_EQ(value_of(argv, "-action"), "panic=none");
  EXPECT_THAT(argv, Not(Contains("-netdev")));
}

TEST(QemuCommandLine, AMultibootFileHoldsAllThatItsKernelNeeds) {
  auto spec = example();
  spec.plan = {BootPlan::Kind::direct_multiboot, "/run/vm0/direct.elf", "", ""};
  ASSERT_TRUE(hypervisor::Qemu().can_boot(spec.plan.kind));
  const auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_EQ(value_of(argv, "-kernel"), "/run/vm0/direct.elf");
  EXPECT_THAT(argv, Not(Contains("-initrd")));
  EXPECT_THAT(argv, Not(Contains("-append")));
}

TEST(QemuCommandLine, DisksComeInTheirOrder) {
  auto spec = example();
  spec.disks = {{.file = "/run/a,b.raw", .serial = "dump,1"},
                {.file = "/run/b.qcow2",
                 .format = hypervisor::MachineDisk::Format::qcow2,
                 .read_only = true,
                 .keep = true}};
  const auto argv = hypervisor::Qemu().command_line(spec);
  std::vector<std::string> nodes, devices;
  for (std::size_t i = 0; i + 1 < argv.size(); ++i) {
    if (argv[i] == "-blockdev") nodes.push_back(argv[i + 1]);
    if (argv[i] == "-device" && argv[i + 1].starts_with("virtio-blk")) devices.push_back(argv[i + 1]);
  }
  EXPECT_THAT(
      nodes,
      ElementsAre(
          R"({"driver":"raw","node-name":"disk0","read-only":false,"discard":"unmap","cache":{"no-flush":true},)"
          R"("file":{"driver":"file","filename":"/run/a,b.raw","read-only":false,"discard":"unmap"}})",
          R"({"driver":"qcow2","node-name":"disk1","read-only":true,"discard":"unmap","cache":{"no-flush":false},)"
          R"("file":{"driver":"file","filename":"/run/b.qcow2","read-only":true,"discard":"unmap"}})"));
  EXPECT_THAT(devices,
              ElementsAre("virtio-blk-pci,drive=disk0,serial=dump,,1", "virtio-blk-pci,drive=disk1"));
}

TEST(QemuCommandLine, APlanThatBootsADiskNamesNoKernel) {
  auto spec = example();
  spec.plan = {BootPlan::Kind::disk_bios, "", "", ""};
  spec.disks = {{.file = "/run/root.raw"}, {.file = "/run/more.raw"}};
  ASSERT_TRUE(hypervisor::Qemu().can_boot(spec.plan.kind));
  const auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_THAT(argv, Not(Contains("-kernel")));
  EXPECT_THAT(argv, Not(Contains("-append")));
  EXPECT_THAT(argv, Contains("virtio-blk-pci,drive=disk0,bootindex=1"));
  EXPECT_THAT(argv, Contains("virtio-blk-pci,drive=disk1"));
}

TEST(QemuCommandLine, KvmUsesTheHostsCpu) {
  auto spec = example();
  spec.accel = Accel::kvm;
  const auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_EQ(value_of(argv, "-accel"), "kvm");
  EXPECT_EQ(value_of(argv, "-cpu"), "host");
}

TEST(QemuCommandLine, ExtraArgumentsComeLast) {
  auto spec = example();
  spec.extra_args = {"-device", "edu"};
  const auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_EQ(argv.back(), "edu");
}

TEST(QemuCommandLine, ADebugPortIsTheSecondSerialPort) {
  auto spec = example();
  EXPECT_THAT(hypervisor::Qemu().command_line(spec), Not(Contains("isa-serial,chardev=debug,index=1")));
  spec.debug_port = true;
  const auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_THAT(argv,
              IsSupersetOf({"socket,id=debug,fd=13,server=on,wait=off", "isa-serial,chardev=debug,index=1"}));
}

TEST(QemuCommandLine, ARecordingCountsInstructionsAndSeesAllInput) {
  auto spec = example();
  spec.tape = hypervisor::MachineSpec::Tape::record;
  spec.tape_file = "/logs/a,b.tape";
  auto argv = hypervisor::Qemu().command_line(spec);
  EXPECT_EQ(value_of(argv, "-accel"), "tcg,thread=single");
  EXPECT_EQ(value_of(argv, "-icount"), "shift=auto,rr=record,rrfile=/logs/a,,b.tape");
  EXPECT_THAT(argv,
              IsSupersetOf({"pipe,id=console,path=/proc/self/fd/15/console",
                            "pipe,id=agent,path=/proc/self/fd/15/agent", "virtio-serial-pci,ioeventfd=off"}));
  // The agent's is the fifth serial port: there are four.
  std::vector<std::string> ports;
  for (std::size_t i = 0; i + 1 < argv.size(); ++i)
    if (argv[i] == "-serial") ports.push_back(argv[i + 1]);
  EXPECT_THAT(ports, ElementsAre("chardev:console", "null", "null", "null", "chardev:agent"));
  spec.tape = hypervisor::MachineSpec::Tape::replay;
  argv = hypervisor::Qemu().command_line(spec);
  EXPECT_EQ(value_of(argv, "-icount"), "shift=auto,rr=replay,rrfile=/logs/a,,b.tape");
}

TEST(QemuCommandLine, NothingIsCountedWhereNothingIsRecorded) {
  const auto argv = hypervisor::Qemu().command_line(example());
  EXPECT_THAT(argv, Not(Contains("-icount")));
  EXPECT_THAT(argv, Not(Contains("null")));
  EXPECT_THAT(argv, Contains("virtio-serial-pci"));
}

TEST(QemuCommandLine, NoTcpPortIsOpened) {
  for (const std::string& argument : hypervisor::Qemu().command_line(example()))
    EXPECT_EQ(argument.find("tcp"), std::string::npos) << argument;
}

}  // namespace
