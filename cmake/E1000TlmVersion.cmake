# The version and the commit that --version names. The commit is asked for at build time, so that it
# is right without configuring again; outside a git checkout it is empty.
find_package(Git QUIET)
set(E1000TLM_VERSION_HEADER "${PROJECT_BINARY_DIR}/generated/e1000tlm_version.h")
add_custom_target(e1000tlm_version_header
  COMMAND ${CMAKE_COMMAND}
    -DGIT=${GIT_EXECUTABLE} -DSOURCE=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION}
    -DOUTPUT=${E1000TLM_VERSION_HEADER} -P "${PROJECT_SOURCE_DIR}/cmake/write_version.cmake"
  BYPRODUCTS "${E1000TLM_VERSION_HEADER}"
  VERBATIM)
add_library(e1000tlm_version INTERFACE)
target_include_directories(e1000tlm_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
add_dependencies(e1000tlm_version e1000tlm_version_header)
