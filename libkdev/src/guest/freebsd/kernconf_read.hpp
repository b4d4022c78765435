#pragma once
// KERNCONF files of a host: what KernconfFile's public calls do with this machine's.
#include <kdev/host.hpp>
#include <kdev/kernconf_file.hpp>
#include <vector>

namespace kdev::guest {

KernconfFile load_kernconf(Host& host, const Path& file);
KernconfSummary summarize_kernconf(Host& host, const KernconfFile& conf, const Path& tree,
                                   const std::vector<Path>& include_dirs = {});
KernconfFile flatten_kernconf(Host& host, const KernconfFile& conf, const Path& tree,
                              const std::vector<Path>& include_dirs = {});
std::vector<KernconfProblem> check_kernconf(Host& host, const KernconfSummary& summary, const Path& tree);

}  // namespace kdev::guest
