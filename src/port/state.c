/* SPDX-License-Identifier: ISC */
/* Calls about the process's own state: options, child records, filters, limits. */
#include "port.h"

#include "bytes.h"
#include "deflate.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

/* glibc gives this argument an enum of its own. */
#ifdef __GLIBC__
#define RESOURCE enum __rlimit_resource
#else
#define RESOURCE int
#endif

/* Of the external term format. */
enum { TERM_VERSION = 131, TERM_PACKED = 80 };

static void reply_bool(struct buf *reply, bool b)
{
	reply_atom(reply, b ? "true" : "false");
}

static bool name_is(const struct arg *a, const char *name)
{
	return a->n == strlen(name) && memcmp(a->s, name, a->n) == 0;
}

static int32_t at_most(int64_t v, int32_t max)
{
	return v > max ? max : (int32_t)v;
}

static int32_t credit(int64_t v)
{
	return v < 0 ? -1 : (int32_t)v;
}

/* --------------------------------------------------------------- options --- */

static const struct {
	const char *name;
	size_t offset;
} flags[] = {
	{ "exit_status", offsetof(struct options, exit_status) },
	{ "termsig", offsetof(struct options, termsig) },
	{ "stdin_closed", offsetof(struct options, stdin_closed) },
	{ "stdout_closed", offsetof(struct options, stdout_closed) },
	{ "stderr_closed", offsetof(struct options, stderr_closed) },
};

static bool *find_flag(struct port *p, const struct arg *name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (name_is(name, flags[i].name))
			return (bool *)((char *)&p->options + flags[i].offset);
	return NULL;
}

/* The greatest number of a descriptor of a child, or -1. */
static int greatest_fd(const struct port *p)
{
	const struct child *c;
	int max = -1;

	for (unsigned i = 0; (c = child_each(p, &i)) != NULL;) {
		const int fd[] = { c->ctl, c->in, c->out, c->err };

		for (int k = 0; k < 4; k++)
			max = fd[k] > max ? fd[k] : max;
	}
	return max;
}

static bool set_max_children(struct port *p, uint16_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || PORT_FDS(n) > limit.rlim_cur ||
	    p->children.count > n)
		return false;
	if (limit.rlim_cur != RLIM_INFINITY && greatest_fd(p) > (int64_t)limit.rlim_cur)
		return false;
	/* Slots beyond it may be in use as long as they are: what counts is the number of children. */
	p->options.max_children = n;
	return true;
}

static bool set_option(struct port *p, const struct arg *name, int64_t v)
{
	bool *flag = find_flag(p, name);

	if (flag != NULL)
		*flag = v != 0;
	else if (name_is(name, "flowcontrol"))
		p->options.flow = credit(v);
	else if (name_is(name, "maxforkdepth"))
		p->options.max_depth = (uint8_t)at_most(v, DEPTH_MAX);
	else if (name_is(name, "signaloneof"))
		p->options.signal = (uint8_t)at_most(v, UINT8_MAX);
	else if (name_is(name, "maxchild"))
		return set_max_children(p, (uint16_t)at_most(v, UINT16_MAX));
	else
		return false;
	return true;
}

void state_setopt(struct port *p, const struct arg *a, struct buf *reply)
{
	if (a[1].i < 0 && !name_is(&a[0], "flowcontrol"))
		reply_atom(reply, "badarg");
	else
		reply_bool(reply, set_option(p, &a[0], a[1].i));
}

void state_getopt(struct port *p, const struct arg *a, struct buf *reply)
{
	const bool *flag = find_flag(p, &a[0]);

	if (flag != NULL)
		reply_int(reply, *flag);
	else if (name_is(&a[0], "flowcontrol"))
		reply_int(reply, p->options.flow);
	else if (name_is(&a[0], "maxforkdepth"))
		reply_int(reply, p->options.max_depth);
	else if (name_is(&a[0], "signaloneof"))
		reply_int(reply, p->options.signal);
	else if (name_is(&a[0], "maxchild"))
		reply_int(reply, p->options.max_children);
	else
		reply_bool(reply, false);
}

/* -------------------------------------------------------------- children --- */

static void child_out(struct buf *b, const struct child *c)
{
	const int64_t field[] = { c->pid, c->flow, c->signal, c->ctl, c->in, c->out, c->err };

	term_out_tuple(b, 8);
	term_out_atom(b, "alcove_pid");
	for (size_t i = 0; i < sizeof(field) / sizeof(*field); i++)
		term_out_int(b, field[i]);
}

/* The greatest record: a tuple with a name and seven integers. */
#define RECORD_MAX (2 + 12 + 7 * 5)

static void records_out(const struct port *p, struct buf *b)
{
	const struct child *c;

	term_out_list(b, p->children.count);
	for (unsigned i = 0; (c = child_each(p, &i)) != NULL;)
		child_out(b, c);
	if (p->children.count > 0)
		term_out_nil(b);
}

/* More than about 1,400 records fit into a frame when they are packed, which Erlang unpacks unasked. */
static void records_packed(const struct port *p, struct buf *reply)
{
	struct buf records;

	buf_init(&records, RECORD_MAX * (size_t)p->children.count + 16);
	records_out(p, &records);
	if (records.err == 0) {
		unsigned char head[6] = { TERM_VERSION, TERM_PACKED };

		put32(head + 2, (uint32_t)records.len);
		buf_append(reply, head, sizeof(head));
		deflate_out(reply, records.data, records.len);
	}
	buf_finish(&records);
}

void state_cpid(struct port *p, const struct arg *a, struct buf *reply)
{
	(void)a;
	term_out_version(reply);
	records_out(p, reply);
	if (reply->err == 0)
		return;
	buf_init_fixed(reply, reply->data, reply->cap);
	records_packed(p, reply);
}

void state_setcpid(struct port *p, const struct arg *a, struct buf *reply)
{
	struct child *c = child_find(p, (uint32_t)a[0].i);
	bool flow = name_is(&a[1], "flowcontrol");

	if (!flow && a[2].i < 0) {
		reply_atom(reply, "badarg");
		return;
	}
	if (c != NULL && flow) {
		c->flow = credit(a[2].i);
		child_watch(p, c);
	} else if (c != NULL && name_is(&a[1], "signaloneof")) {
		c->signal = (uint8_t)at_most(a[2].i, UINT8_MAX);
	}
	reply_bool(reply, flow || name_is(&a[1], "signaloneof"));
}

/* --------------------------------------------------------------- filters --- */

static void deny(unsigned char *filter, const struct arg *bits)
{
	for (uint32_t i = 0; i < bits->n && i < FILTER_BYTES; i++)
		filter[i] |= (unsigned char)bits->s[i];
}

void state_filter(struct port *p, const struct arg *a, struct buf *reply)
{
	deny(p->filter, &a[0]);
	deny(p->child_filter, &a[1]);
	reply_ok(reply);
}

bool filter_denies(const struct port *p, unsigned number)
{
	return (p->filter[number / 8] >> number % 8 & 1) != 0;
}

/* ---------------------------------------------------------------- limits --- */

/* The children there are must have room below the limit. */
static bool too_low(const struct port *p, uint64_t cur)
{
	int fd = greatest_fd(p);

	return (fd >= 0 && (uint64_t)fd > cur) || PORT_FDS(p->children.count) > cur;
}

void state_setrlimit(struct port *p, const struct arg *a, struct buf *reply)
{
	struct rlimit limit = { .rlim_cur = a[1].u[0], .rlim_max = a[1].u[1] };
	bool files = a[0].i == RLIMIT_NOFILE;

	if (files && too_low(p, limit.rlim_cur)) {
		reply_error(reply, EINVAL);
		return;
	}
	if (files)
		low_limit(p, false);
	if (setrlimit((RESOURCE)a[0].i, &limit) == -1) {
		reply_error(reply, errno);
		return;
	}
	if (files && PORT_FDS(p->options.max_children) > limit.rlim_cur)
		p->options.max_children = (uint16_t)((limit.rlim_cur - 6) / 6);
	reply_ok(reply);
}
