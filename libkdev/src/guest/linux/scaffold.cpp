// Examples of Linux modules.
#include "guest/scaffold.hpp"

#include "guest/linux/linux.hpp"

namespace kdev::guest {
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

std::vector<ScaffoldFile> hello(const std::string& module) {
  return {{module + ".c", filled_in(hello_c, "@NAME@", module)},
          {"Makefile", filled_in(hello_makefile, "@NAME@", module)}};
}

}  // namespace

const std::vector<Scaffold>& linux_scaffolds() {
  static const std::vector<Scaffold> table = {
      {"hello", "a module with one parameter and two messages", hello}};
  return table;
}

}  // namespace kdev::guest
