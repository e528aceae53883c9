/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Save and restore of a device: the stream with its header, its sections and their order. A restore
 * goes through the stream twice: once to judge all of it, once to take it over.
 */
#include "ring.h"
#include "state_parts.h"

/* Fields. */

static bool fits(const struct vmmio_state *state, size_t length)
{
    return state->at <= state->end && length <= state->end - state->at;
}

void vmmio_state_put(struct vmmio_state *state, const void *data, size_t length)
{
    if (state->out && fits(state, length))
        memcpy(state->out + state->at, data, length);
    state->at += length;
}

const uint8_t *vmmio_state_view(struct vmmio_state *state, size_t length)
{
    if (!fits(state, length)) {
        state->at = state->end;
        state->failed = true;
        return NULL;
    }
    state->at += length;
    return state->in + (state->at - length);
}

void vmmio_state_bytes(struct vmmio_state *state, void *data, size_t length)
{
    if (!state->in) {
        vmmio_state_put(state, data, length);
        return;
    }
    const uint8_t *bytes = vmmio_state_view(state, length);

    if (bytes)
        memcpy(data, bytes, length);
    else
        memset(data, 0, length);
}

void vmmio_state_u8(struct vmmio_state *state, uint8_t *value)
{
    vmmio_state_bytes(state, value, 1);
}

void vmmio_state_bool(struct vmmio_state *state, bool *value)
{
    uint8_t byte = *value;

    vmmio_state_u8(state, &byte);
    state->failed = state->failed || byte > 1;
    if (state->in)
        *value = byte == 1;
}

void vmmio_state_u16(struct vmmio_state *state, uint16_t *value)
{
    uint8_t bytes[2];

    vmmio_put_le16(bytes, *value);
    vmmio_state_bytes(state, bytes, sizeof(bytes));
    if (state->in)
        *value = vmmio_le16(bytes);
}

void vmmio_state_u32(struct vmmio_state *state, uint32_t *value)
{
    uint8_t bytes[4];

    vmmio_put_le32(bytes, *value);
    vmmio_state_bytes(state, bytes, sizeof(bytes));
    if (state->in)
        *value = vmmio_le32(bytes);
}

void vmmio_state_u64(struct vmmio_state *state, uint64_t *value)
{
    uint8_t bytes[8];

    vmmio_put_le64(bytes, *value);
    vmmio_state_bytes(state, bytes, sizeof(bytes));
    if (state->in)
        *value = vmmio_le64(bytes);
}

/* Sections: a name of four letters, the length of what follows, and that. */

enum { TAG_BYTES = 4, SECTION_HEADER_BYTES = TAG_BYTES + 8 };

enum section { DEVICE, REGISTERS, QUEUES, FUNCTION, TIMES, SECTIONS };

static const char tags[SECTIONS][TAG_BYTES + 1] = {"devi", "regs", "queu", "func", "time"};

/* All that a part needs. */
struct passage {
    struct vmmio_device *device;
    struct vmmio_block fresh; /* the registers as they are in the stream */
    struct vmmio_state_times times;
    bool refused; /* by the function: the negotiated features */
};

static enum vmmio_error visit_registers(struct passage *p, struct vmmio_state *state)
{
    const enum vmmio_error error = vmmio_block_state(&p->device->block, &p->fresh, state);
    const struct vmmio_block *fresh = &p->fresh;

    if (error != VMMIO_ERROR_OK)
        return error;
    if (fresh->resetting && !p->device->hold_reset) /* nobody would end it */
        return VMMIO_ERROR_STATE_DEVICE;
    if ((fresh->status & VMMIO_STATUS_FEATURES_OK || fresh->legacy_started) && !fresh->resetting)
        state->negotiated = &fresh->driver_features;
    return VMMIO_ERROR_OK;
}

static enum vmmio_error visit_function(struct passage *p, struct vmmio_state *state)
{
    struct vmmio_function *function = p->device->engine.is.function;
    const struct vmmio_function_type *type = function->type;

    if (!state->in)
        return type->save ? type->save(function, state) : VMMIO_ERROR_OK;
    if (state->commit && state->negotiated && type->features_ok)
        p->refused = !type->features_ok(function, state->negotiated);
    return type->restore ? type->restore(function, state) : VMMIO_ERROR_OK;
}

static enum vmmio_error visit_section(enum section section, struct passage *p,
                                      struct vmmio_state *state)
{
    switch (section) {
    case DEVICE:
        return vmmio_block_identity(&p->device->block, state);
    case REGISTERS:
        return visit_registers(p, state);
    case QUEUES:
        return vmmio_engine_state(&p->device->engine, &p->fresh, state);
    case FUNCTION:
        return visit_function(p, state);
    default:
        vmmio_state_u64(state, &p->times.reset_in);
        vmmio_state_u64(state, &p->times.work_in);
        return VMMIO_ERROR_OK;
    }
}

static enum vmmio_error save_section(enum section section, struct passage *p,
                                     struct vmmio_state *state)
{
    uint8_t header[SECTION_HEADER_BYTES] = {0};
    const size_t start = state->at;

    vmmio_state_bytes(state, header, sizeof(header));
    const enum vmmio_error error = visit_section(section, p, state);

    if (state->out && state->at <= state->end) {
        memcpy(state->out + start, tags[section], TAG_BYTES);
        vmmio_put_le64(state->out + start + TAG_BYTES, state->at - start - sizeof(header));
    }
    return error;
}

static enum vmmio_error restore_section(enum section section, struct passage *p,
                                        struct vmmio_state *state)
{
    const size_t end = state->end;
    uint8_t tag[TAG_BYTES];
    uint64_t length;

    vmmio_state_bytes(state, tag, sizeof(tag));
    vmmio_state_u64(state, &length);
    if (memcmp(tag, tags[section], sizeof(tag)) != 0 || length > end - state->at)
        return VMMIO_ERROR_STATE_INVALID;
    state->end = state->at + (size_t)length;
    const enum vmmio_error error = visit_section(section, p, state);

    if (error != VMMIO_ERROR_OK)
        return error;
    if (state->failed || state->at != state->end)
        return VMMIO_ERROR_STATE_INVALID;
    state->end = end;
    return VMMIO_ERROR_OK;
}

static enum vmmio_error visit_all(struct passage *p, struct vmmio_state *state)
{
    enum vmmio_error error = VMMIO_ERROR_OK;

    p->fresh = p->device->block;
    for (unsigned i = 0; i < SECTIONS && error == VMMIO_ERROR_OK; i++)
        error = state->in ? restore_section((enum section)i, p, state)
                          : save_section((enum section)i, p, state);
    return error;
}

/* The header. */

enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_CHECKSUM = 12, /* of everything behind the header */
    AT_LENGTH = 16,   /* of everything */
    MAGIC_BYTES = 8,
};

static const char magic[MAGIC_BYTES + 1] = "vmmiosav";

/* CRC-32 as in zlib and Ethernet. */
static uint32_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

static void write_header(uint8_t *stream, size_t length)
{
    memcpy(stream + AT_MAGIC, magic, MAGIC_BYTES);
    vmmio_put_le32(stream + AT_VERSION, VMMIO_STATE_VERSION);
    vmmio_put_le32(stream + AT_CHECKSUM,
                   checksum(stream + VMMIO_STATE_HEADER_BYTES, length - VMMIO_STATE_HEADER_BYTES));
    vmmio_put_le64(stream + AT_LENGTH, length);
}

static enum vmmio_error check_header(const uint8_t *stream, size_t length)
{
    if (length < VMMIO_STATE_HEADER_BYTES || memcmp(stream + AT_MAGIC, magic, MAGIC_BYTES) != 0)
        return VMMIO_ERROR_STATE_MAGIC;
    if (vmmio_le32(stream + AT_VERSION) != VMMIO_STATE_VERSION)
        return VMMIO_ERROR_STATE_VERSION;
    if (vmmio_le64(stream + AT_LENGTH) != length ||
        vmmio_le32(stream + AT_CHECKSUM) !=
            checksum(stream + VMMIO_STATE_HEADER_BYTES, length - VMMIO_STATE_HEADER_BYTES))
        return VMMIO_ERROR_STATE_DAMAGED;
    return VMMIO_ERROR_OK;
}

static enum vmmio_error may_pass(const struct vmmio_device *device, const struct vmmio_block *state)
{
    const struct vmmio_between *between = &device->between;

    if (device->engine.running)
        return VMMIO_ERROR_STATE_BUSY;
    if (!between->back)
        return VMMIO_ERROR_OK;
    return between->may_pass ? between->may_pass(between->context, state) : VMMIO_ERROR_STATE_FORM;
}

enum vmmio_error vmmio_device_save(const struct vmmio_device *device,
                                   const struct vmmio_state_times *times, uint8_t *buffer,
                                   size_t capacity, size_t *length)
{
    if (!device || !length || (capacity && !buffer))
        return VMMIO_ERROR_NULL_ARGUMENT;
    enum vmmio_error error = may_pass(device, NULL);

    if (error != VMMIO_ERROR_OK)
        return error;

    /* The parts are made for both directions; in this one they change nothing. */
    struct vmmio_device *writable = (struct vmmio_device *)(uintptr_t)device;
    struct passage p = {.device = writable};
    struct vmmio_state counted = {.engine = &writable->engine, .at = VMMIO_STATE_HEADER_BYTES};

    if (times)
        p.times = *times;
    error = visit_all(&p, &counted);

    if (error != VMMIO_ERROR_OK)
        return error;
    *length = counted.at;
    if (capacity < counted.at)
        return VMMIO_ERROR_STATE_ROOM;
    struct vmmio_state state = {.engine = &writable->engine,
                                .out = buffer,
                                .at = VMMIO_STATE_HEADER_BYTES,
                                .end = counted.at};

    visit_all(&p, &state);
    write_header(buffer, counted.at);
    return VMMIO_ERROR_OK;
}

static enum vmmio_error read_all(struct passage *p, const uint8_t *bytes, size_t length,
                                 bool commit)
{
    struct vmmio_state state = {.engine = &p->device->engine,
                                .commit = commit,
                                .in = bytes,
                                .at = VMMIO_STATE_HEADER_BYTES,
                                .end = length};
    const enum vmmio_error error = visit_all(p, &state);

    return error == VMMIO_ERROR_OK && state.at != length ? VMMIO_ERROR_STATE_INVALID : error;
}

/* To the engine it is a run: what a callback asks for meanwhile is done at the end. */
static void take_over(struct passage *p, const uint8_t *bytes, size_t length)
{
    struct vmmio_device *device = p->device;
    struct vmmio_block *block = &device->block;
    const bool level = block->interrupt_status != 0;

    vmmio_engine_enter(&device->engine);
    if (device->on_reset)
        device->on_reset(device->host_context);
    vmmio_engine_clear(&device->engine);
    vmmio_engine_forget_pointers(&device->engine);
    read_all(p, bytes, length, true);
    if (device->between.follow)
        device->between.follow(device->between.context);
    device->reset_held = block->resetting;
    if (level != (block->interrupt_status != 0))
        block->is.host.interrupt(block->is.host.context, !level);
    if (p->refused)
        vmmio_engine_fail(&device->engine);
    if (!block->resetting) /* what the function shows may differ from what it did then */
        vmmio_engine_config_changed(&device->engine, true);
    vmmio_engine_leave(&device->engine, true);
}

enum vmmio_error vmmio_device_restore(struct vmmio_device *device, struct vmmio_state_times *times,
                                      const uint8_t *bytes, size_t length)
{
    if (!device || (length && !bytes))
        return VMMIO_ERROR_NULL_ARGUMENT;
    struct passage p = {.device = device};
    enum vmmio_error error = check_header(bytes, length);

    if (error == VMMIO_ERROR_OK)
        error = may_pass(device, NULL);
    if (error == VMMIO_ERROR_OK)
        error = read_all(&p, bytes, length, false);
    if (error == VMMIO_ERROR_OK)
        error = may_pass(device, &p.fresh);
    if (error != VMMIO_ERROR_OK)
        return error;
    take_over(&p, bytes, length);
    if (times)
        *times = p.times;
    return VMMIO_ERROR_OK;
}
