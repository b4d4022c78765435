#pragma once
// A stub whose gdb has gone without a word.
#include <kdev/path.hpp>
#include <string_view>

namespace kdev::debug {

// "D" of gdb's remote protocol: the stub forgets its breakpoints, and what it debugs goes on. The second one
// is for a stub that has heard of processes from the gdb before; the first is acknowledged after its answer.
inline constexpr std::string_view of_all = "+$D#44+";
inline constexpr std::string_view of_process = "+$D;1#b0";

/// "?": QEMU's stub forgets its breakpoints (handle_target_halt() in gdbstub.c), and what stands still stays
/// so.
inline constexpr std::string_view in_place = "+$?#3f";

/// Sends it to the unix socket `name` in `dir` and waits, bounded, for the answer. HostError: nobody listens.
void detach_gdb(const Path& dir, const char* name, std::string_view packet);

}  // namespace kdev::debug
