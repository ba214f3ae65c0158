# Defines SystemC::systemc from SystemC's own CMake package or, as on Debian, from pkg-config, and
# checks at configure time that the library links with the C++ standard this project is built with:
# SystemC encodes its standard in a symbol, so a mismatch otherwise shows up as an obscure link error.

find_package(SystemCLanguage CONFIG QUIET)
if(NOT TARGET SystemC::systemc)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc)
  add_library(SystemC::systemc INTERFACE IMPORTED GLOBAL)
  target_link_libraries(SystemC::systemc INTERFACE PkgConfig::SYSTEMC)
endif()
find_package(Threads REQUIRED)
set_property(TARGET SystemC::systemc APPEND PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
# sc_bind and friends are needed by tlm_utils; dynamic processes by nothing else.
set_property(TARGET SystemC::systemc APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS SC_INCLUDE_DYNAMIC_PROCESSES)

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES SystemC::systemc)
set(CMAKE_REQUIRED_FLAGS "-std=c++${CMAKE_CXX_STANDARD}")
check_cxx_source_compiles("
  #include <systemc>
  int sc_main(int, char**) { return sc_core::sc_time_stamp() == sc_core::SC_ZERO_TIME ? 0 : 1; }"
  E1000TLM_SYSTEMC_LINKS)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT E1000TLM_SYSTEMC_LINKS)
  message(FATAL_ERROR
    "A SystemC program does not link with -std=c++${CMAKE_CXX_STANDARD}.\n"
    "The SystemC library was most likely built with another C++ standard (an undefined symbol "
    "sc_api_version_..._cxx20XX in ${CMAKE_BINARY_DIR}/CMakeFiles/CMakeError.log names it). "
    "Build SystemC with -DCMAKE_CXX_STANDARD=${CMAKE_CXX_STANDARD}, or configure this project with "
    "-DCMAKE_CXX_STANDARD=<that standard>.")
endif()
