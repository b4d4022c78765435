#pragma once
// Symbols are hidden by default; what users may call is marked KDEV_API.
#define KDEV_API __attribute__((visibility("default")))
