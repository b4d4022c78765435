#pragma once
// The keyword arguments that describe a VM: the same for VM(...) and Pipeline.boot(...).
#include "blocking.hpp"

namespace kdev::python {

struct SpecArguments {
  std::optional<SeedImage> image;
  std::string memory;
  int cpus;
  std::string name, cmdline;
  Accel accel;
  BootMethod boot;
  std::vector<Disk> disks;
  std::vector<ModuleArtifact> modules;
  std::vector<std::string> qemu_args;
  std::optional<Path> run_dir;
  bool symbolize;
  std::optional<OnCrash> on_crash;
  bool debug_port;
  bool record;
  Timeout boot_timeout, command_timeout, crash_timeout, probe_timeout, close_timeout;

  VmSpec spec() const {
    VmSpec s;
    if (image) s.image = *image;
    s.memory = memory;
    s.cpus = cpus;
    s.name = name;
    s.cmdline = cmdline;
    s.accel = accel;
    s.boot = boot;
    s.disks = disks;
    s.modules = modules;
    s.qemu_args = qemu_args;
    s.run_dir = run_dir.value_or(Path());
    s.symbolize = symbolize;
    if (on_crash) s.on_crash = *on_crash;
    s.debug_port = debug_port;
    s.record = record;
    if (boot_timeout) s.timeouts.boot = *boot_timeout;
    if (command_timeout) s.timeouts.command = *command_timeout;
    if (crash_timeout) s.timeouts.crash = *crash_timeout;
    if (probe_timeout) s.timeouts.probe = *probe_timeout;
    if (close_timeout) s.timeouts.close = *close_timeout;
    return s;
  }
};

// As lambda parameters, as a SpecArguments, and as py::arg with defaults. `image` comes before them.
#define KDEV_SPEC_PARAMETERS                                                                             \
  const std::string &memory, int cpus, const std::string &name, const std::string &cmdline, Accel accel, \
      BootMethod boot, const std::vector<Disk>&disks, const std::vector<ModuleArtifact>&modules,         \
      const std::vector<std::string>&qemu_args, const std::optional<Path>&run_dir, bool symbolize,       \
      const std::optional<OnCrash>&on_crash, bool debug_port, bool record, Timeout boot_timeout,         \
      Timeout command_timeout, Timeout crash_timeout, Timeout probe_timeout, Timeout close_timeout
#define KDEV_SPEC(image)                                                                            \
  SpecArguments{image,         memory,       cpus,    name,         cmdline,         accel,         \
                boot,          disks,        modules, qemu_args,    run_dir,         symbolize,     \
                on_crash,      debug_port,   record,  boot_timeout, command_timeout, crash_timeout, \
                probe_timeout, close_timeout}                                                       \
      .spec()
#define KDEV_SPEC_ARGS                                                                                   \
  py::arg("memory") = "512M", py::arg("cpus") = 1, py::arg("name") = "", py::arg("cmdline") = "",        \
  py::arg("accel") = "auto", py::arg("boot") = "auto", py::arg("disks") = std::vector<Disk>(),           \
  py::arg("modules") = std::vector<ModuleArtifact>(), py::arg("qemu_args") = std::vector<std::string>(), \
  py::arg("run_dir") = py::none(), py::arg("symbolize") = true, py::arg("on_crash") = py::none(),        \
  py::arg("debug_port") = false, py::arg("record") = false, py::arg("boot_timeout") = py::none(),        \
  py::arg("command_timeout") = py::none(), py::arg("crash_timeout") = py::none(),                        \
  py::arg("probe_timeout") = py::none(), py::arg("close_timeout") = py::none()

// The same for commands in a guest.
#define KDEV_COMMAND_PARAMETERS                                                                             \
  const Data &input, const std::map<std::string, std::string>&env, const std::string &cwd, Timeout timeout, \
      bool check, std::size_t output_limit
#define KDEV_COMMAND_OPTIONS                                                          \
  CommandOptions {                                                                    \
    .input = input.bytes, .env = env, .cwd = cwd, .timeout = timeout, .check = check, \
    .output_limit = output_limit, .stop = {}                                          \
  }
#define KDEV_COMMAND_ARGS                                                                \
  py::arg("input") = py::bytes(), py::arg("env") = std::map<std::string, std::string>(), \
  py::arg("cwd") = "", py::arg("timeout") = py::none(), py::arg("check") = false,        \
  py::arg("output_limit") = std::size_t(256) << 20

}  // namespace kdev::python
