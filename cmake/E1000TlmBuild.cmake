# Compiler settings and the functions with which every folder declares its targets. What concerns
# only our own build (warnings, precompiled header, compiler cache, the folder of the programs) is
# private to our targets and, but for the libraries themselves, absent from other people's builds.

if(NOT CMAKE_CXX_STANDARD)
  set(CMAKE_CXX_STANDARD 17)
elseif(CMAKE_CXX_STANDARD LESS 17 OR CMAKE_CXX_STANDARD EQUAL 98)
  message(FATAL_ERROR
    "e1000-tlm is written in C++17, but CMAKE_CXX_STANDARD is ${CMAKE_CXX_STANDARD}. Set "
    "CMAKE_CXX_STANDARD to 17 or more before e1000-tlm is added, and link a SystemC library that "
    "was built with the same standard.")
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
get_filename_component(E1000TLM_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
include(GNUInstallDirs)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
  endif()
  # A precompiled header hides its inclusion from the compiler cache unless it is told so; paths
  # relative to the tree let all clones of it share what is cached.
  find_program(CCACHE ccache)
  if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  endif()
endif()
# One precompiled header serves programs and libraries only if they are compiled alike.
if(PROJECT_IS_TOP_LEVEL AND NOT BUILD_SHARED_LIBS)
  set(E1000TLM_PCH ON)
endif()

# What our own sources are compiled with; linked privately.
add_library(e1000tlm_own INTERFACE)
target_compile_options(e1000tlm_own INTERFACE -Wall -Wextra)
# sc_spawn, which SystemC declares on demand.
target_compile_definitions(e1000tlm_own INTERFACE SC_INCLUDE_DYNAMIC_PROCESSES)
if(E1000TLM_STRICT)
  target_compile_options(e1000tlm_own INTERFACE -Werror)
endif()
if(E1000TLM_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(e1000tlm_own INTERFACE -fpch-preprocess)
endif()
if(E1000TLM_SANITIZE)
  add_compile_options(-fsanitize=${E1000TLM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${E1000TLM_SANITIZE})
endif()
if(E1000TLM_SANITIZE MATCHES "address")
  add_library(e1000tlm_sanitizer_stacks OBJECT "${E1000TLM_ROOT}/testbenches/support/sanitizer_stacks.cpp")
endif()
# Programs in which SystemC's threads run; see that file.
function(e1000tlm_explain_stacks target)
  if(TARGET e1000tlm_sanitizer_stacks)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:e1000tlm_sanitizer_stacks>)
  endif()
endfunction()
if(E1000TLM_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# e1000tlm_library(NAME [SYSTEMC] COMPONENT component SOURCES... [LIBS libs...] [PRIVATE_LIBS libs...])
# Declares e1000tlm_NAME, known to everybody as e1000tlm::NAME, and installs it with its component
# of the CMake package. SYSTEMC: the library uses SystemC. PRIVATE_LIBS: its headers do not need them.
function(e1000tlm_library name)
  cmake_parse_arguments(ARG "SYSTEMC" "COMPONENT" "SOURCES;LIBS;PRIVATE_LIBS" ${ARGN})
  set(target e1000tlm_${name})
  add_library(${target} ${ARG_SOURCES})
  add_library(e1000tlm::${name} ALIAS ${target})
  # Shared libraries find each other where they are installed together.
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} INSTALL_RPATH "$ORIGIN"
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_17)
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${E1000TLM_ROOT}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} PUBLIC ${ARG_LIBS} PRIVATE ${ARG_PRIVATE_LIBS}
    $<BUILD_INTERFACE:e1000tlm_own>)
  if(ARG_SYSTEMC)
    target_link_libraries(${target} PUBLIC SystemC::systemc Threads::Threads)
    e1000tlm_precompile_systemc(${target})
  endif()
  if(E1000TLM_INSTALL AND ARG_COMPONENT)
    install(TARGETS ${target} EXPORT e1000tlm-${ARG_COMPONENT}
      LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    set_property(GLOBAL APPEND PROPERTY E1000TLM_LIBRARIES_${ARG_COMPONENT} ${target})
  endif()
endfunction()

# What is tested is optimised; the tests themselves would only compile longer.
set(E1000TLM_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)

# Every SystemC target that is compiled with the same OPTIONS shares one precompiled <systemc> + <tlm>:
# g++ takes no other.
function(e1000tlm_precompile_systemc target)
  if(NOT E1000TLM_PCH)
    return()
  endif()
  set(pch e1000tlm_pch)
  if(ARGN)
    set(pch e1000tlm_test_pch)
  endif()
  if(NOT TARGET ${pch})
    file(WRITE "${PROJECT_BINARY_DIR}/${pch}.cpp" "")
    add_library(${pch} STATIC "${PROJECT_BINARY_DIR}/${pch}.cpp")
    target_compile_features(${pch} PUBLIC cxx_std_17)
    target_compile_options(${pch} PRIVATE ${ARGN})
    target_link_libraries(${pch} PRIVATE e1000tlm_own SystemC::systemc Threads::Threads)
    target_precompile_headers(${pch} PRIVATE <systemc> <tlm>)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# e1000tlm_program(NAME [SYSTEMC] SOURCES... [LIBS libs...]): a program of our own build.
function(e1000tlm_program name)
  cmake_parse_arguments(ARG "SYSTEMC" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} e1000tlm_own)
  if(ARG_SYSTEMC)
    e1000tlm_precompile_systemc(${name})
    e1000tlm_explain_stacks(${name})
  endif()
endfunction()

# e1000tlm_test(NAME [SYSTEMC] SOURCES... [LIBS libs...] [PROPERTIES props...])
# One ctest entry per TEST(): each runs in a process of its own, as a SystemC kernel needs.
function(e1000tlm_test name)
  cmake_parse_arguments(ARG "SYSTEMC" "" "SOURCES;LIBS;PROPERTIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${E1000TLM_ROOT}")
  target_compile_options(${name} PRIVATE ${E1000TLM_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gtest GTest::gmock e1000tlm_own)
  if(ARG_SYSTEMC)
    target_link_libraries(${name} PRIVATE e1000tlm_test_support)
    e1000tlm_precompile_systemc(${name} ${E1000TLM_TEST_OPTIONS})
    e1000tlm_explain_stacks(${name})
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 120 ${ARG_PROPERTIES})
endfunction()
