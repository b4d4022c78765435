// SPDX-License-Identifier: GPL-2.0
// Writes to a null pointer when it is loaded.
#include <linux/module.h>

static noinline __noclone void oopser_write(int *where)
{
	WRITE_ONCE(*where, 1); /* the line that the report names */
}

static int __init oopser_init(void)
{
	oopser_write(NULL);
	return 0;
}

static void __exit oopser_exit(void)
{
}

module_init(oopser_init);
module_exit(oopser_exit);
MODULE_LICENSE("GPL");
