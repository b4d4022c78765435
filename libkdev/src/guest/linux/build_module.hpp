#pragma once
// Out-of-tree modules by Kbuild (Documentation/kbuild/modules.rst): see the functions of BuildRules with
// these names.
#include <kdev/host.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev::guest {

std::optional<Refusal> linux_no_module_in(Host& host, const Path& dir);
bool linux_module_product(std::string_view path);
Command linux_make_module(const MakeRequest& request, const Path& dir, const Path& original);
std::vector<Path> linux_made_modules(Host& host, const Path& dir);

}  // namespace kdev::guest
