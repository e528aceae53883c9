/* SPDX-License-Identifier: Apache-2.0 */
/* Control messages of F_MULTIPORT: what the driver has to be told of each port, and what it says.
 */
#include "console_parts.h"

/* A message is id, event and value; RESIZE and PORT_NAME have something behind (CON-11, CON-12). */
enum {
    MESSAGE_ID = 0,
    MESSAGE_EVENT = 4,
    MESSAGE_VALUE = 6,
    MESSAGE_BYTES = 8,
    SIZE_BYTES = 4,
    BUFFERS_A_TURN = 64,
};

/* Of one port the first comes first. */
static const enum vmmio_console_event order[] = {
    VMMIO_CONSOLE_DEVICE_REMOVE, VMMIO_CONSOLE_DEVICE_ADD, VMMIO_CONSOLE_CONSOLE_PORT,
    VMMIO_CONSOLE_RESIZE,        VMMIO_CONSOLE_PORT_NAME,  VMMIO_CONSOLE_PORT_OPEN,
};

static uint8_t bit(enum vmmio_console_event event) { return (uint8_t)(1u << event); }

void vmmio_console_owe(struct vmmio_console *console, uint32_t port, enum vmmio_console_event event)
{
    console->is.ports[port].owed |= bit(event);
    vmmio_console_wake(console, VMMIO_CONSOLE_CONTROL_RX);
}

/* For the driver. */

struct message {
    uint32_t port;
    enum vmmio_console_event event;
    uint32_t length;
    uint8_t bytes[MESSAGE_BYTES + VMMIO_CONSOLE_NAME_MAX];
};

/* What can be said now: whoever left is there until the driver has all that was sent. */
static uint8_t sayable(const struct vmmio_console_port *port)
{
    return port->closed && port->count ? (uint8_t)(port->owed & ~bit(VMMIO_CONSOLE_PORT_OPEN))
                                       : port->owed;
}

static bool find_owed(const struct vmmio_console *console, struct message *message)
{
    for (uint32_t port = 0; port < console->is.port_count; port++) {
        const uint8_t owed = sayable(&console->is.ports[port]);

        for (uint32_t i = 0; owed && i < sizeof(order) / sizeof(order[0]); i++) {
            if (owed & bit(order[i])) {
                message->port = port;
                message->event = order[i];
                return true;
            }
        }
    }
    return false;
}

static void write_message(const struct vmmio_console *console, struct message *message)
{
    const struct vmmio_console_port *port = &console->is.ports[message->port];
    uint8_t *behind = message->bytes + MESSAGE_BYTES;
    uint16_t value = 1;

    message->length = MESSAGE_BYTES;
    if (message->event == VMMIO_CONSOLE_RESIZE) {
        vmmio_put_le16(behind, port->cols);
        vmmio_put_le16(behind + 2, port->rows);
        message->length += SIZE_BYTES;
    } else if (message->event == VMMIO_CONSOLE_PORT_NAME) {
        const uint32_t bytes = (uint32_t)strlen(port->name);

        memcpy(behind, port->name, bytes);
        message->length += bytes;
    } else if (message->event == VMMIO_CONSOLE_PORT_OPEN) {
        value = !port->closed;
    }
    vmmio_put_le32(message->bytes + MESSAGE_ID, message->port);
    vmmio_put_le16(message->bytes + MESSAGE_EVENT, (uint16_t)message->event);
    vmmio_put_le16(message->bytes + MESSAGE_VALUE, value);
}

static void end_port(struct vmmio_console *console, uint32_t index)
{
    struct vmmio_console_port *port = &console->is.ports[index];

    port->known = false;
    port->ready = false;
    vmmio_console_set_guest_open(console, index, false);
}

/* Its queue was reset meanwhile: the driver does not know yet. */
static void keep_owing(struct vmmio_console_port *port, enum vmmio_console_event event)
{
    if (event == VMMIO_CONSOLE_DEVICE_REMOVE) {
        port->known = true;
    } else if (event == VMMIO_CONSOLE_DEVICE_ADD) {
        port->known = false;
        if (port->owed & bit(VMMIO_CONSOLE_DEVICE_REMOVE)) { /* and it need not know any more */
            port->owed &= (uint8_t)~bit(VMMIO_CONSOLE_DEVICE_REMOVE);
            return;
        }
    }
    port->owed |= bit(event);
}

static void send(struct vmmio_console *console, const struct message *message,
                 struct vmmio_request *request)
{
    struct vmmio_console_port *port = &console->is.ports[message->port];

    if (request->readable_bytes) /* CON-09 */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_DIRECTION, request->readable_bytes);
    if (request->writable_bytes < message->length) {
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, request->writable_bytes);
        vmmio_console_complete(console, request, 0);
        return;
    }
    /* First, as much may happen while the bytes are on their way. */
    port->owed &= (uint8_t)~bit(message->event);
    if (message->event == VMMIO_CONSOLE_DEVICE_ADD)
        port->known = true;
    else if (message->event == VMMIO_CONSOLE_DEVICE_REMOVE)
        end_port(console, message->port);
    const bool ok = vmmio_request_write(request, 0, message->bytes, message->length);

    if (!ok)
        keep_owing(port, message->event);
    vmmio_console_complete(console, request, ok ? message->length : 0);
}

void vmmio_console_send_owed(struct vmmio_console *console)
{
    struct message message;

    for (uint32_t i = 0; find_owed(console, &message); i++) {
        if (i == BUFFERS_A_TURN) {
            vmmio_console_wake(console, VMMIO_CONSOLE_CONTROL_RX);
            return;
        }
        struct vmmio_request *request = vmmio_queue_take(console->engine, VMMIO_CONSOLE_CONTROL_RX);

        if (!request)
            return;
        write_message(console, &message);
        send(console, &message, request);
    }
}

/* From the driver. */

static void device_ready(struct vmmio_console *console, bool ready)
{
    if (!ready || console->driver_ready)
        return;
    console->driver_ready = true;
    for (uint32_t i = 0; i < console->is.port_count; i++)
        if (!console->is.ports[i].absent)
            vmmio_console_owe(console, i, VMMIO_CONSOLE_DEVICE_ADD);
}

static void port_ready(struct vmmio_console *console, uint32_t index, bool ready)
{
    struct vmmio_console_port *port = &console->is.ports[index];
    const bool before = port->ready;

    port->ready = ready;
    if (!ready || before)
        return;
    if (port->console) {
        vmmio_console_owe(console, index, VMMIO_CONSOLE_CONSOLE_PORT);
        if (port->cols || port->rows)
            vmmio_console_owe(console, index, VMMIO_CONSOLE_RESIZE);
    }
    if (port->name)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_PORT_NAME);
    if (!port->closed)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_PORT_OPEN);
}

/* False if it makes no sense. */
static bool obey(struct vmmio_console *console, const uint8_t *message)
{
    const uint32_t port = vmmio_le32(message + MESSAGE_ID);
    const bool value = vmmio_le16(message + MESSAGE_VALUE) != 0;
    const uint16_t event = vmmio_le16(message + MESSAGE_EVENT);

    if (event == VMMIO_CONSOLE_DEVICE_READY) { /* its id is unused */
        device_ready(console, value);
        return true;
    }
    if (port >= console->is.port_count || !console->is.ports[port].known)
        return false;
    if (event == VMMIO_CONSOLE_PORT_READY)
        port_ready(console, port, value);
    else if (event == VMMIO_CONSOLE_PORT_OPEN)
        vmmio_console_set_guest_open(console, port, value);
    else
        return false;
    return true;
}

void vmmio_console_control(struct vmmio_console *console, struct vmmio_request *request)
{
    uint8_t message[MESSAGE_BYTES];

    if (request->writable_bytes) /* CON-10 */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_DIRECTION, request->writable_bytes);
    if (request->readable_bytes < sizeof(message)) {
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, request->readable_bytes);
    } else if (vmmio_request_read(request, 0, message, sizeof(message)) &&
               !obey(console, message)) {
        vmmio_request_report(request, VMMIO_DIAG_CONSOLE_CONTROL, vmmio_le64(message));
    }
    vmmio_console_complete(console, request, 0);
}
