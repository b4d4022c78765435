#pragma once
#include <string>

#include "unit/host/temp_dir.hpp"

namespace kdev::test {

/// As much of a Linux tree as tells what it is.
inline Path fake_linux(const TempDir& dir, const std::string& name = "linux",
                       const std::string& sublevel = "192", const std::string& extra = "") {
  dir.write(name + "/Makefile",
            "# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = " + sublevel +
                "\nEXTRAVERSION =" + (extra.empty() ? "" : " " + extra) +
                "\nNAME = Curry Ramen\n\nall: vmlinux\nVERSION = wrong\n");
  for (const char* file : {"Kbuild", "Kconfig", "init/main.c", "kernel/panic.c", "scripts/Makefile.build",
                           "include/linux/kernel.h", "arch/x86/Makefile"})
    dir.write(name + "/" + file, "");
  return dir / name;
}

inline Path fake_freebsd(const TempDir& dir, const std::string& name = "freebsd") {
  dir.write(name + "/sys/conf/newvers.sh",
            "#!/bin/sh\nTYPE=\"FreeBSD\"\nREVISION=\"13.2\"\nBRANCH=\"RELEASE-p4\"\n"
            "if [ -n \"${BRANCH_OVERRIDE}\" ]; then\n\tBRANCH=${BRANCH_OVERRIDE}\nfi\n");
  dir.write(name + "/sys/kern/kern_shutdown.c", "");
  return dir / name;
}

}  // namespace kdev::test
