// Dumps of kernels.
#include <kdev/core.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "package.hpp"
#include "value.hpp"

namespace kdev::python {
void bind_core(py::module_& m) {
  Value<DumpInfo> info(m, "DumpInfo",
                       "A dump that a kernel left on a disk or a partition, as its headers tell.");
  info.field("kind", &DumpInfo::kind, "'core': memory; 'text': a tar of texts.")
      .field("os", &DumpInfo::os)
      .field("partition", &DumpInfo::partition, "1-based; 0: it lies on the medium itself.")
      .field("partition_name", &DumpInfo::partition_name)
      .field("offset", &DumpInfo::offset, "Of its first byte in the (raw) image.")
      .field("length", &DumpInfo::length, "Bytes, without headers, as stored.")
      .field("extent", &DumpInfo::extent, "Bytes set aside for it.")
      .field("block_size", &DumpInfo::block_size, "Of the medium.")
      .field("key_size", &DumpInfo::key_size, "Bytes of its encrypted key; 0: it is not encrypted.")
      .field("magic", &DumpInfo::magic)
      .field("arch", &DumpInfo::arch, "As the kernel calls it.")
      .field("version", &DumpInfo::version)
      .field("arch_version", &DumpInfo::arch_version)
      .field("time", &DumpInfo::time, "Seconds since 1970.")
      .field("hostname", &DumpInfo::hostname)
      .field("version_text", &DumpInfo::version_text, "The kernel's version string.")
      .field("panic", &DumpInfo::panic, "Empty: there was none.")
      .field("compression", &DumpInfo::compression, "'none', 'gzip', 'zstd'.")
      .field("parity", &DumpInfo::parity)
      .field("problem", &DumpInfo::problem, "Why it cannot be lifted; empty: it is whole.");
  info.py().def_property_readonly("encrypted", &DumpInfo::encrypted);
  info.finish({"kind", "partition", "length", "panic", "problem"});
  Value<LiftedDump>(m, "LiftedDump", "A dump in files, named and made as savecore(8) does.")
      .field("info", &LiftedDump::info)
      .field("number", &LiftedDump::number)
      .field("file", &LiftedDump::file, "vmcore.N, vmcore.N.gz, vmcore.N.zst or textdump.tar.N.")
      .field("info_file", &LiftedDump::info_file, "info.N.")
      .finish({"file"});
  Value<TextDump>(m, "TextDump", "What a text dump's tar holds.")
      .field("debugger", &TextDump::debugger, "ddb.txt: what the debugger's scripts printed.")
      .field("config", &TextDump::config, "config.txt.")
      .field("messages", &TextDump::messages, "msgbuf.txt.")
      .field("panic", &TextDump::panic, "panic.txt.")
      .field("version", &TextDump::version, "version.txt.")
      .field("others", &TextDump::others, "Further members.")
      .finish({"panic", "version"});
  Value<CoreModule>(m, "CoreModule", "A kernel module as it was loaded.")
      .field("name", &CoreModule::name)
      .field("path", &CoreModule::path, "In the guest.")
      .field("address", &CoreModule::address, "Of its first section.")
      .field("size", &CoreModule::size, "Bytes.")
      .optional_path("file", &CoreModule::file, "With its symbols, on this host; None: none was found.")
      .finish({"name", "address", "size", "file"});
  Value<CoreThread>(m, "CoreThread", "A thread when the kernel stopped.")
      .field("pid", &CoreThread::pid)
      .field("tid", &CoreThread::tid)
      .field("process", &CoreThread::process, "The process's name.")
      .field("name", &CoreThread::name, "The thread's own.")
      .field("state", &CoreThread::state, "'running', 'runnable', 'sleeping', 'locked', ...")
      .field("wait_channel", &CoreThread::wait_channel, "What it sleeps for.")
      .field("cpu", &CoreThread::cpu, "On which it ran; -1: it did not.")
      .field("panicked", &CoreThread::panicked, "It called for the dump.")
      .field("address", &CoreThread::address, "Of the kernel's structure.")
      .finish({"pid", "tid", "process", "name", "state", "wait_channel", "cpu"});
  Value<CoreCpu>(m, "CoreCpu", "A processor when the kernel stopped.")
      .field("id", &CoreCpu::id)
      .field("tid", &CoreCpu::tid, "Of the thread that ran there; -1: unknown.")
      .finish();
  Value<CoreMessage>(m, "CoreMessage", "A message of the kernel's.")
      .field("time", &CoreMessage::time, "Seconds since the boot; None: not kept.")
      .field("level", &CoreMessage::level, "0 (emergency) to 7 (debug); -1: not kept.")
      .field("caller", &CoreMessage::caller, "'T31', the task, or 'C1', the CPU; empty: not kept.")
      .field("text", &CoreMessage::text)
      .finish();
  py::class_<CoreNote>(m, "CoreNote", "A note beside a dump's memory, as in an ELF core file.")
      .def_readonly("name", &CoreNote::name)
      .def_readonly("type", &CoreNote::type)
      .def_property_readonly("data", [](const CoreNote& n) { return py::bytes(n.data); });
  Value<CoreLock>(m, "CoreLock", "A lock that threads waited for, or are stuck with.")
      .field("address", &CoreLock::address)
      .field("kind", &CoreLock::kind, "'mutex', 'rwsem', 'spinlock'; 'sleep mutex', 'sx', 'rw', 'lockmgr'.")
      .field("name", &CoreLock::name, "The variable that it is in, or what the kernel calls it.")
      .field("holders", &CoreLock::holders, "Tids; of a lock that is held shared, those that are known.")
      .field("waiters", &CoreLock::waiters, "Tids.")
      .field("shared", &CoreLock::shared, "It is held by readers.")
      .field("deadlock", &CoreLock::deadlock, "Holders wait for it by way of other locks.")
      .finish({"address", "kind", "name", "holders", "waiters", "deadlock"});

  Value<WrittenDump>(m, "WrittenDump", "A dump that was written.")
      .field("file", &WrittenDump::file)
      .field("memory", &WrittenDump::memory, "Bytes of physical memory in it.")
      .field("size", &WrittenDump::size, "Bytes that the file takes on its disk; holes take none.")
      .field("command", &WrittenDump::command, "Opens it: ['gdb', 'vmlinux', 'vmcore'].")
      .field("script", &WrittenDump::script,
             "For gdb -x: it leads backtraces through traps. Empty: none is needed.")
      .field("notes", &WrittenDump::notes, "What a reader should know.")
      .finish({"file", "memory", "size"});

  m.def(
      "identify", [](const Path& file) { return blocking([&] { return identify(file); }); }, py::arg("file"),
      "What the file is, by its content: 'console log', 'report', 'core', 'disk', 'text dump', 'bundle'. "
      "FormatError, "
      "which says what it is, when it is none of these.");
  m.def(
      "find_dumps",
      [](const Path& image, Timeout timeout) {
        return blocking([&] { return find_dumps(image, deadline(timeout)); });
      },
      py::arg("image"), py::kw_only(), py::arg("timeout") = py::none(),
      "Dumps on a raw disk image, a partition's image or NAME.qcow2.");
  m.def(
      "lift_dump",
      [](const Path& image, const Path& dir, std::optional<int> partition, Timeout timeout) {
        return blocking([&] { return lift_dump(image, dir, partition, deadline(timeout)); });
      },
      py::arg("image"), py::arg("dir"), py::kw_only(), py::arg("partition") = py::none(),
      py::arg("timeout") = py::none(), "The image's dump as files in `dir`, as savecore(8) makes them.");
  m.def(
      "read_text_dump", [](const Path& tar) { return blocking([&] { return read_text_dump(tar); }); },
      py::arg("tar"));

  using Self = const Core&;
  py::class_<Core>(m, "Core", "A memory dump of a kernel, read in place. Thread-safe.")
      .def(py::init([](const Path& file, const std::optional<KernelArtifact>& kernel,
                       const std::optional<Path>& vmlinux, const std::vector<Path>& modules,
                       const std::optional<Path>& source, Timeout timeout) {
             SymbolSources sources{kernel, vmlinux.value_or(Path()), modules, source.value_or(Path()), {}};
             return blocking(
                 [&] { return std::make_unique<Core>(file, std::move(sources), deadline(timeout)); });
           }),
           py::arg("file"), py::arg("kernel") = py::none(), py::kw_only(), py::arg("vmlinux") = py::none(),
           py::arg("modules") = std::vector<Path>(), py::arg("source") = py::none(),
           py::arg("timeout") = py::none(),
           "`kernel`, or `vmlinux`: of the kernel that crashed; without it only memory and messages can be "
           "read.")
      .def_property_readonly("format", &Core::format, "'minidump 3', 'elf'.")
      .def_property_readonly("os", &Core::os)
      .def_property_readonly("arch", &Core::arch)
      .def_property_readonly("complete", &Core::complete, "All of what the format promises is there.")
      .def_property_readonly("notes", [](Self c) { return blocking([&] { return c.notes(); }); })
      .def(
          "read",
          [](Self c, std::uint64_t address, std::size_t size) {
            return py::bytes(blocking([&] { return c.read(address, size); }));
          },
          py::arg("address"), py::arg("size"))
      .def(
          "read_physical",
          [](Self c, std::uint64_t address, std::size_t size) {
            return py::bytes(blocking([&] { return c.read_physical(address, size); }));
          },
          py::arg("address"), py::arg("size"))
      .def_property_readonly(
          "panic", [](Self c) { return blocking([&] { return c.panic(); }); },
          "The panic's message; empty: none.")
      .def_property_readonly("version", [](Self c) { return blocking([&] { return c.version(); }); })
      .def_property_readonly(
          "uptime", [](Self c) { return blocking([&] { return c.uptime(); }); }, "Seconds; None: unknown.")
      .def(
          "dmesg",
          [](Self c) {
            const auto both = blocking([&] { return std::pair(c.dmesg(), c.messages()); });
            return KernelLog(both.first, both.second);
          },
          "The kernel's message buffer, oldest first: a str, of which .messages are the parts.")
      .def(
          "elf_notes", [](Self c) { return blocking([&] { return c.elf_notes(); }); },
          "What the dump's maker wrote beside memory: registers of CPUs, VMCOREINFO, ...")
      .def(
          "vmcoreinfo", [](Self c) { return blocking([&] { return c.vmcoreinfo(); }); },
          "What a Linux kernel tells dump tools of itself: lines 'KEY=VALUE'. Of the dump's note, else of "
          "memory; "
          "empty: neither.")
      .def_property_readonly("physical_end", &Core::physical_end, "End of the physical memory; 0: not known.")
      .def_property_readonly(
          "kernel_file",
          [](Self c) -> std::optional<Path> {
            const Path file = c.kernel_file();
            if (file.empty()) return std::nullopt;
            return file;
          },
          "The file with the kernel's symbols; None: none was given.")
      .def(
          "lookup", [](Self c, std::uint64_t address) { return blocking([&] { return c.lookup(address); }); },
          py::arg("address"), "The symbol at an address, of code or data; None: there is none.")
      .def(
          "memory",
          [](const py::object& self, std::uint64_t address, std::size_t size, bool physical) {
            return ShownMemory(package("kdev.memory", "read")(self, address, size, physical));
          },
          py::arg("address"), py::arg("size") = 256, py::kw_only(), py::arg("physical") = false,
          "Memory with what it points to, for people. FormatError as of read().")
      .def(
          "drgn", [](const py::object& self) { return package("kdev.drgn_program", "program")(self); },
          "A drgn.Program on this dump, of Linux. ConfigError where drgn is not installed.")
      .def("_repr_html_",
           [](const py::object& self) { return py::str(package("kdev.core_view", "core_html")(self)); })
      .def("__rich__", [](const py::object& self) { return package("kdev.core_view", "core_table")(self); })
      .def("__repr__",
           [](Self c) {
             return "Core(format='" + c.format() + "', os=" + py::repr(py::cast(c.os())).cast<std::string>() +
                    ", arch='" + c.arch() + "')";
           })
      .def("messages", [](Self c) { return TableOf(blocking([&] { return c.messages(); })); })
      .def("modules", [](Self c) { return TableOf(blocking([&] { return c.modules(); })); })
      .def("threads", [](Self c) { return TableOf(blocking([&] { return c.threads(); })); })
      .def("cpus", [](Self c) { return TableOf(blocking([&] { return c.cpus(); })); })
      .def(
          "locks", [](Self c) { return TableOf(blocking([&] { return c.locks(); })); },
          "The locks that threads waited for, by address: who holds each, who waits.")
      .def(
          "registers", [](Self c, int tid) { return blocking([&] { return c.registers(tid); }); },
          py::arg("tid"), "Where a thread's stack was left, in hex.")
      .def(
          "stack",
          [](Self c, int tid, bool variables) { return blocking([&] { return c.stack(tid, variables); }); },
          py::arg("tid"), py::kw_only(), py::arg("variables") = false,
          "A thread's stack, through traps, with inline functions, file and line; `variables`: with "
          "arguments and "
          "local variables.")
      .def(
          "report", [](Self c) { return blocking([&] { return c.report(); }); },
          "The crash as scan_console() reports it, its frames from the dump's stack, with their variables.")
      .def(
          "write_elf",
          [](Self c, const Path& file, const std::vector<PageKind>& leave_out, Timeout timeout) {
            return blocking([&] { return c.write_elf(file, leave_out, deadline(timeout)); });
          },
          py::arg("file"), py::kw_only(), py::arg("leave_out") = std::vector<PageKind>(),
          py::arg("timeout") = py::none(),
          "Writes an ELF core file for debuggers: the kernel's virtual addresses, one NT_PRSTATUS per "
          "thread.")
      .def(
          "write_kdump",
          [](Self c, const Path& file, KdumpCompression compression, const std::vector<PageKind>& leave_out,
             Timeout timeout) {
            return blocking([&] { return c.write_kdump(file, compression, leave_out, deadline(timeout)); });
          },
          py::arg("file"), py::kw_only(), py::arg("compression") = KdumpCompression::zlib,
          py::arg("leave_out") = std::vector<PageKind>(), py::arg("timeout") = py::none(),
          "Writes a kdump-compressed file, as makedumpfile does.");
}

}  // namespace kdev::python
