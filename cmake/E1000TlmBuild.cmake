# Compiler settings and the three functions with which every folder declares its targets.

if(NOT CMAKE_CXX_STANDARD)
  set(CMAKE_CXX_STANDARD 17)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
get_filename_component(E1000TLM_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# A precompiled header hides its inclusion from the compiler cache unless it is told so.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(e1000tlm_options INTERFACE)
target_compile_options(e1000tlm_options INTERFACE -Wall -Wextra -Werror)
target_include_directories(e1000tlm_options INTERFACE "${E1000TLM_ROOT}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(e1000tlm_options INTERFACE -fpch-preprocess)
endif()
if(E1000TLM_SANITIZE)
  add_compile_options(-fsanitize=${E1000TLM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${E1000TLM_SANITIZE})
endif()
if(E1000TLM_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# e1000tlm_library(NAME SOURCES... [LIBS libs...])            SystemC-free library
# e1000tlm_library(NAME SYSTEMC SOURCES... [LIBS libs...])    library that uses SystemC
function(e1000tlm_library name)
  cmake_parse_arguments(ARG "SYSTEMC" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC e1000tlm_options ${ARG_LIBS})
  if(ARG_SYSTEMC)
    target_link_libraries(${name} PUBLIC SystemC::systemc)
    e1000tlm_precompile_systemc(${name})
  endif()
endfunction()

# Every SystemC target shares one precompiled <systemc> + <tlm>.
function(e1000tlm_precompile_systemc name)
  if(NOT TARGET e1000tlm_pch)
    file(WRITE "${PROJECT_BINARY_DIR}/pch.cpp" "")
    add_library(e1000tlm_pch STATIC "${PROJECT_BINARY_DIR}/pch.cpp")
    target_link_libraries(e1000tlm_pch PUBLIC e1000tlm_options SystemC::systemc)
    target_precompile_headers(e1000tlm_pch PRIVATE <systemc> <tlm>)
  endif()
  target_precompile_headers(${name} REUSE_FROM e1000tlm_pch)
endfunction()

# e1000tlm_test(NAME [SYSTEMC] SOURCES... [LIBS libs...] [PROPERTIES props...])
# One ctest entry per TEST(): each runs in a process of its own, as a SystemC kernel needs.
function(e1000tlm_test name)
  cmake_parse_arguments(ARG "SYSTEMC" "" "SOURCES;LIBS;PROPERTIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE e1000tlm_options ${ARG_LIBS} GTest::gtest GTest::gmock)
  if(ARG_SYSTEMC)
    target_link_libraries(${name} PRIVATE e1000tlm_test_support SystemC::systemc)
    e1000tlm_precompile_systemc(${name})
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 120 ${ARG_PROPERTIES})
endfunction()
