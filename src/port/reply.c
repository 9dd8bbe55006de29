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

int reply_number(const struct buf *reply)
{
	struct term_in in;
	struct slice word;
	int64_t n;

	term_in_init(&in, reply->data, reply->len);
	if (term_in_version(&in) < 0 || term_in_tuple(&in, 2) < 0 || term_in_atom(&in, &word) < 0)
		return REPLY_NO_NUMBER;
	if (slice_is(word, "error"))
		return -1;
	return term_in_int(&in, 0, INT32_MAX, &n) == 0 ? (int)n : REPLY_NO_NUMBER;
}

void reply_error(struct buf *reply, int err)
{
	term_out_version(reply);
	term_out_tuple(reply, 2);
	term_out_atom(reply, "error");
	term_out_atom(reply, errno_name(err));
}
