# Precompiled headers: what nearly every file of a target includes is half of the time that a small file takes. Files
# still include what they use: KDEV_PCH=OFF builds the same, and the layout lint compiles public headers alone.
option(KDEV_PCH "Precompile the headers that most files include" ON)

# kdev_precompile(TARGET OWNER HEADER...): TARGET uses the headers as OWNER, one of the targets, precompiles them.
function(kdev_precompile target owner)
  # ccache can only keep what depends on a precompiled header when it may take the header's word for its content.
  if(NOT KDEV_PCH OR (CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache" AND NOT "$ENV{CCACHE_SLOPPINESS}" MATCHES "pch_defines"))
    return()
  endif()
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
  # -pthread defines a macro, and reaches only some targets by the libraries they use: one header serves all only if all
  # have it. -fpch-preprocess is for ccache.
  target_compile_options(${target} PRIVATE -pthread $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

set(KDEV_COMMON_HEADERS <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <vector>
  <boost/filesystem/operations.hpp> <boost/filesystem/path.hpp> <fmt/format.h>)
