/* SPDX-License-Identifier: ISC */
/*
 * The port door: the program that Erlang's alcove starts as its port.
 *
 * One process per element of a pipeline, each running loop.c.  Requests come as frames
 * on descriptor 0 (input.c), answers leave as frames on 1 (output.c).  A child made by fork
 * or clone (fork.c) is a control process like its parent until it executes a program; the
 * parent forwards what it says (stream.c), what is said to it (feed.c), and tells its end (reap.c).
 *
 * Everything runs on one thread and one stack depth: a forked child goes back to the top of the loop.
 * A process without children makes no other system call than poll, read and write to
 * answer a call, and allocates nothing: a seccomp filter may leave it just that.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "answer.h"
#include "map.h"
#include "sys.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FD_IN = 0, FD_OUT = 1, FD_ERR = 2, FD_SIGNAL = 3, FD_SIGNAL_WRITE = 4, FD_CTL = 5 };

/* Types of frames. */
enum frame_type {
	FRAME_STDIN = 0,
	FRAME_STDOUT = 1,
	FRAME_STDERR = 2,
	FRAME_PROXY = 3,
	FRAME_CALL = 4,
	FRAME_EVENT = 5,
	FRAME_CTL = 6,
	FRAME_PIPE = 7
};

#define FRAME_MAX 65535		/* the greatest length field */
#define HEAD_PID 8		/* LEN, TYPE and PID */
#define HEAD_PLAIN 4		/* LEN and TYPE */
#define FILTER_BYTES 16
#define DEPTH_MAX 255
#define CALLS 100

/* The descriptors that a process with ${n} children may use. */
#define PORT_FDS(n) (6 * (uint64_t)(n) + 6)

/* ------------------------------------------------------------ children --- */

/* Values of child.ctl that are no descriptor. */
enum { CTL_LOST = -1, CTL_EXEC = -2 };

/* Bytes that wait; nothing is allocated when empty. */
struct held {
	unsigned char *data;
	size_t len, cap;
};

struct child {
	pid_t pid;		/* 0: the slot is free */
	int32_t flow;		/* reads that are still allowed; -1: any number */
	uint8_t signal;		/* signaloneof */
	int ctl;		/* >= 0: a control process; CTL_EXEC: its output is raw; CTL_LOST: framed for ever */
	int in, out, err;
	bool announced;		/* it said that it is about to execute a program ... */
	uint64_t framed_end;	/* ... after so many bytes on its stdout, all of them frames */
	uint64_t framed;	/* bytes of frames read */
	uint64_t raw_since;	/* the batch of events in which its output became raw */
	struct held partial;	/* the beginning of a frame */
	struct held queue;	/* frames that its stdin had no room for yet */
};

struct children {
	struct child *slot;
	unsigned cap;		/* slots there is memory for */
	unsigned count;		/* slots in use */
	unsigned first_free;	/* no slot before it is free */
	struct map by_pid;	/* pid to slot + 1 */
};

struct port;

/* child_find(p, pid): the child with that pid, or NULL. */
struct child *child_find(const struct port *p, uint32_t pid);

/* child_add(p, c): put ${c} into the first free slot, for which memory was reserved, and watch its descriptors. */
void child_add(struct port *p, const struct child *c);

/* child_reserve(p, highest): memory for one more child with descriptors up to ${highest}. 0 or -ENOMEM. */
int child_reserve(struct port *p, int highest);

/* child_free(p, c): close what is left of ${c} and free its slot.  Says nothing. */
void child_free(struct port *p, struct child *c);

/* child_close(p, fd): stop watching *${fd}, close it, and set it to ${left}. */
void child_close(struct port *p, int *fd, int left);

/* child_watch(p, c): watch what ${c}'s state and credit allow. */
void child_watch(struct port *p, const struct child *c);

/* child_closed(p, fd): the user closed ${fd}; if it was a child's, its slot forgets it. */
void child_closed(struct port *p, int fd);

/* children_forget(p, end): in a forked process: close the parent's descriptors below ${end} and forget its children. */
void children_forget(struct port *p, int end);

/* child_each(p, i): the next child at or after slot *${i} (start with 0), or NULL. */
struct child *child_each(const struct port *p, unsigned *i);

/* --------------------------------------------------------------- watch --- */

/* What a child's descriptor is. */
enum role { ROLE_NONE, ROLE_CTL, ROLE_IN, ROLE_OUT, ROLE_ERR };

/* A descriptor of a child. */
struct watched {
	unsigned slot;
	int at;			/* index in poll, or -1 */
	uint8_t role;
	uint8_t want;		/* POLLIN or POLLOUT or neither */
};

#define WATCH_BATCH 128

/*
 * Descriptors 0 and 3 are always polled.  The children's are polled with them as
 * long as they are few; then they move into the kernel's own set, so that an event does not
 * cost a look at every child.
 */
struct watch {
	struct pollfd *poll;
	unsigned n_poll, cap_poll;
	struct watched *fd;	/* by number */
	int n_fd;
	int set;		/* sys_watch_open(), or -1 */
	unsigned turn;		/* where the last batch of poll ended */
};

/* watch_init(w): 0 or -ENOMEM. */
int watch_init(struct watch *w);

/* watch_reserve(w, highest): memory for descriptors up to ${highest}.  0 or -ENOMEM. */
int watch_reserve(struct watch *w, int highest);

/* watch_own(w, fd, slot, role): ${fd} belongs to the child in ${slot}; it is not watched yet. */
void watch_own(struct watch *w, int fd, unsigned slot, enum role role);

/* watch_want(w, fd, events): wait for POLLIN, POLLOUT or (0) nothing. */
void watch_want(struct watch *w, int fd, short events);

/* watch_drop(w, fd): forget ${fd}; must come before close(2). */
void watch_drop(struct watch *w, int fd);

/* watch_find(w, fd): what is known about ${fd}, or NULL when it is no child's. */
struct watched *watch_find(struct watch *w, int fd);

/* watch_many(w), watch_few(w): use the kernel's set, or (no child is left) poll. */
void watch_many(struct watch *w);
void watch_few(struct watch *w);

/* watch_forget(w, end): in a forked process: close all that is owned below ${end}, and forget it. */
void watch_forget(struct watch *w, int end);

/* watch_again(w, fd): the next batch begins with ${fd}, which this one did not come to. */
void watch_again(struct watch *w, int fd);

/* Events of descriptors 0, 3 and 1. */
struct watch_fixed {
	short in, signal, out;
};

/*
 * watch_wait(w, timeout_ms, output, fixed, ready): wait for events, with ${output} also for room on
 * standard output.  The children's are in ${ready}; their number, or -errno.
 */
int watch_wait(struct watch *w, int timeout_ms, bool output, struct watch_fixed *fixed,
	       struct sys_ready *ready);

/* ---------------------------------------------------------------- port --- */

struct options {
	bool exit_status, termsig, stdin_closed, stdout_closed, stderr_closed;
	int32_t flow;
	uint16_t max_children;
	uint8_t max_depth;
	uint8_t signal;
};

/* The first bytes of a request, which may be more than one frame. */
struct input {
	unsigned char data[FRAME_MAX + 2 + 16];
	size_t len;
};

/* Numbers that are kept for the ends of a new child's channels; see low.c. */
#define LOW_PLACES 4
struct low {
	int place[LOW_PLACES];	/* -1: not kept */
	int end;		/* the user's descriptors are below; 0: that is not known */
	uint64_t limit;		/* the greatest limit of descriptors that there was */
};

struct port {
	unsigned depth;
	struct options options;
	unsigned char filter[FILTER_BYTES];	/* calls denied to this process */
	unsigned char child_filter[FILTER_BYTES];
	bool nonblocking;	/* descriptor 0 does not block */
	bool ctl;		/* descriptor 5 is a socket to a parent that understands announcements */
	uint64_t said;		/* bytes on stdout since the last message on the ctl channel */
	uint64_t batch;		/* batches of events so far */
	int64_t look_us;	/* when to look for children that have ended; CLOCK_NEVER */
	struct children children;
	struct watch watch;
	struct low low;
	struct input input;
};

/* port_init(p): the defaults of an empty process.  0 or -errno. */
int port_init(struct port *p);

/* output_room(p): the longest term of an answer, and the longest chunk of output. */
static inline size_t output_room(const struct port *p)
{
	return FRAME_MAX - 8 * ((size_t)p->depth + 1);
}

/* loop_first(p): the first request, before anything else is said. */
void loop_first(struct port *p);

/* loop_run(p): never returns. */
_Noreturn void loop_run(struct port *p);

/* ------------------------------------------------------- input, output --- */

/* What handling a request leads to. */
enum handled { HANDLED, BECAME_CHILD };

/* input_ready(p): a whole frame is buffered already. */
bool input_ready(const struct port *p);

/* input_frame(p): read once, unless a frame is there, and handle one frame, if it is whole now; ends the process at
 * the end of input and on violations. */
enum handled input_frame(struct port *p);

/* request_call(p, body, len): handle a CALL frame from its number on, at least one byte of a term included. */
enum handled request_call(struct port *p, const unsigned char *body, size_t len);

struct iovec;
/* output_write(p, iov, n): write everything, or let it wait; changes ${iov}.  0 or -errno. */
int output_write(struct port *p, struct iovec *iov, int n);

/* output_waits(): something waits for its reader.  output_full(): enough to leave the children alone. */
bool output_waits(void);
bool output_full(void);

/* output_takes_answer(): the longest answer has room to wait. */
bool output_takes_answer(void);

/* output_flush(): write of what waits as much as is taken.  output_drain(): wait until it is all of it.  0 or -errno. */
int output_flush(void);
int output_drain(void);

/* output_forget(): in a forked process: what waits is the parent's. */
void output_forget(void);

/* head_out(at, type, body): the head of a frame with a body of ${body} bytes. */
void head_out(unsigned char *at, enum frame_type type, size_t body);

/* head_pid_out(at, type, pid, data): the head of a frame with a pid and ${data} bytes. */
void head_pid_out(unsigned char *at, enum frame_type type, uint32_t pid, size_t data);

/* say_about(p, pid, type, term): a frame about a child.  0 or -errno. */
int say_about(struct port *p, uint32_t pid, enum frame_type type, const struct buf *term);

/* say_ctl(p, pid, name): an atom about a child. */
int say_ctl(struct port *p, uint32_t pid, const char *name);

/* say_event(p, term, len): a frame of this process itself. */
int say_event(struct port *p, const struct buf *term);

/* say_ok(p): the first frame. */
int say_ok(struct port *p);

/* ------------------------------------------------------------- streams --- */

/* stream_ready(p, fd, events): handle an event of a child's descriptor. */
void stream_ready(struct port *p, const struct sys_ready *r);

/* stream_ctl_end(p, c): the ctl channel is over: forward the frames that are left, say so, read raw from now on. */
void stream_ctl_end(struct port *p, struct child *c);

/* stream_drain(p, c): the process has ended: everything that it left behind, and the end of its streams. */
void stream_drain(struct port *p, struct child *c);

/* feed_write(p, pid, data, len): bytes for the stdin of a child.  0, or -errno when an answer could not be written. */
int feed_write(struct port *p, uint32_t pid, const unsigned char *data, size_t len);

/* feed_continue(p, c): there is room on its stdin again. */
void feed_continue(struct port *p, struct child *c);

/* held_append(h, data, len): 0 or -ENOMEM.  held_shift(h, n): without the first ${n}.  held_free(h): empty it. */
int held_append(struct held *h, const void *data, size_t len);
void held_shift(struct held *h, size_t n);
void held_free(struct held *h);

/* ---------------------------------------------------- announcements (ctl) --- */

enum { ANNOUNCE_EXEC = 1, ANNOUNCE_FRAMES };

/* announce(p, what, more): tell the parent that after what was said and ${more} bytes a program follows, or that
 * frames go on. */
void announce(struct port *p, int what, uint64_t more);

/* announce_read(c): take what is on the channel.  1: it is over; 0: it goes on; -errno: it makes no sense. */
int announce_read(struct child *c);

/* ------------------------------------------------------------- signals --- */

/* signals_catch_all(): install the handler for every signal that can be caught.  0 or -errno. */
int signals_catch_all(void);

/* signals_catch(sig): install it for one.  0 or -errno. */
int signals_catch(int sig);

/* signals_open(): the signal pipe of this process, on its two descriptors.  0 or -errno. */
int signals_open(void);

/* signals_drain(p): handle all that was caught, after which nothing is blocked; before a program is executed. */
void signals_drain(struct port *p);

/* signals_forget(): in a forked process: what was caught was meant for the parent. */
void signals_forget(void);

/* signals_read(p): handle what was caught; ends the process when the pipe cannot be read. */
void signals_read(struct port *p);

/* fd_blocking(p, blocking): for programs 0 and 1 are as they expect them; for us they do not block, unless others
 * may share them. */
void fd_blocking(struct port *p, bool blocking);

/* fd_place(fd, n, at): move ${n} descriptors, close-on-exec, to the numbers from ${at}.  0 or -errno. */
int fd_place(int *fd, int n, int at);

/* ---------------------------------------------------------------- life --- */

/* fork_child(p, flags, reply): fork or clone.  The child has nothing to reply. */
enum handled fork_child(struct port *p, int64_t flags, struct buf *reply);

/* low_open(p), low_close(p): begin and end to keep the places. */
void low_open(struct port *p);
void low_close(struct port *p);

/* low_limit(p, hard): remember the limit of descriptors before it is changed, or the hard limit. */
void low_limit(struct port *p, bool hard);

/* low_look(p): before a fork: look where the user's descriptors end, if that is not known, and pays. */
void low_look(struct port *p);

/* low_is(p, fd): ${fd} is a place. */
bool low_is(const struct port *p, int fd);

/* low_put(p, fd): move the descriptors to the places; false when the user's end is not known. */
bool low_put(struct port *p, int *const fd[LOW_PLACES]);

/* low_restore(p, fd): close those that were moved, keeping the places. */
void low_restore(struct port *p, int *const fd[LOW_PLACES]);

/* low_called(p, number, a, reply): the call may have opened or closed the user's greatest descriptor. */
void low_called(struct port *p, unsigned number, const struct arg *a, const struct buf *reply);

/* fork_allowed(p): neither too deep nor too many children. */
bool fork_allowed(const struct port *p);

/* reap_all(p): wait for every child that has ended. */
void reap_all(struct port *p);

/* reap_now(p): the same, but no more of them than there is room for what they left; the others at look_us. */
void reap_now(struct port *p);

/* reap_named(p, pid): the child ${pid} has ended, and maybe others; those may be left to reap_all() at look_us. */
void reap_named(struct port *p, pid_t pid);

/* status_out(b, status): a wait status as {exit_status, N}, {termsig, Name}, {stopsig, Name} or continued. */
void status_out(struct buf *b, int status);

/* port_end(p, status): what the end of input does: signal the programs, and leave. */
_Noreturn void port_end(struct port *p, int status);

/* ------------------------------------------------------- calls of state --- */

/* The calls that read or change what this process knows about itself: arguments in, whole reply out. */
typedef void state_fn(struct port *p, const struct arg *a, struct buf *reply);
state_fn state_setopt, state_getopt, state_cpid, state_setcpid, state_filter, state_setrlimit;
state_fn state_execve, state_execvp, state_fexecve, state_exit, state_close, state_waitpid;
state_fn state_sigaction, state_setproctitle;

/* filter_denies(p, number): the call is filtered. */
bool filter_denies(const struct port *p, unsigned number);

/* title_init(argc, argv): remember the memory that title_set() overwrites; moves environ away.  0 or -ENOMEM. */
int title_init(int argc, char **argv);

/* title_set(text, len): what ps(1) shows; empty: the original. */
void title_set(const char *text, size_t len);

#endif
