# Library, headers, CMake package and pkg-config file: under a prefix, or in a wheel beside the Python package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(SKBUILD)
  set(include_dir alphacut/include)
  set(library_dir alphacut/lib)
else()
  set(include_dir ${CMAKE_INSTALL_INCLUDEDIR})
  set(library_dir ${CMAKE_INSTALL_LIBDIR})
endif()
set(package_dir ${library_dir}/cmake/alphacut)

install(
  TARGETS alphacut
  EXPORT alphacut-targets
  ARCHIVE DESTINATION ${library_dir}
  LIBRARY DESTINATION ${library_dir}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  INCLUDES DESTINATION ${include_dir})
install(DIRECTORY cpp/include/alphacut DESTINATION ${include_dir})
install(EXPORT alphacut-targets NAMESPACE alphacut:: DESTINATION ${package_dir})

configure_package_config_file(cmake/alphacut-config.cmake.in ${PROJECT_BINARY_DIR}/alphacut-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/alphacut-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/alphacut-config.cmake ${PROJECT_BINARY_DIR}/alphacut-config-version.cmake
        DESTINATION ${package_dir})

if(SKBUILD)
  install(FILES cmake/alphacut-embed.cmake DESTINATION ${package_dir})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")  # one object: each template once, and no names that no program links to
    install(CODE "
      set(library \"\${CMAKE_INSTALL_PREFIX}/${library_dir}/libalphacut.a\")
      set(object \"\${CMAKE_INSTALL_PREFIX}/${library_dir}/alphacut.o\")
      execute_process(COMMAND \"${CMAKE_LINKER}\" -r --whole-archive \"\${library}\" -o \"\${object}\"
                      COMMAND_ERROR_IS_FATAL ANY)
      file(REMOVE \"\${library}\")
      execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-unneeded \"\${object}\" COMMAND_ERROR_IS_FATAL ANY)
      execute_process(COMMAND \"${CMAKE_AR}\" rcsD \"\${library}\" \"\${object}\" COMMAND_ERROR_IS_FATAL ANY)
      file(REMOVE \"\${object}\")")
  endif()
  # What else is inside: a bill of materials (PEP 770), and the licence of the templates that bind it to Python.
  configure_file(cmake/sbom.cdx.json.in ${PROJECT_BINARY_DIR}/alphacut.cdx.json @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/alphacut.cdx.json DESTINATION ${SKBUILD_METADATA_DIR}/sboms)
  file(GLOB license "${pybind11_DIR}/../../../../pybind11-*.dist-info/licenses/LICENSE"
       "${pybind11_DIR}/../../../doc/pybind11*/copyright")
  if(license)
    list(GET license 0 license)
    install(FILES "${license}" DESTINATION ${SKBUILD_METADATA_DIR}/licenses RENAME LICENSE.pybind11)
  else()
    message(WARNING "The licence of pybind11 was not found: this wheel must not be passed on without it.")
  endif()
else()
  file(RELATIVE_PATH to_prefix /${library_dir}/pkgconfig /)
  if(BUILD_SHARED_LIBS)
    set(shared_flag " -DALPHACUT_SHARED")
  elseif(UNIX)
    set(static_libs " -lstdc++ -lm ${CMAKE_THREAD_LIBS_INIT}")  # for programs in C
    if(APPLE)
      string(REPLACE stdc++ c++ static_libs "${static_libs}")
    endif()
  endif()
  configure_file(cmake/alphacut.pc.in ${PROJECT_BINARY_DIR}/alphacut.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/alphacut.pc DESTINATION ${library_dir}/pkgconfig)
endif()
