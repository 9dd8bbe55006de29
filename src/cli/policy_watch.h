/* SPDX-License-Identifier: ISC */
/*
 * Who answers when a filter asks: a process that counts what it is asked about, and lets everything go on.  It is a
 * process because the command waits for its answers from its very first call on, when carrel itself still waits for
 * the command.
 */
#ifndef CLI_POLICY_WATCH_H
#define CLI_POLICY_WATCH_H

#include <carrel.h>
#include <stdint.h>
#include <sys/types.h>

/* Calls that are told apart no further. */
struct policy_call {
	uint32_t arch;
	int nr;
	uint64_t args[6];	/* of addresses only whether there is one */
	uint64_t count;
};

#define POLICY_CALLS_MAX 4096

struct policy_calls {
	int n;
	int full;		/* there were more */
	int broken;		/* errno when asking went wrong */
	struct policy_call call[POLICY_CALLS_MAX];
};

struct policy_watch {
	int socket;		/* for carrel_spec.filter_socket */
	pid_t pid;
	struct policy_calls *calls; /* complete after policy_watch_end() */
};

/* policy_watch_start(w): before there is a handle.  0, or -1 with errno. */
int policy_watch_start(struct policy_watch *w);

/* policy_watch_end(w): wait until no process is left that could ask.  0, or -1 when the watcher was lost. */
int policy_watch_end(struct policy_watch *w);

/* policy_watch_finish(w): release what is left of it, also when nothing was started. */
void policy_watch_finish(struct policy_watch *w);

#endif
