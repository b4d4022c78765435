// A program outside the project: it sees only what is installed. Catches across the library's border on purpose.
#include <kdev/kdev.hpp>

#include <iostream>

int main() {
  const kdev::KernConf conf = kdev::KernConf::tiny().preset("debug").enable("LKDTM");
  if (conf.settings().empty() || kdev::KernConf::from_json(conf.to_json()) != conf) {
    std::cerr << "a KernConf does not survive JSON\n";
    return 1;
  }
  const auto reports = kdev::scan_console("[    1.000000] Kernel panic - not syncing: sysrq triggered crash\n");
  if (reports.size() != 1) {
    std::cerr << "found " << reports.size() << " reports where there is one\n";
    return 1;
  }
  try {
    kdev::detect_source("/nonexistent/tree");
    std::cerr << "a missing tree was taken for one\n";
    return 1;
  } catch (const kdev::ConfigError& error) {
    std::cout << reports.front().title << "; and, as it should: " << error.what() << "\n";
  }
}
