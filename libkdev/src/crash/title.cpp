#include "crash/title.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "crash/guilty.hpp"

namespace kdev::crash {
namespace {

using re2::RE2;
using re2::StringPiece;

constexpr int max_captures = 10;

struct Captures {
  std::array<StringPiece, max_captures> text;
  std::string_view at(int i) const {
    return i < max_captures ? std::string_view(text[i].data(), text[i].size()) : std::string_view();
  }
};

struct Rule {
  const guest::TitleRule* row;
  std::unique_ptr<RE2> pattern, skip;  // null: none
  int in_set = -1;                     // of the format; -1: has to be tried
};

RE2::Options table_options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // console bytes are no text
  return options;
}

/// Which of many rules a text fits is found in one pass over it.
std::unique_ptr<RE2::Set> all_patterns(std::vector<Rule>& rules) {
  if (std::count_if(rules.begin(), rules.end(), [](const Rule& r) { return r.pattern != nullptr; }) < 3)
    return nullptr;
  RE2::Options options = table_options();
  options.set_max_mem(32 << 20);
  auto set = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
  for (Rule& rule : rules)
    if (rule.pattern) rule.in_set = set->Add(rule.pattern->pattern(), nullptr);
  set->Compile();
  return set;
}

std::unique_ptr<RE2> compiled(std::string_view pattern, bool whole) {
  if (pattern.empty()) return nullptr;
  const RE2::Options options = table_options();
  auto re = std::make_unique<RE2>(whole ? fmt::format("^(?:{})$", pattern) : fmt::format("(?m){}", pattern),
                                  options);
  // The tables are part of this library: a row that does not compile is found by the tests.
  if (!re->ok()) throw std::logic_error(fmt::format("crash table: {}: {}", pattern, re->error()));
  return re;
}

/// Fills in {1}, {1:raw}, {1:upper}, {function}, {origin}.
std::string expand(std::string_view form, const Captures& captures, std::string_view function,
                   std::string_view origin) {
  std::string out;
  for (std::size_t i = 0; i < form.size();) {
    const auto close = form[i] == '{' ? form.find('}', i) : std::string_view::npos;
    if (close == std::string_view::npos) {
      out += form[i++];
      continue;
    }
    const auto word = form.substr(i + 1, close - i - 1);
    i = close + 1;
    if (word == "function") {
      out += function;
    } else if (word == "origin") {
      out += origin;
    } else {
      const auto text = captures.at(word[0] - '0');
      if (word.ends_with(":raw")) {
        out += text;
      } else if (word.ends_with(":upper")) {
        for (char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      } else {
        out += normalized(text);
      }
    }
  }
  return out;
}

}  // namespace

std::string normalized(std::string_view text) {
  static const RE2 offset(R"(\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?)");
  static const RE2 address(
      R"(\b0x[0-9a-f]+\b|\b[0-9a-f]*[0-9][0-9a-f]*[a-f][0-9a-f]{6,}\b|\b[0-9a-f]{12,16}\b)");
  static const RE2 number(R"(\b\d+\b)");
  static const RE2 blanks(R"([ \t]+)");
  std::string s(text.substr(0, 256));
  RE2::GlobalReplace(&s, offset, "");
  RE2::GlobalReplace(&s, address, "ADDR");
  RE2::GlobalReplace(&s, number, "NUM");
  RE2::GlobalReplace(&s, blanks, " ");
  while (!s.empty() && s.back() == ' ') s.pop_back();
  return s;
}

struct TitleTable::State {
  const guest::ConsoleRules& rules;
  GuiltyFinder finder;
  struct Format {
    std::once_flag once;
    std::vector<Rule> rules;
    std::unique_ptr<RE2::Set>
        set;  ///< the rules' patterns, in their order where they have one; null: too few
  };
  mutable std::vector<Format> formats;  // all together take longer than a dump's report
  explicit State(const guest::ConsoleRules& r)
      : rules(r), finder(r.functions()), formats(r.formats().size()) {}

  const Format& format(std::size_t number) const {
    Format& made = formats[number];
    std::call_once(made.once, [&] {
      for (const auto& row : rules.formats()[number].titles)
        made.rules.push_back({&row, compiled(row.pattern, false), compiled(row.skip, true), -1});
      made.set = all_patterns(made.rules);
    });
    return made;
  }
};

TitleTable::TitleTable(const guest::ConsoleRules& rules) : state_(new State(rules)) {}

TitleTable::~TitleTable() = default;

void TitleTable::compile() const {
  for (std::size_t i = 0; i < state_->formats.size(); ++i) state_->format(i);
}

const TitleTable& TitleTable::of(const guest::ConsoleRules& rules) {
  static std::mutex mutex;
  static auto* tables = new std::map<const guest::ConsoleRules*, std::unique_ptr<TitleTable>>;
  const std::lock_guard lock(mutex);
  auto& table = (*tables)[&rules];
  if (!table) table = std::make_unique<TitleTable>(rules);
  return *table;
}

void TitleTable::name(CrashReport& report, int format, std::string_view before, std::string_view head,
                      const StackFrame* pc) const {
  const auto& row_format = state_->rules.formats()[format];
  report.kind = row_format.kind;
  const std::string text = std::string(before) + std::string(head);
  const auto& table = state_->format(static_cast<std::size_t>(format));
  std::vector<int> fit;
  if (table.set) table.set->Match(text, &fit);
  for (const auto& rule : table.rules) {
    if (rule.in_set >= 0 && std::find(fit.begin(), fit.end(), rule.in_set) == fit.end()) continue;
    Captures captures;
    if (rule.row->traceless && !report.traces.empty()) continue;
    if (rule.pattern) {
      const int groups = std::min(rule.pattern->NumberOfCapturingGroups() + 1, max_captures);
      // A rule about the report's own first line must not fit a line before it: try without those first.
      if (!rule.pattern->Match({head.data(), head.size()}, 0, head.size(), RE2::UNANCHORED,
                               captures.text.data(), groups) &&
          (before.empty() ||
           !rule.pattern->Match(text, 0, text.size(), RE2::UNANCHORED, captures.text.data(), groups)))
        continue;
    }
    std::vector<std::string_view> texts;
    for (int i = 0; i < max_captures; ++i) texts.push_back(captures.at(i));
    Guilty guilty = state_->finder.find(rule.row->function, texts, report.traces, pc, rule.skip.get());
    const Guilty origin = state_->finder.find(rule.row->origin, texts, report.traces, pc, rule.skip.get());
    const bool needs = rule.row->title.find("{function}") != std::string_view::npos;
    // The function to look at may be a guess that a title, which must be stable, does not take.
    auto blame = rule.row->blame.empty() ? rule.row->function : rule.row->blame;
    if (needs) blame.insert(blame.end(), {"trace", "any"});
    report.function = state_->finder.find(blame, texts, report.traces, pc, rule.skip.get()).printed;
    // What names the function came after a stack that is not this report's.
    const bool torn = captures.at(0).find("\nCall Trace:") != std::string_view::npos;
    if (needs && (torn || state_->finder.mixed(report.traces))) guilty = {};
    report.type = expand(rule.row->type, captures, {}, {});
    const std::string_view shown = guilty.name.empty() ? "corrupted" : std::string_view(guilty.name);
    report.title = expand(rule.row->title, captures, shown, origin.name);
    report.suppressed |= rule.row->suppressed;
    report.corrupted |= rule.row->corrupted || (needs && guilty.name.empty());
    const bool framed = std::any_of(report.traces.begin(), report.traces.end(), [](const StackTrace& t) {
      return std::any_of(t.frames.begin(), t.frames.end(), [](const StackFrame& f) { return f.reliable; });
    });
    report.corrupted |= row_format.needs_trace && !framed;
    for (const auto form : rule.row->alternatives) {
      if (form.find("{origin}") != std::string_view::npos && origin.name.empty()) continue;
      report.alternative_titles.push_back(expand(form, captures, shown, origin.name));
    }
    if (guilty.variant != guilty.name) {  // the name before it was made equal to its variants
      for (const auto form : rule.row->alternatives)
        report.alternative_titles.push_back(expand(form, captures, guilty.variant, origin.name));
      if (needs)
        report.alternative_titles.push_back(expand(rule.row->title, captures, guilty.variant, origin.name));
    }
    break;
  }
  if (report.title.empty()) {  // only the first line is there, or it is one that no rule expects
    report.title = normalized(report.message);
    if (report.title.empty()) report.title = report.kind;
    report.corrupted = true;
  }
  std::sort(report.alternative_titles.begin(), report.alternative_titles.end());
}

std::string TitleTable::blamed(const StackTrace& trace) const {
  return state_->finder.find({"trace", "any"}, {}, {trace}, nullptr, nullptr).printed;
}

}  // namespace kdev::crash
