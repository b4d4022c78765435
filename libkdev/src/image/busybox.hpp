#pragma once
#include <kdev/seed_image.hpp>
#include <vector>

namespace kdev {

/// A small system around the host's static busybox: its applets as links, the usual folders, passwd, group,
/// console. HostError when busybox is missing, not static, or does not run.
std::vector<ImageEntry> busybox_entries();
/// The agent as /init.
ImageEntry agent_entry();
/// True for an ELF program that needs no interpreter (elf.h: no PT_INTERP). HostError when it cannot be read.
bool is_static_program(const Path& path);

}  // namespace kdev
