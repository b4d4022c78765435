#include "unit/build/fake_freebsd_tree.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

namespace kdev::test {
namespace {

constexpr const char* make_py = R"PY(import os, pathlib, re, subprocess, sys
source = pathlib.Path(__file__).resolve().parents[2]
calls = source.parent / "calls"
args = sys.argv[1:]
var = dict(a.split("=", 1) for a in args if "=" in a and not a.startswith("-"))
targets = [a for a in args if "=" not in a and not a.startswith("-")]
assert any(a.startswith("--cross-bindir=/") for a in args), args
for name in ("SRCCONF", "__MAKE_CONF", "SRC_ENV_CONF"):
    assert pathlib.Path(os.environ[name]).is_file(), name
assert "KDEV_SECRET" not in os.environ, "the environment is not empty"
prefix = pathlib.Path(os.environ["MAKEOBJDIRPREFIX"])
assert prefix.is_dir(), prefix

def say(text):
    with open(calls, "a") as out:
        out.write(text + "\n")

def run(argv, **more):
    print(" ".join(map(str, argv)), flush=True)
    ended = subprocess.run(list(map(str, argv)), **more).returncode
    if ended:
        print("*** [%s] Error code %d" % (pathlib.Path(argv[-1]).stem + ".o", ended), flush=True)
        sys.exit(2)

for target in targets:
    if target == "kernel-toolchain":
        say(target)
        config = prefix / str(source).lstrip("/") / "amd64.amd64/tmp/legacy/usr/sbin/config"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("#!/bin/sh\n[ \"$1\" = -d ] && [ \"$3$5\" = -I-I ] || exit 3\nmkdir \"$2\" || exit 4\n"
                          "[ \"$PWD\" = \"$6\" ] || exit 5\n"
                          "grep -n '^device.*NOSUCH' \"$7\" >/dev/null && echo 'config: Error: device \"NOSUCH\" is unknown' "
                          "&& echo 'config: 1 errors' && exit 1\n"
                          "grep -n BAD= \"$7\" | sed \"s|:.*|: syntax error|; s|^|config: $7:|\" >&2\n! grep -q BAD= \"$7\"\n")
        config.chmod(0o755)
        bmake = prefix / "bmake-install/bin/bmake"
        bmake.parent.mkdir(parents=True, exist_ok=True)
        bmake.write_text("#!/bin/sh\nfor a; do case $a in *=*) export \"$a\" 2>/dev/null || :;; esac; done\n"
                         "[ -f \"$KERNBUILDDIR/opt_global.h\" ] || exit 1\n"
                         "k=$(sed -n 's/^KMOD=//p' Makefile)\n"
                         "echo cc -c $k.c\ncc $DEBUG_FLAGS -include \"$KERNBUILDDIR/opt_global.h\" -c $k.c -o $k.o && cp $k.o $k.ko\n")
        bmake.chmod(0o755)
    elif target == "buildkernel":
        conf = var.get("KERNFAST") or var["KERNCONF"]
        say(("fast " if "KERNFAST" in var else "config ") + conf)
        obj = prefix / str(source).lstrip("/") / "amd64.amd64/sys" / conf
        obj.mkdir(parents=True, exist_ok=True)
        text = (pathlib.Path(var["KERNCONFDIR"]) / conf).read_text()
        if "KERNFAST" not in var:
            if "NOSUCH" in text:
                print('config: Error: device "NOSUCH" is unknown')
                sys.exit(1)
            options = sorted(re.findall(r"^options\s+(\w+)", text, re.M))
            (obj / "opt_global.h").write_text("".join("#define %s 1\n" % o for o in options))
            ident = re.search(r"^ident\s+(\S+)", text, re.M)[1]
            (obj / "vers.c").write_text('#define RELSTR "13.2-RELEASE"\nconst char *ident = "%s";\n' % ident)
        print(">>> stage 3.1: building everything", flush=True)
        objects = []
        for c in sorted((source / "sys/kern").glob("*.c")) + [obj / "vers.c"]:
            o, depend = obj / (c.stem + ".o"), obj / (".depend." + c.stem + ".o")
            newest = [c, obj / "opt_global.h"]
            if depend.exists():
                newest += [pathlib.Path(w) for w in depend.read_text().replace("\\\n", " ").split()[1:]]
            if not o.exists() or any(not p.exists() or p.stat().st_mtime > o.stat().st_mtime for p in newest):
                run(["cc", "-MD", "-MF", depend, "-ffreestanding", "-fno-pie", "-g", "-I", source / "sys", "-include",
                     obj / "opt_global.h", "-o", o, "-c", c])
            objects.append(o)
        run(["ld", "-e", "start", "--build-id=sha1", "-o", obj / "kernel.full"] + objects)
        run(["strip", "--strip-debug", "-o", obj / "kernel", obj / "kernel.full"])
    elif target == "toolchain":
        say(target)
        lib = prefix / str(source).lstrip("/") / "amd64.amd64/tmp/usr/lib"
        lib.mkdir(parents=True, exist_ok=True)
        (lib / "libc.a").write_text("!<arch>\n")
        assert var["_generic_libs"] == "lib/libedit lib/libz", var  # no lib/libbe: WITHOUT_ZFS
        tools = prefix / str(source).lstrip("/") / "amd64.amd64/tmp/legacy/usr/bin"
        tools.mkdir(parents=True, exist_ok=True)
        (tools / "mkimg").write_text("#!/bin/sh\n")
    elif target == "everything" and var.get("SUBDIR_OVERRIDE") == "stand":
        assert "-DWORLDFAST" in args
        say("loaders")
        (prefix / "loader").write_text("loader")
    elif target == "distrib-dirs":
        assert "-DNO_ROOT" in args and var["METALOG"] == var["DESTDIR"] + "/METALOG"
        (pathlib.Path(var["DESTDIR"]) / "boot/lua").mkdir(parents=True)
    elif target == "buildenv" and var["BUILDENV_DIR"] == str(source / "stand"):
        assert "-DNO_ROOT" in args and var["METALOG"] == var["DESTDIR"] + "/METALOG"
        assert var["BUILDENV_SHELL"].endswith(" install"), var
        boot = pathlib.Path(var["DESTDIR"]) / "boot"
        (boot / "loader").write_text((prefix / "loader").read_text())
        (boot / "lua/loader.lua").write_text("-- menu")
    elif target == "everything":
        assert var["SUBDIR_OVERRIDE"] == "rescue" and "-DWORLDFAST" in args
        say("rescue")
        if (source / "rescue/broken").exists():
            print("*** [rescue] Error code 1")
            sys.exit(2)
        out = prefix / str(source).lstrip("/") / "amd64.amd64/rescue/rescue"
        out.mkdir(parents=True, exist_ok=True)
        (out / "rescue").write_text("one program")
        (out / "rescue").chmod(0o755)
        (out / "rescue.conf").write_text("# Auto-generated, do not edit\nlibs -lc\nprogs cat\nprogs sh\nspecial sh srcdir /x\n"
                                         "ln sh -sh\nprogs test\nln test [\n")
    elif target == "_bootstrap-tools":
        assert var["LOCAL_BSTOOL_DIRS"] == "usr.sbin/makefs"
        say("makefs")
        tool = prefix / str(source).lstrip("/") / "amd64.amd64/tmp/legacy/usr/sbin/makefs"
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
    elif target == "installkernel":
        say(target)
        assert "-DNO_ROOT" in args
        log = open(var["METALOG"], "w")
        for name in ("boot/kernel/kernel", "usr/lib/debug/boot/kernel/kernel.debug", "boot/kernel/nullfs.ko",
                     "usr/lib/debug/boot/kernel/nullfs.ko.debug"):
            file = pathlib.Path(var["DESTDIR"]) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(file.name)
            log.write("./%s type=file uname=root gname=wheel mode=0555 size=%d\n" % (name, len(file.name)))
    elif target == "buildworld":
        say(target)
        if (source / "lib/broken").exists():
            print('make[1]: "/src/lib/Makefile" line 3: no sqlite3.c')
            sys.exit(2)
        tools = prefix / str(source).lstrip("/") / "amd64.amd64/tmp/legacy/usr/bin"
        tools.mkdir(parents=True, exist_ok=True)
        (tools / "mkimg").write_text("#!/bin/sh\n")
        (prefix / "loader").write_text("loader")
        (prefix / "world").write_text("a shell")
        lib = tools.parents[2] / "usr/lib"
        lib.mkdir(parents=True, exist_ok=True)
        (lib / "libc.a").write_text("!<arch>\n")
    elif target in ("installworld", "distribution"):
        say(target)
        assert "-DNO_ROOT" in args and pathlib.Path(var["METALOG"]).name == "METALOG", args
        name, mode = ("bin/sh", "0555") if target == "installworld" else ("etc/master.passwd", "0600")
        file = pathlib.Path(var["DESTDIR"]) / name
        file.parent.mkdir(parents=True)
        file.write_text((prefix / "world").read_text())
        with open(var["METALOG"], "a") as log:
            log.write("./%s type=file uname=root gname=wheel mode=%s\n" % (name, mode))
    elif target == "buildenv":
        say(target)
        sys.exit(subprocess.run(["sh", "-c", var["BUILDENV_SHELL"]], cwd=var["BUILDENV_DIR"]).returncode)
    else:
        sys.exit("don't know how to make " + target)
)PY";

}  // namespace

FakeFreebsdTree::FakeFreebsdTree() : source(top / "src"), old_path_(::getenv("PATH")) {
  write("sys/conf/newvers.sh", "REVISION=\"13.2\"\nBRANCH=\"RELEASE\"\n");
  write("sys/conf/options",
        "INVARIANTS opt_global.h\nINVARIANT_SUPPORT opt_global.h\nWITNESS opt_global.h\n"
        "FANCY opt_global.h\nDDB\nKDB\nMD_ROOT\n");
  write("sys/conf/options.amd64", "HAMMER opt_cpu.h\n");
  write("sys/conf/files",
        "dev/md/md.c optional md\ndev/virtio/virtio.c optional virtio\nkern/a.c standard\n");
  write("sys/conf/files.amd64", "");
  write("sys/amd64/conf/DEFAULTS", "machine amd64\n");
  write("sys/amd64/conf/MINIMAL", "cpu HAMMER\nident MINIMAL\noptions KDB\nmakeoptions WITH_CTF=1\n");
  write("sys/amd64/conf/GENERIC", "include MINIMAL\nident GENERIC\noptions INVARIANTS\n");
  write("sys/modules/nullfs/Makefile", "KMOD=nullfs\n");
  write("sys/sys/sizes.h", "#define SIZE 3\n");
  write("sys/kern/kern_fork.c",
        "#include <sys/sizes.h>\nconst char *fork_text = \"fork-one\";\nint sizes[SIZE];\n");
  write("sys/kern/kern_exit.c", "const char *exit_text = \"exit-one\";\nvoid start(void) {}\n");
  write("share/mk/bsd.own.mk", "");
  write("usr.bin/true/true.c", "");
  write("stand/Makefile", "");
  write("sys/teken/teken.c", "");
  write("sys/amd64/conf/GENERIC.hints", "hint.uart.0.at=\"isa\"\n");
  write("rescue/rescue/Makefile",
        "CRUNCH_LIBS+= -ledit -lcrypto\n.if ${MK_ZFS} != \"no\"\nCRUNCH_LIBS+= -lbe\n.endif\n"
        ".if ${MK_TAR} != \"no\"\nCRUNCH_LIBS+= ${OBJTOP}/lib/libz/libz.a\n.endif\n");
  for (const char* lib : {"libedit", "libz", "libbe", "libother"})
    write(std::string("lib/") + lib + "/Makefile", "");
  write("tools/build/make.py", make_py);
  for (const char* file : {"Makefile.inc1", "tools/build/mk/Makefile.boot", "usr.sbin/config/main.c"})
    write(file, "");
  // The tools that a build is identified by; the real ones need not be installed.
  for (const char* tool : {"clang++", "ld.lld"})
    top.write(std::string("bin/") + tool, "#!/bin/sh\nexit 1\n", 0755);
  // Compiles nothing but kdev's agent.
  top.write("bin/clang",
            "#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift || exit 1; done\n"
            "printf '\\177ELF org.kdev.agent.0' > \"$2\" && chmod 755 \"$2\"\n",
            0755);
  ::setenv("PATH", ((top / "bin").string() + ":" + old_path_).c_str(), 1);
  ::setenv("KDEV_SECRET", "1", 1);
}

FakeFreebsdTree::~FakeFreebsdTree() {
  ::setenv("PATH", old_path_.c_str(), 1);
  ::unsetenv("KDEV_SECRET");
}

void FakeFreebsdTree::backdate(const std::string& path) const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec -= 100000;
  const timespec times[2] = {now, now};
  ::utimensat(AT_FDCWD, (source / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
}

std::vector<std::string> FakeFreebsdTree::calls() const {
  std::vector<std::string> lines;
  std::ifstream in((top / "calls").string());
  for (std::string line; std::getline(in, line);) lines.push_back(line.substr(0, line.find(" kdev-")));
  return lines;
}

}  // namespace kdev::test
