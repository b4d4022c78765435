#pragma once
// Examples to start from, as a guest offers them. Its texts are in guest/NAME/scaffold.cpp.
#include <kdev/path.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

struct ScaffoldFile {
  Path path;  ///< relative to the scaffold's folder
  std::string content;
  bool operator==(const ScaffoldFile&) const = default;
};

struct Scaffold {
  std::string name;
  std::string summary;  ///< one line for people
  /// Its files for a module of that name, which is a C identifier.
  std::vector<ScaffoldFile> (*files)(const std::string& module);
};

/// `text` with `value` for every `mark` ("@NAME@").
std::string filled_in(std::string text, std::string_view mark, std::string_view value);

}  // namespace kdev::guest
