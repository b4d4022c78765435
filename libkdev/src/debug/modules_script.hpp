#pragma once
#include <string_view>

namespace kdev::debug {

/// A script in gdb's Python that keeps the symbols of modules as the kernel's list of them is: the command
/// "kdev-modules" looks at the list, and prints a line "loaded NAME" or "unloaded NAME" for each change;
/// after "kdev-follow" (or "kdev-follow hardware") the same happens, without a stop that anybody sees, when
/// the kernel loads or unloads one, before the module's own code runs.
///
/// The file kdev-modules.json in gdb's folder has the files with symbols by the modules' names. The guest's
/// script (guest::GdbRules::script) defines
///   kdev_modules()        yields (name, [(section's name, or its place in the file's table of sections,
///   address), ...]) KDEV_MODULE_LOADED    a function that is called with the module in the list, before its
///   code runs KDEV_MODULE_UNLOADED  one that is called when none of its code runs any more
///   kdev_module_leaving() the name, there
/// After "python KdevModules.tell = True" each change is told at once as well, by a line that begins with the
/// mark: then "+ NAME" for a module that came, "- NAME" for one that went.
std::string_view modules_script();
inline constexpr std::string_view module_mark = "\x1ekdev ";

}  // namespace kdev::debug
