#include "build/build_id.hpp"

#include "common/elf_file.hpp"

namespace kdev {

std::string build_id_of(Host& host, const Path& elf) {
  if (host.is_local()) return elf_build_id(elf);
  return elf_build_id_in(host.read_file(elf), elf.string());
}

}  // namespace kdev
