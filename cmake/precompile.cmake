# Headers that nearly every file of libkdev includes, compiled once: they are half of the time that a small file takes.
# Included by libkdev after its folders; every folder uses common's. Files still include what they use: KDEV_PCH=OFF
# builds the same, and the public headers are compiled alone by the layout lint.
option(KDEV_PCH "Precompile the standard library's and Boost's headers" ON)

# ccache can only keep what depends on a precompiled header when it may take the header's word for its content.
if(KDEV_PCH AND NOT (CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache" AND NOT "$ENV{CCACHE_SLOPPINESS}" MATCHES "pch_defines"))
  foreach(folder IN LISTS KDEV_FOLDERS)
    if(folder STREQUAL "common")
      target_precompile_headers(kdev_common PRIVATE
        <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <vector>
        <boost/filesystem/operations.hpp> <boost/filesystem/path.hpp> <fmt/format.h>)
    else()
      target_precompile_headers(kdev_${folder} REUSE_FROM kdev_common)
    endif()
    # -pthread defines a macro, and reaches only some folders by the libraries they use: one header serves all only if all
    # have it. -fpch-preprocess is for ccache.
    target_compile_options(kdev_${folder} PRIVATE -pthread $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endforeach()
endif()
