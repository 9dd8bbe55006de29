/* SPDX-License-Identifier: ISC */
/* Files, directories and descriptors. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/close_range.h>
#include <sys/syscall.h>
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1
#endif
#endif

int64_t call_chdir(const struct arg *a)
{
	return call_result(chdir(a[0].s));
}

int64_t call_fchdir(const struct arg *a)
{
	return call_result(fchdir((int)a[0].i));
}

int64_t call_chmod(const struct arg *a)
{
	return call_result(chmod(a[0].s, (mode_t)a[1].i));
}

int64_t call_chown(const struct arg *a)
{
	return call_result(chown(a[0].s, (uid_t)a[1].i, (gid_t)a[2].i));
}

int64_t call_chroot(const struct arg *a)
{
	return call_result(chroot(a[0].s));
}

int64_t call_close(const struct arg *a)
{
	return call_result(close((int)a[0].i));
}

int64_t call_link(const struct arg *a)
{
	return call_result(link(a[0].s, a[1].s));
}

int64_t call_lseek(const struct arg *a)
{
	return call_result(lseek((int)a[0].i, (off_t)a[1].i, (int)a[2].i));
}

int64_t call_mkdir(const struct arg *a)
{
	return call_result(mkdir(a[0].s, (mode_t)a[1].i));
}

int64_t call_mkfifo(const struct arg *a)
{
	return call_result(mkfifo(a[0].s, (mode_t)a[1].i));
}

int64_t call_open(const struct arg *a)
{
	return call_result(open(a[0].s, (int)a[1].i, (mode_t)a[2].i));
}

int64_t call_openat(const struct arg *a)
{
	return call_result(openat((int)a[0].i, a[1].s, (int)a[2].i | O_CLOEXEC, (mode_t)a[3].i));
}

int64_t call_mkdirat(const struct arg *a)
{
	return call_result(mkdirat((int)a[0].i, a[1].s, (mode_t)a[2].i));
}

int64_t call_mknodat(const struct arg *a)
{
	return call_result(mknodat((int)a[0].i, a[1].s, (mode_t)a[2].i, (dev_t)a[3].i));
}

int64_t call_symlinkat(const struct arg *a)
{
	return call_result(symlinkat(a[0].s, (int)a[1].i, a[2].s));
}

int64_t call_fchmod(const struct arg *a)
{
	return call_result(fchmod((int)a[0].i, (mode_t)a[1].i));
}

int64_t call_fchown(const struct arg *a)
{
	return call_result(fchown((int)a[0].i, (uid_t)a[1].i, (gid_t)a[2].i));
}

int call_read(const struct arg *a, struct result *r)
{
	/* Version, tuple of two, ok, and the head of a binary. */
	const size_t most = r->room > 12 ? r->room - 12 : 0;
	const uint64_t want = (uint64_t)a[1].i;
	size_t n = want < most ? (size_t)want : most;
	char *data = arena_take(&r->mem, n, 1, 1);

	if (data == NULL)
		return -ENOMEM;
	ssize_t got = read((int)a[0].i, data, n);
	return got < 0 ? -errno : result_add(r, value_bytes(data, (size_t)got));
}

int64_t call_rmdir(const struct arg *a)
{
	return call_result(rmdir(a[0].s));
}

int64_t call_symlink(const struct arg *a)
{
	return call_result(symlink(a[0].s, a[1].s));
}

int64_t call_umask(const struct arg *a)
{
	return umask((mode_t)a[0].i);
}

int64_t call_unlink(const struct arg *a)
{
	return call_result(unlink(a[0].s));
}

int64_t call_write(const struct arg *a)
{
	return call_result(write((int)a[0].i, a[1].s, a[1].n));
}

#ifdef __linux__
int64_t call_memfd_create(const struct arg *a)
{
	return call_result(syscall(SYS_memfd_create, a[0].s, (unsigned)a[1].i | MFD_CLOEXEC));
}

int64_t call_close_range(const struct arg *a)
{
	return call_result(syscall(SYS_close_range, (unsigned)a[0].i, (unsigned)a[1].i, (unsigned)a[2].i));
}
#endif

/* Everything from ${first} on closes at exec. */
static int64_t close_rest(int first)
{
#ifdef __linux__
	if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
#endif
	/* Before 5.11: all that a control process ever opens is close-on-exec already, but for 0, 1, 2. */
	for (int fd = first; fd < 3; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

int64_t call_dup_fds(const struct arg *a)
{
	int top = 2;

	for (uint32_t i = 0; i < a->n; i++)
		top = a->dup[i].target > top ? a->dup[i].target : top;
	/* Out of each other's way first, so that no target overwrites a source. */
	for (uint32_t i = 0; i < a->n; i++) {
		struct arg *source = &a->dup[i].source;

		if (source->i <= top)
			source->i = fcntl((int)source->i, F_DUPFD_CLOEXEC, top + 1);
		if (source->i == -1)
			return -errno;
	}
	int64_t r = close_rest(0);
	for (uint32_t i = 0; i < a->n && r == 0; i++) {
		if (dup2((int)a->dup[i].source.i, a->dup[i].target) == -1)
			r = -errno;
	}
	return r;
}
