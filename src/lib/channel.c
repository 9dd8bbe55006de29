/* SPDX-License-Identifier: ISC */
/* Talking to the control process. */
#include "task.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void channel_lost(carrel *c, const char *reason)
{
	carrel_proc *p;

	if (c->lost)
		return;
	c->lost = true;
	debug(c, "lost: %s", reason);
	/* One that was there for a single tree ends behind it. */
	c->lost_told = c->once_used && c->welcome;
	if (reason != c->lost_reason)
		snprintf(c->lost_reason, sizeof(c->lost_reason), "%s", reason);
	/* Nobody will say GONE for these any more; the guard or supervisor has ended them. */
	for (size_t i = 0; (p = map_each(&c->procs, &i)) != NULL;) {
		/* One that failed has no tree, and the caller of the spawn is about to free it. */
		if (p->gone || p->failed)
			continue;
		if (!p->answered) {
			p->answered = p->failed = true;
			p->error = (carrel_error){ .stage = CARREL_STAGE_CHANNEL, .err = EPIPE, .index = -1 };
			snprintf(p->error.msg, sizeof(p->error.msg), "the control process was lost: %s",
				 c->lost_reason);
			continue;
		}
		p->status.cause = CARREL_BY_LOSS;
		c->lost_told = false;
		if (!p->exit_told)
			p->status.sig = SIGKILL;
		/* A released one leaves the map, which moves others: begin again. */
		if (p->released)
			i = 0;
		proc_gone(c, p);
	}
	event_kick(c);
}

int channel_send(carrel *c, enum message_type type, uint32_t id, const struct buf *body, const int *fds,
		 size_t n_fds)
{
	if (body->err != 0)
		return -(body->err == EMSGSIZE ? E2BIG : body->err);
	if (c->lost)
		return -EPIPE;
	/* The supervisor reads unless it is making processes; that is short. */
	int r = link_send(c->socket, type, id, body->data, body->len, fds, n_fds, true);
	debug(c, "> %s %u, %zu bytes, %zu descriptors%s%s", message_name((int)type), id, body->len, n_fds,
	      r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	if (r == -EPIPE || r == -ECONNRESET)
		channel_read(c);
	return r;
}

/* ------------------------------------------------------ what comes in --- */

void channel_status(carrel_status *st, int status)
{
	st->exited = WIFEXITED(status);
	st->code = st->exited ? WEXITSTATUS(status) : 0;
	st->sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	st->core = st->sig != 0 && WCOREDUMP(status);
}

static int usage_in(struct term_in *in, carrel_status *st)
{
	if (term_in_uint(in, UINT64_MAX, &st->utime_us) < 0 ||
	    term_in_uint(in, UINT64_MAX, &st->stime_us) < 0 ||
	    term_in_uint(in, UINT64_MAX, &st->maxrss_kb) < 0)
		return -EBADMSG;
	return 0;
}

static void tell_exit(carrel *c, carrel_proc *p)
{
	if (p->exit_told)
		return;
	p->exit_told = true;
	event_queue(c, CARREL_EXIT, p, 0, &p->status, sizeof(p->status));
}

static int on_exit_message(carrel *c, carrel_proc *p, struct term_in *in)
{
	int64_t status;

	if (term_in_tuple(in, 4) < 0 || term_in_int(in, INT32_MIN, INT32_MAX, &status) < 0 ||
	    usage_in(in, &p->status) < 0)
		return -EBADMSG;
	channel_status(&p->status, (int)status);
	tell_exit(c, p);
	return 0;
}

static int leftovers_in(struct term_in *in, carrel_status *st)
{
	uint64_t count;
	uint32_t n;

	if (term_in_uint(in, UINT32_MAX, &count) < 0 || term_in_list(in, &n) < 0 ||
	    n > CARREL_LEFTOVERS_MAX)
		return -EBADMSG;
	st->leftovers = (unsigned)count;
	for (uint32_t i = 0; i < n; i++) {
		struct slice comm;
		int64_t pid;

		if (term_in_tuple(in, 2) < 0 || term_in_int(in, 0, INT32_MAX, &pid) < 0 ||
		    term_in_binary(in, &comm) < 0 || comm.len >= sizeof(st->leftover[i].comm))
			return -EBADMSG;
		st->leftover[i].pid = (pid_t)pid;
		memcpy(st->leftover[i].comm, comm.data, comm.len);
		st->leftover[i].comm[comm.len] = 0;
	}
	return term_in_list_end(in, n);
}

static int on_gone_message(carrel *c, carrel_proc *p, struct term_in *in)
{
	int64_t status;
	uint64_t cause;

	if (term_in_tuple(in, 8) < 0 || term_in_int(in, INT32_MIN, INT32_MAX, &status) < 0 ||
	    term_in_uint(in, CAUSE_COUNT - 1, &cause) < 0 ||
	    term_in_uint(in, UINT64_MAX, &p->status.wall_us) < 0 || usage_in(in, &p->status) < 0 ||
	    leftovers_in(in, &p->status) < 0)
		return -EBADMSG;
	channel_status(&p->status, (int)status);
	p->status.cause = (carrel_cause)cause;
	tell_exit(c, p);
	proc_gone(c, p);
	return 0;
}

/* The line about one operation of a traced start. */
static void trace_line(carrel *c, carrel_proc *p, int index, int64_t result)
{
	struct buf b;

	/* Not run yet: those behind the tree's end.  Without the request nobody waits for its start any more. */
	if (result == INT64_MIN || p->request == NULL)
		return;
	buf_init(&b, MESSAGE_BODY_MAX);
	if (request_trace(p->request, index, result, &b) == 0 && b.err == 0)
		event_queue(c, CARREL_OP, p, 0, b.data, b.len);
	buf_finish(&b);
}

/* The results of the operations of a traced start, or none. */
static int trace_in(carrel *c, carrel_proc *p, struct term_in *in)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		int64_t index, result;

		if (term_in_tuple(in, 2) < 0 || term_in_int(in, 0, PROGRAM_OPS_MAX, &index) < 0 ||
		    term_in_int(in, INT64_MIN, INT64_MAX, &result) < 0)
			return -EBADMSG;
		trace_line(c, p, (int)index, result);
	}
	return term_in_list_end(in, n);
}

static int on_started_message(carrel *c, carrel_proc *p, struct term_in *in)
{
	int64_t pid, reaper;

	if (term_in_tuple(in, 3) < 0 || term_in_int(in, 1, INT32_MAX, &pid) < 0 ||
	    term_in_int(in, 0, INT32_MAX, &reaper) < 0 || trace_in(c, p, in) < 0)
		return -EBADMSG;
	p->pid = (pid_t)pid;
	p->reaper = (pid_t)reaper;
	p->answered = true;
	if (p->record != NULL && p->spec != NULL)
		record_judge(p->record, p->spec);
	if (!p->captured) {
		c->live++;
		/* A task that waits for calls is no command yet. */
		if (p->task == NULL)
			event_queue(c, CARREL_STARTED, p, 0, NULL, 0);
		int r = p->task != NULL ? task_started(p->task) : 0;
		return r < 0 ? r : proc_watch(p);
	}
	return 0;
}

static int on_failed_message(carrel *c, carrel_proc *p, struct term_in *in)
{
	int64_t stage, err, index;
	struct slice text;

	if (term_in_tuple(in, 5) < 0 || term_in_int(in, 1, STAGE_COUNT - 1, &stage) < 0 ||
	    term_in_int(in, 1, 4095, &err) < 0 || term_in_int(in, -1, PROGRAM_OPS_MAX, &index) < 0 ||
	    term_in_binary(in, &text) < 0 || text.len >= sizeof(p->error.msg) ||
	    trace_in(c, p, in) < 0)
		return -EBADMSG;
	p->error = (carrel_error){ .stage = (carrel_stage)stage, .err = (int)err, .index = (int)index };
	memcpy(p->error.msg, text.data, text.len);
	p->answered = p->failed = true;
	/* Given up before this came. */
	if (p->released)
		proc_free(p);
	return 0;
}

static int welcome_in(carrel *c, struct term_in *in)
{
	uint64_t protocol;
	uint32_t n;

	if (term_in_tuple(in, 2) < 0 || term_in_uint(in, UINT32_MAX, &protocol) < 0)
		return -EBADMSG;
	if (protocol != MESSAGE_PROTOCOL) {
		snprintf(c->lost_reason, sizeof(c->lost_reason),
			 "it speaks protocol %u and this library %u", (unsigned)protocol, MESSAGE_PROTOCOL);
		return -EPROTO;
	}
	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct slice name;
		int64_t v;

		if (term_in_tuple(in, 2) < 0 || term_in_atom(in, &name) < 0 ||
		    term_in_int(in, 0, INT32_MAX, &v) < 0)
			return -EBADMSG;
		int value = (int)v;
		if (slice_is(name, "guard"))
			c->caps.guard = value;
		else if (slice_is(name, "supervisor"))
			c->caps.supervisor = value;
		else if (slice_is(name, "nursery"))
			c->caps.nursery = value;
		else if (slice_is(name, "cgroup"))
			c->caps.cgroup = value;
		else if (slice_is(name, "locked"))
			c->caps.locked = value;
		else if (slice_is(name, "landlock"))
			c->caps.landlock_abi = value;
	}
	c->welcome = true;
	return term_in_list_end(in, n);
}

static int on_lost_message(carrel *c, struct term_in *in)
{
	char text[120];
	struct slice s;

	if (term_in_binary(in, &s) < 0 || s.len >= sizeof(text))
		return -EBADMSG;
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	channel_lost(c, text);
	return 0;
}

static int on_stream_message(carrel *c, carrel_proc *p, struct term_in *in)
{
	int64_t sig;
	int type = c->inbox->head.type;

	if (type == MSG_RECORD && !p->gone && !p->failed)
		return record_in(p->record, in);
	/* There is no tree before STARTED and none after FAILED. */
	if (type != MSG_FAILED && type != MSG_STARTED && (!p->answered || p->failed))
		return -EBADMSG;
	switch (type) {
	case MSG_FAILED:
		return p->answered ? -EBADMSG : on_failed_message(c, p, in);
	case MSG_STARTED:
		return p->answered ? -EBADMSG : on_started_message(c, p, in);
	case MSG_STOPPED:
		if (term_in_int(in, 1, NSIG, &sig) < 0)
			return -EBADMSG;
		event_queue(c, CARREL_STOPPED, p, (int)sig, NULL, 0);
		return 0;
	case MSG_CONTINUED:
		event_queue(c, CARREL_CONTINUED, p, 0, NULL, 0);
		return 0;
	case MSG_LIMIT:
		if (term_in_int(in, 1, LIMIT_COUNT - 1, &sig) < 0)
			return -EBADMSG;
		event_queue(c, CARREL_LIMIT, p, (int)sig, NULL, 0);
		return 0;
	case MSG_FROZEN:
		if (term_in_int(in, 0, 4095, &sig) < 0)
			return -EBADMSG;
		p->frozen = (int)sig;
		return 0;
	case MSG_EXIT:
		return on_exit_message(c, p, in);
	case MSG_GONE:
		return p->gone ? -EBADMSG : on_gone_message(c, p, in);
	case MSG_ORPHAN:
		return p->task != NULL ? task_orphan(p->task, in) : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

static int on_message(carrel *c)
{
	struct term_in in;
	carrel_proc *p = map_get(&c->procs, c->inbox->head.id);

	term_in_init(&in, c->inbox->body, c->inbox->head.body_len);
	if (term_in_version(&in) < 0)
		return -EBADMSG;
	if (c->inbox->head.type == MSG_WELCOME && !c->welcome)
		return welcome_in(c, &in);
	if (c->inbox->head.type == MSG_LOST)
		return on_lost_message(c, &in);
	return p != NULL && c->welcome ? on_stream_message(c, p, &in) : -EBADMSG;
}

/* One message, or none: false. */
static bool read_one(carrel *c)
{
	int r = link_recv(c->socket, c->inbox, false);

	if (r == -EAGAIN)
		return false;
	if (r == 0) {
		channel_lost(c, "its socket was closed");
		return true;
	}
	if (r > 0) {
		debug(c, "< %s %u, %u bytes", message_name(c->inbox->head.type), c->inbox->head.id,
		      c->inbox->head.body_len);
		r = on_message(c);
		link_release(c->inbox);
	}
	if (r == -EBADMSG || r == -EMSGSIZE || r == -EPROTO)
		channel_lost(c, c->lost_reason[0] != 0 ? c->lost_reason : "it sent what is no message");
	else if (r < 0) {
		snprintf(c->lost_reason, sizeof(c->lost_reason), "the host cannot receive from it: %s", strerror(-r));
		channel_lost(c, c->lost_reason);
	}
	return true;
}

/* What came may have been for somebody who waits: for us, or for a socket that has nothing more to say. */
void channel_wake(carrel *c)
{
	pthread_cond_broadcast(&c->changed);
	if (c->reader && !c->next_waits)
		eventfd_write(c->yield, 1);
}

void channel_read(carrel *c)
{
	bool any = false;

	if (c->talk >= 0)
		tasks_read(c);
	while (!c->lost && read_one(c))
		any = true;
	if (any)
		channel_wake(c);
}

/* Let go of the lock and wait for the socket (or to be kicked off it). */
static void read_as_reader(carrel *c, int timeout_ms)
{
	struct pollfd p[3] = { { .fd = c->socket, .events = POLLIN }, { .fd = c->yield, .events = POLLIN },
			       { .fd = c->talk, .events = POLLIN } };

	c->reader = true;
	timeout_ms = tasks_timeout(c, timeout_ms);
	pthread_mutex_unlock(&c->lock);
	poll(p, 3, timeout_ms);
	pthread_mutex_lock(&c->lock);
	c->reader = false;
	eventfd_read(c->yield, &(eventfd_t){ 0 });
	channel_read(c);
	pthread_cond_broadcast(&c->changed);
}

int channel_wait(carrel *c, bool (*done)(void *arg), void *arg, int64_t deadline_us)
{
	for (;;) {
		channel_read(c);
		if (done(arg) || c->lost)
			return 1;
		int timeout_ms = clock_poll_ms(deadline_us);
		if (timeout_ms == 0)
			return 0;
		if (!c->reader && !c->next_busy) {
			read_as_reader(c, timeout_ms);
			continue;
		}
		/* Somebody else reads and wakes us; look again at times, for the deadline's sake. */
		struct timespec ts;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		int64_t ns = ts.tv_nsec + (timeout_ms < 0 || timeout_ms > 100 ? 100 : timeout_ms) *
						  INT64_C(1000000);
		ts.tv_sec += (time_t)(ns / 1000000000);
		ts.tv_nsec = (long)(ns % 1000000000);
		pthread_cond_timedwait(&c->changed, &c->lock, &ts);
	}
}
