/* SPDX-License-Identifier: ISC */
/*
 * What a task will be able to see and use, in words.
 *
 * They are made from the program itself, operation by operation, so that they cannot say anything else than what will
 * be done.  An operation that has no words yet is printed as it is.  Only what no operation does comes from the spec:
 * where streams go, and the end.
 */
#include "explain.h"

#include "constant.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const char *const titles[EXPLAIN_SECTIONS] = {
	[EXPLAIN_COMMAND] = "Command",	   [EXPLAIN_FILES] = "Files",	  [EXPLAIN_PROCESSES] = "Processes",
	[EXPLAIN_NETWORK] = "Network",	   [EXPLAIN_IDENTITY] = "Identity", [EXPLAIN_RIGHTS] = "Rights",
	[EXPLAIN_LIMITS] = "Limits",	   [EXPLAIN_STREAMS] = "Streams and terminal", [EXPLAIN_END] = "End",
	[EXPLAIN_OTHER] = "Other operations",
};

void explain_quoted(struct buf *b, const char *text)
{
	for (const char *p = text; *p != 0; p++) {
		if ((unsigned char)*p < 32 || *p == 127)
			buf_printf(b, "\\x%02x", (unsigned char)*p);
		else
			buf_append_byte(b, (unsigned char)*p);
	}
}

void explain_say(struct explain *x, enum explain_section section, const char *fmt, ...)
{
	char text[4400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_append_str(&x->section[section], "  ");
	explain_quoted(&x->section[section], text);
	buf_append_byte(&x->section[section], '\n');
}

/* ---------------------------------------------------------- the operations --- */

static void clone_words(struct explain *x, const struct op *op)
{
	const int64_t f = op->arg[0].i;

	x->isolated = true;
	explain_say(x, EXPLAIN_PROCESSES, f & CLONE_NEWPID ?
		    "its own only: process 1 is carrel's init, the command is process 2, and the end of one is the end of all" :
		    "the host's, as far as its user may");
	if (f & CLONE_NEWIPC)
		explain_say(x, EXPLAIN_PROCESSES, "shared memory, semaphores and message queues of its own");
	if (f & CLONE_NEWCGROUP)
		explain_say(x, EXPLAIN_PROCESSES, "a view of cgroups that begins with its own");
	if (f & CLONE_NEWNET)
		explain_say(x, EXPLAIN_NETWORK, "one of its own, with nothing but loopback");
	x->own_network |= (f & CLONE_NEWNET) != 0;
	x->own_processes |= (f & CLONE_NEWPID) != 0;
	x->own_files |= (f & CLONE_NEWNS) != 0;
}

/* The lines of a map: INSIDE OUTSIDE COUNT. */
static void map_words(struct explain *x, const char *what, const struct arg *map)
{
	unsigned long in, out, n;
	int len;

	for (const char *p = map->s; sscanf(p, "%lu %lu %lu%n", &in, &out, &n, &len) == 3; p += len) {
		if (n == 1)
			explain_say(x, EXPLAIN_IDENTITY, "%s %lu inside is %lu outside", what, in, out);
		else
			explain_say(x, EXPLAIN_IDENTITY, "%ss %lu to %lu inside are %lu to %lu outside", what, in, in + n - 1,
				    out, out + n - 1);
	}
}

static void groups_words(struct explain *x, const struct arg *a)
{
	char text[400] = "";
	size_t at = 0;

	x->groups_dropped = true;
	for (uint32_t i = 0; i < a->n && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", i > 0 ? ", " : "", a->ids[i]);
	explain_say(x, EXPLAIN_IDENTITY, a->n > 0 ? "supplementary groups: %s" : "no supplementary groups", text);
}

static void limit_words(struct explain *x, const struct op *op)
{
	const char *name = constant_name('r', op->arg[0].i);
	char limit[2][24];

	for (int i = 0; i < 2; i++) {
		if (op->arg[1].u[i] == UINT64_MAX)
			snprintf(limit[i], sizeof(limit[i]), "unlimited");
		else
			snprintf(limit[i], sizeof(limit[i]), "%llu", (unsigned long long)op->arg[1].u[i]);
	}
	name = name == NULL ? "?" : strncmp(name, "rlimit_", 7) == 0 ? name + 7 : name;
	if (op->arg[0].i == RLIMIT_CORE && op->arg[1].u[1] == 0)
		explain_say(x, EXPLAIN_LIMITS, "no core file");
	else if (op->arg[1].u[0] == op->arg[1].u[1])
		explain_say(x, EXPLAIN_LIMITS, "%s: %s", name, limit[0]);
	else
		explain_say(x, EXPLAIN_LIMITS, "%s: %s, up to %s", name, limit[0], limit[1]);
}

static bool prctl_words(struct explain *x, const struct op *op)
{
	if (op->arg[0].i == PR_SET_NO_NEW_PRIVS && op->arg[1].i == 1)
		explain_say(x, EXPLAIN_RIGHTS, "none to be gained by executing a file (no_new_privs)");
	else if (op->arg[0].i == PR_SET_PDEATHSIG)
		explain_say(x, EXPLAIN_END, "the command is killed at once if carrel's process above it is");
	else if (op->arg[0].i != PR_SET_SECUREBITS)
		return false;
	return true;
}

static void capability_words(struct explain *x, const char *what, const struct arg *a)
{
	char text[600] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < a->n && at < sizeof(text); i++) {
		const char *name = constant_name('v', (int64_t)a->words[i]);

		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s", name != NULL ? name : "?");
	}
	explain_say(x, EXPLAIN_RIGHTS, "%s:%s", what, a->n > 0 ? text : " none");
}

static const char *stream_words(const carrel_io *io, char text[200])
{
	switch (io->kind) {
	case CARREL_PIPE:
		return "a pipe";
	case CARREL_FEED:
		return "a pipe that is fed from an open file";
	case CARREL_INHERIT:
		return "the caller's own";
	case CARREL_FD:
		snprintf(text, 200, "the caller's descriptor %d", io->fd);
		return text;
	case CARREL_TO_STDOUT:
		return "where standard output goes";
	case CARREL_FILE:
		snprintf(text, 200, "the file %.180s", io->path);
		return text;
	case CARREL_PTY:
		return "a terminal of its own";
	default:
		return "/dev/null";
	}
}

static void descriptor_words(struct explain *x, const struct op *op)
{
	static const char *const names[] = { "standard input", "standard output", "standard error" };
	const carrel_io *io[] = { &x->s->in, &x->s->out, &x->s->err };
	char text[200];

	for (uint32_t i = 0; i < op->arg[0].n; i++) {
		const char *words = "a descriptor that is passed on";
		const struct arg_dup *d = &op->arg[0].dup[i];
		const struct slice *name = d->source.kind == ARG_FD ? &x->p->fd_name[d->source.i] : NULL;
		int from = -1;

		for (int k = 0; k < 3 && name != NULL; k++) {
			if (slice_is(*name, (const char *const[]){ "stdin", "stdout", "stderr" }[k]))
				from = k;
		}
		if (d->source.kind == ARG_SLOT)
			from = x->terminal_slot == d->source.i ? 1 : -1;
		if (from >= 0)
			words = stream_words(io[from], text);
		if (d->target >= 0 && d->target < 3)
			explain_say(x, EXPLAIN_STREAMS, "%s: %s", names[d->target], words);
		else
			explain_say(x, EXPLAIN_STREAMS, "descriptor %d: %s", d->target, words);
	}
	explain_say(x, EXPLAIN_STREAMS, "nothing else is open");
}

static void exec_words(struct explain *x, const struct op *op)
{
	struct buf b;

	buf_init(&b, 4096);
	for (uint32_t i = 0; i < op->arg[1].n; i++)
		buf_printf(&b, " \"%s\"", op->arg[1].v[i]);
	buf_append_byte(&b, 0);
	if (b.err != 0)
		explain_say(x, EXPLAIN_COMMAND, "runs %s", op->arg[0].s);
	else
		explain_say(x, EXPLAIN_COMMAND, "runs%s", (const char *)b.data);
	buf_finish(&b);
	if (strchr(op->arg[0].s, '/') == NULL)
		explain_say(x, EXPLAIN_COMMAND, "which is searched in %s", op->arg[3].s);
	explain_say(x, EXPLAIN_COMMAND, "with %u variable%s in its environment", op->arg[2].n, op->arg[2].n == 1 ? "" : "s");
}

/* A number that is only known when the program runs. */
static bool has_result(const struct op *op)
{
	const char *letters = op->call->args;
	char second;

	for (int i = 0; i < op->call->argc; i++) {
		if (strchr("iIulqkKUWr", call_letter(&letters, &second)) != NULL && op->arg[i].kind == ARG_SLOT)
			return op->call->number != CALL_id_map && op->call->number != CALL_id_map_by;
	}
	return false;
}

/* True when there are words for it. */
static bool op_words(struct explain *x, const struct op *op)
{
	const struct arg *a = op->arg;

	if (op->place == PLACE_BEFORE || op->place == PLACE_FAILED || op->place == PLACE_AFTER || has_result(op))
		return false;
	if (explain_files(x, op))
		return true;
	switch ((enum call_number)op->call->number) {
	case CALL_clone:
		clone_words(x, op);
		return true;
	case CALL_id_map:
		map_words(x, "user", &a[2]);
		map_words(x, "group", &a[3]);
		return true;
	case CALL_id_map_by:
		map_words(x, strstr(a[0].s, "gid") != NULL ? "group" : "user", &a[2]);
		return true;
	case CALL_setresuid:
		if (op->place == PLACE_TASK || !x->isolated)
			explain_say(x, EXPLAIN_IDENTITY, "user %llu", (unsigned long long)a[0].i);
		return a[0].i == a[1].i && a[1].i == a[2].i;
	case CALL_setresgid:
		if (op->place == PLACE_TASK || !x->isolated)
			explain_say(x, EXPLAIN_IDENTITY, "group %llu", (unsigned long long)a[0].i);
		return a[0].i == a[1].i && a[1].i == a[2].i;
	case CALL_setgroups:
		groups_words(x, &a[0]);
		return true;
	case CALL_setrlimit:
		limit_words(x, op);
		return true;
	case CALL_setpriority:
		explain_say(x, EXPLAIN_LIMITS, "nice value %lld", (long long)a[2].i);
		return true;
	case CALL_prctl:
		return prctl_words(x, op);
	case CALL_capset:
		capability_words(x, "capabilities", &a[1]);
		return true;
	case CALL_drop_bounding:
		capability_words(x, "capabilities to be had by executing a file", &a[0]);
		return true;
	case CALL_ambient_clear:
	case CALL_reset_signals:
		return true;
	case CALL_landlock_scope:
		explain_say(x, EXPLAIN_RIGHTS, "no signals to processes outside of its tree%s",
			    op->ignore ? ", where the kernel has Landlock for it" : "");
		return true;
	case CALL_seccomp_preset:
		explain_say(x, EXPLAIN_RIGHTS, "system calls of the policy %s (carrel policy show %s)", a[0].s, a[0].s);
		return true;
	case CALL_seccomp_filter:
		explain_say(x, EXPLAIN_RIGHTS, "system calls that a policy of the caller's allows");
		return true;
	case CALL_keyctl_join_session:
		explain_say(x, EXPLAIN_RIGHTS, "an empty keyring");
		return true;
	case CALL_sethostname:
		explain_say(x, EXPLAIN_NETWORK, "the host name %s", a[0].s);
		return true;
	case CALL_loopback_up:
		explain_say(x, EXPLAIN_NETWORK, "loopback is up");
		return true;
	case CALL_setns:
		if (a[0].kind != ARG_SLOT || x->host[a[0].i] == NULL || a[1].i != CLONE_NEWNET)
			return false;
		explain_say(x, EXPLAIN_NETWORK, "that of %s", x->host[a[0].i]);
		x->own_network = true;
		return true;
	case CALL_setsid:
		if (op->place == PLACE_TASK)
			explain_say(x, EXPLAIN_STREAMS, "a session of its own, without a controlling terminal");
		return true;
	case CALL_setpgid:
		if (a[1].kind == ARG_GROUP)
			explain_say(x, EXPLAIN_STREAMS, "the session, process group and controlling terminal of the caller");
		return true;
	case CALL_controlling_terminal:
		explain_say(x, EXPLAIN_STREAMS, "its terminal is the controlling one of a session of its own: job control works");
		return true;
	case CALL_foreground:
		return true;
	case CALL_dup_fds:
		descriptor_words(x, op);
		return true;
	case CALL_exec:
		exec_words(x, op);
		return true;
	default:
		return false;
	}
}

/* ------------------------------------------------------------------- all --- */

static void what_is_the_hosts(struct explain *x)
{
	if (!x->own_files)
		explain_say(x, EXPLAIN_FILES, "the host's, as far as its user may");
	if (!x->own_processes && !x->isolated)
		explain_say(x, EXPLAIN_PROCESSES, "the host's, as far as its user may");
	if (!x->own_network)
		explain_say(x, EXPLAIN_NETWORK, "the host's");
	if (x->isolated && !x->groups_dropped)
		explain_say(x, EXPLAIN_IDENTITY, "the caller's supplementary groups, which only root can drop");
	if (x->section[EXPLAIN_IDENTITY].len == 0)
		explain_say(x, EXPLAIN_IDENTITY, "the caller's user and groups");
}

static void end_words(struct explain *x)
{
	static const char *const what[] = {
		[CARREL_EXIT_KILL_TREE] = "when the command ends, what it leaves behind is killed",
		[CARREL_EXIT_WAIT_TREE] = "when the command ends, what it leaves behind is waited for",
		[CARREL_EXIT_KEEP_TREE] = "when the command ends, what it leaves behind goes on",
	};

	explain_say(x, EXPLAIN_END, "%s", what[x->s->on_exit]);
	if (x->s->timeout_ms > 0)
		explain_say(x, EXPLAIN_END, "after %d.%03d s all of it is ended", x->s->timeout_ms / 1000,
			    x->s->timeout_ms % 1000);
}

static int other_words(struct explain *x, struct term_in *in)
{
	struct buf *b = &x->section[EXPLAIN_OTHER];

	buf_append_str(b, "  ");
	int r = program_op_text(in, b);
	buf_append_byte(b, '\n');
	return r;
}

int explain_program(const carrel_spec *s, const struct program *p, struct term_in in, struct buf *b)
{
	struct explain x = { .s = s, .p = p, .terminal_slot = -1 };
	uint32_t n;
	int r;

	for (int i = 0; i < EXPLAIN_SECTIONS; i++)
		buf_init(&x.section[i], MESSAGE_BODY_MAX);
	r = term_in_list(&in, &n);
	for (uint32_t i = 0; i < p->n_ops && r == 0; i++)
		r = op_words(&x, &p->op[i]) ? term_in_skip(&in) : other_words(&x, &in);
	explain_files_end(&x);
	what_is_the_hosts(&x);
	end_words(&x);
	for (int i = 0; i < EXPLAIN_SECTIONS; i++) {
		if (x.section[i].len > 0)
			buf_printf(b, "%s\n", titles[i]);
		buf_append(b, x.section[i].data, x.section[i].len);
		if (r == 0)
			r = -x.section[i].err;
		buf_finish(&x.section[i]);
	}
	for (int i = 0; i < PROGRAM_SLOTS; i++) {
		free(x.host[i]);
		free(x.inside[i]);
	}
	return r;
}
