#pragma once
// What a FreeBSD kernel's structures tell. Units name a source file that knows the structure: others need not
// be read.
#include <cstdint>
#include <string>
#include <vector>

#include "guest/core_rules.hpp"
#include "guest/freebsd/core_machine.hpp"

namespace kdev::guest {

/// The message buffer, oldest byte first, without "<priority>" (sys/kern/subr_msgbuf.c). Without a view the
/// format's own copy, as it lies there.
std::string freebsd_messages(const CoreMemory& memory, const KernelView* view);
/// Its lines; only what programs logged has a level, that of its priority.
std::vector<CoreMessage> freebsd_message_list(const CoreMemory& memory, const KernelView* view);
std::vector<ModuleState> freebsd_modules(const KernelView& view, std::vector<std::string>& notes);
std::vector<ThreadState> freebsd_threads(const KernelView& view, const FreebsdMachine& machine,
                                         std::vector<std::string>& notes);
std::vector<CoreLock> freebsd_locks(const KernelView& view, const std::vector<ThreadState>& threads);
std::vector<CoreCpu> freebsd_cpus(const KernelView& view);

}  // namespace kdev::guest
