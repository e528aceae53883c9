# vmmio_add_rtl(TARGET NAME ...) verilates the register block with one set of parameters into TARGET,
# a static library that links vmmio::model, as vmmio::rtl_sets::NAME:
#
#   namespace vmmio::rtl_sets { extern const rtl_set NAME; }  // vmmio/tlm/rtl_device.h
#   options.form = vmmio::rtl_form({.sets = {&vmmio::rtl_sets::NAME}});
#
#   DEVICE_ID N  VENDOR_ID N   what the driver reads (default: vmmio's own vendor)
#   FEATURES BIT...            what is offered; VERSION_1 (32) belongs to it
#   REQUIRED BIT...            what the driver must take (default: 32)
#   DEPENDENCIES BIT:NEEDS...  pairs of bits
#   QUEUE_SIZES N...           QueueSizeMax, one for each queue
#   REGIONS N  CONFIG_BYTES N  default: 0
#
# A device whose options fit no set says at construction which line is missing.
set(VMMIO_RTL_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

# Numbers of bits as a Verilog constant, and as the four words of struct vmmio_features.
function(_vmmio_feature_words bits verilog words)
    foreach(i RANGE 3)
        set(word${i} 0)
    endforeach()
    foreach(bit IN LISTS bits)
        if(NOT bit MATCHES "^[0-9]+$" OR bit GREATER 127)
            message(FATAL_ERROR "vmmio_add_rtl: '${bit}' is no feature bit: write 0 to 127")
        endif()
        math(EXPR i "${bit} / 32")
        math(EXPR word${i} "${word${i}} | (1 << (${bit} % 32))")
    endforeach()
    set(hex "")
    foreach(i 3 2 1 0)
        math(EXPR digits "${word${i}} + 0x100000000" OUTPUT_FORMAT HEXADECIMAL) # 8 digits
        string(SUBSTRING ${digits} 3 8 digits)
        string(APPEND hex ${digits})
    endforeach()
    set(${verilog} "128'h${hex}" PARENT_SCOPE)
    set(${words} "${word0}u, ${word1}u, ${word2}u, ${word3}u" PARENT_SCOPE)
endfunction()

function(vmmio_add_rtl target name)
    set(P_VENDOR_ID 0x4f4d4d56)
    set(P_REGIONS 0)
    set(P_CONFIG_BYTES 0)
    set(P_REQUIRED 32)
    cmake_parse_arguments(A "" "DEVICE_ID;VENDOR_ID;REGIONS;CONFIG_BYTES"
        "FEATURES;REQUIRED;DEPENDENCIES;QUEUE_SIZES" ${ARGN})
    foreach(key DEVICE_ID VENDOR_ID REGIONS CONFIG_BYTES FEATURES REQUIRED DEPENDENCIES QUEUE_SIZES)
        if(DEFINED A_${key})
            set(P_${key} ${A_${key}})
        endif()
    endforeach()
    if(A_UNPARSED_ARGUMENTS OR NOT DEFINED P_DEVICE_ID OR NOT P_QUEUE_SIZES)
        message(FATAL_ERROR "vmmio_add_rtl(${target} ${name} ...): give DEVICE_ID, FEATURES and "
            "QUEUE_SIZES, and nothing but what ${CMAKE_CURRENT_FUNCTION_LIST_FILE} names "
            "(${A_UNPARSED_ARGUMENTS})")
    endif()

    if(NOT COMMAND verilate)
        find_package(verilator 5 REQUIRED HINTS $ENV{VERILATOR_ROOT} /usr/share/verilator)
    endif()
    _vmmio_feature_words("${P_FEATURES}" features features_words)
    _vmmio_feature_words("${P_REQUIRED}" required required_words)
    set(sizes "")
    foreach(size IN LISTS P_QUEUE_SIZES)
        math(EXPR digits "${size} + 0x10000" OUTPUT_FORMAT HEXADECIMAL)
        string(SUBSTRING ${digits} 3 4 digits)
        string(PREPEND sizes ${digits})
    endforeach()
    list(LENGTH P_QUEUE_SIZES queues)
    math(EXPR size_bits "16 * ${queues}")
    set(pairs "")
    set(dependency_pairs "")
    foreach(pair IN LISTS P_DEPENDENCIES)
        string(REPLACE ":" ";" pair "${pair}")
        list(GET pair 0 bit)
        list(GET pair 1 needs)
        math(EXPR digits "0x10000 + ${needs} * 256 + ${bit}" OUTPUT_FORMAT HEXADECIMAL)
        string(SUBSTRING ${digits} 3 4 digits)
        string(PREPEND pairs ${digits})
        string(APPEND dependency_pairs "{${bit}, ${needs}}, ")
    endforeach()
    list(LENGTH P_DEPENDENCIES pair_count)
    math(EXPR pair_bits "16 * (${pair_count} + 1)")
    math(EXPR device_id "${P_DEVICE_ID}" OUTPUT_FORMAT DECIMAL)
    math(EXPR vendor_id "${P_VENDOR_ID}" OUTPUT_FORMAT DECIMAL)
    string(REPLACE ";" ", " queue_sizes "${P_QUEUE_SIZES}")
    set(regions ${P_REGIONS})
    set(config_bytes ${P_CONFIG_BYTES})

    file(GLOB sources ${VMMIO_RTL_DIR}/*.v)
    verilate(${target} PREFIX V${name} TOP_MODULE vmmio_axil SOURCES ${sources} TRACE_FST
        DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${name} INCLUDE_DIRS ${VMMIO_RTL_DIR}
        VERILATOR_ARGS --x-initial unique -GDEVICE_ID=32'd${device_id} -GVENDOR_ID=32'd${vendor_id}
            -GFEATURES=${features} -GREQUIRED=${required} -GQUEUES=${queues}
            -GQUEUE_SIZES=${size_bits}'h${sizes} -GREGIONS=${regions}
            -GCONFIG_BYTES=${config_bytes} -GHOLD_RESET=0 -GDEPENDENCY_COUNT=${pair_count}
            -GDEPENDENCIES=${pair_bits}'h0${pairs})
    set(set ${CMAKE_CURRENT_BINARY_DIR}/${name}/set.cpp)
    configure_file(${VMMIO_RTL_CMAKE_DIR}/rtl_set.cpp.in ${set} @ONLY)
    target_sources(${target} PRIVATE ${set})
    # One translation unit for each set: Verilator's headers cost more than its code.
    get_target_property(generated ${target} SOURCES)
    list(FILTER generated INCLUDE REGEX "/V${name}[^/]*\\.cpp$")
    set_source_files_properties(${generated} ${set} PROPERTIES UNITY_GROUP ${name})
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_property(TARGET ${target} APPEND PROPERTY VMMIO_RTL_SETS ${name})
endfunction()
