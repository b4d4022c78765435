#pragma once
#include <string_view>

namespace kdev::crash {

/// The beginning of a tar whose first member is one of a text dump's.
bool begins_text_dump(std::string_view head);

}  // namespace kdev::crash
