// What to do with a report: known, similar, whose lines.
#include <kdev/triage.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_triage(py::module_& m) {
  Value<Commit>(m, "Commit", "A commit of the tree's git repository.")
      .field("id", &Commit::id)
      .field("author", &Commit::author)
      .field("subject", &Commit::subject)
      .field("time", &Commit::time, "Committed: seconds since 1970.")
      .finish({"id", "author", "subject"});
  Value<SuspectLine>(m, "SuspectLine", "A line that a report blames.")
      .field("frame", &SuspectLine::frame)
      .field("last", &SuspectLine::last, "The commit that last touched it; None: never committed as it is.")
      .finish();
  Value<Suspects>(m, "Suspects", "Who touched the lines that a report blames.")
      .field("lines", &Suspects::lines, "The guilty one first, then those that called it.")
      .field("recent", &Suspects::recent, "The latest commits to the guilty line's file, newest first.")
      .field("notes", &Suspects::notes, "What could not be told, and why.")
      .finish();
  Value<Sighting>(m, "Sighting", "One crash as a history knows it. Times are seconds since 1970.")
      .field("key", &Sighting::key)
      .field("os", &Sighting::os)
      .field("title", &Sighting::title)
      .field("type", &Sighting::type)
      .field("function", &Sighting::function)
      .field("first_seen", &Sighting::first_seen)
      .field("last_seen", &Sighting::last_seen)
      .field("count", &Sighting::count)
      .field("first_release", &Sighting::first_release, "Of the kernel that printed it first.")
      .field("last_release", &Sighting::last_release)
      .finish({"title", "count", "key"});
  Value<SimilarCrash>(m, "SimilarCrash", "A crash that resembles another.")
      .field("sighting", &SimilarCrash::sighting)
      .field("score", &SimilarCrash::score, "Up to 1.")
      .field("why", &SimilarCrash::why, "In words.")
      .finish();

  m.def("crash_key", &crash_key, py::arg("report"),
        "What two reports of the same crash share, however the kernel was built.");
  m.def(
      "suspects",
      [](const CrashReport& report, const Path& tree, const std::string& revision, int lines, int recent,
         Timeout timeout) {
        return blocking([&] {
          return suspects(
              report, tree,
              {.revision = revision, .lines = lines, .recent = recent, .deadline = deadline(timeout)});
        });
      },
      py::arg("report"), py::arg("tree"), py::kw_only(), py::arg("revision") = "", py::arg("lines") = 5,
      py::arg("recent") = 10, py::arg("timeout") = py::none(),
      "Asks git about a symbolized report's lines: who touched them last, and what changed their file "
      "lately. "
      "`revision`: what the kernel was built from; empty: the tree as it lies there.");

  py::class_<CrashHistory>(m, "CrashHistory",
                           "Crashes that were seen, in a file that any number of processes may use at once.")
      .def(py::init([](const Path& file) { return blocking([&] { return CrashHistory(file); }); }),
           py::arg("file"))
      .def(
          "add",
          [](CrashHistory& h, const CrashReport& report, std::int64_t time) {
            return blocking([&] { return h.add(report, time); });
          },
          py::arg("report"), py::arg("time") = 0, "Counts a report; with count 1 it is new. `time` 0: now.")
      .def(
          "find",
          [](const CrashHistory& h, const std::string& key) { return blocking([&] { return h.find(key); }); },
          py::arg("key"))
      .def(
          "report",
          [](const CrashHistory& h, const std::string& key) {
            return blocking([&] { return h.report(key); });
          },
          py::arg("key"), "The first report of a crash, with its text.")
      .def(
          "similar",
          [](const CrashHistory& h, const CrashReport& report, int limit) {
            return blocking([&] { return h.similar(report, limit); });
          },
          py::arg("report"), py::arg("limit") = 10,
          "Others that share a title, the guilty function, or much of the stack; most similar first.")
      .def(
          "all", [](const CrashHistory& h) { return blocking([&] { return h.all(); }); }, "Last seen first.");
}

}  // namespace kdev::python
