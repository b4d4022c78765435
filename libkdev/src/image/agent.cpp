#include "image/agent.hpp"

#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>

#include "common/own_folder.hpp"
#include "host/hostfs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

bool is_program(const Path& path) {
  boost::system::error_code ec;
  return fs::is_regular_file(path, ec) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Path agent_program() {
  if (const char* chosen = std::getenv("KDEV_AGENT"); chosen && *chosen) {
    if (is_program(chosen)) return hostfs::absolute(chosen);
    throw HostError({.attempted = "find kdev's guest agent",
                     .reason = std::string("KDEV_AGENT names no program: ") + chosen,
                     .hint = "unset KDEV_AGENT, or let it name a kdev-agent",
                     .log = {}});
  }
  std::vector<Path> places;
  if (const Path own = own_folder(); !own.empty())
    places = {own / "kdev-agent", own / KDEV_LIBEXEC_FROM_LIB / "kdev-agent",
              own / KDEV_LIBEXEC_FROM_BIN / "kdev-agent"};
  places.emplace_back(KDEV_AGENT_BUILT);
  places.push_back(Path(KDEV_LIBEXECDIR) / "kdev-agent");
  std::string looked;
  for (const Path& place : places) {
    if (is_program(place)) return place.lexically_normal();
    looked += (looked.empty() ? "" : ", ") + place.lexically_normal().string();
  }
  throw HostError({.attempted = "find kdev's guest agent",
                   .reason = "it is at none of " + looked,
                   .hint = "install kdev whole (cmake --install), or let KDEV_AGENT name a kdev-agent",
                   .log = {}});
}

bool looks_like_agent(std::string_view program) {
  return program.substr(0, 4) ==
             "\x7f"
             "ELF" &&
         program.find("org.kdev.agent.") != std::string_view::npos;
}

}  // namespace kdev
