/* SPDX-License-Identifier: ISC */
/* A cgroup v2 of our own below the caller's, as a second way to kill a tree. */
#include "sys.h"

#include "fd.h"
#include "group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Alone, or beside v1 hierarchies. */
int sys_cgroup_root(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		scoped_fd fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct stat st;

		/* Only v2 has such a file; and a locked process may not ask for the type. */
		if (fd != -1 && fstatat(fd, "cgroup.controllers", &st, 0) == 0)
			return fd_take(&fd);
	}
	return -ENOENT;
}

int sys_cgroup_own(void)
{
	char text[PATH_MAX + 256];
	scoped_fd root = sys_cgroup_root();

	if (root < 0)
		return root;
	ssize_t n = fd_read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	if (n < 0)
		return (int)n;
	char *line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (line == NULL)
		return -ENOENT;
	line = strchr(line, '/') + 1;
	line[strcspn(line, "\n")] = 0;
	int own = openat(root, *line ? line : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return own == -1 ? -errno : own;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Whether a process may really begin in the cgroup. */
static int try_cgroup(int dir)
{
	scoped_fd kill_fd = sys_cgroup_kill_fd(dir);
	int status = 0;

	if (kill_fd < 0)
		return kill_fd;
	pid_t pid = sys_start(&(struct sys_start){ .run = nothing, .cgroup = dir });
	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, __WALL) == -1 && errno == EINTR)
		continue;
	/* Without clone3 it has to join by itself, which takes other rights. */
	return status == 0 ? 0 : -EACCES;
}

static void own_name(char *name, size_t size, pid_t pid)
{
	snprintf(name, size, "carrel-%d", pid);
}

/* With what is in it, if that is empty. */
static int remove_named(int own, const char *name, pid_t pid)
{
	scoped_fd dir = openat(own, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir == -1 ? -errno : sys_cgroup_remove(dir, pid);

	if (r < 0)
		errno = -r;
	return r;
}

int sys_cgroup_create(pid_t pid)
{
	char name[32];
	scoped_fd own = sys_cgroup_own();

	if (own < 0)
		return own;
	own_name(name, sizeof(name), pid);
	if (mkdirat(own, name, 0755) == -1) {
		/* Left by an earlier process of this number; it may have been killed once (sys_cgroup_child()). */
		if (errno != EEXIST || remove_named(own, name, pid) < 0 || mkdirat(own, name, 0755) == -1)
			return -errno;
	}
	int dir = openat(own, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		int e = errno;

		unlinkat(own, name, AT_REMOVEDIR);
		return -e;
	}
	/* Root may, unless the kernel is too old to kill; a delegation has more conditions than a mode shows. */
	int r = geteuid() == 0 ? faccessat(dir, "cgroup.kill", W_OK, 0) == -1 ? -errno : 0 : try_cgroup(dir);
	if (r == 0)
		return dir;
	fd_close(dir);
	unlinkat(own, name, AT_REMOVEDIR);
	return r;
}

int sys_cgroup_child(int dir, int slot, bool fresh)
{
	char name[32];

	snprintf(name, sizeof(name), "s%d", slot);
	if (fresh && unlinkat(dir, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		return -errno;
	if (mkdirat(dir, name, 0755) == -1 && errno != EEXIST)
		return -errno;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

int sys_cgroup_join(int dir, pid_t pid)
{
	char text[16], *p = text + sizeof(text);
	scoped_fd fd = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return -errno;
	do
		*--p = (char)('0' + pid % 10);
	while ((pid /= 10) != 0);
	return write(fd, p, (size_t)(text + sizeof(text) - p)) == -1 ? -errno : 0;
}

int sys_cgroup_kill_fd(int dir)
{
	int fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int sys_cgroup_kill(int kill_fd)
{
	return write(kill_fd, "1", 1) == 1 ? 0 : -errno;
}

/* The cgroups of streams; whatever else is in the directory is a file of the kernel's. */
static int remove_children(int dir)
{
	struct dirent *d;
	scoped_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd == -1 ? NULL : fdopendir(fd);
	int r = 0;

	if (list == NULL)
		return -errno;
	(void)fd_take(&fd);
	while ((d = readdir(list)) != NULL) {
		if ((d->d_name[0] == 's' || d->d_name[0] == 'r') && strspn(d->d_name + 1, "0123456789") == strlen(d->d_name + 1) &&
		    unlinkat(dir, d->d_name, AT_REMOVEDIR) == -1)
			r = -errno;
	}
	closedir(list);
	return r;
}

int sys_cgroup_remove(int dir, pid_t pid)
{
	char name[40];

	snprintf(name, sizeof(name), "../carrel-%d", pid);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	int r = remove_children(dir);
	if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) == -1)
		r = -errno;
	return r;
}

int sys_cgroup_discard(pid_t pid)
{
	char name[32];
	scoped_fd own = sys_cgroup_own();

	if (own < 0)
		return own;
	own_name(name, sizeof(name), pid);
	return remove_named(own, name, pid);
}
