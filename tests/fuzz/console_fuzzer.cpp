// Console text in: no crash, reports within the text, JSON there and back, every form printable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <kdev/crash.hpp>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  static const std::vector<std::string> systems = kdev::console_systems();
  for (const auto& system : systems)
    for (const auto& report : kdev::scan_console(log, system)) {
      if (report.begin > report.end || report.end > size || report.title.empty()) std::abort();
      if (!(kdev::CrashReport::from_json(report.to_json()) == report)) std::abort();
      if (report.to_text().empty() || report.to_html().empty()) std::abort();
    }
  // In pieces, whose sizes the text gives, it is the same.
  kdev::ConsoleScanner scanner;
  std::size_t count = 0;
  for (std::size_t at = 0; at < size;) {
    const std::size_t piece = std::min<std::size_t>(1 + data[at], size - at);
    count += scanner.feed(log.substr(at, piece)).size();
    at += piece;
  }
  if (count + scanner.finish().size() != kdev::scan_console(log).size()) std::abort();
  return 0;
}
