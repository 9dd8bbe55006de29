/* SPDX-License-Identifier: ISC */
/* Lists of numbers, and arguments that have one form of their own. */
#include "decode.h"

#include "constant.h"

#include <errno.h>
#include <sys/select.h>

/* The header of a list of numbers, which comes to the port as a string when all are small. */
static int numbers_in(struct decode *d, struct term *ret)
{
	if (term_in_next(d->in, ret) < 0)
		return -EINVAL;
	if (ret->kind == TERM_STRING && decode_port(d))
		ret->n = (uint32_t)ret->bytes.len;
	else if (ret->kind != TERM_NIL && (ret->kind != TERM_LIST || ret->n == 0))
		return -EINVAL;
	return 0;
}

/* Number ${i} of the list, 0 to ${max}. */
static int number_at(struct decode *d, const struct term *list, uint32_t i, uint64_t max, uint64_t *ret)
{
	struct term t;

	if (list->kind == TERM_STRING) {
		*ret = list->bytes.data[i];
		return *ret > max ? -EINVAL : 0;
	}
	if (term_in_next(d->in, &t) < 0 || t.kind != TERM_INT || t.negative || t.u > max ||
	    (decode_port(d) && t.tag == TAG_LARGE_BIG))
		return -EINVAL;
	*ret = t.u;
	return 0;
}

static int numbers_end(struct decode *d, const struct term *list)
{
	return list->kind == TERM_LIST && term_in_nil(d->in) < 0 ? -EINVAL : 0;
}

static int ids_in(struct decode *d, uint32_t most, uint64_t max, struct arg *ret)
{
	struct term list;

	if (numbers_in(d, &list) < 0 || list.n > most)
		return -EINVAL;
	uint32_t *ids = ARENA_TAKE(d->mem, list.n, uint32_t);
	if (ids == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < list.n; i++) {
		uint64_t v;

		if (number_at(d, &list, i, max, &v) < 0)
			return -EINVAL;
		ids[i] = (uint32_t)v;
	}
	*ret = (struct arg){ .kind = ARG_IDS, .n = list.n, .ids = ids };
	return numbers_end(d, &list);
}

int decode_ids(struct decode *d, struct arg *ret)
{
	return ids_in(d, UINT32_MAX, UINT32_MAX, ret);
}

int decode_fd_set(struct decode *d, struct arg *ret)
{
	int r = ids_in(d, FD_SETSIZE - 1, FD_SETSIZE - 1, ret);

	return r == -EINVAL ? -EBADF : r;
}

/* The next integer of 64 bits, in a form that is taken. */
static int integer_in(struct decode *d, struct term *ret)
{
	if (term_in_next(d->in, ret) < 0 || ret->kind != TERM_INT ||
	    (decode_port(d) && ret->tag == TAG_LARGE_BIG))
		return -EINVAL;
	return 0;
}

/* The head of {Name, ..., ...}. */
static int record_in(struct decode *d, const char *name)
{
	struct slice s;

	return term_in_tuple(d->in, 3) == 0 && term_in_atom(d->in, &s) == 0 && slice_is(s, name)
		       ? 0
		       : -EINVAL;
}

int decode_limit(struct decode *d, struct arg *ret)
{
	struct term t;

	ret->kind = ARG_LIMIT;
	if (record_in(d, "alcove_rlimit") < 0)
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		if (integer_in(d, &t) < 0 || t.negative)
			return -EINVAL;
		ret->u[i] = t.u;
	}
	return 0;
}

int decode_time(struct decode *d, struct arg *ret)
{
	struct term_in ahead = *d->in;
	struct term t;

	*ret = (struct arg){ .kind = ARG_TIME };
	if (term_in_nil(&ahead) == 0) {
		*d->in = ahead;
		return 0;
	}
	ret->n = 1;
	if (record_in(d, "alcove_timeval") < 0)
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		if (integer_in(d, &t) < 0 || term_int(&t, &ret->time[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

int decode_handler(struct decode *d, struct arg *ret)
{
	static const struct {
		const char *name;
		enum arg_handler handler;
	} handlers[] = {
		{ "sig_dfl", HANDLER_DEFAULT },
		{ "sig_ign", HANDLER_IGNORE },
		{ "sig_info", HANDLER_INFO },
	};
	struct term t;

	ret->i = HANDLER_QUERY;
	if (term_in_next(d->in, &t) < 0)
		return -EINVAL;
	if (t.kind == TERM_NIL || (t.kind == TERM_BINARY && t.bytes.len == 0))
		return 0;
	for (size_t i = 0; t.kind == TERM_ATOM && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (slice_is(t.bytes, handlers[i].name)) {
			ret->i = handlers[i].handler;
			return 0;
		}
	}
	return -EINVAL;
}

static int wide(const struct decode *d, const struct term *t, char family, int64_t *ret)
{
	if (t->kind == TERM_ATOM)
		return decode_port(d) && !decode_atom(t) ? -EINVAL
							 : constant_value(family, t->bytes, ret);
	return (decode_port(d) && t->tag == TAG_LARGE_BIG) || term_int(t, ret) < 0 ? -EINVAL : 0;
}

int decode_wide(struct decode *d, char family, int64_t *ret)
{
	struct term t;

	return term_in_next(d->in, &t) < 0 ? -EBADMSG : wide(d, &t, family, ret);
}

/* One of the list, or the one number that stands for a list. */
static int wide_of_list(struct decode *d, const struct term *t, char family, uint64_t *ret)
{
	int64_t v;
	int r = wide(d, t, family, &v);

	/* Requests of ioctl are 32 bits wide, rights 64. */
	if (r == 0 && (v < 0 || (family == 'i' && v > UINT32_MAX)))
		return -EINVAL;
	*ret = r == 0 ? (uint64_t)v : 0;
	return r;
}

int decode_wides(struct decode *d, char family, struct arg *ret)
{
	struct term list, t;
	int r = 0;

	if (term_in_next(d->in, &list) < 0)
		return -EINVAL;
	bool string = list.kind == TERM_STRING && decode_port(d);
	if (!string && list.kind != TERM_NIL && list.kind != TERM_INT && (list.kind != TERM_LIST || list.n == 0))
		return -EINVAL;
	uint32_t n = list.kind == TERM_INT ? 1 : string ? (uint32_t)list.bytes.len : list.n;
	uint64_t *words = ARENA_TAKE(d->mem, n, uint64_t);
	if (words == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (string)
			words[i] = list.bytes.data[i];
		else if (list.kind == TERM_INT)
			r = wide_of_list(d, &list, family, &words[i]);
		else
			r = term_in_next(d->in, &t) < 0 ? -EBADMSG
							: wide_of_list(d, &t, family, &words[i]);
	}
	*ret = (struct arg){ .kind = ARG_WORDS, .n = n, .words = words };
	return r < 0 ? r : numbers_end(d, &list);
}
