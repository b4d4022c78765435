#include <fcntl.h>
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <mutex>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "crash/bundle/manifest.hpp"
#include "crash/bundle/zip_reader.hpp"
#include "crash/core/core_access.hpp"
#include "host/hostfs.hpp"
#include "host/sparse_file.hpp"
#include "host/temporary_folder.hpp"

namespace kdev {
namespace {

using crash::name_below;
using crash::ZipSink;

// No bundle that kdev makes comes near these.
constexpr std::uint64_t max_text = 256u << 20;      ///< of a member that is kept in memory
constexpr std::uint64_t max_symbols = 16ull << 30;  ///< of all symbols' files, unpacked
constexpr std::uint64_t max_sources = 1ull << 30;
constexpr std::uint64_t max_recording = 64ull << 30;
constexpr std::uint64_t max_memory = 1ull << 40;

[[noreturn]] void refuse(const std::string& attempted, std::string reason, std::string hint = {}) {
  throw FormatError(
      {.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

/// Counts what all of a kind take, against bombs.
class Budget {
 public:
  Budget(std::uint64_t most, const std::string& attempted) : left_(most), attempted_(attempted) {}
  void take(std::size_t n) {
    if (n > left_) refuse(attempted_, "it unpacks to more than any bundle has");
    left_ -= n;
  }

 private:
  std::uint64_t left_;
  const std::string& attempted_;
};

/// A new file below a folder that is the bundle's own; nothing is in it but what was put there.
UniqueFd new_file(const Path& file, const std::string& attempted) {
  boost::system::error_code ec;
  boost::filesystem::create_directories(file.parent_path(), ec);
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  // A name that is a folder at the same time, for one.
  if (!fd && (errno == EEXIST || errno == ENOTDIR || errno == EISDIR || errno == ENOENT))
    refuse(attempted, fmt::format("its names contradict each other: {}", file.filename().string()));
  if (!fd) throw host_error(attempted, errno);
  return fd;
}

}  // namespace

struct Bundle::State {
  State(const Path& file, const Deadline& deadline)
      : attempted("read the bundle " + file.string()), fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!fd) throw host_error(attempted, errno);
    read_texts(deadline);
  }

  void read_texts(const Deadline& deadline);
  void unpack(std::string_view what, std::uint64_t most, const Deadline& deadline,
              const std::function<Path(const std::string& name)>& place);
  Path unpack_memory(const Deadline& deadline);
  RecordedRun unpack_recording(const Deadline& deadline);
  SymbolSources unpack_symbols(const Deadline& deadline);
  bool has(std::string_view folder) const {
    const auto at = manifest.members.lower_bound(folder);
    return at != manifest.members.end() && at->first.starts_with(folder);
  }
  void check(const std::string& name, std::uint64_t size, Digest& digest) const {
    const auto& member = manifest.members.at(name);
    if (size != member.size || digest.hex() != member.sha256)
      refuse(attempted, fmt::format("{} is damaged: it is not what was put in", name));
  }
  Path folder() {
    if (!temporary) temporary = std::make_shared<TemporaryFolder>(hostfs::temporary() / "kdev-bundles");
    return temporary->path;
  }

  std::string attempted;
  UniqueFd fd;
  crash::Manifest manifest;
  std::mutex mutex;  // guards what follows
  std::shared_ptr<TemporaryFolder> temporary;
  std::optional<Path> memory;
  std::optional<SymbolSources> sources;
  std::optional<RecordedRun> recorded;
};

void Bundle::State::read_texts(const Deadline& deadline) {
  std::map<std::string, std::string> texts;
  crash::read_zip(fd.get(), attempted, deadline, [&](const std::string& name) -> ZipSink {
    if (name != crash::manifest_name && name != crash::report_name && name != crash::console_name &&
        name != crash::config_name)
      return nullptr;
    const auto [at, fresh] = texts.try_emplace(name);
    if (!fresh) refuse(attempted, fmt::format("it has {} twice", name));
    return [&text = at->second, this](std::string_view bytes) {
      if (text.size() + bytes.size() > max_text) refuse(attempted, "it unpacks to more than any bundle has");
      text += bytes;
    };
  });
  const auto text = texts.find(crash::manifest_name);
  if (text == texts.end())
    refuse(attempted, "it is a zip archive, but no bundle", "CrashReport::save() makes bundles");
  manifest = crash::Manifest::from_json(text->second);
  for (const auto& [name, content] : texts) {
    if (name == crash::manifest_name) continue;
    if (!manifest.members.contains(name)) refuse(attempted, fmt::format("{} was put in later", name));
    Digest digest;
    digest.raw(content);
    check(name, content.size(), digest);
  }
  if (!texts.contains(crash::report_name)) refuse(attempted, "it has no report");
  manifest.record.report = CrashReport::from_json(texts[crash::report_name]);
  manifest.record.console = std::move(texts[crash::console_name]);
  manifest.record.config = std::move(texts[crash::config_name]);
}

/// Members for which there is a place, each checked; those of zstd's are expanded.
void Bundle::State::unpack(std::string_view what, std::uint64_t most, const Deadline& deadline,
                           const std::function<Path(const std::string& name)>& place) {
  struct Open {
    std::string name;
    Path path;
    UniqueFd fd;
    std::uint64_t size = 0;
    Digest digest{};
  };
  Budget budget(most, attempted);
  std::optional<Open> open;
  std::size_t seen = 0, wanted = 0;
  for (const auto& [name, member] : manifest.members) wanted += name.starts_with(what);
  const auto finish = [&] {
    if (!open) return;
    check(open->name, open->size, open->digest);
    if (open->path.extension() == Path(std::string(crash::zstd_suffix)) &&
        !what.starts_with(crash::memory_folder)) {
      Path plain = open->path;
      plain.replace_extension();
      const UniqueFd to = new_file(plain, attempted);
      SparseWriter writer(to.get(), attempted);
      crash::expand_zstd(open->fd.get(), attempted, deadline, [&](std::string_view bytes) {
        budget.take(bytes.size());
        writer.write(bytes);
      });
      writer.finish();
      boost::system::error_code ignored;
      boost::filesystem::remove(open->path, ignored);
    }
    open.reset();
  };
  crash::read_zip(fd.get(), attempted, deadline, [&](const std::string& name) -> ZipSink {
    finish();
    if (!name.starts_with(what) || !manifest.members.contains(name)) return nullptr;
    const Path at = place(name);
    if (at.empty()) refuse(attempted, "a name in it leads out of it, or is none");
    open.emplace(Open{.name = name, .path = at, .fd = new_file(at, attempted)});
    ++seen;
    return [&](std::string_view bytes) {
      budget.take(bytes.size());
      for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t n = ::write(open->fd.get(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw host_error(attempted, errno);
        done += static_cast<std::size_t>(n);
      }
      open->digest.raw(bytes);
      open->size += bytes.size();
    };
  });
  finish();
  if (seen != wanted) refuse(attempted, fmt::format("it has {} of {} files below {}", seen, wanted, what));
}

Path Bundle::State::unpack_memory(const Deadline& deadline) {
  if (memory) return *memory;
  if (!has(crash::memory_folder)) refuse(attempted, "it has no memory");
  const Path dir = folder();
  boost::filesystem::remove_all(dir / "memory");  // of a try that was interrupted
  Path file;
  unpack(crash::memory_folder, max_memory, deadline, [&](const std::string& name) {
    const std::string below = name_below(crash::memory_folder, name);
    if (below.empty() || below.find('/') != std::string::npos || !file.empty()) return Path();
    return file = dir / "memory" / below;
  });
  memory = file;
  return file;
}

RecordedRun Bundle::State::unpack_recording(const Deadline& deadline) {
  if (recorded) return *recorded;
  if (!has(crash::recording_folder))
    refuse(attempted, "it has no recording", "VM(record=True) makes one, which is saved with the crash");
  const Path dir = folder() / std::string(crash::recording_folder);
  RecordedRun found;
  Path description;
  boost::filesystem::remove_all(dir);  // of a try that was interrupted
  unpack(crash::recording_folder, max_recording, deadline, [&](const std::string& name) {
    const std::string below = name_below(crash::recording_folder, name);
    if (below == crash::recording_description) return description = dir / below;
    for (const char* role : {"tape", "kernel", "initrd"})
      if (below == role + std::string(crash::zstd_suffix)) {
        found.files[role] = dir / role;
        return dir / below;
      }
    return Path();
  });
  if (description.empty()) refuse(attempted, "its recording does not say of what it is");
  if (boost::filesystem::file_size(description) > max_text)
    refuse(attempted, "it unpacks to more than any bundle has");
  found.description = local_host()->read_file(description);
  recorded = found;
  return found;
}

SymbolSources Bundle::State::unpack_symbols(const Deadline& deadline) {
  if (sources) return *sources;
  if (!has(crash::kernel_folder))
    refuse(attempted, "it has no symbols",
           fmt::format("the kernel's build id is {}", manifest.record.environment["build_id"]));
  const Path dir = folder();
  for (const auto of : {crash::kernel_folder, crash::module_folder, crash::source_folder})
    boost::filesystem::remove_all(dir / std::string(of));  // of a try that was interrupted
  SymbolSources found;
  if (!manifest.os.empty()) found.os = os_from_string(manifest.os);
  const auto flat = [&](std::string_view kind, const std::string& name) {
    const std::string below = name_below(kind, name);
    if (below.empty() || below.find('/') != std::string::npos) return Path();
    return dir / name;
  };
  const auto plain = [](Path path) {
    if (path.extension() == Path(std::string(crash::zstd_suffix))) path.replace_extension();
    return path;
  };
  unpack(crash::kernel_folder, max_symbols, deadline, [&](const std::string& name) {
    const Path at = found.vmlinux.empty() ? flat(crash::kernel_folder, name) : Path();
    found.vmlinux = plain(at);
    return at;
  });
  unpack(crash::module_folder, max_symbols, deadline, [&](const std::string& name) {
    const Path at = flat(crash::module_folder, name);
    found.modules.push_back(plain(at));
    return at;
  });
  unpack(crash::source_folder, max_sources, deadline, [&](const std::string& name) {
    return name_below(crash::source_folder, name).empty() ? Path() : dir / name;
  });
  found.source = dir / "source";
  sources = found;
  return found;
}

Bundle::Bundle(const Path& file, const Deadline& deadline)
    : state_(std::make_shared<State>(file, deadline)) {}
Bundle::Bundle(Bundle&&) noexcept = default;
Bundle& Bundle::operator=(Bundle&&) noexcept = default;
Bundle::~Bundle() = default;

const CrashRecord& Bundle::record() const {
  return state_->manifest.record;
}
std::vector<std::string> Bundle::notes() const {
  return state_->manifest.notes;
}
bool Bundle::has_memory() const {
  return state_->has(crash::memory_folder);
}
bool Bundle::has_symbols() const {
  return state_->has(crash::kernel_folder);
}

bool Bundle::has_recording() const {
  return state_->has(crash::recording_folder);
}

RecordedRun Bundle::recorded_run(std::shared_ptr<const void>& folder, const Deadline& deadline) const {
  const std::lock_guard lock(state_->mutex);
  RecordedRun run = state_->unpack_recording(deadline);
  folder = state_->temporary;
  return run;
}

SymbolSources Bundle::symbols(const Deadline& deadline) const {
  const std::lock_guard lock(state_->mutex);
  return state_->unpack_symbols(deadline);
}

Core Bundle::core(const Deadline& deadline) const {
  return core(has_symbols() ? symbols(deadline) : SymbolSources(), deadline);
}

Core Bundle::core(SymbolSources symbols, const Deadline& deadline) const {
  Path memory;
  std::shared_ptr<const void> folder;
  {
    const std::lock_guard lock(state_->mutex);
    memory = state_->unpack_memory(deadline);
    folder = state_->temporary;
  }
  Core core(memory, std::move(symbols), deadline);
  crash::CoreMaker::hold(core, std::move(folder));
  return core;
}

}  // namespace kdev
