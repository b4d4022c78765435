#pragma once
// GDB/MI, the machine interface of gdb ("GDB/MI Output Syntax" in its manual), as far as its output goes.
#include <optional>
#include <string>
#include <string_view>

#include "common/json.hpp"

namespace kdev::debug {

/// One line of gdb's output.
struct MiRecord {
  enum class Kind {
    result,   ///< ^done, ^running, ^error, ...: the answer to the command with that token
    exec,     ///< *stopped, *running
    notify,   ///< =thread-created, ...
    status,   ///< +download, ...
    console,  ///< ~"text" for people
    target,   ///< @"text" of the debugged program
    log,      ///< &"text": gdb's own log, and echoes
    prompt    ///< (gdb)
  };
  Kind kind = Kind::prompt;
  std::optional<unsigned long> token;
  std::string name;      ///< "done", "stopped", ...
  json::object results;  ///< tuples are objects, lists arrays; what a list's results are called is left out
  std::string text;      ///< of console, target and log
};

/// The line, without its end. Nothing: it is no MI (the debugged program's own output, on a shared terminal).
/// Linear in the line's length; nesting deeper than 100 is no MI.
std::optional<MiRecord> parse_mi(std::string_view line);

/// A word as a C string, as MI's commands take it.
std::string mi_quote(std::string_view word);

}  // namespace kdev::debug
