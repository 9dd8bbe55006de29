/* SPDX-License-Identifier: ISC */
#include "answer.h"
#include "constant.h"

void reply_atom(struct buf *reply, const char *name)
{
	term_out_version(reply);
	term_out_atom(reply, name);
}

void reply_ok(struct buf *reply)
{
	reply_atom(reply, "ok");
}

void reply_int(struct buf *reply, int64_t n)
{
	term_out_version(reply);
	term_out_int(reply, n);
}

void reply_ok_tuple(struct buf *reply, uint32_t n)
{
	term_out_version(reply);
	term_out_tuple(reply, n + 1);
	term_out_atom(reply, "ok");
}

void reply_ok_int(struct buf *reply, int64_t n)
{
	reply_ok_tuple(reply, 1);
	term_out_int(reply, n);
}

void reply_error(struct buf *reply, int err)
{
	term_out_version(reply);
	term_out_tuple(reply, 2);
	term_out_atom(reply, "error");
	term_out_atom(reply, errno_name(err));
}
