/* SPDX-License-Identifier: ISC */
/* What the host asks of the supervisor. */
#include "supervisor.h"

#include "fd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void out_option(struct buf *b, const char *name, int64_t value)
{
	term_out_tuple(b, 2);
	term_out_atom(b, name);
	term_out_int(b, value);
}

void welcome(struct supervisor *s)
{
	unsigned char mem[512];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, MESSAGE_PROTOCOL);
	term_out_list(&b, 6);
	out_option(&b, "guard", s->guard_pid);
	out_option(&b, "supervisor", getpid());
	out_option(&b, "nursery", s->nursery);
	out_option(&b, "cgroup", s->cgroup);
	out_option(&b, "locked", s->locked);
	out_option(&b, "landlock", s->landlock_abi);
	term_out_nil(&b);
	tell(s, MSG_WELCOME, s->hello_id, &b);
}

static int hello(struct supervisor *s, struct term_in *in)
{
	uint64_t protocol;

	if (term_in_tuple(in, 2) < 0 || term_in_uint(in, UINT32_MAX, &protocol) < 0)
		return -EBADMSG;
	s->hello_id = s->inbox->head.id;
	s->welcome = true;
	if (!s->early)
		welcome(s);
	/* The other side says what is wrong; we just do not go on with a stranger. */
	return protocol == MESSAGE_PROTOCOL ? 0 : -EPROTO;
}

/*
 * Hand the request to the spare.  0 when that was done or the host was told why not; -EPIPE when the
 * spare has died without our knowing: the request waits for another.
 */
static int spawn_to_spare(struct supervisor *s, uint32_t id, const struct spawn_options *o)
{
	struct stream *st = stream_create(s, id, o);
	int r = st == NULL ? -ENOMEM : s->passed_on;

	if (r > 0)
		r = link_forward(s->spare.socket, s->inbox, true);

	if (r < 0 && st != NULL)
		stream_undo(s, st);
	/* Orders about single tasks go there later. */
	else if (st != NULL && o->serve)
		st->link = fd_take(&s->spare.socket);
	s->spare.socket = fd_close(s->spare.socket);
	s->spare.pid = 0;
	if (!s->role->once && spare_ask(s) < 0)
		s->ending = "the nursery died";
	if (r == -EPIPE && !s->role->once) {
		s->pending_spawn = true;
		return r;
	}
	s->once_done = s->role->once;
	if (r < 0)
		tell_failed(s, id, STAGE_CHANNEL, -r, -1, "");
	return 0;
}

void spawn_in_hand(struct supervisor *s)
{
	struct spawn_options o;
	struct term_in in;
	uint32_t id = s->inbox->head.id;

	if (s->early) {
		s->passed_on = link_forward(s->spare.socket, s->inbox, true);
		s->pending_spawn = true;
		return;
	}
	if (s->spare.socket < 0 && s->role->once) {
		if (s->once_done)
			tell_failed(s, id, STAGE_ARGS, EBUSY, -1, "the handle was opened for one spawn");
		else
			tell_failed(s, id, STAGE_FORK, EPIPE, -1, "the stream's reaper was killed");
		s->once_done = true;
		link_release(s->inbox);
		return;
	}
	if (s->spare.socket < 0 && s->spare.pid >= 0) {
		/* None yet: keep the request until there is one. */
		s->pending_spawn = true;
		if (!s->spare.asked && spare_ask(s) < 0)
			s->ending = "the nursery died";
		return;
	}
	s->pending_spawn = false;
	term_in_init(&in, s->inbox->body, s->inbox->head.body_len);
	if (s->spare.pid < 0) {
		tell_failed(s, id, STAGE_FORK, -s->spare.pid, -1, "");
		s->spare.pid = 0;
	} else if (term_in_version(&in) < 0 || term_in_tuple(&in, 4) < 0 ||
		   spawn_options_in(&in, &o) < 0 || map_get(&s->by_id, id) != NULL) {
		tell_failed(s, id, STAGE_ARGS, EBADMSG, -1, "not a request to spawn");
	} else {
		if (spawn_to_spare(s, id, &o) == -EPIPE)
			return;
	}
	link_release(s->inbox);
}

static int stop_steps(struct supervisor *s, struct term_in *in, struct stream *st)
{
	struct step step[STEPS_MAX] = { 0 };
	int n;

	if (steps_in(in, step, &n) < 0)
		return -EBADMSG;
	if (st == NULL)
		return 0;
	/* None given: those of the spawn. */
	if (n > 1) {
		memcpy(st->options.stop, step, sizeof(step));
		st->options.n_stop = n;
	}
	stream_stop(s, st, CAUSE_STOP);
	return 0;
}

static int signal_to(struct term_in *in, struct stream *st)
{
	int64_t sig;
	struct slice to;

	if (term_in_tuple(in, 2) < 0 || term_in_int(in, 1, NSIG - 1, &sig) < 0 ||
	    term_in_atom(in, &to) < 0 || !(slice_is(to, "leader") || slice_is(to, "tree")))
		return -EBADMSG;
	if (st != NULL)
		stream_signal(st, slice_is(to, "tree") ? COMMAND_TREE : COMMAND_LEADER, (int)sig);
	return 0;
}

static int freeze(struct supervisor *s, struct term_in *in, struct stream *st)
{
	struct slice on;

	if (term_in_atom(in, &on) < 0 || !(slice_is(on, "true") || slice_is(on, "false")))
		return -EBADMSG;
	if (st == NULL)
		return 0;
	int r = stream_signal(st, slice_is(on, "true") ? COMMAND_FREEZE : COMMAND_THAW, 0);
	if (r < 0)
		tell_report(s, st, &(struct report){ .type = REPORT_FROZEN, .status = -r }, NULL);
	return 0;
}

/* About one task of the stream: the reaper's to judge.  One that takes no orders any more is stuck. */
static int branch(struct supervisor *s, struct stream *st)
{
	if (s->inbox->n_fds != 1)
		return -EBADMSG;
	if (st == NULL || st->link < 0 || st->killed)
		return 0;
	if (st->reaper != 0)
		kill(st->reaper, SIGCONT);
	if (link_forward(st->link, s->inbox, false) == -EAGAIN)
		stream_kill(s, st, CAUSE_LOSS);
	return 0;
}

static int about_stream(struct supervisor *s, struct term_in *in)
{
	/* One that is gone already is no error: its GONE crossed the request. */
	struct stream *st = map_get(&s->by_id, s->inbox->head.id);

	switch (s->inbox->head.type) {
	case MSG_SIGNAL:
		return signal_to(in, st);
	case MSG_STOP:
		return stop_steps(s, in, st);
	case MSG_FREEZE:
		return freeze(s, in, st);
	case MSG_BRANCH:
		return branch(s, st);
	case MSG_KILL:
		if (st != NULL && !st->killed)
			stream_kill(s, st, CAUSE_STOP);
		return term_in_nil(in);
	default:
		return -EBADMSG;
	}
}

void request_in_hand(struct supervisor *s)
{
	struct term_in in;
	int r;

	if (s->inbox->head.type == MSG_SPAWN && s->welcome) {
		spawn_in_hand(s);
		return;
	}
	term_in_init(&in, s->inbox->body, s->inbox->head.body_len);
	r = term_in_version(&in);
	if (r == 0)
		r = s->welcome ? about_stream(s, &in) : s->inbox->head.type == MSG_HELLO ? hello(s, &in) : -EBADMSG;
	if (r < 0)
		s->ending = "the host sent what is no message of this version";
	link_release(s->inbox);
}
