#include "build/step_run.hpp"

#include <kdev/event.hpp>

#include "build/stage.hpp"

namespace kdev {

ProcessResult StepRun::run(const guest::MakeStep& step, const Path& log, DiagnosticReader& diagnostics,
                           BuildProgress& progress) const {
  const auto tell = [&](const Diagnostic& d) {
    // What the tree's own tools are warned of is not what the user works on.
    if (options_.on_event && (!step.once || d.severity != "warning")) options_.on_event(DiagnosticFound{d});
  };
  RunOptions run;
  run.deadline = options_.deadline;
  run.log = log;
  run.capture_limit = 1 << 16;  // the log has it all
  run.on_out_line = [&](std::string_view line) {
    if (const std::string_view object = rules_.made_object(line); !object.empty())
      progress.made(object);
    else if (const Diagnostic* d = diagnostics.line(line))
      tell(*d);
    else if (const std::string_view text = rules_.headline(line); !text.empty())
      progress.step(text);
  };
  run.on_err_line = [&](std::string_view line) {
    if (const Diagnostic* d = diagnostics.line(line)) tell(*d);
  };
  run.lease_dir = ws_.run();
  run.lease_name = "build";
  Host& host = ws_.host();
  ProcessResult result = host.run(step.command, run);
  if (result.ok() && !step.stamp.empty()) {
    host.make_directories(step.stamp.parent_path());
    host.write_file(step.stamp, step.key);
  }
  return result;
}

void StepRun::run_shared(const std::vector<guest::MakeStep>& steps, const std::string& title) const {
  Host& host = ws_.host();
  for (const guest::MakeStep& step : steps) {
    if (!step.once || (host.exists(step.stamp) && host.read_file(step.stamp) == step.key)) continue;
    Stage stage(step.title, title, options_.on_event);
    stage.during([&] {
      const Path log = ws_.obj() / (step.title + ".log");
      host.remove_all(log);
      DiagnosticReader diagnostics(host, &rules_, ws_.source(), ws_.obj());
      BuildProgress progress(step.title, 0, options_.on_event);
      const ProcessResult result = run(step, log, diagnostics, progress);
      if (!result.ok())
        throw_build_failure("make the " + step.title, result, diagnostics, log);
      stage.done("done", "");
    });
  }
}

}  // namespace kdev
