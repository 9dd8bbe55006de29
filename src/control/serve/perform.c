/* SPDX-License-Identifier: ISC */
/* One call: its arguments, who makes it, and what it answers. */
#include "serve.h"

#include "argument.h"
#include "clock.h"

#include <errno.h>
#include <unistd.h>

static serve_fn *const done_here[CALL_NUMBERS] = {
	[CALL_clone] = serve_clone,
	[CALL_close_range] = serve_close_range,
	[CALL_cpid] = serve_cpid,
	[CALL_deny_calls] = serve_deny_calls,
	[CALL_dup_fds] = serve_dup_fds,
	[CALL_exec] = serve_exec,
	[CALL_execve] = serve_execve,
	[CALL_execvp] = serve_execvp,
	[CALL_exit] = serve_exit,
	[CALL_fexecve] = serve_fexecve,
	[CALL_filter] = serve_filter,
	[CALL_fork] = serve_fork,
	[CALL_getopt] = serve_getopt,
	[CALL_receive_fd] = serve_receive_fd,
	[CALL_reexec] = serve_reexec,
	[CALL_reset_signals] = serve_reset_signals,
	[CALL_send_fd] = serve_send_fd,
	[CALL_setopt] = serve_setopt,
	[CALL_setproctitle] = serve_setproctitle,
	[CALL_sigaction] = serve_sigaction,
	[CALL_waitpid] = serve_waitpid,
};

/* What may wait: it can be interrupted. */
static const bool may_wait[CALL_NUMBERS] = {
	[CALL_connect] = true, [CALL_fcntl] = true,	[CALL_ioctl] = true,   [CALL_mount] = true,
	[CALL_open] = true,    [CALL_openat] = true,	[CALL_openat2] = true, [CALL_poll] = true,
	[CALL_read] = true,    [CALL_select] = true,	[CALL_waitpid] = true, [CALL_write] = true,
	[CALL_readdir] = true, [CALL_fsconfig] = true,
};

static void refuse(struct answer *ans, int err, int argument, const char *text)
{
	ans->n = -err;
	ans->argument = argument;
	ans->text = text;
}

/* Every call that takes a descriptor takes none of ours. */
static bool names_private(const struct serve *s, char letter, const struct arg *a)
{
	if (letter == 'd')
		return serve_is_private(s, a->i);
	for (uint32_t i = 0; letter == 'F' && i < a->n; i++) {
		if (serve_is_private(s, a->ids[i]))
			return true;
	}
	for (uint32_t i = 0; a->kind == ARG_DUPS && i < a->n; i++) {
		if (serve_is_private(s, a->dup[i].source.i))
			return true;
	}
	return false;
}

static int decode(struct serve *s, const struct call *c, struct term_in *in, struct arg *arg, struct answer *ans)
{
	const char *letter = c->args, *what;
	struct term t;

	if (term_in_next(in, &t) < 0 || t.kind != TERM_TUPLE || t.n != c->argc) {
		refuse(ans, EINVAL, 0, "another number of arguments");
		return -1;
	}
	for (int i = 0; i < c->argc; i++) {
		char kind = *letter;
		int r = argument_in(in, &letter, &s->arguments, &argument_of_task, &arg[i], &what);

		if (r == 0 && names_private(s, kind, &arg[i]))
			r = -EBADF;
		if (r < 0) {
			refuse(ans, r == -EBADMSG ? EINVAL : -r, i + 1, what);
			return -1;
		}
	}
	return 0;
}

static void by_handler(const struct call *c, const struct arg *arg, struct answer *ans)
{
	const struct handler *h = handler_of(c);

	ans->values = h->value != NULL;
	if (h->number != NULL)
		ans->n = h->number(arg);
	else if (h->value != NULL)
		ans->n = h->value(arg, &ans->result);
	else
		refuse(ans, ENOSYS, 0, "this system does not have the call");
}

/* The rest of a time to wait, after an interruption that was none of ours. */
static void shorten(const struct call *c, struct arg *arg, int64_t passed_us)
{
	if (c->number == CALL_poll && arg[2].i > 0) {
		arg[2].i = arg[2].i > passed_us / 1000 ? arg[2].i - passed_us / 1000 : 0;
	} else if (c->number == CALL_select && arg[3].n > 0 && arg[3].time[0] < INT32_MAX) {
		int64_t left = arg[3].time[0] * 1000000 + arg[3].time[1] - passed_us;

		left = left > 0 ? left : 0;
		arg[3].time[0] = left / 1000000;
		arg[3].time[1] = left % 1000000;
	}
}

/* The message that interrupted a call: the word to cancel it, or the end of the connection. */
static bool is_cancelled(struct serve *s)
{
	struct inbox *in = &s->inbox;
	const uint32_t call = s->call;

	/* The call's own message is decoded, and its descriptors are not for calls that wait. */
	link_release(in);
	int r = link_recv(s->k.private[PRIVATE_SOCKET], in, false);
	if (r == -EAGAIN)
		return false;
	if (r != 1)
		_exit(r == 0 ? 0 : 125);
	bool cancelled = in->head.type == MSG_CANCEL && in->head.id == call;
	/* Nobody asks for a call while another is made. */
	if (in->head.type != MSG_CANCEL)
		_exit(125);
	return cancelled;
}

static void waiting(struct serve *s, const struct call *c, struct arg *arg, struct answer *ans,
		    void (*make)(struct serve *s, const struct call *c, const struct arg *arg, struct answer *ans))
{
	const struct result fresh = ans->result;
	bool cancelled = false;

	signals_may_wait(s);
	for (;;) {
		int64_t begin = clock_now_us();

		make(s, c, arg, ans);
		if (signals_interrupted())
			cancelled = is_cancelled(s);
		if (ans->n != -EINTR || cancelled)
			break;
		shorten(c, arg, clock_now_us() - begin);
		ans->result = fresh;
	}
	signals_waited(s);
	if (cancelled && ans->n == -EINTR)
		refuse(ans, ECANCELED, 0, "the call was cancelled");
}

static void make(struct serve *s, const struct call *c, const struct arg *arg, struct answer *ans)
{
	if (done_here[c->number] != NULL)
		done_here[c->number](s, arg, ans);
	else
		by_handler(c, arg, ans);
}

void serve_perform(struct serve *s, struct term_in *in, const struct call **ret_call, struct arg *arg,
		   struct answer *ans)
{
	uint64_t number;

	if (term_in_tuple(in, 2) < 0 || term_in_uint(in, CALL_NUMBERS - 1, &number) < 0) {
		refuse(ans, EINVAL, 0, "not a call");
		return;
	}
	const struct call *c = *ret_call = call_by_number(number);
	if (c == NULL || !call_for_tasks(c))
		refuse(ans, ENOSYS, 0, "the control process does not know the call");
	else if (serve_denies(s, c->number))
		refuse(ans, ENOSYS, 0, "the call is denied to this task");
	else if (!c->here)
		refuse(ans, ENOSYS, 0, "this system does not have the call");
	else if (decode(s, c, in, arg, ans) == 0)
		may_wait[c->number] ? waiting(s, c, arg, ans, make) : make(s, c, arg, ans);
}

static void memory_out(struct buf *b, const struct call *c, const struct arg *arg, int64_t n)
{
	const char *letters = c->args;
	uint32_t n_out = 0;
	char letter, kind;

	while ((letter = call_letter(&letters, &kind)) != 0)
		n_out += letter == 'x';
	term_out_list(b, n_out + 1);
	term_out_int(b, n);
	letters = c->args;
	for (int i = 0; (letter = call_letter(&letters, &kind)) != 0; i++) {
		struct value v = value_after(kind, &arg[i]);

		if (letter == 'x')
			value_out(b, &v);
	}
	term_out_nil(b);
}

void serve_result_out(struct buf *b, const struct call *c, const struct arg *arg, const struct answer *ans)
{
	const struct result *r = &ans->result;

	if (c == NULL || (!ans->values && c->result == RESULT_OK)) {
		term_out_nil(b);
	} else if (!ans->values && c->result == RESULT_OUT) {
		memory_out(b, c, arg, ans->n);
	} else if (!ans->values) {
		term_out_int(b, ans->n);
	} else if (r->n == 1) {
		value_out(b, &r->v[0]);
	} else {
		term_out_list(b, r->n);
		for (uint32_t i = 0; i < r->n; i++)
			value_out(b, &r->v[i]);
		if (r->n > 0)
			term_out_nil(b);
	}
}
