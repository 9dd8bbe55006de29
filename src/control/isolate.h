/* SPDX-License-Identifier: ISC */
/*
 * A task in namespaces of its own.
 *
 *   reaper ── clone ──► init ──► task ─► command
 *     ▲                  │
 *     └── socket pair ───┘
 *
 * The init is a fork of the reaper: process 1 of a new PID namespace, or at least the parent of the task and
 * of its orphans.  The reaper stays outside: it alone speaks to the supervisor, and the init is its child, so
 * that what it does from outside (maps of ids) and the end of it all need nobody's help inside.
 *
 * Both ends of the socket are forks of one image.  The init is told one int, an order; it tells a struct
 * report, as the reaper tells the supervisor.
 */
#ifndef CONTROL_ISOLATE_H
#define CONTROL_ISOLATE_H

#include "control.h"

enum order {
	ORDER_GO = 1,	/* what was to be done from outside is done: begin; or go on */
	ORDER_END,	/* kill whatever is left, and count it */
	ORDER_DIE	/* end at once; so does the end of the connection */
};

/* What the reaper knows of it. */
struct isolate {
	const struct role *role;
	struct task *task;
	int cgroup;		/* directory that the init begins in, or -1 */
	const struct sys_group *group;	/* ... and others that it is put into, or NULL */
	uint64_t namespaces;
	pid_t init;		/* our child; 0: none, or none any more */
	int link;		/* to it, or -1 */
	int leader;		/* pidfd of the task, or -1 */
};

/* isolate_clone(i, namespaces): the operation clone, as struct run takes it: make the init. */
int64_t isolate_clone(void *i, uint64_t namespaces);

/* isolate_order(i, o): tell the init, if there is one.  0 or -errno. */
int isolate_order(const struct isolate *i, enum order o);

/* isolate_read(i, ret, ret_sender): the next of what the init and the task said: 1, or 0.  What comes with a
 * descriptor that we have no room for is a failure. */
int isolate_read(struct isolate *i, struct report *ret, pid_t *ret_sender);

/* isolate_signal(i, sig): signal the leader. */
void isolate_signal(const struct isolate *i, int sig);

/* isolate_close(i): let go of it; an init that is still there ends. */
void isolate_close(struct isolate *i);

/* init_main(t, link, signals): be the init. */
_Noreturn void init_main(struct task *t, int link, int signals);

#endif
