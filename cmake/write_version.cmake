# Writes kVersion and kCommit to OUTPUT if they changed. GIT, SOURCE, VERSION: see E1000TlmVersion.cmake.
cmake_minimum_required(VERSION 3.25)
set(commit "")
if(GIT AND EXISTS "${SOURCE}/.git")
  execute_process(COMMAND "${GIT}" describe --always --dirty --abbrev=10 --exclude=*
    WORKING_DIRECTORY "${SOURCE}" OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#pragma once
namespace e1000tlm {
inline constexpr char kVersion[] = \"@VERSION@\";
inline constexpr char kCommit[] = \"@commit@\";
}  // namespace e1000tlm
" @ONLY)
