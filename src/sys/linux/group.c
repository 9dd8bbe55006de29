/* SPDX-License-Identifier: ISC */
/*
 * The cgroups of one stream: where they are made, and how they go.
 *
 * In v2 a cgroup that has processes cannot divide anything among cgroups below it, but for the root.  The
 * caller's own has one at least, the caller: so the stream's lies in it if that is the root, and beside it
 * otherwise.  In v1 it lies below the caller's own, in each hierarchy that is needed.
 */
#include "sys.h"

#include "fd.h"
#include "group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BIT(c) (UINT32_C(1) << (c))
/* While others of the handle remove the directory around it. */
#define TRIES 10

static const struct {
	const char *v2, *v1;
} names[SYS_CONTROLLERS] = {
	[SYS_MEMORY] = { "memory", "memory" }, [SYS_PIDS] = { "pids", "pids" }, [SYS_CPU] = { "cpu", "cpu" },
	[SYS_IO] = { "io", "blkio" },	       [SYS_CPUACCT] = { NULL, "cpuacct" },
	[SYS_FREEZER] = { NULL, "freezer" },
};

static const char not_ours[] = "no cgroup here is ours to divide: run it as root, or below systemd-run --user --scope";
static const char occupied[] = "no cgroup v2 with processes of its own can be divided: run it in one below (mkdir, cgroup.procs)";
static const char missing[] = "this kernel or container has no cgroup controller for it";

void sys_group_init(struct sys_group *g, pid_t guard, pid_t stream, int handle)
{
	*g = (struct sys_group){ .guard = guard, .stream = stream, .handle = handle, .v2 = -1, .v2_outer = -1 };
	for (int c = 0; c < SYS_CONTROLLERS; c++)
		g->v1[c] = g->v1_outer[c] = g->enter[c] = -1;
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

/* A cgroup of v2, or of either; asked in a way that a locked process may. */
static bool is_v2(int dir)
{
	struct stat st;

	return fstatat(dir, "cgroup.controllers", &st, 0) == 0;
}

static bool is_cgroup(int dir)
{
	struct stat st;

	return fstatat(dir, "cgroup.procs", &st, 0) == 0;
}

static int write_file(int dir, const char *name, const char *value)
{
	scoped_fd fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return -errno;
	return write(fd, value, strlen(value)) == -1 ? -errno : 0;
}

/* ${word} is among those in ${text}, which blanks, commas or the end of a line separate. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; *p != 0; p += strspn(p, " ,\n")) {
		size_t n = strcspn(p, " ,\n");

		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool lists(int dir, const char *file, const char *word)
{
	char text[256];

	return fd_read_file(dir, file, text, sizeof(text)) >= 0 && has_word(text, word);
}

/* -------------------------------------------------------- making them --- */

/* ${name} below ${at}, made if it is not there. */
static int make_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0755) == -1 && errno != EEXIST)
		return -errno;
	return open_dir(at, name);
}

static void outer_name(char *name, size_t size, pid_t guard)
{
	snprintf(name, size, "carrel-%d", guard);
}

static void inner_name(char *name, size_t size, pid_t stream)
{
	snprintf(name, size, "r%d", stream);
}

/* The stream's below ${outer}: a new one, whose counters are at 0 and whose limits are none. */
static int make_inner(const struct sys_group *g, int outer)
{
	char name[32];

	inner_name(name, sizeof(name), g->stream);
	if (mkdirat(outer, name, 0755) == -1) {
		/* Left by an earlier process of this number that was killed. */
		if (errno != EEXIST || unlinkat(outer, name, AT_REMOVEDIR) == -1 || mkdirat(outer, name, 0755) == -1)
			return -errno;
	}
	return open_dir(outer, name);
}

/* Both below ${base}. */
static int make_both(const struct sys_group *g, int base, int *ret_outer)
{
	char name[32];
	int r = -ENOENT;

	outer_name(name, sizeof(name), g->guard);
	for (int i = 0; i < TRIES && r == -ENOENT; i++) {
		int outer = make_dir(base, name);

		if (outer < 0)
			return outer;
		r = make_inner(g, outer);
		if (r < 0)
			fd_close(outer);
		else
			*ret_outer = outer;
	}
	return r;
}

static int enable(int dir, enum sys_controller c)
{
	char text[16];

	snprintf(text, sizeof(text), "+%s", names[c].v2);
	return write_file(dir, "cgroup.subtree_control", text);
}

/* With the controller, below ${base}.  ${own}: that is the caller's own cgroup, where the handle's is too. */
static int make_v2(struct sys_group *g, int base, bool own, enum sys_controller c)
{
	int outer = -1, r;

	/* Whoever is to be moved there must be allowed to leave from here. */
	if (!own && faccessat(base, "cgroup.procs", W_OK, AT_EACCESS) == -1)
		return -errno;
	r = enable(base, c);
	if (r < 0)
		return r;
	if (own && g->handle >= 0) {
		r = make_inner(g, g->handle);
		g->v2 = r >= 0 ? r : -1;
		return r < 0 ? r : enable(g->handle, c);
	}
	r = make_both(g, base, &outer);
	if (r < 0)
		return r;
	g->v2 = r;
	g->v2_outer = outer;
	return enable(outer, c);
}

/* One more controller for the one that is there. */
static int extend_v2(struct sys_group *g, enum sys_controller c)
{
	int outer = g->v2_outer >= 0 ? g->v2_outer : g->handle;
	scoped_fd base = open_dir(outer, "..");
	int r = base < 0 ? base : enable(base, c);

	return r < 0 ? r : enable(outer, c);
}

static int need_v2(struct sys_group *g, enum sys_controller c, const char **ret_why)
{
	scoped_fd own = sys_cgroup_own();
	int r = own;

	if (own >= 0 && g->v2 >= 0) {
		r = extend_v2(g, c);
	} else if (own >= 0) {
		r = make_v2(g, own, true, c);
		scoped_fd above = r < 0 ? open_dir(own, "..") : -1;
		if (above >= 0 && is_v2(above))
			r = make_v2(g, above, false, c);
	}
	*ret_why = r == -EBUSY ? occupied : r == -ENOENT ? missing : not_ours;
	if (r == 0)
		g->v2_has |= BIT(c);
	return r;
}

/* The hierarchy of a controller, and the caller's own cgroup in it. */
static int open_own_v1(enum sys_controller c)
{
	char text[8192], path[64], *line, *next;

	if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", names[c].v1);
	for (line = text; line != NULL && *line != 0; line = next) {
		char *list = strchr(line, ':'), *own = list != NULL ? strchr(list + 1, ':') : NULL;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = 0;
		if (own == NULL)
			continue;
		*own++ = 0;
		if (!has_word(list + 1, names[c].v1))
			continue;
		scoped_fd root = open_dir(AT_FDCWD, path);
		if (root < 0 || !is_cgroup(root))
			return -ENOENT;
		int fd = open_dir(root, own[1] != 0 ? own + 1 : ".");
		/* In a container that is shown its own part alone, under the name that it has outside. */
		return fd == -ENOENT ? open_dir(root, ".") : fd;
	}
	return -ENOENT;
}

/* Several controllers can share a hierarchy, and then they share the cgroup. */
static int shared_v1(const struct sys_group *g, enum sys_controller c, int own)
{
	struct stat st, other;

	for (int i = 0; i < SYS_CONTROLLERS && fstat(own, &st) == 0; i++) {
		if (i != (int)c && g->v1[i] >= 0 && fstat(g->v1[i], &other) == 0 && other.st_dev == st.st_dev)
			return fcntl(g->v1[i], F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

static int need_v1(struct sys_group *g, enum sys_controller c, const char **ret_why)
{
	scoped_fd own = open_own_v1(c);

	*ret_why = own == -ENOENT ? missing : not_ours;
	if (own < 0)
		return own == -ENOENT ? -EOPNOTSUPP : own;
	g->v1[c] = shared_v1(g, c, own);
	if (g->v1[c] >= 0)
		return 0;
	int r = make_both(g, own, &g->v1_outer[c]);
	if (r < 0)
		return r;
	g->v1[c] = r;
	g->enter[c] = openat(r, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return g->enter[c] == -1 ? -errno : 0;
}

static bool in_v2(enum sys_controller c)
{
	scoped_fd root = names[c].v2 != NULL ? sys_cgroup_root() : -1;

	return root >= 0 && lists(root, "cgroup.controllers", names[c].v2);
}

int sys_group_need(struct sys_group *g, enum sys_controller c, const char **ret_why)
{
	if (g->v2_has & BIT(c) || g->v1[c] >= 0)
		return 0;
	return in_v2(c) ? need_v2(g, c, ret_why) : need_v1(g, c, ret_why);
}

void sys_group_count(struct sys_group *g, bool all)
{
	const char *why;

	if (all) {
		sys_group_need(g, SYS_MEMORY, &why);
		sys_group_need(g, SYS_PIDS, &why);
	}
	/* Time is counted in every cgroup v2, and whatever is in it can be frozen. */
	if (g->v2 < 0 && g->handle >= 0) {
		int r = make_inner(g, g->handle);

		g->v2 = r >= 0 ? r : -1;
	}
	if (g->v2 >= 0)
		return;
	sys_group_need(g, SYS_CPUACCT, &why);
	if (all)
		sys_group_need(g, SYS_FREEZER, &why);
}

/* Said by a service manager of what it leaves to others. */
static bool is_delegated(int dir)
{
	char value[2];

	return fgetxattr(dir, "user.delegate", value, sizeof(value)) > 0 ||
	       fgetxattr(dir, "trusted.delegate", value, sizeof(value)) > 0;
}

bool sys_group_needs_scope(void)
{
	if (!in_v2(SYS_MEMORY) && !in_v2(SYS_PIDS))
		return false;
	scoped_fd own = sys_cgroup_own();
	scoped_fd above = own >= 0 ? open_dir(own, "..") : -1;
	if (above < 0 || !is_v2(above))
		return own < 0;
	return faccessat(above, "cgroup.procs", W_OK, AT_EACCESS) == -1 || !is_delegated(above);
}

int sys_group_make_room(void)
{
	scoped_fd own = sys_cgroup_own();
	scoped_fd leaf = own >= 0 ? make_dir(own, "carrel-control") : own;

	return leaf < 0 ? leaf : write_file(leaf, "cgroup.procs", "0");
}

/* ------------------------------------------------------- going in, out --- */

int sys_group_enter(const struct sys_group *g)
{
	for (int c = 0; c < SYS_CONTROLLERS; c++) {
		if (g->enter[c] >= 0 && write(g->enter[c], "0", 1) != 1)
			return -errno;
	}
	return 0;
}

int sys_group_add(const struct sys_group *g, pid_t pid)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", pid);

	for (int c = 0; c < SYS_CONTROLLERS; c++) {
		if (g->enter[c] >= 0 && write(g->enter[c], text, (size_t)n) != n)
			return -errno;
	}
	return 0;
}

void sys_group_entered(struct sys_group *g)
{
	for (int c = 0; c < SYS_CONTROLLERS; c++)
		g->enter[c] = fd_close(g->enter[c]);
}

/* The stream's below ${outer}, and that one if no other stream is in it. */
static int remove_both(const struct sys_group *g, int outer, bool with_outer)
{
	char name[40];

	inner_name(name, sizeof(name), g->stream);
	if (unlinkat(outer, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		return -errno;
	snprintf(name, sizeof(name), "../carrel-%d", g->guard);
	if (with_outer)
		unlinkat(outer, name, AT_REMOVEDIR);
	return 0;
}

int sys_group_remove(struct sys_group *g)
{
	int r = 0;

	for (int c = 0; c < SYS_CONTROLLERS; c++) {
		int e = g->v1_outer[c] >= 0 ? remove_both(g, g->v1_outer[c], true) : 0;

		r = e < 0 ? e : r;
	}
	if (g->v2 >= 0) {
		int e = remove_both(g, g->v2_outer >= 0 ? g->v2_outer : g->handle, g->v2_outer >= 0);

		r = e < 0 ? e : r;
	}
	return r;
}

static int discard_below(int base, pid_t guard, pid_t stream)
{
	const struct sys_group g = { .guard = guard, .stream = stream };
	char name[32];

	outer_name(name, sizeof(name), guard);
	scoped_fd outer = open_dir(base, name);
	if (outer < 0)
		return 0;
	return stream != 0 ? remove_both(&g, outer, true) : sys_cgroup_remove(outer, guard);
}

int sys_group_discard(pid_t guard, pid_t stream)
{
	scoped_fd own = sys_cgroup_own();
	bool busy = false;

	for (int c = 0; c < SYS_CONTROLLERS; c++) {
		scoped_fd v1 = open_own_v1((enum sys_controller)c);

		if (v1 >= 0)
			busy |= discard_below(v1, guard, stream) == -EBUSY;
	}
	scoped_fd above = own >= 0 ? open_dir(own, "..") : -1;
	if (above >= 0 && is_v2(above))
		busy |= discard_below(above, guard, stream) == -EBUSY;
	/* The handle's own has those for which it was the place; it goes with the handle. */
	if (own >= 0 && stream != 0)
		busy |= discard_below(own, guard, stream) == -EBUSY;
	return busy ? -EBUSY : 0;
}

/* ---------------------------------------------------------- their files --- */

bool sys_group_is_v2(const struct sys_group *g, enum sys_controller c)
{
	return (g->v2_has & BIT(c)) != 0;
}

int group_dir(const struct sys_group *g, enum sys_controller c)
{
	return sys_group_is_v2(g, c) ? g->v2 : g->v1[c];
}

int sys_group_set(const struct sys_group *g, enum sys_controller c, const char *v2_file, const char *v1_file,
		  const char *value)
{
	const char *file = sys_group_is_v2(g, c) ? v2_file : v1_file;

	return file != NULL ? write_file(group_dir(g, c), file, value) : 0;
}

int sys_group_get(const struct sys_group *g, enum sys_controller c, const char *v2_file, const char *v1_file,
		  char *mem, size_t cap)
{
	const char *file = sys_group_is_v2(g, c) ? v2_file : v1_file;
	int dir = group_dir(g, c), at;

	if (dir < 0 || file == NULL)
		return -ENOENT;
	at = snprintf(mem, cap, "%s ", file);
	if (at < 0 || (size_t)at >= cap)
		return -ENOSPC;
	ssize_t n = fd_read_file(dir, file, mem + at, cap - (size_t)at);
	if (n < 0)
		return (int)n;
	mem[strcspn(mem, "\n")] = 0;
	return 0;
}
