// Packets on a console that the guest wrote.
#include <cstdint>
#include <cstdlib>

#include "vm/console_wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kdev::vm::ConsoleWire wire;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string payload, text;
  auto now = kdev::Clock::time_point{};
  // In two pieces, at a place that the input chooses.
  const std::size_t cut = size ? data[0] % size : 0;
  text += wire.feed(bytes.substr(0, cut), now, payload);
  wire.send("to the guest");
  wire.next(now += std::chrono::seconds(1), false);
  text += wire.feed(bytes.substr(cut), now, payload);
  wire.next(now += std::chrono::seconds(1), false);
  text += wire.rest();
  if (text.size() + payload.size() > size) std::abort();
  return 0;
}
