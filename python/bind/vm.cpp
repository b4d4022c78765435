// Virtual machines.
#include <kdev/vm.hpp>
#include <limits>

#include "bind.hpp"
#include "handles.hpp"
#include "package.hpp"
#include "spec.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

using Words = std::vector<std::string>;
constexpr Seconds forever{std::numeric_limits<double>::infinity()};

/// A path that a VM has only once it was started.
Path started(const VM& vm, const Path& path) {
  if (path.empty())
    throw GuestError({.attempted = "look at the files of VM '" + vm.name() + "'",
                      .reason = "it was not started",
                      .hint = "call start() first",
                      .log = {}});
  return path;
}

void bind_results(py::module_& m) {
  Value<AccelProbe> probe(m, "AccelProbe", "What an accelerator probe found.");
  probe.field("accel", &AccelProbe::accel).field("reason", &AccelProbe::reason).finish();
  m.def(
      "probe_accel", [](bool use_cache) { return blocking([&] { return probe_accel(use_cache); }); },
      py::arg("use_cache") = true, "Runs a tiny guest under KVM with a deadline; falls back to TCG.");

  Value<CommandResult> result(m, "CommandResult",
                              "What a guest command did. A crash, a non-zero exit and a time-out are data.");
  result.field("command", &CommandResult::command)
      .bytes_field("stdout", &CommandResult::out, "Decoded with errors='replace'.")
      .bytes_field("stderr", &CommandResult::err, "Decoded with errors='replace'.")
      .field("exit_code", &CommandResult::exit_code, "None: it did not exit.")
      .field("signal", &CommandResult::signal, "That ended it; None: none did.")
      .field("timed_out", &CommandResult::timed_out)
      .field("truncated", &CommandResult::truncated,
             "More output than output_limit: the rest was counted only.")
      .field("stdout_size", &CommandResult::out_bytes, "Bytes produced, also when truncated.")
      .key("stdout_bytes")
      .field("stderr_size", &CommandResult::err_bytes, "Bytes produced, also when truncated.")
      .key("stderr_bytes")
      .field("duration", &CommandResult::duration, "Seconds, seen from the host.")
      .field("guest_duration", &CommandResult::guest_duration, "Seconds inside the guest.")
      .bytes_field("console", &CommandResult::console, "What the console showed meanwhile.")
      .field("crash", &CommandResult::crash, "None: the kernel did not crash.");
  result.py().def_property_readonly("ok", &CommandResult::ok, "Exit code 0, no crash, no time-out.");
  result.finish({"command", "stdout", "stderr", "exit_code", "signal", "timed_out", "duration", "crash"});
  result.py().def("_repr_html_", [](const py::object& self) {
    return py::str(py::module_::import("kdev.display").attr("command_html")(self));
  });

  Value<RebootResult>(m, "RebootResult", "What reboot() came up with.")
      .field("kernel", &RebootResult::kernel, "The one that runs now.")
      .field("name", &RebootResult::name, "Under which it is installed.")
      .field("fell_back", &RebootResult::fell_back, "The installed one did not come up.")
      .field("reason", &RebootResult::reason)
      .field("crash", &RebootResult::crash, "Of the failed boot.")
      .field("duration", &RebootResult::duration, "Seconds.")
      .finish({"kernel", "fell_back", "reason", "duration"});
}

void bind_on_crash(py::module_& m) {
  const OnCrash plain;
  Value<OnCrash> policy(
      m, "OnCrash",
      "What kdev does when a guest's kernel crashes: asks its own debugger (ddb) at its prompt, "
      "then leaves it as `then` says.");
  policy.py().def(
      py::init([](const Words& ask, AfterCrash then, Seconds answer_timeout, Seconds dump_timeout) {
        return OnCrash{ask, then, answer_timeout, dump_timeout};
      }),
      py::arg("ask") = Words(), py::arg("then") = "pause", py::kw_only(),
      py::arg("answer_timeout") = plain.answer_timeout.count(),
      py::arg("dump_timeout") = plain.dump_timeout.count(),
      "then: 'pause' its CPUs; 'leave' it running; 'dump' or 'textdump' by its debugger, then end the "
      "machine; 'unattended': it dumps and reboots by itself, without its debugger. Timeouts are seconds.");
  policy.field("ask", &OnCrash::ask, "Commands, in order: 'bt', 'show pcpu', 'ps', 'alltrace', ...")
      .field("then", &OnCrash::then)
      .field("answer_timeout", &OnCrash::answer_timeout, "For the prompt to appear, and for each answer.")
      .field("dump_timeout", &OnCrash::dump_timeout,
             "For a dump; 'unattended': from the panic to the reboot.")
      .finish();
}

void bind_job(py::module_& m) {
  py::class_<JobHandle, std::shared_ptr<JobHandle>>(
      m, "Job", "A guest command in progress. Dropping it kills the command.")
      .def(
          "write", [](JobHandle& j, const Data& data) { blocking([&] { j.job().write(data.bytes); }); },
          py::arg("data"), "str or bytes to its standard input.")
      .def("close_input", [](JobHandle& j) { blocking([&] { j.job().close_input(); }); })
      .def(
          "signal", [](JobHandle& j, int signo) { blocking([&] { j.job().signal(signo); }); },
          py::arg("signo"), "To its process group.")
      .def_property_readonly("running",
                             [](JobHandle& j) { return blocking([&] { return j.job().running(); }); })
      .def(
          "read_stdout", [](JobHandle& j) { return py::bytes(blocking([&] { return j.job().read_out(); })); },
          "What came since the last call; does not block.")
      .def(
          "read_stderr", [](JobHandle& j) { return py::bytes(blocking([&] { return j.job().read_err(); })); },
          "What came since the last call; does not block.")
      .def(
          "wait_output",
          [](JobHandle& j, Timeout timeout) {
            return blocking([&] { return j.job().wait_output(timeout.value_or(forever)); });
          },
          py::kw_only(), py::arg("timeout") = py::none(),
          "Blocks until there is output to read or the command has ended; False when the time passes.")
      .def(
          "wait",
          [](JobHandle& j, Timeout timeout) { return blocking([&] { return j.job().wait(timeout); }); },
          py::kw_only(), py::arg("timeout") = py::none(),
          "Blocks until it ends; when the time passes it is killed and timed_out is set.")
      .def("kill", [](JobHandle& j) { blocking([&] { j.job().kill(); }); })
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](JobHandle& j, const py::args&) { blocking([&] { j.job().kill(); }); });
}

void bind_vm_class(py::module_& m) {
  using Self = VmHandle&;
  using Shared = const std::shared_ptr<VmHandle>&;
  py::class_<VmHandle, std::shared_ptr<VmHandle>> vm(
      m, "VM",
      "A virtual machine: a context manager that boots on entry and leaves nothing behind on exit.\n\n"
      "run() and spawn() may be called from several threads at once.");
  m.def(
      "customize",
      [](const SeedImage& disk, const KernelArtifact& kernel, const UserlandArtifact& userland,
         const std::optional<Path>& cache_dir, OnEvent on_event, Timeout timeout) {
        CustomizeOptions options;
        if (cache_dir) options.cache_dir = *cache_dir;
        options.on_event = make_sink(std::move(on_event));
        if (timeout) options.timeout = *timeout;
        return blocking([&] { return customize(disk, kernel, userland, options); });
      },
      py::arg("disk"), py::arg("kernel"), py::arg("userland"), py::kw_only(),
      py::arg("cache_dir") = py::none(), py::arg("on_event") = py::none(), py::arg("timeout") = py::none(),
      "A disk image with what was added to it and changed in it since, without root, by a guest of this "
      "kernel and "
      "userland that mounts it; with kdev's agent as a service. The original is not written to.");
  vm.def(py::init([](const std::optional<KernelArtifact>& kernel, const std::optional<SeedImage>& image,
                     KDEV_SPEC_PARAMETERS, OnEvent on_event) {
           VmSpec spec = KDEV_SPEC(image);
           if (kernel) spec.kernel = *kernel;
           EventSink sink = make_sink(std::move(on_event));
           return blocking([&] { return VmHandle::make(std::move(spec), std::move(sink)); });
         }),
         py::arg("kernel") = py::none(), py::arg("image") = py::none(), py::kw_only(), KDEV_SPEC_ARGS,
         py::arg("on_event") = py::none(),
         "image None: SeedImage.busybox(). Timeouts are seconds: boot 120, command 60, crash 10, probe 5, "
         "close 5.");

  vm.def("__enter__",
         [](const py::object& self) {
           Self handle = self.cast<Self>();
           try {
             if (handle.vm().state() == VmState::defined) blocking([&] { handle.vm().start(); });
           } catch (...) {
             // The with statement calls __exit__ only after an __enter__ that came back.
             Call call;
             py::gil_scoped_release nogil;
             handle.close();
             throw;
           }
           return self;
         })
      .def("__exit__", [](Self v, const py::args&) { blocking([&] { v.close(); }); })
      .def(
          "close", [](Self v) { blocking([&] { v.close(); }); },
          "Ends everything, keeps the logs. Idempotent.")
      .def(
          "start", [](Self v) { blocking([&] { v.vm().start(); }); },
          "Boots and waits until the agent answers.")
      .def(
          "run",
          [](Self v, const std::string& command, KDEV_COMMAND_PARAMETERS) {
            CommandOptions options = KDEV_COMMAND_OPTIONS;
            return blocking([&] { return v.vm().run(command, options); });
          },
          py::arg("command"), py::kw_only(), KDEV_COMMAND_ARGS,
          "Runs a shell command line. timeout None: the VM's command_timeout.")
      .def(
          "run",
          [](Self v, const Words& argv, KDEV_COMMAND_PARAMETERS) {
            CommandOptions options = KDEV_COMMAND_OPTIONS;
            return blocking([&] { return v.vm().run(argv, options); });
          },
          py::arg("argv"), py::kw_only(), KDEV_COMMAND_ARGS, "Runs a program without a shell.")
      .def(
          "spawn",
          [](Shared v, const std::string& command, KDEV_COMMAND_PARAMETERS) {
            CommandOptions options = KDEV_COMMAND_OPTIONS;
            return std::make_shared<JobHandle>(v, blocking([&] { return v->vm().spawn(command, options); }));
          },
          py::arg("command"), py::kw_only(), KDEV_COMMAND_ARGS, "Starts a shell command line.")
      .def(
          "spawn",
          [](Shared v, const Words& argv, KDEV_COMMAND_PARAMETERS) {
            CommandOptions options = KDEV_COMMAND_OPTIONS;
            return std::make_shared<JobHandle>(v, blocking([&] { return v->vm().spawn(argv, options); }));
          },
          py::arg("argv"), py::kw_only(), KDEV_COMMAND_ARGS, "Starts a program without a shell.")
      .def(
          "push",
          [](Self v, const Path& source, const std::string& guest_path) {
            blocking([&] { v.vm().push(source, guest_path); });
          },
          py::arg("source"), py::arg("guest_path"), "Host file or directory to a guest path.")
      .def(
          "pull",
          [](Self v, const std::string& guest_path, const Path& destination) {
            blocking([&] { v.vm().pull(guest_path, destination); });
          },
          py::arg("guest_path"), py::arg("destination"))
      .def(
          "read_file",
          [](Self v, const std::string& guest_path) {
            return py::bytes(blocking([&] { return v.vm().read_file(guest_path); }));
          },
          py::arg("guest_path"))
      .def(
          "write_file",
          [](Self v, const std::string& guest_path, const Data& content, unsigned mode) {
            blocking([&] { v.vm().write_file(guest_path, content.bytes, mode); });
          },
          py::arg("guest_path"), py::arg("content"), py::arg("mode") = 0644);

  vm.def_property_readonly(
        "console", [](Self v) { return blocking([&] { return v.vm().console(); }); },
        "Everything the console has shown since start().")
      .def_property_readonly("console_bytes",
                             [](Self v) { return py::bytes(blocking([&] { return v.vm().console(); })); })
      .def_property_readonly("console_log", [](Self v) { return started(v.vm(), v.vm().console_log()); })
      .def(
          "wait_console",
          [](Self v, const std::string& pattern, Seconds timeout, std::size_t start) {
            return blocking([&] { return v.vm().wait_console(pattern, timeout, start); });
          },
          py::arg("pattern"), py::kw_only(), py::arg("timeout") = 60.0, py::arg("start") = 0,
          "Blocks until the console shows the regular expression after byte `start`; returns the line.")
      .def(
          "crashes", [](Self v) { return blocking([&] { return v.vm().crashes(); }); },
          "Crashes seen since start(), in order.")
      .def(
          "wait_crash",
          [](Self v, Seconds timeout) -> std::optional<std::shared_ptr<CrashReport>> {
            auto crash = blocking([&] { return v.vm().wait_crash(timeout); });
            if (!crash) return std::nullopt;
            return std::const_pointer_cast<CrashReport>(crash);
          },
          py::kw_only(), py::arg("timeout") = 10.0,
          "The first crash that no run() and no wait_crash() has returned; None when the time passes.")
      .def(
          "ask_debugger",
          [](Self v, const std::string& command, Timeout timeout) {
            return blocking([&] { return v.vm().ask_debugger(command, timeout); });
          },
          py::arg("command"), py::kw_only(), py::arg("timeout") = py::none(),
          "Asks the debugger at whose prompt a crashed guest waits; a paused guest goes on for that long.")
      .def(
          "apply", [](Self v, const DumpSettings& settings) { blocking([&] { v.vm().apply(settings); }); },
          py::arg("settings"), "Has the running guest dump so when it crashes.")
      .def(
          "install",
          [](Self v, const KernelArtifact& kernel, const std::string& name) {
            blocking([&] { v.vm().install(kernel, name); });
          },
          py::arg("kernel"), py::arg("name") = "",
          "A kernel beside those that are there, which the next reboot() boots. Its name: \"dev\" when not "
          "said.")
      .def(
          "reboot",
          [](Self v, const std::string& kernel, bool once) {
            return blocking([&] { return v.vm().reboot({.kernel = kernel, .once = once, .stop = {}}); });
          },
          py::arg("kernel") = "", py::kw_only(), py::arg("once") = false,
          "Into a kernel by name, the one installed last, or the usual one. once: the reboot after it takes "
          "the usual "
          "one again. The usual one comes back when another does not come up.")
      .def_property_readonly(
          "kernels", [](Self v) { return v.vm().kernels(); }, "The installed ones, by name.")
      .def(
          "core",
          [](Self v, bool live) {
            return blocking(
                [&] { return std::make_unique<Core>(live ? v.vm().live_core() : v.vm().core()); });
          },
          py::kw_only(), py::arg("live") = false,
          "The guest's memory where it lies, with its kernel's symbols: nothing is dumped or copied. Of a "
          "crashed guest it is a dump; a running one's changes while it is read: take a new one for a new "
          "look. It outlives the VM. A running guest stands still for the moment in which its CPUs' "
          "registers "
          "are read; live: it does not, each CPU's are of a moment of its own.")
      .def(
          "drgn", [](const py::object& self) { return package("kdev.drgn_program", "of_vm")(self); },
          "A drgn.Program on the guest's memory where it lies; the guest runs on, and the program goes on "
          "seeing "
          "it change. Registers are those of now, modules those that are loaded now. ConfigError where drgn "
          "is "
          "not installed, or knows no such system.")
      .def(
          "nmi", [](Self v) { blocking([&] { v.vm().nmi(); }); }, "On every CPU.")
      .def(
          "write_console",
          [](Self v, const std::string& text) { blocking([&] { v.vm().write_console(text); }); },
          py::arg("text"), "Types on the console: whoever reads there in the guest gets it.")
      .def(
          "stop", [](Self v) { blocking([&] { v.vm().stop(); }); }, "Powers off cleanly, else hard.")
      .def(
          "command_line", [](Self v) { return blocking([&] { return v.vm().command_line(); }); },
          "QEMU's argument vector.")
      .def(
          "qmp",
          [](Self v, const std::string& command, const py::kwargs& arguments) {
            py::module_ json = py::module_::import("json");
            std::string text = json.attr("dumps")(arguments).cast<std::string>();
            std::string answer = blocking([&] { return v.vm().qmp(command, text); });
            return json.attr("loads")(answer);
          },
          py::arg("command"), "One QMP command; its \"return\" member.");

  vm.def_property_readonly("name", [](Self v) { return v.vm().name(); })
      .def_property_readonly("state", [](Self v) { return v.vm().state(); })
      .def_property_readonly("state_reason", [](Self v) { return v.vm().state_reason(); })
      .def_property_readonly("kernel", [](Self v) { return v.vm().spec().kernel; })
      .def_property_readonly("image", [](Self v) { return v.vm().spec().image; })
      .def_property_readonly("memory", [](Self v) { return v.vm().spec().memory; })
      .def_property_readonly("cpus", [](Self v) { return v.vm().spec().cpus; })
      .def_property_readonly(
          "pid",
          [](Self v) -> std::optional<int> {
            int pid = v.vm().pid();
            if (pid < 0) return std::nullopt;
            return pid;
          },
          "QEMU's.")
      .def_property_readonly(
          "accel", [](Self v) { return v.vm().accel(); }, "The one in use after start().")
      .def_property_readonly(
          "facts", [](Self v) { return v.vm().facts(); },
          "What the running kernel says of itself: release, build_id, boot_id, machine; FreeBSD's "
          "also ident (uname -i) and bootfile (kern.bootfile).")
      .def_property_readonly(
          "disks", [](Self v) { return v.vm().disks(); },
          "The disks as files on this host; their content is whole when the guest does not run.")
      .def_property_readonly("directory", [](Self v) { return started(v.vm(), v.vm().directory()); })
      .def("__repr__",
           [](Self v) { return "VM('" + v.vm().name() + "', state='" + to_string(v.vm().state()) + "')"; });
}

}  // namespace

void bind_vm(py::module_& m) {
  bind_results(m);
  bind_on_crash(m);
  bind_job(m);
  bind_vm_class(m);
  m.def(
      "_close_all", [] { blocking([] { close_all(); }); },
      "Closes every open VM of this process; for atexit.");
}

}  // namespace kdev::python
