/* SPDX-License-Identifier: ISC */
/*
 * carrel supervise, in parts:
 *   supervise.c        the verb: options, signals, the loop, reload
 *   supervise_entry.c  a service as its words say it
 *   supervise_log.c    where its lines go
 *   supervise_json.c   what happens, as JSON
 *   supervise_ctl.c    what carrel ctl asks
 */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include "options.h"
#include "rotate.h"
#include "run.h"
#include "sink.h"

#include <carrel-supervise.h>
#include <poll.h>

/* A service: its words, and what became of them. */
struct entry {
	struct entry *next;
	char *name;
	char *words;		/* "name value" lines: whether anything changed */
	char **kept;		/* texts that the rest points into */
	size_t n_kept;
	struct run_options run;
	struct run_options *check, *health; /* their commands, or NULL */
	carrel_service service;
	char **after;
	char **command;
	struct rotate log;	/* path NULL: there is none */
	/* While it runs: */
	char *held;		/* what the log could not take yet */
	size_t n_held;
	int paused;
	int begun[2];		/* a line was begun that goes on */
	char *recent;		/* its last lines, up to RECENT_MAX bytes */
	size_t n_recent;
	int seen;		/* reload: it is in the new file */
	int leaving;		/* it is not, and goes once it has ended */
};

/* What the command line says. */
struct supervise_options {
	int help, quiet, stamp, json, no_cgroup, check;
	uint32_t seed;		/* of delays; 0: a random one */
	const char *file;
	const char *name;	/* of the supervisor, for its socket */
	const char *socket;
	int no_socket;
	carrel_strategy strategy;
	carrel_intensity intensity;
	/* Defaults of services: words as in a file, for each. */
	struct word {
		char *name;
		const char *value;
	} *defaults;
	size_t n_defaults;
};

extern const struct option_table supervise_options_table, ctl_options_table;

/* ---------------------------------------------------------------- entry --- */

/* entry_create(name): a service of that name without words; NULL: no memory. */
struct entry *entry_create(const char *name);
void entry_free(struct entry *e);

/* entry_word(e, where, name, value): one more word.  OPTIONS_GO_ON, or an exit status after a report. */
int entry_word(struct entry *e, const char *where, const char *name, const char *value);

/* entry_complete(e): all its words are there: e->service can be added.  OPTIONS_GO_ON or an exit status. */
int entry_complete(struct entry *e);

/* entry_limit(value, ret, why): N/TIME. */
int entry_limit(const char *value, carrel_intensity *ret, char *why);

/* ------------------------------------------------------------ supervisor --- */

#define CTL_CLIENTS 16

struct ctl_client {
	int fd;			/* -1: free */
	size_t len;
	char request[512];
	struct sink answer;
	int answered;		/* it is closed once the answer was taken */
	int json;
	char name[80];		/* the service that it waits for, or "" for all */
	enum { CTL_NOTHING, CTL_STOP, CTL_START } awaits;
	uint64_t starts;	/* START: it has been started more often than that */
};

struct supervise {
	struct supervise_options *o;
	char **words;		/* services of the command line */
	carrel *c;
	carrel_supervisor *s;
	struct entry *first, **last;
	struct run_signals signals;
	struct sink sinks[2], *sink[2];
	int64_t retry_ms;	/* when to try the logs again that could not be written; 0: none */
	int failed;		/* a service was given up */
	int lost;
	int unwritten;		/* standard output or error failed, and lines with it */
	int stopping;		/* how often the end was asked for */
	int listener, lock;	/* of the socket, or -1 */
	char *path;		/* ... its name */
	struct ctl_client client[CTL_CLIENTS];
};

struct entry *supervise_find(const struct supervise *s, const char *name);

/* supervise_say(s, format, ...): a line for people, unless --quiet. */
void supervise_say(struct supervise *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* supervise_reload(s): read the file again; what has not changed goes on.  0, or -1 after a report: nothing was
 * changed. */
int supervise_reload(struct supervise *s);

/* ------------------------------------------------------------------ logs --- */

/* log_output(s, e, ev): CARREL_OUT or CARREL_ERR of a service. */
void log_output(struct supervise *s, struct entry *e, const carrel_event *ev);
/* log_pass(s, e, i): something of it was put into s->sink[${i}]: it waits when that is full. */
void log_pass(struct supervise *s, struct entry *e, int i);
/* log_flush(s): write what can be written, and go on with who waited for it. */
void log_flush(struct supervise *s);
/* log_ended(s, e, stream): no more comes from there: what follows begins a line of its own. */
void log_ended(struct supervise *s, struct entry *e, int stream);
/* log_stamp(text): the time in UTC, in milliseconds; its length. */
size_t log_stamp(char text[32]);
/* log_open(s, e): 0, or -1 after a report. */
int log_open(struct entry *e);
void log_started(struct supervise *s, struct entry *e);

/* ------------------------------------------------------------------ JSON --- */

/* supervise_json_begin(s): the supervisor itself; supervise_json_event(s, ev): what happened. */
void supervise_json_begin(struct supervise *s);
void supervise_json_event(struct supervise *s, const carrel_supervise_event *ev);
/* supervise_json_end(st, buf): how a tree ended, as a member of an object. */
const char *supervise_json_end(const carrel_status *st, char buf[64]);

/* --------------------------------------------------------------- control --- */

#define RECENT_MAX ((size_t)64 << 10)

/* ctl_path(name, buf, size): where the socket of a supervisor is by default.  0, or -1 with errno. */
int ctl_path(const char *name, char *buf, size_t size);

/* ctl_open(s): listen; 0, or -1 after a report.  ctl_close(s): nothing is left. */
int ctl_open(struct supervise *s);
void ctl_close(struct supervise *s);

/* ctl_poll(s, fds): 1 + CTL_CLIENTS elements; ctl_ready(s, fds): after poll(2). */
void ctl_poll(const struct supervise *s, struct pollfd *fds);
void ctl_ready(struct supervise *s, const struct pollfd *fds);
/* ctl_settle(s): answer who waits for what has happened. */
void ctl_settle(struct supervise *s);

int cmd_supervise(int argc, char **argv);
int cmd_ctl(int argc, char **argv);

#endif
