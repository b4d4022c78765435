#pragma once
// How many objects a configuration has, learnt from builds.
#include <kdev/host.hpp>
#include <map>
#include <string>

namespace kdev {

class ObjectCounts {
 public:
  ObjectCounts(Host& host, Path file);
  /// What the same output tree had; else `estimate`, scaled by how far off estimates were here before.
  long expected(const std::string& obj_id, long estimate) const;
  /// Saved at once; failing to is no error.
  void learn(const std::string& obj_id, long made, long estimate) noexcept;

 private:
  Host& host_;
  Path file_;
  std::map<std::string, long> counts_;
  double scale_ = 1;
};

}  // namespace kdev
