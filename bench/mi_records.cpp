// Parses a file of GDB/MI lines: prints how many there were, how many were MI, bytes, and seconds of CPU time.
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "debug/mi.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::size_t lines = 0, records = 0;
  const std::clock_t begin = std::clock();
  for (std::string_view rest = text; !rest.empty(); ++lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    records += kdev::debug::parse_mi(rest.substr(0, end)).has_value();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::cout << lines << ' ' << records << ' ' << text.size() << ' ' << seconds << '\n';
  return file.good() || file.eof() ? 0 : 1;
}
