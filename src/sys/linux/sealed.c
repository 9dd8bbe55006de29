/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int sys_sealed_create(const struct iovec *iov, size_t n)
{
	scoped_fd fd = memfd_create("carrel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		int r = write_all(fd, iov[i].iov_base, iov[i].iov_len);

		if (r < 0)
			return r;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		return -errno;
	return fd_take(&fd);
}

int sys_sealed_map(int fd, size_t len, void **ret)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	/* Without the seals the sender could change or cut the bytes while we look at them. */
	if (seals == -1 || (seals & SEALS) != SEALS)
		return -EBADMSG;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (len == 0 || st.st_size < 0 || (uint64_t)st.st_size != len)
		return -EBADMSG;
	void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*ret = map;
	return 0;
}
