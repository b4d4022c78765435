#pragma once
// Where a kernel runs, told by its build id: it lies in its memory as it lies in its file.
#include <cstdint>
#include <functional>
#include <kdev/path.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdev::debug {

struct BuildIdPlace {
  std::uint64_t address = 0;  ///< of the note as it was linked
  std::string note;           ///< all of it: header, owner's name, id
  std::string id;             ///< hex
  std::uint64_t first = 0;    ///< lowest address of the kernel's code as it was linked
};

/// Nothing: the file has none that is loaded with it. FormatError, HostError.
std::optional<BuildIdPlace> find_build_id(const Path& kernel);

/// `size` bytes at an address of the kernel's; fewer or none: they cannot be read.
using ReadMemory = std::function<std::string(std::uint64_t address, std::size_t size)>;

/// The first of `slides` at which the note is there.
std::optional<std::uint64_t> find_slide(const BuildIdPlace& place, const std::vector<std::uint64_t>& slides,
                                        const ReadMemory& read);

/// The build id (hex) of whatever kernel is there: the first such note behind an address at one of the
/// slides, as far as `limit` bytes. Empty: none was found.
std::string other_build_id(const BuildIdPlace& place, const std::vector<std::uint64_t>& slides,
                           const ReadMemory& read, std::size_t limit);

}  // namespace kdev::debug
