#include "debug/target.hpp"

#include <boost/filesystem/operations.hpp>

#include "guest/guest.hpp"
#include "host/hostfs.hpp"
#include "host/temporary_folder.hpp"

namespace kdev::debug {

std::unique_ptr<Target> make_target(Os os) {
  const guest::Guest& guest = guest::guest_for(os);
  auto folder = std::make_shared<TemporaryFolder>(hostfs::temporary() / "kdev-debug");
  auto target = std::make_unique<Target>();
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->options = {.cwd = folder->path, .log = folder->path / "gdb.log", .lease = "", .on_start = {}};
  target->keep = std::move(folder);
  return target;
}

std::vector<Path> module_files(const KernelArtifact& kernel, const std::vector<Path>& given) {
  namespace fs = boost::filesystem;
  const guest::SymbolRules& rules = guest::guest_for(kernel.os).symbols();
  std::vector<Path> files;
  boost::system::error_code ec;
  if (!kernel.modules.empty())
    for (fs::recursive_directory_iterator it(kernel.modules, ec), end; it != end; it.increment(ec))
      if (rules.is_module(it->path())) files.push_back(it->path());
  files.insert(files.end(), given.begin(), given.end());
  return files;
}

}  // namespace kdev::debug
