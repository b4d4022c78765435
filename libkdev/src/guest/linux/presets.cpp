#include "guest/linux/presets.hpp"

#include <algorithm>
#include <string_view>

namespace kdev::guest {
namespace {

/// One table of settings, as "OPTION=value" words between spaces.
///   must:  the preset makes no sense without it: not kept by the tree's olddefconfig is an error.
///   may:   depends on the tree's version or architecture, or is there to shorten the build: dropped without
///   a word.
struct Table {
  const char* name;
  const char* summary;
  std::string_view must;
  std::string_view may;
  std::map<std::string, std::string> variables = {};
};

std::vector<ConfSetting> settings_of(const Table& table, const std::string& origin) {
  std::vector<ConfSetting> settings;
  const auto add = [&](std::string_view words, bool wanted) {
    while (!words.empty()) {
      const std::string_view word = words.substr(0, words.find(' '));
      words.remove_prefix(std::min(word.size() + 1, words.size()));
      const std::size_t equals = word.find('=');
      if (equals == word.npos) continue;
      settings.push_back(
          {std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)), origin, wanted});
    }
  };
  add(table.may, false);
  add(table.must, true);
  return settings;
}

// What a guest needs to boot by its PVH note into an initramfs and to be driven over virtio, and nothing
// else. All of it is "may": what a tree does not know it does without, and a user who disables PCI shall not
// be told about virtio.
const Table tiny = {
    "tiny", "boots in a VM: serial console, virtio-pci, proc, sysfs, modules", "",
    // The machine.
    "64BIT=y SMP=y NR_CPUS=8 PCI=y PCI_MSI=y ACPI=y HYPERVISOR_GUEST=y PARAVIRT=y PVH=y "
    "KVM_GUEST=y RELOCATABLE=y RANDOMIZE_BASE=y HIGH_RES_TIMERS=y NO_HZ_IDLE=y HZ_250=y "
    "KERNEL_GZIP=y PROCESSOR_SELECT=y CPU_SUP_INTEL=y CPU_SUP_AMD=y "
    // Console and messages.
    "PRINTK=y PRINTK_TIME=y EARLY_PRINTK=y BUG=y DEBUG_BUGVERBOSE=y KALLSYMS=y TTY=y "
    "UNIX98_PTYS=y SERIAL_8250=y SERIAL_8250_CONSOLE=y SERIAL_8250_NR_UARTS=4 "
    "SERIAL_8250_RUNTIME_UARTS=4 MAGIC_SYSRQ=y "
    // Programs.
    "BINFMT_ELF=y BINFMT_SCRIPT=y MULTIUSER=y BASE_FULL=y FUTEX=y EPOLL=y SIGNALFD=y TIMERFD=y "
    "EVENTFD=y POSIX_TIMERS=y FILE_LOCKING=y ADVISE_SYSCALLS=y MEMBARRIER=y SHMEM=y MODULES=y "
    "MODULE_UNLOAD=y "
    // Files. PROC_KCORE brings CRASH_CORE, and with it VMCOREINFO.
    "BLK_DEV_INITRD=y RD_GZIP=y RD_ZSTD=y PROC_FS=y PROC_SYSCTL=y PROC_KCORE=y SYSFS=y DEVTMPFS=y "
    "TMPFS=y "
    // The way in and out of the VM.
    "VIRTIO_MENU=y VIRTIO_PCI=y VIRTIO_CONSOLE=y FW_CFG_SYSFS=y PVPANIC=y PVPANIC_PCI=y "
    // Speed of the guest, and objects that a VM does not need.
    "CC_OPTIMIZE_FOR_PERFORMANCE=y SLUB=y SLOB=n SPECULATION_MITIGATIONS=n VIRTIO_PCI_LEGACY=n "
    "HW_RANDOM=n RD_BZIP2=n RD_LZMA=n RD_XZ=n RD_LZO=n RD_LZ4=n ELF_CORE=n IKCONFIG=n "
    "CPU_SUP_HYGON=n CPU_SUP_CENTAUR=n CPU_SUP_ZHAOXIN=n PERF_EVENTS_INTEL_UNCORE=n "
    "PERF_EVENTS_INTEL_RAPL=n PERF_EVENTS_INTEL_CSTATE=n PERF_EVENTS_AMD_POWER=n "
    "PERF_EVENTS_AMD_UNCORE=n PERF_EVENTS_AMD_BRS=n ACPI_AC=n ACPI_BATTERY=n ACPI_FAN=n "
    "ACPI_THERMAL=n ACPI_SPCR_TABLE=n ACPI_TABLE_UPGRADE=n SUSPEND=n X86_EXTENDED_PLATFORM=n "
    "X86_PKG_TEMP_THERMAL=n X86_MCE=n MICROCODE=n VT=n INPUT=n SERIO=n HID=n INPUT_KEYBOARD=n "
    "INPUT_MOUSE=n VGA_CONSOLE=n USB_SUPPORT=n VGA_ARB=n SERIAL_8250_LPSS=n SERIAL_8250_MID=n "
    "SERIAL_8250_EXAR=n DMI_SYSFS=n LEGACY_PTYS=n PCIEPORTBUS=n X86_PLATFORM_DEVICES=n "
    "IOMMU_SUPPORT=n VIRT_DRIVERS=n VHOST_MENU=n HWMON=n THERMAL=n NVMEM=n RAS=n "
    "ALLOW_DEV_COREDUMP=n X86_VSYSCALL_EMULATION=n "};

// Over the tree's own configs, for a release string that does not hang on the state of version control.
const Table common = {"common", "", "", "LOCALVERSION_AUTO=n"};

const Table preset_table[] = {
    {"debug",
     "DWARF, all symbols, frame pointers, debugfs, lockup detectors, KGDB with KDB, LKDTM; an oops does not "
     "panic",
     // must
     "DEBUG_KERNEL=y DEBUG_INFO=y KALLSYMS=y KALLSYMS_ALL=y DEBUG_FS=y MAGIC_SYSRQ=y KGDB=y "
     "KGDB_SERIAL_CONSOLE=y KGDB_KDB=y LKDTM=y DETECT_HUNG_TASK=y SOFTLOCKUP_DETECTOR=y ",
     // may
     "VT=y DEBUG_INFO_NONE=n DEBUG_INFO_DWARF5=y DEBUG_INFO_REDUCED=n DEBUG_INFO_SPLIT=n "
     "DEBUG_INFO_BTF=n GDB_SCRIPTS=n UNWINDER_FRAME_POINTER=y FRAME_POINTER=y PANIC_ON_OOPS=n "
     "BUG=y DEBUG_BUGVERBOSE=y RUNTIME_TESTING_MENU=y DEBUG_LIST=y STACKTRACE=y DEBUG_MISC=n "
     "SCHED_STACK_END_CHECK=y VMAP_STACK=y BOOTPARAM_HUNG_TASK_PANIC=n "
     // Reports that two CPUs print at once are told apart by it.
     "PRINTK_CALLER=y "
     "BOOTPARAM_SOFTLOCKUP_PANIC=n "},
    {"kasan",
     "generic KASAN: finds use after free and accesses out of bounds; checks as calls, which build twice as "
     "fast",
     // must
     "KASAN=y KASAN_GENERIC=y ",
     // may
     "KASAN_OUTLINE=y KASAN_STACK=y KASAN_VMALLOC=y STACKTRACE=y SLUB=y SLUB_DEBUG=y "
     "SLUB_DEBUG_ON=n KASAN_MODULE_TEST=n FRAME_WARN=4096 "},
    {"lockdep", "proves locking order, finds sleeping in atomic context",
     // must
     "DEBUG_KERNEL=y PROVE_LOCKING=y DEBUG_ATOMIC_SLEEP=y ",
     // may
     "LOCK_DEBUGGING_SUPPORT=y DEBUG_SPINLOCK=y DEBUG_MUTEXES=y DEBUG_LOCK_ALLOC=y PROVE_RCU=y "
     "DEBUG_LOCKDEP=n LOCK_STAT=n "},
    {"coverage", "KCOV over the whole kernel: which code a system call ran",
     // must
     "DEBUG_FS=y KCOV=y KCOV_INSTRUMENT_ALL=y ",
     // may
     "KCOV_ENABLE_COMPARISONS=y DEBUG_KERNEL=y "},
    {"debuggable",
     "-O1, nothing inlined by choice: for stepping through source lines",
     // must: the second is -fno-inline-functions-called-once, the one choice to inline that -O1 makes.
     "DEBUG_KERNEL=y DEBUG_SECTION_MISMATCH=y ",
     // may: without huge pages, mm/shmem.c has a BUILD_BUG() that goes away only by inlining.
     "CC_OPTIMIZE_FOR_PERFORMANCE=y CC_OPTIMIZE_FOR_SIZE=n TRANSPARENT_HUGEPAGE=y ",
     // -fipa-cp: arch/x86/kernel/fpu/signal.c calls functions that are not there unless a constant argument
     // reaches the callee.
     {{"KCFLAGS", "-O1 -fipa-cp"}}},
    {"network", "IPv4 networking over virtio-net",
     // must
     "NET=y INET=y UNIX=y PACKET=y NETDEVICES=y VIRTIO_NET=y ",
     // may
     "NET_CORE=y VIRTIO_MENU=y VIRTIO_PCI=y ETHERNET=n WLAN=n WIRELESS=n IPV6=n INET_DIAG=n "
     "IP_PNP=y IP_PNP_DHCP=y PHYLIB=n BPFILTER=n XPS=n "},
    {"ninep", "files of the host: 9p and virtiofs over virtio, overlayfs on top",
     // must
     "NET=y NETWORK_FILESYSTEMS=y NET_9P=y NET_9P_VIRTIO=y 9P_FS=y OVERLAY_FS=y ",
     // may
     "VIRTIO_MENU=y VIRTIO_PCI=y INET=y UNIX=y 9P_FS_POSIX_ACL=y FUSE_FS=y VIRTIO_FS=y ETHERNET=n "
     "WLAN=n WIRELESS=n IPV6=n BPFILTER=n "},
    {"disk", "virtio disks with ext4",
     // must
     "BLOCK=y BLK_DEV=y VIRTIO_BLK=y EXT4_FS=y ",
     // may
     "VIRTIO_MENU=y VIRTIO_PCI=y BLK_DEV_SR=n EXT4_USE_FOR_EXT2=y MSDOS_PARTITION=y "
     "EFI_PARTITION=y PARTITION_ADVANCED=n BLK_DEV_LOOP=y "},
};

}  // namespace

const std::vector<ConfSetting>& linux_tiny_settings() {
  static const std::vector<ConfSetting> settings = settings_of(tiny, "base tiny");
  return settings;
}

const std::vector<ConfSetting>& linux_common_settings() {
  static const std::vector<ConfSetting> settings = settings_of(common, "base");
  return settings;
}

const std::vector<Preset>& linux_presets() {
  static const std::vector<Preset> presets = [] {
    std::vector<Preset> all;
    for (const Table& table : preset_table)
      all.push_back({table.name, table.summary, settings_of(table, std::string("preset ") + table.name),
                     table.variables});
    return all;
  }();
  return presets;
}

}  // namespace kdev::guest
