/* SPDX-License-Identifier: ISC */
/* carrel run: its options, its signals and its loop. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cast.h"
#include "json.h"
#include "options.h"
#include "policy_watch.h"
#include "pump.h"
#include "rotate.h"
#include "sink.h"
#include "spool.h"
#include "terminal.h"

#include <carrel.h>
#include <signal.h>
#include <stdint.h>

#define RUN_LIMITS_MAX 24

enum run_stdio {
	RUN_STDIO_DEFAULT,	/* share, or events with --json */
	RUN_STDIO_SHARE,
	RUN_STDIO_RELAY,
	RUN_STDIO_NULL
};

#define RUN_TMPFS_MAX (CARREL_TMPFS_MAX - 3)
#define RUN_TEXTS_MAX (CARREL_BINDS_MAX + RUN_TMPFS_MAX)

/* What is shown to an isolated command. */
struct run_isolate {
	carrel_bind binds[CARREL_BINDS_MAX];
	carrel_tmpfs tmpfs[RUN_TMPFS_MAX];
	char *texts[RUN_TEXTS_MAX];	/* that they point into */
	size_t n_texts;
};

/* A file of operations, and what is in it. */
struct run_ops {
	const char *file;
	char *text;
};

/* What it may use. */
struct run_restrict {
	carrel_path paths[CARREL_PATHS_MAX];
	uint16_t *ports[2];	/* to connect to, and of its own */
};

/* Which system calls it may make. */
struct run_policy {
	const char *name;	/* of a preset or a file, or NULL */
	int log;		/* say what it would have refused, and refuse nothing */
	const char *learn;	/* the file to add to what it does not allow yet ("-": standard output), or NULL */
	int learn_fd;		/* standard output, which carrel lets go of before the command's end, or -1 */
	carrel_policy *policy;
	void *filter;
	struct policy_watch watch;
};

/* What the command line asked for.  The spec borrows from it and from argv. */
struct run_options {
	carrel_spec spec;
	int help, json, describe, stats, verbose, wait_tree, no_cgroup;
	int pty, lines, tag, stamp, quiet, append;
	carrel_form form;	/* ... as this */
	const char *on_exit;
	const char *input, *output, *error;
	char *tee_path;
	struct rotate tee;
	const char *record;
	unsigned retry;
	int backoff_min_ms, backoff_max_ms;
	enum run_stdio stdio;
	int shared;		/* the command is in the caller's session and process group */
	int ignored[3];		/* of spec.keep_ignored */
	struct run_ops ops, ops_add, ops_override;
	const char **env;
	size_t n_env;
	gid_t *groups;
	carrel_rlimit limits[RUN_LIMITS_MAX];
	carrel_io_limit io_limits[CARREL_IO_LIMITS_MAX];
	char *io_texts[CARREL_IO_LIMITS_MAX]; /* that they point into */
	unsigned *cpus;
	int status_fd;		/* or -1 */
	struct run_isolate isolate;
	struct run_restrict restrictions;
	struct run_policy policy;
};

extern const struct option_table run_options_table;

/* run_isolate_take_*(to, value, why): the values of these options. */
int run_isolate_take_behaviour(void *to, const char *value, char *why);
int run_isolate_take_net(void *to, const char *value, char *why);
int run_isolate_take_hostname(void *to, const char *value, char *why);
int run_isolate_take_root(void *to, const char *value, char *why);
int run_isolate_take_overlay(void *to, const char *value, char *why);
int run_isolate_take_overlay_size(void *to, const char *value, char *why);
int run_isolate_take_bind(void *to, const char *value, char *why);
int run_isolate_take_tmpfs(void *to, const char *value, char *why);

/* run_limits_take_*(to, value, why): the values of options that limit. */
int run_limits_take_memory(void *to, const char *value, char *why);
int run_limits_take_pids(void *to, const char *value, char *why);
int run_limits_take_cpu(void *to, const char *value, char *why);
int run_limits_take_cpu_time(void *to, const char *value, char *why);
int run_limits_take_max_output(void *to, const char *value, char *why);
int run_limits_take_io(void *to, const char *value, char *why);
int run_limits_take_cpus(void *to, const char *value, char *why);
int run_limits_take_io_priority(void *to, const char *value, char *why);
int run_limits_take_oom_score_adj(void *to, const char *value, char *why);

/* run_limits_are_on(o): some that take a cgroup. */
int run_limits_are_on(const struct run_options *o);

/* run_limits_finish(o): free what they hold. */
void run_limits_finish(struct run_options *o);

/* run_record_take_fd(to, value, why): the value of --status-fd. */
int run_record_take_fd(void *to, const char *value, char *why);

/* The rows of options about operations; run_ops_load(o): read the files.  OPTIONS_GO_ON, or an exit status. */
int run_ops_take(void *to, const char *value, char *why);
int run_ops_take_add(void *to, const char *value, char *why);
int run_ops_take_override(void *to, const char *value, char *why);
int run_ops_load(struct run_options *o);
void run_ops_finish(struct run_options *o);

/* run_restrict_take_*(to, value, why): the same for what it may use. */
int run_restrict_take_ro(void *to, const char *value, char *why);
int run_restrict_take_rw(void *to, const char *value, char *why);
int run_restrict_take_exec(void *to, const char *value, char *why);
int run_restrict_take_connect(void *to, const char *value, char *why);
int run_restrict_take_bind_port(void *to, const char *value, char *why);
int run_restrict_take_scope(void *to, const char *value, char *why);
int run_restrict_take_cap(void *to, const char *value, char *why);

void run_restrict_finish(struct run_restrict *r);

/* run_isolate_is_on(o): the behaviour isolates. */
int run_isolate_is_on(const struct run_options *o);

void run_isolate_finish(struct run_isolate *i);

/* run_policy_take(to, value, why): the value of --seccomp. */
int run_policy_take(void *to, const char *value, char *why);

/* run_policy_complete(o): the part of run_options_complete() that is about system calls. */
int run_policy_complete(struct run_options *o);

/* run_policy_start(o, spec): before the handle is opened.  0, or an exit status after an error was reported. */
int run_policy_start(struct run_options *o, carrel_spec *spec);

/* run_policy_end(o, ran, status): after it was closed, say what came of it, if the command ${ran}; the exit status in
 * place of ${status}. */
int run_policy_end(struct run_options *o, int ran, int status);

void run_policy_finish(struct run_policy *p);

/* run_options_init(o): the defaults. */
void run_options_init(struct run_options *o);

/* run_options_finish(o): free what the options hold. */
void run_options_finish(struct run_options *o);

/* run_options_complete(o, words): check the options against each other and against the ${words}
 * after them, and complete the spec.  OPTIONS_GO_ON, or an exit status after an error was
 * reported. */
int run_options_complete(struct run_options *o, char **words);

/* run_stdio_complete(o): the part of run_options_complete() that is about standard streams. */
int run_stdio_complete(struct run_options *o);

/* The rows of options about standard streams. */
int run_stdio_take(void *to, const char *value, char *why);
int run_stdio_take_input(void *to, const char *value, char *why);
int run_stdio_take_output(void *to, const char *value, char *why);
int run_stdio_take_error(void *to, const char *value, char *why);
int run_stdio_take_record(void *to, const char *value, char *why);

/* The signals that carrel handles; all others keep their meaning. */
struct run_signals {
	int fd;			/* a signalfd */
	int shared;		/* the command is in carrel's process group */
	sigset_t handled;
	sigset_t ignored;	/* by the caller */
};

/* One signal; from_kernel: not sent by a process, but by the terminal or a timer. */
struct run_signal {
	int sig;
	int from_kernel;
};

/* run_signals_look(s): which signals the caller ignores. */
void run_signals_look(struct run_signals *s);

/* run_signals_init(s, shared): after run_signals_look(), take over the signals.  0, or -1 with errno. */
int run_signals_init(struct run_signals *s, int shared);

/* run_signals_finish(s): handle no more signals; they stay blocked, so that one that comes while
 * carrel ends does not take the place of the exit status. */
void run_signals_finish(struct run_signals *s);

/* run_signals_next(s, ret): the next signal that came: 1, or 0 when there is none. */
int run_signals_next(const struct run_signals *s, struct run_signal *ret);

/* run_signals_suspend(s, sig): stop carrel itself as ${sig} would, until SIGCONT. */
void run_signals_suspend(const struct run_signals *s, int sig);

/* run_signals_suspend_job(s): stop the whole job as the terminal's ^Z would, until SIGCONT: 1, or 0 at
 * once where nobody could continue it. */
int run_signals_suspend_job(const struct run_signals *s);

/* run_signals_die(sig): end carrel itself by ${sig}. */
void run_signals_die(int sig);

/* What stands between the command's streams and the caller's; nothing when they are shared. */
struct run_streams {
	int active;		/* there is something to wait for */
	int pty;
	int events;		/* output comes as events and leaves by the sinks */
	struct pump in, out[2];
	int unread_fd;		/* a reading end of the command's stdin after its end, or -1 */
	struct sink sinks[2];
	struct sink *sink[2];	/* of stdout and stderr: both the first where both are one pipe */
	int paused[2];
	int out_ended;		/* nothing more comes for the first sink */
	int open_line[2];	/* a line was begun in the sink */
	struct spool spool;
	int replay;		/* the spool is being shown */
	struct terminal terminal;
	int was_raw;
	struct termios settings; /* of the command's terminal */
	int eof_due;		/* the end of the input is still to be typed */
};

/* One run, from the spawn to the end of the tree. */
struct run {
	const struct run_options *o;
	carrel *c;
	carrel_proc *p;
	struct run_signals signals;
	struct run_streams s;
	struct rotate tee;
	struct cast cast;
	struct json json;
	struct json_stream out, err;
	char *json_line;	/* a line and its newline */
	carrel_status status;
	carrel_record record;	/* with --stats or --status-fd, once it is gone */
	int gone;
	int lost;
	int failed;		/* carrel's own reason to end: the exit status, else 0 */
	int stopped;		/* the leader's stop signal, while carrel has not followed */
	int stop_ours;		/* ... which carrel caused */
	int early;		/* signals that are handled now came before the command did */
	int interrupt;		/* the terminal's last SIGINT or SIGQUIT that both got */
	int64_t give_up_ms;	/* when to stop waiting for the reader of the output; 0: never */
};

/* run_events(r): handle events and signals until the tree is empty.  The exit status. */
int run_events(struct run *r);

/* run_fail(r, status, sig): end the run with ${status}; the first one counts.  The tree is stopped
 * with ${sig}, or as the options say if that is 0. */
void run_fail(struct run *r, int status, int sig);

/* run_record_write(r, rec, e, exit_status): write the record ${rec} to the descriptor of --status-fd, if there is
 * one; without ${rec} the error ${e}.  ${exit_status}, or another when it could not be written. */
int run_record_write(const struct run *r, const carrel_record *rec, const carrel_error *e, int exit_status);

/* run_exit_status(r): how the command ended, as an exit status. */
int run_exit_status(const struct run *r);

/* The streams: */

/* run_streams_prepare(r, spec, cfg): complete ${spec} and ${cfg} with what the caller's terminal is. */
void run_streams_prepare(struct run *r, carrel_spec *spec, carrel_config *cfg);

/* run_streams_start(r): after the spawn.  0, or -1 after run_fail(). */
int run_streams_start(struct run *r);

/* run_streams_poll(r, fds, timeout_ms): fill RUN_POLL elements of ${fds}; the time to wait, at most
 * ${timeout_ms}. */
#define RUN_POLL 8
int run_streams_poll(struct run *r, struct pollfd *fds, int timeout_ms);

/* run_streams_ready(r, fds): after poll(2). */
void run_streams_ready(struct run *r, const struct pollfd *fds);

/* run_streams_event(r, ev): an event about input, or the end of a stream. */
void run_streams_event(struct run *r, const carrel_event *ev);

/* run_streams_gone(r): the tree is empty; run_streams_busy(r): something is still to be written. */
void run_streams_gone(struct run *r);
int run_streams_busy(const struct run *r);

/* run_streams_let_go(fd): nothing more comes from or goes to the caller's descriptor ${fd}: who is at its
 * other end sees that, although carrel goes on. */
void run_streams_let_go(int fd);

/* run_streams_front(r): carrel goes on after a stop, or the window changed. */
void run_streams_front(struct run *r);

/* run_streams_moved(r, stream, bytes): how much went through stream 0, 1 or 2, of which the library counted
 * ${bytes}; CARREL_UNCOUNTED where the command has the caller's own. */
uint64_t run_streams_moved(const struct run *r, int stream, uint64_t bytes);

/* run_streams_finish(r): give back what was lent: the terminal, unread input. */
void run_streams_finish(struct run *r);

/* Output that comes as events: */

/* run_output_init(r), run_output_finish(r): the sinks and the spool. */
void run_output_init(struct run *r);
void run_output_finish(struct run *r);

/* run_output_event(r, ev): CARREL_OUT or CARREL_ERR. */
void run_output_event(struct run *r, const carrel_event *ev);

/* run_output_flush(r): write what can be written; slow readers slow the command. */
void run_output_flush(struct run *r);

/* run_output_gone(r): the command ended: with --quiet, show all or nothing. */
void run_output_gone(struct run *r);

/* run_output_drop(r): nobody reads it: what waits and what comes is dropped. */
void run_output_drop(struct run *r);

/* run_output_busy(r): something is still to be written. */
int run_output_busy(const struct run *r);

/* Copies of it: */

/* run_copy_take_tee(to, value, why): the value of --tee. */
int run_copy_take_tee(void *to, const char *value, char *why);

/* run_copy_open(r): open the files, before anything is started.  0, or -1 after a report. */
int run_copy_open(struct run *r);

/* run_copy_output(r, data, len): what is passed on; run_copy_resize(r, cols, rows): the window changed. */
void run_copy_output(struct run *r, const char *data, size_t len);
void run_copy_resize(struct run *r, unsigned cols, unsigned rows);

/* run_copy_close(r): 0, or -1 after a report. */
int run_copy_close(struct run *r);

/* Another try: */

/* run_retry_take*(to, value, why): the values of --retry and --backoff. */
int run_retry_take(void *to, const char *value, char *why);
int run_retry_take_backoff(void *to, const char *value, char *why);

/* run_retry_wanted(r, tries): whether the command, which was run ${tries} times, is to be run again. */
int run_retry_wanted(const struct run *r, unsigned tries);

/* run_retry_wait(r, tries): the time between two tries.  Signals have their usual effect meanwhile. */
void run_retry_wait(const struct run *r, unsigned tries);

/* cmd_run(argc, argv): the verb. */
int cmd_run(int argc, char **argv);

/* run_learning(argc, argv, learn): the same, to learn a policy in the file ${learn}. */
int run_learning(int argc, char **argv, const char *learn);

#endif
