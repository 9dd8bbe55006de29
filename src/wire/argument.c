/* SPDX-License-Identifier: ISC */
#include "decode.h"

#include "constant.h"

#include <errno.h>
#include <string.h>

const struct program argument_of_task;

/* {fd, Name}: the index of that descriptor of the request. */
static int fd_ref(struct term_in *in, const struct program *p, struct arg *ret)
{
	struct term t;
	int64_t number = -1;

	if (term_in_next(in, &t) < 0)
		return -EBADMSG;
	if (t.kind != TERM_ATOM && term_int(&t, &number) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < p->n_fds; i++) {
		struct slice s = p->fd_name[i];

		if (t.kind == TERM_ATOM ? s.data != NULL && s.len == t.bytes.len &&
						  memcmp(s.data, t.bytes.data, s.len) == 0
					: s.data == NULL && p->fd_number[i] == number) {
			*ret = (struct arg){ .kind = ARG_FD, .i = i };
			return 0;
		}
	}
	return -EBADF;
}

/* The inside of a 2-tuple that stands for a number: {slot, N}, {host, group}, or {fd, Name} where a
 * descriptor may stand. */
static int reference(struct term_in *in, bool descriptor, const struct program *p, struct arg *ret)
{
	struct slice name;
	int64_t slot;

	if (term_in_atom(in, &name) < 0)
		return -EINVAL;
	if (descriptor && slice_is(name, "fd"))
		return fd_ref(in, p, ret);
	if (slice_is(name, "host")) {
		*ret = (struct arg){ .kind = ARG_GROUP };
		return term_in_atom(in, &name) == 0 && slice_is(name, "group") ? 0 : -EINVAL;
	}
	if (!slice_is(name, "slot") || term_in_int(in, 0, PROGRAM_SLOTS - 1, &slot) < 0)
		return -EINVAL;
	*ret = (struct arg){ .kind = ARG_SLOT, .i = slot };
	return 0;
}

static int number(const struct decode *d, const struct term *t, char letter, struct arg *ret)
{
	int64_t min = INT32_MIN, max = INT32_MAX, v;

	if (t->kind != TERM_INT || (decode_port(d) && t->tag == TAG_LARGE_BIG))
		return -EINVAL;
	if (letter == 'I' && decode_port(d) && !decode_short_int(t))
		return -EINVAL;
	ret->kind = ARG_NUMBER;
	ret->i = (int64_t)t->u;
	if (letter == 'q')
		return t->negative ? -EINVAL : 0;
	if (letter == 'l') {
		min = INT64_MIN;
		max = INT64_MAX;
	} else if (letter == 'u') {
		min = 0;
		max = UINT32_MAX;
	}
	if (term_int(t, &v) < 0 || v < min || v > max)
		return -EINVAL;
	ret->i = v;
	return 0;
}

static int number_in(struct decode *d, char letter, struct arg *ret)
{
	struct term t;

	if (term_in_next(d->in, &t) < 0)
		return -EBADMSG;
	if (t.kind == TERM_TUPLE && t.n == 2 && !decode_port(d))
		return reference(d->in, letter == 'd', d->program, ret);
	return number(d, &t, letter, ret);
}

/* Latin-1 in UTF-8 begins with one of three leads. */
static bool latin1(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++, n++) {
		if (s.data[i] < 0x80)
			continue;
		if ((s.data[i] & 0xfe) != 0xc2 || ++i == s.len || (s.data[i] & 0xc0) != 0x80)
			return false;
	}
	return n <= 255;
}

bool decode_atom(const struct term *t)
{
	if (t->kind != TERM_ATOM)
		return false;
	bool utf8 = t->tag == TAG_ATOM_UTF8 || t->tag == TAG_SMALL_ATOM_UTF8;
	return utf8 ? latin1(t->bytes) : t->bytes.len <= 255;
}

int decode_constant(const struct decode *d, const struct term *t, char family, int64_t *ret)
{
	bool port = decode_port(d);

	if (t->kind == TERM_ATOM) {
		if (port && !decode_atom(t))
			return -EINVAL;
		int r = constant_value(family, t->bytes, ret);
		/* The port passes it on as an int. */
		return r == 0 && port && (*ret < INT32_MIN || *ret > INT32_MAX) ? -EINVAL : r;
	}
	if (term_int(t, ret) < 0 || *ret < INT32_MIN || *ret > INT32_MAX ||
	    (port && !decode_short_int(t)))
		return -EINVAL;
	return 0;
}

static int constant_in(struct decode *d, char family, int64_t *ret)
{
	struct term t;

	if (term_in_next(d->in, &t) < 0)
		return -EBADMSG;
	return decode_constant(d, &t, family, ret);
}

/* A list of small numbers comes as a string. */
static int64_t bits(struct slice s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum |= s.data[i];
	return sum;
}

static int constants_in(struct decode *d, char family, int64_t *ret)
{
	struct term t;
	int64_t sum = 0;

	if (term_in_next(d->in, &t) < 0)
		return -EINVAL;
	if (t.kind == TERM_NIL) {
		*ret = 0;
		return 0;
	}
	if (decode_port(d) && t.kind == TERM_INT)
		return decode_constant(d, &t, family, ret);
	if (decode_port(d) && t.kind == TERM_STRING) {
		*ret = bits(t.bytes);
		return 0;
	}
	if (t.kind != TERM_LIST || t.n == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < t.n; i++) {
		int64_t v;
		int r = constant_in(d, family, &v);

		if (r < 0)
			return r;
		sum |= v;
	}
	*ret = sum;
	return term_in_nil(d->in) < 0 ? -EINVAL : 0;
}

static int flags_in(struct decode *d, char family, int64_t *ret)
{
	int r = constants_in(d, family, ret);

	return r == 0 && *ret < 0 ? -EINVAL : r;
}

static int atom_in(struct decode *d, struct arg *ret)
{
	struct term t;

	if (term_in_next(d->in, &t) < 0 || !decode_atom(&t))
		return -EINVAL;
	char *name = arena_take(d->mem, t.bytes.len + 1, 1, 1);
	if (name == NULL)
		return -E2BIG;
	memcpy(name, t.bytes.data, t.bytes.len);
	*ret = (struct arg){ .kind = ARG_BYTES, .n = (uint32_t)t.bytes.len, .s = name };
	return 0;
}

static int dups_in(struct decode *d, struct arg *ret)
{
	uint32_t n;

	if (term_in_list(d->in, &n) < 0)
		return -EINVAL;
	struct arg_dup *dup = ARENA_TAKE(d->mem, n, struct arg_dup);
	if (dup == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		int64_t target;

		if (term_in_tuple(d->in, 2) < 0 || term_in_int(d->in, 0, 65535, &target) < 0)
			return -EINVAL;
		dup[i].target = (int)target;
		int r = number_in(d, 'd', &dup[i].source);
		if (r < 0)
			return r;
	}
	*ret = (struct arg){ .kind = ARG_DUPS, .n = n, .dup = dup };
	return term_in_list_end(d->in, n) < 0 ? -EINVAL : 0;
}

/* The atom env, or an own list. */
static int environment_in(struct decode *d, struct arg *ret)
{
	struct term_in ahead = *d->in;
	struct slice name;

	if (term_in_atom(&ahead, &name) < 0 || decode_port(d))
		return decode_vector(d, ret);
	if (!slice_is(name, "env"))
		return -EINVAL;
	*d->in = ahead;
	*ret = (struct arg){ .kind = ARG_VECTOR, .v = d->program->env };
	while (ret->v[ret->n] != NULL)
		ret->n++;
	return 0;
}

int argument_in(struct term_in *in, const char **letter, struct arena *a, const struct program *p,
		struct arg *ret, const char **what)
{
	struct decode d = { in, a, p };
	char c = *(*letter)++;

	*ret = (struct arg){ .kind = ARG_NUMBER };
	*what = call_expects(c, **letter);
	switch (c) {
	case 'v':
		return decode_vector(&d, ret);
	case 'e':
		return environment_in(&d, ret);
	case 'a':
		return atom_in(&d, ret);
	case 'g':
		return decode_ids(&d, ret);
	case 'F':
		return decode_fd_set(&d, ret);
	case 'r':
		return decode_limit(&d, ret);
	case 'T':
		return decode_time(&d, ret);
	case 'H':
		return decode_handler(&d, ret);
	case 'f':
		return dups_in(&d, ret);
	case 'k':
		return constant_in(&d, *(*letter)++, &ret->i);
	case 'K':
		return constants_in(&d, *(*letter)++, &ret->i);
	case 'U':
		return flags_in(&d, *(*letter)++, &ret->i);
	case 'W':
		return decode_wide(&d, *(*letter)++, &ret->i);
	case 'L':
		return decode_wides(&d, *(*letter)++, ret);
	case 'm':
	case 'M':
		return decode_structure(&d, c, *(*letter)++, ret);
	case 'j':
		c = *(*letter)++;
		return decode_port(&d) ? constant_in(&d, c, &ret->i) : number_in(&d, 'i', ret);
	case 'x':
		c = *(*letter)++;
		return decode_port(&d) ? decode_word(&d, c, ret) : number_in(&d, 'l', ret);
	default:
		return strchr("pnhtsobB", c) != NULL ? decode_text(&d, c, ret)
						      : number_in(&d, c, ret);
	}
}
