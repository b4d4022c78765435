#include "vm/console_wire.hpp"

#include <agent/wire.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <charconv>
#include <optional>

namespace kdev::vm {
namespace {

constexpr std::size_t most_queued = 64u << 10;
constexpr std::chrono::milliseconds resend{WIRE_RESEND_MS}, repeat{WIRE_REPEAT_MS};

std::uint32_t check_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::string packet(char type, std::uint16_t number, std::string_view data) {
  std::array<unsigned char, WIRE_LINE> text;
  const int length = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(data.data()),
                                     static_cast<int>(data.size()));
  const std::string body = fmt::format(
      "{}{:04x}{}", type, number,
      std::string_view(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)));
  return fmt::format("{}K{}*{:08x}\n", static_cast<char>(WIRE_MARK), body, check_of(body));
}

template <class T>
std::optional<T> hexadecimal(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<std::string> decoded(std::string_view text) {
  if (text.size() % 4 || text.size() > WIRE_LINE) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return {};
  // It counts what fills the last group up.
  const std::size_t fill = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(n) - std::min(fill, static_cast<std::size_t>(n)));
  return bytes;
}

/// The part of a line that the check is of; nothing: it is no packet.
std::optional<std::string_view> body_of(std::string_view line) {
  if (line.size() < 15 || line[1] != 'K' || line[line.size() - 9] != '*') return {};
  const std::string_view body = line.substr(2, line.size() - 11);
  const auto check = hexadecimal<std::uint32_t>(line.substr(line.size() - 8));
  if (!check || *check != check_of(body) || !hexadecimal<std::uint16_t>(body.substr(1, 4))) return {};
  return body;
}

}  // namespace

std::string ConsoleWire::feed(std::string_view bytes, Clock::time_point now, std::string& payload) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    if (!in_line_) {
      const std::size_t mark = std::min(bytes.find(static_cast<char>(WIRE_MARK), at), bytes.size());
      text += bytes.substr(at, mark - at);
      at = mark;
      if (at == bytes.size()) break;
      in_line_ = true;
      line_ = static_cast<char>(WIRE_MARK);
      ++at;
      continue;
    }
    const char c = bytes[at];
    if (c == static_cast<char>(WIRE_MARK) || line_.size() >= WIRE_LINE) {
      text += rest();  // this byte is looked at again
      continue;
    }
    ++at;
    if (c != '\n') {
      line_ += c;
      continue;
    }
    const std::string line = rest();
    std::string_view packet = line;
    if (packet.ends_with('\r')) packet.remove_suffix(1);
    if (const auto body = body_of(packet))
      take(*body, now, payload);
    else
      text += line + "\n";
  }
  return text;
}

std::string ConsoleWire::rest() {
  in_line_ = false;
  return std::exchange(line_, {});
}

void ConsoleWire::take(std::string_view body, Clock::time_point now, std::string& payload) {
  const std::uint16_t number = *hexadecimal<std::uint16_t>(body.substr(1, 4));
  switch (body[0]) {
    case 'H':
      *this = ConsoleWire();
      connected_ = true;
      answers_ = packet('A', 0, {});
      break;
    case 'A': {
      const std::size_t taken = static_cast<std::uint16_t>(number - first_);
      if (taken == 0 && now - sent_at_ >= repeat && unsent_ < window_.size()) unsent_ = window_.size();
      if (taken == 0 || taken > window_.size() - unsent_) break;
      window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(taken));
      first_ = number;
      sent_at_ = now;
      break;
    }
    case 'D':
      if (!connected_) break;
      if (number == awaited_)
        if (const auto data = decoded(body.substr(5))) {
          payload += *data;
          ++awaited_;
        }
      answers_ = packet('A', awaited_, {});  // the last one says it all
      break;
    default:
      break;
  }
}

std::size_t ConsoleWire::send(std::string_view bytes) {
  const std::size_t n = std::min(bytes.size(), most_queued - std::min(most_queued, queue_.size()));
  queue_ += bytes.substr(0, n);
  return n;
}

std::string ConsoleWire::next(Clock::time_point now, bool silent) {
  if (!connected_) return {};
  if (silent) {
    sent_at_ = now;
    return {};
  }
  std::string out = std::exchange(answers_, {});
  while (window_.size() < WIRE_WINDOW && !queue_.empty()) {
    window_.push_back(
        packet('D', static_cast<std::uint16_t>(first_ + window_.size()), queue_.substr(0, WIRE_DATA)));
    queue_.erase(0, WIRE_DATA);
    ++unsent_;
  }
  const bool again = unsent_ < window_.size() && now - sent_at_ >= resend;
  if (again) unsent_ = window_.size();
  if (unsent_) {
    for (std::size_t i = window_.size() - unsent_; i < window_.size(); ++i) out += window_[i];
    if (again || unsent_ == window_.size()) sent_at_ = now;
    unsent_ = 0;
  }
  return out;
}

}  // namespace kdev::vm
