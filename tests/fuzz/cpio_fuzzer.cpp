// Any bytes are an archive or a FormatError.
#include <cstdint>
#include <kdev/error.hpp>

#include "image/archive_reader.hpp"

namespace {

struct Memory final : kdev::ByteSource {
  std::string_view bytes;
  std::size_t read_at(std::uint64_t position, char* to, std::size_t size) override {
    return position < bytes.size() ? bytes.copy(to, size, position) : 0;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Memory memory;
  memory.bytes = {reinterpret_cast<const char*>(data), size};
  try {
    kdev::ArchiveReader reader(memory, "input");
    // A small input may decompress to very much.
    for (int entries = 0; entries < 1000 && reader.next(); ++entries) {
      reader.read_all(1 << 16);
      if (reader.entry().path.empty() || reader.entry().path[0] != '/') __builtin_trap();
    }
  } catch (const kdev::FormatError&) {
  }
  return 0;
}
