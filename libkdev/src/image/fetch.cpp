#include "image/fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <functional>
#include <kdev/host.hpp>
#include <memory>
#include <optional>
#include <sstream>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "host/unique_fd.hpp"
#include "image/byte_window.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

constexpr long connect_seconds = 30, stalled_seconds = 60;
constexpr std::size_t largest_text = 4u << 20;  // of a checksum file

std::string name_of(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.empty() ? "download" : name;
}

struct Easy {
  CURL* handle;
  Easy() {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    handle = once == CURLE_OK ? curl_easy_init() : nullptr;
    if (!handle)
      throw HostError({.attempted = "fetch", .reason = "libcurl does not start", .hint = "", .log = {}});
  }
  ~Easy() { curl_easy_cleanup(handle); }
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;
};

/// One transfer and what its callbacks need.
struct Transfer {
  std::string url;
  std::function<void(std::string_view)> take;
  std::function<void(std::uint64_t, std::uint64_t)>
      told;  ///< bytes so far and in all (0: unknown) of this transfer
  const Deadline* deadline = nullptr;
  std::string validator{};  ///< the entity's ETag or date, as the server told it
  std::exception_ptr failure{};
  std::string attempted() const { return "fetch " + url; }
};

std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
  auto& t = *static_cast<Transfer*>(self);
  try {
    t.take({data, size});
    return size;
  } catch (...) {  // may not pass through C
    t.failure = std::current_exception();
    return 0;
  }
}

void take_header(Transfer& t, std::string_view line) {
  static const RE2 validator(R"((?i)(etag|last-modified):\s*(.*?)\s*)");
  std::string name, value;
  if (RE2::FullMatch(re2::StringPiece(line.data(), line.size()), validator, &name, &value)) {
    // Only a strong one says that the bytes are the same (RFC 9110, 13.1.5).
    const bool tag = boost::algorithm::to_lower_copy(name) == "etag";
    if ((tag && !value.starts_with("W/")) || (!tag && t.validator.empty())) t.validator = value;
  }
  if (line.starts_with("HTTP/")) t.validator.clear();  // of a redirection
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& t = *static_cast<Transfer*>(self);
  try {
    take_header(t, {data, size});
    return size;
  } catch (...) {
    t.failure = std::current_exception();
    return 0;
  }
}

int on_progress(void* self, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto& t = *static_cast<Transfer*>(self);
  try {
    t.deadline->check(t.attempted());
    if (t.told) t.told(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total));
    return 0;
  } catch (...) {
    t.failure = std::current_exception();
    return 1;
  }
}

struct Outcome {
  CURLcode code;
  long status = 0;
  std::string text;
};

/// curl_easy_perform() looks up once a second only.
CURLcode run(Transfer& transfer, CURL* easy) {
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(), &curl_multi_cleanup);
  struct Added {
    CURLM* multi;
    CURL* easy;
    ~Added() { curl_multi_remove_handle(multi, easy); }
  } added{multi.get(), easy};
  if (curl_multi_add_handle(multi.get(), easy) != CURLM_OK) return CURLE_FAILED_INIT;
  for (int running = 1; running;) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (transfer.failure) return CURLE_ABORTED_BY_CALLBACK;
    transfer.deadline->check(transfer.attempted());
    if (running)
      curl_multi_poll(multi.get(), nullptr, 0, std::min(transfer.deadline->slice_ms(), 50), nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left))
    if (message->msg == CURLMSG_DONE) return message->data.result;
  return CURLE_FAILED_INIT;
}

/// From byte `from` on, if the server still has what `validator` names.
Outcome perform(Transfer& transfer, std::uint64_t from, const std::string& validator) {
  Easy easy;
  char error[CURL_ERROR_SIZE] = "";
  auto set = [&](auto option, auto value) { curl_easy_setopt(easy.handle, option, value); };
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(error));
  set(CURLOPT_PROTOCOLS_STR, "http,https,file");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 10L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name server that is silent shall not be waited for
  set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, stalled_seconds);
  set(CURLOPT_USERAGENT, "kdev");
  set(CURLOPT_WRITEFUNCTION, &on_data);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  curl_slist* headers = nullptr;
  if (from) {
    set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(from));
    if (!validator.empty()) headers = curl_slist_append(nullptr, ("If-Range: " + validator).c_str());
    set(CURLOPT_HTTPHEADER, headers);
  }
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> freed(headers, &curl_slist_free_all);
  Outcome outcome{.code = run(transfer, easy.handle)};
  curl_easy_getinfo(easy.handle, CURLINFO_RESPONSE_CODE, &outcome.status);
  outcome.text = *error ? error : curl_easy_strerror(outcome.code);
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  return outcome;
}

[[noreturn]] void failed(const std::string& url, const std::string& reason, const std::string& hint) {
  throw HostError({.attempted = "fetch " + url, .reason = reason, .hint = hint, .log = {}});
}

std::string fetch_text(const std::string& url, const Deadline& deadline) {
  std::string text;
  Transfer transfer{.url = url,
                    .take =
                        [&](std::string_view bytes) {
                          text += bytes;
                          if (text.size() > largest_text)
                            failed(url, "it is too large for a list of checksums", "");
                        },
                    .told = {},
                    .deadline = &deadline};
  const Outcome outcome = perform(transfer, 0, {});
  if (outcome.code != CURLE_OK) failed(url, outcome.text, "");
  return text;
}

/// The unfinished file beside the one that it shall become.
class Part {
 public:
  explicit Part(const Path& target)
      : file_(target.string() + ".part"), from_(target.string() + ".part.from") {}

  void get(const std::string& url, const EventSink& on_event, const Deadline& deadline) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const std::uint64_t have = resumable();
      const Outcome outcome = continue_at(url, have, on_event, deadline);
      if (outcome.code == CURLE_OK) return;
      // The server has another file by now, or knows nothing of ranges: from the start, once.
      const bool other = outcome.status == 416 || outcome.code == CURLE_RANGE_ERROR;
      if (have && other && attempt == 0) {
        remove();
        continue;
      }
      const std::uint64_t came = local_host()->exists(file_) ? fs::file_size(file_) : 0;
      failed(url, fmt::format("{} ({} bytes came)", outcome.text, came),
             came && local_host()->exists(from_) ? "ask again: it goes on where it stopped" : "");
    }
  }
  const Path& file() const { return file_; }
  void remove() {
    local_host()->remove_all(file_);
    local_host()->remove_all(from_);
  }
  void forget_validator() { local_host()->remove_all(from_); }

 private:
  /// Bytes that can be gone on with: those of which it is known what they are a part of.
  std::uint64_t resumable() {
    if (!local_host()->exists(file_)) return 0;
    if (local_host()->exists(from_)) return fs::file_size(file_);
    local_host()->remove_all(file_);
    return 0;
  }

  Outcome continue_at(const std::string& url, std::uint64_t have, const EventSink& on_event,
                      const Deadline& deadline) {
    const std::string validator = have ? local_host()->read_file(from_) : "";
    const UniqueFd fd(::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) throw host_error("write " + file_.string(), errno);
    bool began = false;
    Transfer transfer{.url = url, .take = {}, .told = {}, .deadline = &deadline};
    transfer.take = [&](std::string_view bytes) {
      if (!began) {
        began = true;
        if (!transfer.validator.empty()) local_host()->write_file(from_, transfer.validator);
        if (::lseek(fd.get(), 0, SEEK_END) < 0) throw host_error("write " + file_.string(), errno);
      }
      for (std::string_view rest = bytes; !rest.empty();) {
        const ssize_t n = ::write(fd.get(), rest.data(), rest.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw host_error("write " + file_.string(), errno);
        rest.remove_prefix(static_cast<std::size_t>(n));
      }
    };
    auto last = Clock::now() - std::chrono::seconds(1);
    transfer.told = [&](std::uint64_t done, std::uint64_t total) {
      if (!on_event || !done || Clock::now() - last < std::chrono::milliseconds(200)) return;
      last = Clock::now();
      const std::uint64_t all = total ? total + have : 0;
      on_event(Progress{.stage = "fetch",
                        .done = static_cast<long>(done + have),
                        .total = static_cast<long>(all),
                        .eta = Seconds(-1),
                        .text = name_of(url)});
    };
    return perform(transfer, have, validator);
  }

  Path file_, from_;
};

std::unique_ptr<HeldLock> lock(const Path& target, const std::string& url, const Deadline& deadline) {
  for (;;) {
    if (auto held = local_host()->try_lock(target.string() + ".lock", "fetch " + url)) return held;
    deadline.check("wait for another process that fetches " + url);
    ::usleep(static_cast<useconds_t>(deadline.slice_ms()) * 1000);
  }
}

}  // namespace

std::string checksum_of(std::string_view text, std::string_view name) {
  static const RE2 bsd(R"(SHA256 \((.+)\) = ([0-9A-Fa-f]{64}))"), gnu(R"(([0-9A-Fa-f]{64}) [ *](.+))");
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    std::string file, hex;
    if (!RE2::FullMatch(line, bsd, &file, &hex) && !RE2::FullMatch(line, gnu, &hex, &file)) continue;
    if (file.starts_with("./")) file.erase(0, 2);
    if (file == name) return boost::algorithm::to_lower_copy(hex);
  }
  return {};
}

Path fetch(const FetchRequest& request, const Path& cache_dir, const EventSink& on_event,
           const Deadline& deadline) {
  const std::string& url = request.url;
  std::string wanted = boost::algorithm::to_lower_copy(request.sha256);
  if (wanted.empty() && !request.checksums.empty()) {
    wanted = checksum_of(fetch_text(request.checksums, deadline), name_of(url));
    if (wanted.empty())
      throw FormatError({.attempted = "fetch " + url,
                         .reason = fmt::format("{} has no SHA-256 for {}", request.checksums, name_of(url)),
                         .hint = "",
                         .log = {}});
  }
  local_host()->make_directories(cache_dir);
  // What is verified is known by its content, else by where it came from.
  const Path target =
      cache_dir / ((wanted.empty() ? sha256(url) : wanted).substr(0, 32) + "-" + name_of(url));
  if (local_host()->exists(target)) return target;
  const auto held = lock(target, url, deadline);
  if (local_host()->exists(target)) return target;
  Part part(target);
  part.get(url, on_event, deadline);
  if (!wanted.empty()) {
    const std::string got = Digest().add_file(part.file(), deadline).hex();
    if (got != wanted) {
      part.remove();
      throw FormatError({.attempted = "fetch " + url,
                         .reason = fmt::format("its SHA-256 is {}, {} was expected", got, wanted),
                         .hint = "it was removed; ask again, or look at what the server has",
                         .log = {}});
    }
  }
  local_host()->rename(part.file(), target);
  part.forget_validator();
  return target;
}

}  // namespace kdev
