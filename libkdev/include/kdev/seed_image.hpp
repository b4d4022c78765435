#pragma once
#include <kdev/compression.hpp>
#include <kdev/conf_edit.hpp>
#include <kdev/deadline.hpp>
#include <kdev/dump_settings.hpp>
#include <kdev/event.hpp>
#include <kdev/export.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <kdev/userland_artifact.hpp>
#include <string>
#include <vector>

namespace kdev {

/// One entry of an initramfs, as gen_init_cpio's list names them: file, dir, nod, slink, pipe, sock.
struct ImageEntry {
  enum class Type { file, dir, node, symlink, pipe, socket };
  Type type = Type::file;
  std::string path = {};  ///< in the guest, absolute
  unsigned mode = 0;      ///< permission bits
  unsigned uid = 0, gid = 0;
  Path source = {};          ///< file: where the content comes from
  std::string content = {};  ///< file: the content itself, when source is empty
  /// symlink: where it points to. file: when not empty, this is a further name (hard link) of the file whose
  /// entry has this path.
  std::string target = {};
  char device = 0;  ///< node: 'c' or 'b'
  unsigned major = 0, minor = 0;
  std::uint64_t size = 0;  ///< file: bytes, filled in by entries() and list_archive()
  bool operator==(const ImageEntry&) const = default;
};

/// A disk image on this host.
struct KDEV_API DiskFile {
  Path file;
  std::uint64_t size = 0;       ///< apparent, bytes: what a guest sees of a raw one
  std::uint64_t real_size = 0;  ///< bytes that it takes; holes take none
  bool operator==(const DiskFile&) const = default;
};

/// What a guest boots from: an immutable recipe, made into a file when a VM needs it. No root is needed
/// anywhere.
class KDEV_API SeedImage {
 public:
  /// Static busybox (found on the host), all its applets, kdev's agent as /init. The usual choice.
  static SeedImage busybox();
  /// A directory's content, as it is; entries are owned by root. With `agent`, kdev's agent becomes /init.
  static SeedImage directory(const Path& dir, bool agent = false);
  /// A gen_init_cpio list; relative `file` sources are relative to the list's folder, ${VAR} is expanded.
  static SeedImage list(const Path& file);
  static SeedImage from_entries(std::vector<ImageEntry> entries);
  /// A ready cpio archive (compressed or not), used as it is; what is added goes into a second archive behind
  /// it, as kernels accept it.
  static SeedImage archive(const Path& file);
  /// What a guest needs of a tree's own programs, with kdev's agent as /init; its file systems are made by
  /// the tree's own makefs.
  static SeedImage userland(const UserlandArtifact& userland);
  /// A whole disk with a system and its loader on it, as releases hand them out: NAME.raw, NAME.qcow2, packed
  /// or not (NAME.raw.xz). `agent`: kdev's agent is started on it. Files and edits that are added take effect
  /// by customize().
  static SeedImage disk(const Path& file, Os os, bool agent = false);
  /// The same from a URL (http, https, file), fetched when it is first needed and kept. Verified by `sha256`,
  /// or by the checksum file at the URL `checksums`; by neither when both are empty.
  static SeedImage from_url(const std::string& url, Os os, const std::string& sha256 = {},
                            const std::string& checksums = {}, bool agent = false);
  /// A folder, a list or an archive, told apart by looking.
  static SeedImage initramfs(const Path& path);

  SeedImage add_file(const Path& source, const std::string& guest_path,
                     unsigned mode = 0) const;  ///< mode 0: as source
  SeedImage add_content(const std::string& content, const std::string& guest_path,
                        unsigned mode = 0644) const;
  SeedImage add_directory(const std::string& guest_path, unsigned mode = 0755) const;
  /// In /m/NAME.ko.
  SeedImage add_module(const ModuleArtifact& module) const;
  /// The kernel's own modules, where its build installs them (Linux: /lib/modules/RELEASE).
  SeedImage add_modules(const KernelArtifact& kernel) const;
  SeedImage compress(Compression compression) const;
  /// Where a disk or a file system is made of it: free room in the root ("1G"; when not said 512 MiB on a
  /// disk, 32 MiB in memory), and a partition for swap and crash dumps (1 GiB when not said; "0": none).
  /// ConfigError for what is no size.
  SeedImage free_space(const std::string& size) const;
  SeedImage swap(const std::string& size) const;
  /// The disk that a guest gets of it is as large as this ("30G"); what is on it grows when the guest sees to
  /// that (FreeBSD: growfs_enable in rc.conf). ConfigError for what is no size; when a guest starts, for less
  /// than there is.
  SeedImage grow(const std::string& size) const;
  const std::string& disk_size() const { return disk_size_; }  ///< empty: as it is

  /// Changes a configuration file, after everything that is added. ConfigError for what cannot be.
  SeedImage edit(const ConfEdit& edit) const;
  /// How guests that boot it dump when they crash. ConfigError when that guest's dumps are not known.
  SeedImage dump_settings(const DumpSettings& settings, Os os = Os::freebsd) const;

  /// The system's own init starts it (FreeBSD: init(8) and rc(8)), with kdev's agent as one of its services,
  /// where usually the agent is the first process. For a whole system, as of build_userland("world").
  /// ConfigError when there is no agent in it, or this guest's services are not known.
  SeedImage own_init(Os os = Os::freebsd) const;
  /// The agent is the guest's first process.
  bool agent_is_init() const { return agent_ && !own_init_; }

  /// True when kdev's agent is in it: then a VM can run commands.
  bool has_agent() const { return agent_; }
  bool is_archive() const { return !archive_.empty(); }
  bool is_disk() const { return !disk_.empty() || !url_.empty(); }
  /// Of a disk: what is on it.
  Os os() const { return os_; }
  /// Of a disk: the image, fetched and unpacked into a cache folder if need be. A broken-off transfer goes on
  /// where it stopped. HostError, FormatError (checksum, damaged data), ConfigError when it is no disk.
  DiskFile fetch(const Path& cache_dir, const EventSink& on_event = {}, const Deadline& deadline = {}) const;
  /// What was added and changed since.
  const std::vector<ImageEntry>& added() const { return entries_; }
  const std::vector<ConfEdit>& edits() const { return edits_; }
  Compression compression() const { return compression_; }
  /// The program that makes a file system of it, for guests that take no archive. Empty: the host's.
  const Path& makefs() const { return makefs_; }
  /// Boot loaders, as a guest's /boot; empty: it has none, and boots without a disk only.
  const Path& boot() const { return boot_; }
  /// The program that makes a disk of both. Empty: the host's.
  const Path& mkimg() const { return mkimg_; }
  std::uint64_t free_bytes() const { return free_bytes_; }  ///< 0: not said
  std::uint64_t swap_bytes() const { return swap_bytes_; }
  /// Every entry in archive order, over those of `below`, which changes apply to as well. HostError when
  /// busybox, the agent or a source is missing; ConfigError for paths that cannot be (not absolute, "..",
  /// below a file).
  std::vector<ImageEntry> entries(const std::vector<ImageEntry>& below = {}) const;
  /// Writes the archive (newc). Same input, same bytes: entries sorted by path, mtime 0, inodes counted.
  /// Atomic; nothing is left when it fails (disk full).
  void write(const Path& file, const Deadline& deadline = {}) const;
  /// The archive in a cache folder (made when missing), named by content; written when it is not there yet.
  /// Safe for any number of threads and processes at once. An archive() without additions is returned as it
  /// is.
  Path realize(const Path& cache_dir, const Deadline& deadline = {}) const;
  /// A raw disk that BIOS and UEFI boot, for whatever runs disks: the image's entries, its loaders, this
  /// kernel. `variables`: for the kernel, as VmSpec::cmdline. Atomic, with holes. ConfigError when the image
  /// has no loaders.
  DiskFile write_disk(const Path& file, const KernelArtifact& kernel, const std::string& variables = {},
                      const Deadline& deadline = {}) const;
  /// The same entries in gen_init_cpio's list format (content-only files are written beside it).
  void write_list(const Path& file) const;

  bool operator==(const SeedImage&) const = default;
  std::string to_json() const;
  static SeedImage from_json(std::string_view json);

 private:
  /// What write() puts after the archive, or all that it writes when there is none.
  std::vector<ImageEntry> own_entries(const Deadline& deadline = {},
                                      const std::vector<ImageEntry>& below = {}) const;
  void add_entry(ImageEntry entry);
  std::vector<ImageEntry> entries_;
  std::vector<Path> trees_;  ///< directories taken whole
  std::vector<ConfEdit> edits_;
  Path archive_, disk_;
  std::string url_, sha256_, checksums_, disk_size_;
  Os os_ = Os::linux;
  Path makefs_, mkimg_, boot_, metalog_;
  std::uint64_t free_bytes_ = 0, swap_bytes_ = std::uint64_t{1} << 30;
  Compression compression_ = Compression::none;
  bool agent_ = false;
  bool busybox_ = false;
  bool own_init_ = false;
};

/// The entries of a cpio archive, compressed or not, also several concatenated ones (early microcode + main).
KDEV_API std::vector<ImageEntry> list_archive(const Path& file);
/// Unpacks below `dir` (created); paths that lead out of it are a FormatError. Device nodes need root:
/// without, they are skipped and named in the result.
KDEV_API std::vector<std::string> unpack_archive(const Path& file, const Path& dir);
/// gen_init_cpio's format; FormatError carries file and line.
KDEV_API std::vector<ImageEntry> parse_list(std::string_view text, const Path& base_dir,
                                            const Path& name = "list");
KDEV_API std::string format_list(const std::vector<ImageEntry>& entries);

/// kdev's static guest agent on this host. HostError when it is not installed.
KDEV_API Path agent_program();

}  // namespace kdev
