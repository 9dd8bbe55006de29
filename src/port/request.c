/* SPDX-License-Identifier: ISC */
#include "answer.h"

#include <errno.h>

static int refuse(struct buf *reply, const char *name)
{
	reply_atom(reply, name);
	return -1;
}

int port_decode(const struct call *c, struct term_in *in, struct arg *arg, struct arena *mem,
		struct buf *reply)
{
	const char *letter = c->args, *what;
	struct term t;

	if (term_in_next(in, &t) < 0 || t.kind != TERM_TUPLE || t.n != c->argc)
		return refuse(reply, "badarg");
	if (!c->here)
		return refuse(reply, "undef");
	for (int i = 0; i < c->argc; i++) {
		int r = argument_in(in, &letter, mem, NULL, &arg[i], &what);

		if (r == 0)
			continue;
		if (r != -ENOTSUP && r != -EBADF)
			return refuse(reply, "badarg");
		reply_error(reply, -r);
		return -1;
	}
	return 0;
}
