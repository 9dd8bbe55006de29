/* SPDX-License-Identifier: ISC */
#include "argument.h"

#include "constant.h"

#include <errno.h>
#include <string.h>

void *arena_take(struct arena *a, size_t n, size_t size, size_t align)
{
	size_t pad = (align - ((uintptr_t)a->p & (align - 1))) & (align - 1);
	size_t room = (size_t)(a->end - a->p);

	if (room < pad || n > (room - pad) / size)
		return NULL;
	char *taken = a->p + pad;
	a->p = taken + n * size;
	memset(taken, 0, n * size);
	return taken;
}

static int bytes_arg(struct slice s, struct arena *a, struct arg *ret)
{
	char *copy = arena_take(a, s.len + 1, 1, 1);

	if (copy == NULL)
		return -E2BIG;
	memcpy(copy, s.data, s.len);
	*ret = (struct arg){ .kind = ARG_BYTES, .n = (uint32_t)s.len, .s = copy };
	return 0;
}

static int text_in(struct term_in *in, struct arena *a, struct arg *ret)
{
	struct slice s;

	if (term_in_binary(in, &s) < 0 || memchr(s.data, 0, s.len) != NULL)
		return -EINVAL;
	return bytes_arg(s, a, ret);
}

int texts_in(struct term_in *in, struct arena *a, char ***ret, uint32_t *ret_n)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EINVAL;
	/* One more in front: call_exec() puts a shell there. */
	char **v = arena_take(a, (size_t)n + 2, sizeof(*v), _Alignof(char *));
	if (v == NULL)
		return -E2BIG;
	v++;
	for (uint32_t i = 0; i < n; i++) {
		struct arg text;
		int r = text_in(in, a, &text);

		if (r < 0)
			return r;
		/* execve(2) takes char *const *, but never writes. */
		memcpy(&v[i], &text.s, sizeof(v[i]));
	}
	*ret = v;
	*ret_n = n;
	return term_in_list_end(in, n) < 0 ? -EINVAL : 0;
}

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

static int number_in(struct term_in *in, char letter, const struct program *p, struct arg *ret)
{
	struct term t;
	int64_t v;

	if (term_in_next(in, &t) < 0)
		return -EBADMSG;
	if (t.kind == TERM_TUPLE && t.n == 2)
		return reference(in, letter == 'd', p, ret);
	if (t.kind != TERM_INT)
		return -EINVAL;
	if (letter == 'q' && !t.negative) {
		*ret = (struct arg){ .kind = ARG_NUMBER, .i = (int64_t)t.u };
		return 0;
	}
	int64_t min = letter == 'l' ? INT64_MIN : letter == 'u' || letter == 'q' ? 0 : INT32_MIN;
	int64_t max = letter == 'l' ? INT64_MAX : letter == 'u' ? UINT32_MAX : INT32_MAX;
	if (term_int(&t, &v) < 0 || v < min || v > max)
		return -EINVAL;
	*ret = (struct arg){ .kind = ARG_NUMBER, .i = v };
	return 0;
}

static int constant_in(struct term_in *in, char family, int64_t *ret)
{
	struct term t;

	if (term_in_next(in, &t) < 0)
		return -EBADMSG;
	if (t.kind == TERM_ATOM)
		return constant_value(family, t.bytes, ret);
	if (term_int(&t, ret) < 0 || *ret < INT32_MIN || *ret > INT32_MAX)
		return -EINVAL;
	return 0;
}

static int constants_in(struct term_in *in, char family, int64_t *ret)
{
	uint32_t n;
	int64_t sum = 0;

	if (term_in_list(in, &n) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		int64_t v;
		int r = constant_in(in, family, &v);

		if (r < 0)
			return r;
		sum |= v;
	}
	*ret = sum;
	return term_in_list_end(in, n) < 0 ? -EINVAL : 0;
}

static int ids_in(struct term_in *in, struct arena *a, struct arg *ret)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EINVAL;
	uint32_t *ids = arena_take(a, n, sizeof(*ids), _Alignof(uint32_t));
	if (ids == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t v;

		if (term_in_uint(in, UINT32_MAX, &v) < 0)
			return -EINVAL;
		ids[i] = (uint32_t)v;
	}
	*ret = (struct arg){ .kind = ARG_IDS, .n = n, .ids = ids };
	return term_in_list_end(in, n) < 0 ? -EINVAL : 0;
}

static int limit_in(struct term_in *in, struct arg *ret)
{
	struct slice name;

	ret->kind = ARG_LIMIT;
	if (term_in_tuple(in, 3) < 0 || term_in_atom(in, &name) < 0 ||
	    !slice_is(name, "alcove_rlimit") || term_in_uint(in, UINT64_MAX, &ret->u[0]) < 0 ||
	    term_in_uint(in, UINT64_MAX, &ret->u[1]) < 0)
		return -EINVAL;
	return 0;
}

static int dups_in(struct term_in *in, struct arena *a, const struct program *p, struct arg *ret)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EINVAL;
	struct arg_dup *dup = arena_take(a, n, sizeof(*dup), _Alignof(struct arg_dup));
	if (dup == NULL)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		int64_t target;

		if (term_in_tuple(in, 2) < 0 || term_in_int(in, 0, 65535, &target) < 0)
			return -EINVAL;
		dup[i].target = (int)target;
		int r = number_in(in, 'd', p, &dup[i].source);
		if (r < 0)
			return r;
	}
	*ret = (struct arg){ .kind = ARG_DUPS, .n = n, .dup = dup };
	return term_in_list_end(in, n) < 0 ? -EINVAL : 0;
}

static int vector_in(struct term_in *in, struct arena *a, struct arg *ret)
{
	char **v;

	ret->kind = ARG_VECTOR;
	int r = texts_in(in, a, &v, &ret->n);
	ret->v = r == 0 ? v : NULL;
	return r;
}

/* The atom env, or an own list. */
static int environment_in(struct term_in *in, struct arena *a, const struct program *p,
			  struct arg *ret)
{
	struct term_in ahead = *in;
	struct slice name;

	if (term_in_atom(&ahead, &name) < 0)
		return vector_in(in, a, ret);
	if (!slice_is(name, "env"))
		return -EINVAL;
	*in = ahead;
	*ret = (struct arg){ .kind = ARG_VECTOR, .v = p->env };
	while (ret->v[ret->n] != NULL)
		ret->n++;
	return 0;
}

static int path_in(struct term_in *in, struct arena *a, struct arg *ret)
{
	int r = text_in(in, a, ret);

	if (r == 0 && (ret->n == 0 || ret->n > 4095))
		return -EINVAL;
	return r;
}

static int raw_in(struct term_in *in, struct arena *a, struct arg *ret)
{
	struct slice s;

	return term_in_binary(in, &s) < 0 ? -EINVAL : bytes_arg(s, a, ret);
}

int argument_in(struct term_in *in, const char **letter, struct arena *a, const struct program *p,
		struct arg *ret, const char **what)
{
	char c = *(*letter)++;

	*ret = (struct arg){ .kind = ARG_NUMBER };
	switch (c) {
	case 'p':
		*what = "a path of 1 to 4095 bytes";
		return path_in(in, a, ret);
	case 's':
		*what = "a text without NUL";
		return text_in(in, a, ret);
	case 'b':
		*what = "bytes";
		return raw_in(in, a, ret);
	case 'v':
		*what = "a list of texts";
		return vector_in(in, a, ret);
	case 'e':
		*what = "env or a list of NAME=VALUE";
		return environment_in(in, a, p, ret);
	case 'g':
		*what = "a list of ids";
		return ids_in(in, a, ret);
	case 'r':
		*what = "{alcove_rlimit, Soft, Hard}";
		return limit_in(in, ret);
	case 'f':
		*what = "a list of {Number, Descriptor}";
		return dups_in(in, a, p, ret);
	case 'k':
		*what = "a constant of the call's family";
		return constant_in(in, *(*letter)++, &ret->i);
	case 'K':
		*what = "a list of constants of the call's family";
		return constants_in(in, *(*letter)++, &ret->i);
	default:
		*what = c == 'd' ? "a descriptor" : "an integer in range";
		return number_in(in, c, p, ret);
	}
}
