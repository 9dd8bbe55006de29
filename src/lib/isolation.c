/* SPDX-License-Identifier: ISC */
/* Checking what a spec says about isolation: what its behaviour cannot honour is an error that names it. */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BAD(index, ...) error_set(e, CARREL_STAGE_ARGS, EINVAL, index, __VA_ARGS__)
#define HOSTNAME_MAX 64

static int cannot(const char *behaviour, const char *what, carrel_error *e)
{
	return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1, "behaviour %s cannot honour %s", behaviour, what);
}

static int check_plain(const carrel_spec *s, carrel_error *e)
{
	const char *what = s->root != NULL ? "root: --root needs -b rootless or container" :
			   s->n_binds > 0 ? "binds: --bind needs -b rootless or container" :
			   s->overlay || s->overlay_dir != NULL ? "overlay: --overlay needs -b rootless or container" :
			   s->n_tmpfs > 0 ? "tmpfs: --tmpfs needs -b rootless or container" :
			   s->hostname != NULL ? "hostname: --hostname needs -b rootless or container" :
			   s->subids ? "subids: --subids needs -b rootless or container" :
			   s->net == CARREL_NET_PATH ? "net path: --net PATH needs -b rootless or container" :
			   s->net == CARREL_NET_NONE ? "net none: --net none needs -b rootless or container" :
						       NULL;

	return what != NULL ? cannot("process", what, e) : 0;
}

/* What would make a hole, or could not be. */
static int check_kept(const carrel_spec *s, carrel_error *e)
{
	const char *what =
		s->allow_setuid ? "allow_setuid: no other user exists inside" :
		s->set & CARREL_SET_UID_AUTO ? "uid auto: it has a user number of its own in any case" :
		s->set & CARREL_SET_GROUPS && s->n_groups > 0 && !s->subids ? "groups: it has one group without subids" :
		s->session == CARREL_SESSION_KEEP ? "session keep: it always has a session of its own" :
		s->on_exit == CARREL_EXIT_KEEP_TREE ? "on_exit keep: nothing can live on without its init" :
		s->ops != NULL && (s->root != NULL || s->n_binds > 0 || s->n_tmpfs > 0 || s->hostname != NULL ||
				   s->net != CARREL_NET_DEFAULT || s->overlay || s->overlay_dir != NULL || s->subids) ?
						      "ops together with root, binds, tmpfs, overlay, subids, hostname or net" :
						      NULL;

	return what != NULL ? cannot(s->behaviour, what, e) : 0;
}

/* ${path} as a destination of ${what} number ${i}. */
static int check_dest(const char *path, const char *what, int i, bool tmpfs, carrel_error *e)
{
	char *dest = path != NULL ? host_dest(path) : NULL;
	int r = 0;

	if (dest == NULL)
		return BAD(i, "%s: '%.120s' must be an absolute path below / without . and ..", what,
			   path != NULL ? path : "");
	const size_t len = strcspn(dest, "/");
	if ((len == 4 && memcmp(dest, "proc", 4) == 0) ||
	    (len == 3 && memcmp(dest, "dev", 3) == 0 && !(tmpfs && strcmp(dest, "dev/shm") == 0)))
		r = BAD(i, "%s: '%.120s': /dev and /proc are the behaviour's own", what, path);
	if (r == 0 && strlen(dest) > 3000)
		r = BAD(i, "%s: the path '%.60s...' is too long", what, path);
	free(dest);
	return r;
}

static int check_mounts(const carrel_spec *s, carrel_error *e)
{
	int r = 0;

	if (s->n_binds > CARREL_BINDS_MAX || s->n_tmpfs > CARREL_TMPFS_MAX - 3)
		return BAD(-1, "%zu binds and %zu tmpfs; at most %d and %d can be mounted", s->n_binds, s->n_tmpfs,
			   CARREL_BINDS_MAX, CARREL_TMPFS_MAX - 3);
	if ((s->n_binds > 0 && s->binds == NULL) || (s->n_tmpfs > 0 && s->tmpfs == NULL))
		return BAD(-1, "binds or tmpfs is NULL, but its count is not 0");
	for (size_t i = 0; i < s->n_tmpfs && r == 0; i++)
		r = check_dest(s->tmpfs[i].dest, "tmpfs", (int)i, true, e);
	for (size_t i = 0; i < s->n_binds && r == 0; i++) {
		const carrel_bind *b = &s->binds[i];

		if (b->source == NULL || *b->source == 0)
			return BAD((int)i, "bind: binds[%zu] has no source", i);
		r = check_dest(b->dest != NULL ? b->dest : b->source, "bind", (int)i, false, e);
	}
	return r;
}

static int check_hostname(const char *name, carrel_error *e)
{
	size_t len = strlen(name), i = 0;

	while (i < len && (isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '.'))
		i++;
	if (len == 0 || len > HOSTNAME_MAX || i < len)
		return BAD(-1, "hostname '%.70s' must be 1 to %d letters, digits, dots and hyphens", name,
			   HOSTNAME_MAX);
	return 0;
}

int isolation_check(const carrel_spec *s, carrel_error *e)
{
	const struct behaviour *b = behaviour_of(s);

	if ((unsigned)s->net > CARREL_NET_PATH)
		return BAD(-1, "net %d is none", (int)s->net);
	if ((s->net == CARREL_NET_PATH) != (s->net_path != NULL))
		return BAD(-1, "net_path is for CARREL_NET_PATH, which must come with one");
	if (s->ops != NULL && (s->ops_override != NULL || s->ops_add != NULL))
		return BAD(-1, "ops is the whole program; %s changes the behaviour's, and cannot be given with it",
			   s->ops_add != NULL ? "ops_add" : "ops_override");
	if (!b->isolates)
		return check_plain(s, e);
	/* A jail may have what the others may not. */
	if ((b != &behaviour_jail && check_kept(s, e) < 0) || check_mounts(s, e) < 0)
		return -1;
	if (s->root != NULL && *s->root == 0)
		return BAD(-1, "root is an empty path");
	if (s->overlay_dir != NULL && *s->overlay_dir == 0)
		return BAD(-1, "overlay_dir is an empty path");
	if (s->overlay_size > 0 && s->overlay_dir != NULL)
		return BAD(-1, "overlay_size is for a layer in memory, and this one is kept in '%.120s'", s->overlay_dir);
	if (s->overlay_size > 0 && !s->overlay)
		return BAD(-1, "overlay_size is given without overlay");
	if (s->cwd != NULL && *s->cwd != '/')
		return BAD(-1, "cwd '%.120s' must be an absolute path, which is one inside the root", s->cwd);
	return s->hostname != NULL ? check_hostname(s->hostname, e) : 0;
}
