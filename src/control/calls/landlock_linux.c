/* SPDX-License-Identifier: ISC */
/* Landlock. */
#include "calls.h"

#include "fd.h"
#include "kernel.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* The kernel's, as of ABI 6; Debian 12's headers have the first member only. */
struct rules {
	uint64_t files, net, scope;
};

struct port_rule {
	uint64_t access, port;
};

#define RULE_PORT 2

/* What a rule for something that is no directory may hold. */
#define FILE_ACCESS \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

int64_t call_landlock_scope(const struct arg *a)
{
	return sys_landlock_scope((uint64_t)a[0].i);
}

/* What an old kernel does not know is zero there and so no error, unless it was asked for. */
int64_t call_landlock_create_ruleset(const struct arg *a)
{
	const struct rules rules = { (uint64_t)a[0].i, (uint64_t)a[1].i, (uint64_t)a[2].i };

	return call_result(syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0));
}

static int64_t add_path(int64_t ruleset, int64_t fd, uint64_t access)
{
	const struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = (int)fd };

	return call_result(syscall(SYS_landlock_add_rule, (int)ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

static int64_t add_port(int64_t ruleset, uint64_t port, uint64_t access)
{
	const struct port_rule rule = { access, port };

	return call_result(syscall(SYS_landlock_add_rule, (int)ruleset, RULE_PORT, &rule, 0));
}

/* One ${access} for files and directories: of a file what it can have. */
static int64_t allow(int64_t ruleset, const char *path, uint64_t access)
{
	struct stat st;
	scoped_fd fd = open(path, O_PATH | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1)
		return -errno;
	return add_path(ruleset, fd, S_ISDIR(st.st_mode) ? access : access & FILE_ACCESS);
}

int64_t call_landlock_add_path(const struct arg *a)
{
	return add_path(a[0].i, a[1].i, (uint64_t)a[2].i);
}

int64_t call_landlock_add_port(const struct arg *a)
{
	return add_port(a[0].i, (uint64_t)a[1].i, (uint64_t)a[2].i);
}

int64_t call_landlock_allow(const struct arg *a)
{
	return allow(a[0].i, a[1].s, (uint64_t)a[2].i);
}

int64_t call_landlock_allow_found(const struct arg *a)
{
	for (uint32_t i = 0; i < a[1].n; i++) {
		int64_t r = allow(a[0].i, a[1].v[i], (uint64_t)a[2].i);

		/* What cannot be reached is not there for the task either. */
		if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EACCES && r != -ELOOP)
			return r;
	}
	return 0;
}

int64_t call_landlock_allow_stream(const struct arg *a)
{
	const int fd = (int)a[1].i, flags = fcntl(fd, F_GETFL);
	struct termios settings;
	struct stat st;
	uint64_t access = 0;

	if (flags == -1 || fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		access |= LANDLOCK_ACCESS_FS_READ_FILE;
	if ((flags & O_ACCMODE) != O_RDONLY)
		access |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
	if (tcgetattr(fd, &settings) == 0)
		access |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	int64_t r = add_path(a[0].i, fd, access & (uint64_t)a[2].i);
	/* A file in memory that has no name. */
	return r == -EBADFD ? 0 : r;
}

int64_t call_landlock_allow_ports(const struct arg *a)
{
	int64_t r = 0;

	for (uint32_t i = 0; i < a[1].n && r == 0; i++)
		r = add_port(a[0].i, a[1].ids[i], (uint64_t)a[2].i);
	return r;
}

int64_t call_filter_ports(const struct arg *a)
{
	(void)a;
	return sys_filter_ports();
}

int64_t call_landlock_restrict_self(const struct arg *a)
{
	return call_result(syscall(SYS_landlock_restrict_self, (int)a[0].i, 0));
}
