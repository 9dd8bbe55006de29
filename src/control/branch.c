/* SPDX-License-Identifier: ISC */
/*
 * Parts of a tree that serves: one task, and all that is below it.
 *
 * The host names the task by a pidfd, which may come from a task that lies: only what is proven to be below us
 * is touched.
 *
 * A stop remembers, by pidfds, who belonged to the branch: when the first of it ends, the others are below
 * somebody else.  Before the final SIGKILL all are stopped until nobody new is found, so that nobody is forked away
 * from under it.
 */
#include "reaper.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As many are remembered; each takes a descriptor. */
#define MEMBERS_MAX 256
/* How often a branch is looked through that forks as fast as it is stopped. */
#define ROUNDS_MAX 100
/* Between two kills, as long as somebody is left. */
#define AGAIN_MS 10

struct branch {
	struct branch *next;
	struct step step[STEPS_MAX];
	int n_steps, at;
	int64_t due_us;
	int n_members;
	struct member {
		pid_t pid;
		int fd;
	} member[MEMBERS_MAX];
};

static struct inbox inbox;

static void remember(void *arg, pid_t pid, int fd)
{
	struct branch *b = arg;

	for (int i = 0; i < b->n_members; i++) {
		if (b->member[i].pid == pid && sys_pidfd_signal(b->member[i].fd, 0) == 0)
			return;
	}
	if (b->n_members == MEMBERS_MAX)
		return;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		b->member[b->n_members++] = (struct member){ pid, copy };
}

static void send_signal(void *arg, pid_t pid, int fd)
{
	(void)pid;
	sys_pidfd_signal(fd, *(const int *)arg);
}

/* ${sig} for all of the branch that are there, and what is below them.  How many these are. */
static int signal_members(const struct reaper *r, const struct branch *b, int sig)
{
	int n = 0;

	for (int i = 0; i < b->n_members; i++) {
		if (sys_pidfd_signal(b->member[i].fd, 0) == 0) {
			int found = sys_branch_each(r->role->proc, b->member[i].fd, send_signal, &sig);

			n += found > 0 ? found : 0;
		}
	}
	return n;
}

/* Those that were waited for are no members any more. */
static void forget_ended(struct branch *b)
{
	int n = 0;

	for (int i = 0; i < b->n_members; i++) {
		if (sys_pidfd_signal(b->member[i].fd, 0) == 0)
			b->member[n++] = b->member[i];
		else
			fd_close(b->member[i].fd);
	}
	b->n_members = n;
}

static void remember_all(const struct reaper *r, struct branch *b)
{
	const int n = b->n_members;

	for (int i = 0; i < n; i++)
		sys_branch_each(r->role->proc, b->member[i].fd, remember, b);
}

static void kill_members(const struct reaper *r, struct branch *b)
{
	int before = -1, now = 0;

	for (int round = 0; now != before && round < ROUNDS_MAX; round++) {
		before = now;
		now = signal_members(r, b, SIGSTOP);
	}
	remember_all(r, b);
	signal_members(r, b, SIGKILL);
	b->due_us = clock_deadline_us(AGAIN_MS);
}

static void take_step(const struct reaper *r, struct branch *b)
{
	const struct step *step = &b->step[b->at];

	if (step->sig == SIGKILL) {
		kill_members(r, b);
		return;
	}
	b->at++;
	remember_all(r, b);
	signal_members(r, b, step->sig);
	/* Who is stopped could not act on it. */
	signal_members(r, b, SIGCONT);
	b->due_us = clock_deadline_us(step->wait_ms);
}

int64_t branch_next_us(const struct reaper *r)
{
	int64_t next = CLOCK_NEVER;

	for (const struct branch *b = r->branches; b != NULL; b = b->next)
		next = b->due_us < next ? b->due_us : next;
	return next;
}

void branch_due(struct reaper *r)
{
	int64_t now = clock_now_us();

	for (struct branch **at = &r->branches; *at != NULL;) {
		struct branch *b = *at;

		forget_ended(b);
		if (b->n_members == 0) {
			*at = b->next;
			free(b);
			continue;
		}
		if (b->due_us <= now)
			take_step(r, b);
		at = &b->next;
	}
}

/* A stop that is under way begins anew with these steps. */
static void stop(struct reaper *r, pid_t pid, int fd, const struct step *step, int n)
{
	struct branch *b = r->branches;

	while (b != NULL && !(b->member[0].pid == pid && sys_pidfd_signal(b->member[0].fd, 0) == 0))
		b = b->next;
	if (b == NULL) {
		b = calloc(1, sizeof(*b));
		/* Without memory for patience. */
		if (b == NULL) {
			int sig = SIGKILL;

			sys_branch_each(r->role->proc, fd, send_signal, &sig);
			return;
		}
		b->next = r->branches;
		r->branches = b;
	}
	remember(b, pid, fd);
	memcpy(b->step, step, (size_t)n * sizeof(*step));
	b->n_steps = n;
	b->at = 0;
	b->due_us = clock_now_us();
}

static int order(struct reaper *r, struct term_in *in, int fd)
{
	struct step step[STEPS_MAX];
	struct slice what;
	int64_t pid;
	int n;

	if (term_in_version(in) < 0 || term_in_tuple(in, 3) < 0 || term_in_int(in, 1, INT32_MAX, &pid) < 0 ||
	    term_in_atom(in, &what) < 0 || steps_in(in, step, &n) < 0)
		return -EBADMSG;
	if (sys_pidfd_pid(r->role->proc, fd) != pid || !sys_is_below(r->role->proc, getpid(), fd))
		return -ESRCH;
	if (slice_is(what, "stop"))
		stop(r, (pid_t)pid, fd, step, n);
	else if (slice_is(what, "tree") && n > 1)
		sys_branch_each(r->role->proc, fd, send_signal, &step[0].sig);
	else if (slice_is(what, "leader") && n > 1)
		sys_pidfd_signal(fd, step[0].sig);
	return 0;
}

void branch_order(struct reaper *r)
{
	for (;;) {
		struct term_in in;
		int got = link_recv(r->link, &inbox, false);

		if (got == -EAGAIN)
			return;
		if (got != 1) {
			/* The supervisor is gone, or what it sent cannot be taken: either ends the tree. */
			r->orphaned |= got == 0;
			r->killing = r->told_to_kill = true;
			r->link = fd_close(r->link);
			return;
		}
		term_in_init(&in, inbox.body, inbox.head.body_len);
		if (inbox.head.type == MSG_BRANCH && inbox.n_fds == 1)
			order(r, &in, inbox.fd[0]);
		link_release(&inbox);
	}
}
