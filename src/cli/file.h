/* SPDX-License-Identifier: ISC */
/* Files of our own, which may be waited for. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stddef.h>

/* file_write(fd, data, len): all of it.  0, or -1 with errno. */
int file_write(int fd, const void *data, size_t len);

#endif
