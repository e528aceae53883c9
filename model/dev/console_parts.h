/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file console_parts.h
 * What the files of the console device share.
 */
#ifndef VMMIO_MODEL_DEV_CONSOLE_PARTS_H
#define VMMIO_MODEL_DEV_CONSOLE_PARTS_H

#include "vmmio/dev/console.h"

#include "ring.h"

/* The first two queues are port 0's, then come those of control (CON-01). */
static inline uint32_t vmmio_console_rx(uint32_t port) { return port ? 2 * port + 2 : 0; }

static inline uint32_t vmmio_console_port_of(uint32_t queue)
{
    return queue < 2 ? 0 : queue / 2 - 1;
}

/* Gives a queue a turn as soon as there are queues. */
static inline void vmmio_console_wake(const struct vmmio_console *console, uint32_t queue)
{
    if (console->engine)
        vmmio_queue_wake(console->engine, queue);
}

/* The driver is to get this message; which one is asked for again loses nothing. */
void vmmio_console_owe(struct vmmio_console *console, uint32_t port,
                       enum vmmio_console_event event);

/* The end of each buffer. */
static inline void vmmio_console_complete(struct vmmio_console *console,
                                          struct vmmio_request *request, uint32_t written)
{
    console->requests++;
    vmmio_request_complete(request, written);
}

/* A message of the driver. */
void vmmio_console_control(struct vmmio_console *console, struct vmmio_request *request);

/* Messages for the driver, as far as there are buffers. */
void vmmio_console_send_owed(struct vmmio_console *console);

void vmmio_console_set_guest_open(struct vmmio_console *console, uint32_t port, bool open);

/* The host may come back with input that there was no room for. */
void vmmio_console_tell_of_room(struct vmmio_console *console, uint32_t port);

/* Puts the size of port 0 into the config space (CON-08). */
void vmmio_console_show_size(struct vmmio_console *console);

/* console_state.c */
enum vmmio_error vmmio_console_save(const struct vmmio_function *function,
                                    struct vmmio_state *state);
enum vmmio_error vmmio_console_restore(struct vmmio_function *function, struct vmmio_state *state);

/* Throws input away that waits. */
void vmmio_console_drop(struct vmmio_console *console, uint32_t port);

#endif
