#pragma once
// What the package's Python modules make of libkdev's values: classes there, named in signatures.
#include <kdev/debug_session.hpp>
#include <vector>

#include "casters.hpp"

namespace kdev::python {

/// A function or class of a module of the package.
inline py::object package(const char* module, const char* name) {
  return py::module_::import(module).attr(name);
}

/// kdev.tables.Table: a list of values that shows itself as a table.
template <class T>
struct TableOf : py::object {
  explicit TableOf(const std::vector<T>& values)
      : py::object(package("kdev.tables", "Table")(py::cast(values))) {}
};

/// kdev.kernel_log.KernelLog: a str.
struct KernelLog : py::object {
  KernelLog(const std::string& text, const std::vector<CoreMessage>& messages)
      : py::object(package("kdev.kernel_log", "KernelLog")(text, messages)) {}
};

/// kdev.memory.Memory.
struct ShownMemory : py::object {
  explicit ShownMemory(py::object memory) : py::object(std::move(memory)) {}
};

/// kdev.debug_view.Backtrace: a table of frames.
struct Backtrace : py::object {
  explicit Backtrace(const std::vector<DebugFrame>& frames)
      : py::object(package("kdev.debug_view", "Backtrace")(py::cast(frames))) {}
};

/// kdev.debug_view.Disassembly: a table of instructions.
struct Disassembly : py::object {
  Disassembly(const std::vector<DebugInstruction>& code, std::uint64_t current)
      : py::object(package("kdev.debug_view", "Disassembly")(py::cast(code), current)) {}
};

}  // namespace kdev::python

namespace pybind11::detail {

template <class T>
struct handle_type_name<kdev::python::TableOf<T>> {
  static constexpr auto name = const_name("kdev.tables.Table[") + make_caster<T>::name + const_name("]");
};
template <>
struct handle_type_name<kdev::python::KernelLog> {
  static constexpr auto name = const_name("kdev.kernel_log.KernelLog");
};
template <>
struct handle_type_name<kdev::python::Backtrace> {
  static constexpr auto name = const_name("kdev.debug_view.Backtrace");
};
template <>
struct handle_type_name<kdev::python::Disassembly> {
  static constexpr auto name = const_name("kdev.debug_view.Disassembly");
};
template <>
struct handle_type_name<kdev::python::ShownMemory> {
  static constexpr auto name = const_name("kdev.memory.Memory");
};

}  // namespace pybind11::detail
