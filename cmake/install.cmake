# Headers, library, pkg-config file, CMake config, program and man pages.
include(CMakePackageConfigHelpers)
# Found from where the .pc file lies, so that `cmake --install --prefix` may choose the place.
file(RELATIVE_PATH SC_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/storychain.pc.in ${CMAKE_BINARY_DIR}/storychain.pc @ONLY)
install(DIRECTORY include/storychain DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS sc_shared EXPORT storychainTargets)
install(TARGETS sc_static)
install(FILES ${CMAKE_BINARY_DIR}/storychain.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set_target_properties(sc_shared PROPERTIES EXPORT_NAME storychain)
install(EXPORT storychainTargets NAMESPACE storychain:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/storychain)
configure_package_config_file(cmake/storychainConfig.cmake.in ${CMAKE_BINARY_DIR}/storychainConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/storychain)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/storychainConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/storychainConfig.cmake ${CMAKE_BINARY_DIR}/storychainConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/storychain)
if(SC_PROGRAM)
  install(TARGETS storychain)
  install(FILES ${CMAKE_BINARY_DIR}/storychain.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/storychain.bash RENAME storychain
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
