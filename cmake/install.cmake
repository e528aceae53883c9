# `cmake --install` and find_package(vmmio): vmmio::model always, vmmio::tlm when it was built,
# vmmio::rtl when Verilator was found, with the Verilog and vmmio_add_rtl.
set(VMMIO_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/vmmio)

install(TARGETS vmmio_model EXPORT vmmio_targets)
if(VMMIO_TLM)
    install(TARGETS vmmio_tlm EXPORT vmmio_targets)
    if(TARGET vmmio_fs)
        install(TARGETS vmmio_fs EXPORT vmmio_targets)
    endif()
    set(VMMIO_RTL OFF)
    if(TARGET vmmio_rtl)
        set(VMMIO_RTL ON)
        install(TARGETS vmmio_rtl vmmio_rtl_sets EXPORT vmmio_targets)
        install(FILES cmake/rtl.cmake cmake/rtl_set.cpp.in DESTINATION ${VMMIO_PACKAGE_DIR})
        install(DIRECTORY rtl/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vmmio/rtl
                FILES_MATCHING PATTERN "*.v" PATTERN "*.vh")
    endif()
    install(TARGETS ${VMMIO_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
set(VMMIO_RTL_INSTALL_DIR ${CMAKE_INSTALL_DATADIR}/vmmio/rtl)
install(DIRECTORY include/vmmio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(EXPORT vmmio_targets NAMESPACE vmmio:: DESTINATION ${VMMIO_PACKAGE_DIR})
configure_package_config_file(cmake/vmmio-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config.cmake INSTALL_DESTINATION ${VMMIO_PACKAGE_DIR}
    PATH_VARS VMMIO_RTL_INSTALL_DIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/vmmio-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/vmmio-config-version.cmake
    cmake/systemc.cmake DESTINATION ${VMMIO_PACKAGE_DIR})
