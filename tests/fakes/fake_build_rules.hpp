#pragma once
// Build rules of a guest that there is not: for tests of what must not care which one it is.
#include "guest/build_rules.hpp"

namespace kdev::fakes {

struct FakeBuildRules : guest::BuildRules {
  using Values = guest::Values;
  using Variables = guest::Variables;
  using Request = guest::MakeRequest;

  std::string arch(const Values&) const override { return "pdp11"; }
  std::vector<std::string> tools(const Values&, const Variables&) const override { return {"cc"}; }
  std::vector<std::vector<std::string>> compiler_parts() const override { return {}; }
  std::vector<Path> outside_inputs(Host&, const Values&, const Path&) const override { return {}; }
  std::vector<Path> outside_products() const override { return {}; }
  std::string revision(Host&, const Values&, const Path&) const override { return {}; }
  bool ignored(std::string_view) const override { return false; }
  bool hidden_input(std::string_view) const override { return false; }
  bool matters_to_modules(std::string_view) const override { return true; }
  std::string no_modules(const Values&) const override { return "it has none"; }
  std::vector<std::string> default_targets(const Values&) const override { return {"unix"}; }
  void prepare(Host&, const Path&) const override {}
  std::string flags(Host&, const Path&) const override { return {}; }
  bool untracked_input(std::string_view) const override { return false; }
  std::vector<guest::MakeStep> make(Host&, const Request& request) const override {
    return {{.title = "", .command = {.argv = {"mk", request.obj.string()}}, .stamp = {}, .key = ""}};
  }
  Command make_image(const Path& kernel, const Path& image, const Variables&) const override {
    return {.argv = {"cp", kernel.string(), image.string()}};
  }
  std::optional<Command> install_modules(Host&, const Request&, const Path&) const override {
    return std::nullopt;
  }
  InstalledKernel install_kernel(Host&, const KernelArtifact&, const Path& dest,
                                 const std::string&) const override {
    return {.name = "unix", .kernel = dest / "unix", .modules = {}, .debug = {}, .metalog = {}};
  }
  std::optional<Command> compile_commands(Host&, const Path&, const Path&, const Path&) const override {
    return std::nullopt;
  }
  guest::Products products(const Path&) const override { return {"unix", "unix.map", "", "unix.conf"}; }
  Path output_tree(const Path& obj, const Path&, const Variables&, const std::string& id) const override {
    return obj / id;
  }
  bool make_bzimage(const std::vector<std::string>&) const override { return false; }
  bool finish_modules(Host&, const Path&, const std::string&, const Path&, const Path&) const override {
    return false;
  }
  Path recorded_output(const Path&) const override { return {}; }
  std::vector<Path> half_written(Host&, const std::vector<Path>&) const override { return {}; }
  std::string release(Host&, const Path&) const override { return "7"; }
  std::string_view made_object(std::string_view line) const override { return line.substr(0, 0); }
  std::string_view headline(std::string_view line) const override { return line.substr(0, 0); }
  /// "mkconf: TEXT" is an error.
  std::optional<Diagnostic> diagnostic(std::string_view line) const override {
    constexpr std::string_view tool = "mkconf: ";
    if (!line.starts_with(tool)) return std::nullopt;
    return Diagnostic{"", 0, 0, "error", std::string(line.substr(tool.size()))};
  }
  std::string failure_hint(std::string_view reason) const override {
    return reason.find("vector") == reason.npos ? "" : "write low.s anew";
  }
  long estimate_objects(const Values&) const override { return 1; }
  std::vector<Path> module_needs(Host&, const Path&) const override { return {}; }
  std::optional<guest::Refusal> no_module_in(Host&, const Path&) const override { return std::nullopt; }
  bool module_product(std::string_view) const override { return false; }
  Command make_module(Host&, const Request&, const Path& dir, const Path&) const override {
    return {.argv = {"mk", dir.string()}};
  }
  std::vector<Path> made_modules(Host&, const Path&) const override { return {}; }
  std::string module_name(const Path& file) const override { return file.string(); }
};

}  // namespace kdev::fakes
