// Any bytes are a bundle or not: nothing is written outside of its folder, and what is refused is refused as such.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = ::memfd_create("bundle", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  try {
    const kdev::Bundle bundle("/proc/self/fd/" + std::to_string(fd));
    bundle.record().report.to_html();
    if (bundle.has_symbols()) bundle.symbols();
    if (bundle.has_memory()) bundle.core().report();
  } catch (const kdev::FormatError&) {
  } catch (const kdev::ConfigError&) {
  }
  return 0;
}
