#include "guest/freebsd/scaffold_geom.hpp"

#include <cctype>

namespace kdev::guest {
namespace {

constexpr const char* makefile =
    R"(# bsd.kmod.mk: what geom_@NAME@.ko is made of. ctl/ has the program for it, and a Makefile of its own.
KMOD=	geom_@NAME@
SRCS=	g_@NAME@.c

.include <bsd.kmod.mk>
)";

constexpr const char* header = R"(/* What the module and ctl/@NAME@ctl.c share: above all the metadata. */
#ifndef _G_@UPPER@_H_
#define	_G_@UPPER@_H_

#include <sys/endian.h>

#define	G_@UPPER@_CLASS_NAME	"@UPPER@"
#define	G_@UPPER@_SUFFIX	".@NAME@"
#define	G_@UPPER@_MAGIC	"@MAGIC@"	/* at most 15 characters */
/* Grows with the layout below; older metadata must stay readable. */
#define	G_@UPPER@_VERSION	0

/* In the last sector of the provider. */
struct g_@NAME@_metadata {
	char		md_magic[16];
	uint32_t	md_version;
	uint8_t		md_key;		/* what data are XORed with */
	char		md_provider[16];	/* only there; empty: anywhere */
	uint64_t	md_provsize;	/* tells a disk from its last slice */
};
#define	G_@UPPER@_METADATA_SIZE	45

/* Little-endian and without gaps, whatever the machine. */
static __inline void
@NAME@_metadata_encode(const struct g_@NAME@_metadata *md, u_char *data)
{
	memcpy(data, md->md_magic, sizeof(md->md_magic));
	le32enc(data + 16, md->md_version);
	data[20] = md->md_key;
	memcpy(data + 21, md->md_provider, sizeof(md->md_provider));
	le64enc(data + 37, md->md_provsize);
}

static __inline void
@NAME@_metadata_decode(const u_char *data, struct g_@NAME@_metadata *md)
{
	memcpy(md->md_magic, data, sizeof(md->md_magic));
	md->md_version = le32dec(data + 16);
	md->md_key = data[20];
	memcpy(md->md_provider, data + 21, sizeof(md->md_provider));
	md->md_provsize = le64dec(data + 37);
}

#endif /* _G_@UPPER@_H_ */
)";

constexpr const char* program_makefile =
    R"(# For FreeBSD's make and for GNU make. On another system SYSROOT names FreeBSD's
# headers and libraries: those of kdev's Workspace.build_userland() are in its .sysroot.
SYSROOT ?=	/
TARGET ?=	x86_64-unknown-freebsd13.2
CLANG ?=	clang --target=$(TARGET) --sysroot=$(SYSROOT) -fuse-ld=lld

@NAME@ctl: @NAME@ctl.c ../g_@NAME@.h
	$(CLANG) -O2 -Wall -static -o $@ @NAME@ctl.c -lgeom -lsbuf -lbsdxml -lutil

clean:
	rm -f @NAME@ctl
)";

}  // namespace

std::vector<ScaffoldFile> freebsd_geom_class(const std::string& module) {
  std::string upper = module;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string magic = ("GEOM::" + upper).substr(0, 15);  // of 16 bytes, the last one 0
  const auto filled = [&](std::string text) {
    for (const auto& [mark, value] : {std::pair{"@NAME@", module}, {"@UPPER@", upper}, {"@MAGIC@", magic}})
      text = filled_in(std::move(text), mark, value);
    return text;
  };
  return {{"Makefile", filled(makefile)},
          {"g_" + module + ".h", filled(header)},
          {"g_" + module + ".c", filled(std::string(geom_class_requests) + geom_class_life)},
          {"ctl/Makefile", filled(program_makefile)},
          {"ctl/" + module + "ctl.c", filled(geom_class_program)}};
}

}  // namespace kdev::guest
