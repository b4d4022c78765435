// The agent for this guest: the same sources as everywhere, compiled with clang and lld against the libraries
// that came out of the tree.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"
#include "common/own_folder.hpp"
#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {
namespace {

constexpr const char* attempted = "compile kdev's agent for FreeBSD";

Path agent_sources(Host& host) {
  std::string looked;
  std::vector<Path> places;
  if (const char* chosen = std::getenv("KDEV_AGENT_SOURCES"); chosen && *chosen) {
    places = {Path(chosen)};
  } else {
    if (const Path own = own_folder(); !own.empty())
      places = {own / "agent", own / KDEV_AGENT_SOURCES_FROM_LIB, own / KDEV_AGENT_SOURCES_FROM_BIN};
    places.emplace_back(KDEV_AGENT_SOURCES);
    places.emplace_back(KDEV_AGENT_SOURCES_INSTALLED);
  }
  for (const Path& folder : places) {
    if (host.status(folder / "setup_freebsd.c").is_file()) return folder;
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  throw HostError(
      {.attempted = attempted,
       .reason = "its sources are at none of " + looked,
       .hint = "install kdev whole (cmake --install), or let KDEV_AGENT_SOURCES name their folder",
       .log = {}});
}

Path find_clang(Host& host) {
  for (const char* name : {"clang", "clang-14", "clang-15", "clang-16"})
    if (const auto found = host.which(name)) return *found;
  throw HostError(
      {.attempted = attempted, .reason = "there is no clang", .hint = "apt install clang lld", .log = {}});
}

}  // namespace

std::string FreebsdGuest::agent_sources_id(Host& host) const {
  const Path sources = agent_sources(host);
  Digest digest;
  for (const DirectoryEntry& entry : host.entries(sources))
    if (entry.name.ends_with(".c") || entry.name.ends_with(".h"))
      digest.add(entry.name).add(host.read_file(sources / entry.name));
  return digest.hex();
}

Path FreebsdGuest::make_agent(Host& host, const Path& sysroot, const Path& dir,
                              const Deadline& deadline) const {
  const FileStatus libc = host.status(sysroot / "usr/lib/libc.a");
  if (!libc.is_file())
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} has no usr/lib/libc.a", sysroot.string()),
                       .hint = "build the tree's libraries first (buildworld, or toolchain)",
                       .log = {}});
  const Path sources = agent_sources(host), clang = find_clang(host);
  const std::string made_of = fmt::format("{} {} {} {} {}", clang.string(), sysroot.string(), libc.mtime_ns,
                                          libc.size, agent_sources_id(host));
  const Path program = dir / ("kdev-agent-" + sha256(made_of).substr(0, 16));
  if (host.status(program).is_file()) return program;

  host.make_directories(dir);
  const Path temporary = program.string() + fmt::format(".{}.tmp", boost::filesystem::unique_path().string());
  std::vector<std::string> argv{clang.string(),
                                "--target=x86_64-unknown-freebsd",
                                "--sysroot=" + sysroot.string(),
                                "-fuse-ld=lld",
                                "-std=c11",
                                "-D_GNU_SOURCE",
                                "-Os",
                                "-static",
                                "-s",
                                "-ffunction-sections",
                                "-fdata-sections",
                                "-Wl,--gc-sections",
                                "-o",
                                temporary.string()};
  for (const DirectoryEntry& entry : host.entries(sources))
    if (entry.name.ends_with(".c") && (!entry.name.starts_with("setup_") || entry.name == "setup_freebsd.c"))
      argv.push_back((sources / entry.name).string());
  try {
    host.check(attempted, Command{.argv = argv}, {.deadline = deadline});
    host.rename(temporary, program);
  } catch (...) {
    host.remove_all(temporary);
    throw;
  }
  return program;
}

}  // namespace kdev::guest
