#include "value.hpp"

#include <algorithm>
#include <utility>

namespace kdev::python {

#define KDEV_EXTERN
KDEV_COMMON_MEMBERS
#undef KDEV_EXTERN

namespace {

/// Hash of a field's Python object; lists and dicts count by content.
py::object hashable(const py::object& o) {
  if (py::isinstance<py::list>(o)) {
    py::list out;
    for (auto item : o) out.append(hashable(py::reinterpret_borrow<py::object>(item)));
    return py::tuple(out);
  }
  if (py::isinstance<py::dict>(o)) {
    py::list out;
    for (auto item : o.cast<py::dict>())
      out.append(py::make_tuple(item.first, hashable(py::reinterpret_borrow<py::object>(item.second))));
    return py::tuple(out);
  }
  return o;
}

const void* find_value(const ValueType& type, py::handle object) {
  py::detail::type_caster_generic caster(type.type);
  return caster.load(object, false) ? caster.value : nullptr;
}

bool equal(const ValueType& type, const void* a, const void* b) {
  if (type.equal) return type.equal(a, b);
  return std::all_of(type.fields.begin(), type.fields.end(),
                     [&](const Field& f) { return f.codec->exact(f.in(a)).equal(f.codec->exact(f.in(b))); });
}

py::object copy(const ValueType& type, py::handle self) {
  return type.wrap(type.copy(value_in(type, self)));
}

std::string repr(const ValueType& type, py::handle self, const std::vector<std::string>& shown) {
  const void* value = value_in(type, self);
  std::string s;
  for (const Field& f : type.fields) {
    if (!shown.empty() && std::find(shown.begin(), shown.end(), f.name) == shown.end()) continue;
    s += (s.empty() ? "" : ", ") + std::string(f.name) + "=" +
         py::repr(f.codec->get(f.in(value))).cast<std::string>();
  }
  return type.name + ("(" + s + ")");
}

py::dict state(const ValueType& type, py::handle self) {
  const void* value = value_in(type, self);
  py::dict d;
  for (const Field& f : type.fields) d[f.name] = f.codec->exact(f.in(value));
  return d;
}

std::shared_ptr<void> from_state(const ValueType& type, const py::dict& d) {
  std::shared_ptr<void> value = type.make();
  for (const Field& f : type.fields)
    if (d.contains(f.name)) f.codec->set(f.in(value.get()), d[f.name]);
  return value;
}

/// Methods of one class. They take and give bare objects, so their docstrings say the types, as pybind11
/// would.
class Methods {
 public:
  explicit Methods(py::object& cls) : cls_(cls) {
    options_.disable_function_signatures();
    self_ = cls.attr("__module__").cast<std::string>() + "." + cls.attr("__qualname__").cast<std::string>();
  }
  const std::string& self() const { return self_; }

  template <class F, class... Extra>
  void def(const char* name, const std::string& more, const std::string& result, const char* doc, F f,
           const Extra&... extra) {
    const std::string text =
        signature(name, "self: " + self_ + (more.empty() ? "" : ", " + more), result, doc);
    py::detail::add_class_method(
        cls_, name,
        py::cpp_function(std::move(f), py::name(name), py::is_method(cls_), text.c_str(), extra...));
  }
  template <class F, class... Extra>
  void def_static(const char* name, const std::string& arguments, F f, const Extra&... extra) {
    const std::string text = signature(name, arguments, self_, "");
    cls_.attr(name) = py::staticmethod(
        py::cpp_function(std::move(f), py::name(name), py::scope(cls_), text.c_str(), extra...));
  }

 private:
  static std::string signature(const char* name, const std::string& arguments, const std::string& result,
                               const char* doc) {
    return std::string(name) + "(" + arguments + ") -> " + result + "\n" + (*doc ? "\n" : "") + doc;
  }
  py::object& cls_;
  py::options options_;
  std::string self_;
};

}  // namespace

const void* value_in(const ValueType& type, py::handle object) {
  const void* value = find_value(type, object);
  if (!value) throw py::type_error(std::string("this is no ") + type.name);
  return value;
}

py::object to_plain(const ValueType& type, const void* value) {
  py::dict d;
  for (const Field& f : type.fields) d[f.key] = f.codec->plain(f.in(value));
  return d;
}

std::shared_ptr<void> from_plain(const ValueType& type, py::handle dict) {
  const auto d = dict.cast<py::dict>();
  std::shared_ptr<void> value = type.make();
  for (const Field& f : type.fields)
    if (d.contains(f.key)) f.codec->set_plain(f.in(value.get()), d[f.key]);
  return value;
}

py::object json_loads(const std::string& json) {
  return py::module_::import("json").attr("loads")(text(json));
}

py::dict json_object(const std::string& json) {
  const py::object data = json_loads(json);
  if (!py::isinstance<py::dict>(data)) throw py::value_error("not a JSON object");
  return data;
}

std::string json_dumps(py::handle object) {
  return py::module_::import("json").attr("dumps")(object).cast<std::string>();
}

void add_property(py::object& cls, const char* name, const py::cpp_function& getter, const char* doc) {
  const py::handle property(reinterpret_cast<PyObject*>(&PyProperty_Type));
  cls.attr(name) = property(getter, py::none(), py::none(), doc);
}

void define_value(py::object& cls, ValueType& type, std::vector<std::string> shown) {
  Methods methods(cls);
  methods.def(
      "__eq__", "other: object", "bool", "",
      [&type](py::object self, py::object other) {
        const void* b = find_value(type, other);
        return b && equal(type, value_in(type, self), b);
      },
      py::arg("other"));
  methods.def("__hash__", "", "int", "",
              [&type](py::object self) { return py::hash(hashable(state(type, self))); });
  methods.def("__repr__", "", "str", "",
              [&type, shown = std::move(shown)](py::object self) { return repr(type, self, shown); });
  methods.def("__copy__", "", methods.self(), "", [&type](py::object self) { return copy(type, self); });
  methods.def(
      "__deepcopy__", "memo: dict", methods.self(), "",
      [&type](py::object self, const py::dict&) { return copy(type, self); }, py::arg("memo"));
  methods.def("to_dict", "", "dict[str, object]", "Plain data: str, numbers, list, dict, None.",
              [&type](py::object self) { return to_plain(type, value_in(type, self)); });
  methods.def_static(
      "from_dict", "data: dict", [&type](const py::dict& data) { return type.wrap(from_plain(type, data)); },
      py::arg("data"));
  methods.def("to_json", "", "str", "", [&type](py::object self) {
    const void* value = value_in(type, self);
    return type.to_json ? type.to_json(value) : json_dumps(to_plain(type, value));
  });
  methods.def_static(
      "from_json", "text: str",
      [&type](const std::string& json) {
        return type.wrap(type.from_json ? type.from_json(json) : from_plain(type, json_object(json)));
      },
      py::arg("text"));
  py::list names;
  for (const Field& f : type.fields) names.append(f.name);
  cls.attr("__dataclass_fields__") = py::module_::import("kdev.fields").attr("DataclassFields")(names);
  methods.def("__getstate__", "", "dict", "", [&type](py::object self) { return state(type, self); });
  methods.def(
      "__setstate__", "arg0: dict", "None", "",
      [&type](py::detail::value_and_holder& self, const py::dict& d) {
        type.init(self, from_state(type, d));
      },
      py::detail::is_new_style_constructor());
}

}  // namespace kdev::python
