#pragma once
#include <kdev/core.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kdev::guest {

/// struct kerneldumpheader (sys/sys/kerneldump.h) at the beginning of a sector; nothing: it is none.
std::optional<DumpInfo> parse_freebsd_dump_header(std::string_view sector);
/// "vmcore.3.zst", "textdump.tar.3": corename in DoFile(), sbin/savecore/savecore.c.
std::string freebsd_lifted_name(const DumpInfo& info, const std::string& number);
/// The text of info.N: printheader() there.
std::string freebsd_info_text(const DumpInfo& info, const std::string& device, int number);

}  // namespace kdev::guest
