#pragma once
#include <string>
#include <string_view>

#include <kdev/export.hpp>
#include <kdev/source_tree.hpp>

namespace kdev {

/// Programs for a guest, built from the tree that its kernel comes from. A value: copies name the same files in the
/// artifact store.
struct KDEV_API UserlandArtifact {
  std::string id;       ///< content key in the store (hex)
  Os os = Os::linux;
  std::string kind;     ///< "rescue": one static program of many names; "world": all the tree has
  std::string release;  ///< the tree's version
  Path dir;             ///< the artifact's folder in the store
  Path root;            ///< what a guest's root holds, kdev's agent as /init
  Path boot;            ///< boot loaders and their scripts, as the guest's /boot; empty: the tree's are left out
  Path metalog;         ///< owners and modes of `root`'s files, in the form of mtree(5); empty: all are root's
  Path makefs;          ///< makes the guest's file systems on this host; empty: not needed
  Path mkimg;           ///< puts them, and the loaders, into a disk image on this host; empty: not needed
  Path sysroot;         ///< headers and libraries to build programs against; in the workspace's obj/
  bool from_store = false;

  bool operator==(const UserlandArtifact&) const = default;
  std::string to_json() const;
  static UserlandArtifact from_json(std::string_view json);
};

}  // namespace kdev
