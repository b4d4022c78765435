// VMs of other processes.
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/running_vm.hpp>

#include "common/json.hpp"
#include "debug/target.hpp"
#include "guest/guest.hpp"
#include "host/hostfs.hpp"
#include "host/temporary_folder.hpp"
#include "hypervisor/hypervisor.hpp"
#include "vm/debug_files.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

constexpr const char* description = "vm.json";

}  // namespace

void vm::describe_running(const Path& dir, const VmSpec& spec, const KernelArtifact& kernel) {
  const auto text = [](const Path& path) { return json::value(json::utf8(path.string())); };
  json::array modules;
  for (const ModuleArtifact& module : spec.modules) modules.push_back(text(module.ko));
  const json::object about{{"name", json::utf8(spec.name)},         {"os", to_string(kernel.os)},
                           {"release", json::utf8(kernel.release)}, {"build_id", json::utf8(kernel.build_id)},
                           {"vmlinux", text(kernel.vmlinux)},       {"kernel_modules", text(kernel.modules)},
                           {"source", text(kernel.source)},         {"modules", std::move(modules)}};
  local_host()->write_file(dir / description, json::dump(about));
}

std::vector<RunningVm> running_vms(const Path& run_dir) {
  namespace fs = boost::filesystem;
  std::vector<RunningVm> found;
  boost::system::error_code ec;
  for (fs::directory_iterator it(run_dir, ec), end; !ec && it != end; it.increment(ec)) {
    const Path file = it->path() / description;
    if (!fs::exists(file, ec)) continue;
    try {
      const json::object about = json::parse_object(local_host()->read_file(file), "a VM's description");
      RunningVm vm{.name = json::get_string(about, "name"), .directory = it->path()};
      vm.kernel.os = os_from_string(json::get_string(about, "os"));
      vm.kernel.release = json::get_string(about, "release");
      vm.kernel.build_id = json::get_string(about, "build_id");
      vm.kernel.vmlinux = json::get_string(about, "vmlinux");
      vm.kernel.modules = json::get_string(about, "kernel_modules");
      vm.kernel.source = json::get_string(about, "source");
      if (const auto* modules = about.if_contains("modules"); modules && modules->is_array())
        for (const auto& module : modules->as_array())
          if (module.is_string()) vm.modules.emplace_back(std::string(module.as_string()));
      found.push_back(std::move(vm));
    } catch (const Error&) {
      // It has just gone, or is not whole yet.
    }
  }
  std::sort(found.begin(), found.end(), [](const RunningVm& a, const RunningVm& b) {
    return std::tie(a.name, a.directory) < std::tie(b.name, b.directory);
  });
  return found;
}

DebugSession debug_running(const RunningVm& vm, const Deadline& deadline) {
  const auto folder = std::make_shared<TemporaryFolder>(hostfs::temporary() / "kdev-debug");
  // gdb's names for sockets are short: the VM's folder may be far down.
  hostfs::create_symlink(vm.directory, folder->path / "vm");
  auto stub = hypervisor::all_hypervisors().front()->open_stub_in(vm.directory, deadline);
  const guest::Guest& guest = guest::guest_for(vm.kernel.os);
  auto target = std::make_unique<debug::Target>();
  target->name = "VM '" + vm.name + "'";
  target->symbols = vm.kernel.vmlinux;
  target->source = vm.kernel.source;
  target->modules = vm::module_files(vm.kernel, vm.modules, guest.symbols());
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->options = {.cwd = folder->path, .log = folder->path / "gdb.log", .lease = "", .on_start = {}};
  target->stub = std::string("./vm/") + hypervisor::stub_socket;
  target->keep = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<TemporaryFolder>>>(
      std::move(stub), folder);
  return DebugSession(std::move(target), deadline);
}

}  // namespace kdev
