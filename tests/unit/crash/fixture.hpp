#pragma once
#include <boost/filesystem.hpp>
#include <cstdlib>
#include <kdev/crash.hpp>
#include <kdev/host.hpp>
#include <string>
#include <vector>

namespace kdev::test {

/// A fresh folder with the fixture's files compiled in it; removed at the end.
class Fixture {
 public:
  Fixture()
      : dir_(boost::filesystem::temp_directory_path() /
             boost::filesystem::unique_path("kdev-crash-%%%%%%%%")) {
    boost::filesystem::create_directories(dir_);
    ::unsetenv("DEBUGINFOD_URLS");  // of whoever runs the tests: no server is asked
    const Path source = Path(KDEV_SOURCE_DIR) / "tests/unit/crash/fixture";
    // The tree is copied, so that a test can also move it.
    boost::filesystem::create_directories(tree() / "drivers");
    for (const char* name : {"kernel.c", "other.c", "module.c"})
      boost::filesystem::copy_file(source / name, tree() / "drivers" / name);
    run({"cc", "-g", "-O1", "-fno-pie", "-ffreestanding", "-mcmodel=kernel", "-fno-stack-protector",
         "-fno-asynchronous-unwind-tables", "-nostdlib", "-static", "-no-pie",
         "-Wl,--build-id=0x00112233445566778899aabbccddeeff99887766", "-Wl,-Ttext-segment=0xffffffff81000000",
         "-o", vmlinux().string(), (tree() / "drivers/kernel.c").string(),
         (tree() / "drivers/other.c").string()});
    run({"cc", "-g", "-O1", "-fno-pie", "-ffreestanding", "-mcmodel=kernel", "-fno-stack-protector",
         "-ffunction-sections", "-c", "-o", module().string(), (tree() / "drivers/module.c").string()});
    run({"objcopy", "-S", vmlinux().string(), stripped().string()});
  }
  ~Fixture() {
    boost::system::error_code ec;
    boost::filesystem::remove_all(dir_, ec);
  }
  Path dir() const { return dir_; }
  Path tree() const { return dir_ / "linux"; }
  Path vmlinux() const { return dir_ / "vmlinux"; }
  Path stripped() const { return dir_ / "vmlinux.stripped"; }
  Path module() const { return dir_ / "foo-crash.ko"; }
  SymbolSources sources() const {
    SymbolSources s;
    s.vmlinux = vmlinux();
    s.source = tree();
    s.modules = {module()};
    return s;
  }
  void run(std::vector<std::string> argv) const {
    Command command;
    command.argv = std::move(argv);
    local_host()->check("compile the fixture", command);
  }

 private:
  Path dir_;
};

}  // namespace kdev::test
