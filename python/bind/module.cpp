// The extension module kdev._kdev. kdev/__init__.py names what is public.
#include "bind.hpp"

PYBIND11_MODULE(_kdev, m) {
  m.doc() = "libkdev for Python.";
  kdev::python::bind_error(m);
  kdev::python::bind_deadline(m);
  kdev::python::bind_event(m);
  kdev::python::bind_host(m);
  kdev::python::bind_source_tree(m);
  kdev::python::bind_kernel_artifact(m);
  kdev::python::bind_kern_conf(m);
  kdev::python::bind_kernconf_file(m);
  kdev::python::bind_address_space(m);
  kdev::python::bind_dump_settings(m);
  kdev::python::bind_seed_image(m);
  kdev::python::bind_disk(m);
  kdev::python::bind_workspace(m);
  kdev::python::bind_crash(m);
  kdev::python::bind_triage(m);
  kdev::python::bind_core(m);
  kdev::python::bind_bundle(m);
  kdev::python::bind_vm(m);
  kdev::python::bind_debug(m);
  kdev::python::bind_kernel_debugger(m);
  kdev::python::bind_pipeline(m);
}
