/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file utf8.h
 * Text that the specification wants in UTF-8.
 */
#ifndef VMMIO_MODEL_UTF8_H
#define VMMIO_MODEL_UTF8_H

#include <stdint.h>

/* Bytes of the text up to its NUL; 0 if they are none, more than limit, or not UTF-8. */
uint32_t vmmio_utf8_length(const char *text, uint32_t limit);

#endif
