/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

/* Bytes of the UTF-8 character at text, 0 if it is none. */
static uint32_t character(const uint8_t *text)
{
    static const uint8_t smallest[] = {0, 0, 0xc2, 0xe0, 0xf0};
    const uint32_t bytes = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

    if (bytes > 1 && (text[0] < smallest[bytes] || text[0] > 0xf4))
        return 0;
    for (uint32_t i = 1; i < bytes; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0; /* overlong, surrogate, above U+10FFFF */
    return bytes;
}

uint32_t vmmio_utf8_length(const char *text, uint32_t limit)
{
    const uint8_t *bytes = (const uint8_t *)text;
    uint32_t length = 0;

    while (bytes[length]) {
        const uint32_t more = character(bytes + length);

        if (more == 0 || length + more > limit)
            return 0;
        length += more;
    }
    return length;
}
