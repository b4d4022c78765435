// Building FreeBSD by the targets of build(7): what goes into the key, the commands, what a build leaves.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "guest/build_rules.hpp"
#include "guest/freebsd/build_files.hpp"
#include "guest/freebsd/build_make.hpp"
#include "guest/freebsd/build_module.hpp"
#include "guest/freebsd/build_output.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/install.hpp"

namespace kdev::guest {
namespace {

// Holds the digest of what config(8) was run on.
constexpr const char* configured = "kdev-configured";

constexpr const char* src_conf =
    R"(# src.conf(5) of this workspace, in place of /etc/src.conf. Yours to edit; a change makes everything anew.
# The compiler is this machine's clang; what is left out is seldom missed in a test guest.
WITHOUT_CLANG=yes
WITHOUT_LLD=yes
WITHOUT_LLDB=yes
WITHOUT_TESTS=yes
WITHOUT_MAN=yes
WITHOUT_DEBUG_FILES=yes
WITHOUT_LIB32=yes
WITHOUT_PROFILE=yes
WITHOUT_CDDL=yes
WITHOUT_ZFS=yes
WITHOUT_DTRACE=yes
WITHOUT_CXX=yes
WITHOUT_KERBEROS=yes
WITHOUT_LOCALES=yes
WITHOUT_OPENSSH=yes
WITHOUT_SVNLITE=yes
WITHOUT_UNBOUND=yes
WITHOUT_LDNS=yes
WITHOUT_BLUETOOTH=yes
WITHOUT_WIRELESS=yes
WITHOUT_BSNMP=yes
# Clang refers to the stack protector's guard in a way that the kernel's linker of modules does not know.
WITHOUT_SSP=yes
)";

std::string content_of(Host& host, const Path& file) {
  return host.exists(file) ? host.read_file(file) : "";
}

class FreebsdBuildRules final : public BuildRules {
 public:
  std::string arch(const Values& config) const override {
    const auto machine = config.find("machine_arch");
    const std::string arch = machine == config.end() ? "amd64" : machine->second;
    return arch == "amd64" ? "x86_64" : arch;
  }

  std::vector<std::string> tools(const Values&, const Variables&) const override {
    return {"clang", "clang++", "ld.lld", "cc", "c++", "python3", "sh", "awk", "sed", "patch"};
  }
  std::vector<std::vector<std::string>> compiler_parts() const override {
    return {};
  }  // clang is one program

  std::vector<Path> outside_inputs(Host&, const Values&, const Path&) const override { return {}; }
  std::vector<Path> outside_products() const override { return {}; }

  std::string revision(Host& host, const Values&, const Path& source) const override {
    // sys/conf/newvers.sh asks git for branch, count and hash; of changes the tree's digest knows.
    if (!host.exists(source / ".git")) return {};
    return host.run({.argv = {"git", "--no-optional-locks", "-C", source.string(), "rev-parse", "HEAD"}}).out;
  }

  bool ignored(std::string_view path) const override { return freebsd_ignored(path); }
  bool hidden_input(std::string_view path) const override { return freebsd_hidden_input(path); }
  bool untracked_input(std::string_view path) const override { return freebsd_untracked_input(path); }
  bool matters_to_modules(std::string_view path) const override { return freebsd_matters_to_modules(path); }

  std::string no_modules(const Values&) const override { return {}; }
  std::vector<std::string> default_targets(const Values&) const override { return {"buildkernel"}; }

  void prepare(Host& host, const Path& root) const override {
    const FreebsdConfFiles files(root);
    host.make_directories(files.src.parent_path());
    const auto write = [&](const Path& file, const std::string& text) {
      if (!host.exists(file)) host.write_file(file, text);
    };
    write(files.src, src_conf);
    write(files.make, "# make.conf(5) of this workspace, in place of /etc/make.conf. Yours to edit.\n");
    write(files.src_env,
          "# src-env.conf(5) of this workspace, in place of /etc/src-env.conf. Yours to edit.\n");
  }

  std::string flags(Host& host, const Path& root) const override {
    const FreebsdConfFiles files(root);
    std::string text;
    for (const Path& file : {files.src, files.make, files.src_env}) text += content_of(host, file) + "\f";
    return text;
  }

  Path output_tree(const Path& obj, const Path& source, const Variables& variables,
                   const std::string& id) const override {
    // Where buildkernel puts the kernel of KERNCONF kdev-ID.
    return freebsd_obj_top(obj.parent_path(), source, variables) / "sys" / ("kdev-" + id);
  }

  std::vector<MakeStep> make(Host& host, const MakeRequest& request) const override {
    require_freebsd_cross_build(host, request.source);
    // The bootstrap tools come from all over the tree, but hardly from the kernel's sources.
    const std::string userland =
        request.digest([](std::string_view path) { return !path.starts_with("sys/"); });
    const std::string machine_arch = freebsd_target(request.variables).machine_arch;
    MakeStep toolchain{
        .title = "toolchain",
        .command = freebsd_make(host, request, {"kernel-toolchain"}),
        .stamp = request.root / "obj" / (".kdev-toolchain-" + machine_arch),
        .key = userland + "\n" + request.toolchain_id.substr(0, 64) + "\n" + flags(host, request.root),
        .once = true};

    // KERNFAST: neither config(8) nor make obj.
    const Path stamp = request.obj / configured;
    const std::string tables = request.digest(freebsd_config_input);
    const bool fast = content_of(host, stamp) == tables;
    std::vector<std::string> arguments = {"KERNCONFDIR=" + (request.obj / freebsd_kernconf_folder).string(),
                                          (fast ? "KERNFAST=" : "KERNCONF=") + freebsd_kernconf(request.obj)};
    arguments.insert(arguments.end(), request.targets.begin(), request.targets.end());
    MakeStep kernel{.title = "",
                    .command = freebsd_make(host, request, arguments),
                    .stamp = stamp,
                    .key = tables,
                    .once = false};
    return {std::move(toolchain), std::move(kernel)};
  }

  bool make_bzimage(const std::vector<std::string>&) const override { return false; }

  Command make_image(const Path& vmlinux, const Path& image, const Variables&) const override {
    // Without debug information, but with the symbols: the kernel's own debugger reads them.
    return {.argv = {"cp", (vmlinux.parent_path() / "kernel").string(), image.string()}};
  }

  std::optional<Command> install_modules(Host& host, const MakeRequest& request,
                                         const Path& dest) const override {
    host.make_directories(dest);
    return freebsd_make(host, request,
                        {"KERNCONFDIR=" + (request.obj / freebsd_kernconf_folder).string(),
                         "KERNCONF=" + freebsd_kernconf(request.obj), "DESTDIR=" + dest.string(), "-DNO_ROOT",
                         "METALOG=" + (dest / "METALOG").string(), "installkernel"});
  }
  bool finish_modules(Host& host, const Path& dest, const std::string&, const Path&,
                      const Path&) const override {
    return host.exists(dest / "boot/kernel");
  }

  InstalledKernel install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                 const std::string& name) const override {
    return freebsd_install_kernel(host, kernel, dest, name);
  }

  std::optional<Command> compile_commands(Host&, const Path&, const Path&, const Path&) const override {
    return std::nullopt;
  }

  Products products(const Path& output_tree) const override {
    return {.vmlinux = "kernel.full",
            .system_map = {},
            .bzimage = {},
            .config = Path(freebsd_kernconf_folder) / freebsd_kernconf(output_tree)};
  }
  Path recorded_output(const Path& file) const override { return freebsd_recorded_output(file); }
  std::vector<Path> half_written(Host& host, const std::vector<Path>& files) const override {
    return freebsd_half_written(host, files);
  }

  std::string release(Host& host, const Path& obj) const override {
    // newvers.sh writes it: #define RELSTR "13.2-RELEASE"
    const std::string text = content_of(host, obj / "vers.c");
    constexpr std::string_view mark = "#define RELSTR \"";
    const std::size_t at = text.find(mark);
    if (at == text.npos) return {};
    const std::size_t from = at + mark.size();
    return text.substr(from, text.find('"', from) - from);
  }

  std::string_view made_object(std::string_view line) const override { return freebsd_made_object(line); }
  std::string_view headline(std::string_view line) const override { return freebsd_headline(line); }
  std::optional<Diagnostic> diagnostic(std::string_view line) const override {
    return freebsd_diagnostic(line);
  }
  std::string failure_hint(std::string_view reason) const override {
    if (reason.find("bzlib.h") != reason.npos || reason.find("archive.h") != reason.npos)
      return "apt-get install libbz2-dev libarchive-dev";
    return {};
  }

  long estimate_objects(const Values& config) const override {
    // Measured: MINIMAL of 13.2 has about 120 statements and 930 objects.
    return static_cast<long>(config.size()) * 8;
  }

  std::vector<Path> module_needs(Host& host, const Path& obj) const override {
    // What KERNBUILDDIR stands for in sys/conf/kmod.mk.
    std::vector<Path> needs;
    for (const DirectoryEntry& entry : host.entries(obj))
      if (entry.status.is_file() && entry.name.starts_with("opt_") && entry.name.ends_with(".h"))
        needs.emplace_back(entry.name);
    return needs;
  }
  std::optional<Refusal> no_module_in(Host& host, const Path& dir) const override {
    return freebsd_no_module_in(host, dir);
  }
  bool module_product(std::string_view path) const override { return freebsd_module_product(path); }
  Command make_module(Host& host, const MakeRequest& request, const Path& dir,
                      const Path& original) const override {
    return freebsd_make_module(host, request, dir, original);
  }
  std::vector<Path> made_modules(Host& host, const Path& dir) const override {
    return freebsd_made_modules(host, dir);
  }
  std::string module_name(const Path& file) const override { return file.stem().string(); }
};

}  // namespace

const BuildRules& freebsd_build_rules() {
  static const FreebsdBuildRules rules;
  return rules;
}

}  // namespace kdev::guest
