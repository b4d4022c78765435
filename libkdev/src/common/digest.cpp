#include "common/digest.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <openssl/evp.h>

#include <kdev/error.hpp>

namespace kdev {

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest() : state_(std::make_unique<State>()) { EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr); }
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

Digest& Digest::add_file(const Path& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw HostError({.attempted = "read " + path.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
  std::array<char, 1 << 16> buffer;
  while (std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) raw({buffer.data(), n});
  if (std::ferror(file.get()))
    throw HostError({.attempted = "read " + path.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
  return *this;
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, bytes.data(), &length);
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

std::string sha256(std::string_view bytes) { return Digest().raw(bytes).hex(); }

}  // namespace kdev
