/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int sys_mark_create(const int **ret)
{
	size_t size = page_size();
	int *mark = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mark == MAP_FAILED)
		return -errno;
	/* Linux 4.14. */
	if (madvise(mark, size, MADV_WIPEONFORK) == -1) {
		int err = errno;

		munmap(mark, size);
		return -err;
	}
	*mark = 1;
	*ret = mark;
	return 0;
}

void sys_mark_destroy(const int *mark)
{
	if (mark != NULL)
		munmap((void *)(uintptr_t)mark, page_size());
}
