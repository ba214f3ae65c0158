# Install rules: headers, the CMake package with its components, pkg-config files. The manual
# page is installed where it is made (doc/CMakeLists.txt).
# Libraries install themselves where they are declared (e1000tlm_library).
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/e1000tlm")
set(components models)
if(E1000TLM_BUILD_BOARD)
  list(APPEND components capture host board)
endif()

# The headers, as the include root maps them.
set(header_folders models)
if(E1000TLM_BUILD_BOARD)
  list(APPEND header_folders platform)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/traffic" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/e1000tlm"
    FILES_MATCHING PATTERN "*.h" PATTERN "captures" EXCLUDE)
endif()
foreach(folder IN LISTS header_folders)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/e1000tlm"
    FILES_MATCHING PATTERN "*.h" PATTERN "options" EXCLUDE)
endforeach()

# The CMake package: one file of targets for each component, so that what one needs is looked for
# only when it is asked for.
foreach(component IN LISTS components)
  install(EXPORT e1000tlm-${component} NAMESPACE e1000tlm:: DESTINATION "${package_dir}"
    FILE e1000tlm-${component}.cmake)
endforeach()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/e1000tlmConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/e1000tlmConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/e1000tlmConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/e1000tlmConfig.cmake"
  "${PROJECT_BINARY_DIR}/e1000tlmConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/E1000TlmSystemC.cmake"
  DESTINATION "${package_dir}")

# pkg-config, for a prefix that may be moved: e1000tlm (the models), e1000tlm-capture, e1000tlm-host, e1000tlm-board.
file(RELATIVE_PATH pc_up "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
set(pc_name_models e1000tlm)
set(pc_summary_models "Intel 8254x Ethernet controller in SystemC/TLM-2.0: the models")
set(pc_requires_models "systemc libdeflate")
set(pc_summary_capture "e1000tlm: capture files on the modelled cable")
set(pc_requires_capture "e1000tlm zlib liblzma libzstd")
set(pc_summary_host "e1000tlm: tap devices and sockets on the modelled cable")
set(pc_requires_host "e1000tlm-capture")
set(pc_summary_board "e1000tlm: a whole board with driver, bus and links")
set(pc_requires_board "e1000tlm-host")
foreach(component IN LISTS components)
  if(NOT pc_name_${component})
    set(pc_name_${component} e1000tlm-${component})
  endif()
  # Dependants first, as a static link needs it: libraries are declared after what they use.
  get_property(libraries GLOBAL PROPERTY E1000TLM_LIBRARIES_${component})
  list(REVERSE libraries)
  list(TRANSFORM libraries PREPEND "-l")
  get_property(external GLOBAL PROPERTY E1000TLM_EXTERNAL_${component})
  list(APPEND libraries ${external})
  list(JOIN libraries " " pc_libraries)
  set(pc_name "${pc_name_${component}}")
  set(pc_summary "${pc_summary_${component}}")
  set(pc_requires "${pc_requires_${component}}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/e1000tlm.pc.in" "${PROJECT_BINARY_DIR}/${pc_name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${pc_name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
