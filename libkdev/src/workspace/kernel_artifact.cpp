// The artifacts as JSON.
#include <kdev/kernel_artifact.hpp>

#include "common/json.hpp"

namespace kdev {

std::string KernelArtifact::to_json() const {
  return json::dump(json::object{{"id", id},
                                 {"os", to_string(os)},
                                 {"arch", arch},
                                 {"release", release},
                                 {"build_id", build_id},
                                 {"dir", dir.string()},
                                 {"image", image.string()},
                                 {"bzimage", bzimage.string()},
                                 {"vmlinux", vmlinux.string()},
                                 {"system_map", system_map.string()},
                                 {"config", config.string()},
                                 {"modules", modules.string()},
                                 {"source", source.string()},
                                 {"obj", obj.string()},
                                 {"from_store", from_store}});
}

KernelArtifact KernelArtifact::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "kernel artifact");
  KernelArtifact a;
  a.id = json::get_string(o, "id");
  a.os = os_from_string(json::get_string(o, "os", to_string(a.os)));
  a.arch = json::get_string(o, "arch");
  a.release = json::get_string(o, "release");
  a.build_id = json::get_string(o, "build_id");
  a.dir = json::get_path(o, "dir");
  a.image = json::get_path(o, "image");
  a.bzimage = json::get_path(o, "bzimage");
  a.vmlinux = json::get_path(o, "vmlinux");
  a.system_map = json::get_path(o, "system_map");
  a.config = json::get_path(o, "config");
  a.modules = json::get_path(o, "modules");
  a.source = json::get_path(o, "source");
  a.obj = json::get_path(o, "obj");
  a.from_store = json::get_bool(o, "from_store");
  return a;
}

std::string ModuleArtifact::to_json() const {
  return json::dump(json::object{{"name", name},
                                 {"ko", ko.string()},
                                 {"source", source.string()},
                                 {"kernel_id", kernel_id},
                                 {"build_id", build_id},
                                 {"from_store", from_store}});
}

ModuleArtifact ModuleArtifact::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "module artifact");
  ModuleArtifact a;
  a.name = json::get_string(o, "name");
  a.ko = json::get_path(o, "ko");
  a.source = json::get_path(o, "source");
  a.kernel_id = json::get_string(o, "kernel_id");
  a.build_id = json::get_string(o, "build_id");
  a.from_store = json::get_bool(o, "from_store");
  return a;
}

}  // namespace kdev
