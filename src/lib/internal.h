/* SPDX-License-Identifier: ISC */
/*
 * The library's state.
 *
 * One mutex guards a handle.  Whoever waits for the control process's socket
 * lets go of it meanwhile; only one thread at a time does (${reader}), and a thread in
 * carrel_next() takes that over from one that waits for an answer, because it waits for
 * more than the socket.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include "link.h"
#include "map.h"
#include "program.h"

#include <carrel.h>
#include <pthread.h>

#define EXPORT __attribute__((visibility("default")))

#define BATCH_MAX 64
#define READ_MAX (64 * 1024)

struct request;

struct event_node {
	struct event_node *next;
	carrel_event_kind kind;
	carrel_proc *proc;
	int sig;
	size_t len;
	char data[];
};

struct carrel_proc {
	carrel *c;
	uint32_t id;
	void *user;
	pid_t pid;
	int in;			/* our end of stdin's pipe, or -1 */
	int out[2];		/* of stdout's and stderr's */
	int rest[2];		/* once gone: bytes that are still to be read */
	const char *input;	/* what is left of the spec's input */
	size_t input_len;
	bool feeding;		/* ${in} is fed from ${input} */
	bool watch_in;		/* ${in} is in the epoll set */
	bool answered;		/* STARTED or FAILED came */
	bool failed;
	const struct request *request; /* while its answer is awaited: the texts of the operations; it
					  is not freed meanwhile */
	bool forgotten;		/* ... but would have been */
	bool exit_told;		/* EXIT was queued */
	bool gone;		/* GONE came from the control process */
	bool gone_told;		/* ... and was delivered */
	bool released;
	bool captured;		/* carrel_run() reads it: carrel_next() does not know it */
	carrel_status status;
	carrel_error error;	/* of a failed spawn; msg holds what the reaper said */
	struct carrel_proc *next_ending; /* list of trees that are gone with streams left to drain */
};

struct carrel {
	pid_t owner;		/* the process that opened it */
	int socket;
	int epoll;
	int kick;		/* eventfd in the epoll set: events are queued */
	int yield;		/* eventfd: who waits for the socket shall let go */
	int null;		/* /dev/null */
	pid_t guard;		/* our child */
	carrel_caps caps;
	bool welcome;
	bool once, once_used;
	char lost_reason[120];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool reader;		/* somebody waits for the socket without the lock */
	bool next_busy;		/* somebody is in carrel_next() */
	bool next_waits;	/* ... and without the lock */
	bool kicked;
	bool fd_used;		/* carrel_fd() was asked: keep ${kick} readable while events are queued */
	bool lost, lost_told;

	uint32_t next_id;
	struct map procs;	/* by id; released ones too until they are gone */
	size_t live;		/* procs that will still have an event */
	struct event_node *first, **last;
	struct carrel_proc *ending, *ending_last;
	struct event_node *current; /* the event that the caller looks at */
	carrel_status gone_status; /* ... of the last GONE */
	struct inbox *inbox;
	char *data;		/* READ_MAX bytes */
	int batch_n, batch_at;
	struct {
		uint32_t id;
		int stream;
		bool closed;	/* the other end is */
	} batch[BATCH_MAX];
};

/* error.c */
/* error_set(e, stage, err, index, fmt, ...): fill ${e} (may be NULL) and errno; -1. */
int error_set(carrel_error *e, carrel_stage stage, int err, int index, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* helper.c */
int helper_start(carrel *c, const carrel_config *cfg, carrel_error *e);

/* channel.c; all with the lock held */
void channel_lost(carrel *c, const char *reason);
int channel_send(carrel *c, enum message_type type, uint32_t id, const struct buf *body, const int *fds,
		 size_t n_fds);
/* channel_read(c): take every message that is there, without waiting. */
void channel_read(carrel *c);
/* channel_wait(c, done, arg, deadline_us): until ${done} is true or the handle is lost: 1; 0 when the
 * deadline passed. */
int channel_wait(carrel *c, bool (*done)(void *arg), void *arg, int64_t deadline_us);

/* next.c */
void event_queue(carrel *c, carrel_event_kind kind, carrel_proc *p, int sig, const void *data, size_t len);
void event_kick(carrel *c);
void proc_gone(carrel *c, carrel_proc *p);
void proc_close_stream(carrel_proc *p, int stream);
void proc_free(carrel_proc *p);
/* proc_forget(p): free one that is gone, told or not. */
void proc_forget(carrel_proc *p);
/* proc_read(p, i, mem, size): read stdout (0) or stderr (1): bytes; 0 at the end, closed then; -EAGAIN. */
ssize_t proc_read(carrel_proc *p, int i, void *mem, size_t size);
/* proc_watch_in(p, on): wait for room in stdin. */
int proc_watch_in(carrel_proc *p, bool on);
/* proc_watch(p): wait for all its streams. */
int proc_watch(carrel_proc *p);
int next_watch_handle(carrel *c);

/* stream.c */
/* spawn_captured(c, s, e): as carrel_spawn(), for carrel_run(). */
carrel_proc *spawn_captured(carrel *c, const carrel_spec *s, carrel_error *e);

/* enter(c): lock the handle; 0, or ECHILD in another process than its owner (errno set). */
int enter(carrel *c);
void leave(carrel *c);

/* feed.c */
/* write_some(fd, b, n): write without waiting and without SIGPIPE; bytes, or -errno. */
ssize_t write_some(int fd, const void *b, size_t n);

/* request.c: a spec as a request */
struct request {
	struct buf body;
	size_t program_at;	/* offset of the Program term in ${body} */
	int fds[MESSAGE_FDS_MAX];
	size_t n_fds;
	int close_after[8];	/* of ${fds}: ours, to be closed once they are sent */
	size_t n_close;
	int in, out[2];		/* our ends of the pipes */
};

/* request_create(c, s, start, r, e): check ${s} and build the request; without ${start} no descriptor is
 * made.  0, or -1; request_finish() in any case. */
int request_create(carrel *c, const carrel_spec *s, bool start, struct request *r, carrel_error *e);
void request_finish(struct request *r);
/* request_failed(s, r, f, e): the sentence for a spawn that failed as ${f} says. */
int request_failed(const carrel_spec *s, const struct request *r, const carrel_error *f, carrel_error *e);

/* request_trace(r, index, result, b): the line for an operation of a traced start. */
int request_trace(const struct request *r, int index, int64_t result, struct buf *b);

/* spec.c */
int spec_check(const carrel_spec *s, carrel_spec *ret, carrel_error *e);
/* spec_env(s, ret, e): the task's environment, NULL-terminated; free(3) the array. */
char **spec_env(const carrel_spec *s, carrel_error *e);

/* behaviour/ */
/*
 * A behaviour is a function from a checked spec to the Program term that sets the task up.
 * It looks at nothing but its arguments.
 */
struct behaviour_context {
	pid_t host;		/* pid of the host */
	int umask;		/* of the host, or -1 */
	const char *search;	/* where commands are looked for */
};

struct behaviour {
	const char *name;
	void (*program)(const carrel_spec *s, const struct behaviour_context *x, struct buf *b);
};

extern const struct behaviour behaviour_process;

/* behaviour/ops.c: writing a program, one operation at a time */
struct ops {
	struct buf inner;
	uint32_t n;
};
void ops_begin(struct ops *o);
/* ops_add(o, call, "format", ...): one operation of the task; format letters as in ops.c. */
void ops_add(struct ops *o, enum call_number call, bool ignore, const char *format, ...);
void ops_end(struct ops *o, struct buf *b);

#endif
