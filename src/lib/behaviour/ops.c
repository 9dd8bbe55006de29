/* SPDX-License-Identifier: ISC */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ops_begin(struct ops *o, const struct behaviour_context *x)
{
	*o = (struct ops){ .override = x->override, .add = x->add };
	buf_init(&o->inner, MESSAGE_BODY_MAX);
	buf_reserve(&o->inner, 4096);
}

/* {fd, Name} */
static void out_fd(struct buf *b, const char *name)
{
	term_out_tuple(b, 2);
	term_out_atom(b, "fd");
	term_out_atom(b, name);
}

static void out_texts(struct buf *b, const char *const *v)
{
	uint32_t n = 0;

	while (v[n] != NULL)
		n++;
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++)
		term_out_text(b, v[i]);
	if (n > 0)
		term_out_nil(b);
}

static void out_ids(struct buf *b, const gid_t *ids, size_t n)
{
	term_out_list(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		term_out_uint(b, ids[i]);
	if (n > 0)
		term_out_nil(b);
}

static void out_ports(struct buf *b, const uint16_t *ports, size_t n)
{
	term_out_list(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		term_out_uint(b, ports[i]);
	if (n > 0)
		term_out_nil(b);
}

static void out_limit(struct buf *b, uint64_t soft, uint64_t hard)
{
	term_out_tuple(b, 3);
	term_out_atom(b, "alcove_rlimit");
	term_out_uint(b, soft);
	term_out_uint(b, hard);
}

static void out_slot(struct buf *b, int slot)
{
	term_out_tuple(b, 2);
	term_out_atom(b, "slot");
	term_out_int(b, slot);
}

/* {Number, {fd, Name}}: name NULL for the descriptor that the host passes for that number. */
static void out_dup(struct buf *b, int target, const char *name)
{
	term_out_tuple(b, 2);
	term_out_int(b, target);
	if (name != NULL) {
		out_fd(b, name);
	} else {
		term_out_tuple(b, 2);
		term_out_atom(b, "fd");
		term_out_int(b, target);
	}
}

/* With ${terminal}, a slot, in place of those streams that are one; -1: as they came. */
static void out_dups(struct buf *b, const carrel_spec *s, int terminal)
{
	static const char *const standard[] = { "stdin", "stdout", "stderr" };
	const carrel_io *io[] = { &s->in, &s->out, &s->err };

	term_out_list(b, (uint32_t)(3 + s->n_pass_fds + (s->filter_listens ? 1 : 0)));
	for (int i = 0; i < 3; i++) {
		if (terminal >= 0 && io[i]->kind == CARREL_PTY) {
			term_out_tuple(b, 2);
			term_out_int(b, i);
			out_slot(b, terminal);
		} else {
			out_dup(b, i, standard[i]);
		}
	}
	for (size_t i = 0; i < s->n_pass_fds; i++)
		out_dup(b, s->pass_fds[i][1], NULL);
	if (s->filter_listens)
		out_dup(b, spec_listener(s), NULL);
	term_out_nil(b);
}

static void out_passed(struct buf *b, const carrel_spec *s)
{
	term_out_list(b, (uint32_t)s->n_pass_fds);
	for (size_t i = 0; i < s->n_pass_fds; i++)
		term_out_int(b, s->pass_fds[i][1]);
	if (s->n_pass_fds > 0)
		term_out_nil(b);
}

/* A list of the words in ${words}, which blanks separate. */
static void out_words(struct buf *b, const char *words)
{
	uint32_t n = 0;

	for (const char *p = words; *p != 0; p += strcspn(p, " "), p += *p == ' ')
		n++;
	term_out_list(b, n);
	for (const char *p = words; *p != 0; p += *p == ' ') {
		size_t len = strcspn(p, " ");

		term_out_atom_slice(b, (struct slice){ (const unsigned char *)p, len });
		p += len;
	}
	if (n > 0)
		term_out_nil(b);
}

/* "ignore", "ignore ERRNO", "slot N", or the first two with the last. */
static void out_options(struct buf *b, const char *options)
{
	const char *slot = strstr(options, "slot "), *ignore = options;
	bool ignores = strncmp(options, "ignore", 6) == 0;

	ignore += ignores && options[6] == ' ' ? 7 : 6;
	term_out_list(b, (uint32_t)ignores + (slot != NULL));
	if (ignores && *ignore != 0 && ignore != slot) {
		term_out_tuple(b, 2);
		term_out_atom(b, "ignore");
		term_out_atom_slice(b, (struct slice){ (const unsigned char *)ignore, strcspn(ignore, " ") });
	} else if (ignores) {
		term_out_atom(b, "ignore");
	}
	if (slot != NULL) {
		term_out_tuple(b, 2);
		term_out_atom(b, "slot");
		term_out_int(b, atoi(slot + 5));
	}
	if (ignores || slot != NULL)
		term_out_nil(b);
}

/*
 * Format letters and what they take:
 *   i int  u uint64_t  a const char * (atom)
 *   t const char * (text)  v const char *const * (list of texts)  f const char * ({fd, Name})
 *   h nothing ({host, group})  n nothing ([])  s int ({slot, N})  w const char * (list of its words, as atoms)
 *   b const void *, size_t (bytes)  g const gid_t *, size_t  p const uint16_t *, size_t (list of ports)
 *   r uint64_t soft, uint64_t hard  d const carrel_spec * (its descriptors)
 *   B const struct buf * (a whole term)
 *   D const carrel_spec *, int (the same, with the slot for its terminal)
 *   P const carrel_spec * (list of the numbers of its passed descriptors)
 */
static void add(struct ops *o, enum place place, enum call_number call, const char *options, const char *format,
		va_list ap)
{
	struct buf *b = &o->inner;
	uint32_t argc = 0;

	if (!ops_wanted(o, place, call))
		return;
	while (format[argc] != 0)
		argc++;
	term_out_tuple(b, 4);
	term_out_atom(b, place_name(place));
	term_out_int(b, call);
	term_out_tuple(b, argc);
	for (const char *f = format; *f != 0; f++) {
		const struct buf *term;
		const carrel_spec *s;
		const gid_t *ids;
		const uint16_t *ports;
		const void *bytes;
		uint64_t soft;

		switch (*f) {
		case 'i':
			term_out_int(b, va_arg(ap, int));
			break;
		case 'u':
			term_out_uint(b, va_arg(ap, uint64_t));
			break;
		case 'a':
			term_out_atom(b, va_arg(ap, const char *));
			break;
		case 't':
			term_out_text(b, va_arg(ap, const char *));
			break;
		case 'v':
			out_texts(b, va_arg(ap, const char *const *));
			break;
		case 'h':
			term_out_tuple(b, 2);
			term_out_atom(b, "host");
			term_out_atom(b, "group");
			break;
		case 'n':
			term_out_list(b, 0);
			break;
		case 's':
			out_slot(b, va_arg(ap, int));
			break;
		case 'w':
			out_words(b, va_arg(ap, const char *));
			break;
		case 'f':
			out_fd(b, va_arg(ap, const char *));
			break;
		case 'g':
			ids = va_arg(ap, const gid_t *);
			out_ids(b, ids, va_arg(ap, size_t));
			break;
		case 'p':
			ports = va_arg(ap, const uint16_t *);
			out_ports(b, ports, va_arg(ap, size_t));
			break;
		case 'b':
			bytes = va_arg(ap, const void *);
			term_out_binary(b, bytes, va_arg(ap, size_t));
			break;
		case 'r':
			soft = va_arg(ap, uint64_t);
			out_limit(b, soft, va_arg(ap, uint64_t));
			break;
		case 'B':
			term = va_arg(ap, const struct buf *);
			buf_append(b, term->data, term->len);
			break;
		case 'P':
			out_passed(b, va_arg(ap, const carrel_spec *));
			break;
		case 'd':
		case 'D':
			s = va_arg(ap, const carrel_spec *);
			out_dups(b, s, *f == 'D' ? va_arg(ap, int) : -1);
			break;
		default:
			break;
		}
	}
	out_options(b, options);
	o->n++;
}

void ops_add(struct ops *o, enum call_number call, bool ignore, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(o, PLACE_TASK, call, ignore ? "ignore" : "", format, ap);
	va_end(ap);
}

void ops_add_init(struct ops *o, enum call_number call, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(o, PLACE_INIT, call, "", format, ap);
	va_end(ap);
}

void ops_put(struct ops *o, enum place place, const char *options, enum call_number call, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(o, place, call, options, format, ap);
	va_end(ap);
}

void ops_end(struct ops *o, struct buf *b)
{
	for (int place = 0; place < PLACE_COUNT; place++) {
		if (!o->ended[place])
			ops_phase(o, (enum place)place);
	}
	term_out_list(b, o->n);
	buf_append(b, o->inner.data, o->inner.len);
	if (o->n > 0)
		term_out_nil(b);
	if (o->inner.err != 0 && b->err == 0)
		b->err = o->inner.err;
	buf_finish(&o->inner);
}
