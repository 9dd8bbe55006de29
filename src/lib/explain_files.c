/* SPDX-License-Identifier: ISC */
#include "explain.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "kernel.h"

/* ------------------------------------------------------- what slots hold --- */

static const char *host_of(const struct explain *x, const struct arg *a)
{
	return a->kind == ARG_SLOT ? x->host[a->i] : NULL;
}

static const char *inside_of(const struct explain *x, const struct arg *a)
{
	return a->kind == ARG_SLOT ? x->inside[a->i] : NULL;
}

/* ${path} in the directory ${dir} of the root. */
static char *joined(const char *dir, const char *path)
{
	char *text;

	while (*path == '/')
		path++;
	return asprintf(&text, "%s%s%s", dir, *path != 0 && dir[strlen(dir) - 1] != '/' ? "/" : "", path) == -1 ? NULL :
														   text;
}

static void keep(struct explain *x, const struct op *op, char *host, char *inside)
{
	if (op->slot < 0) {
		free(host);
		free(inside);
		return;
	}
	free(x->host[op->slot]);
	free(x->inside[op->slot]);
	x->host[op->slot] = host;
	x->inside[op->slot] = inside;
}

static void collect(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len > 0 ? ", " : "", name);
}

#define COLLECT(list, name) collect(list, sizeof(list), name)

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ------------------------------------------------------------ operations --- */

static const char *how(int64_t attributes)
{
	return attributes & MOUNT_ATTR_RDONLY ? "read-only" : "it can write to it";
}

static void bind_words(struct explain *x, const struct op *op)
{
	const struct arg *a = op->arg;
	const char *dir = inside_of(x, &a[2]), *from = host_of(x, &a[0]), *own = inside_of(x, &a[0]);
	char *path = dir != NULL ? joined(dir, a[3].s) : NULL;

	if (path == NULL)
		explain_say(x, EXPLAIN_FILES, "%s: %s, %s", a[3].s, a[1].s, how(a[5].i));
	else if (strcmp(dir, "/dev") == 0)
		COLLECT(x->devices, a[3].s);
	else if (strcmp(dir, "/proc") == 0 && own != NULL && strcmp(own, "/proc") == 0)
		COLLECT(x->shut, a[3].s);
	else if (strcmp(dir, "/proc") == 0)
		COLLECT(x->hidden, a[3].s);
	else if (a[1].n == 0 && from != NULL)
		explain_say(x, EXPLAIN_FILES, "%s: %s of the host, %s", path, from, how(a[5].i));
	else if (strcmp(path, a[1].s) == 0)
		explain_say(x, EXPLAIN_FILES, "%s: the host's, %s", path, how(a[5].i));
	else
		explain_say(x, EXPLAIN_FILES, "%s: %s of the host, %s", path, a[1].s, how(a[5].i));
	free(path);
}

/* Whole lists of names; what is bound into the root is made read-only with it. */
static void each_words(struct explain *x, const struct arg *to, char *const *names, bool masks)
{
	const char *dir = inside_of(x, to);

	for (; dir != NULL && *names != NULL; names++) {
		char *path = joined(dir, *names);

		if (masks)
			COLLECT(x->hidden, *names);
		else if (strcmp(dir, "/dev") == 0)
			COLLECT(x->devices, *names);
		else if (path != NULL)
			explain_say(x, EXPLAIN_FILES, "%s: the host's, read-only", path);
		free(path);
	}
}

static void mount_words(struct explain *x, const struct op *op)
{
	const struct arg *a = op->arg;
	const char *dir = inside_of(x, &a[3]), *size = strstr(a[1].s, "size=");
	const char *run = a[2].i & MOUNT_ATTR_NOEXEC ? "nothing in it can be executed" : "what is in it can be executed";
	unsigned long long bytes = size != NULL ? strtoull(size + 5, NULL, 10) : 0;
	char *path = dir != NULL ? joined(dir, a[4].s) : strdup(a[4].s);

	if (path == NULL || strcmp(path, "/dev") == 0 || strstr(a[1].s, "nr_inodes=4,") != NULL)
		; /* Its devices are told; what masks are made of is seen by nobody. */
	else if (strcmp(a[0].s, "tmpfs") == 0 && size != NULL)
		explain_say(x, EXPLAIN_FILES, "%s: empty, in memory, at most %llu %s, gone with it; %s", path,
			    bytes >= 1048576 ? bytes >> 20 : bytes, bytes >= 1048576 ? "MiB" : "bytes", run);
	else if (strcmp(a[0].s, "devpts") == 0)
		explain_say(x, EXPLAIN_FILES, "%s: terminals of its own", path);
	else if (strcmp(a[0].s, "proc") == 0)
		explain_say(x, EXPLAIN_FILES, "%s: its own processes", path);
	else
		explain_say(x, EXPLAIN_FILES, "%s: a new %s", path, a[0].s);
	free(path);
}

/* A tree that is to be the root, or lies in a slot until it is bound. */
static void tree_words(struct explain *x, const struct op *op)
{
	const struct arg *a = op->arg;

	if (op->slot < 0)
		return;
	char *host = strdup(a[1].s);
	keep(x, op, host, op->slot == 1 ? strdup("/") : NULL);
	if (op->slot == 1)
		snprintf(x->root_words, sizeof(x->root_words), "/: %s of the host", a[1].s);
}

static void memory_words(struct explain *x, const struct op *op)
{
	keep(x, op, NULL, op->slot == 1 ? strdup("/") : NULL);
	if (op->slot == 1)
		snprintf(x->root_words, sizeof(x->root_words), "/: made in memory");
}

static void overlay_words(struct explain *x, const struct op *op)
{
	const char *layer = host_of(x, &op->arg[1]);
	size_t len = strlen(x->root_words);

	x->root_read_only = false;
	snprintf(x->root_words + len, sizeof(x->root_words) - len, "; it can change it, and the changes %s%s",
		 layer != NULL ? "stay in " : "are gone with it", layer != NULL ? layer : "");
	keep(x, op, NULL, strdup("/"));
}

static void open_words(struct explain *x, const struct op *op, const struct arg *dir, const char *path, int64_t flags)
{
	const char *in = dir != NULL ? inside_of(x, dir) : NULL, *from = dir != NULL ? host_of(x, dir) : NULL;
	bool by_path = dir == NULL || dir->kind == ARG_NUMBER;

	if (in != NULL && flags & O_CREAT) {
		char *made = joined(in, path);

		if (made != NULL)
			COLLECT(x->made, made);
		free(made);
		keep(x, op, NULL, NULL);
	} else {
		keep(x, op, from != NULL ? joined(from, path) : by_path ? strdup(path) : NULL,
		     in != NULL ? joined(in, path) : NULL);
	}
}

static void write_words(struct explain *x, const struct op *op)
{
	const char *path = inside_of(x, &op->arg[0]);

	if (path != NULL && strcmp(base(path), "max_user_namespaces") == 0 && strcmp(op->arg[1].s, "0") == 0)
		explain_say(x, EXPLAIN_RIGHTS, "no user namespaces of its own");
	else if (path != NULL && strcmp(base(path), "ping_group_range") == 0)
		explain_say(x, EXPLAIN_NETWORK, "ping(8) works without rights");
	else if (path != NULL)
		explain_say(x, EXPLAIN_FILES, "%s is set to %s", path, op->arg[1].s);
}

bool explain_files(struct explain *x, const struct op *op)
{
	const struct arg *a = op->arg;

	switch ((enum call_number)op->call->number) {
	case CALL_fchdir:
		if (op->place == PLACE_TASK)
			explain_say(x, EXPLAIN_FILES, "it begins in the directory of the caller");
		return true;
	case CALL_chdir:
		if (op->place == PLACE_TASK)
			explain_say(x, EXPLAIN_FILES, "it begins in %s", a[0].s);
		return true;
	case CALL_umask:
		if (op->place == PLACE_TASK)
			explain_say(x, EXPLAIN_FILES, "files that it makes: mask %03o", (unsigned)a[0].i);
		return true;
	case CALL_open_tree:
		tree_words(x, op);
		return true;
	case CALL_fsmount:
		memory_words(x, op);
		return true;
	case CALL_overlay:
		overlay_words(x, op);
		return true;
	case CALL_mount_setattr:
		if (inside_of(x, &a[0]) != NULL && strcmp(inside_of(x, &a[0]), "/") == 0 && a[3].i & MOUNT_ATTR_RDONLY)
			x->root_read_only = true;
		return true;
	case CALL_bind_in:
		bind_words(x, op);
		return true;
	case CALL_bind_each:
		each_words(x, &a[1], a[2].v, false);
		return true;
	case CALL_mask_each:
		each_words(x, &a[2], a[3].v, true);
		return true;
	case CALL_mount_in:
		mount_words(x, op);
		return true;
	case CALL_terminal_in:
		explain_say(x, EXPLAIN_FILES, "/dev/%s: its terminal", a[2].s);
		return true;
	case CALL_openat:
	case CALL_openat2:
		open_words(x, op, &a[0], a[1].s, a[2].i);
		return true;
	case CALL_open:
		open_words(x, op, NULL, a[0].s, a[1].i);
		if (strcmp(a[0].s, "/dev/console") == 0)
			x->terminal_slot = op->slot;
		return !(a[1].i & O_CREAT);
	case CALL_write:
		write_words(x, op);
		return true;
	case CALL_symlinkat:
		if (inside_of(x, &a[1]) != NULL && strcmp(inside_of(x, &a[1]), "/") == 0)
			explain_say(x, EXPLAIN_FILES, "/%s: a link to %s", a[2].s, a[0].s);
		return x->isolated;
	case CALL_pivot_root:
		x->own_files = true;
		return true;
	/* How all that is put together. */
	case CALL_close:
	case CALL_fchown:
	case CALL_fsconfig:
	case CALL_fsopen:
	case CALL_make_in:
	case CALL_mkdirat:
	case CALL_mknodat:
	case CALL_move_mount:
	case CALL_umount2:
		return x->isolated || op->place == PLACE_OUTSIDE;
	default:
		return false;
	}
}

void explain_files_end(struct explain *x)
{
	struct buf rest = x->section[EXPLAIN_FILES];
	struct buf *b = &x->section[EXPLAIN_FILES];

	buf_init(b, MESSAGE_BODY_MAX);
	if (x->root_words[0] != 0)
		explain_say(x, EXPLAIN_FILES, "%s%s", x->root_words, x->root_read_only ? ", read-only" : "");
	if (x->made[0] != 0)
		explain_say(x, EXPLAIN_FILES, "made for it: %s", x->made);
	buf_append(b, rest.data, rest.len);
	buf_finish(&rest);
	if (x->devices[0] != 0)
		explain_say(x, EXPLAIN_FILES, "/dev: %s", x->devices);
	if (x->shut[0] != 0)
		explain_say(x, EXPLAIN_FILES, "/proc: read-only are %s", x->shut);
	if (x->hidden[0] != 0)
		explain_say(x, EXPLAIN_FILES, "/proc: hidden are %s", x->hidden);
}
