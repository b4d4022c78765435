#include <fmt/format.h>

#include <kdev/event.hpp>

#include "common/json.hpp"
#include "common/overload.hpp"

namespace kdev {
namespace {

std::string suffix(const std::string& text) {
  return text.empty() ? "" : ": " + text;
}

}  // namespace

std::string describe(const Event& event) {
  return std::visit(Overload{
                        [](const StageStarted& e) { return e.stage + suffix(e.text); },
                        [](const StageFinished& e) {
                          return fmt::format("{} {} in {:.1f} s{}", e.stage, e.outcome, e.duration.count(),
                                             suffix(e.text));
                        },
                        [](const Progress& e) {
                          std::string line = e.total > 0 ? fmt::format("{} {}/{}", e.stage, e.done, e.total)
                                                         : fmt::format("{} {}", e.stage, e.done);
                          if (e.eta.count() >= 0 && e.total > 0)
                            line += fmt::format(", {:.0f} s left", e.eta.count());
                          return line + suffix(e.text);
                        },
                        [](const DiagnosticFound& e) {
                          const Diagnostic& d = e.diagnostic;
                          return fmt::format("{}:{}: {}: {}", d.file.string(), d.line, d.severity, d.message);
                        },
                        [](const VmStateChanged& e) {
                          return fmt::format("{}: {} -> {}{}", e.vm, e.from, e.to, suffix(e.reason));
                        },
                        [](const ConsoleLine& e) { return fmt::format("{}| {}", e.vm, e.text); },
                        [](const CrashFound& e) { return fmt::format("{}: crash: {}", e.vm, e.title); },
                        [](const Notice& e) { return e.text; },
                    },
                    event);
}

std::string to_json(const Event& event) {
  json::object o = std::visit(
      Overload{
          [](const StageStarted& e) {
            return json::object{
                {"event", "stage_started"}, {"stage", json::utf8(e.stage)}, {"text", json::utf8(e.text)}};
          },
          [](const StageFinished& e) {
            return json::object{{"event", "stage_finished"},
                                {"stage", json::utf8(e.stage)},
                                {"outcome", json::utf8(e.outcome)},
                                {"seconds", e.duration.count()},
                                {"text", json::utf8(e.text)}};
          },
          [](const Progress& e) {
            return json::object{{"event", "progress"},  {"stage", json::utf8(e.stage)},
                                {"done", e.done},       {"total", e.total},
                                {"eta", e.eta.count()}, {"text", json::utf8(e.text)}};
          },
          [](const DiagnosticFound& e) {
            const Diagnostic& d = e.diagnostic;
            return json::object{{"event", "diagnostic"},
                                {"file", json::utf8(d.file.string())},
                                {"line", d.line},
                                {"column", d.column},
                                {"severity", json::utf8(d.severity)},
                                {"message", json::utf8(d.message)}};
          },
          [](const VmStateChanged& e) {
            return json::object{{"event", "vm_state"},
                                {"vm", json::utf8(e.vm)},
                                {"from", json::utf8(e.from)},
                                {"to", json::utf8(e.to)},
                                {"reason", json::utf8(e.reason)}};
          },
          [](const ConsoleLine& e) {
            return json::object{{"event", "console"}, {"vm", json::utf8(e.vm)}, {"text", json::utf8(e.text)}};
          },
          [](const CrashFound& e) {
            return json::object{{"event", "crash"}, {"vm", json::utf8(e.vm)}, {"title", json::utf8(e.title)}};
          },
          [](const Notice& e) {
            return json::object{{"event", "notice"}, {"text", json::utf8(e.text)}};
          },
      },
      event);
  return json::dump(o);
}

}  // namespace kdev
