#pragma once
// Out-of-tree modules by bsd.kmod.mk. See the functions of BuildRules with these names.
#include <kdev/host.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev::guest {

std::optional<Refusal> freebsd_no_module_in(Host& host, const Path& dir);
bool freebsd_module_product(std::string_view path);
Command freebsd_make_module(Host& host, const MakeRequest& request, const Path& dir, const Path& original);
std::vector<Path> freebsd_made_modules(Host& host, const Path& dir);

}  // namespace kdev::guest
