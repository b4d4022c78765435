// What a debug session tells.
#include <kdev/debug_session.hpp>
#include <kdev/running_vm.hpp>
#include <kdev/vm.hpp>

#include "bind.hpp"
#include "debug_handle.hpp"
#include "package.hpp"
#include "value.hpp"

namespace kdev::python {
namespace {

/// In a notebook and on a terminal, as kdev/debug_view.py makes it: KIND_html, KIND_text.
template <class T>
void show(Value<T>& value, const std::string& kind) {
  value.py()
      .def("_repr_html_",
           [name = kind + "_html"](const py::object& self) {
             return py::str(package("kdev.debug_view", name.c_str())(self));
           })
      .def("__rich__", [name = kind + "_text"](const py::object& self) {
        return package("kdev.debug_view", name.c_str())(self);
      });
}

template <class T>
void finish_event(Value<T>& value) {
  value.py().def("__str__", [](const T& event) { return describe(DebugEvent(event)); });
  value.finish();
}

void bind_events(py::module_& m) {
  Value<DebugStopped> stopped(m, "DebugStopped", "The kernel stopped.");
  stopped.field("stop", &DebugStopped::stop);
  finish_event(stopped);
  Value<DebugResumed> resumed(m, "DebugResumed", "The kernel was let run.");
  resumed.field("how", &DebugResumed::how, "gdb's command.");
  finish_event(resumed);
  Value<DebugModule> module(m, "DebugModule",
                            "The kernel loaded or unloaded a module, and its symbols came or went.");
  module.field("name", &DebugModule::name).field("loaded", &DebugModule::loaded);
  finish_event(module);
  Value<DebugBreakpointChanged> changed(m, "DebugBreakpointChanged",
                                        "A breakpoint was hit, found its place, or went by itself.");
  changed.field("breakpoint", &DebugBreakpointChanged::breakpoint, "Of one that went the number alone.")
      .field("gone", &DebugBreakpointChanged::gone);
  finish_event(changed);
  Value<DebugOutput> output(m, "DebugOutput", "What the stub printed without having been asked.");
  output.field("text", &DebugOutput::text);
  finish_event(output);
  Value<DebugTargetLost> lost(m, "DebugTargetLost", "The machine ended, or its stub went away.");
  lost.field("reason", &DebugTargetLost::reason);
  finish_event(lost);
}

}  // namespace

void bind_debug_values(py::module_& m) {
  Value<DebugFrame> frame(m, "DebugFrame",
                          "One frame of a live backtrace; inline functions are frames of their own.");
  frame.field("level", &DebugFrame::level)
      .field("function", &DebugFrame::function, "Empty: no symbol.")
      .field("address", &DebugFrame::address)
      .field("file", &DebugFrame::file, "Relative to the tree where it lies below it.")
      .field("line", &DebugFrame::line, "1-based; 0: unknown.")
      .field("source", &DebugFrame::source, "That line's text, without indentation.")
      .field("context", &DebugFrame::context, "The source around the line, as it is.")
      .field("context_begin", &DebugFrame::context_begin, "The number of its first line; 0: there is none.")
      .field("args", &DebugFrame::args)
      .field("locals", &DebugFrame::locals, "Where backtrace() was asked for them.")
      .field("inlined", &DebugFrame::inlined, "Into the next frame's function.");
  show<DebugFrame>(frame, "frame");
  frame.finish({"function", "file", "line", "source"});
  Value<DebugStop> stop(m, "DebugStop", "Why the kernel stopped, and where.");
  stop.field("reason", &DebugStop::reason,
             "gdb's: 'breakpoint-hit', 'signal-received', 'end-stepping-range', ...")
      .field("signal", &DebugStop::signal, "Empty: none.")
      .field("breakpoint", &DebugStop::breakpoint, "Its number; 0: none.")
      .field("thread", &DebugStop::thread, "As the stub names it.")
      .field("frame", &DebugStop::frame)
      .field("old_value", &DebugStop::old_value, "Of a watchpoint's expression.")
      .field("new_value", &DebugStop::new_value)
      .field("returned", &DebugStop::returned,
             "What a function that was finished gave back; empty: nothing.");
  show<DebugStop>(stop, "stop");
  stop.finish({"reason", "signal", "breakpoint", "thread"});
  Value<DebugBreakpoint>(m, "DebugBreakpoint", "A breakpoint that is set.")
      .field("number", &DebugBreakpoint::number)
      .field("kind", &DebugBreakpoint::kind, "gdb's: 'breakpoint', 'hw watchpoint', ...")
      .field("address", &DebugBreakpoint::address)
      .field("function", &DebugBreakpoint::function)
      .field("file", &DebugBreakpoint::file)
      .field("line", &DebugBreakpoint::line)
      .field("expression", &DebugBreakpoint::expression, "Of a watchpoint.")
      .field("pending", &DebugBreakpoint::pending, "Nothing has the place yet.")
      .field("hits", &DebugBreakpoint::hits)
      .finish();
  bind_events(m);
  Value<DebugInstruction>(m, "DebugInstruction", "One instruction.")
      .field("address", &DebugInstruction::address)
      .field("function", &DebugInstruction::function)
      .field("offset", &DebugInstruction::offset, "From the function's begin.")
      .field("bytes", &DebugInstruction::bytes, "Hex.")
      .field("text", &DebugInstruction::text)
      .field("file", &DebugInstruction::file)
      .field("line", &DebugInstruction::line)
      .field("source", &DebugInstruction::source, "That line's text.")
      .finish({"address", "function", "offset", "text"});
  Value<DebugThread>(m, "DebugThread", "A thread of the kernel.")
      .field("number", &DebugThread::number, "gdb's.")
      .field("id", &DebugThread::id)
      .field("name", &DebugThread::name)
      .field("frame", &DebugThread::frame)
      .finish({"number", "id", "name"});
  Value<GdbCommand>(m, "GdbCommand", "A gdb for people to type at.")
      .field("argv", &GdbCommand::argv, "Starts it.")
      .field("script", &GdbCommand::script, "The commands that it begins with; another gdb can source them.")
      .field("symbols", &GdbCommand::symbols, "The kernel's file.")
      .finish({"argv"});
  Value<RunningVm>(m, "RunningVm", "A VM that runs, as its folder tells other processes of the same user.")
      .field("name", &RunningVm::name)
      .field("directory", &RunningVm::directory)
      .field("kernel", &RunningVm::kernel, "That it runs.")
      .field("modules", &RunningVm::modules, "Files of those that were added.")
      .finish({"name", "directory"});
  Value<DebugWrite>(m, "DebugWrite", "The last write to an object of a recorded guest.")
      .field("frame", &DebugWrite::frame, "Of the instruction that wrote.")
      .field("instruction", &DebugWrite::instruction)
      .field("backtrace", &DebugWrite::backtrace)
      .field("pid", &DebugWrite::pid, "Of the task that ran; -1: unknown.")
      .field("task", &DebugWrite::task, "Its name.")
      .field("position", &DebugWrite::position, "Instructions executed before that one.")
      .field("address", &DebugWrite::address)
      .field("size", &DebugWrite::size, "Bytes.")
      .field("before", &DebugWrite::before, "Its bytes, hex.")
      .field("after", &DebugWrite::after)
      .field("writes", &DebugWrite::writes, "That there were in all.")
      .field("changed_since", &DebugWrite::changed_since,
             "Its bytes changed again without an instruction that wrote to its address.")
      .finish({"frame", "task", "pid", "before", "after"});
  Value<DebuggerBackends>(m, "DebuggerBackends", "The debuggers that a guest's kernel can hand a stop to.")
      .field("available", &DebuggerBackends::available)
      .field("current", &DebuggerBackends::current)
      .finish();
}

}  // namespace kdev::python
