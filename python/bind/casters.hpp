#pragma once
// How kdev's types look in Python: strings decode with errors="replace" (guests print anything), host paths
// are pathlib.Path, durations are float seconds, enumerations are literal strings.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <cmath>
#include <kdev/kdev.hpp>

namespace py = pybind11;

namespace kdev::python {

/// A str for bytes of unknown origin: never fails.
inline py::str text(std::string_view bytes, const char* errors = "replace") {
  PyObject* s = PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), errors);
  if (!s) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(s);
}

/// An argument that is str or bytes.
struct Data {
  std::string bytes;
};

/// An enumeration's values and their names, in order. Specialised below.
template <class E>
struct EnumNames;

}  // namespace kdev::python

namespace pybind11::detail {

template <>
struct type_caster<std::string> : string_caster<std::string> {
  bool load(handle src, bool) {
    if (!src) return false;
    if (!PyUnicode_Check(src.ptr())) return false;
    Py_ssize_t size = 0;
    if (const char* data = PyUnicode_AsUTF8AndSize(src.ptr(), &size)) {
      value.assign(data, static_cast<std::size_t>(size));
      return true;
    }
    // Lone surrogates: bytes that an earlier decode escaped.
    PyErr_Clear();
    auto bytes = reinterpret_steal<object>(PyUnicode_AsEncodedString(src.ptr(), "utf-8", "surrogateescape"));
    if (!bytes) {
      PyErr_Clear();
      return false;
    }
    value.assign(PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr())));
    return true;
  }
  static handle cast(const std::string& s, return_value_policy, handle) {
    return kdev::python::text(s).release();
  }
  static handle cast(const std::string* s, return_value_policy policy, handle parent) {
    if (!s) return none().release();
    return cast(*s, policy, parent);
  }
};

template <>
struct type_caster<kdev::python::Data> {
  bool load(handle src, bool convert) {
    if (!src) return false;
    if (PyBytes_Check(src.ptr())) {
      value.bytes.assign(PyBytes_AS_STRING(src.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(src.ptr())));
      return true;
    }
    make_caster<std::string> text;
    if (!text.load(src, convert)) return false;
    value.bytes = cast_op<std::string&&>(std::move(text));
    return true;
  }
  static handle cast(const kdev::python::Data& data, return_value_policy, handle) {
    return bytes(data.bytes).release();
  }
  PYBIND11_TYPE_CASTER(kdev::python::Data, const_name("str | bytes"));
};

template <>
struct type_caster<kdev::Path> {
  bool load(handle src, bool) {
    auto path = reinterpret_steal<object>(PyOS_FSPath(src.ptr()));
    if (!path) {
      PyErr_Clear();
      return false;
    }
    // "~" is expanded wherever a path comes in, as a shell would have done.
    if (PyUnicode_Check(path.ptr()) && PyUnicode_GetLength(path.ptr()) > 0 &&
        PyUnicode_ReadChar(path.ptr(), 0) == '~')
      path = module_::import("os.path").attr("expanduser")(path);
    PyObject* bytes = nullptr;
    if (!PyUnicode_FSConverter(path.ptr(), &bytes)) {
      PyErr_Clear();
      return false;
    }
    value =
        kdev::Path(std::string(PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))));
    Py_DECREF(bytes);
    return true;
  }
  static handle cast(const kdev::Path& path, return_value_policy, handle) {
    const std::string& s = path.native();
    auto str = reinterpret_steal<object>(
        PyUnicode_DecodeFSDefaultAndSize(s.c_str(), static_cast<Py_ssize_t>(s.size())));
    if (!str) return nullptr;
    return module_::import("pathlib").attr("Path")(str).release();
  }
  PYBIND11_TYPE_CASTER(kdev::Path, io_name("str | os.PathLike[str]", "pathlib.Path"));
};

template <>
struct type_caster<kdev::Seconds> {
  bool load(handle src, bool) {
    if (!PyFloat_Check(src.ptr()) && !PyLong_Check(src.ptr()) && !PyIndex_Check(src.ptr())) return false;
    double seconds = PyFloat_AsDouble(src.ptr());
    if (seconds == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
    // No comparison holds for NaN: a deadline of it would never come.
    if (std::isnan(seconds)) throw value_error("nan is no number of seconds");
    value = kdev::Seconds(seconds);
    return true;
  }
  static handle cast(const kdev::Seconds& s, return_value_policy, handle) {
    return PyFloat_FromDouble(s.count());
  }
  PYBIND11_TYPE_CASTER(kdev::Seconds, const_name("float"));
};

template <class E>
struct enum_caster {
  bool load(handle src, bool) {
    if (!PyUnicode_Check(src.ptr())) return false;
    std::string name = src.cast<std::string>();
    std::string known;
    for (const auto& [e, n] : kdev::python::EnumNames<E>::table) {
      if (name == n) {
        value = e;
        return true;
      }
      known += (known.empty() ? "'" : ", '") + std::string(n) + "'";
    }
    throw value_error("'" + name + "' is none of " + known);
  }
  static handle cast(E e, return_value_policy, handle) {
    for (const auto& [known, name] : kdev::python::EnumNames<E>::table)
      if (known == e) return str(name).release();
    throw value_error("unknown enumerator");
  }
  E value{};
  static constexpr auto name = const_name(kdev::python::EnumNames<E>::literal);
  operator E*() { return &value; }
  operator E&() { return value; }
  operator E&&() && { return std::move(value); }
  template <class T>
  using cast_op_type = movable_cast_op_type<T>;
};

}  // namespace pybind11::detail

#define KDEV_PY_ENUM(Enum, text, ...)                                      \
  namespace kdev::python {                                                 \
  template <>                                                              \
  struct EnumNames<Enum> {                                                 \
    static constexpr std::pair<Enum, const char*> table[] = {__VA_ARGS__}; \
    static constexpr const char literal[] = text;                          \
  };                                                                       \
  }                                                                        \
  namespace pybind11::detail {                                             \
  template <>                                                              \
  struct type_caster<Enum> : enum_caster<Enum> {};                         \
  }

KDEV_PY_ENUM(kdev::Os, "typing.Literal['linux', 'freebsd']", {kdev::Os::linux, "linux"},
             {kdev::Os::freebsd, "freebsd"})
KDEV_PY_ENUM(kdev::CrashFile,
             "typing.Literal['console log', 'report', 'core', 'disk', 'text dump', 'bundle']",
             {kdev::CrashFile::console_log, "console log"}, {kdev::CrashFile::report, "report"},
             {kdev::CrashFile::core, "core"}, {kdev::CrashFile::disk, "disk"},
             {kdev::CrashFile::text_dump, "text dump"}, {kdev::CrashFile::bundle, "bundle"})
KDEV_PY_ENUM(kdev::KvaKnob, "typing.Literal['NKPDE', 'KVA_PAGES', 'none']", {kdev::KvaKnob::nkpde, "NKPDE"},
             {kdev::KvaKnob::kva_pages, "KVA_PAGES"}, {kdev::KvaKnob::none, "none"})
KDEV_PY_ENUM(kdev::VmState, "typing.Literal['defined', 'booting', 'ready', 'crashed', 'hung', 'stopped']",
             {kdev::VmState::defined, "defined"}, {kdev::VmState::booting, "booting"},
             {kdev::VmState::ready, "ready"}, {kdev::VmState::crashed, "crashed"},
             {kdev::VmState::hung, "hung"}, {kdev::VmState::stopped, "stopped"})
KDEV_PY_ENUM(kdev::Accel, "typing.Literal['auto', 'kvm', 'tcg']", {kdev::Accel::automatic, "auto"},
             {kdev::Accel::kvm, "kvm"}, {kdev::Accel::tcg, "tcg"})
KDEV_PY_ENUM(kdev::BootMethod, "typing.Literal['auto', 'direct', 'bzimage', 'bios', 'uefi']",
             {kdev::BootMethod::automatic, "auto"}, {kdev::BootMethod::direct, "direct"},
             {kdev::BootMethod::bzimage, "bzimage"}, {kdev::BootMethod::bios, "bios"},
             {kdev::BootMethod::uefi, "uefi"})
KDEV_PY_ENUM(kdev::DebuggerEntry, "typing.Literal['automatic', 'sysctl', 'sysrq', 'nmi', 'panic']",
             {kdev::DebuggerEntry::automatic, "automatic"}, {kdev::DebuggerEntry::sysctl, "sysctl"},
             {kdev::DebuggerEntry::sysrq, "sysrq"}, {kdev::DebuggerEntry::nmi, "nmi"},
             {kdev::DebuggerEntry::panic, "panic"})
KDEV_PY_ENUM(kdev::AfterCrash, "typing.Literal['pause', 'leave', 'dump', 'textdump', 'unattended']",
             {kdev::AfterCrash::pause, "pause"}, {kdev::AfterCrash::leave, "leave"},
             {kdev::AfterCrash::dump, "dump"}, {kdev::AfterCrash::textdump, "textdump"},
             {kdev::AfterCrash::unattended, "unattended"})
KDEV_PY_ENUM(kdev::Compression, "typing.Literal['none', 'gzip', 'zstd']", {kdev::Compression::none, "none"},
             {kdev::Compression::gzip, "gzip"}, {kdev::Compression::zstd, "zstd"})
KDEV_PY_ENUM(kdev::PageKind, "typing.Literal['free', 'user', 'cache']", {kdev::PageKind::free, "free"},
             {kdev::PageKind::user, "user"}, {kdev::PageKind::cache, "cache"})
KDEV_PY_ENUM(kdev::KdumpCompression, "typing.Literal['none', 'zlib', 'zstd']",
             {kdev::KdumpCompression::none, "none"}, {kdev::KdumpCompression::zlib, "zlib"},
             {kdev::KdumpCompression::zstd, "zstd"})
KDEV_PY_ENUM(kdev::ImageEntry::Type, "typing.Literal['file', 'dir', 'nod', 'slink', 'pipe', 'sock']",
             {kdev::ImageEntry::Type::file, "file"}, {kdev::ImageEntry::Type::dir, "dir"},
             {kdev::ImageEntry::Type::node, "nod"}, {kdev::ImageEntry::Type::symlink, "slink"},
             {kdev::ImageEntry::Type::pipe, "pipe"}, {kdev::ImageEntry::Type::socket, "sock"})
