#include "crash/debuginfod.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#if KDEV_DEBUGINFOD
#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <unistd.h>

#include <condition_variable>
#include <kdev/deadline.hpp>
#include <mutex>
#include <thread>
#endif

namespace kdev::crash {

bool Debuginfod::built_in() {
  return KDEV_DEBUGINFOD;
}

Debuginfod::Debuginfod(bool allowed) : allowed_(allowed) {}

bool Debuginfod::configured() const {
  const char* urls = std::getenv("DEBUGINFOD_URLS");
  return allowed_ && !given_up_ && urls && *urls;
}

void Debuginfod::note(std::string text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(std::move(text));
}

#if KDEV_DEBUGINFOD

namespace {

/// Loaded when somebody is to be asked: it brings an HTTP library of its own, and most never need it.
struct Library {
  decltype(&::debuginfod_begin) begin = nullptr;
  decltype(&::debuginfod_end) end = nullptr;
  decltype(&::debuginfod_find_debuginfo) find_debuginfo = nullptr;
  decltype(&::debuginfod_find_source) find_source = nullptr;
  decltype(&::debuginfod_set_progressfn) set_progress = nullptr;
  decltype(&::debuginfod_set_user_data) set_user_data = nullptr;
  decltype(&::debuginfod_get_user_data) get_user_data = nullptr;

  Library() {
    void* library = ::dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    const auto load = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      whole = whole && function;
    };
    whole = true;
    load(begin, "debuginfod_begin");
    load(end, "debuginfod_end");
    load(find_debuginfo, "debuginfod_find_debuginfo");
    load(find_source, "debuginfod_find_source");
    load(set_progress, "debuginfod_set_progressfn");
    load(set_user_data, "debuginfod_set_user_data");
    load(get_user_data, "debuginfod_get_user_data");
  }
  bool whole = false;
};

const Library& library() {
  static const Library loaded;
  return loaded;
}

}  // namespace

/// A connection, and the thread that waits on it: the library looks up only once a second, the caller sooner.
struct Debuginfod::Client {
  debuginfod_client* handle = nullptr;
  std::atomic<bool> cancelled{false};
  std::thread thread;

  Client() : handle(library().begin()) {
    if (!handle) return;
    library().set_user_data(handle, this);
    library().set_progress(handle, [](debuginfod_client* c, long, long) {
      return static_cast<Client*>(library().get_user_data(c))->cancelled ? 1 : 0;
    });
  }
  ~Client() {
    cancelled = true;
    if (thread.joinable()) thread.join();
    if (handle) library().end(handle);
  }
};

/// Shared with the thread: an interrupted caller does not wait for it.
struct Debuginfod::Request {
  std::mutex mutex;
  std::condition_variable done;
  bool ended = false;
  int result = 0;
  Path path;
};

Debuginfod::~Debuginfod() = default;

Path Debuginfod::ask(const std::string& what, bool expected, Find find) {
  if (!configured()) return {};
  if (!library().whole) {
    note(fmt::format("DEBUGINFOD_URLS is set, but there is no {} (Debian package libdebuginfod1)",
                     DEBUGINFOD_SONAME));
    given_up_ = true;
    return {};
  }
  if (client_ && client_->cancelled) client_.reset();
  if (!client_) client_ = std::make_unique<Client>();
  if (!client_->handle) return {};

  auto request = std::make_shared<Request>();
  client_->thread = std::thread([request, find, client = client_.get()] {
    char* path = nullptr;
    const int result = find(*client, &path);
    if (result >= 0) ::close(result);
    const std::lock_guard lock(request->mutex);
    request->result = result;
    if (result >= 0 && path) request->path = path;
    std::free(path);
    request->ended = true;
    request->done.notify_all();
  });
  std::unique_lock lock(request->mutex);
  const Deadline never;
  while (!request->done.wait_for(lock, std::chrono::milliseconds(never.slice_ms()),
                                 [&] { return request->ended; })) {
    try {
      never.check_interrupt("wait for debuginfod");
    } catch (...) {
      client_->cancelled = true;
      throw;
    }
  }
  lock.unlock();
  client_->thread.join();

  if (request->result >= 0) return request->path;
  if (request->result != -ENOENT) {
    // A server that does not answer is waited for once, not for each file.
    given_up_ = true;
    note(fmt::format("debuginfod did not give {}: {}; it is not asked again", what,
                     std::strerror(-request->result)));
  } else if (expected) {
    note(fmt::format("no debuginfod server has {}", what));
  }
  return {};
}

Path Debuginfod::debug_info(const std::string& build_id) {
  return ask("the debug information of build id " + build_id, true, [build_id](Client& client, char** path) {
    return library().find_debuginfo(client.handle, reinterpret_cast<const unsigned char*>(build_id.c_str()),
                                    0, path);
  });
}

Path Debuginfod::source(const std::string& build_id, const std::string& name) {
  return ask("the source file " + name, false, [build_id, name](Client& client, char** path) {
    return library().find_source(client.handle, reinterpret_cast<const unsigned char*>(build_id.c_str()), 0,
                                 name.c_str(), path);
  });
}

#else

struct Debuginfod::Client {};
struct Debuginfod::Request {};
Debuginfod::~Debuginfod() = default;

Path Debuginfod::ask(const std::string&, bool, Find) {
  if (configured()) note("DEBUGINFOD_URLS is set, but kdev was built without debuginfod");
  return {};
}

Path Debuginfod::debug_info(const std::string&) {
  return ask({}, true, {});
}

Path Debuginfod::source(const std::string&, const std::string&) {
  return ask({}, false, {});
}

#endif

}  // namespace kdev::crash
