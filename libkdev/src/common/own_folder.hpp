#pragma once
#include <kdev/path.hpp>

namespace kdev {

/// The folder of the file that holds this code: libkdev.so, Python's extension module, or a program. Empty:
/// unknown.
Path own_folder();

}  // namespace kdev
