#pragma once
// A kernel's memory of words that often are what memory has: pointers into it, small numbers, text. Three
// bytes of a fuzzer's input make one.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/core_rules.hpp"

namespace kdev::fuzz {

class WordMemory : public guest::KernelView, public guest::CoreMemory {
 public:
  static constexpr std::uint64_t base = 0xffffffff81000000;
  static constexpr std::size_t record = 3, most_words = 4096;

  WordMemory(const std::uint8_t* data, std::size_t size, std::string arch = "x86_64")
      : arch_(std::move(arch)), count_(std::min(size / record, most_words)) {
    if (size >= sizeof(seed_)) std::memcpy(&seed_, data, sizeof(seed_));
    for (std::size_t i = 0; i < count_; ++i) words_.push_back(word(data + i * record));
  }
  /// Of three bytes.
  std::uint64_t word(const std::uint8_t* from) const {
    const std::uint64_t value = from[1] | from[2] << 8;
    switch (from[0] % 6) {
      case 0:
      case 1:
        return base + value % (count_ + 1) * 8;
      case 2:
        return value;
      case 3:
        return ~value;
      case 4:
        return value << (from[0] % 49);
      default:
        return 0x6968736b00000000 | value << 16 | from[0];  // some text
    }
  }

  bool read(std::uint64_t address, void* to, std::size_t size) const override {
    return read_physical(address - base, to, size);
  }
  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    const std::uint64_t there = words_.size() * 8;
    if (address > there || size > there - address) return false;
    if (size) std::memcpy(to, reinterpret_cast<const char*>(words_.data()) + address, size);
    return true;
  }
  bool read_virtual(std::uint64_t address, void* to, std::size_t size) const override {
    return read(address, to, size);
  }
  std::vector<guest::MemoryRange> physical_ranges() const override { return {{0, words_.size() * 8}}; }
  std::string format() const override { return "fuzz"; }
  std::string arch() const override { return arch_; }
  std::string raw_messages() const override {
    return {reinterpret_cast<const char*>(words_.data()), words_.size() * 8};
  }
  /// Registers of three CPUs, from anywhere.
  std::vector<guest::CoreNote> notes() const override {
    std::vector<guest::CoreNote> all;
    for (const std::uint64_t at : {seed_ & 0xff, seed_ >> 8 & 0xff, seed_ >> 16 & 0xff}) {
      std::string data(336, '\0');
      read_physical(at * 8, data.data(), data.size());
      all.push_back({.name = "CORE", .type = 1, .data = std::move(data)});
    }
    return all;
  }
  const guest::CoreMemory& memory() const override { return *this; }

  // Names are anywhere, but for some that there are not.
  std::optional<guest::KernelSymbol> symbol(std::string_view name) const override {
    const auto n = number_of(name);
    if (n % 8 == 0 || words_.empty()) return std::nullopt;
    return guest::KernelSymbol{base + n / 8 % words_.size() * 8, n >> 40 & 0xff};
  }
  std::optional<guest::KernelSymbol> static_variable(std::string_view function,
                                                     std::string_view name) const override {
    return symbol(std::string(function) + "." + std::string(name));
  }
  std::optional<guest::Member> member(std::string_view type, std::string_view path,
                                      std::string_view) const override {
    const auto n = number_of(std::string(type) + "." + std::string(path));
    if (n % 16 == 0) return std::nullopt;
    return guest::Member{n / 16 % 12 * 8, n % 3 ? 8u : n % 5 ? 4u : n >> 50};
  }
  std::optional<std::uint64_t> size_of(std::string_view type, std::string_view) const override {
    const auto n = number_of(type);
    return n % 16 == 0 ? std::nullopt : std::optional(n / 16 % 20 * 8);
  }
  std::optional<std::int64_t> enumerator(std::string_view name, std::string_view) const override {
    const auto n = number_of(name);
    return n % 16 == 0 ? std::nullopt : std::optional(static_cast<std::int64_t>(n / 16 % 4));
  }
  std::string linked_bytes(std::uint64_t, std::size_t) const override { return {}; }

 private:
  std::uint64_t number_of(std::string_view name) const {
    std::uint64_t n = 0xcbf29ce484222325 ^ seed_;
    for (const char c : name) n = (n ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return n ^ n >> 32;
  }

  std::string arch_;
  std::size_t count_;
  std::uint32_t seed_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace kdev::fuzz
