#include "unit/build/fake_tree.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <sstream>

namespace kdev::test {
namespace {

namespace fs = boost::filesystem;

constexpr const char* makefile = R"(VERSION = 6
PATCHLEVEL = 99
SUBLEVEL = 1
EXTRAVERSION =
srctree := $(CURDIR)
obj := $(O)
sources := $(patsubst $(srctree)/%,%,$(wildcard $(srctree)/init/*.c $(srctree)/kernel/*.c))
-include $(obj)/include/config/auto.conf
ifndef CONFIG_EXTRA
sources := $(filter-out kernel/extra.c,$(sources))
endif
objects := $(patsubst %.c,$(obj)/%.o,$(sources))

all: vmlinux
tinyconfig defconfig olddefconfig:
	@sh $(srctree)/scripts/conf.sh $@ $(srctree) $(obj)

ifneq ($(filter vmlinux bzImage modules,$(MAKECMDGOALS)),)
include $(obj)/include/config/auto.conf
-include $(wildcard $(obj)/*/.*.o.cmd)
$(obj)/include/config/auto.conf: $(obj)/.config
	@mkdir -p $(@D); sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=y/\1 := y/p' $< > $@
endif

$(obj)/%.o: $(srctree)/%.c
	@mkdir -p $(@D)
	@echo "  CC      $*.o"
	@$(CC) $(KCFLAGS) -c -g -ffreestanding -fno-pie -fno-asynchronous-unwind-tables -I$(srctree)/include -I$(srctree)/include/late -Wp,-MMD,$(@D)/.$(@F).d -o $@ $<
	@sed 's/^[^:]*:/$(subst /,\/,$@):/' $(@D)/.$(@F).d > $(@D)/.$(@F).cmd; rm $(@D)/.$(@F).d

vmlinux: $(objects)
	@echo "  LD      vmlinux"
	@ld -e start --build-id=sha1 -o $(obj)/vmlinux $(objects)
	@nm -n $(obj)/vmlinux > $(obj)/System.map
	@mkdir -p $(obj)/include/config; echo 6.99.1 > $(obj)/include/config/kernel.release
bzImage: vmlinux
	@mkdir -p $(obj)/arch/x86/boot; gzip -nc $(obj)/vmlinux > $(obj)/arch/x86/boot/bzImage
modules:
	@:
CC = gcc
.PHONY: all tinyconfig defconfig olddefconfig vmlinux bzImage modules
)";

// Options are "config NAME", with one "depends on NAME" and one "default y" at most.
constexpr const char* conf_sh = R"(#!/bin/sh
mkdir -p "$3"; touch "$3/.config"
[ "$1" = olddefconfig ] || : > "$3/.config"
awk -v first="$3/.config" 'FILENAME == first { if ($0 ~ /^CONFIG_[A-Z0-9_]*=/) { split($0, a, "="); v[substr(a[1], 8)] = a[2]; seen[substr(a[1], 8)] = 1 }
    else if ($0 ~ /is not set/) seen[substr($2, 8)] = 1; next }
  $1 == "config" { name = $2; order[++n] = name }
  $1 == "depends" { dep[name] = $3 }
  $1 == "default" { def[name] = $2 }
  END { for (i = 1; i <= n; i++) { o = order[i]; if (!(o in seen)) v[o] = def[o]
      if (dep[o] != "" && v[dep[o]] != "y") v[o] = ""
      if (v[o] == "y") print "CONFIG_" o "=y"; else if (v[o] ~ /^"/) print "CONFIG_" o "=" v[o]; else print "# CONFIG_" o " is not set" } }' \
  "$3/.config" "$2/Kconfig" > "$3/.config.new" && mv "$3/.config.new" "$3/.config"
)";

constexpr const char* kconfig = R"(config X86_64
	bool "64 bit"
	default y
config FANCY
	bool "something fancy"
config FANCIER
	bool "something fancier"
	depends on FANCY
config EXTRA
	bool "one more file"
config BLK_DEV_INITRD
	bool "initramfs"
config INITRAMFS_SOURCE
	string "files"
	depends on BLK_DEV_INITRD
)";

Path make_top() {
  std::string name = (fs::temp_directory_path() / "kdev-build-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
  return fs::canonical(name);
}

std::string environment(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

}  // namespace

FakeTree::FakeTree()
    : top(make_top()),
      source(top / "linux"),
      bin(top / "bin"),
      old_path_(environment("PATH")),
      old_ccache_(environment("CCACHE_DIR")) {
  write("Makefile", makefile);
  write("Kbuild", "");
  write("Kconfig", kconfig);
  write("scripts/conf.sh", conf_sh, true);
  write("scripts/tool.sh", "#!/bin/sh\n", true);
  write("init/main.c",
        "#include <version.h>\nconst char *banner = \"main-one \" VERSION_TEXT;\nvoid start(void) {}\n");
  write("kernel/fork.c",
        "#include <sizes.h>\nconst char *fork_text = \"fork-one\";\nint fork_sizes[SIZE];\n");
  write("kernel/sched.c", "const char *sched_text = \"sched-one\";\n");
  write("kernel/extra.c", "const char *extra_text = \"extra-one\";\n");
  write("include/version.h", "#define VERSION_TEXT \"version-one\"\n");
  write("include/late/sizes.h", "#define SIZE 3\nconst char *sizes_text = \"sizes-one\";\n");
  write("include/linux/types.h", "");
  write("arch/x86/Kconfig", "");
  write("Documentation/index.rst", "text\n");
  fs::create_directories(bin);
  add_program("make", "#!/bin/sh\nfor last; do :; done; echo \"$last\" >> " + (top / "makes").string() +
                          "\nexec /usr/bin/make \"$@\"\n");
  setenv("PATH", (bin.string() + ":" + old_path_).c_str(), 1);
  setenv("CCACHE_DIR", (top / "ccache").c_str(), 1);
}

FakeTree::~FakeTree() {
  setenv("PATH", old_path_.c_str(), 1);
  if (old_ccache_.empty())
    unsetenv("CCACHE_DIR");
  else
    setenv("CCACHE_DIR", old_ccache_.c_str(), 1);
  boost::system::error_code error;
  fs::remove_all(top, error);
}

Workspace FakeTree::open() const {
  return Workspace(top / "ws", {.source = source});
}

void FakeTree::write(const std::string& path, const std::string& content, bool executable) const {
  const Path file = source / path;
  fs::create_directories(file.parent_path());
  std::ofstream(file.string(), std::ios::binary) << content;
  if (executable) ::chmod(file.c_str(), 0755);
}

std::string FakeTree::read(const std::string& path) const {
  std::ifstream in((source / path).string(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void FakeTree::remove(const std::string& path) const {
  fs::remove_all(source / path);
}

void FakeTree::backdate(const std::string& path, int seconds) const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec -= seconds;
  const timespec times[2] = {now, now};
  ::utimensat(AT_FDCWD, (source / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
}

std::vector<std::string> FakeTree::makes() const {
  std::vector<std::string> result;
  std::ifstream in((top / "makes").string());
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

long FakeTree::kernel_makes() const {
  long count = 0;
  for (const std::string& target : makes())
    count += target == "vmlinux" || target == "bzImage" || target == "modules";
  return count;
}

void FakeTree::add_program(const std::string& name, const std::string& script) const {
  std::ofstream((bin / name).string(), std::ios::binary) << script;
  ::chmod((bin / name).c_str(), 0755);
}

void FakeTree::remove_program(const std::string& name) const {
  fs::remove(bin / name);
}

bool holds(const Path& file, const std::string& text) {
  std::ifstream in(file.string(), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  return content.find(text) != content.npos;
}

std::vector<std::string> made_objects(const Path& obj) {
  std::vector<std::string> objects;
  std::ifstream in((obj / ".kdev/build.log").string());
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("  CC      ")) objects.push_back(line.substr(10));
  return objects;
}

std::vector<int> processes_in(const Path& folder) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos || std::stoi(name) == ::getpid()) continue;
    boost::system::error_code error;
    const std::string cwd = fs::read_symlink(entry.path() / "cwd", error).string();
    std::ifstream in((entry.path() / "cmdline").string(), std::ios::binary);
    const std::string command{std::istreambuf_iterator<char>(in), {}};
    if (cwd.starts_with(folder.string()) || command.find(folder.string()) != command.npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

}  // namespace kdev::test
