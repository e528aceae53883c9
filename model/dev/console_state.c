/* SPDX-License-Identifier: Apache-2.0 */
/* Save and restore of a console: its ports, the messages that are owed, and input that waits. */
#include "console_parts.h"

#include "vmmio/state.h"

/* Besides its ports. */
struct kept {
    uint8_t written[4]; /* emerg_wr reads as the driver wrote it */
    bool driver_ready;
    bool started; /* had a turn since the last reset */
};

static void visit(struct kept *kept, struct vmmio_state *state)
{
    vmmio_state_bytes(state, kept->written, sizeof(kept->written));
    vmmio_state_bool(state, &kept->driver_ready);
    vmmio_state_bool(state, &kept->started);
}

/* Every message that can be owed. */
enum {
    OWED = 1 << VMMIO_CONSOLE_DEVICE_ADD | 1 << VMMIO_CONSOLE_DEVICE_REMOVE |
           1 << VMMIO_CONSOLE_CONSOLE_PORT | 1 << VMMIO_CONSOLE_RESIZE |
           1 << VMMIO_CONSOLE_PORT_OPEN | 1 << VMMIO_CONSOLE_PORT_NAME,
};

static void visit_port(struct vmmio_console_port *port, struct vmmio_state *state)
{
    vmmio_state_u16(state, &port->cols);
    vmmio_state_u16(state, &port->rows);
    vmmio_state_bool(state, &port->absent);
    vmmio_state_bool(state, &port->closed);
    vmmio_state_u8(state, &port->owed);
    vmmio_state_bool(state, &port->known);
    vmmio_state_bool(state, &port->ready);
    vmmio_state_bool(state, &port->guest_open);
    vmmio_state_bool(state, &port->full);
    vmmio_state_u32(state, &port->sent);
    vmmio_state_u32(state, &port->count);
}

/* In the order in which the driver gets them. */
static void save_input(const struct vmmio_console_port *port, struct vmmio_state *state)
{
    const uint32_t before_end = port->buffer_bytes - port->first;
    const uint32_t piece = port->count < before_end ? port->count : before_end;

    vmmio_state_put(state, port->buffer + port->first, piece);
    vmmio_state_put(state, port->buffer, port->count - piece);
}

enum vmmio_error vmmio_console_save(const struct vmmio_function *function,
                                    struct vmmio_state *state)
{
    const struct vmmio_console *console = (const struct vmmio_console *)function;
    struct kept kept = {.driver_ready = console->driver_ready, .started = console->engine != NULL};

    memcpy(kept.written, console->config_bytes + VMMIO_CONSOLE_CONFIG_EMERG_WR,
           sizeof(kept.written));
    visit(&kept, state);
    for (uint32_t i = 0; i < console->is.port_count; i++) {
        struct vmmio_console_port port = console->is.ports[i];

        visit_port(&port, state);
        save_input(&port, state);
    }
    return VMMIO_ERROR_OK;
}

/* Only F_MULTIPORT has messages and their queues. */
static bool port_possible(uint32_t index, const struct vmmio_console_port *port, bool multiport)
{
    if (port->count > port->buffer_bytes || (index == 0 && port->absent))
        return false;
    if (port->owed & ~OWED || (port->owed & 1u << VMMIO_CONSOLE_PORT_NAME && !port->name))
        return false;
    return multiport || !(port->owed || port->known || port->ready || port->guest_open);
}

static enum vmmio_error restore_port(struct vmmio_console *console, uint32_t index, bool multiport,
                                     struct vmmio_state *state)
{
    struct vmmio_console_port *own = &console->is.ports[index];
    struct vmmio_console_port port = *own;

    visit_port(&port, state);
    const uint8_t *input = vmmio_state_view(state, port.count);

    if (!port_possible(index, &port, multiport) || !input)
        return VMMIO_ERROR_STATE_INVALID;
    if (state->commit) {
        const struct vmmio_console_backend *backend = &console->is.backend;
        const bool before = own->guest_open;

        port.first = 0;
        *own = port;
        memcpy(own->buffer, input, own->count);
        if (port.guest_open != before && backend->opened)
            backend->opened(backend->context, index, port.guest_open);
    }
    return VMMIO_ERROR_OK;
}

/* What the host has waited for so far, and what the restored driver waits for. */
static void go_on(struct vmmio_console *console)
{
    vmmio_console_show_size(console);
    for (uint32_t i = 0; i < console->is.port_count; i++) {
        vmmio_console_tell_of_room(console, i);
        if (console->is.ports[i].full)
            vmmio_console_writable(console, i);
    }
}

enum vmmio_error vmmio_console_restore(struct vmmio_function *function, struct vmmio_state *state)
{
    struct vmmio_console *console = (struct vmmio_console *)function;
    const bool multiport =
        state->negotiated && vmmio_features_has(state->negotiated, VMMIO_CONSOLE_F_MULTIPORT);
    struct kept kept = {.started = false};

    visit(&kept, state);
    if (kept.driver_ready && !multiport)
        return VMMIO_ERROR_STATE_INVALID;
    if (state->commit) {
        memcpy(console->config_bytes + VMMIO_CONSOLE_CONFIG_EMERG_WR, kept.written,
               sizeof(kept.written));
        console->driver_ready = kept.driver_ready;
        console->engine = kept.started ? state->engine : NULL;
    }
    for (uint32_t i = 0; i < console->is.port_count; i++) {
        const enum vmmio_error error = restore_port(console, i, multiport, state);

        if (error != VMMIO_ERROR_OK)
            return error;
    }
    if (state->commit)
        go_on(console);
    return VMMIO_ERROR_OK;
}
