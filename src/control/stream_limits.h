/* SPDX-License-Identifier: ISC */
/*
 * Limits of a stream as a whole: held by cgroups that the reaper makes for it and removes when it is empty, or,
 * for processor time, by looking.
 */
#ifndef CONTROL_STREAM_LIMITS_H
#define CONTROL_STREAM_LIMITS_H

#include "control.h"

#include <poll.h>

#define LIMITS_POLL 2

struct limits {
	const struct role *role;
	bool on;		/* there are cgroups, or could be */
	bool isolates;		/* the task has an init, which shall not count */
	struct sys_group group;
	const char *why;	/* what forbids the limit that failed last */
	uint64_t cpu_time_us;	/* 0: no limit */
	int64_t next_us;	/* when to look at it again */
	int watch[LIMITS_POLL];	/* of memory and processes, or -1 */
	bool met[LIMIT_COUNT];	/* ... and told */
	struct sys_usage usage;	/* at the last look */
	uint32_t news;		/* what the last look found that nobody was told */
	bool left;
	int64_t again_us;	/* when to look again for what a v1 cgroup announced */
	int freeze;		/* sys_freeze(), or -1 */
	int freeze_dir;
	bool freeze_v1;
	int freezing;		/* what was ordered and is not so yet: 1 frozen, 0 thawed, -1 nothing */
	int processors;
};

/* limits_init(l, role): there are none. */
void limits_init(struct limits *l, const struct role *role);

/* limits_begin(l, handle, isolates): there will be some; ${handle} is the handle's cgroup v2, or -1. */
void limits_begin(struct limits *l, int handle, bool isolates);

/* limits_op(l, call, a): the operations limit_*, as struct run takes them. */
int64_t limits_op(void *l, enum call_number call, const struct arg *a);

/* limits_settle(l, record): no more limits will come; with ${record}, have everything counted. */
void limits_settle(struct limits *l, bool record);

/* limits_started(l): the task is in its cgroups: watch them.  Before sys_lock(). */
void limits_started(struct limits *l);

/* limits_can_freeze(l, cgroup): be able to freeze the tree, which is in the cgroup v2 ${cgroup}, or -1.  Before
 * sys_lock(). */
void limits_can_freeze(struct limits *l, int cgroup);

/* limits_poll(l, p): what to wait for, in LIMITS_POLL elements; and until when: limits_until(l). */
void limits_poll(const struct limits *l, struct pollfd *p);
int64_t limits_until(const struct limits *l);

/* limits_news(l, p): the limits that were met since the last time: bits of enum limit. */
uint32_t limits_news(struct limits *l, const struct pollfd *p);

/* limits_freeze(l, on): order it.  0, or -errno. */
int limits_freeze(struct limits *l, bool on);

/* limits_frozen(l): what was ordered is so now. */
bool limits_frozen(struct limits *l);

/* limits_thaw(l): whatever is to end must be able to run. */
void limits_thaw(struct limits *l);

/* limits_outer(l): a cgroup that will have to be removed from around the stream's, for sys_lock(); or -1. */
int limits_outer(const struct limits *l);

/* limits_end(l): nothing is left in them: look a last time (l->news), and remove them; l->left: that failed. */
void limits_end(struct limits *l);

#endif
