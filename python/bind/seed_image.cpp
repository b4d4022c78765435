// What a guest boots from.
#include <kdev/seed_image.hpp>

#include "bind.hpp"
#include "blocking.hpp"
#include "value.hpp"

namespace kdev::python {

void bind_seed_image(py::module_& m) {
  Value<ImageEntry> entry(m, "ImageEntry", "One entry of an initramfs.");
  entry.py().def(
      py::init([](ImageEntry::Type type, const std::string& path, unsigned mode, unsigned uid, unsigned gid,
                  const std::optional<Path>& source, const Data& content, const std::string& target,
                  const std::string& device, unsigned major, unsigned minor) {
        if (device.size() > 1) throw py::value_error("device is 'c' or 'b'");
        return ImageEntry{type,          path,   mode,
                          uid,           gid,    source.value_or(Path()),
                          content.bytes, target, device.empty() ? '\0' : device[0],
                          major,         minor,  0};
      }),
      py::arg("type"), py::arg("path"), py::arg("mode") = 0644, py::kw_only(), py::arg("uid") = 0,
      py::arg("gid") = 0, py::arg("source") = py::none(), py::arg("content") = py::bytes(),
      py::arg("target") = "", py::arg("device") = "", py::arg("major") = 0, py::arg("minor") = 0);
  entry.py().def_property_readonly("content", [](const ImageEntry& e) { return py::bytes(e.content); });
  entry.py().def_property_readonly(
      "device", [](const ImageEntry& e) { return e.device ? std::string(1, e.device) : std::string(); });
  entry.field("type", &ImageEntry::type)
      .field("path", &ImageEntry::path, "In the guest, absolute.")
      .field("mode", &ImageEntry::mode, "Permission bits.")
      .field("uid", &ImageEntry::uid)
      .field("gid", &ImageEntry::gid)
      .optional_path("source", &ImageEntry::source, "Of a file: where the content comes from.")
      .hidden("content", &ImageEntry::content)
      .field("target", &ImageEntry::target, "Of a symbolic link.")
      .hidden("device", &ImageEntry::device)
      .field("major", &ImageEntry::major)
      .field("minor", &ImageEntry::minor)
      .field("size", &ImageEntry::size, "Of a file in a listed archive, in bytes.")
      .finish({"type", "path", "mode"});

  Value<DiskFile>(m, "DiskFile", "A disk image on this host.")
      .field("file", &DiskFile::file)
      .field("size", &DiskFile::size, "Bytes: what a guest sees of a raw one.")
      .field("real_size", &DiskFile::real_size, "Bytes that it takes; holes take none.")
      .finish();

  py::class_<SeedImage, std::shared_ptr<SeedImage>> image(
      m, "SeedImage", "What a guest boots from: an immutable recipe, made into a file when a VM needs it.");
  using Self = const SeedImage&;
  image.def_static("busybox", &SeedImage::busybox, "Static busybox, its applets, kdev's agent as /init.")
      .def_static(
          "userland",
          [](const UserlandArtifact& userland) {
            return blocking([&] { return SeedImage::userland(userland); });
          },
          py::arg("userland"), "A tree's own programs, kdev's agent as /init.")
      .def_static(
          "directory",
          [](const Path& dir, bool agent) {
            return blocking([&] { return SeedImage::directory(dir, agent); });
          },
          py::arg("dir"), py::arg("agent") = false,
          "A directory's content; entries are owned by root. With `agent`, kdev's agent becomes /init.")
      .def_static(
          "list", [](const Path& file) { return blocking([&] { return SeedImage::list(file); }); },
          py::arg("file"), "A gen_init_cpio list.")
      .def_static(
          "from_entries",
          [](std::vector<ImageEntry> entries) {
            return blocking([&] { return SeedImage::from_entries(std::move(entries)); });
          },
          py::arg("entries"))
      .def_static(
          "archive", [](const Path& file) { return blocking([&] { return SeedImage::archive(file); }); },
          py::arg("file"), "A ready cpio archive, used as it is.")
      .def_static(
          "disk",
          [](const Path& file, Os os, bool agent) {
            return blocking([&] { return SeedImage::disk(file, os, agent); });
          },
          py::arg("file"), py::arg("os"), py::kw_only(), py::arg("agent") = false,
          "A whole disk with a system and its loader: raw or NAME.qcow2, packed (NAME.raw.xz) or not. agent: "
          "kdev's agent "
          "is started on it.")
      .def_static("from_url", &SeedImage::from_url, py::arg("url"), py::arg("os"), py::kw_only(),
                  py::arg("sha256") = "", py::arg("checksums") = "", py::arg("agent") = false,
                  "The same from a URL, fetched when it is first needed and kept; verified by sha256 or by "
                  "the checksum file at "
                  "the URL `checksums`.")
      .def_static(
          "initramfs", [](const Path& path) { return blocking([&] { return SeedImage::initramfs(path); }); },
          py::arg("path"), "A folder, a list or an archive.")
      .def(
          "add_file",
          [](Self i, const Path& source, const std::string& guest_path, unsigned mode) {
            return blocking([&] { return i.add_file(source, guest_path, mode); });
          },
          py::arg("source"), py::arg("guest_path"), py::arg("mode") = 0, "mode 0: the source's.")
      .def(
          "add_content",
          [](Self i, const Data& content, const std::string& guest_path, unsigned mode) {
            return i.add_content(content.bytes, guest_path, mode);
          },
          py::arg("content"), py::arg("guest_path"), py::arg("mode") = 0644)
      .def("add_directory", &SeedImage::add_directory, py::arg("guest_path"), py::arg("mode") = 0755)
      .def(
          "add_module",
          [](Self i, const ModuleArtifact& module) { return blocking([&] { return i.add_module(module); }); },
          py::arg("module"), "As /m/NAME.ko.")
      .def(
          "add_modules",
          [](Self i, const KernelArtifact& kernel) {
            return blocking([&] { return i.add_modules(kernel); });
          },
          py::arg("kernel"), "The kernel's own, where its build installs them (Linux: /lib/modules/RELEASE).")
      .def("compress", &SeedImage::compress, py::arg("compression"))
      .def(
          "edit",
          [](Self i, const std::string& file, const std::map<std::string, std::string>& set,
             const std::map<std::string, std::string>& append,
             const std::map<std::string, std::string>& subtract, const std::vector<std::string>& remove,
             const std::vector<std::string>& lines, const std::map<std::string, std::string>& directives) {
            using Action = ConfEdit::Action;
            SeedImage image = i;
            for (const auto& [action, values] : {std::pair{Action::set, &set},
                                                 {Action::append, &append},
                                                 {Action::subtract, &subtract},
                                                 {Action::directive, &directives}})
              for (const auto& [name, value] : *values) image = image.edit({action, file, name, value});
            for (const std::string& name : remove) image = image.edit({Action::remove, file, name, ""});
            for (const std::string& line : lines) image = image.edit({Action::line, file, "", line});
            return image;
          },
          py::arg("file"), py::kw_only(), py::arg("set") = std::map<std::string, std::string>(),
          py::arg("append") = std::map<std::string, std::string>(),
          py::arg("subtract") = std::map<std::string, std::string>(),
          py::arg("remove") = std::vector<std::string>(), py::arg("lines") = std::vector<std::string>(),
          py::arg("directives") = std::map<std::string, std::string>(),
          "Changes a configuration file as sysrc(8) does, what is not named stays: variables set, words "
          "appended to or "
          "taken out of their values, variables removed; whole lines added (fstab); \"Keyword value\" "
          "(sshd_config).")
      .def("dump_settings", &SeedImage::dump_settings, py::arg("settings"), py::arg("os") = "freebsd",
           "How guests that boot it dump when they crash.")
      .def("own_init", &SeedImage::own_init, py::arg("os") = "freebsd",
           "The system's own init starts it, with kdev's agent as one of its services.")
      .def("grow", &SeedImage::grow, py::arg("size"), "The disk that a guest gets of it is as large as this.")
      .def(
          "fetch",
          [](Self i, const Path& cache_dir, const OnEvent& on_event, Timeout timeout) {
            EventSink sink = make_sink(on_event);
            return blocking([&] { return i.fetch(cache_dir, sink, deadline(timeout)); });
          },
          py::arg("cache_dir"), py::kw_only(), py::arg("on_event") = py::none(),
          py::arg("timeout") = py::none(),
          "Of a disk: the image, fetched and unpacked if need be; its apparent and its real size.")
      .def(
          "write_disk",
          [](Self i, const Path& file, const KernelArtifact& kernel, const std::string& variables,
             Timeout timeout) {
            return blocking([&] { return i.write_disk(file, kernel, variables, deadline(timeout)); });
          },
          py::arg("file"), py::arg("kernel"), py::kw_only(), py::arg("variables") = "",
          py::arg("timeout") = py::none(),
          "A raw disk that BIOS and UEFI boot: the image's entries, its loaders, this kernel.")
      .def_property_readonly("is_disk", &SeedImage::is_disk)
      .def("free_space", &SeedImage::free_space, py::arg("size"),
           "Room in the root of a disk or file system that is made of it: \"1G\"; when not said 512 MiB on a "
           "disk, 32 MiB in memory.")
      .def("swap", &SeedImage::swap, py::arg("size"),
           "A disk's partition for swap and crash dumps: 1 GiB when not said; \"0\": none.")
      .def_property_readonly("has_agent", &SeedImage::has_agent, "Then a VM can run commands.")
      .def_property_readonly("is_archive", &SeedImage::is_archive)
      .def_property_readonly("compression", &SeedImage::compression)
      .def(
          "entries", [](Self i) { return blocking([&] { return i.entries(); }); }, "In archive order.")
      .def(
          "write",
          [](Self i, const Path& file, Timeout timeout) {
            blocking([&] { i.write(file, deadline(timeout)); });
          },
          py::arg("file"), py::kw_only(), py::arg("timeout") = py::none(),
          "Writes the archive (newc). Same input, same bytes. Atomic.")
      .def(
          "realize",
          [](Self i, const Path& cache_dir, Timeout timeout) {
            return blocking([&] { return i.realize(cache_dir, deadline(timeout)); });
          },
          py::arg("cache_dir"), py::kw_only(), py::arg("timeout") = py::none(),
          "The archive in a cache folder, named by content.")
      .def(
          "write_list", [](Self i, const Path& file) { blocking([&] { i.write_list(file); }); },
          py::arg("file"))
      .def("__repr__", [](Self i) {
        std::string s = "SeedImage(agent=" + std::string(i.has_agent() ? "True" : "False");
        for (const auto& [c, name] : EnumNames<Compression>::table)
          if (c == i.compression()) s += std::string(", compression='") + name + "'";
        return s + ")";
      });
  json_value<SeedImage>(image);

  m.def(
      "list_archive", [](const Path& file) { return blocking([&] { return list_archive(file); }); },
      py::arg("file"), "The entries of a cpio archive, compressed or not, also several concatenated ones.");
  m.def(
      "unpack_archive",
      [](const Path& file, const Path& dir) { return blocking([&] { return unpack_archive(file, dir); }); },
      py::arg("file"), py::arg("dir"),
      "Unpacks below `dir`; returns the entries that need root and were left out.");
  m.def(
      "parse_list",
      [](const std::string& list, const Path& base_dir, const Path& name) {
        return parse_list(list, base_dir, name);
      },
      py::arg("text"), py::arg("base_dir"), py::arg("name") = "list");
  m.def("format_list", &format_list, py::arg("entries"));
  m.def(
      "agent_program", [] { return blocking([] { return agent_program(); }); },
      "kdev's static guest agent on this host.");
}

}  // namespace kdev::python
