/* SPDX-License-Identifier: ISC */
/* Bytes as text for JSON: pure functions without state. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

/* The longest escape of one byte, "\u0000". */
#define TEXT_ESCAPE_MAX 6

/* text_escape(s, len, out, ret_len): ${s} as the inside of a JSON string in ${out}, which has room
 * for TEXT_ESCAPE_MAX * ${len} bytes.  0, or -1 when ${s} is not UTF-8 (overlong forms, surrogates
 * and what is above U+10FFFF are not). */
int text_escape(const unsigned char *s, size_t len, char *out, size_t *ret_len);

/* text_base64(s, len, out): ${s} in base64 with padding in ${out} (room for 4 bytes for every 3
 * begun).  The bytes written. */
size_t text_base64(const unsigned char *s, size_t len, char *out);

/* text_incomplete(s, len): how many bytes (0 to 3) at the end of ${s} begin a character whose rest
 * may follow. */
size_t text_incomplete(const unsigned char *s, size_t len);

#endif
