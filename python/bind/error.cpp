// kdev::Error and its kin become the classes of kdev/errors.py, with the same attributes.
#include <kdev/error.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

py::object report_or_none(const std::shared_ptr<const CrashReport>& crash) {
  if (!crash) return py::none();
  return py::cast(std::const_pointer_cast<CrashReport>(crash));
}

void raise(const char* name, const Error& e, const py::dict& more = {}) {
  py::dict args;
  args["attempted"] = e.attempted();
  args["reason"] = e.reason();
  args["hint"] = e.hint();
  args["log"] = e.log().empty() ? py::object(py::none()) : py::cast(e.log());
  for (auto item : more) args[item.first] = item.second;
  py::object type = py::module_::import("kdev.errors").attr(name);
  py::object error = type(**args);
  PyErr_SetObject(type.ptr(), error.ptr());
}

void translate(std::exception_ptr p) {
  try {
    if (p) std::rethrow_exception(p);
  } catch (const BuildError& e) {
    py::dict more;
    more["diagnostics"] = py::cast(e.diagnostics());
    raise("BuildError", e, more);
  } catch (const BootError& e) {
    py::dict more;
    more["console_tail"] = e.console_tail();
    more["crash"] = report_or_none(e.crash());
    raise("BootError", e, more);
  } catch (const ConfigError& e) {
    raise("ConfigError", e);
  } catch (const HostError& e) {
    raise("HostError", e);
  } catch (const TimeoutError& e) {
    raise("TimeoutError", e);
  } catch (const GuestError& e) {
    raise("GuestError", e);
  } catch (const DebugError& e) {
    raise("DebugError", e);
  } catch (const FormatError& e) {
    raise("FormatError", e);
  } catch (const Interrupted& e) {
    raise("Interrupted", e);
  } catch (const Error& e) {
    raise("Error", e);
  } catch (const py::builtin_exception&) {
    throw;  // the binding's own ValueError and its like
  } catch (const std::runtime_error& e) {
    // Of a library below: Boost.Filesystem, iostreams. All of them fail on what this machine is like.
    raise("HostError", Error({.reason = e.what()}));
  }
}

}  // namespace

void bind_error(py::module_& m) {
  Value<Diagnostic>(m, "Diagnostic", "One message of a compiler, linker or make.")
      .optional_path("file", &Diagnostic::file,
                     "As absolute as could be worked out; None for a linker or make message.")
      .field("line", &Diagnostic::line, "1-based; 0: none.")
      .field("column", &Diagnostic::column, "1-based; 0: none.")
      .field("severity", &Diagnostic::severity, "'error', 'fatal error', 'warning' or 'note'.")
      .field("message", &Diagnostic::message)
      .finish();
  py::register_exception_translator(&translate);
}

}  // namespace kdev::python
