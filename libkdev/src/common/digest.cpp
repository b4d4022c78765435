#include "common/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <boost/algorithm/hex.hpp>
#include <cerrno>
#include <cstdio>
#include <kdev/error.hpp>

#include "common/system_error.hpp"

namespace kdev {

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;

Digest& Digest::raw(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
  return *this;
}

Digest& Digest::add(std::string_view piece) {
  raw(std::to_string(piece.size()) + ":");
  return raw(piece);
}

Digest& Digest::add_file(const Path& path, const Deadline& deadline) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw host_error("read " + path.string(), errno);
  std::array<char, 1 << 16> buffer;
  while (std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    raw({buffer.data(), n});
    deadline.check("read " + path.string());
  }
  if (std::ferror(file.get())) throw host_error("read " + path.string(), errno);
  return *this;
}

std::array<unsigned char, 32> Digest::bytes() {
  std::array<unsigned char, 32> bytes;
  EVP_DigestFinal_ex(state_->context, bytes.data(), nullptr);
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
  return bytes;
}

std::string Digest::hex() {
  const std::array<unsigned char, 32> sum = bytes();
  return hex_of({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

std::string sha256(std::string_view bytes) {
  return Digest().raw(bytes).hex();
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  boost::algorithm::hex_lower(bytes, std::back_inserter(out));
  return out;
}

std::string from_hex(std::string_view hex, std::string_view what) {
  std::string out;
  try {
    boost::algorithm::unhex(hex, std::back_inserter(out));
  } catch (const boost::algorithm::hex_decode_error&) {
    throw FormatError({.attempted = "read " + std::string(what),
                       .reason = "bad hexadecimal digits",
                       .hint = "",
                       .log = {}});
  }
  return out;
}

}  // namespace kdev
