// This machine: running programs by argument vector.
#include <kdev/host.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_host(py::module_& m) {
  Value<ExitStatus> status(m, "ExitStatus", "How a process ended: a code or a signal, never mixed up.");
  status.field("code", &ExitStatus::code).field("signal", &ExitStatus::signal);
  status.py()
      .def("__str__", [](const ExitStatus& s) { return describe(s); })
      .def_property_readonly("ok", &ExitStatus::ok);
  status.finish();

  Value<ProcessResult> result(m, "ProcessResult", "What a program on the host did.");
  result.field("status", &ProcessResult::status)
      .bytes_field("stdout", &ProcessResult::out)
      .bytes_field("stderr", &ProcessResult::err)
      .field("truncated", &ProcessResult::truncated, "Not all output was kept.")
      .field("duration", &ProcessResult::duration, "Seconds.");
  result.py().def_property_readonly("ok", &ProcessResult::ok);
  result.finish({"status", "duration"});

  using OnLine = py::typing::Optional<py::typing::Callable<void(std::string)>>;
  py::class_<Host, std::shared_ptr<Host>>(m, "Host", "A machine that runs commands. Thread-safe.")
      .def_property_readonly("name", &Host::name)
      .def_property_readonly("is_local", &Host::is_local)
      .def_property_readonly("cpu_count", &Host::cpu_count)
      .def_property_readonly("memory_available", &Host::memory_available, "Bytes available to new processes.")
      .def(
          "which",
          [](Host& host, const std::string& program) {
            return blocking([&] { return host.which(program); });
          },
          py::arg("program"), "Full path of a program in PATH, or None.")
      .def(
          "run",
          [](Host& host, const std::vector<std::string>& argv, const std::optional<Path>& cwd,
             const std::map<std::string, std::string>& env, const Data& input, Timeout timeout,
             OnLine on_stdout, OnLine on_stderr) {
            Command command{.argv = argv, .cwd = cwd, .env = env, .unset_env = {}, .input = input.bytes};
            RunOptions options;
            options.deadline = deadline(timeout);
            options.on_out_line = make_line_callback(on_stdout);
            options.on_err_line = make_line_callback(on_stderr);
            return blocking([&] { return host.run(command, options); });
          },
          py::arg("argv"), py::kw_only(), py::arg("cwd") = py::none(),
          py::arg("env") = std::map<std::string, std::string>(), py::arg("input") = py::bytes(),
          py::arg("timeout") = py::none(), py::arg("on_stdout") = py::none(),
          py::arg("on_stderr") = py::none(),
          "Runs a program to its end; a non-zero exit is data. The whole process group ends with the call.")
      .def("__repr__", [](const Host& h) { return "Host(" + h.name() + ")"; });
  m.def("local_host", &local_host, "This machine.");
}

}  // namespace kdev::python
