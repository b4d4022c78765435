// Any text is a gen_init_cpio list or a FormatError; a list that can be written comes back the same.
#include <cstdint>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<kdev::ImageEntry> entries;
  std::string text;
  try {
    entries = kdev::parse_list({reinterpret_cast<const char*>(data), size}, "/base");
    text = kdev::format_list(entries);
  } catch (const kdev::FormatError&) {
    return 0;
  }
  // Hard links are put onto their file's line, so only what has none keeps its order.
  for (const kdev::ImageEntry& e : entries)
    if (e.type == kdev::ImageEntry::Type::file && !e.target.empty()) return 0;
  if (kdev::parse_list(text, "/base") != entries) __builtin_trap();
  return 0;
}
