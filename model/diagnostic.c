/* SPDX-License-Identifier: Apache-2.0 */
#include "rooms.h"

#include <stddef.h>

struct entry {
    enum vmmio_diag_kind kind;
    const char *row;
    const char *text;
};

static const struct entry entries[] = {
#define VMMIO_X(id, kind, row, text) [VMMIO_DIAG_##id] = {VMMIO_DIAG_##kind, row, text},
    VMMIO_DIAGNOSTICS(VMMIO_X)
#undef VMMIO_X
};

static const struct entry *find(enum vmmio_diag_id id)
{
    static const struct entry unknown = {VMMIO_DIAG_DRIVER, "", "unknown diagnostic"};

    return (size_t)id < VMMIO_DIAG_COUNT ? &entries[id] : &unknown;
}

enum vmmio_diag_kind vmmio_diag_kind_of(enum vmmio_diag_id id) { return find(id)->kind; }

const char *vmmio_diag_row(enum vmmio_diag_id id) { return find(id)->row; }

const char *vmmio_diag_text(enum vmmio_diag_id id) { return find(id)->text; }

const char *vmmio_error_text(enum vmmio_error error)
{
    static const char *const text[] = {
#define VMMIO_X(id, words) [VMMIO_ERROR_##id] = words,
        VMMIO_ERRORS(VMMIO_X)
#undef VMMIO_X
    };

    return (size_t)error < sizeof(text) / sizeof(text[0]) ? text[error] : "unknown error";
}

void vmmio_block_report(const struct vmmio_block *block, enum vmmio_diag_id id, uint32_t where,
                        uint64_t value)
{
    const struct vmmio_diagnostic diagnostic = {id, where, value};

    if (block->is.host.diagnostic)
        block->is.host.diagnostic(block->is.host.context, &diagnostic);
}
