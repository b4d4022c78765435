#pragma once
// libkdev: everything.
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/disk.hpp>
#include <kdev/error.hpp>
#include <kdev/event.hpp>
#include <kdev/host.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/kernconf_file.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <kdev/pipeline.hpp>
#include <kdev/seed_image.hpp>
#include <kdev/source_tree.hpp>
#include <kdev/userland_artifact.hpp>
#include <kdev/vm.hpp>
#include <kdev/workspace.hpp>
