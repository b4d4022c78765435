#pragma once
// Files as whoever likes could have made them: cut off anywhere, and with every field of their headers at its
// limits.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <kdev/core.hpp>
#include <kdev/error.hpp>
#include <string>
#include <vector>

namespace kdev::test {

/// Of a header: where it is, by its structure.
struct HeaderField {
  std::string name;
  std::size_t at = 0, width = 0;  ///< bytes
};

/// Fields that follow each other from `at` on.
inline std::vector<HeaderField> fields_from(std::size_t at,
                                            const std::vector<std::pair<std::string, std::size_t>>& widths) {
  std::vector<HeaderField> fields;
  for (const auto& [name, width] : widths) {
    fields.push_back({name, at, width});
    at += width;
  }
  return fields;
}

/// What is put into a field: 0, 1, all ones, the sign bit, the same with each bit flipped; numbers of either
/// byte order. Of a long field, a text, the first and the last bytes.
inline std::vector<std::string> limits_of(const std::string& was) {
  const std::size_t width = was.size();
  std::vector<std::string> values{std::string(width, '\0'), std::string(width, '\xff')};
  for (const std::size_t at : {std::size_t{0}, width - 1}) {
    for (const char byte : {'\x01', '\x80', '\x7f'}) {
      values.emplace_back(width, byte == '\x7f' ? '\xff' : '\0');
      values.back()[at] = byte;
    }
  }
  for (std::size_t bit = 0; bit < width * 8; ++bit) {
    if (width > 8 && bit >= 16 && bit + 16 < width * 8) continue;
    values.push_back(was);
    values.back()[bit / 8] = static_cast<char>(values.back()[bit / 8] ^ 1 << bit % 8);
  }
  std::erase(values, was);
  return values;
}

/// Calls `look` for a file that is cut off at each power of two, and one byte before its end.
inline void at_each_cut(const std::string& whole, const Path& file,
                        const std::function<void(const Path&)>& look) {
  const auto cut = [&](std::size_t size) {
    SCOPED_TRACE(testing::Message() << "cut off at " << size);
    {
      std::ofstream out(file.string(), std::ios::binary);
      out.write(whole.data(), static_cast<std::streamsize>(size));
    }
    look(file);
  };
  for (std::size_t size = 1; size < whole.size(); size *= 2) cut(size);
  cut(0);
  cut(whole.size() - 1);
}

/// Calls `look` for a file with each value of each field. `seal`: makes sums fit again what has changed; it
/// is given the bytes up to `head`, in which the fields are.
inline void at_each_limit(const std::string& whole, const std::vector<HeaderField>& fields, const Path& file,
                          const std::function<void(const Path&)>& look,
                          const std::function<void(std::string&)>& seal = {}) {
  std::ofstream(file.string(), std::ios::binary) << whole;
  std::size_t head = 0;
  for (const auto& f : fields) head = std::max(head, f.at + f.width);
  ASSERT_LE(head, whole.size());
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_LE(0, fd);
  const auto put = [&](const std::string& bytes, std::size_t at) {
    EXPECT_EQ(static_cast<ssize_t>(bytes.size()), ::pwrite(fd, bytes.data(), bytes.size(), at));
  };
  for (const auto& f : fields) {
    for (const auto& value : limits_of(whole.substr(f.at, f.width))) {
      SCOPED_TRACE(testing::Message() << f.name << " is " << testing::PrintToString(value));
      if (seal) {
        std::string all = whole;
        all.replace(f.at, f.width, value);
        seal(all);
        put(all, 0);
      } else {
        put(value, f.at);
      }
      look(file);
      if (!seal) put(whole.substr(f.at, f.width), f.at);
    }
  }
  ::close(fd);
}

/// Calls what may throw a FormatError, which then has a reason. Nothing takes long.
inline void answers_or_refuses(const std::function<void()>& ask) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    ask();
  } catch (const FormatError& error) {
    EXPECT_NE("", error.reason());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

/// Asks a dump all that it may know, and for the memory from `physical` on. How many could be opened is
/// counted.
inline void ask_all(const Path& file, const SymbolSources& sources, std::uint64_t physical,
                    int* opened = nullptr) {
  answers_or_refuses([&] {
    const Core core(file, sources);
    if (opened) ++*opened;
    core.notes();
    core.elf_notes();
    core.vmcoreinfo();
    core.version();
    core.panic();
    core.uptime();
    core.dmesg();
    core.messages();
    core.cpus();
    core.modules();
    for (const std::uint64_t at :
         {std::uint64_t{0}, physical, physical + 4096, core.physical_end() - 100, ~std::uint64_t{0} - 100})
      answers_or_refuses([&] { core.read_physical(at, 200); });
    for (const std::uint64_t at : {0xffffffff81000000, 0xfffff80000000000, 0xffff888000000000,
                                   0xffff000000000000, 0xffffa00000000000, ~std::uint64_t{0} - 100})
      answers_or_refuses([&] { core.read(at, 5000); });
    for (const auto& t : core.threads()) {
      core.registers(t.tid);
      core.stack(t.tid);
    }
    core.locks();
    core.report();
  });
}

}  // namespace kdev::test
