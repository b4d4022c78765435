// Disk images changed by a guest that mounts them.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "common/digest.hpp"
#include "guest/guest.hpp"
#include "host/temporary_folder.hpp"
#include "image/compose.hpp"
#include "image/content.hpp"
#include "vm/run_dir.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;
using Words = std::vector<std::string>;

/// Writes below the place where the other guest's root is mounted.
class Editor {
 public:
  Editor(VM& vm, std::string root, std::string attempted, const Deadline& deadline)
      : vm_(vm), root_(std::move(root)), attempted_(std::move(attempted)), deadline_(deadline) {}

  void put(const ImageEntry& entry) {
    const std::string path = place(entry.path);
    switch (entry.type) {
      case Type::dir:
        run({"mkdir", "-p", path});
        break;
      case Type::symlink:
        run({"ln", "-sfn", entry.target, path});
        return;
      case Type::file:
        if (!entry.target.empty()) {
          run({"ln", "-f", place(entry.target), path});
          return;
        }
        if (entry.source.empty())
          vm_.write_file(path, entry.content, entry.mode);
        else
          vm_.push(entry.source, path, deadline_.stop());
        break;
      default:
        throw ConfigError({.attempted = attempted_,
                           .reason = fmt::format("{} is a device, a pipe or a socket", entry.path),
                           .hint = "the guest makes those itself",
                           .log = {}});
    }
    run({"chmod", fmt::format("{:o}", entry.mode), path});
    if (entry.uid || entry.gid) run({"chown", fmt::format("{}:{}", entry.uid, entry.gid), path});
  }

  void change(const ConfEdit& edit) {
    std::string path = place(edit.file);
    const bool there = ask({"test", "-e", path}).exit_code == 0;
    if (there) path = inside(path, edit.file);
    const std::string before = there ? vm_.read_file(path) : std::string();
    const std::string after = edit.applied_to(before);
    if (after == before) return;
    // Into the file that is there: its owner and mode stay.
    vm_.write_file("/tmp/kdev-edit", after);
    if (there)
      run({"sh", "-c", "cat /tmp/kdev-edit > \"$0\"", path});
    else
      run({"cp", "/tmp/kdev-edit", path});
  }

  std::string script(const std::string& text) { return run({"sh", "-c", text}); }

 private:
  /// Where a path of the other guest is in this one; its folder is made. A link of its own that leads out of
  /// its root is one of this guest's here: refused.
  std::string place(const std::string& path) {
    const std::string folder = root_ + path.substr(0, path.rfind('/'));
    run({"mkdir", "-p", folder});
    return inside(folder, path) + path.substr(path.rfind('/'));
  }

  std::string inside(const std::string& there, const std::string& path) {
    std::string real = run({"realpath", there});
    while (!real.empty() && real.back() == '\n') real.pop_back();
    if (real == root_ || real.starts_with(root_ + "/")) return real;
    throw ConfigError({.attempted = attempted_,
                       .reason = fmt::format("a link on the disk takes {} to {}", path, real),
                       .hint = "name the file that it is meant to be",
                       .log = {}});
  }

  CommandResult ask(const Words& argv) {
    return vm_.run(argv, {.timeout = deadline_.remaining(), .stop = deadline_.stop()});
  }

  std::string run(const Words& argv) {
    const CommandResult result = ask(argv);
    // A kernel that checks itself may print a report and go on: that is no failure of the command.
    if (result.exit_code != 0)
      throw GuestError({.attempted = attempted_,
                        .reason = result.timed_out     ? fmt::format("{}: the time is over", result.command)
                                  : result.err.empty() ? fmt::format("{} failed", result.command)
                                                       : result.err,
                        .hint = "",
                        .log = vm_.console_log()});
    return result.out;
  }

  VM& vm_;
  std::string root_, attempted_;
  Deadline deadline_;
};

}  // namespace

SeedImage customize(const SeedImage& disk, const KernelArtifact& kernel, const UserlandArtifact& userland,
                    const CustomizeOptions& options) {
  const std::string attempted = "customize a disk image";
  if (!disk.is_disk())
    throw ConfigError({.attempted = attempted,
                       .reason = "it is no disk: what is added to it is in it",
                       .hint = "SeedImage.disk() and from_url() make one",
                       .log = {}});
  const Deadline deadline = Deadline::after(options.timeout, options.stop);
  const guest::Guest& guest = guest::guest_for(disk.os());
  std::vector<ImageEntry> entries = disk.added();
  const std::vector<ConfEdit>& edits = disk.edits();
  if (!disk.has_agent()) {
    const std::vector<ImageEntry> service = guest.agent_service(userland.root / "init");
    entries.insert(entries.end(), service.begin(), service.end());
  }

  entries = compose({entries});  // also checks the paths
  const auto result = [&](const Path& file) {
    const SeedImage image = SeedImage::disk(file, disk.os(), true);
    return disk.disk_size().empty() ? image : image.grow(disk.disk_size());
  };

  VmSpec spec;
  spec.kernel = kernel;
  spec.image = SeedImage::userland(userland);
  const Path cache =
      options.cache_dir.empty() ? vm::RunDir(spec, "customize").image_cache() : options.cache_dir;
  const DiskFile base = disk.fetch(cache, options.on_event, deadline);
  if (entries.empty() && edits.empty()) return result(base.file);

  const FileStatus status = local_host()->status(base.file);
  Digest key;
  key.add(base.file.string()).add(fmt::format("{} {}", status.size, status.mtime_ns));
  key.add(content_key(entries, Compression::none, {}, deadline)).add(userland.id);
  for (const ConfEdit& edit : edits) key.add(edit.to_json());
  const Path target = cache / (key.hex().substr(0, 32) + ".qcow2");
  if (local_host()->exists(target)) return result(target);

  const TemporaryFolder temporary(cache);
  const hypervisor::Hypervisor& hypervisor = *hypervisor::all_hypervisors().front();
  const hypervisor::MachineDisk overlay =
      hypervisor.make_overlay(hypervisor::disk_at(base.file), temporary.path / "disk.qcow2", deadline);
  spec.disks = {Disk{.file = overlay.file, .keep = true}};
  VM vm(spec, options.on_event);
  vm.start(options.stop);
  const guest::DiskMount mount = guest.mount_first_disk();
  Editor editor(vm, mount.at, attempted, deadline);
  const std::string partitions = editor.script(mount.mount);
  if (options.on_event) options.on_event(Notice{partitions});
  for (const ImageEntry& entry : entries) {
    deadline.check(attempted);
    editor.put(entry);
  }
  for (const ConfEdit& edit : edits) editor.change(edit);
  editor.script(mount.unmount);
  vm.stop();
  vm.close();
  local_host()->rename(overlay.file, target);
  return result(target);
}

}  // namespace kdev
