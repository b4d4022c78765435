#pragma once
// Value types from one list of fields: properties, ==, hash, repr, to_dict/from_dict, to_json/from_json,
// pickle, copy. What does not depend on the type is in value.cpp: templates here are what makes the binding
// slow to compile.
#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include "casters.hpp"

namespace kdev::python {

/// Values whose JSON is libkdev's own, both ways.
template <class T>
concept HasJson = requires(const T& t) {
  t.to_json();
  T::from_json(std::string_view());
};

/// How members of one type become Python objects, and come back.
struct Codec {
  py::object (*get)(const void*);    ///< as the property gives it
  py::object (*exact)(const void*);  ///< like get, but a str keeps undecodable bytes (surrogateescape)
  py::object (*plain)(const void*);  ///< str, numbers, list, dict, None
  void (*set)(void*, py::handle);    ///< from what exact gave
  void (*set_plain)(void*, py::handle);
};

struct Field {
  const char* name;
  const char* key;  ///< in plain data and JSON
  std::size_t offset;
  const Codec* codec;
  const void* in(const void* value) const { return static_cast<const char*>(value) + offset; }
  void* in(void* value) const { return static_cast<char*>(value) + offset; }
};

/// What is known of a value type.
struct ValueType {
  const std::type_info& type;
  std::shared_ptr<void> (*make)();
  std::shared_ptr<void> (*copy)(const void*);
  py::object (*wrap)(const std::shared_ptr<void>&);
  /// Of an object that has no value yet.
  void (*init)(py::detail::value_and_holder&, const std::shared_ptr<void>&);
  bool (*equal)(const void*, const void*) = nullptr;                     ///< null: field by field
  std::function<std::string(const void*)> to_json{};                     ///< empty: that of its plain data
  std::function<std::shared_ptr<void>(const std::string&)> from_json{};  ///< likewise
  const char* name = "";
  std::vector<Field> fields{};
};

/// The functions of a ValueType.
template <class T>
struct ValueFunctions {
  static const T& at(const void* t) { return *static_cast<const T*>(t); }
  static std::shared_ptr<void> make() { return std::make_shared<T>(); }
  static std::shared_ptr<void> copy(const void* t) { return std::make_shared<T>(at(t)); }
  static py::object wrap(const std::shared_ptr<void>& t) { return py::cast(std::static_pointer_cast<T>(t)); }
  static void init(py::detail::value_and_holder& object, const std::shared_ptr<void>& value) {
    auto t = std::static_pointer_cast<T>(value);
    object.value_ptr() = t.get();
    object.type->init_instance(object.inst, &t);
  }
  static bool equal(const void* a, const void* b) { return at(a) == at(b); }
};

template <class T>
ValueType& value_type() {
  using Functions = ValueFunctions<T>;
  static ValueType type{.type = typeid(T),
                        .make = &Functions::make,
                        .copy = &Functions::copy,
                        .wrap = &Functions::wrap,
                        .init = &Functions::init};
  if constexpr (requires(const T& t) { t == t; }) type.equal = &Functions::equal;
  return type;
}

/// The value that a Python object holds; TypeError when it is none of that type.
const void* value_in(const ValueType& type, py::handle object);
py::object to_plain(const ValueType& type, const void* value);
std::shared_ptr<void> from_plain(const ValueType& type, py::handle dict);
/// Adds everything but the properties to the class; repr shows the fields named in `shown` (all when empty).
void define_value(py::object& cls, ValueType& type, std::vector<std::string> shown);
void add_property(py::object& cls, const char* name, const py::cpp_function& getter, const char* doc);
py::object json_loads(const std::string& json);
/// ValueError when it is something else.
py::dict json_object(const std::string& json);
std::string json_dumps(py::handle object);

/// Plain Python data (str, numbers, list, dict, None) for a member, and back.
template <class M>
struct Plain {
  static constexpr bool direct = requires { EnumNames<M>::table; }
  || std::is_arithmetic_v<M> || std::is_same_v<M, std::string> || std::is_same_v<M, Seconds>;
  static py::object to(const M& m) {
    if constexpr (std::is_same_v<M, Path>)
      return text(m.native(), "surrogateescape");
    else if constexpr (direct)
      return py::cast(m);
    else if constexpr (HasJson<M>)
      return json_loads(m.to_json());
    else
      return to_plain(value_type<M>(), &m);
  }
  static M from(py::handle h) {
    if constexpr (std::is_same_v<M, Path> || direct)
      return h.cast<M>();
    else if constexpr (HasJson<M>)
      return M::from_json(json_dumps(h));
    else
      return *std::static_pointer_cast<M>(from_plain(value_type<M>(), h));
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

/// What a property of a member gives: the member, but a shared report as an object or None.
template <class M>
struct Member {
  using Shown = M;
  static Shown show(const M& m) { return m; }
  static M hide(py::handle h) { return h.cast<M>(); }
};
template <class M>
struct Member<std::shared_ptr<const M>> {
  using Shown = std::optional<std::shared_ptr<M>>;
  static Shown show(const std::shared_ptr<const M>& m) {
    if (!m) return std::nullopt;
    return std::const_pointer_cast<M>(m);
  }
  static std::shared_ptr<const M> hide(py::handle h) {
    return h.is_none() ? nullptr : h.cast<std::shared_ptr<M>>();
  }
};

template <class M>
struct Codecs {
  static const M& at(const void* m) { return *static_cast<const M*>(m); }
  static M& at(void* m) { return *static_cast<M*>(m); }
  static py::object get(const void* m) { return py::cast(Member<M>::show(at(m))); }
  static py::object exact(const void* m) {
    // Python has no empty path: Path("") is ".".
    if constexpr (std::is_same_v<M, std::string> || std::is_same_v<M, Path>)
      return text(std::string(at(m).c_str(), at(m).size()), "surrogateescape");
    else
      return get(m);
  }
  static py::object plain(const void* m) { return Plain<M>::to(at(m)); }
  static void set(void* m, py::handle h) { at(m) = Member<M>::hide(h); }
  static void set_plain(void* m, py::handle h) { at(m) = Plain<M>::from(h); }
  static constexpr Codec codec{&get, &exact, &plain, &set, &set_plain};
};

/// A property whose value `show` makes of the member at `offset`. One template for all classes.
template <class R>
void define_property(py::object& cls, const ValueType& type, const char* name, std::size_t offset,
                     R (*show)(const void*), const char* doc) {
  add_property(cls, name,
               py::cpp_function(
                   [&type, offset, show](const py::object& self) -> R {
                     return show(static_cast<const char*>(value_in(type, self)) + offset);
                   },
                   py::is_method(cls), doc),
               doc);
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
    type_.name = name;
    type_.fields.clear();
    if constexpr (HasJson<T>) {
      type_.to_json = [](const void* t) { return static_cast<const T*>(t)->to_json(); };
      type_.from_json = [](const std::string& s) { return std::make_shared<T>(T::from_json(s)); };
    }
  }

  template <class M>
  Value& field(const char* name, M T::*member, const char* doc = "") {
    define_property<typename Member<M>::Shown>(
        class_, type_, name, offset(member), [](const void* m) { return Member<M>::show(Codecs<M>::at(m)); },
        doc);
    return hidden(name, member);
  }
  /// A path that may be empty: None.
  Value& optional_path(const char* name, Path T::*member, const char* doc = "") {
    define_property<std::optional<Path>>(
        class_, type_, name, offset(member),
        [](const void* m) {
          const Path& path = Codecs<Path>::at(m);
          return path.empty() ? std::nullopt : std::optional<Path>(path);
        },
        doc);
    return hidden(name, member);
  }
  /// A std::string of a guest's bytes: `name` is the str, `name`_bytes the bytes.
  Value& bytes_field(const char* name, std::string T::*member, const char* doc = "") {
    define_property<py::bytes>(
        class_, type_, (std::string(name) + "_bytes").c_str(), offset(member),
        [](const void* m) { return py::bytes(Codecs<std::string>::at(m)); }, "The same as bytes.");
    return field(name, member, doc);
  }
  /// Part of the value, with a property (or none) of its own.
  template <class M>
  Value& hidden(const char* name, M T::*member) {
    type_.fields.push_back({name, name, offset(member), &Codecs<M>::codec});
    return *this;
  }
  /// The last field's key in plain data, where libkdev's JSON calls it differently.
  Value& key(const char* key) {
    type_.fields.back().key = key;
    return *this;
  }

  Class& py() { return class_; }

  /// ==, hash, repr of the fields named in `shown` (all when empty), copy, pickle and plain forms.
  Value& finish(std::vector<std::string> shown = {}) {
    define_value(class_, type_, std::move(shown));
    return *this;
  }
  Value& finish(std::vector<std::string> shown, Json json) {
    if (json.to)
      type_.to_json = [to = std::move(json.to)](const void* t) { return to(*static_cast<const T*>(t)); };
    if (json.from)
      type_.from_json = [from = std::move(json.from)](const std::string& s) {
        return std::make_shared<T>(from(json_object(s)));
      };
    return finish(std::move(shown));
  }

 private:
  template <class M>
  static std::size_t offset(M T::*member) {
    static const T sample{};
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&(sample.*member)) -
                                    reinterpret_cast<const char*>(&sample));
  }
  Class class_;
  ValueType& type_ = value_type<T>();
};

// Members of these types are everywhere: compiled once, in value.cpp.
#define KDEV_COMMON_MEMBER(M)                                                                           \
  KDEV_EXTERN template struct Codecs<M>;                                                                \
  KDEV_EXTERN template void define_property<M>(py::object&, const ValueType&, const char*, std::size_t, \
                                               M (*)(const void*), const char*);
#define KDEV_COMMON_MEMBERS              \
  KDEV_COMMON_MEMBER(std::string)        \
  KDEV_COMMON_MEMBER(bool)               \
  KDEV_COMMON_MEMBER(int)                \
  KDEV_COMMON_MEMBER(long)               \
  KDEV_COMMON_MEMBER(std::uint64_t)      \
  KDEV_COMMON_MEMBER(Seconds)            \
  KDEV_COMMON_MEMBER(Path)               \
  KDEV_COMMON_MEMBER(std::optional<int>) \
  KDEV_COMMON_MEMBER(std::vector<std::string>)
#define KDEV_EXTERN extern
KDEV_COMMON_MEMBERS
#undef KDEV_EXTERN

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
