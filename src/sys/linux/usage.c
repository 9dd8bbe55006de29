/* SPDX-License-Identifier: ISC */
/* What the cgroups of a stream say: how much was used, which limits were met; and freezing them. */
#include "sys.h"

#include "fd.h"
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The number behind ${key} in a file with one "key number" a line; a file that is one number has no key. */
static bool number_of(int dir, const char *file, const char *key, uint64_t *ret)
{
	char text[1024], *p = text;
	size_t len = key != NULL ? strlen(key) : 0;

	if (dir < 0 || fd_read_file(dir, file, text, sizeof(text)) < 0)
		return false;
	for (; p != NULL && len > 0; p = strchr(p, '\n'), p += p != NULL) {
		if (strncmp(p, key, len) == 0 && p[len] == ' ')
			break;
	}
	if (p == NULL || p[len] == 0)
		return false;
	*ret = strtoull(p + len, NULL, 10);
	return true;
}

static void memory_usage(const struct sys_group *g, struct sys_usage *u)
{
	int dir = group_dir(g, SYS_MEMORY);
	bool v2 = sys_group_is_v2(g, SYS_MEMORY);

	u->has_memory = number_of(dir, v2 ? "memory.peak" : "memory.max_usage_in_bytes", NULL, &u->memory_peak);
	u->has_events |= number_of(dir, v2 ? "memory.events" : "memory.oom_control", "oom_kill", &u->oom_kills);
}

static void pids_usage(const struct sys_group *g, struct sys_usage *u)
{
	int dir = group_dir(g, SYS_PIDS);

	u->has_pids = number_of(dir, "pids.peak", NULL, &u->pids_peak);
	u->has_events |= number_of(dir, "pids.events", "max", &u->pids_refused);
}

static void cpu_usage(const struct sys_group *g, struct sys_usage *u)
{
	int dir = group_dir(g, SYS_CPU);

	if (g->v2 >= 0) {
		u->has_cpu = number_of(g->v2, "cpu.stat", "user_usec", &u->user_us) &&
			     number_of(g->v2, "cpu.stat", "system_usec", &u->system_us);
	} else if (g->v1[SYS_CPUACCT] >= 0) {
		u->has_cpu = number_of(g->v1[SYS_CPUACCT], "cpuacct.usage_user", NULL, &u->user_us) &&
			     number_of(g->v1[SYS_CPUACCT], "cpuacct.usage_sys", NULL, &u->system_us);
		u->user_us /= 1000;
		u->system_us /= 1000;
	}
	if (sys_group_is_v2(g, SYS_CPU))
		number_of(dir, "cpu.stat", "throttled_usec", &u->throttled_us);
	else if (number_of(dir, "cpu.stat", "throttled_time", &u->throttled_us))
		u->throttled_us /= 1000;
}

void sys_group_usage(const struct sys_group *g, struct sys_usage *ret)
{
	*ret = (struct sys_usage){ 0 };
	memory_usage(g, ret);
	pids_usage(g, ret);
	cpu_usage(g, ret);
}

/* v1 says it by an eventfd. */
static int watch_v1_memory(int dir)
{
	char text[48];
	scoped_fd control = openat(dir, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
	scoped_fd oom = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	scoped_fd event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (control == -1 || oom == -1 || event == -1)
		return -errno;
	int n = snprintf(text, sizeof(text), "%d %d", event, oom);
	if (write(control, text, (size_t)n) != n)
		return -errno;
	return fd_take(&event);
}

/* Having read it is what makes the next change news. */
static int watch_file(int dir, const char *name)
{
	char text[256];
	scoped_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || read(fd, text, sizeof(text)) == -1)
		return -errno;
	return fd_take(&fd);
}

int sys_group_watch(const struct sys_group *g, enum sys_controller c)
{
	int dir = group_dir(g, c);

	if (dir < 0)
		return -ENOENT;
	if (c == SYS_MEMORY && !sys_group_is_v2(g, c))
		return watch_v1_memory(dir);
	return watch_file(dir, c == SYS_MEMORY ? "memory.events" : "pids.events");
}

int sys_group_watch_again(const struct sys_group *g, enum sys_controller c, int fd)
{
	uint64_t count;

	if (c == SYS_MEMORY && !sys_group_is_v2(g, c))
		return read(fd, &count, sizeof(count)) == -1 ? -errno : fd;
	/* Its place in the file cannot be set back. */
	fd_close(fd);
	return sys_group_watch(g, c);
}

int sys_freeze_open(const struct sys_group *g, int dir, bool *ret_v1)
{
	int freezer = g->v1[SYS_FREEZER];
	int fd = dir >= 0 ? openat(dir, "cgroup.freeze", O_WRONLY | O_CLOEXEC) : -1;

	*ret_v1 = fd == -1;
	if (fd == -1 && freezer >= 0)
		fd = openat(freezer, "freezer.state", O_WRONLY | O_CLOEXEC);
	return fd == -1 ? -EOPNOTSUPP : fd;
}

int sys_freeze(int fd, bool v1, bool on)
{
	const char *word = v1 ? on ? "FROZEN" : "THAWED" : on ? "1" : "0";

	return write(fd, word, strlen(word)) == -1 ? -errno : 0;
}

int sys_frozen(const struct sys_group *g, int dir, bool v1)
{
	char text[64];
	uint64_t frozen = 0;

	if (!v1)
		return number_of(dir, "cgroup.events", "frozen", &frozen) ? frozen != 0 : -ENOENT;
	/* FREEZING until the last has stopped. */
	if (g->v1[SYS_FREEZER] < 0 || fd_read_file(g->v1[SYS_FREEZER], "freezer.state", text, sizeof(text)) < 0)
		return -ENOENT;
	return strncmp(text, "FROZEN", 6) == 0;
}
