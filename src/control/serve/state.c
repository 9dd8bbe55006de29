/* SPDX-License-Identifier: ISC */
/* Calls about the task itself: options, what is denied, its descriptors, its end. */
#include "serve.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void refuse(struct answer *ans, int err, int argument, const char *text)
{
	ans->n = -err;
	ans->argument = argument;
	ans->text = text;
}

/* --------------------------------------------------------------- options --- */

static uint32_t *option(struct serve *s, const struct arg *name, struct answer *ans)
{
	if (name->n == 8 && memcmp(name->s, "maxchild", 8) == 0)
		return &s->k.max_children;
	if (name->n == 12 && memcmp(name->s, "maxforkdepth", 12) == 0)
		return &s->k.max_depth;
	refuse(ans, EINVAL, 1, "an option of a task: maxchild or maxforkdepth");
	return NULL;
}

void serve_getopt(struct serve *s, const struct arg *a, struct answer *ans)
{
	const uint32_t *o = option(s, &a[0], ans);

	ans->values = true;
	if (o != NULL)
		result_add(&ans->result, value_int(*o));
}

void serve_setopt(struct serve *s, const struct arg *a, struct answer *ans)
{
	uint32_t *o = option(s, &a[0], ans);

	ans->values = true;
	if (o == NULL)
		return;
	if (a[1].i < 0 || (o == &s->k.max_children && (uint64_t)a[1].i < s->n_children)) {
		refuse(ans, EINVAL, 2, "a number that is not negative and not below what there is");
		return;
	}
	*o = (uint32_t)a[1].i;
	result_add(&ans->result, value_int(*o));
}

void serve_cpid(struct serve *s, const struct arg *a, struct answer *ans)
{
	struct value *v;
	sigset_t old;

	(void)a;
	ans->values = true;
	signals_block(&old);
	v = ARENA_TAKE(&ans->result.mem, s->n_children, struct value);
	for (uint32_t i = 0; v != NULL && i < s->n_children; i++)
		v[i] = value_int(s->child[i]);
	if (v == NULL)
		ans->n = -ENOMEM;
	else
		result_add(&ans->result, value_list(v, s->n_children));
	signals_restore(&old);
}

/* ---------------------------------------------------------------- denied --- */

static void deny(unsigned char *denied, const struct arg *bits)
{
	for (uint32_t i = 0; i < bits->n && i < CALL_BITS; i++)
		denied[i] |= (unsigned char)bits->s[i];
}

bool serve_denies(const struct serve *s, unsigned number)
{
	return (s->k.denied[number / 8] >> number % 8 & 1) != 0;
}

void serve_filter(struct serve *s, const struct arg *a, struct answer *ans)
{
	(void)ans;
	deny(s->k.denied, &a[0]);
	deny(s->k.denied_below, &a[1]);
}

/* 1: a new task gets no call that its parent has not. */
void serve_deny_calls(struct serve *s, const struct arg *a, struct answer *ans)
{
	if (a[2].i != 0 && a[2].i != 1) {
		refuse(ans, EINVAL, 3, "0 or 1");
		return;
	}
	serve_filter(s, a, ans);
	for (int i = 0; a[2].i == 1 && i < CALL_BITS; i++)
		s->k.denied_below[i] |= s->k.denied[i];
}

/* ----------------------------------------------------------- descriptors --- */

void serve_receive_fd(struct serve *s, const struct arg *a, struct answer *ans)
{
	(void)a;
	if (s->inbox.n_fds != 1)
		refuse(ans, EINVAL, 0, "one descriptor comes with it: carrel_task_send_fd() sends it");
	else
		ans->n = fd_take(&s->inbox.fd[0]);
}

void serve_send_fd(struct serve *s, const struct arg *a, struct answer *ans)
{
	(void)s;
	ans->fd = fcntl((int)a[0].i, F_DUPFD_CLOEXEC, 3);
	if (ans->fd == -1)
		ans->n = -errno;
}

/* Ours out of the way of a number that a call gives a meaning. */
static int make_way(struct serve *s, int number)
{
	for (int i = 0; i < PRIVATE_COUNT; i++) {
		if (s->k.private[i] != number)
			continue;
		int moved = fcntl(number, F_DUPFD_CLOEXEC, number + 1);
		if (moved == -1)
			moved = fcntl(number, F_DUPFD_CLOEXEC, 3);
		if (moved == -1)
			return -errno;
		s->k.private[i] = moved;
	}
	return 0;
}

void serve_dup_fds(struct serve *s, const struct arg *a, struct answer *ans)
{
	int r = 0;

	for (uint32_t i = 0; i < a->n && r == 0; i++)
		r = make_way(s, a->dup[i].target);
	signals_forget_socket();
	ans->n = r < 0 ? r : handler_of(call_by_number(CALL_dup_fds))->number(a);
}

void serve_close_range(struct serve *s, const struct arg *a, struct answer *ans)
{
	int64_t from = a[0].i;

	if (a[0].i > a[1].i) {
		refuse(ans, EINVAL, 2, "a number that is not below the first");
		return;
	}
	/* Around ours, one range after the other. */
	while (from <= a[1].i && ans->n == 0) {
		int64_t to = a[1].i;

		for (int i = 0; i < PRIVATE_COUNT; i++) {
			if (s->k.private[i] >= from && s->k.private[i] <= to)
				to = s->k.private[i] - 1;
		}
		struct arg part[3] = { { .i = from }, { .i = to }, a[2] };
		if (to >= from)
			ans->n = handler_of(call_by_number(CALL_close_range))->number(part);
		from = to + 2;
	}
}

/* ------------------------------------------------------------------- end --- */

void serve_exit(struct serve *s, const struct arg *a, struct answer *ans)
{
	if (s->k.depth == 0 && s->n_children > 0) {
		refuse(ans, EACCES, 0, "the root does not end before its children");
		return;
	}
	_exit((int)a[0].i);
}

void serve_setproctitle(struct serve *s, const struct arg *a, struct answer *ans)
{
	static char title[256];
	const char *argv[] = { title, NULL };

	(void)s, (void)ans;
	snprintf(title, sizeof(title), "%.*s", (int)a[0].n, a[0].n > 0 ? a[0].s : "carrel:task");
	sys_become(title);
	sys_show_as(argv);
}
