// Crash reports and symbols.
#include <kdev/crash.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_crash(py::module_& m) {
  Value<Variable>(m, "Variable", "An argument or a local variable, as gdb prints it.")
      .field("name", &Variable::name,
             "'val@entry': what an argument was when the function was called, where it is not known since.")
      .field("value", &Variable::value, "'5', '{a = 1, b = {...}}', '<optimized out>'.")
      .field("type", &Variable::type, "As C writes it: 'struct file *'.")
      .field("address", &Variable::address, "In the guest's memory; 0: it is not there, or not known.")
      .field("available", &Variable::available, "False: `value` says why there is none.")
      .finish({"name", "value", "type"});
  bind_crash_facts(m);
  Value<StackFrame> frame(m, "StackFrame",
                          "One line of a stack trace, or one inline function expanded from it.");
  frame.field("function", &StackFrame::function)
      .field("offset", &StackFrame::offset, "Into the function's symbol.")
      .field("size", &StackFrame::size, "Of the symbol; 0: not printed.")
      .field("module", &StackFrame::module, "Empty: the kernel itself.")
      .field("address", &StackFrame::address, "0: not printed.")
      .field("reliable", &StackFrame::reliable, "False for entries marked '?'.")
      .field("inlined", &StackFrame::inlined, "Expanded from the debug information.")
      .field("file", &StackFrame::file, "Relative to the tree where it lies below it.")
      .field("line", &StackFrame::line, "1-based; 0: unknown.")
      .field("source", &StackFrame::source, "That line's text, without indentation.")
      .field("args", &StackFrame::args, "Of a dump's frame, where they were asked for.")
      .field("locals", &StackFrame::locals, "Likewise; those of the innermost block first.")
      .finish({"function", "file", "line", "source"});
  Value<StackTrace> trace(m, "StackTrace", "A named trace of a report.");
  trace.field("name", &StackTrace::name)
      .field("context", &StackTrace::context, "'TASK', 'IRQ', 'NMI', ... of the first frame.")
      .field("frames", &StackTrace::frames);
  trace.py()
      .def("to_html", &StackTrace::to_html, "One self-contained fragment.")
      .def("_repr_html_", &StackTrace::to_html)
      .def("__rich__", [](const py::object& self) {
        return py::module_::import("kdev.display").attr("frame_table")(self.attr("frames"));
      });
  trace.finish();

  Value<DebuggerAnswer> answer(m, "DebuggerAnswer", "What a guest's own debugger answered to one command.");
  answer.field("command", &DebuggerAnswer::command)
      .field("text", &DebuggerAnswer::text, "As printed, without the command's echo and the prompt.")
      .field("complete", &DebuggerAnswer::complete, "False: the prompt did not come back in time.")
      .field("traces", &DebuggerAnswer::traces, "The stack traces in the text, symbolized.");
  answer.py().def("__str__", [](const DebuggerAnswer& a) { return a.text; });
  answer.finish({"command", "complete"});

  Value<CrashReport> report(m, "CrashReport", "Everything one crash on a console says.");
  report.field("os", &CrashReport::os, "Whose console it is: 'linux', 'freebsd', 'openbsd', 'netbsd'.")
      .field("kind", &CrashReport::kind,
             "Family: 'oops', 'bug', 'warning', 'panic', 'kasan', 'hung-task', ...")
      .field("type", &CrashReport::type, "Class as syzbot uses it; empty: unknown.")
      .field("title", &CrashReport::title, "Stable, deduplicating, syzbot-compatible.")
      .field("alternative_titles", &CrashReport::alternative_titles)
      .field("message", &CrashReport::message, "The report's first line as printed.")
      .field("function", &CrashReport::function, "The guilty function.")
      .field("process", &CrashReport::process)
      .field("pid", &CrashReport::pid, "-1: unknown.")
      .field("cpu", &CrashReport::cpu, "-1: unknown.")
      .field("taint", &CrashReport::taint)
      .field("release", &CrashReport::release)
      .field("registers", &CrashReport::registers)
      .field("traces", &CrashReport::traces, "The guilty one first.")
      .field("fault", &CrashReport::fault,
             "The access that faulted; its members are found by Symbolizer or Core. None: there was none.")
      .field("poisons", &CrashReport::poisons, "Registers with marks in them, by name.")
      .field("object", &CrashReport::object,
             "Of an allocator, that was misused, as the report says; or None.")
      .field("kaslr_offset", &CrashReport::kaslr_offset)
      .field("panicked", &CrashReport::panicked,
             "The log also holds a panic that followed, before the next boot.")
      .field("corrupted", &CrashReport::corrupted, "Truncated, or mixed with another.")
      .field("suppressed", &CrashReport::suppressed, "Known, and not worth a look.")
      .field("symbolized", &CrashReport::symbolized, "File and line were filled in.")
      .field("notes", &CrashReport::notes)
      .field("debugger", &CrashReport::debugger, "What OnCrash.ask asked, in order.")
      .field("dump", &CrashReport::dump, "How the kernel said that its dump ended; empty: none was made.")
      .field("dmesg", &CrashReport::dmesg, "Console text before the report.")
      .field("text", &CrashReport::text, "The report itself, as printed.")
      .field("begin", &CrashReport::begin, "First byte in the scanned log.")
      .field("end", &CrashReport::end, "Past its last byte.");
  report.py()
      .def_property_readonly(
          "frames", [](const CrashReport& r) { return r.frames(); }, "The guilty trace's frames.")
      .def_property_readonly(
          "guilty",
          [](const CrashReport& r) -> std::optional<StackFrame> {
            const StackFrame* f = r.guilty();
            if (!f) return std::nullopt;
            return *f;
          },
          "The first frame that is the guilty function and has a source line, or None.")
      .def("to_text", &CrashReport::to_text, "For a terminal, without colours.")
      .def("to_html", &CrashReport::to_html, "One self-contained fragment.")
      .def(
          "save",
          [](const CrashReport& r, const Path& path, bool memory, bool symbols, bool recording,
             Timeout timeout) {
            blocking([&] {
              BundleOptions options{.memory = memory, .symbols = symbols, .recording = recording};
              if (timeout) options.timeout = *timeout;
              r.save(path, options);
            });
          },
          py::arg("path"), py::kw_only(), py::arg("memory") = true, py::arg("symbols") = true,
          py::arg("recording") = true, py::arg("timeout") = py::none(),
          "As one file, which kdev.Bundle opens: of a VM whose crashed kernel is still there with console, "
          "commands, memory and symbols; of a log the report alone. recording: of a VM with record=True also "
          "its "
          "run, for which its machine ends.")
      .def("_repr_html_", &CrashReport::to_html)
      .def("__str__", &CrashReport::to_text);
  report.finish({"title", "kind", "function", "process", "pid", "cpu"});

  m.def(
      "scan_console",
      [](const Data& log, const std::optional<std::string>& os) {
        return blocking([&] { return scan_console(log.bytes, std::string_view(os.value_or(""))); });
      },
      py::arg("log"), py::arg("os") = py::none(),
      "All crash reports in a console log, in order. The log is str or bytes; `os` one of console_systems(), "
      "None: "
      "found out.");
  m.def("console_systems", &console_systems, "Those whose consoles can be read.");
  m.def(
      "detect_console", [](const Data& log) { return blocking([&] { return detect_console(log.bytes); }); },
      py::arg("log"), "Whose console it seems to be; empty: nobody's.");

  py::class_<ConsoleScanner>(m, "ConsoleScanner",
                             "Reports out of a log that arrives in pieces; it keeps a few megabytes.")
      .def(py::init([](const std::optional<std::string>& os) { return ConsoleScanner(os.value_or("")); }),
           py::arg("os") = py::none())
      .def(
          "feed",
          [](ConsoleScanner& s, const Data& piece) { return blocking([&] { return s.feed(piece.bytes); }); },
          py::arg("piece"), "The reports that are complete: some megabytes follow them.")
      .def(
          "finish", [](ConsoleScanner& s) { return blocking([&] { return s.finish(); }); },
          "All that are left. The scanner is as new then.")
      .def_property_readonly("system", &ConsoleScanner::system,
                             "Whose console it is; empty while that is not known.");

  py::class_<Symbolizer>(m, "Symbolizer",
                         "Turns frames into file:line with inline functions expanded. Thread-safe.")
      .def(
          py::init([](const std::optional<KernelArtifact>& kernel, const std::optional<Path>& vmlinux,
                      const std::vector<Path>& modules, const std::optional<Path>& source, Os os,
                      const std::optional<Path>& index, const std::string& build_id, bool debuginfod) {
            SymbolSources sources{.kernel = kernel,
                                  .vmlinux = vmlinux.value_or(Path()),
                                  .modules = modules,
                                  .source = source.value_or(Path()),
                                  .os = os,
                                  .index = index.value_or(Path()),
                                  .debuginfod = debuginfod,
                                  .build_id = build_id};
            return blocking([&] { return std::make_unique<Symbolizer>(std::move(sources)); });
          }),
          py::arg("kernel") = py::none(), py::kw_only(), py::arg("vmlinux") = py::none(),
          py::arg("modules") = std::vector<Path>(), py::arg("source") = py::none(), py::arg("os") = "linux",
          py::arg("index") = py::none(), py::arg("build_id") = "", py::arg("debuginfod") = true,
          "`vmlinux`: a kernel's file with debug information, of an `os`, when there is no artifact. "
          "`index`: folder of the indexes that build_index() writes; None: kdev/symbols in the user's cache. "
          "`debuginfod`: ask the servers of $DEBUGINFOD_URLS, if it is set, for debug information that the "
          "files lack, and for source. `build_id`: of the kernel, when there is no file at all.")
      .def(
          "at_symbol",
          [](const Symbolizer& s, const std::string& symbol, std::uint64_t offset, std::uint64_t size,
             const std::string& module, bool return_address) {
            return blocking([&] { return s.at_symbol(symbol, offset, size, module, return_address); });
          },
          py::arg("symbol"), py::arg("offset") = 0, py::arg("size") = 0, py::kw_only(),
          py::arg("module") = "", py::arg("return_address") = false,
          "Inline frames first (innermost), then the real one.")
      .def(
          "at_address",
          [](const Symbolizer& s, std::uint64_t address, std::int64_t kaslr_offset, bool return_address) {
            return blocking([&] { return s.at_address(address, kaslr_offset, return_address); });
          },
          py::arg("address"), py::kw_only(), py::arg("kaslr_offset") = 0, py::arg("return_address") = false)
      .def(
          "symbolize",
          [](const Symbolizer& s, const CrashReport& report) {
            return blocking([&] {
              CrashReport copy = report;
              s.symbolize(copy);
              return copy;
            });
          },
          py::arg("report"), "The report with every trace filled in.")
      .def(
          "decode",
          [](const Symbolizer& s, const Data& data, bool source_text) {
            return kdev::python::text(blocking([&] { return s.decode(data.bytes, source_text); }),
                                      "surrogateescape");
          },
          py::arg("text"), py::kw_only(), py::arg("source_text") = false,
          "A console's text with file and line behind every function, inline functions on lines before it.")
      .def(
          "at_addresses",
          [](const Symbolizer& s, const std::vector<std::uint64_t>& addresses, std::int64_t kaslr_offset,
             bool return_address, bool source_text) {
            return blocking(
                [&] { return s.at_addresses(addresses, kaslr_offset, return_address, source_text); });
          },
          py::arg("addresses"), py::kw_only(), py::arg("kaslr_offset") = 0, py::arg("return_address") = false,
          py::arg("source_text") = true, "Many at once, each as at_address() has it.")
      .def(
          "build_index",
          [](const Symbolizer& s) -> std::optional<Path> {
            const Path file = blocking([&] { return s.build_index(); });
            if (file.empty()) return std::nullopt;
            return file;
          },
          "Writes the index of the kernel, and of the modules that were asked for until now, unless they are "
          "there, and returns the kernel's file; from then on they are used. None: the kernel has no build "
          "id or "
          "no debug information, or, see `notes`, the folder cannot be written.")
      .def_property_readonly("indexed", &Symbolizer::indexed, "The kernel's index is in use.")
      .def_property_readonly(
          "notes", [](const Symbolizer& s) { return blocking([&] { return s.notes(); }); },
          "What a user should know of the files: no debuginfod server has them, no index can be written.")
      .def_property_readonly("build_id",
                             [](const Symbolizer& s) { return blocking([&] { return s.build_id(); }); });

  m.def(
      "lookup_symbol",
      [](const Path& file, const std::string& address) {
        return blocking([&] { return lookup_symbol(file, address); });
      },
      py::arg("elf_or_system_map"), py::arg("address"),
      "Nearest symbols for a hex address; unknown digits are 'x' or left out at the end.");
  m.def(
      "read_build_id", [](const Path& elf) { return blocking([&] { return read_build_id(elf); }); },
      py::arg("elf"), "GNU build id, hex; empty: none.");
}

}  // namespace kdev::python
