/* SPDX-License-Identifier: ISC */
#ifndef PORT_DEFLATE_H
#define PORT_DEFLATE_H

#include "buf.h"

#include <stdint.h>

/* deflate_out(to, data, len): append ${data} in zlib's format. */
void deflate_out(struct buf *to, const unsigned char *data, size_t len);

#endif
