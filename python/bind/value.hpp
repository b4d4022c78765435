#pragma once
// Value types from one list of fields: properties, ==, hash, repr, to_dict/from_dict, to_json/from_json,
// pickle, copy.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "casters.hpp"

namespace kdev::python {

/// Values whose JSON is libkdev's own, both ways.
template <class T>
concept HasJson = requires(const T& t) {
  t.to_json();
  T::from_json(std::string_view());
};

/// Plain Python data (str, numbers, list, dict, None) for a member, and back.
template <class M>
struct Plain;

template <class T>
struct Field {
  const char* name;
  const char* key;  ///< in plain data and JSON
  std::function<py::object(const T&)> get;
  std::function<py::object(const T&)> plain;
  std::function<void(T&, py::handle)> set;        ///< from what get gave
  std::function<void(T&, py::handle)> set_plain;  ///< from what plain gave
  std::function<py::object(const T&)>
      exact;  ///< like get, but a str keeps undecodable bytes (surrogateescape)
};

template <class T>
struct Fields {
  static inline std::vector<Field<T>> all;
  static inline const char* name = "";
};

template <class M>
struct Plain {
  static py::object to(const M& m) {
    if constexpr (std::is_same_v<M, Path>) {
      return text(m.native(), "surrogateescape");
    } else if constexpr (requires { EnumNames<M>::table; } || std::is_arithmetic_v<M> ||
                         std::is_same_v<M, std::string> || std::is_same_v<M, Seconds>) {
      return py::cast(m);
    } else if constexpr (HasJson<M>) {
      return py::module_::import("json").attr("loads")(m.to_json());
    } else {
      py::dict d;
      for (const auto& f : Fields<M>::all) d[f.key] = f.plain(m);
      return d;
    }
  }
  static M from(py::handle h) {
    if constexpr (std::is_same_v<M, Path> || requires { EnumNames<M>::table; } || std::is_arithmetic_v<M> ||
                  std::is_same_v<M, std::string> || std::is_same_v<M, Seconds>) {
      return h.cast<M>();
    } else if constexpr (HasJson<M>) {
      return M::from_json(py::module_::import("json").attr("dumps")(h).cast<std::string>());
    } else {
      auto d = h.cast<py::dict>();
      M m{};
      for (const auto& f : Fields<M>::all)
        if (d.contains(f.key)) f.set_plain(m, d[f.key]);
      return m;
    }
  }
};

template <class M>
struct Plain<std::vector<M>> {
  static py::object to(const std::vector<M>& v) {
    py::list l;
    for (const auto& m : v) l.append(Plain<M>::to(m));
    return l;
  }
  static std::vector<M> from(py::handle h) {
    std::vector<M> v;
    for (auto item : h.cast<py::list>()) v.push_back(Plain<M>::from(item));
    return v;
  }
};

template <class M>
struct Plain<std::optional<M>> {
  static py::object to(const std::optional<M>& o) { return o ? Plain<M>::to(*o) : py::object(py::none()); }
  static std::optional<M> from(py::handle h) {
    if (h.is_none()) return std::nullopt;
    return Plain<M>::from(h);
  }
};

template <class M>
struct Plain<std::shared_ptr<const M>> {
  static py::object to(const std::shared_ptr<const M>& p) {
    return p ? Plain<M>::to(*p) : py::object(py::none());
  }
  static std::shared_ptr<const M> from(py::handle h) {
    return h.is_none() ? nullptr : std::make_shared<const M>(Plain<M>::from(h));
  }
};

template <>
struct Plain<std::map<std::string, std::string>> {
  static py::object to(const std::map<std::string, std::string>& m) { return py::cast(m); }
  static std::map<std::string, std::string> from(py::handle h) {
    return h.cast<std::map<std::string, std::string>>();
  }
};

/// Hash of a field's Python object; lists and dicts count by content.
inline py::object hashable(py::object o) {
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

template <class T, class Holder = std::shared_ptr<T>>
class Value {
 public:
  using Class = py::class_<T, Holder>;
  /// JSON that is neither the type's own nor that of its plain data.
  struct Json {
    std::function<std::string(const T&)> to;
    std::function<T(const py::dict&)> from;
  };

  Value(py::handle scope, const char* name, const char* doc) : class_(scope, name, doc) {
    Fields<T>::name = name;
    Fields<T>::all.clear();
  }

  template <class M>
  Value& field(const char* name, M T::*member, const char* doc = "") {
    class_.def_property_readonly(
        name, [member](const T& t) -> M { return t.*member; }, doc);
    return hidden(name, member);
  }
  /// A path that may be empty: None.
  Value& optional_path(const char* name, Path T::*member, const char* doc = "") {
    class_.def_property_readonly(
        name,
        [member](const T& t) -> std::optional<Path> {
          if ((t.*member).empty()) return std::nullopt;
          return t.*member;
        },
        doc);
    return hidden(name, member);
  }
  /// A shared report: an object or None.
  template <class M>
  Value& field(const char* name, std::shared_ptr<const M> T::*member, const char* doc = "") {
    class_.def_property_readonly(
        name,
        [member](const T& t) -> std::optional<std::shared_ptr<M>> {
          if (!(t.*member)) return std::nullopt;
          return std::const_pointer_cast<M>(t.*member);
        },
        doc);
    Field<T> f = conversions<std::shared_ptr<const M>>(name, member);
    f.get = f.exact = [member](const T& t) -> py::object {
      if (!(t.*member)) return py::none();
      return py::cast(std::const_pointer_cast<M>(t.*member));
    };
    f.set = [member](T& t, py::handle h) {
      if (h.is_none())
        t.*member = nullptr;
      else
        t.*member = h.cast<std::shared_ptr<M>>();
    };
    Fields<T>::all.push_back(std::move(f));
    return *this;
  }
  /// A std::string of a guest's bytes: `name` is the str, `name`_bytes the bytes.
  Value& bytes_field(const char* name, std::string T::*member, const char* doc = "") {
    class_.def_property_readonly(
        name, [member](const T& t) -> std::string { return t.*member; }, doc);
    static std::vector<std::unique_ptr<std::string>> names;
    names.push_back(std::make_unique<std::string>(std::string(name) + "_bytes"));
    class_.def_property_readonly(
        names.back()->c_str(), [member](const T& t) { return py::bytes(t.*member); }, "The same as bytes.");
    return hidden(name, member);
  }
  /// Part of the value, with a property (or none) of its own.
  template <class M>
  Value& hidden(const char* name, M T::*member) {
    Field<T> f = conversions<M>(name, member);
    f.get = [member](const T& t) -> py::object { return py::cast(t.*member); };
    f.set = [member](T& t, py::handle h) { t.*member = h.cast<M>(); };
    f.exact = f.get;
    if constexpr (std::is_same_v<M, std::string>)
      f.exact = [member](const T& t) -> py::object { return text(t.*member, "surrogateescape"); };
    // Python has no empty path: Path("") is ".".
    if constexpr (std::is_same_v<M, Path>)
      f.exact = [member](const T& t) -> py::object { return text((t.*member).native(), "surrogateescape"); };
    Fields<T>::all.push_back(std::move(f));
    return *this;
  }

  /// The last field's key in plain data, where libkdev's JSON calls it differently.
  Value& key(const char* key) {
    Fields<T>::all.back().key = key;
    return *this;
  }

  Class& py() { return class_; }

  /// ==, hash, repr of the fields named in `shown` (all when empty), copy, pickle and plain forms.
  Value& finish(std::vector<std::string> shown = {}, Json json = {}) {
    class_.def(
        "__eq__",
        [](const T& a, const py::object& b) -> bool {
          if (!py::isinstance<T>(b)) return false;
          const T& other = b.cast<const T&>();
          if constexpr (requires { a == other; }) {
            return a == other;
          } else {
            for (const auto& f : Fields<T>::all)
              if (!f.exact(a).equal(f.exact(other))) return false;
            return true;
          }
        },
        py::arg("other"), py::is_operator());
    class_.def("__hash__", [](const T& t) {
      py::list l;
      for (const auto& f : Fields<T>::all) l.append(hashable(f.exact(t)));
      return py::hash(py::tuple(l));
    });
    class_.def("__repr__", [shown](const T& t) {
      std::string s = std::string(Fields<T>::name) + "(";
      bool first = true;
      for (const auto& f : Fields<T>::all) {
        if (!shown.empty() && std::find(shown.begin(), shown.end(), f.name) == shown.end()) continue;
        s +=
            (first ? "" : ", ") + std::string(f.name) + "=" + py::repr(f.get(t)).template cast<std::string>();
        first = false;
      }
      return s + ")";
    });
    copyable(class_);
    class_.def(
        "to_dict", [](const T& t) { return py::typing::Dict<py::str, py::object>(Plain<T>::to(t)); },
        "Plain data: str, numbers, list, dict, None.");
    class_.def_static(
        "from_dict", [](const py::dict& d) { return Plain<T>::from(d); }, py::arg("data"));
    if (json.to) {
      class_.def("to_json", json.to);
    } else if constexpr (HasJson<T>) {
      class_.def("to_json", [](const T& t) { return t.to_json(); });
    } else {
      class_.def("to_json", [](const T& t) {
        return py::module_::import("json").attr("dumps")(Plain<T>::to(t)).template cast<std::string>();
      });
    }
    if constexpr (HasJson<T>) {
      class_.def_static(
          "from_json", [](const std::string& s) { return T::from_json(s); }, py::arg("text"));
    } else {
      class_.def_static(
          "from_json",
          [from = json.from](const std::string& s) {
            py::object o = py::module_::import("json").attr("loads")(text(s));
            if (!py::isinstance<py::dict>(o)) throw py::value_error("not a JSON object");
            return from ? from(o) : Plain<T>::from(o);
          },
          py::arg("text"));
    }
    class_.def(py::pickle(
        [](const T& t) {
          py::dict d;
          for (const auto& f : Fields<T>::all) d[f.name] = f.exact(t);
          return d;
        },
        [](const py::dict& d) {
          T t{};
          for (const auto& f : Fields<T>::all)
            if (d.contains(f.name)) f.set(t, d[f.name]);
          return std::make_shared<T>(std::move(t));
        }));
    return *this;
  }

  static void copyable(Class& c) {
    c.def("__copy__", [](const T& t) { return T(t); });
    c.def(
        "__deepcopy__", [](const T& t, const py::dict&) { return T(t); }, py::arg("memo"));
  }

 private:
  template <class M>
  static Field<T> conversions(const char* name, M T::*member) {
    Field<T> f;
    f.name = f.key = name;
    f.plain = [member](const T& t) { return Plain<M>::to(t.*member); };
    f.set_plain = [member](T& t, py::handle h) { t.*member = Plain<M>::from(h); };
    return f;
  }
  Class class_;
};

/// ==, hash, repr, copy and pickle over to_json()/from_json() for a value without public fields.
template <class T, class C>
void json_value(C& c) {
  c.def(
      "__eq__",
      [](const T& a, const py::object& b) -> bool { return py::isinstance<T>(b) && a == b.cast<const T&>(); },
      py::arg("other"), py::is_operator());
  c.def("__hash__", [](const T& t) { return py::hash(py::str(t.to_json())); });
  c.def("__copy__", [](const T& t) { return T(t); });
  c.def(
      "__deepcopy__", [](const T& t, const py::dict&) { return T(t); }, py::arg("memo"));
  c.def("to_json", [](const T& t) { return t.to_json(); });
  c.def_static(
      "from_json", [](const std::string& s) { return T::from_json(s); }, py::arg("text"));
  c.def(
      py::pickle([](const T& t) { return py::str(t.to_json()); },
                 [](const py::str& s) { return std::make_shared<T>(T::from_json(s.cast<std::string>())); }));
}

}  // namespace kdev::python
