# Makes sure that there is a target SystemC::systemc: the surrounding project's own (an ALIAS does),
# the one of SystemC's CMake package, or, as on Debian, one made from pkg-config. Checks at configure
# time that an installed library links with the C++ standard in use: SystemC encodes its standard in a
# symbol, so a mismatch otherwise shows up as an obscure link error.
# Used by the build and, installed, by e1000tlm's CMake package.

if(NOT TARGET SystemC::systemc)
  find_package(SystemCLanguage CONFIG QUIET)
endif()
if(NOT TARGET SystemC::systemc)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(E1000TLM_PC_SYSTEMC QUIET IMPORTED_TARGET GLOBAL systemc)
  endif()
  if(NOT TARGET PkgConfig::E1000TLM_PC_SYSTEMC)
    message(FATAL_ERROR
      "SystemC was not found: neither its CMake package (SystemCLanguage) nor systemc.pc. "
      "On Debian: apt-get install libsystemc-dev pkg-config. Elsewhere: add SystemC's prefix to "
      "CMAKE_PREFIX_PATH, or provide a target SystemC::systemc.")
  endif()
  add_library(SystemC::systemc INTERFACE IMPORTED GLOBAL)
  target_link_libraries(SystemC::systemc INTERFACE PkgConfig::E1000TLM_PC_SYSTEMC)
endif()

get_target_property(e1000tlm_systemc_imported SystemC::systemc IMPORTED)
if(e1000tlm_systemc_imported AND NOT DEFINED E1000TLM_SYSTEMC_LINKS)
  include(CheckCXXSourceCompiles)
  set(e1000tlm_standard "${CMAKE_CXX_STANDARD}")
  if(NOT e1000tlm_standard)
    set(e1000tlm_standard 17)
  endif()
  set(CMAKE_REQUIRED_LIBRARIES SystemC::systemc Threads::Threads)
  set(CMAKE_REQUIRED_FLAGS "-std=c++${e1000tlm_standard}")
  check_cxx_source_compiles("
    #include <systemc>
    int sc_main(int, char**) { return sc_core::sc_time_stamp() == sc_core::SC_ZERO_TIME ? 0 : 1; }"
    E1000TLM_SYSTEMC_LINKS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT E1000TLM_SYSTEMC_LINKS)
    unset(E1000TLM_SYSTEMC_LINKS CACHE)
    message(FATAL_ERROR
      "A SystemC program does not link with -std=c++${e1000tlm_standard}.\n"
      "The SystemC library was most likely built with another C++ standard (an undefined symbol "
      "sc_api_version_..._cxx20XX in CMakeFiles/CMakeError.log or CMakeConfigureLog.yaml below "
      "${CMAKE_BINARY_DIR} names it). Build SystemC with -DCMAKE_CXX_STANDARD=${e1000tlm_standard}, or "
      "configure with -DCMAKE_CXX_STANDARD=<that standard>.")
  endif()
endif()
