#pragma once
// How the programs that run in a guest are made from its tree, where they come from there. Stateless and
// thread-safe.
#include <kdev/host.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev::guest {

class UserlandRules {
 public:
  virtual ~UserlandRules() = default;
  /// What can be asked for; the first is the usual one.
  virtual std::vector<std::string> kinds() const = 0;
  /// They are made from this file of the tree (path relative to it).
  virtual bool matters(std::string_view path) const = 0;
  virtual std::vector<MakeStep> make(Host& host, const MakeRequest& request,
                                     const std::string& kind) const = 0;
  /// Headers and libraries that those made.
  virtual Path sysroot(const MakeRequest& request) const = 0;
  /// Fills `dir`/root with what a guest's root holds (kdev's agent apart), `dir`/tools, and `dir`/boot where
  /// the tree has boot loaders. HostError names what the steps did not make. Commands run as `run` says.
  virtual void install(Host& host, const MakeRequest& request, const std::string& kind, const Path& dir,
                       const RunOptions& run) const = 0;
  /// The makers of file systems and of disk images below `dir`/tools; empty: none is needed.
  virtual Path makefs() const = 0;
  virtual Path mkimg() const = 0;
};

}  // namespace kdev::guest
