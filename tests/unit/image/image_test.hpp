#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>
#include <string>

namespace kdev::test {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

class ImageTest : public ::testing::Test {
 protected:
  ImageTest() {
    char name[] = "/tmp/kdev-image-test-XXXXXX";
    dir = ::mkdtemp(name);
  }
  ~ImageTest() override {
    boost::system::error_code ec;
    fs::remove_all(dir, ec);
  }
  Path put(const std::string& name, const std::string& content) {
    fs::create_directories((dir / name).parent_path());
    std::ofstream(((dir / name).string()), std::ios::binary) << content;
    return dir / name;
  }
  Path dir;
};

inline std::string slurp(const Path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Names in a folder, hidden ones too, sorted.
inline std::vector<std::string> names_in(const Path& dir) {
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(dir)) names.push_back(e.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

inline std::vector<std::string> paths_of(const std::vector<ImageEntry>& entries) {
  std::vector<std::string> paths;
  for (const ImageEntry& e : entries) paths.push_back(e.path);
  return paths;
}

inline const ImageEntry& find(const std::vector<ImageEntry>& entries, const std::string& path) {
  for (const ImageEntry& e : entries)
    if (e.path == path) return e;
  ADD_FAILURE() << "no entry " << path;
  static const ImageEntry none;
  return none;
}

/// What an error of type E says.
template <typename E, typename F>
std::string failure(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another type of error: " << e.what();
    return {};
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace kdev::test
