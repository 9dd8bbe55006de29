/* SPDX-License-Identifier: ISC */
/* carrel run: its options, its signals and its loop. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "json.h"
#include "options.h"

#include <carrel.h>
#include <signal.h>
#include <stdint.h>

#define RUN_LIMITS_MAX 24

enum run_stdio {
	RUN_STDIO_DEFAULT,	/* share, or events with --json */
	RUN_STDIO_SHARE,
	RUN_STDIO_NULL
};

/* What the command line asked for.  The spec borrows from it and from argv. */
struct run_options {
	carrel_spec spec;
	int help, json, print_ops, stats, verbose, wait_tree, no_cgroup;
	enum run_stdio stdio;
	const char *ops_file;
	char *ops_text;
	const char **env;
	size_t n_env;
	gid_t *groups;
	carrel_rlimit limits[RUN_LIMITS_MAX];
};

extern const struct option_table run_options_table;

/* run_options_init(o): the defaults. */
void run_options_init(struct run_options *o);

/* run_options_finish(o): free what the options hold. */
void run_options_finish(struct run_options *o);

/* run_options_complete(o, words): check the options against each other and against the ${words}
 * after them, and complete the spec.  OPTIONS_GO_ON, or an exit status after an error was
 * reported. */
int run_options_complete(struct run_options *o, char **words);

/* The signals that carrel handles; all others keep their meaning. */
struct run_signals {
	int fd;			/* a signalfd */
	int shared;		/* the command is in carrel's process group */
	sigset_t handled;
};

/* One signal; from_kernel: not sent by a process, but by the terminal or a timer. */
struct run_signal {
	int sig;
	int from_kernel;
};

/* run_signals_init(s, shared): take over the signals.  0, or -1 with errno. */
int run_signals_init(struct run_signals *s, int shared);

/* run_signals_finish(s): handle no more signals; they stay blocked, so that one that comes while
 * carrel ends does not take the place of the exit status. */
void run_signals_finish(struct run_signals *s);

/* run_signals_next(s, ret): the next signal that came: 1, or 0 when there is none. */
int run_signals_next(const struct run_signals *s, struct run_signal *ret);

/* run_signals_suspend(s, sig): stop carrel itself as ${sig} would, until SIGCONT. */
void run_signals_suspend(const struct run_signals *s, int sig);

/* run_signals_die(sig): end carrel itself by ${sig}. */
void run_signals_die(int sig);

/* One run, from the spawn to the end of the tree. */
struct run {
	const struct run_options *o;
	carrel *c;
	carrel_proc *p;
	struct run_signals signals;
	struct json json;
	struct json_stream out, err;
	carrel_status status;
	int gone;
	int lost;
	int failed;		/* events could not be had or written: the exit status, else 0 */
	int stopped;		/* the leader's stop signal, while carrel has not followed */
	int interrupt;		/* the terminal's last SIGINT or SIGQUIT that both got */
	int64_t give_up_ms;	/* when to stop waiting for the reader of the events; 0: never */
};

/* run_events(r): handle events and signals until the tree is empty.  The exit status. */
int run_events(struct run *r);

/* cmd_run(argc, argv): the verb. */
int cmd_run(int argc, char **argv);

#endif
