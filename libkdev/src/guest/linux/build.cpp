// Building Linux with Kbuild: what goes into the key, the commands, what make prints, what a build leaves.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "guest/build_rules.hpp"
#include "guest/linux/build_make.hpp"
#include "guest/linux/build_module.hpp"
#include "guest/linux/build_output.hpp"
#include "guest/linux/build_records.hpp"
#include "guest/linux/install.hpp"
#include "guest/linux/linux.hpp"

namespace kdev::guest {
namespace {

bool is_set(const Values& config, const char* option) {
  const auto found = config.find(option);
  return found != config.end() && found->second != "n" && !found->second.empty();
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == text.npos) break;
    const std::size_t end = text.find_first_of(" \t", start);
    result.emplace_back(text.substr(start, end == text.npos ? end : end - start));
    text.remove_prefix(end == text.npos ? text.size() : end);
  }
  return result;
}

class LinuxBuildRules final : public BuildRules {
 public:
  std::string arch(const Values& config) const override {
    if (is_set(config, "X86_64")) return "x86_64";
    if (is_set(config, "X86_32")) return "i386";
    if (is_set(config, "ARM64")) return "aarch64";
    if (is_set(config, "RISCV")) return is_set(config, "64BIT") ? "riscv64" : "riscv32";
    return linux_arch({});
  }

  std::vector<std::string> tools(const Values& config, const Variables& variables) const override {
    std::vector<std::string> tools;
    for (const char* variable : {"CC", "HOSTCC", "LD", "AR", "NM", "OBJCOPY", "STRIP"})
      tools.push_back(linux_tool(variable, variables));
    for (const char* program : {"make", "sh", "bash", "bc", "flex", "bison", "perl"})
      tools.emplace_back(program);
    if (is_set(config, "DEBUG_INFO_BTF")) tools.emplace_back("pahole");
    return tools;
  }

  std::vector<std::vector<std::string>> compiler_parts() const override {
    return {{"-print-prog-name=cc1"}, {"-print-prog-name=as"}, {"-print-prog-name=ld"}};
  }

  std::vector<Path> outside_inputs(Host& host, const Values& config, const Path& source) const override {
    std::vector<Path> inputs;
    const auto add = [&](const char* option, const Path& base) {
      const auto found = config.find(option);
      if (found == config.end()) return;
      for (const std::string& word : words(found->second)) {
        const Path path = Path(word).is_absolute() ? Path(word) : base / word;
        if (host.exists(path)) inputs.push_back(path);
      }
    };
    add("INITRAMFS_SOURCE", source);
    add("SYSTEM_TRUSTED_KEYS", source);
    add("SYSTEM_REVOCATION_KEYS", source);
    add("MODULE_SIG_KEY", source);
    const auto firmware = config.find("EXTRA_FIRMWARE_DIR");
    add("EXTRA_FIRMWARE", firmware == config.end() ? source / "firmware" : Path(firmware->second));
    return inputs;
  }

  std::vector<Path> outside_products() const override {
    return {"usr/initramfs_data.cpio",     "usr/.initramfs_data.cpio.d", "usr/initramfs_inc_data",
            "certs/x509_certificate_list", "certs/x509_revocation_list", "certs/signing_key.x509"};
  }

  std::string revision(Host& host, const Values& config, const Path& source) const override {
    // scripts/setlocalversion asks git for the commit and its tag; whether the tree is dirty the tree's
    // digest knows.
    if (!is_set(config, "LOCALVERSION_AUTO") || !host.exists(source / ".git")) return {};
    std::string text;
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"rev-parse", "HEAD"}, {"describe", "--tags", "--always"}}) {
      Command git{.argv = {"git", "--no-optional-locks", "-C", source.string()}};
      git.argv.insert(git.argv.end(), arguments.begin(), arguments.end());
      text += host.run(git).out;
    }
    return text;
  }

  bool ignored(std::string_view path) const override {
    const std::string_view file = path.substr(path.rfind('/') + 1);
    if (file == ".git" || file == ".svn" || file == ".hg" || file == ".#" || file.ends_with('~')) return true;
    if (file.starts_with(".#") || (file.starts_with('#') && file.ends_with('#'))) return true;
    if (file.starts_with('.') && (file.ends_with(".swp") || file.ends_with(".swo") || file.ends_with(".swx")))
      return true;
    // Indexes of editors, in the top folder only.
    for (const char* index :
         {"tags", "TAGS", "GTAGS", "GRTAGS", "GPATH", "cscope.out", "cscope.in.out", "cscope.po.out",
          "cscope.files", "compile_commands.json", ".cache", ".vscode", ".idea", ".clangd"})
      if (path == index) return true;
    return false;
  }

  bool hidden_input(std::string_view path) const override {
    // Sources, makefiles and Kconfig files are tracked; what else lies in these folders may be run or read by
    // a rule.
    const std::string_view file = path.substr(path.rfind('/') + 1);
    for (const char* tracked : {".c", ".h", ".S", ".rst", ".txt", ".dts", ".dtsi", ".yaml", ".md"})
      if (file.ends_with(tracked)) return false;
    if (file.starts_with("Makefile") || file.starts_with("Kconfig") || file == "Kbuild" ||
        file.starts_with(".git"))
      return false;
    for (const char* folder : {"scripts/", "usr/", "certs/", "tools/objtool/", "tools/build/",
                               "tools/scripts/", "arch/x86/tools/", "arch/x86/boot/", "arch/x86/entry/"})
      if (path.starts_with(folder)) return true;
    return false;
  }

  bool untracked_input(std::string_view) const override { return false; }

  bool matters_to_modules(std::string_view path) const override {
    if (path.starts_with("Documentation/") || path.starts_with("samples/")) return false;
    if (path.starts_with("tools/"))
      return path.starts_with("tools/objtool/") || path.starts_with("tools/include/");
    const std::string_view file = path.substr(path.rfind('/') + 1);
    return path.starts_with("scripts/") || path.starts_with("include/") ||
           path.find("/include/") != path.npos || file == "Makefile" || file == "Kbuild" ||
           file.ends_with(".lds.S");
  }

  std::string no_modules(const Values& config) const override {
    return is_set(config, "MODULES") ? "" : "MODULES is not set";
  }

  std::vector<std::string> default_targets(const Values& config) const override {
    std::vector<std::string> targets = {"vmlinux"};
    if (is_set(config, "MODULES")) targets.emplace_back("modules");
    if (linux_needs_boot_image(config)) targets.emplace_back("bzImage");  // else nothing would boot it
    return targets;
  }

  void prepare(Host&, const Path&) const override {}
  std::string flags(Host&, const Path&) const override { return {}; }

  std::vector<MakeStep> make(Host&, const MakeRequest& request) const override {
    return {{.title = "", .command = linux_make(request), .stamp = {}, .key = ""}};
  }

  Path output_tree(const Path& obj, const Path&, const Variables&, const std::string& id) const override {
    return obj / id;
  }

  Command make_image(const Path& vmlinux, const Path& image, const Variables& variables) const override {
    return {.argv = {linux_tool("OBJCOPY", variables), "-S", vmlinux.string(), image.string()}};
  }

  bool make_bzimage(const std::vector<std::string>& targets) const override {
    return makes(targets, "bzImage");
  }

  std::optional<Command> install_modules(Host& host, const MakeRequest& request,
                                         const Path& dest) const override {
    if (!makes(request.targets, "modules")) return std::nullopt;
    const Path order = request.obj / "modules.order";
    if (host.status(order).size == 0) return std::nullopt;
    MakeRequest install = request;
    install.targets = {"modules_install"};
    install.variables["INSTALL_MOD_PATH"] = dest.string();
    return linux_make(install);
  }

  bool finish_modules(Host& host, const Path& dest, const std::string& release, const Path& obj,
                      const Path& source) const override {
    const Path folder = dest / "lib/modules" / release;
    if (!host.exists(folder)) return false;
    for (const auto& [link, target] : {std::pair("build", obj), std::pair("source", source)}) {
      host.remove_all(folder / link);
      host.make_link(target, folder / link);
    }
    return true;
  }

  InstalledKernel install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                 const std::string& name) const override {
    return linux_install_kernel(host, kernel, dest, name);
  }

  std::optional<Command> compile_commands(Host& host, const Path& source, const Path& obj,
                                          const Path& file) const override {
    const Path script = source / "scripts/clang-tools/gen_compile_commands.py";
    if (!host.exists(script) || !host.which("python3")) return std::nullopt;
    return Command{.argv = {"python3", "-B", script.string(), "-d", obj.string(), "-o", file.string()}};
  }

  Products products(const Path&) const override {
    return {"vmlinux", "System.map", "arch/x86/boot/bzImage", ".config"};
  }

  Path recorded_output(const Path& file) const override { return linux_recorded_output(file); }
  std::vector<Path> half_written(Host& host, const std::vector<Path>& files) const override {
    return linux_half_written(host, files);
  }

  std::string release(Host& host, const Path& obj) const override {
    std::string text = host.read_file(obj / "include/config/kernel.release");
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    return text;
  }

  std::string_view made_object(std::string_view line) const override { return linux_made_object(line); }
  std::string_view headline(std::string_view line) const override {
    return line.starts_with("  ") ? line.substr(2) : std::string_view();
  }
  std::optional<Diagnostic> diagnostic(std::string_view line) const override {
    return linux_diagnostic(line);
  }

  std::string failure_hint(std::string_view reason) const override {
    if (reason.find("certs/") == reason.npos) return {};
    return "the configuration names a distribution's certificates: set SYSTEM_TRUSTED_KEYS and "
           "SYSTEM_REVOCATION_KEYS to \"\"";
  }

  long estimate_objects(const Values& config) const override {
    // Measured over tiny and defconfig of 6.1: 1.5 to 1.8 objects for each option that is on.
    long on = 0;
    for (const auto& [option, value] : config) on += value == "y" || value == "m";
    return on * 17 / 10;
  }

  std::vector<Path> module_needs(Host& host, const Path& obj) const override {
    std::vector<Path> needs;
    for (const char* path :
         {"Makefile", ".config", "Module.symvers", "modules.builtin", "include", "scripts/basic/fixdep",
          "scripts/mod/modpost", "scripts/module.lds", "scripts/gcc-plugins", "tools/objtool/objtool",
          "vmlinux.symvers", "certs/signing_key.pem", "certs/signing_key.x509", "scripts/sign-file",
          "scripts/genksyms/genksyms", "scripts/recordmcount", "tools/bpf/resolve_btfids/resolve_btfids"})
      if (host.exists(obj / path)) needs.emplace_back(path);
    if (host.exists(obj / "arch"))
      for (const Path& arch : host.list(obj / "arch"))
        for (const char* path : {"include", "module.lds"})
          if (host.exists(arch / path)) needs.push_back(Path("arch") / arch.filename() / path);
    return needs;
  }

  std::optional<Refusal> no_module_in(Host& host, const Path& dir) const override {
    return linux_no_module_in(host, dir);
  }
  bool module_product(std::string_view path) const override { return linux_module_product(path); }
  Command make_module(Host&, const MakeRequest& request, const Path& dir,
                      const Path& original) const override {
    return linux_make_module(request, dir, original);
  }
  std::vector<Path> made_modules(Host& host, const Path& dir) const override {
    return linux_made_modules(host, dir);
  }
  std::string module_name(const Path& file) const override {
    std::string name = file.stem().string();
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
  }

 private:
  static bool makes(const std::vector<std::string>& targets, const char* what) {
    return std::any_of(targets.begin(), targets.end(),
                       [&](const std::string& target) { return target == "all" || target == what; });
  }
};

}  // namespace

const BuildRules& linux_build_rules() {
  static const LinuxBuildRules rules;
  return rules;
}

}  // namespace kdev::guest
