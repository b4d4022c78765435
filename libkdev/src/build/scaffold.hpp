#pragma once
#include <kdev/host.hpp>
#include <string>
#include <vector>

#include "guest/scaffold.hpp"

namespace kdev {

/// Writes the scaffold `kind` of those for a module `name` to `dir`, which must be new or empty. ConfigError
/// when it is not, when there is no such scaffold, or when the name is no C identifier.
void write_scaffold(Host& host, const std::vector<guest::Scaffold>& known, const std::string& kind,
                    const std::string& name, const Path& dir);

}  // namespace kdev
