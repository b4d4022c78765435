// Console text in: no crash, reports within the text, JSON there and back, every form printable.
#include <cstdint>
#include <cstdlib>
#include <kdev/crash.hpp>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  for (const kdev::Os os : {kdev::Os::linux, kdev::Os::freebsd})
    for (const auto& report : kdev::scan_console(log, os)) {
      if (report.begin > report.end || report.end > size || report.title.empty()) std::abort();
      if (!(kdev::CrashReport::from_json(report.to_json()) == report)) std::abort();
      if (report.to_text().empty() || report.to_html().empty()) std::abort();
    }
  return 0;
}
