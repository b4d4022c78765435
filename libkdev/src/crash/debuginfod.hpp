#pragma once
#include <functional>
#include <kdev/path.hpp>
#include <memory>
#include <string>
#include <vector>

namespace kdev::crash {

/// Files by their build id, from the servers that $DEBUGINFOD_URLS names: debuginfod(8). libdebuginfod
/// fetches them, and keeps them in the cache that other debuggers use; its other variables
/// ($DEBUGINFOD_TIMEOUT, ...) count here, too. Nobody is asked where the variable is empty. What goes wrong
/// is a note. Not thread-safe.
class Debuginfod {
 public:
  /// Not `allowed`: nobody is ever asked.
  explicit Debuginfod(bool allowed);
  /// Waits, up to a second, for a request that was interrupted.
  ~Debuginfod();
  Debuginfod(const Debuginfod&) = delete;

  /// False: kdev was built without elfutils' header, and nobody is ever asked.
  static bool built_in();
  bool configured() const;
  /// The file with the debug information of what has this build id; empty: there is none to be had.
  /// Interrupted.
  Path debug_info(const std::string& build_id);
  /// A source file by its name in the debug information. Likewise.
  Path source(const std::string& build_id, const std::string& name);
  /// Why something is missing; each once.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Request;
  struct Client;
  using Find = std::function<int(Client&, char** path)>;
  Path ask(const std::string& what, bool expected, Find find);
  void note(std::string text);

  bool allowed_;
  bool given_up_ = false;
  std::unique_ptr<Client> client_;
  std::vector<std::string> notes_;
};

}  // namespace kdev::crash
