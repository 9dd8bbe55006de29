/* SPDX-License-Identifier: ISC */
/*
 * Mounts by descriptors: trees are put together where nobody sees them, and what an attacker wrote into
 * a root is walked by the kernel's own rules (RESOLVE_IN_ROOT), never by path from the host's root.
 */
#include "calls.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
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

/* Mount the open tree ${tree} where ${path} leads inside ${root}, whatever the links on the way say. */
static int64_t put(int tree, int root, const char *path)
{
	scoped_fd target = open_in(root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (target == -1)
		return -errno;
	return call_result(syscall(SYS_move_mount, tree, "", target, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int64_t call_bind_in(const struct arg *a)
{
	const unsigned flags = (unsigned)a[4].i;
	/* What is mounted below the clone later is not seen at what was cloned, nor the other way. */
	const struct attributes attr = { .set = (uint64_t)a[5].i, .propagation = MS_PRIVATE };
	const bool clone = a[1].n > 0;

	scoped_fd copy = clone ? tree_open((int)a[0].i, a[1].s, flags | OPEN_TREE_CLONE) : -1;
	const int tree = clone ? copy : (int)a[0].i;
	if (tree == -1)
		return -errno;
	int64_t r = set_attributes(tree, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE), &attr);
	return r < 0 ? r : put(tree, (int)a[2].i, a[3].s);
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
	return mount == -1 ? -errno : put(mount, (int)a[3].i, a[4].s);
}
