#include "guest/format_table.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <iterator>

namespace kdev::guest {

struct FormatTable::Starts {
  RE2::Set set{RE2::DefaultOptions, RE2::ANCHOR_START};
};

FormatTable::FormatTable(std::vector<std::vector<CrashFormat>> families)
    : starts_(std::make_unique<Starts>()) {
  for (std::vector<CrashFormat>& family : families)
    formats_.insert(formats_.end(), std::make_move_iterator(family.begin()),
                    std::make_move_iterator(family.end()));
  for (const CrashFormat& format : formats_)
    starts_->set.Add(re2::StringPiece(format.start.data(), format.start.size()), nullptr);
  starts_->set.Compile();
}

FormatTable::~FormatTable() = default;

int FormatTable::first(std::string_view text) const {
  if (text.size() < 4) return -1;
  text = text.substr(0, 4096);  // a line longer than that says nothing more
  thread_local std::vector<int> hits;
  if (!starts_->set.Match(re2::StringPiece(text.data(), text.size()), &hits) || hits.empty()) return -1;
  return *std::min_element(hits.begin(), hits.end());
}

}  // namespace kdev::guest
