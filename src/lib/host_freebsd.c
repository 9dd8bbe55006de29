/* SPDX-License-Identifier: ISC */
/* What a jail has to know about the host, looked up before the program is written. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refused(const carrel_spec *s, carrel_error *e)
{
	const char *what = s->n_binds > 0 ? "binds" : s->n_tmpfs > 0 ? "tmpfs" : s->overlay || s->overlay_dir != NULL ?
			   "overlay" : s->subids ? "subids" : s->net == CARREL_NET_PATH ? "net path" : NULL;

	if (what != NULL)
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1, "behaviour jail cannot honour %s", what);
	if (s->root == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "behaviour jail needs a root directory: --root DIR");
	return 0;
}

int host_look(const carrel_spec *s, pid_t owner, uint32_t number, struct host *ret, carrel_error *e)
{
	struct stat st;

	(void)owner, (void)number;
	*ret = (struct host){ 0 };
	if (refused(s, e) < 0)
		return -1;
	if (geteuid() != 0)
		return error_set(e, CARREL_STAGE_ARGS, EPERM, -1, "behaviour jail needs root");
	/* jail(2) wants it whole. */
	ret->root_dir = realpath(s->root, NULL);
	if (ret->root_dir == NULL || stat(ret->root_dir, &st) == -1 || !S_ISDIR(st.st_mode))
		return error_set(e, CARREL_STAGE_FILE, ret->root_dir == NULL ? errno : ENOTDIR, -1,
				 "root: cannot use '%.150s': %s", s->root,
				 strerror(ret->root_dir == NULL ? errno : ENOTDIR));
	int err = s->net == CARREL_NET_HOST ? host_addresses(ret) : 0;
	if (err < 0)
		return error_set(e, CARREL_STAGE_NAMESPACE, -err, -1, "net: cannot list the host's addresses: %s",
				 strerror(-err));
	return 0;
}

void host_finish(struct host *h)
{
	free(h->root_dir);
}
