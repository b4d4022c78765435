#pragma once
#include <kdev/conf_edit.hpp>
#include <kdev/seed_image.hpp>
#include <string>
#include <vector>

namespace kdev {

/// Composed entries with configuration files changed, links to them followed; a file that is not there is made.
/// ConfigError for a path that is no file, HostError when its source cannot be read.
std::vector<ImageEntry> edited(std::vector<ImageEntry> entries, const std::vector<ConfEdit>& edits);

/// A file's text, links followed; empty when there is none.
std::string text_in(const std::vector<ImageEntry>& entries, const std::string& path);

}  // namespace kdev
