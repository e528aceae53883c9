/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file error.h
 * Mistakes of the platform (never of the driver): answers of init functions, of the calls
 * that change the region table, and of save and restore.
 */
#ifndef VMMIO_ERROR_H
#define VMMIO_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/** X(identifier, text that says what to change). */
#define VMMIO_ERRORS(X)                                                                            \
    X(OK, "no error")                                                                              \
    X(NULL_ARGUMENT, "a required pointer is NULL: set every pointer that is not documented as "    \
                     "optional")                                                                   \
    X(FEATURE_UNSUPPORTED, "an offered feature bit is not implemented: offer a subset of "         \
                           "vmmio_device_features()")                                              \
    X(FEATURE_DEPENDENCY, "an offered feature bit needs another one that is not offered: offer "   \
                          "both or neither")                                                       \
    X(QUEUE_COUNT, "too few queue structs for this device type: give queue_count >= "              \
                   "function->queue_count, at most 65535")                                         \
    X(QUEUE_SIZE, "make queue_size_max a power of 2 from 1 to 32768; any number up to there will " \
                  "do if RING_PACKED is offered")                                                  \
    X(LEGACY_FORM, "the legacy layout is that of the C register block only: leave legacy out, or " \
                   "the other register block")                                                     \
    X(LEGACY_TYPE, "this device type has no legacy interface: leave legacy out")                   \
    X(REQUEST_POOL, "give at least one request, and queue_size_max segments for each request")     \
    X(CONFIG_LENGTH, "the device-specific configuration is longer than VMMIO_CONFIG_MAX")          \
    X(REGION_ZERO, "a shared memory region has length 0: leave it out instead")                    \
    X(REGION_WRAP, "a shared memory region ends above 2^64: lower its base or length")             \
    X(REGION_OVERLAP, "two shared memory regions overlap: move one of them")                       \
    X(REGION_ID_USED, "a shared memory region with this id exists already: choose another id")     \
    X(REGION_ID_UNKNOWN, "no shared memory region has this id")                                    \
    X(REGION_TABLE_FULL, "the table holds at most VMMIO_SHM_REGIONS_MAX regions")                  \
    X(PMEM_REGION, "a pmem range needs start and size that are not 0 and end below 2^64")          \
    X(BLK_CAPACITY, "block_size must be a power of 2 from 512 on, and the capacity a multiple "    \
                    "of it below 2^54 sectors")                                                    \
    X(BLK_SIZE, "the storage cannot have that many bytes: lower the capacity or enlarge it")       \
    X(BLK_LIMIT, "max_discard_seg and max_write_zeroes_seg are at most 4096")                      \
    X(FS_TAG, "the tag of a file system device needs 1 to 36 bytes of UTF-8: change it")           \
    X(FS_LIMIT, "a file system device needs at least 2 jobs and at most 1024 request queues")      \
    X(CONSOLE_PORTS, "a console has 1 to VMMIO_CONSOLE_PORTS_MAX ports, each with a buffer of at " \
                     "least 1 byte; more than one need multiport, and port 0 cannot be absent")    \
    X(CONSOLE_NAME, "the name of a console port has 1 to 255 bytes of UTF-8: change it")           \
    X(NET_MAC, "the MAC address of a network device must not be a group address: clear bit 0 of "  \
               "its first byte")                                                                   \
    X(NET_PAIRS, "a network device has 1 to VMMIO_NET_PAIRS_MAX queue pairs, and more than one "   \
                 "only with a control queue")                                                      \
    X(NET_MTU, "an MTU is 0 for none, or from 68 to 65535")                                        \
    X(NET_SPEED, "a speed is at most 0x7fffffff Mbit/s, or 0xffffffff for unknown")                \
    X(NET_FRAMES, "a network device needs a backlog of at least one frame")                        \
    X(STATE_BUSY, "the device is in the middle of an access, or its function still works on "      \
                  "requests of an earlier state: try again when it is done")                       \
    X(STATE_ROOM, "the buffer is too small for the saved state: give as many bytes as the call "   \
                  "said")                                                                          \
    X(STATE_MAGIC, "this is not the saved state of a vmmio device: give what save wrote")          \
    X(STATE_VERSION, "the saved state is in a version of the format that is not known here: "      \
                     "restore it with the version of vmmio that saved it")                         \
    X(STATE_DAMAGED, "the saved state is damaged or cut short: get another copy of it")            \
    X(STATE_INVALID, "the saved state has values that no device can have: save it again")          \
    X(STATE_DEVICE, "the saved state is that of another device: restore it into one with the "     \
                    "same type, vendor, features, queues, configuration and regions")              \
    X(STATE_FORM, "the registers of this device are in a form that has not that state: restore "   \
                  "it into a device with C registers, and save none whose registers are on pins")  \
    X(STATE_SESSION, "the back end keeps something for the driver that cannot be saved, such as "  \
                     "open files: have the driver unmount it first")

/** What is wrong, if anything. */
enum vmmio_error {
#define VMMIO_X(id, text) VMMIO_ERROR_##id,
    VMMIO_ERRORS(VMMIO_X)
#undef VMMIO_X
};

/** One English sentence that says what to change. Never NULL. */
const char *vmmio_error_text(enum vmmio_error error);

#ifdef __cplusplus
}
#endif
#endif
