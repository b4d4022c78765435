#include "guest/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace kdev::guest {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = up;
    }
  }
  return row[b.size()];
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& known,
                                       std::size_t most) {
  const std::string wanted = upper_case(name);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const std::string& candidate : known) {
    const std::string other = upper_case(candidate);
    // A name that contains the other is near however long the rest of it is.
    const bool contains = wanted.size() >= 4 && other.size() >= 4 &&
                          (other.find(wanted) != other.npos || wanted.find(other) != wanted.npos);
    const std::size_t apart = std::max(other.size(), wanted.size()) - std::min(other.size(), wanted.size());
    if (!contains && apart > wanted.size() / 3 + 1) continue;
    const std::size_t score = contains ? 1 + apart / 4 : distance(other, wanted);
    if (score <= wanted.size() / 3 + 1) scored.emplace_back(score, candidate);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < scored.size() && i < most; ++i) names.push_back(std::move(scored[i].second));
  return names;
}

}  // namespace kdev::guest
