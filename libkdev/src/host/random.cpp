#include "host/random.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

namespace kdev {

std::string random_token() {
  // libstdc++'s default is the processor's generator, or getentropy(2): both are the kernel's or better.
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", static_cast<unsigned>(device()));
  return token;
}

}  // namespace kdev
