# Gives the target SystemC::systemc from whatever the machine has: SystemC's own
# CMake package (source installs of 2.3.4 and 3.0) or pkg-config (Debian).
if(NOT TARGET SystemC::systemc)
    find_package(SystemCLanguage QUIET)
endif()
if(NOT TARGET SystemC::systemc)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(VMMIO_SYSTEMC QUIET IMPORTED_TARGET systemc)
    endif()
    if(TARGET PkgConfig::VMMIO_SYSTEMC)
        add_library(SystemC::systemc INTERFACE IMPORTED)
        target_link_libraries(SystemC::systemc INTERFACE PkgConfig::VMMIO_SYSTEMC)
    endif()
endif()
if(NOT TARGET SystemC::systemc)
    message(FATAL_ERROR "vmmio: SystemC was not found. Install it (Debian: apt-get install "
        "libsystemc-dev), or point CMAKE_PREFIX_PATH at your SystemC 2.3.4 or 3.0 installation, "
        "or build without the SystemC form: -DVMMIO_TLM=OFF")
endif()
