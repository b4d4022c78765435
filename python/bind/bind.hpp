#pragma once
// One function per public header, in the order in which module.cpp calls them (a type before those that name
// it).
#include <pybind11/pybind11.h>

namespace kdev::python {

void bind_error(pybind11::module_& m);
void bind_deadline(pybind11::module_& m);
void bind_event(pybind11::module_& m);
void bind_host(pybind11::module_& m);
void bind_source_tree(pybind11::module_& m);
void bind_kernel_artifact(pybind11::module_& m);
void bind_kern_conf(pybind11::module_& m);
void bind_kernconf_file(pybind11::module_& m);
void bind_address_space(pybind11::module_& m);
void bind_seed_image(pybind11::module_& m);
void bind_dump_settings(pybind11::module_& m);
void bind_disk(pybind11::module_& m);
void bind_workspace(pybind11::module_& m);
void bind_crash(pybind11::module_& m);
void bind_crash_facts(pybind11::module_& m);
void bind_triage(pybind11::module_& m);
void bind_bundle(pybind11::module_& m);
void bind_core(pybind11::module_& m);
void bind_vm(pybind11::module_& m);
void bind_debug(pybind11::module_& m);
void bind_kernel_debugger(pybind11::module_& m);
void bind_pipeline(pybind11::module_& m);

}  // namespace kdev::python
