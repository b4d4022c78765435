#pragma once
// How a guest's kernel and its modules are made: which programs, which commands, what they print, what they
// leave. build/ drives them and keeps the store; it knows no guest. Stateless and thread-safe.
#include <functional>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

using Values = std::map<std::string, std::string>;  ///< ResolvedConf::values
using Variables = std::map<std::string, std::string>;

/// One run of make (or of what a guest has in its place).
struct MakeRequest {
  Path source;  ///< the kernel tree; only read
  Path obj;     ///< the output tree
  std::vector<std::string> targets;
  int jobs = 1;
  Variables variables;       ///< the user's, for the command line
  Path ccache;               ///< empty: not used
  std::string toolchain_id;  ///< stands for the compiler and where headers are found: ccache goes by it
  Path root;                 ///< the workspace; what prepare() wrote is there
  /// Digest of the source tree's files that it takes (paths relative to the tree).
  std::function<std::string(const std::function<bool(std::string_view path)>& accept)> digest;
};

/// One command of a build.
struct MakeStep {
  std::string title;  ///< for people: "toolchain"; empty for the only one
  Command command;
  /// A file that holds `key` once the step has come to a good end; empty: the step is always run.
  Path stamp;
  std::string key;
  /// Serves several builds: not run when the stamp already holds the key. Else the stamp is but written.
  bool once = false;
};

/// Where a build leaves things, all relative to the output tree.
struct Products {
  Path vmlinux;     ///< kernel with debug information
  Path system_map;  ///< symbol table as text
  Path bzimage;     ///< compressed image of that architecture
  Path config;      ///< the configuration it was built with
};

/// Why something cannot be done, and what to do.
struct Refusal {
  std::string reason, hint;
};

class BuildRules {
 public:
  virtual ~BuildRules() = default;

  /// "x86_64": what the configuration builds for.
  virtual std::string arch(const Values& config) const = 0;
  /// The programs whose bytes decide the outcome, as argv[0] for the host. A compiler comes first.
  virtual std::vector<std::string> tools(const Values& config, const Variables& variables) const = 0;
  /// Arguments that make the compiler print where its own parts are (as GCC's -print-prog-name=cc1 does), one
  /// list each.
  virtual std::vector<std::vector<std::string>> compiler_parts() const = 0;
  /// Files and folders outside the tree that the configuration names; their content is part of the key.
  virtual std::vector<Path> outside_inputs(Host& host, const Values& config, const Path& source) const = 0;
  /// Of the output tree, relative: what is made from those, to be removed when their content changed.
  virtual std::vector<Path> outside_products() const = 0;
  /// Text that the release string takes from version control, for the key; empty when it takes none.
  virtual std::string revision(Host& host, const Values& config, const Path& source) const = 0;
  /// Never an input: version control, editors' files. `path` is relative to the tree.
  virtual bool ignored(std::string_view path) const = 0;
  /// A script or table that make runs or reads without it being written down as a dependency.
  virtual bool hidden_input(std::string_view path) const = 0;
  /// What make never notices a change of, whatever its date: the output tree is made anew.
  virtual bool untracked_input(std::string_view path) const = 0;
  /// Out-of-tree modules depend on this file of the tree (a header, the build system).
  virtual bool matters_to_modules(std::string_view path) const = 0;

  /// Why a kernel so configured loads no modules; empty: it does.
  virtual std::string no_modules(const Values& config) const = 0;
  virtual std::vector<std::string> default_targets(const Values& config) const = 0;
  /// Files of the user's to keep in a workspace at `root` (make.conf and the like), written where they are
  /// missing.
  virtual void prepare(Host& host, const Path& root) const = 0;
  /// What those say: it decides how everything is compiled.
  virtual std::string flags(Host& host, const Path& root) const = 0;
  /// What is run one after another to build the request's targets.
  virtual std::vector<MakeStep> make(Host& host, const MakeRequest& request) const = 0;
  /// The output tree of what `id` stands for, in a folder of such trees under the workspace's `obj`.
  virtual Path output_tree(const Path& obj, const Path& source, const Variables& variables,
                           const std::string& id) const = 0;
  /// Strips `vmlinux` to what boots.
  virtual Command make_image(const Path& vmlinux, const Path& image, const Variables& variables) const = 0;
  /// Whether the targets make Products::bzimage.
  virtual bool make_bzimage(const std::vector<std::string>& targets) const = 0;
  /// Installs the modules under `dest`, laid out as in a guest's root; nothing when the build made none.
  virtual std::optional<Command> install_modules(Host& host, const MakeRequest& request,
                                                 const Path& dest) const = 0;
  /// After that: whatever names the place where it was built is made to name where the kernel's output
  /// (`obj`) and sources are kept. False when no module was installed.
  virtual bool finish_modules(Host& host, const Path& dest, const std::string& release, const Path& obj,
                              const Path& source) const = 0;
  /// Workspace::install_kernel(); `name` may be empty.
  virtual InstalledKernel install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                         const std::string& name) const = 0;
  /// Writes compile_commands.json to `file`; nothing when the tree has no such tool.
  virtual std::optional<Command> compile_commands(Host& host, const Path& source, const Path& obj,
                                                  const Path& file) const = 0;
  virtual Products products(const Path& output_tree) const = 0;
  /// A dependency record is a file of the output tree that names what one output was made from. The output
  /// that `file` is the record of; empty: it is none.
  virtual Path recorded_output(const Path& file) const = 0;
  /// Which of an output tree's `files` a make that was killed may have left half-written.
  virtual std::vector<Path> half_written(Host& host, const std::vector<Path>& files) const = 0;
  /// uname -r of what was built in `obj`.
  virtual std::string release(Host& host, const Path& obj) const = 0;

  /// The object that this line of make's output says is being made; empty for any other line.
  virtual std::string_view made_object(std::string_view line) const = 0;
  /// What the line says to somebody who waits, when it is no object and worth showing; empty: nothing.
  virtual std::string_view headline(std::string_view line) const = 0;
  /// A message of the guest's own tools, beyond compilers, linkers and make.
  virtual std::optional<Diagnostic> diagnostic(std::string_view line) const = 0;
  /// What to do about a build that failed for this reason (the first error's text); empty: nothing
  /// particular.
  virtual std::string failure_hint(std::string_view) const { return {}; }
  /// About how many objects the configuration has, before anything like it was ever built.
  virtual long estimate_objects(const Values& config) const = 0;

  /// What of the output tree out-of-tree modules need: relative paths, folders with all they hold.
  virtual std::vector<Path> module_needs(Host& host, const Path& obj) const = 0;
  /// What keeps the folder from being one of a module's sources and makefile, and what to do; nothing: it is
  /// one.
  virtual std::optional<Refusal> no_module_in(Host& host, const Path& dir) const = 0;
  /// Of a module's folder, relative to it: what an earlier build left, and what is never an input.
  virtual bool module_product(std::string_view path) const = 0;
  /// Builds the modules whose sources and makefile are in `dir`, against what module_needs() named. `dir` is
  /// a copy of `original`, whose name goes into the debug information.
  virtual Command make_module(Host& host, const MakeRequest& request, const Path& dir,
                              const Path& original) const = 0;
  /// What that made, each module after those that it needs.
  virtual std::vector<Path> made_modules(Host& host, const Path& dir) const = 0;
  /// What the guest's loader calls the module of that file.
  virtual std::string module_name(const Path& file) const = 0;
};

}  // namespace kdev::guest
