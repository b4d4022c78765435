// The scaffolds of FreeBSD modules.
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/scaffold_geom.hpp"

namespace kdev::guest {
namespace {

// @NAME@ is the module's name.
constexpr const char* hello_c =
    R"(// A first kernel module. kldload ./@NAME@.ko; sysctl debug.@NAME@.who=kdev; kldunload @NAME@
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/module.h>
#include <sys/sysctl.h>

static char who[32] = "world";

static SYSCTL_NODE(_debug, OID_AUTO, @NAME@, CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, "the module @NAME@");
SYSCTL_STRING(_debug_@NAME@, OID_AUTO, who, CTLFLAG_RWTUN, who, sizeof(who), "whom to greet");

/* noinline: stays a function of its own, for a breakpoint or a backtrace. */
static __noinline int
greet(const char *name)
{
	printf("hello, %s\n", name);
	return (0);
}

static int
@NAME@_modevent(module_t mod __unused, int what, void *arg __unused)
{
	switch (what) {
	case MOD_LOAD:
		return (greet(who));
	case MOD_UNLOAD:
		printf("goodbye, %s\n", who);
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t @NAME@_mod = {
	"@NAME@",
	@NAME@_modevent,
	NULL
};

DECLARE_MODULE(@NAME@, @NAME@_mod, SI_SUB_DRIVERS, SI_ORDER_MIDDLE);
MODULE_VERSION(@NAME@, 1);
)";

constexpr const char* hello_makefile = R"(# bsd.kmod.mk: what @NAME@ is made of, and how.
KMOD=	@NAME@
SRCS=	@NAME@.c

.include <bsd.kmod.mk>
)";

std::vector<ScaffoldFile> hello(const std::string& module) {
  return {{module + ".c", filled_in(hello_c, "@NAME@", module)},
          {"Makefile", filled_in(hello_makefile, "@NAME@", module)}};
}

}  // namespace

const std::vector<Scaffold>& freebsd_scaffolds() {
  static const std::vector<Scaffold> table = {
      {"hello", "a module with a sysctl and two messages", hello},
      {"geom-class", "a GEOM class that XORs data, and its program", freebsd_geom_class}};
  return table;
}

}  // namespace kdev::guest
