#include <fmt/format.h>

#include <kdev/pipeline.hpp>

#include "common/json.hpp"

namespace kdev {

std::string PipelineResult::to_json() const {
  json::object o{{"name", name}, {"ok", ok}, {"duration", duration.count()}, {"console_log", console_log.string()}};
  json::array all;
  for (const StageResult& s : stages)
    all.push_back(json::object{{"stage", s.stage}, {"text", json::utf8(s.text)}, {"outcome", s.outcome},
                               {"duration", s.duration.count()}, {"error", json::utf8(s.error)}});
  o["stages"] = std::move(all);
  all.clear();
  for (const CommandResult& c : commands) all.push_back(json::parse_object(c.to_json(), "command result"));
  o["commands"] = std::move(all);
  all.clear();
  for (const CrashReport& c : crashes) all.push_back(json::parse_object(c.to_json(), "crash report"));
  o["crashes"] = std::move(all);
  o["kernel"] = kernel ? json::value(json::parse_object(kernel->to_json(), "kernel artifact")) : json::value(nullptr);
  return json::dump(o);
}

std::string PipelineResult::to_text() const {
  std::string text = fmt::format("{}: {} in {:.1f} s\n", name, ok ? "ok" : "failed", duration.count());
  for (const StageResult& s : stages) {
    text += fmt::format("  {:<8} {:<11} {:>8.2f} s  {}\n", s.stage, s.outcome, s.duration.count(), s.text);
    if (!s.error.empty()) {
      text += "    ";
      for (char c : s.error) text += c == '\n' ? std::string("\n    ") : std::string(1, c);
      text += "\n";
    }
  }
  for (const CrashReport& c : crashes) text += fmt::format("  crash: {}\n", c.title);
  return text;
}

}  // namespace kdev
