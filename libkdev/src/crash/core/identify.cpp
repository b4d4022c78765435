#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <kdev/crash.hpp>
#include <kdev/error.hpp>
#include <kdev/identify.hpp>

#include "common/json.hpp"
#include "crash/core/core_file.hpp"
#include "crash/core/find_dumps.hpp"
#include "crash/core/flattened.hpp"
#include "crash/core/kdump_core.hpp"
#include "crash/core/text_dump.hpp"
#include "guest/guest.hpp"
#include "hypervisor/hypervisor.hpp"

namespace kdev {
namespace {

/// Enough to tell a text from other data.
constexpr std::size_t head_size = 256 << 10;
/// A report with all of a console before it.
constexpr std::uint64_t max_report = 256u << 20;

/// The beginning of a compressed file.
class Head final : public guest::CoreBytes {
 public:
  explicit Head(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  bool read(std::uint64_t offset, void* to, std::size_t size) const override {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return false;
    std::memcpy(to, bytes_.data() + offset, size);
    return true;
  }

 private:
  std::string bytes_;
};

bool is_core(const guest::CoreBytes& bytes, std::string_view head) {
  if (head.starts_with(ELFMAG) && head.size() > EI_NIDENT + 1) {
    Elf64_Half type = 0;
    std::memcpy(&type, head.data() + EI_NIDENT, sizeof(type));
    return type == ET_CORE;
  }
  if (crash::is_kdump(head) || crash::is_flattened(head)) return true;
  for (const guest::Guest* g : guest::all_guests()) {
    try {
      if (g->core() && g->core()->open(bytes)) return true;
    } catch (const FormatError&) {
      return true;  // one, but beyond use
    }
  }
  return false;
}

/// What a console prints, with its colours, and now and then a byte that a serial line lost.
bool is_text(std::string_view head) {
  constexpr std::string_view replaced = "\xef\xbf\xbd";
  std::size_t foreign = 0;
  for (const char c : head)
    if (static_cast<unsigned char>(c) < 0x20 &&
        std::string_view("\t\n\v\f\r\b\a\x1b").find(c) == std::string_view::npos)
      ++foreign;
  const auto text = json::utf8(head);
  for (auto at = text.find(replaced); at != std::string::npos; at = text.find(replaced, at + 1)) ++foreign;
  return foreign * 20 <= head.size();
}

/// Null: it is no JSON object.
std::optional<json::object> object_in(const crash::FileBytes& file, std::string_view head) {
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || head[first] != '{' || file.size() > max_report) return std::nullopt;
  std::string text(file.size(), '\0');
  if (!file.read(0, text.data(), text.size())) return std::nullopt;
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return value.get_object();
}

}  // namespace

CrashFile identify(const Path& path) {
  const std::string attempted = "tell what " + path.string() + " is";
  const auto refuse = [&](std::string what, std::string hint = {}) {
    throw FormatError(
        {.attempted = attempted, .reason = "it is " + what, .hint = std::move(hint), .log = {}});
  };
  const crash::FileBytes file(path, attempted);
  std::string head = crash::first_bytes(file, head_size);
  const auto compression = crash::compression_of(file);
  if (!compression.empty()) head = crash::unpacked_head(file, head_size);
  if (head.empty()) refuse(compression.empty() ? "empty" : "damaged " + compression + " data");

  if (crash::begins_text_dump(head)) return CrashFile::text_dump;
  if (!compression.empty()) {
    const Head inner(head);
    if (is_core(inner, head)) return CrashFile::core;
    refuse(fmt::format("{} data of {}", compression, is_text(head) ? "a text" : crash::kind_of_file(inner)),
           "unpack it first");
  }
  if (head.starts_with("PK\x03\x04")) return CrashFile::bundle;
  if (is_core(file, head)) return CrashFile::core;
  if (hypervisor::disk_at(path).format != hypervisor::MachineDisk::Format::raw) return CrashFile::disk;
  if (!crash::dumps_on(file).empty()) return CrashFile::disk;
  if (const auto object = object_in(file, head)) {
    if (object->contains("title") && object->contains("traces")) return CrashFile::report;
    if (object->contains("vmlinux")) refuse("a kernel's JSON file", "it is what kernel= takes");
    refuse("a JSON object that is no crash report");
  }
  if (is_text(head)) return CrashFile::console_log;
  const bool elf = head.starts_with(ELFMAG);
  refuse(crash::kind_of_file(file), elf ? "of a dump's kernel, it is what kernel= takes" : "");
  return CrashFile::core;  // not reached
}

}  // namespace kdev
