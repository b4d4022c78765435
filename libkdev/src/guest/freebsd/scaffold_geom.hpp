#pragma once
// The pieces of the scaffold geom-class. @NAME@ is the module's name, @UPPER@ that in capitals, @MAGIC@ the
// mark of its metadata.
#include "guest/scaffold.hpp"

namespace kdev::guest {

extern const char* const geom_class_requests;  // g_NAME.c, up to the worker: scaffold_geom_requests.cpp
extern const char* const geom_class_life;      // the rest of it: scaffold_geom_life.cpp
extern const char* const geom_class_program;   // ctl/NAMEctl.c: scaffold_geom_program.cpp

/// A GEOM class that transforms data, and the program that labels and destroys its geoms.
std::vector<ScaffoldFile> freebsd_geom_class(const std::string& module);

}  // namespace kdev::guest
