/* SPDX-License-Identifier: ISC */
#include "message.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const unsigned char magic[4] = { 'c', 'a', 'r', 'l' };

const char *message_name(int type)
{
	static const char *const names[] = {
		[MSG_HELLO] = "HELLO",	   [MSG_SPAWN] = "SPAWN",     [MSG_SIGNAL] = "SIGNAL",
		[MSG_STOP] = "STOP",	   [MSG_KILL] = "KILL",	      [MSG_FREEZE] = "FREEZE",
		[MSG_BRANCH] = "BRANCH",   [MSG_WELCOME] = "WELCOME", [MSG_FAILED] = "FAILED",
		[MSG_STARTED] = "STARTED", [MSG_STOPPED] = "STOPPED", [MSG_CONTINUED] = "CONTINUED",
		[MSG_EXIT] = "EXIT",	   [MSG_GONE] = "GONE",	      [MSG_LOST] = "LOST",
		[MSG_RECORD] = "RECORD",   [MSG_LIMIT] = "LIMIT",     [MSG_FROZEN] = "FROZEN",
		[MSG_ORPHAN] = "ORPHAN",   [MSG_CALL] = "CALL",	      [MSG_CANCEL] = "CANCEL",
		[MSG_REPLY] = "REPLY",	   [MSG_SIGNALLED] = "SIGNALLED", [MSG_CHILD] = "CHILD",
	};
	const int n = (int)(sizeof(names) / sizeof(names[0]));

	return type > 0 && type < n && names[type] != NULL ? names[type] : "?";
}

static void out32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

static uint32_t in32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void message_head_out(const struct message *m, unsigned char *mem)
{
	memcpy(mem, magic, sizeof(magic));
	mem[4] = m->flags;
	mem[5] = 0;
	mem[6] = (unsigned char)(m->type >> 8);
	mem[7] = (unsigned char)m->type;
	out32(mem + 8, m->id);
	out32(mem + 12, m->body_len);
}

int message_head_peek(const unsigned char *mem, struct message *ret)
{
	*ret = (struct message){
		.flags = mem[4],
		.type = (uint16_t)(mem[6] << 8 | mem[7]),
		.id = in32(mem + 8),
		.body_len = in32(mem + 12),
	};
	if (memcmp(mem, magic, sizeof(magic)) != 0 || mem[5] != 0 || (ret->flags & ~MESSAGE_FLAG_MEMFD) != 0)
		return -EBADMSG;
	return 0;
}

int message_head_in(const unsigned char *mem, size_t len, struct message *ret)
{
	struct message m;

	if (len < MESSAGE_HEAD_SIZE || message_head_peek(mem, &m) < 0)
		return -EBADMSG;
	size_t rest = len - MESSAGE_HEAD_SIZE;
	if (m.flags & MESSAGE_FLAG_MEMFD ? rest != 0 || m.body_len > MESSAGE_BODY_MAX
					 : rest != m.body_len)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void steps_out(struct buf *b, const struct step *step, int n)
{
	term_out_list(b, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		term_out_tuple(b, 2);
		term_out_int(b, step[i].sig);
		term_out_int(b, step[i].wait_ms);
	}
	if (n > 0)
		term_out_nil(b);
}

int steps_in(struct term_in *in, struct step *step, int *ret_n)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0 || n > STEPS_MAX - 1)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		int64_t sig, ms;

		if (term_in_tuple(in, 2) < 0 || term_in_int(in, 1, NSIG - 1, &sig) < 0 ||
		    term_in_int(in, -1, INT32_MAX, &ms) < 0)
			return -EBADMSG;
		step[i] = (struct step){ (int)sig, (int)ms };
	}
	if (term_in_list_end(in, n) < 0)
		return -EBADMSG;
	step[n] = (struct step){ SIGKILL, -1 };
	*ret_n = (int)n + 1;
	return 0;
}

static void option_out(struct buf *b, const char *name)
{
	term_out_tuple(b, 2);
	term_out_atom(b, name);
}

static void true_out(struct buf *b, const char *name, bool on)
{
	if (!on)
		return;
	option_out(b, name);
	term_out_atom(b, "true");
}

void spawn_options_out(struct buf *b, const struct spawn_options *o)
{
	uint32_t n = (o->timeout_ms > 0) + 2u + (o->wait_tree || o->keep_tree) + o->trace + o->record + o->limits + o->serve;

	term_out_list(b, n);
	if (o->timeout_ms > 0) {
		option_out(b, "timeout");
		term_out_int(b, o->timeout_ms);
	}
	option_out(b, "stop");
	steps_out(b, o->stop, o->n_stop);
	option_out(b, "group");
	term_out_int(b, o->group);
	if (o->wait_tree || o->keep_tree) {
		option_out(b, "on_exit");
		term_out_atom(b, o->wait_tree ? "wait" : "keep");
	}
	true_out(b, "trace", o->trace);
	true_out(b, "record", o->record);
	true_out(b, "limits", o->limits);
	true_out(b, "serve", o->serve);
	term_out_nil(b);
}

static int true_or_false(struct term_in *in, bool *ret)
{
	struct slice s;

	if (term_in_atom(in, &s) < 0 || !(slice_is(s, "false") || slice_is(s, "true")))
		return -EBADMSG;
	*ret = slice_is(s, "true");
	return 0;
}

static int on_exit_in(struct term_in *in, struct spawn_options *o)
{
	struct slice s;

	if (term_in_atom(in, &s) < 0)
		return -EBADMSG;
	o->wait_tree = slice_is(s, "wait");
	o->keep_tree = slice_is(s, "keep");
	return o->wait_tree || o->keep_tree || slice_is(s, "kill") ? 0 : -EBADMSG;
}

static int option_in(struct term_in *in, struct spawn_options *o)
{
	struct slice name;
	int64_t v;

	if (term_in_tuple(in, 2) < 0 || term_in_atom(in, &name) < 0)
		return -EBADMSG;
	if (slice_is(name, "timeout")) {
		if (term_in_int(in, 0, INT32_MAX, &v) < 0)
			return -EBADMSG;
		o->timeout_ms = (int)v;
		return 0;
	}
	if (slice_is(name, "group")) {
		if (term_in_int(in, 0, INT32_MAX, &v) < 0)
			return -EBADMSG;
		o->group = (pid_t)v;
		return 0;
	}
	if (slice_is(name, "stop"))
		return steps_in(in, o->stop, &o->n_stop);
	if (slice_is(name, "on_exit"))
		return on_exit_in(in, o);
	if (slice_is(name, "trace"))
		return true_or_false(in, &o->trace);
	if (slice_is(name, "record"))
		return true_or_false(in, &o->record);
	if (slice_is(name, "limits"))
		return true_or_false(in, &o->limits);
	if (slice_is(name, "serve"))
		return true_or_false(in, &o->serve);
	return -EBADMSG;
}

int spawn_options_in(struct term_in *in, struct spawn_options *ret)
{
	struct spawn_options o = { .n_stop = 1, .stop = { { SIGKILL, -1 } } };
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		if (option_in(in, &o) < 0)
			return -EBADMSG;
	}
	if (term_in_list_end(in, n) < 0)
		return -EBADMSG;
	*ret = o;
	return 0;
}
