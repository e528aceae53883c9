# Flags for our own targets only, so that a project which embeds us keeps its own.
add_library(vmmio_flags INTERFACE)
target_compile_options(vmmio_flags INTERFACE
    -Wall -Wextra -Wpointer-arith -Wcast-qual -Wwrite-strings
    # Helpers of one test file are no globals to the next, though both be in one translation unit.
    $<IF:$<STREQUAL:$<TARGET_PROPERTY:FOLDER>,tests>,-Wshadow=local,-Wshadow>
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion>
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
    $<$<BOOL:${VMMIO_WERROR}>:-Werror>)
if(VMMIO_SANITIZE)
    target_compile_options(vmmio_flags INTERFACE
        -fsanitize=${VMMIO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(vmmio_flags INTERFACE -fsanitize=${VMMIO_SANITIZE})
endif()
