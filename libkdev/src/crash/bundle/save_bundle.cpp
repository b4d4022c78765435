#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>

#include "common/system_error.hpp"
#include "crash/bundle/manifest.hpp"
#include "crash/bundle/zip_writer.hpp"
#include "crash/core/core_access.hpp"
#include "guest/guest.hpp"
#include "host/atomic_file.hpp"
#include "host/hostfs.hpp"
#include "host/temporary_folder.hpp"

namespace kdev {
namespace {

using crash::ZipMember;

constexpr std::uintmax_t max_source = 16u << 20;

UniqueFd open_file(const Path& file, int flags, const std::string& attempted) {
  UniqueFd fd(::open(file.c_str(), flags | O_CLOEXEC, 0600));
  if (!fd) throw host_error(attempted + ": " + file.string(), errno);
  return fd;
}

class Saver {
 public:
  Saver(const Path& file, const BundleOptions& options)
      : attempted_("save the crash as " + file.string()),
        deadline_(Deadline::after(options.timeout, options.stop)),
        file_(file),
        zip_(file_.descriptor(), attempted_, deadline_),
        temporary_(hostfs::temporary() / "kdev-bundles") {}

  void record(const CrashRecord& record) {
    manifest_.record.environment = record.environment;
    manifest_.record.commands = record.commands;
    list(zip_.add(crash::report_name, record.report.to_json()));
    std::string_view console = record.console;
    console.remove_prefix(console.size() - std::min(console.size(), max_bundle_console));
    if (!console.empty()) list(zip_.add(crash::console_name, console));
    if (!record.config.empty()) list(zip_.add(crash::config_name, record.config));
  }

  void memory(const Core& core) {
    manifest_.os = to_string(core.os());
    const Path vmcore = temporary_.path / "vmcore";
    const std::string name = std::string(crash::memory_folder) + "vmcore";
    if (write_memory(core, vmcore)) {
      const UniqueFd fd = open_file(vmcore, O_RDONLY, attempted_);
      list(zip_.add_file(name, fd.get(), true));
    } else {
      add_compressed(name, vmcore);
    }
    boost::filesystem::remove(vmcore);
  }

  void symbols(const Core& core) {
    const crash::CoreFiles files = crash::CoreMaker::files(core);
    if (files.kernel.empty()) return;
    add_compressed(std::string(crash::kernel_folder) + files.kernel.filename().string(), files.kernel);
    for (const Path& module : files.modules)
      add_compressed(std::string(crash::module_folder) + module.filename().string(), module);
    for (const auto& [name, path] : files.sources) {
      const std::string member = std::string(crash::source_folder) + name;
      boost::system::error_code ec;
      // Headers of the host's, and what the tree has not got any more, are no part of it.
      if (crash::name_below(crash::source_folder, member).empty() ||
          !boost::filesystem::is_regular_file(path, ec) ||
          boost::filesystem::file_size(path, ec) > max_source)
        continue;
      const UniqueFd fd = open_file(path, O_RDONLY, attempted_);
      list(zip_.add_file(member, fd.get(), false));
    }
  }

  void recording(const RecordedRun& run) {
    if (!run.missing.empty()) return note("it has no recording: " + run.missing);
    // A file that has gone, before anything of it is in: the rest is not to be lost for it.
    for (const auto& [role, file] : run.files)
      if (boost::system::error_code ec; !boost::filesystem::is_regular_file(file, ec))
        return note(fmt::format("it has no recording: {} is gone", file.string()));
    const std::string folder(crash::recording_folder);
    list(zip_.add(folder + std::string(crash::recording_description), run.description));
    for (const auto& [role, file] : run.files) add_compressed(folder + role, file);
  }

  void note(std::string text) { manifest_.notes.push_back(std::move(text)); }

  void finish() {
    zip_.add(crash::manifest_name, manifest_.to_json());
    zip_.finish();
    file_.commit();
  }

 private:
  /// Without what no look at a kernel needs, where it can be told apart; in the form that the guest's own
  /// tools take. True: it is compressed.
  bool write_memory(const Core& core, const Path& vmcore) {
    const std::vector<PageKind> filtered{PageKind::free, PageKind::user, PageKind::cache};
    for (const auto& leave_out : {filtered, std::vector<PageKind>{}}) {
      try {
        core.write_kdump(vmcore, KdumpCompression::zlib, leave_out, deadline_);
        return true;
      } catch (const ConfigError&) {
        // Its lists are not known, or no tool of this guest's reads such files.
      }
      try {
        core.write_elf(vmcore, leave_out, deadline_);
        return false;
      } catch (const ConfigError&) {
        if (leave_out.empty()) throw;
      }
    }
    return false;
  }

  void add_compressed(const std::string& name, const Path& path) {
    const Path packed = temporary_.path / "packed.zst";
    const UniqueFd from = open_file(path, O_RDONLY, attempted_);
    const UniqueFd to = open_file(packed, O_RDWR | O_CREAT | O_TRUNC, attempted_);
    crash::compress_zstd(from.get(), to.get(), attempted_, deadline_);
    list(zip_.add_file(name + std::string(crash::zstd_suffix), to.get(), true));
    boost::filesystem::remove(packed);
  }

  void list(const ZipMember& member) {
    manifest_.members[member.name] = {.size = member.size, .sha256 = member.sha256};
  }

  std::string attempted_;
  Deadline deadline_;
  AtomicFile file_;
  crash::ZipWriter zip_;
  TemporaryFolder temporary_;
  crash::Manifest manifest_;
};

}  // namespace

void save_bundle(const Path& file, const CrashRecord& record, const Core* core, const BundleOptions& options,
                 const std::function<RecordedRun()>& recorded) {
  Saver saver(file, options);
  saver.record(record);
  if (core && options.symbols) saver.symbols(*core);
  if (core && options.memory) saver.memory(*core);
  if (!core) saver.note("it has no memory: there was none left to read when it was made");
  if (recorded) saver.recording(recorded());
  saver.finish();
}

void CrashReport::save(const Path& file, const BundleOptions& options) const {
  if (origin.from) return origin.from->save(*this, file, options);
  // Of a log: what of it belongs to the report.
  save_bundle(file,
              {.report = *this, .console = dmesg + text, .config = {}, .environment = {}, .commands = {}},
              nullptr, options);
}

}  // namespace kdev
