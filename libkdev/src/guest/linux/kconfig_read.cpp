#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>
#include <set>
#include <sstream>

#include "guest/linux/kconfig.hpp"
#include "guest/nearest.hpp"

namespace kdev::guest {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

int indent_of(std::string_view line) {
  int column = 0;
  for (const char c : line) {
    if (c == ' ')
      ++column;
    else if (c == '\t')
      column = (column / 8 + 1) * 8;
    else
      break;
  }
  return column;
}

/// First word taken off.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  std::size_t end = 0;
  while (end < text.size() && !std::isspace(static_cast<unsigned char>(text[end]))) ++end;
  const std::string_view word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

/// The line without its comment: a # outside quotes and at a word's beginning.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote) {
      if (line[i] == '\\')
        ++i;
      else if (line[i] == quote)
        quote = 0;
    } else if (line[i] == '"' || line[i] == '\'') {
      quote = line[i];
    } else if (line[i] == '#' && (i == 0 || std::isspace(static_cast<unsigned char>(line[i - 1])))) {
      return line.substr(0, i);
    }
  }
  return line;
}

/// Splits "VALUE if COND" at an " if " outside quotes and parentheses.
std::pair<std::string_view, std::string_view> split_if(std::string_view text) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (depth == 0 && text.substr(i).starts_with("if") &&
               (i == 0 || std::isspace(static_cast<unsigned char>(text[i - 1]))) &&
               (i + 2 == text.size() ||
                !(std::isalnum(static_cast<unsigned char>(text[i + 2])) || text[i + 2] == '_'))) {
      return {trimmed(text.substr(0, i)), trimmed(text.substr(i + 2))};
    }
  }
  return {trimmed(text), {}};
}

/// Null (no condition) for one that is not understood: the text tells nothing then, but nothing wrong either.
ExprPtr expression(std::string_view text) {
  if (trimmed(text).empty()) return nullptr;
  try {
    return parse_kconfig_expr(text);
  } catch (const ConfigError&) {
    return nullptr;
  }
}

}  // namespace

class KconfigReader {
 public:
  KconfigReader(Kconfig& out, Host& host, const Path& tree, const std::string& srcarch)
      : out_(out), host_(host), tree_(tree), srcarch_(srcarch) {}

  void file(const std::string& name, int depth) {
    if (depth > 50) return;  // a file that sources itself
    std::istringstream in;
    try {
      in.str(host_.read_file(tree_ / name));
    } catch (const HostError&) {
      return;  // the tree's own tool says what is wrong with it
    }
    std::string line;
    int help_indent = -1;
    bool help = false;
    while (std::getline(in, line)) {
      if (help) {
        if (trimmed(line).empty()) continue;
        const int indent = indent_of(line);
        if (help_indent < 0) help_indent = indent;
        if (indent >= help_indent && indent > 0) continue;
        help = false;
      }
      while (!line.empty() && line.back() == '\\') {
        line.pop_back();
        std::string more;
        if (!std::getline(in, more)) break;
        line += " " + more;
      }
      const std::string_view text = trimmed(without_comment(line));
      if (text.empty()) continue;
      if (text == "help" || text == "---help---") {
        help = true;
        help_indent = -1;
        continue;
      }
      statement(text, name, depth);
    }
    entry_ = nullptr;
  }

  void finish() {
    // Menus' and choices' conditions were known only after their entries had begun: put in when they were
    // opened.
    for (const Pending& select : selects_) {
      const auto target = out_.options_.find(select.target);
      if (target == out_.options_.end()) continue;
      const auto& entries = out_.options_[select.by].entries;
      const ExprPtr depends = select.entry < entries.size() ? entries[select.entry].depends : nullptr;
      target->second.selected_by.push_back({select.by, both(depends, select.condition)});
    }
  }

 private:
  struct Block {
    enum class Kind { menu, condition, choice } kind;
    ExprPtr depends, visible;
    int choice = -1;
  };
  struct Pending {
    std::string by, target;
    std::size_t entry;
    ExprPtr condition;
  };

  void statement(std::string_view text, const std::string& file_name, int depth) {
    std::string_view rest = text;
    const std::string word(take_word(rest));
    if (word == "config" || word == "menuconfig") return begin_config(std::string(rest));
    if (word == "source" || word == "rsource" || word == "osource" || word == "orsource") {
      entry_ = nullptr;
      std::string path = expanded(unquoted(rest));
      if (path.starts_with("/")) path.erase(0, 1);  // "$(srctree)/..."
      if (word == "rsource" || word == "orsource")
        path = (Path(file_name).parent_path() / path).lexically_normal().string();
      return file(path, depth + 1);
    }
    if (word == "if") return open({Block::Kind::condition, expression(rest), nullptr, -1});
    if (word == "menu") return open({Block::Kind::menu, nullptr, nullptr, -1});
    if (word == "choice") {
      out_.choices_.emplace_back();
      return open({Block::Kind::choice, nullptr, nullptr, static_cast<int>(out_.choices_.size()) - 1});
    }
    if (word == "endif" || word == "endmenu" || word == "endchoice") return close();
    if (word == "comment" || word == "mainmenu") {
      entry_ = nullptr;
      in_block_head_ = false;
      ignoring_ = word == "comment";
      return;
    }
    property(word, rest);
  }

  void begin_config(const std::string& name) {
    in_block_head_ = ignoring_ = false;
    KconfigOption& option = out_.options_[name];
    option.name = name;
    KconfigEntry entry;
    for (const Block& block : blocks_) {
      entry.depends = both(entry.depends, block.depends);
      entry.visible = both(entry.visible, block.visible);
      if (block.kind == Block::Kind::choice) entry.choice = block.choice;
    }
    if (entry.choice >= 0) out_.choices_[static_cast<std::size_t>(entry.choice)].push_back(name);
    option.entries.push_back(std::move(entry));
    option_ = &option;
    entry_ = &option.entries.back();
  }

  void open(Block block) {
    entry_ = nullptr;
    ignoring_ = false;
    blocks_.push_back(std::move(block));
    in_block_head_ = true;
  }

  void close() {
    entry_ = nullptr;
    in_block_head_ = ignoring_ = false;
    if (!blocks_.empty()) blocks_.pop_back();
  }

  void property(const std::string& word, std::string_view rest) {
    if (ignoring_) return;
    if (word == "depends") {
      take_word(rest);  // "on"
      if (entry_)
        entry_->depends = both(entry_->depends, expression(rest));
      else if (in_block_head_)
        blocks_.back().depends = both(blocks_.back().depends, expression(rest));
      return;
    }
    if (word == "visible") {
      take_word(rest);  // "if"
      if (!entry_ && in_block_head_) blocks_.back().visible = both(blocks_.back().visible, expression(rest));
      return;
    }
    if (!entry_) {
      if (const std::size_t equals = word.find_first_of(":+="); equals == word.npos && rest.find('=') < 3)
        assign(word, rest);
      return;
    }
    if (word == "bool" || word == "tristate" || word == "string" || word == "int" || word == "hex") {
      if (option_->type.empty()) option_->type = word;
      if (!rest.empty()) prompt(rest);
    } else if (word == "def_bool" || word == "def_tristate") {
      if (option_->type.empty()) option_->type = word.substr(4);
    } else if (word == "prompt") {
      prompt(rest);
    } else if (word == "select") {
      const auto [target, condition] = split_if(rest);
      selects_.push_back(
          {option_->name, std::string(target), option_->entries.size() - 1, expression(condition)});
    } else if (word == "range") {
      const auto [bounds, condition] = split_if(rest);
      std::string_view both_bounds = bounds;
      const std::string low(take_word(both_bounds)), high(take_word(both_bounds));
      option_->ranges.push_back({low, high, expression(condition)});
    }
  }

  void prompt(std::string_view rest) {
    entry_->prompt = true;
    entry_->visible = both(entry_->visible, expression(split_if(rest).second));
  }

  /// "name := value", for names used in `source` lines.
  void assign(const std::string& name, std::string_view rest) {
    while (!rest.empty() && (rest.front() == ':' || rest.front() == '+' || rest.front() == '='))
      rest.remove_prefix(1);
    variables_[name] = trimmed(rest);
  }

  static std::string unquoted(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && (text.front() == '"' || text.front() == '\''))
      text = text.substr(1, text.size() - 2);
    return std::string(text);
  }

  std::string expanded(const std::string& text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t end = text.compare(i, 2, "$(") == 0 ? text.find(')', i) : text.npos;
      if (end != text.npos) {
        const std::string name = text.substr(i + 2, end - i - 2);
        if (name == "SRCARCH" || name == "HEADER_ARCH")
          out += srcarch_;
        else if (const auto known = variables_.find(name); known != variables_.end())
          out += known->second;
        i = end;
      } else if (text.compare(i, 8, "$SRCARCH") == 0) {  // trees before 4.18
        out += srcarch_;
        i += 7;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  Kconfig& out_;
  Host& host_;
  const Path& tree_;
  const std::string& srcarch_;
  std::vector<Block> blocks_;
  bool in_block_head_ = false;  ///< right after "menu" or "choice": what follows are its own properties
  bool ignoring_ = false;       ///< the properties of a comment
  KconfigOption* option_ = nullptr;
  KconfigEntry* entry_ = nullptr;
  std::map<std::string, std::string> variables_;
  std::vector<Pending> selects_;
};

Kconfig Kconfig::read(Host& host, const Path& tree, const std::string& srcarch) {
  Kconfig kconfig;
  KconfigReader reader(kconfig, host, tree, srcarch);
  // Before 2.6.39 the top file was the architecture's own.
  reader.file("Kconfig", 0);
  reader.finish();
  return kconfig;
}

const KconfigOption* Kconfig::find(std::string_view name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? nullptr : &found->second;
}

std::vector<std::string> Kconfig::members(int choice) const {
  return choice >= 0 && static_cast<std::size_t>(choice) < choices_.size()
             ? choices_[static_cast<std::size_t>(choice)]
             : std::vector<std::string>();
}

std::vector<std::string> Kconfig::nearest(std::string_view name, std::size_t most) const {
  std::vector<std::string> known;
  for (const auto& [option, declared] : options_)
    if (!declared.entries.empty()) known.push_back(option);
  return nearest_names(name, known, most);
}

std::string linux_srcarch(const std::string& arch) {
  if (arch == "x86_64" || (arch.size() == 4 && arch[0] == 'i' && arch.ends_with("86"))) return "x86";
  if (arch == "aarch64" || arch == "aarch64_be") return "arm64";
  if (arch == "sparc64") return "sparc";
  if (arch == "s390x") return "s390";
  if (arch == "parisc64") return "parisc";
  for (const char* family : {"arm64", "arm", "ppc", "mips", "riscv", "loongarch", "sh"})
    if (arch.starts_with(family)) return std::string(family) == "ppc" ? "powerpc" : family;
  return arch;
}

}  // namespace kdev::guest
