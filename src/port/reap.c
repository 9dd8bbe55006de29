/* SPDX-License-Identifier: ISC */
/* The end of children, and of this process. */
#include "port.h"

#include "clock.h"
#include "constant.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

static void signal_out(struct buf *b, const char *name, int sig)
{
	const char *word = constant_name('s', sig);

	term_out_tuple(b, 2);
	term_out_atom(b, name);
	term_out_atom(b, word != NULL ? word : "unknown");
}

void status_out(struct buf *b, int status)
{
	if (WIFEXITED(status)) {
		term_out_tuple(b, 2);
		term_out_atom(b, "exit_status");
		term_out_int(b, WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		signal_out(b, "termsig", WTERMSIG(status));
	} else if (WIFSTOPPED(status)) {
		signal_out(b, "stopsig", WSTOPSIG(status));
	} else {
		term_out_atom(b, "continued");
	}
}

static bool is_end(int status)
{
	return WIFEXITED(status) || WIFSIGNALED(status);
}

/*
 * What it left behind first, its end last: who asks then gets `badpid`, and the slot is free.
 */
static void ended(struct port *p, struct child *c, int status)
{
	uint32_t pid = (uint32_t)c->pid;
	unsigned char mem[64];
	struct buf term;

	stream_drain(p, c);
	if (p->options.stdin_closed)
		say_ctl(p, pid, "stdin_closed");
	child_free(p, c);
	if (!(WIFEXITED(status) ? p->options.exit_status : p->options.termsig))
		return;
	buf_init_fixed(&term, mem, sizeof(mem));
	term_out_version(&term);
	status_out(&term, status);
	say_about(p, pid, FRAME_EVENT, &term);
}

/* Beyond so many children the kernel's walk over all of them is put off. */
#define MANY 64
/* ... for so long, and a second time before that is not worth it. */
#define LATER_US 20000

/* Wait for ${which} (-1: any).  Whether there was one. */
static bool reap(struct port *p, pid_t which)
{
	int status;
	pid_t pid;

	do {
		pid = waitpid(which, &status, WNOHANG);
	} while (pid == -1 && errno == EINTR);
	if (pid <= 0)
		return false;
	/* Strangers, whom we have as init of a namespace, only need to be waited for. */
	struct child *c = is_end(status) ? child_find(p, (uint32_t)pid) : NULL;
	if (c != NULL)
		ended(p, c, status);
	return true;
}

void reap_all(struct port *p)
{
	p->look_us = CLOCK_NEVER;
	while (reap(p, -1))
		;
}

void reap_now(struct port *p)
{
	p->look_us = CLOCK_NEVER;
	/* What they left has to go somewhere. */
	while (!output_full() && reap(p, -1))
		;
	if (output_full())
		p->look_us = 0;
}

/*
 * Signals of several children merge into one, so whoever is not named must be looked for; but
 * that takes time with the number of children.
 */
void reap_named(struct port *p, pid_t pid)
{
	if (p->children.count <= MANY) {
		reap_now(p);
		return;
	}
	reap(p, pid);
	if (p->look_us == CLOCK_NEVER)
		p->look_us = clock_now_us() + LATER_US;
}

void state_waitpid(struct port *p, const struct arg *a, struct buf *reply)
{
	int status = 0;
	pid_t pid = waitpid((pid_t)a[0].i, &status, (int)a[1].i);

	if (pid == -1) {
		reply_error(reply, errno);
		return;
	}
	struct child *c = pid > 0 && is_end(status) ? child_find(p, (uint32_t)pid) : NULL;
	if (c != NULL) {
		stream_drain(p, c);
		child_free(p, c);
	}
	term_out_version(reply);
	term_out_tuple(reply, 4);
	term_out_atom(reply, "ok");
	term_out_int(reply, pid);
	term_out_int(reply, status);
	term_out_list(reply, pid > 0);
	if (pid > 0) {
		status_out(reply, status);
		term_out_nil(reply);
	}
}

void port_end(struct port *p, int status)
{
	const struct child *c;

	for (unsigned i = 0; p->options.signal > 0 && (c = child_each(p, &i)) != NULL;) {
		/* Control processes see the end of their input when we are gone. */
		if (c->ctl != CTL_EXEC)
			continue;
		if (kill(-c->pid, c->signal) == 0 || kill(c->pid, c->signal) == 0)
			kill(c->pid, SIGCONT);
	}
	output_drain();
	exit(status);
}
