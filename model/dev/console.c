/* SPDX-License-Identifier: Apache-2.0 */
/* The console device's ports, configuration and queues. */
#include "console_parts.h"

#include "utf8.h"

enum { A_TURN = 64 }; /* buffers or pieces before the next queue's turn */

#define BIT(name) (1u << VMMIO_CONSOLE_F_##name)

static bool offers(const struct vmmio_console *console, enum vmmio_console_feature bit)
{
    return vmmio_features_has(&console->function.features, bit);
}

bool vmmio_console_is_open(const struct vmmio_console *console, uint32_t port)
{
    return port < console->is.port_count &&
           (!console->multiport || console->is.ports[port].guest_open);
}

void vmmio_console_set_guest_open(struct vmmio_console *console, uint32_t port, bool open)
{
    const struct vmmio_console_backend *backend = &console->is.backend;
    const bool before = console->is.ports[port].guest_open;

    console->is.ports[port].guest_open = open;
    if (open)
        vmmio_console_wake(console, vmmio_console_rx(port));
    if (open != before && backend->opened)
        backend->opened(backend->context, port, open);
}

/* Input. */

void vmmio_console_tell_of_room(struct vmmio_console *console, uint32_t index)
{
    struct vmmio_console_port *port = &console->is.ports[index];

    if (!port->starved || port->count == port->buffer_bytes)
        return;
    port->starved = false;
    if (console->is.backend.room)
        console->is.backend.room(console->is.backend.context, index);
}

/* All input is gone: the driver may learn that nobody is at the other end any more. */
static void tell_of_end(const struct vmmio_console *console, const struct vmmio_console_port *port)
{
    if (port->count == 0 && port->owed)
        vmmio_console_wake(console, VMMIO_CONSOLE_CONTROL_RX);
}

void vmmio_console_drop(struct vmmio_console *console, uint32_t index)
{
    struct vmmio_console_port *port = &console->is.ports[index];

    port->count = 0;
    port->drops++;
    tell_of_end(console, port);
    vmmio_console_tell_of_room(console, index);
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

uint32_t vmmio_console_receive(struct vmmio_console *console, uint32_t index, const uint8_t *data,
                               uint32_t length)
{
    if (index >= console->is.port_count || console->is.ports[index].absent)
        return 0;
    struct vmmio_console_port *port = &console->is.ports[index];
    const uint32_t taken = smaller(length, port->buffer_bytes - port->count);
    const uint32_t before_end = port->buffer_bytes - port->first;
    const uint32_t at =
        port->count < before_end ? port->first + port->count : port->count - before_end;
    const uint32_t piece = smaller(taken, port->buffer_bytes - at);

    memcpy(port->buffer + at, data, piece);
    memcpy(port->buffer, data + piece, taken - piece);
    port->count += taken;
    port->starved = taken < length;
    if (taken)
        vmmio_console_wake(console, vmmio_console_rx(index));
    return taken;
}

/* Into one buffer of the driver; what it does not take stays. */
static void fill(struct vmmio_console *console, struct vmmio_console_port *port,
                 struct vmmio_request *request)
{
    const uint32_t bytes = smaller(request->writable_bytes, port->count);
    const uint32_t piece = smaller(bytes, port->buffer_bytes - port->first);
    const uint32_t drops = port->drops;
    const bool ok =
        vmmio_request_write(request, 0, port->buffer + port->first, piece) &&
        (bytes == piece || vmmio_request_write(request, piece, port->buffer, bytes - piece));

    if (ok && drops == port->drops) { /* nobody threw them away meanwhile */
        port->first = bytes == piece ? port->first + piece : bytes - piece;
        if (port->first == port->buffer_bytes)
            port->first = 0;
        port->count -= bytes;
    }
    console->bytes_in += ok ? bytes : 0;
    vmmio_console_complete(console, request, ok ? bytes : 0);
}

static void deliver(struct vmmio_console *console, uint32_t index)
{
    struct vmmio_console_port *port = &console->is.ports[index];
    const uint32_t queue = vmmio_console_rx(index);

    for (uint32_t i = 0; port->count && vmmio_console_is_open(console, index); i++) {
        if (i == A_TURN) {
            vmmio_console_wake(console, queue);
            break;
        }
        struct vmmio_request *request = vmmio_queue_take(console->engine, queue);

        if (!request)
            break;
        if (request->readable_bytes) /* CON-09 */
            vmmio_request_report(request, VMMIO_DIAG_REQUEST_DIRECTION, request->readable_bytes);
        fill(console, port, request);
    }
    tell_of_end(console, port);
    vmmio_console_tell_of_room(console, index);
}

/* Output. */

enum progress { DONE, FULL, LONG };

/* Sends what is left of a buffer, at most so many pieces. */
static enum progress send(struct vmmio_console *console, uint32_t index,
                          struct vmmio_request *request, uint32_t *pieces)
{
    const struct vmmio_console_backend *backend = &console->is.backend;
    struct vmmio_console_port *port = &console->is.ports[index];

    while (port->sent < request->readable_bytes && !port->absent) {
        const uint32_t length = smaller(request->readable_bytes - port->sent, VMMIO_CONSOLE_PIECE);

        if (*pieces == 0)
            return LONG;
        --*pieces;
        if (!vmmio_request_read(request, port->sent, console->piece, length))
            return DONE; /* the queue is dead, and its buffer the driver's */
        const uint32_t taken = backend->write(backend->context, index, console->piece, length);

        port->sent += smaller(taken, length);
        console->bytes_out += smaller(taken, length);
        if (taken < length)
            return FULL;
    }
    return DONE;
}

/*
 * A buffer that is not sent to its end goes back into the ring, so that nothing is held that a
 * suspend or a stop of the queue would have to wait for.
 */
static void transmit(struct vmmio_console *console, uint32_t index)
{
    struct vmmio_console_port *port = &console->is.ports[index];
    const uint32_t queue = vmmio_console_rx(index) + 1;
    uint32_t pieces = A_TURN;

    console->is.ports[index].full = false;
    for (uint32_t i = 0; i < A_TURN; i++) {
        struct vmmio_request *request = vmmio_queue_take(console->engine, queue);

        if (!request)
            return;
        if (request->writable_bytes && !port->sent) /* CON-10 */
            vmmio_request_report(request, VMMIO_DIAG_REQUEST_DIRECTION, request->writable_bytes);
        if (port->absent)
            vmmio_request_report(request, VMMIO_DIAG_REQUEST_QUEUE, request->readable_bytes);
        const enum progress progress = send(console, index, request, &pieces);

        if (progress != DONE) {
            vmmio_request_return(request);
            console->is.ports[index].full = progress == FULL;
            if (progress == LONG)
                vmmio_console_wake(console, queue);
            return;
        }
        port->sent = 0;
        vmmio_console_complete(console, request, 0);
    }
    vmmio_console_wake(console, queue);
}

void vmmio_console_writable(struct vmmio_console *console, uint32_t port)
{
    if (port < console->is.port_count)
        vmmio_console_wake(console, vmmio_console_rx(port) + 1);
}

/* Calls of the function. */

static bool turn(struct vmmio_function *function, struct vmmio_engine *engine, uint32_t queue)
{
    struct vmmio_console *console = (struct vmmio_console *)function;

    console->engine = engine;
    if (queue == VMMIO_CONSOLE_CONTROL_TX)
        return false;
    if (queue == VMMIO_CONSOLE_CONTROL_RX)
        vmmio_console_send_owed(console);
    else if (queue % 2)
        transmit(console, vmmio_console_port_of(queue));
    else
        deliver(console, vmmio_console_port_of(queue));
    return true;
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    vmmio_console_control((struct vmmio_console *)function, request);
}

static void queue_stopped(struct vmmio_function *function, uint32_t queue)
{
    struct vmmio_console *console = (struct vmmio_console *)function;

    if (queue % 2 && queue != VMMIO_CONSOLE_CONTROL_TX) {
        console->is.ports[vmmio_console_port_of(queue)].sent = 0;
        console->is.ports[vmmio_console_port_of(queue)].full = false;
    }
}

static bool features_ok(struct vmmio_function *function, const struct vmmio_features *negotiated)
{
    ((struct vmmio_console *)function)->multiport =
        vmmio_features_has(negotiated, VMMIO_CONSOLE_F_MULTIPORT);
    return true;
}

static uint32_t usable_queues(const struct vmmio_function *function,
                              const struct vmmio_features *negotiated)
{
    return vmmio_features_has(negotiated, VMMIO_CONSOLE_F_MULTIPORT) ? function->queue_count : 2;
}

static void reset(struct vmmio_function *function)
{
    struct vmmio_console *console = (struct vmmio_console *)function;

    for (uint32_t i = 0; i < console->is.port_count; i++) {
        struct vmmio_console_port *port = &console->is.ports[i];

        port->owed = 0;
        port->sent = 0;
        port->full = false;
        port->known = false;
        port->ready = false;
        vmmio_console_set_guest_open(console, i, false);
    }
    console->engine = NULL;
    console->multiport = false;
    console->driver_ready = false;
    vmmio_put_le32(console->config_bytes + VMMIO_CONSOLE_CONFIG_EMERG_WR, 0);
}

static void emergency(struct vmmio_console *console, uint8_t character)
{
    const struct vmmio_console_backend *backend = &console->is.backend;
    const bool sent = backend->emergency ? backend->emergency(backend->context, character)
                                         : backend->write(backend->context, 0, &character, 1) == 1;

    console->emergency++;
    console->emergency_lost += !sent;
}

/* Status is no matter here (CON-05); only the low byte has a meaning (CON-06). */
static bool config_write(struct vmmio_function *function, uint32_t offset, const uint8_t *data,
                         uint32_t length)
{
    struct vmmio_console *console = (struct vmmio_console *)function;

    if (!offers(console, VMMIO_CONSOLE_F_EMERG_WRITE) || offset < VMMIO_CONSOLE_CONFIG_EMERG_WR)
        return false;
    memcpy(console->config_bytes + offset, data, length);
    if (offset == VMMIO_CONSOLE_CONFIG_EMERG_WR)
        emergency(console, data[0]);
    return true;
}

static const struct vmmio_function_type type = {
    .name = "console",
    .device_id = VMMIO_ID_CONSOLE,
    .handle = handle,
    .turn = turn,
    .queue_stopped = queue_stopped,
    .features_ok = features_ok,
    .usable_queues = usable_queues,
    .reset = reset,
    .config_write = config_write,
    .save = vmmio_console_save,
    .restore = vmmio_console_restore,
};

/* Calls of the platform. */

void vmmio_console_set_open(struct vmmio_console *console, uint32_t index, bool open)
{
    if (index >= console->is.port_count || console->is.ports[index].closed != open)
        return;
    console->is.ports[index].closed = !open;
    if (console->is.ports[index].ready)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_PORT_OPEN);
}

void vmmio_console_show_size(struct vmmio_console *console)
{
    if (!offers(console, VMMIO_CONSOLE_F_SIZE))
        return;
    vmmio_put_le16(console->config_bytes + VMMIO_CONSOLE_CONFIG_COLS, console->is.ports[0].cols);
    vmmio_put_le16(console->config_bytes + VMMIO_CONSOLE_CONFIG_ROWS, console->is.ports[0].rows);
}

bool vmmio_console_resize(struct vmmio_console *console, uint32_t index, uint16_t cols,
                          uint16_t rows)
{
    if (index >= console->is.port_count)
        return false;
    struct vmmio_console_port *port = &console->is.ports[index];

    if (port->cols == cols && port->rows == rows)
        return false;
    port->cols = cols;
    port->rows = rows;
    if (port->ready && port->console)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_RESIZE);
    if (index)
        return false;
    vmmio_console_show_size(console);
    return offers(console, VMMIO_CONSOLE_F_SIZE);
}

bool vmmio_console_add_port(struct vmmio_console *console, uint32_t index)
{
    if (index >= console->is.port_count || !console->is.ports[index].absent)
        return false;
    console->is.ports[index].absent = false;
    if (console->driver_ready)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_DEVICE_ADD);
    return true;
}

bool vmmio_console_remove_port(struct vmmio_console *console, uint32_t index)
{
    if (index == 0 || index >= console->is.port_count || console->is.ports[index].absent)
        return false;
    struct vmmio_console_port *port = &console->is.ports[index];

    port->absent = true;
    port->owed = 0;
    vmmio_console_drop(console, index);
    if (port->known)
        vmmio_console_owe(console, index, VMMIO_CONSOLE_DEVICE_REMOVE);
    vmmio_console_writable(console, index); /* its output comes back */
    return true;
}

static enum vmmio_error check_port(const struct vmmio_console_port *port)
{
    if (!port->buffer)
        return VMMIO_ERROR_NULL_ARGUMENT;
    if (port->buffer_bytes == 0)
        return VMMIO_ERROR_CONSOLE_PORTS;
    if (port->name && !vmmio_utf8_length(port->name, VMMIO_CONSOLE_NAME_MAX))
        return VMMIO_ERROR_CONSOLE_NAME;
    return VMMIO_ERROR_OK;
}

static enum vmmio_error check(const struct vmmio_console_config *is)
{
    if (is->port_count == 0 || is->port_count > VMMIO_CONSOLE_PORTS_MAX ||
        (is->port_count > 1 && !is->multiport) || is->ports[0].absent)
        return VMMIO_ERROR_CONSOLE_PORTS;
    for (uint32_t i = 0; i < is->port_count; i++) {
        const enum vmmio_error error = check_port(&is->ports[i]);

        if (error != VMMIO_ERROR_OK)
            return error;
    }
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_console_init(struct vmmio_console *console,
                                    const struct vmmio_console_config *config)
{
    if (!console || !config || !config->backend.write || !config->ports)
        return VMMIO_ERROR_NULL_ARGUMENT;
    const enum vmmio_error error = check(config);

    if (error != VMMIO_ERROR_OK)
        return error;
    memset(console, 0, sizeof(*console));
    console->is = *config;
    console->function = (struct vmmio_function){.type = &type,
                                                .features.word[0] = (BIT(SIZE) | BIT(EMERG_WRITE)) &
                                                                    ~config->withheld,
                                                .queue_count = 2,
                                                .config = console->config_bytes,
                                                .config_length = sizeof(console->config_bytes)};
    if (config->multiport) {
        vmmio_features_add(&console->function.features, VMMIO_CONSOLE_F_MULTIPORT);
        console->function.queue_count = 2 * config->port_count + 2;
        vmmio_put_le32(console->config_bytes + VMMIO_CONSOLE_CONFIG_MAX_NR_PORTS,
                       config->port_count);
    }
    vmmio_console_show_size(console);
    return VMMIO_ERROR_OK;
}
