#include "crash/symbol_index.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kdev::crash {
namespace {

constexpr std::size_t deepest = 256;  // of functions inlined in one another

std::size_t number(IndexPart part) {
  return static_cast<std::size_t>(part);
}

std::string_view raw(const IndexHeader& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

}  // namespace

std::string index_file(IndexHeader header, std::string_view body) {
  std::string sums;
  for (std::size_t at = 0; at < body.size(); at += index_block) {
    const std::uint64_t sum = index_sum(body.substr(at, index_block));
    sums.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  }
  header.blocks = static_cast<std::uint32_t>(sums.size() / sizeof(std::uint64_t));
  header.file_size = sizeof(header) + sums.size() + body.size();
  header.sum = 0;
  header.sum = index_sum(sums, index_sum(raw(header)));
  std::string file(raw(header));
  file += sums;
  file += body;
  return file;
}

std::unique_ptr<SymbolIndex> SymbolIndex::open(const Path& file, std::string_view described) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat st {};
  void* at = MAP_FAILED;
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
    at = ::mmap(nullptr, static_cast<std::size_t>(st.st_size), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) return nullptr;
  std::unique_ptr<SymbolIndex> index(new SymbolIndex);
  index->bytes_ = {static_cast<const char*>(at), static_cast<std::size_t>(st.st_size)};
  index->mapped_ = true;
  if (!index->begin(described)) return nullptr;
  return index;
}

std::unique_ptr<SymbolIndex> SymbolIndex::of_bytes(std::string_view bytes, std::string_view described) {
  std::unique_ptr<SymbolIndex> index(new SymbolIndex);
  index->bytes_ = bytes;
  if (!index->begin(described)) return nullptr;
  return index;
}

SymbolIndex::~SymbolIndex() {
  if (mapped_) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

bool SymbolIndex::begin(std::string_view described) {
  if (bytes_.size() < sizeof(header_)) return false;
  std::memcpy(&header_, bytes_.data(), sizeof(header_));
  if (header_.magic != index_magic || header_.version != index_version ||
      header_.file_size != bytes_.size() ||
      std::string_view(header_.described.data(), header_.described.size()) != described)
    return false;
  std::uint64_t body = 0;
  for (std::size_t i = 0; i < index_parts; ++i) {
    if (header_.counts[i] > bytes_.size()) return false;  // the products fit then
    parts_[i] = body;
    body += header_.counts[i] * index_record_size[i];
  }
  const std::uint64_t sums = (body + index_block - 1) / index_block;
  body_ = sizeof(header_) + sums * sizeof(std::uint64_t);
  if (header_.blocks != sums || body_ + body != bytes_.size()) return false;
  IndexHeader plain = header_;
  plain.sum = 0;
  if (header_.sum !=
      index_sum(bytes_.substr(sizeof(header_), body_ - sizeof(header_)), index_sum(raw(plain))))
    return false;
  checked_.resize(sums);
  return true;
}

/// The bytes are those that were written. `at` counts from the body's beginning.
bool SymbolIndex::good(std::uint64_t at, std::uint64_t size) const {
  const std::uint64_t length = bytes_.size() - body_;
  if (at > length || size > length - at) return false;
  if (!size) return true;
  for (std::uint64_t block = at / index_block; block <= (at + size - 1) / index_block; ++block) {
    if (checked_[block]) continue;
    std::uint64_t sum = 0;
    std::memcpy(&sum, bytes_.data() + sizeof(header_) + block * sizeof(sum), sizeof(sum));
    if (sum != index_sum(bytes_.substr(body_ + block * index_block, index_block))) return false;
    checked_[block] = true;
  }
  return true;
}

template <class T>
bool SymbolIndex::read(IndexPart part, std::uint64_t i, T& value) const {
  if (i >= header_.counts[number(part)]) return false;
  const std::uint64_t at = parts_[number(part)] + i * sizeof(T);
  if (!good(at, sizeof(T))) return false;
  std::memcpy(&value, bytes_.data() + body_ + at, sizeof(T));
  return true;
}

bool SymbolIndex::text(std::uint32_t at, std::string_view& out) const {
  const std::uint64_t length = header_.counts[number(IndexPart::strings)];
  if (at >= length) return false;
  const std::uint64_t strings = bytes_.size() - body_ - length;  // the last part
  const char* begin = bytes_.data() + body_ + strings + at;
  const void* end = std::memchr(begin, 0, length - at);
  if (!end) return false;
  out = {begin, static_cast<std::size_t>(static_cast<const char*>(end) - begin)};
  return good(strings + at, out.size() + 1);
}

std::optional<std::vector<ElfSymbol>> SymbolIndex::symbols() const {
  std::vector<ElfSymbol> found;
  const std::uint64_t count = header_.counts[number(IndexPart::symbols)];
  found.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    IndexSymbol symbol;
    std::string_view name;
    if (!read(IndexPart::symbols, i, symbol) || !text(symbol.name, name)) return std::nullopt;
    found.push_back({.address = symbol.address,
                     .size = symbol.size,
                     .extent = symbol.extent,
                     .name = name,
                     .type = static_cast<char>(symbol.type),
                     .function = symbol.function != 0});
  }
  return found;
}

std::optional<std::vector<std::string>> SymbolIndex::units() const {
  std::vector<std::string> found;
  for (std::uint64_t i = 0; i < header_.counts[number(IndexPart::units)]; ++i) {
    std::uint32_t at = 0;
    std::string_view name;
    if (!read(IndexPart::units, i, at) || !text(at, name)) return std::nullopt;
    found.emplace_back(name);
  }
  return found;
}

std::optional<std::vector<SectionPlace>> SymbolIndex::sections() const {
  std::vector<SectionPlace> found;
  for (std::uint64_t i = 0; i < header_.counts[number(IndexPart::sections)]; ++i) {
    IndexSection section;
    std::string_view name;
    if (!read(IndexPart::sections, i, section) || !text(section.name, name)) return std::nullopt;
    found.push_back({std::string(name), section.address, section.size});
  }
  return found;
}

std::optional<std::vector<SourceStep>> SymbolIndex::expand(std::uint64_t address) const {
  // The last start that is not above the address.
  std::uint64_t low = 0, high = header_.counts[number(IndexPart::starts)];
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::uint64_t start = 0;
    if (!read(IndexPart::starts, middle, start)) return std::nullopt;
    if (start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<SourceStep> steps;
  if (low == 0) return steps;
  IndexRow row;
  if (!read(IndexPart::rows, low - 1, row)) return std::nullopt;
  std::uint32_t at = row.node, file = row.file, line = row.line;
  if (at == index_none && line > 0) {
    std::string_view path;
    if (!text(file, path)) return std::nullopt;
    steps.push_back(
        {.function = {}, .file = std::string(path), .line = static_cast<int>(line), .inlined = false});
  }
  while (at != index_none) {
    IndexNode node;
    std::string_view name, path;
    if (steps.size() >= deepest || !read(IndexPart::nodes, at, node) || !text(node.name, name) ||
        !text(file, path) || (node.parent != index_none && node.parent >= at))
      return std::nullopt;
    steps.push_back({.function = std::string(name),
                     .file = std::string(path),
                     .line = static_cast<int>(line),
                     .inlined = node.parent != index_none});
    at = node.parent;
    file = node.file;
    line = node.line;
  }
  return steps;
}

bool SymbolIndex::whole() const {
  return good(0, bytes_.size() - body_);
}

}  // namespace kdev::crash
