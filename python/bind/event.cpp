// Typed events and the sinks that carry them to Python.
#include <atomic>
#include <kdev/event.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void throw_kept(std::string_view what);

namespace {

/// A Python object that may be copied and destroyed without the GIL.
class Held {
 public:
  explicit Held(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* o) {
          // At interpreter exit there is no GIL to take any more: the object is leaked.
          if (!Py_IsInitialized()) return;
          py::gil_scoped_acquire gil;
          delete o;
        }) {}
  const py::object& get() const { return *object_; }

 private:
  std::shared_ptr<py::object> object_;
};

std::atomic<bool> default_sink_set{false};
py::object& default_sink() {
  static auto* sink = new py::object(py::none());  // never destroyed: the interpreter goes first
  return *sink;
}

void deliver(const py::object& callback, const Event& event) {
  try {
    callback(py::cast(event));
  } catch (py::error_already_set& e) {
    e.restore();
    keep_python_error();
  }
}

template <class T>
void finish_event(Value<T>& v, std::function<T(const py::dict&)> from = {}) {
  v.py().def("__str__", [](const T& t) { return describe(Event(t)); });
  v.finish({}, {[](const T& t) { return to_json(Event(t)); }, std::move(from)});
}

}  // namespace

EventSink make_sink(py::object on_event) {
  if (on_event.is_none())
    return [](const Event& event) {
      if (!default_sink_set.load(std::memory_order_relaxed) || has_kept_error()) return;
      {
        py::gil_scoped_acquire gil;
        py::object sink = default_sink();
        if (!sink.is_none()) deliver(sink, event);
      }
      if (has_kept_error()) throw_kept("deliver an event");
    };
  return [held = Held(std::move(on_event))](const Event& event) {
    if (has_kept_error()) return;
    {
      py::gil_scoped_acquire gil;
      deliver(held.get(), event);
    }
    if (has_kept_error()) throw_kept("deliver an event");
  };
}

std::function<void(std::string_view)> make_line_callback(py::object callback) {
  if (callback.is_none()) return {};
  return [held = Held(std::move(callback))](std::string_view line) {
    if (has_kept_error()) return;
    {
      py::gil_scoped_acquire gil;
      try {
        held.get()(text(line));
      } catch (py::error_already_set& e) {
        e.restore();
        keep_python_error();
      }
    }
    if (has_kept_error()) throw_kept("deliver a line");
  };
}

void bind_event(py::module_& m) {
  Value<StageStarted> started(m, "StageStarted", "A stage of a pipeline, or one long operation, began.");
  started.field("stage", &StageStarted::stage).field("text", &StageStarted::text);
  finish_event(started);

  Value<StageFinished> finished(m, "StageFinished", "The same stage ended.");
  finished.field("stage", &StageFinished::stage)
      .field("outcome", &StageFinished::outcome, "'done', 'cached', 'failed' or 'interrupted'.")
      .field("duration", &StageFinished::duration, "Seconds.")
      .key("seconds")
      .field("text", &StageFinished::text);
  finish_event(finished);

  Value<Progress> progress(m, "Progress", "How far a stage is.");
  progress.field("stage", &Progress::stage)
      .field("done", &Progress::done)
      .field("total", &Progress::total, "Expected; 0: unknown.")
      .field("eta", &Progress::eta, "Expected seconds left; negative: unknown.")
      .field("text", &Progress::text);
  finish_event(progress);

  Value<DiagnosticFound> diagnostic(m, "DiagnosticFound", "A compiler message as it appears.");
  diagnostic.field("diagnostic", &DiagnosticFound::diagnostic);
  finish_event(diagnostic,
               std::function([](const py::dict& d) { return DiagnosticFound{Plain<Diagnostic>::from(d)}; }));

  Value<VmStateChanged> state(m, "VmStateChanged", "A VM changed its state.");
  state.field("vm", &VmStateChanged::vm)
      .py()
      .def_property_readonly("from_state", [](const VmStateChanged& e) { return e.from; })
      .def_property_readonly("to_state", [](const VmStateChanged& e) { return e.to; });
  state.hidden("from_state", &VmStateChanged::from)
      .key("from")
      .hidden("to_state", &VmStateChanged::to)
      .key("to")
      .field("reason", &VmStateChanged::reason);
  finish_event(state);

  Value<ConsoleLine> console(m, "ConsoleLine", "A whole line of the guest's console, without its line end.");
  console.field("vm", &ConsoleLine::vm).field("text", &ConsoleLine::text);
  finish_event(console);

  Value<CrashFound> crash(m, "CrashFound", "A crash was recognised on a console.");
  crash.field("vm", &CrashFound::vm).field("title", &CrashFound::title);
  finish_event(crash);

  Value<Notice> notice(m, "Notice", "Something a person should know: a fall-back taken, a resource reaped.");
  notice.field("text", &Notice::text);
  finish_event(notice);

  m.def(
      "_set_default_sink",
      [](OnEvent sink) {
        py::object old = default_sink();
        default_sink() = sink;
        default_sink_set = !sink.is_none();
        return OnEvent(old);
      },
      py::arg("sink"), "Where events go when a call got no on_event of its own. Returns the one before.");
}

}  // namespace kdev::python
