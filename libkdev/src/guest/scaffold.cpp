#include "guest/scaffold.hpp"

namespace kdev::guest {

std::string filled_in(std::string text, std::string_view mark, std::string_view value) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += value.size())
    text.replace(at, mark.size(), value);
  return text;
}

}  // namespace kdev::guest
