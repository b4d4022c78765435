#include <fmt/format.h>

#include <kdev/crash.hpp>
#include <kdev/error.hpp>

#include "common/json.hpp"
#include "crash/report_facts_json.hpp"

namespace kdev {
namespace {

using crash::bad_member;
using crash::get_hex_number;
using crash::hex_number;
using json::object;

const json::array* get_array(const object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (!v || v->is_null()) return nullptr;
  if (!v->is_array()) bad_member(key, "an array");
  return &v->as_array();
}

const object& as_object(const json::value& v, std::string_view key) {
  if (!v.is_object()) bad_member(key, "an array of objects");
  return v.as_object();
}

std::size_t get_size(const object& o, std::string_view key) {
  const auto v = json::get_int(o, key);
  if (v < 0) bad_member(key, "a size");
  return static_cast<std::size_t>(v);
}

object to_value(const Variable& v) {
  object o;
  o["name"] = json::utf8(v.name);
  o["value"] = json::utf8(v.value);
  o["type"] = json::utf8(v.type);
  if (v.address) o["address"] = hex_number(v.address);
  if (!v.available) o["available"] = false;
  return o;
}

Variable variable_from(const object& o) {
  return {.name = json::get_string(o, "name"),
          .value = json::get_string(o, "value"),
          .type = json::get_string(o, "type"),
          .address = get_hex_number(o, "address"),
          .available = json::get_bool(o, "available", true)};
}

object to_value(const StackFrame& f) {
  object o;
  o["function"] = json::utf8(f.function);
  if (f.offset) o["offset"] = f.offset;
  if (f.size) o["size"] = f.size;
  if (!f.module.empty()) o["module"] = json::utf8(f.module);
  if (f.address) o["address"] = hex_number(f.address);
  if (!f.reliable) o["reliable"] = false;
  if (f.inlined) o["inlined"] = true;
  if (!f.file.empty()) o["file"] = json::utf8(f.file);
  if (f.line) o["line"] = f.line;
  if (!f.source.empty()) o["source"] = json::utf8(f.source);
  // Only where they were read: frames of a console have none.
  const auto add = [&](const char* key, const std::vector<Variable>& variables) {
    json::array list;
    for (const auto& v : variables) list.push_back(to_value(v));
    if (!list.empty()) o[key] = std::move(list);
  };
  add("args", f.args);
  add("locals", f.locals);
  return o;
}

StackFrame frame_from(const object& o) {
  StackFrame f;
  f.function = json::get_string(o, "function");
  f.offset = static_cast<std::uint64_t>(json::get_int(o, "offset"));
  f.size = static_cast<std::uint64_t>(json::get_int(o, "size"));
  f.module = json::get_string(o, "module");
  f.address = get_hex_number(o, "address");
  f.reliable = json::get_bool(o, "reliable", true);
  f.inlined = json::get_bool(o, "inlined");
  f.file = json::get_string(o, "file");
  f.line = static_cast<int>(json::get_int(o, "line"));
  f.source = json::get_string(o, "source");
  if (const auto* list = get_array(o, "args"))
    for (const auto& v : *list) f.args.push_back(variable_from(as_object(v, "args")));
  if (const auto* list = get_array(o, "locals"))
    for (const auto& v : *list) f.locals.push_back(variable_from(as_object(v, "locals")));
  return f;
}

object to_value(const StackTrace& t) {
  object o;
  o["name"] = json::utf8(t.name);
  o["context"] = json::utf8(t.context);
  json::array frames;
  for (const auto& f : t.frames) frames.push_back(to_value(f));
  o["frames"] = std::move(frames);
  return o;
}

StackTrace trace_from(const object& o) {
  StackTrace t;
  t.name = json::get_string(o, "name");
  t.context = json::get_string(o, "context");
  if (const auto* frames = get_array(o, "frames"))
    for (const auto& f : *frames) t.frames.push_back(frame_from(as_object(f, "frames")));
  return t;
}

object to_value(const DebuggerAnswer& a) {
  object o;
  o["command"] = json::utf8(a.command);
  o["text"] = json::utf8(a.text);
  if (!a.complete) o["complete"] = false;
  json::array traces;
  for (const auto& t : a.traces) traces.push_back(to_value(t));
  if (!traces.empty()) o["traces"] = std::move(traces);
  return o;
}

DebuggerAnswer answer_from(const object& o) {
  DebuggerAnswer a;
  a.command = json::get_string(o, "command");
  a.text = json::get_string(o, "text");
  a.complete = json::get_bool(o, "complete", true);
  if (const auto* traces = get_array(o, "traces"))
    for (const auto& t : *traces) a.traces.push_back(trace_from(as_object(t, "traces")));
  return a;
}

}  // namespace

std::string CrashReport::to_json() const {
  json::object o;
  if (!os.empty()) o["os"] = json::utf8(os);
  o["kind"] = json::utf8(kind);
  o["type"] = json::utf8(type);
  o["title"] = json::utf8(title);
  o["alternative_titles"] = json::from_strings(alternative_titles);
  o["message"] = json::utf8(message);
  o["function"] = json::utf8(function);
  o["process"] = json::utf8(process);
  o["pid"] = pid;
  o["cpu"] = cpu;
  o["taint"] = json::utf8(taint);
  o["release"] = json::utf8(release);
  json::object r;
  for (const auto& [name, text] : registers) r[json::utf8(name)] = json::utf8(text);
  o["registers"] = std::move(r);
  json::array t;
  for (const auto& trace : traces) t.push_back(to_value(trace));
  o["traces"] = std::move(t);
  if (fault) o["fault"] = crash::to_value(*fault);
  json::array marks;
  for (const auto& p : poisons) marks.push_back(crash::to_value(p));
  if (!marks.empty()) o["poisons"] = std::move(marks);
  if (object) o["object"] = crash::to_value(*object);
  if (kaslr_offset) o["kaslr_offset"] = hex_number(static_cast<std::uint64_t>(*kaslr_offset));
  o["panicked"] = panicked;
  o["corrupted"] = corrupted;
  if (suppressed) o["suppressed"] = true;
  o["symbolized"] = symbolized;
  o["notes"] = json::from_strings(notes);
  // Only where a debugger was asked: most reports have none.
  if (!debugger.empty()) {
    json::array answers;
    for (const auto& a : debugger) answers.push_back(to_value(a));
    o["debugger"] = std::move(answers);
  }
  if (!dump.empty()) o["dump"] = json::utf8(dump);
  o["dmesg"] = json::utf8(dmesg);
  o["text"] = json::utf8(text);
  o["begin"] = begin;
  o["end"] = end;
  return json::dump(o, true);
}

CrashReport CrashReport::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "a crash report");
  CrashReport r;
  r.os = json::get_string(o, "os");
  r.kind = json::get_string(o, "kind");
  r.type = json::get_string(o, "type");
  r.title = json::get_string(o, "title");
  r.alternative_titles = json::get_strings(o, "alternative_titles");
  r.message = json::get_string(o, "message");
  r.function = json::get_string(o, "function");
  r.process = json::get_string(o, "process");
  r.pid = static_cast<int>(json::get_int(o, "pid", -1));
  r.cpu = static_cast<int>(json::get_int(o, "cpu", -1));
  r.taint = json::get_string(o, "taint");
  r.release = json::get_string(o, "release");
  if (const auto* v = o.if_contains("registers"); v && !v->is_null()) {
    const json::object& all = as_object(*v, "registers");
    for (const auto& [name, value] : all) r.registers[std::string(name)] = json::get_string(all, name);
  }
  if (const auto* list = get_array(o, "traces"))
    for (const auto& t : *list) r.traces.push_back(trace_from(as_object(t, "traces")));
  if (const auto* v = o.if_contains("fault"); v && !v->is_null())
    r.fault = crash::fault_from(as_object(*v, "fault"));
  if (const auto* list = get_array(o, "poisons"))
    for (const auto& p : *list) r.poisons.push_back(crash::poison_from(as_object(p, "poisons")));
  if (const auto* v = o.if_contains("object"); v && !v->is_null())
    r.object = crash::slab_object_from(as_object(*v, "object"));
  if (o.contains("kaslr_offset")) r.kaslr_offset = static_cast<std::int64_t>(get_hex_number(o, "kaslr_offset"));
  r.panicked = json::get_bool(o, "panicked");
  r.corrupted = json::get_bool(o, "corrupted");
  r.suppressed = json::get_bool(o, "suppressed");
  r.symbolized = json::get_bool(o, "symbolized");
  r.notes = json::get_strings(o, "notes");
  if (const auto* list = get_array(o, "debugger"))
    for (const auto& a : *list) r.debugger.push_back(answer_from(as_object(a, "debugger")));
  r.dump = json::get_string(o, "dump");
  r.dmesg = json::get_string(o, "dmesg");
  r.text = json::get_string(o, "text");
  r.begin = get_size(o, "begin");
  r.end = get_size(o, "end");
  return r;
}

}  // namespace kdev
