// How guests dump.
#include <kdev/dump_settings.hpp>

#include "bind.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_dump_settings(py::module_& m) {
  Value<DumpSettings> settings(
      m, "DumpSettings",
      "How a guest's kernel is to dump when it crashes, and how much a crash may lose. What is "
      "not set stays as the guest has it.");
  settings.py().def(py::init([](const std::string& device, const std::string& directory,
                                const std::string& memory, std::optional<bool> enter_debugger,
                                std::optional<bool> full, std::optional<bool> background_fsck,
                                std::optional<int> file_delay, std::optional<int> directory_delay,
                                std::optional<int> metadata_delay, Compression compression) {
                      return DumpSettings{device,         directory,       memory,     enter_debugger,
                                          full,           background_fsck, file_delay, directory_delay,
                                          metadata_delay, compression};
                    }),
                    py::kw_only(), py::arg("device") = "", py::arg("directory") = "", py::arg("memory") = "",
                    py::arg("enter_debugger") = py::none(), py::arg("full") = py::none(),
                    py::arg("background_fsck") = py::none(), py::arg("file_delay") = py::none(),
                    py::arg("directory_delay") = py::none(), py::arg("metadata_delay") = py::none(),
                    py::arg("compression") = "none");
  settings.field("device", &DumpSettings::device, "Where the dump goes; \"AUTO\": the swap of fstab.")
      .field("directory", &DumpSettings::directory, "Where savecore puts it at the next boot.")
      .field("memory", &DumpSettings::memory, "Like \"256M\": what the kernel uses of the machine's memory.")
      .field("enter_debugger", &DumpSettings::enter_debugger,
             "At a panic; False: it dumps and reboots unattended.")
      .field("full", &DumpSettings::full, "All memory, not only the pages that the kernel uses.")
      .field("background_fsck", &DumpSettings::background_fsck)
      .field("file_delay", &DumpSettings::file_delay, "Seconds until the syncer writes what was changed.")
      .field("directory_delay", &DumpSettings::directory_delay)
      .field("metadata_delay", &DumpSettings::metadata_delay)
      .field("compression", &DumpSettings::compression,
             "Of the dump on `device`; the kernel needs `options GZIO` or `ZSTDIO`.")
      .finish();
}

}  // namespace kdev::python
