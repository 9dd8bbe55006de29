/* SPDX-License-Identifier: ISC */
/*
 * Native messages between the library and the control process: one datagram of
 * a SOCK_SEQPACKET socket each, a fixed head and one term.  doc/MESSAGES.md says
 * the same in prose.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "term.h"

#include <sys/types.h>

/* Both sides must have the same; any change of this file or of the terms changes it. */
#define MESSAGE_PROTOCOL 2

/* A larger body travels in a sealed memfd, the first descriptor of the message. */
#define MESSAGE_INLINE_MAX (32 * 1024)
/* The largest body: more than the kernel takes for arguments and environment (6 MiB). */
#define MESSAGE_BODY_MAX (16 * 1024 * 1024)
/* What a peer may send in one datagram. */
#define MESSAGE_DATAGRAM_MAX (MESSAGE_HEAD_SIZE + MESSAGE_INLINE_MAX)
/* The descriptors of one message (the kernel's own limit is 253). */
#define MESSAGE_FDS_MAX 250

#define MESSAGE_HEAD_SIZE 16

enum message_type {
	/* library to control process */
	MSG_HELLO = 1,		/* {Protocol, Options} */
	MSG_SPAWN = 2,		/* {Options, FdNames, Environment, Program}; id: the new stream */
	MSG_SIGNAL = 3,		/* {Signal, leader | tree} */
	MSG_STOP = 4,		/* [{Signal, WaitMs}]: [] for the steps of the spawn */
	MSG_KILL = 5,		/* []: SIGKILL for the whole tree */
	MSG_FREEZE = 6,		/* true | false: freeze or thaw the whole tree */
	MSG_BRANCH = 7,		/* {Pid, leader | tree | stop, [{Signal, WaitMs}]}, with a pidfd: for one task of the
				   stream, or all that is below it */
	/* control process to library; id: the stream's */
	MSG_WELCOME = 64,	/* {Protocol, [{Name, Value}]} */
	MSG_FAILED = 65,	/* {Stage, Errno, Index, Text}: the spawn did not come about */
	MSG_STARTED = 66,	/* {Pid, ReaperPid, [{Index, Result}]} */
	MSG_STOPPED = 67,	/* Signal */
	MSG_CONTINUED = 68,	/* [] */
	MSG_EXIT = 69,		/* {WaitStatus, UserUs, SystemUs, MaxRssKb} */
	MSG_GONE = 70,		/* {WaitStatus, Cause, WallUs, UserUs, SystemUs, MaxRssKb, Leftovers, [{Pid, Comm}]} */
	MSG_LOST = 71,		/* Text: the handle is over, nothing is left of its trees */
	MSG_RECORD = 72,	/* [{Name, Value}]: texts; what the kernel says before STARTED or GONE */
	MSG_LIMIT = 73,		/* Limit: it was met */
	MSG_FROZEN = 74,	/* Errno: the answer to FREEZE; 0: everything is as it was asked */
	MSG_ORPHAN = 75,	/* {Pid, WaitStatus, UserUs, SystemUs, MaxRssKb}: of a stream that serves, a process that
				   had lost its parent ended, stopped or went on */
	/* library to task, on the task's own socket; id: the call's */
	MSG_CALL = 96,		/* {Number, Arguments}, with the descriptors that the call takes */
	MSG_CANCEL = 97,	/* []: the call shall not wait any longer */
	/* task to library */
	MSG_REPLY = 112,	/* {Errno, Argument, Text | Result}: Errno 0 and Result, or what was wrong */
	MSG_SIGNALLED = 113,	/* {Signal, Info}: one came whose mode is info */
	MSG_CHILD = 114		/* as MSG_ORPHAN, of a child of the task; the number is that which the task knows */
};

/* The numbers of the calls of tasks fit into as many bytes of bits. */
#define CALL_BITS 32

enum { MESSAGE_FLAG_MEMFD = 1 };

struct message {
	uint16_t type;
	uint8_t flags;
	uint32_t id;
	uint32_t body_len;
};

/* message_name(type): the word for a message type, "?" for an unknown one. */
const char *message_name(int type);

/* message_head_out(m, mem): write the head of ${m} to the 16 bytes at ${mem}. */
void message_head_out(const struct message *m, unsigned char *mem);

/*
 * message_head_in(mem, len, ret): read the head of a datagram of ${len} bytes.
 * 0, or -EBADMSG: too short, another magic, an unknown flag, a body that is
 * neither the rest of the datagram nor (MEMFD) at most MESSAGE_BODY_MAX.
 */
int message_head_in(const unsigned char *mem, size_t len, struct message *ret);

/* message_head_peek(mem, ret): the same without a look at the body, which was lost. */
int message_head_peek(const unsigned char *mem, struct message *ret);

/* Why a tree ended; carrel.h's CARREL_BY_*. */
enum cause { CAUSE_ITSELF, CAUSE_TIMEOUT, CAUSE_STOP, CAUSE_LOSS, CAUSE_OOM, CAUSE_LIMIT, CAUSE_COUNT };

/* Limits of a tree as a whole; carrel.h's CARREL_LIMIT_*. */
enum limit { LIMIT_NONE, LIMIT_MEMORY, LIMIT_PIDS, LIMIT_CPU_TIME, LIMIT_COUNT };

#define STEPS_MAX 5	/* the caller's four and the final SIGKILL */

struct step {
	int sig;
	int wait_ms;	/* -1: without limit */
};

/* The options of MSG_SPAWN: a list of {Name, Value}, absent ones are zero. */
struct spawn_options {
	int timeout_ms;		/* {timeout, Ms}; 0: none */
	struct step stop[STEPS_MAX];	/* {stop, [{Signal, WaitMs}]} */
	int n_stop;
	bool wait_tree;		/* {on_exit, wait | keep | kill} */
	bool keep_tree;
	bool trace;		/* {trace, true} */
	bool record;		/* {record, true}: say what the kernel says of it */
	bool limits;		/* {limits, true}: the program has limits of the tree as a whole */
	bool serve;		/* {serve, true}: the program ends as a task, and more tasks come from it */
	pid_t group;		/* {group, Pid}: the process group of the host */
};

void spawn_options_out(struct buf *b, const struct spawn_options *o);

/* spawn_options_in(in, ret): 0, or -EBADMSG (malformed, unknown name, value out of range). */
int spawn_options_in(struct term_in *in, struct spawn_options *ret);

/* steps_out(b, step, n), steps_in(in, step, ret_n): a list of {Signal, WaitMs}; at most STEPS_MAX - 1
 * come in, and SIGKILL is added behind them. */
void steps_out(struct buf *b, const struct step *step, int n);
int steps_in(struct term_in *in, struct step *step, int *ret_n);

#endif
