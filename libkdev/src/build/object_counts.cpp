#include "build/object_counts.hpp"

#include <cmath>
#include <kdev/error.hpp>

#include "common/json.hpp"

namespace kdev {

ObjectCounts::ObjectCounts(Host& host, Path file) : host_(host), file_(std::move(file)) {
  if (!host_.exists(file_)) return;
  try {
    const json::object o = json::parse_object(host_.read_file(file_), "object counts");
    scale_ = json::get_double(o, "scale", 1);
    for (const auto& [id, count] : o.at("counts").as_object())
      counts_[std::string(id)] = count.to_number<long>();
  } catch (const std::exception&) {
    counts_.clear();
    scale_ = 1;
  }
}

long ObjectCounts::expected(const std::string& obj_id, long estimate) const {
  const auto known = counts_.find(obj_id);
  return known != counts_.end() ? known->second : std::lround(static_cast<double>(estimate) * scale_);
}

void ObjectCounts::learn(const std::string& obj_id, long made, long estimate) noexcept {
  if (made <= 0) return;
  try {
    counts_[obj_id] = made;
    if (estimate > 0) scale_ = static_cast<double>(made) / static_cast<double>(estimate);
    json::object counts;
    for (const auto& [id, count] : counts_) counts[id] = count;
    host_.write_file(file_, json::dump(json::object{{"scale", scale_}, {"counts", std::move(counts)}}));
  } catch (const std::exception&) {
  }
}

}  // namespace kdev
