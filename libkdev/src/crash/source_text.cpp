#include "crash/source_text.hpp"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <fstream>

namespace kdev::crash {
namespace {

constexpr std::uintmax_t max_file = 64 << 20;

/// What is left of `file` below `top`, or empty.
std::string below(const std::string& file, const std::string& top) {
  if (top.empty() || file.size() <= top.size() + 1 || !file.starts_with(top) || file[top.size()] != '/')
    return {};
  return file.substr(top.size() + 1);
}

}  // namespace

SourceText::SourceText(Path tree, std::string built_in)
    : tree_(tree.empty() ? Path() : tree.lexically_normal()),
      built_in_(Path(built_in).lexically_normal().string()) {
  if (tree_.filename() == ".") tree_ = tree_.parent_path();
  if (tree_.empty()) tree_ = built_in_;
}

std::string SourceText::relative(const std::string& file, const ElfFile* program) {
  auto [it, fresh] = names_.try_emplace(file);
  if (fresh) {
    it->second = relative_name(file);
    if (fetch_ && program) origins_.try_emplace(it->second, Origin{program->build_id(), file});
  }
  return it->second;
}

std::string SourceText::relative_name(const std::string& file) const {
  const std::string plain = Path(file).lexically_normal().string();
  std::string name = below(plain, tree_.string());
  if (name.empty()) name = below(plain, built_in_);
  boost::system::error_code ec;
  if (name.empty() && !tree_.empty() && !boost::filesystem::exists(plain, ec)) {
    // Built elsewhere: the longest tail that the tree has.
    for (auto slash = plain.find('/'); slash != std::string::npos && name.empty();
         slash = plain.find('/', slash + 1)) {
      const std::string tail = plain.substr(slash + 1);
      if (!tail.empty() && boost::filesystem::is_regular_file(tree_ / tail, ec)) name = tail;
    }
  }
  return name.empty() ? plain : name;
}

const std::vector<std::string>& SourceText::content(const std::string& file) {
  auto [it, fresh] = files_.try_emplace(file);
  if (fresh) {
    Path at = path(file);
    boost::system::error_code ec;
    const auto origin = origins_.find(file);
    if (origin != origins_.end() && !boost::filesystem::exists(at, ec))
      at = fetch_(origin->second.build_id, origin->second.name);
    if (boost::filesystem::is_regular_file(at, ec) && boost::filesystem::file_size(at, ec) <= max_file) {
      std::ifstream in(at.string());
      for (std::string text; std::getline(in, text);) it->second.push_back(std::move(text));
    }
  }
  return it->second;
}

std::string SourceText::line(const std::string& file, int number) {
  if (file.empty() || number <= 0) return {};
  const std::vector<std::string>& all = content(file);
  if (static_cast<std::size_t>(number) > all.size()) return {};
  const std::string& text = all[number - 1];
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string> SourceText::lines(const std::string& file, int first, int last) {
  if (file.empty() || last < first || last <= 0) return {};
  const std::vector<std::string>& all = content(file);
  const std::size_t begin = static_cast<std::size_t>(std::max(first, 1)) - 1;
  const std::size_t end = std::min(static_cast<std::size_t>(last), all.size());
  if (begin >= end) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace kdev::crash
