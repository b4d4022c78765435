#pragma once
// The words of a gen_init_cpio list (usr/gen_init_cpio.c in the Linux tree): what reading one for an image
// and finding the files that one names have in common.
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

/// The words of one line, the entry's type first; none for an empty line or a comment. Views into the line.
std::vector<std::string_view> cpio_list_words(std::string_view line);

/// A file's location with each ${VAR} replaced by the environment's. FormatError: a variable that is not set,
/// a missing brace.
std::string expand_cpio_location(std::string_view text);

}  // namespace kdev
