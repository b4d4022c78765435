// Examples to start from.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "host/hostfs.hpp"

namespace kdev {
namespace {

// @NAME@ is the module's name.
constexpr const char* hello_c = R"(// SPDX-License-Identifier: GPL-2.0
// A first kernel module. insmod @NAME@.ko who=kdev; rmmod @NAME@
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static char *who = "world";
module_param(who, charp, 0444);
MODULE_PARM_DESC(who, "whom to greet");

/* noinline: stays a function of its own, for a breakpoint or a backtrace. */
static noinline int greet(const char *name)
{
	pr_info("hello, %s\n", name);
	return 0;
}

static int __init @NAME@_init(void)
{
	return greet(who);
}

static void __exit @NAME@_exit(void)
{
	pr_info("goodbye, %s\n", who);
}

module_init(@NAME@_init);
module_exit(@NAME@_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("hello: one parameter, two messages");
)";

constexpr const char* hello_makefile =
    R"(# Read twice: by make in this folder (the second half), and by Kbuild (the first), which has KERNELRELEASE set.
ifneq ($(KERNELRELEASE),)

obj-m := @NAME@.o
# Of several files:  @NAME@-objs := main.o ops.o
ccflags-y := -ggdb -DDEBUG

else

# The output tree of the kernel that the module is for.
KERNELDIR ?= /lib/modules/$(shell uname -r)/build
PWD := $(shell pwd)

default:
	$(MAKE) -C $(KERNELDIR) M=$(PWD) modules

clean:
	rm -rf *.o *.ko *.mod *.mod.c *.order *.symvers .*.cmd .tmp_versions

.PHONY: default clean

endif
)";

std::string filled_in(std::string text, const std::string& name) {
  constexpr std::string_view mark = "@NAME@";
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += name.size())
    text.replace(at, mark.size(), name);
  return text;
}

}  // namespace

Path Workspace::scaffold(const std::string& kind, const std::string& name, const Path& dir) const {
  const auto refused = [&](std::string reason, std::string hint) {
    return ConfigError({.attempted = fmt::format("write scaffold {} \"{}\"", kind, name),
                        .reason = std::move(reason),
                        .hint = std::move(hint),
                        .log = {}});
  };
  if (kind != "hello") throw refused("there is no such scaffold", "scaffolds are: hello");
  const bool good =
      !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  if (!good)
    throw refused("the name is part of C function names", "use letters, digits and _, no digit first");
  const Path to = dir.empty() ? src() / name : hostfs::absolute(dir).lexically_normal();
  if (hostfs::exists(to) && (!hostfs::is_directory(to) || !hostfs::list(to).empty()))
    throw refused(fmt::format("{} is there already", to.string()),
                  "choose another name or folder, or remove it");
  host().make_directories(to);
  host().write_file(to / (name + ".c"), filled_in(hello_c, name));
  host().write_file(to / "Makefile", filled_in(hello_makefile, name));
  return to;
}

}  // namespace kdev
