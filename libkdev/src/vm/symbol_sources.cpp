#include "vm/symbol_sources.hpp"

#include <boost/filesystem/operations.hpp>

namespace kdev::vm {

std::vector<Path> module_files(const KernelArtifact& kernel, const guest::SymbolRules& rules) {
  namespace fs = boost::filesystem;
  std::vector<Path> files;
  if (kernel.modules.empty()) return files;
  boost::system::error_code ec;
  for (fs::recursive_directory_iterator it(kernel.modules, ec), end; it != end; it.increment(ec))
    if (rules.is_module(it->path())) files.push_back(it->path());
  return files;
}

}  // namespace kdev::vm
