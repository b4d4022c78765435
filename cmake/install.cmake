# What `cmake --install` lays down: the library, its headers, kdevConfig.cmake and kdev.pc. Included by libkdev.
# Components: "runtime" is what programs need to run, "development" what they need to be built.
include(CMakePackageConfigHelpers)

set(KDEV_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/kdev)

# Only kdev's own names leave the shared library, also where a header-only dependency marks its own as visible.
if(BUILD_SHARED_LIBS)
  target_link_options(kdev PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/kdev.map)
  set_property(TARGET kdev APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/kdev.map)
endif()

install(TARGETS kdev EXPORT kdevTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libkdev/include/kdev DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.hpp")
install(EXPORT kdevTargets NAMESPACE kdev:: DESTINATION ${KDEV_CMAKE_DIR} COMPONENT development)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/kdevConfig.cmake.in ${PROJECT_BINARY_DIR}/kdevConfig.cmake
  INSTALL_DESTINATION ${KDEV_CMAKE_DIR})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kdevConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kdevConfig.cmake ${PROJECT_BINARY_DIR}/kdevConfigVersion.cmake
  DESTINATION ${KDEV_CMAKE_DIR} COMPONENT development)

# The .pc file finds the prefix from its own place, so that an installed tree can be moved. Boost has no .pc files:
# its libraries are named.
file(RELATIVE_PATH KDEV_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
if(BUILD_SHARED_LIBS)
  set(KDEV_PC_REQUIRES "")
  set(KDEV_PC_LIBS "")
else()
  set(KDEV_PC_REQUIRES "capstone fmt libarchive libcrypto libcurl libdw libelf libzstd re2 snappy sqlite3 zlib")
  set(KDEV_PC_LIBS " -lboost_json -pthread")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/kdev.pc.in ${PROJECT_BINARY_DIR}/kdev.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/kdev.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
