// Declared pipelines.
#include <kdev/pipeline.hpp>

#include "bind.hpp"
#include "spec.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_pipeline(py::module_& m) {
  Value<StageResult>(m, "StageResult", "What one stage of a pipeline did.")
      .field("stage", &StageResult::stage)
      .field("text", &StageResult::text)
      .field("outcome", &StageResult::outcome, "'done', 'cached', 'failed', 'skipped' or 'interrupted'.")
      .field("duration", &StageResult::duration, "Seconds.")
      .field("error", &StageResult::error)
      .finish();

  Value<PipelineResult> result(m, "PipelineResult", "What a pipeline's run came to.");
  result.field("name", &PipelineResult::name)
      .field("ok", &PipelineResult::ok)
      .field("stages", &PipelineResult::stages)
      .field("commands", &PipelineResult::commands)
      .field("crashes", &PipelineResult::crashes)
      .field("kernel", &PipelineResult::kernel)
      .optional_path("console_log", &PipelineResult::console_log, "None: no guest was started.")
      .field("duration", &PipelineResult::duration, "Seconds.");
  result.py()
      .def_property_readonly(
          "crash",
          [](const PipelineResult& r) -> std::optional<CrashReport> {
            if (r.crashes.empty()) return std::nullopt;
            return r.crashes.front();
          },
          "The first crash, or None.")
      .def("to_text", &PipelineResult::to_text, "The stage table.")
      .def("__str__", &PipelineResult::to_text)
      .def("_repr_html_", [](const py::object& self) {
        return py::str(py::module_::import("kdev.display").attr("pipeline_html")(self));
      });
  result.finish({"name", "ok", "stages", "duration"});

  using Self = const Pipeline&;
  py::class_<Pipeline, std::shared_ptr<Pipeline>>(
      m, "Pipeline", "A declared sequence of stages: a value built by chaining; nothing runs before run().")
      .def(py::init<std::string>(), py::arg("name") = "pipeline")
      .def_property_readonly("name", [](Self p) { return p.name(); })
      .def_property_readonly("stage_names", &Pipeline::stage_names)
      .def("build", &Pipeline::build, py::arg("ws"), py::arg("conf"))
      .def("kernel", &Pipeline::kernel, py::arg("kernel"), "In place of build().")
      .def("module", &Pipeline::module, py::arg("dir"), "Out-of-tree, into the image as /m/NAME.ko.")
      .def(
          "boot",
          [](Self p, const std::optional<SeedImage>& image, KDEV_SPEC_PARAMETERS) {
            VmSpec spec = KDEV_SPEC(image);
            return p.boot(spec.image, spec);
          },
          py::arg("image") = py::none(), py::kw_only(), KDEV_SPEC_ARGS, "Arguments as for VM.")
      .def(
          "run",
          [](Self p, OnEvent on_event) {
            EventSink sink = make_sink(std::move(on_event));
            return blocking([&] { return p.run(sink); });
          },
          py::kw_only(), py::arg("on_event") = py::none(),
          "Runs all stages. A failing one ends the run and is told in the result.")
      .def(
          "run",
          [](Self p, const std::string& command, KDEV_COMMAND_PARAMETERS) {
            return p.run(command, KDEV_COMMAND_OPTIONS);
          },
          py::arg("command"), py::kw_only(), KDEV_COMMAND_ARGS, "A stage that runs a shell command line.")
      .def("push", &Pipeline::push, py::arg("source"), py::arg("guest_path"))
      .def("pull", &Pipeline::pull, py::arg("guest_path"), py::arg("destination"))
      .def("reboot", &Pipeline::reboot, py::arg("ws"), py::arg("conf"), "Builds, installs, reboots into it.")
      .def("expect_crash", &Pipeline::expect_crash, py::arg("title") = "*", py::kw_only(),
           py::arg("timeout") = 30.0,
           "The command before must have crashed the kernel; title is matched with fnmatch wildcards.")
      .def("analyze", &Pipeline::analyze, "Symbolizes every crash seen.")
      .def("__copy__", [](Self p) { return Pipeline(p); })
      .def("__repr__", [](Self p) {
        std::string s = "Pipeline('" + p.name() + "'";
        for (const auto& stage : p.stage_names()) s += ", " + stage;
        return s + ")";
      });
}

}  // namespace kdev::python
