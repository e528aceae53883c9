/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file console.h
 * Console device (id 3): CON-01 .. CON-18 of a modern device, with F_SIZE, F_MULTIPORT and
 * F_EMERG_WRITE.
 *
 * A port is a stream of bytes each way. Both ways wait rather than lose anything: input that the
 * driver has no buffer for stays in the port's buffer, and then with the host; output that the back
 * end does not take stays in the driver's buffers. A port of F_MULTIPORT gets its input once the
 * driver has opened it. A reset leaves waiting input where it is; one of a queue takes the buffers
 * with it that were not used yet.
 *
 *     static uint32_t write(void *uart, uint32_t port, const uint8_t *data, uint32_t length);
 *     static uint8_t input[4096];
 *     static struct vmmio_console_port port = {.buffer = input, .buffer_bytes = sizeof(input),
 *                                              .cols = 80, .rows = 25};
 *     const struct vmmio_console_config config = {.backend = {.context = &uart, .write = write},
 *                                                 .ports = &port, .port_count = 1};
 *     struct vmmio_console console;
 *     if (vmmio_console_init(&console, &config) == VMMIO_ERROR_OK)
 *         device_config.function = &console.function;     // then vmmio_device_init
 *     vmmio_console_receive(&console, 0, bytes, length);  // then while (vmmio_device_has_work) ...
 *
 * A driver's mistakes (H-53) end in a message that is ignored or a buffer that comes back unused.
 * The work of one turn is bounded by 64 buffers or pieces of VMMIO_CONSOLE_PIECE bytes. Calls that
 * may give the device something to do are followed by vmmio_device_has_work.
 */
#ifndef VMMIO_DEV_CONSOLE_H
#define VMMIO_DEV_CONSOLE_H

#include "vmmio/error.h"
#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most ports of one device. */
#define VMMIO_CONSOLE_PORTS_MAX 256u

/** Most bytes of a port's name. */
#define VMMIO_CONSOLE_NAME_MAX 255u

/** Most bytes that the back end gets in one call. */
#define VMMIO_CONSOLE_PIECE 4096u

/** Feature bits (CON-02). */
enum vmmio_console_feature {
    VMMIO_CONSOLE_F_SIZE = 0,
    VMMIO_CONSOLE_F_MULTIPORT = 1,
    VMMIO_CONSOLE_F_EMERG_WRITE = 2,
};

/** Offsets in the config space (CON-03); all little-endian. */
enum vmmio_console_config_offset {
    VMMIO_CONSOLE_CONFIG_COLS = 0,         /**< 16 bits; 0 without F_SIZE */
    VMMIO_CONSOLE_CONFIG_ROWS = 2,         /**< 16 bits; 0 without F_SIZE */
    VMMIO_CONSOLE_CONFIG_MAX_NR_PORTS = 4, /**< 32 bits; 0 without F_MULTIPORT */
    VMMIO_CONSOLE_CONFIG_EMERG_WR = 8,     /**< 32 bits */
    VMMIO_CONSOLE_CONFIG_BYTES = 12,
};

/** The control queues of F_MULTIPORT (CON-01). */
enum vmmio_console_queue {
    VMMIO_CONSOLE_CONTROL_RX = 2,
    VMMIO_CONSOLE_CONTROL_TX = 3,
};

/** Events of control messages (CON-11). */
enum vmmio_console_event {
    VMMIO_CONSOLE_DEVICE_READY = 0,
    VMMIO_CONSOLE_DEVICE_ADD = 1,
    VMMIO_CONSOLE_DEVICE_REMOVE = 2,
    VMMIO_CONSOLE_PORT_READY = 3,
    VMMIO_CONSOLE_CONSOLE_PORT = 4,
    VMMIO_CONSOLE_RESIZE = 5,
    VMMIO_CONSOLE_PORT_OPEN = 6,
    VMMIO_CONSOLE_PORT_NAME = 7,
};

/** The host's end of the ports. Each call returns soon and comes from inside a run or an access. */
struct vmmio_console_backend {
    void *context;
    /**
     * Output of a port; 1 to VMMIO_CONSOLE_PIECE bytes. Returns how many of them it took. Whoever
     * takes fewer calls vmmio_console_writable when there is room again. Required.
     */
    uint32_t (*write)(void *context, uint32_t port, const uint8_t *data, uint32_t length);
    /**
     * A character of an emergency write (CON-04), in any state of the device. There is no way to
     * let the driver wait. False: it is lost. May be NULL: write gets it, for port 0.
     */
    bool (*emergency)(void *context, uint8_t character);
    /** vmmio_console_receive would take bytes for this port again. May be NULL. */
    void (*room)(void *context, uint32_t port);
    /** The driver opened or closed the port, or a reset did; F_MULTIPORT only. May be NULL. */
    void (*opened)(void *context, uint32_t port, bool open);
};

/** A port; caller-owned, must outlive the console. Fill in the first part, zero the rest. */
struct vmmio_console_port {
    const char *name;      /**< UTF-8, 1 to VMMIO_CONSOLE_NAME_MAX bytes; may be NULL; not copied */
    uint8_t *buffer;       /**< for input that waits; not owned */
    uint32_t buffer_bytes; /**< at least 1 */
    uint16_t cols, rows;   /**< size at first, in characters; 0: not known */
    bool console;          /**< with F_MULTIPORT: the driver shall make it a console (CON-18) */
    bool absent;           /**< there after vmmio_console_add_port only; not for port 0 */
    bool closed;           /**< nobody at the host's end until vmmio_console_set_open */
    /* Private from here on. */
    uint32_t first, count; /* of the waiting bytes */
    uint32_t drops;        /* how often they were thrown away */
    uint32_t sent;         /* bytes of the next output buffer that are gone already */
    uint8_t owed;          /* control messages, a bit for each event */
    bool known;            /* the driver got its DEVICE_ADD */
    bool ready;            /* the driver answered that */
    bool guest_open;
    bool starved; /* the host waits for room */
    bool full;    /* output waits for the host */
};

/** What a console is made of. */
struct vmmio_console_config {
    struct vmmio_console_backend backend; /**< copied */
    struct vmmio_console_port *ports;     /**< port_count of them */
    uint32_t port_count;                  /**< 1 to VMMIO_CONSOLE_PORTS_MAX: max_nr_ports */
    bool multiport;    /**< offer F_MULTIPORT; without it only port 0 exists, and is the only one */
    uint32_t withheld; /**< a 1 in bit VMMIO_CONSOLE_F_* does not offer SIZE or EMERG_WRITE */
};

/** The function; caller-owned, members private but for the counters. */
struct vmmio_console {
    struct vmmio_function function;
    struct vmmio_console_config is;
    struct vmmio_engine *engine; /* known from the first turn on; NULL after reset */
    bool multiport;              /* negotiated */
    bool driver_ready;           /* DEVICE_READY came */
    uint8_t config_bytes[VMMIO_CONSOLE_CONFIG_BYTES];
    uint8_t piece[VMMIO_CONSOLE_PIECE];
    uint64_t requests;            /**< buffers given back, those of messages too */
    uint64_t bytes_in, bytes_out; /**< given to drivers, and taken from them */
    uint64_t emergency;           /**< characters of emergency writes */
    uint64_t emergency_lost;      /**< those that the back end did not take */
};

/** VMMIO_ERROR_OK, NULL_ARGUMENT, CONSOLE_PORTS or CONSOLE_NAME. */
enum vmmio_error vmmio_console_init(struct vmmio_console *console,
                                    const struct vmmio_console_config *config);

/**
 * Input for a port, copied. Returns how many bytes were taken, from the first; after fewer than
 * length, backend.room tells when to come back. 0 for a port that is not there.
 */
uint32_t vmmio_console_receive(struct vmmio_console *console, uint32_t port, const uint8_t *data,
                               uint32_t length);

/** The back end takes output of this port again. */
void vmmio_console_writable(struct vmmio_console *console, uint32_t port);

/**
 * Somebody came to the host's end of the port, or left it; the driver is told (F_MULTIPORT), that
 * somebody left as soon as it has all input.
 */
void vmmio_console_set_open(struct vmmio_console *console, uint32_t port, bool open);

/**
 * A port has another size. True: the config bytes changed, call vmmio_device_config_changed
 * (CON-08). With F_MULTIPORT the driver gets RESIZE, too.
 */
bool vmmio_console_resize(struct vmmio_console *console, uint32_t port, uint16_t cols,
                          uint16_t rows);

/** Adds a port that is absent. False: it is there, or there can be no such port (CON-13, CON-14).
 */
bool vmmio_console_add_port(struct vmmio_console *console, uint32_t port);

/**
 * Removes a port; input that waits is dropped. False: it is not there (CON-15), or it is port 0,
 * which stays.
 */
bool vmmio_console_remove_port(struct vmmio_console *console, uint32_t port);

/** True if the driver has opened the port, or there is no F_MULTIPORT to open it with. */
bool vmmio_console_is_open(const struct vmmio_console *console, uint32_t port);

#ifdef __cplusplus
}
#endif
#endif
