#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// Those of `known` that may have been meant by `name`, the likeliest first: few letters apart (Levenshtein),
/// or one contains the other. Upper and lower case count as the same.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& known,
                                       std::size_t most = 5);

}  // namespace kdev::guest
