// VMs of other processes.
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/running_vm.hpp>

#include "common/json.hpp"
#include "debug/detach.hpp"
#include "debug/target.hpp"
#include "host/hostfs.hpp"
#include "hypervisor/hypervisor.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

constexpr const char* description = "vm.json";

}  // namespace

void VM::State::describe_running() const {
  const auto text = [](const Path& path) { return json::value(json::utf8(path.string())); };
  json::array modules;
  for (const ModuleArtifact& module : spec.modules) modules.push_back(text(module.ko));
  const json::object about{{"name", json::utf8(spec.name)},         {"os", to_string(kernel.os)},
                           {"release", json::utf8(kernel.release)}, {"build_id", json::utf8(kernel.build_id)},
                           {"vmlinux", text(kernel.vmlinux)},       {"kernel_modules", text(kernel.modules)},
                           {"source", text(kernel.source)},         {"modules", std::move(modules)}};
  local_host()->write_file(dir->path() / description, json::dump(about));
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
  auto target = debug::make_target(vm.kernel.os);
  // gdb's names for sockets are short: the VM's folder may be far down.
  hostfs::create_symlink(vm.directory, target->options.cwd / "vm");
  const std::shared_ptr<hypervisor::OpenedStub> stub =
      hypervisor::all_hypervisors().front()->open_stub_in(vm.directory, deadline);
  target->name = "VM '" + vm.name + "'";
  target->symbols = vm.kernel.vmlinux;
  target->source = vm.kernel.source;
  target->modules = debug::module_files(vm.kernel, vm.modules);
  target->stub = std::string("./vm/") + hypervisor::stub_socket;
  target->crashed = [stub] { return stub->was_paused(); };
  target->abandoned = [directory = vm.directory, stub](bool) {
    debug::detach_gdb(directory, hypervisor::stub_socket,
                      stub->was_paused() ? debug::in_place : debug::of_process);
  };
  // The stub is open as long as somebody has it.
  target->closed = [stub] {};
  return DebugSession(std::move(target), deadline);
}

}  // namespace kdev
