/* SPDX-License-Identifier: ISC */
/*
 * Mounts by descriptors: trees are put together where nobody sees them, and what an attacker wrote into
 * a root is walked by the kernel's own rules (RESOLVE_IN_ROOT), never by path from the host's root.
 */
#include "calls.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* The kernel's struct mount_attr, which some libcs have and others do not. */
struct attributes {
	uint64_t set, clear, propagation, userns;
};

/* Stands in for a text of no bytes where the kernel wants NULL. */
static const char *or_null(const struct arg *a)
{
	return a->n > 0 ? a->s : NULL;
}

static int open_in(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	const struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int64_t call_openat2(const struct arg *a)
{
	const uint64_t flags = (uint64_t)a[2].i;
	/* A mode without a file to make is refused. */
	const uint64_t mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? (uint64_t)a[3].i : 0;

	return call_result(open_in((int)a[0].i, a[1].s, flags, mode, (uint64_t)a[4].i));
}

static int tree_open(int from, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, from, path, flags | OPEN_TREE_CLOEXEC);
}

int64_t call_open_tree(const struct arg *a)
{
	return call_result(tree_open((int)a[0].i, a[1].s, (unsigned)a[2].i));
}

int64_t call_move_mount(const struct arg *a)
{
	return call_result(syscall(SYS_move_mount, (int)a[0].i, a[1].s, (int)a[2].i, a[3].s,
				   (unsigned)a[4].i));
}

static int64_t set_attributes(int from, const char *path, unsigned flags, const struct attributes *attr)
{
	return call_result(syscall(SYS_mount_setattr, from, path, flags, attr, sizeof(*attr)));
}

int64_t call_mount_setattr(const struct arg *a)
{
	const struct attributes attr = { .set = (uint64_t)a[3].i, .clear = (uint64_t)a[4].i,
					 .propagation = (uint64_t)a[5].i };

	return set_attributes((int)a[0].i, a[1].s, (unsigned)a[2].i, &attr);
}

int64_t call_mount_idmap(const struct arg *a)
{
	const struct attributes attr = { .set = MOUNT_ATTR_IDMAP, .userns = (uint64_t)a[3].i };

	return set_attributes((int)a[0].i, a[1].s, (unsigned)a[2].i, &attr);
}

int64_t call_fspick(const struct arg *a)
{
	return call_result(syscall(SYS_fspick, (int)a[0].i, a[1].s, (unsigned)a[2].i | FSPICK_CLOEXEC));
}

int64_t call_fsopen(const struct arg *a)
{
	return call_result(syscall(SYS_fsopen, a[0].s, FSOPEN_CLOEXEC));
}

static int64_t configure(int fs, unsigned what, const char *key, const char *value, int aux)
{
	return call_result(syscall(SYS_fsconfig, fs, what, key, value, aux));
}

int64_t call_fsconfig(const struct arg *a)
{
	return configure((int)a[0].i, (unsigned)a[1].i, or_null(&a[2]), or_null(&a[3]), 0);
}

int64_t call_fsconfig_fd(const struct arg *a)
{
	return configure((int)a[0].i, FSCONFIG_SET_FD, a[1].s, NULL, (int)a[2].i);
}

int64_t call_fsmount(const struct arg *a)
{
	return call_result(syscall(SYS_fsmount, (int)a[0].i, FSMOUNT_CLOEXEC, (unsigned)a[1].i));
}

/* What ${path} leads to inside ${root}, whatever the links on the way say. */
static int find_in(int root, const char *path)
{
	return open_in(root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

static int64_t put(int tree, int target)
{
	return call_result(syscall(SYS_move_mount, tree, "", target, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int64_t call_bind_in(const struct arg *a)
{
	const unsigned flags = (unsigned)a[4].i;
	/* What is mounted below the clone later is not seen at what was cloned, nor the other way. */
	const struct attributes attr = { .set = (uint64_t)a[5].i, .propagation = MS_PRIVATE };
	const bool clone = a[1].n > 0;

	/* First, because the kernel waits for a grace period when a clone that was mounted nowhere goes away. */
	scoped_fd target = find_in((int)a[2].i, a[3].s);
	if (target == -1)
		return -errno;
	scoped_fd copy = clone ? tree_open((int)a[0].i, a[1].s, flags | OPEN_TREE_CLONE) : -1;
	const int tree = clone ? copy : (int)a[0].i;
	if (tree == -1)
		return -errno;
	int64_t r = set_attributes(tree, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE), &attr);
	return r < 0 ? r : put(tree, target);
}

/* What the kernel makes of ${name} in the directory ${to}, with what this tree shows. */
static int64_t put_at(int tree, int to, const char *name)
{
	return call_result(syscall(SYS_move_mount, tree, "", to, name, MOVE_MOUNT_F_EMPTY_PATH));
}

int64_t call_bind_each(const struct arg *a)
{
	int64_t r = 0;

	for (char *const *name = a[2].v; *name != NULL && r == 0; name++) {
		scoped_fd copy = tree_open((int)a[0].i, *name, OPEN_TREE_CLONE | AT_RECURSIVE);

		r = copy == -1 ? -errno : put_at(copy, (int)a[1].i, *name);
	}
	return r;
}

int64_t call_mask_each(const struct arg *a)
{
	scoped_fd copy = -1;
	int64_t r = 0;

	/* The copy for a name that is not there is kept for the next: the kernel waits for a grace period when one
	 * that was mounted nowhere goes away. */
	for (char *const *name = a[3].v; *name != NULL && r == 0; name++) {
		if (copy == -1)
			copy = tree_open((int)a[0].i, a[1].s, OPEN_TREE_CLONE);
		r = copy == -1 ? -errno : put_at(copy, (int)a[2].i, *name);
		if (r == 0)
			copy = fd_close(copy);
		else if (r == -ENOENT && copy != -1)
			r = 0;
	}
	return r;
}

int64_t call_terminal_in(const struct arg *a)
{
	const struct attributes attr = { .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE };
	char link[32], path[256];
	struct stat st, found;

	/* Its mount is another namespace's, which cannot be cloned here: the one of the same name in ours can, if it is
	 * the same terminal. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", (int)a[0].i);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n == -1 || fstat((int)a[0].i, &st) == -1)
		return -errno;
	path[n] = 0;
	/* First, as in bind_in. */
	scoped_fd target = find_in((int)a[1].i, a[2].s);
	scoped_fd copy = target != -1 ? tree_open(AT_FDCWD, path, OPEN_TREE_CLONE) : -1;
	if (copy == -1 || fstat(copy, &found) == -1)
		return -errno;
	if (!S_ISCHR(st.st_mode) || found.st_dev != st.st_dev || found.st_ino != st.st_ino)
		return -ENOTTY;
	int64_t r = set_attributes(copy, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : put(copy, target);
}

/* Directory ${path} inside ${root}: what leads to it, opened. */
static int open_around(int root, const char *path, size_t len)
{
	char around[4096];

	snprintf(around, sizeof(around), "%.*s", (int)len, len > 0 ? path : ".");
	return open_in(root, len > 0 ? around : ".", O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* The part of ${path} from ${from} to ${to}, unless it is there. */
static int64_t make_part(int root, const char *path, size_t from, size_t to, mode_t mode)
{
	char name[NAME_MAX + 1];
	int r;

	if (to - from > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + from, to - from);
	name[to - from] = 0;
	scoped_fd dir = open_around(root, path, from);
	if (dir == -1)
		return -errno;
	/* A link is there as well: what it leads to is the affair of who wrote it. */
	if (S_ISDIR(mode))
		r = mkdirat(dir, name, mode & 07777);
	else
		r = mknodat(dir, name, S_IFREG | (mode & 07777), 0);
	return r == -1 && errno != EEXIST ? -errno : 0;
}

int64_t call_make_in(const struct arg *a)
{
	const char *path = a[1].s;
	const mode_t mode = (mode_t)a[2].i;
	int64_t r = 0;

	if (!S_ISDIR(mode) && !S_ISREG(mode))
		return -EINVAL;
	for (size_t from = 0; r == 0 && path[from] != 0;) {
		size_t to = from + strcspn(path + from, "/");

		if (to > from)
			r = make_part((int)a[0].i, path, from, to, path[to] != 0 ? S_IFDIR | 0755 : mode);
		from = path[to] != 0 ? to + 1 : to;
	}
	return r;
}

/* The kernel takes layers by path; this is the one that leads to an open directory and nowhere else. */
static int64_t configure_layer(int fs, const char *key, int dir)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return configure(fs, FSCONFIG_SET_STRING, key, path, 0);
}

int64_t call_overlay(const struct arg *a)
{
	scoped_fd fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	int64_t r;

	if (fs == -1)
		return -errno;
	r = configure(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (r == 0)
		r = configure_layer(fs, "lowerdir", (int)a[0].i);
	if (r == 0)
		r = configure_layer(fs, "upperdir", (int)a[1].i);
	if (r == 0)
		r = configure_layer(fs, "workdir", (int)a[2].i);
	/* What it notes about files: in attributes that need no right of the host's. */
	if (r == 0)
		r = configure(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	if (r == 0)
		r = configure(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? r : call_result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)a[3].i));
}

/* One option at ${text}, of ${len} bytes: key or key=value. */
static int64_t configure_text(int fs, const char *text, size_t len)
{
	char option[256], *value;

	if (len >= sizeof(option))
		return -E2BIG;
	memcpy(option, text, len);
	option[len] = 0;
	value = strchr(option, '=');
	if (value == NULL)
		return configure(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	*value++ = 0;
	return configure(fs, FSCONFIG_SET_STRING, option, value, 0);
}

int64_t call_mount_in(const struct arg *a)
{
	int64_t r = 0;

	scoped_fd fs = (int)syscall(SYS_fsopen, a[0].s, FSOPEN_CLOEXEC);
	if (fs == -1)
		return -errno;
	/* For mount(8) and df(1), which show it. */
	r = configure(fs, FSCONFIG_SET_STRING, "source", a[0].s, 0);
	for (const char *p = a[1].s; *p != 0 && r == 0;) {
		size_t len = strcspn(p, ",");

		r = configure_text(fs, p, len);
		p += len + (p[len] == ',');
	}
	if (r == 0)
		r = configure(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	scoped_fd mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)a[2].i);
	if (mount == -1)
		return -errno;
	scoped_fd target = find_in((int)a[3].i, a[4].s);
	return target == -1 ? -errno : put(mount, target);
}
