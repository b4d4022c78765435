#pragma once
#include <memory>
#include <string>
#include <string_view>

#include <kdev/path.hpp>

namespace kdev {

/// SHA-256 over what is fed, as lower-case hex. Each piece is preceded by its length, so that ("ab","c") and
/// ("a","bc") differ, except with raw().
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& add(std::string_view piece);
  Digest& raw(std::string_view bytes);
  /// The file's bytes. HostError when it cannot be read.
  Digest& add_file(const Path& path);
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

}  // namespace kdev
