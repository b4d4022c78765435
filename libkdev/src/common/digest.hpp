#pragma once
#include <array>
#include <kdev/deadline.hpp>
#include <kdev/path.hpp>
#include <memory>
#include <string>
#include <string_view>

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
  Digest& add_file(const Path& path, const Deadline& deadline = {});
  /// The sum of all that was fed. Then it begins anew.
  std::array<unsigned char, 32> bytes();
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

/// Lower-case hexadecimal digits.
std::string hex_of(std::string_view bytes);
/// The reverse, of either case. FormatError, naming `what`.
std::string from_hex(std::string_view hex, std::string_view what);

}  // namespace kdev
