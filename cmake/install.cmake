# `cmake --install` and find_package(vmmio): vmmio::model always, vmmio::tlm when it was built.
set(VMMIO_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/vmmio)

install(TARGETS vmmio_model EXPORT vmmio_targets)
if(VMMIO_TLM)
    install(TARGETS vmmio_tlm EXPORT vmmio_targets)
    if(TARGET vmmio_fs)
        install(TARGETS vmmio_fs EXPORT vmmio_targets)
    endif()
    install(TARGETS ${VMMIO_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/vmmio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(EXPORT vmmio_targets NAMESPACE vmmio:: DESTINATION ${VMMIO_PACKAGE_DIR})
configure_package_config_file(cmake/vmmio-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config.cmake INSTALL_DESTINATION ${VMMIO_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/vmmio-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config-version.cmake
    cmake/systemc.cmake DESTINATION ${VMMIO_PACKAGE_DIR})
