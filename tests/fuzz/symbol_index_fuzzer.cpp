// Any bytes are an index's body under a header that fits, as whoever can write the cache could make it: the
// sums are right, all else may be wrong.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "crash/symbol_index.hpp"

using namespace kdev::crash;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string described(64, 'd');
  SymbolIndex::of_bytes(input, described);  // and as they are

  if (size < index_parts) return 0;
  IndexHeader header;
  header.magic = index_magic;
  header.version = index_version;
  std::memcpy(header.described.data(), described.data(), described.size());
  const std::string_view body = input.substr(index_parts);
  std::uint64_t left = body.size();
  for (std::size_t i = 0; i < index_parts; ++i) {
    header.counts[i] = std::min<std::uint64_t>(data[i], left / index_record_size[i]);
    if (i + 1 == index_parts) header.counts[i] = left;  // the strings: the rest
    left -= header.counts[i] * index_record_size[i];
  }
  const std::string file = index_file(header, body);
  const auto index = SymbolIndex::of_bytes(file, described);
  if (!index || !index->whole()) std::abort();
  index->symbols();
  index->units();
  index->sections();
  for (const std::uint64_t address : {0ull, 1ull, 0xffull, 0xffffffff81000000ull, ~0ull})
    index->expand(address);
  std::uint64_t address = 0;
  for (std::size_t at = 0; at + sizeof(address) <= body.size() && at < 512; at += sizeof(address)) {
    std::memcpy(&address, body.data() + at, sizeof(address));
    index->expand(address);
  }
  return 0;
}
