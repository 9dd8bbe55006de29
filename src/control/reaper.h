/* SPDX-License-Identifier: ISC */
/*
 * The stream reaper, shared by its parts:
 *   reaper.c        takes the request, and says how it ended
 *   reaper_start.c  makes the task
 *   reaper_watch.c  watches it, and kills what is left of it
 *   stream_limits.c its cgroups: limits, and what was used
 *   record.c        what the kernel says of it
 *   branch.c        signals and ends parts of it, when it serves
 */
#ifndef CONTROL_REAPER_H
#define CONTROL_REAPER_H

#include "isolate.h"
#include "stream_limits.h"

struct reaper {
	const struct role *role;
	int cgroup;		/* directory that the task begins in, or -1 */
	int cgroup_kill;
	bool own_cgroup;	/* it is no slot of the handle's, which others use again */
	bool orphaned;		/* the supervisor is gone: end, and tell nobody */
	bool wait_tree;		/* the leader's end does not kill the rest */
	bool trace;		/* the host wants the results of the operations */
	bool keep_tree;		/* ... but ends our watch over it */
	bool leader_done;
	bool killing;
	bool told_to_kill;	/* ... also what has not been told yet */
	int64_t next_kill_us;	/* when to walk the tree again */
	int64_t patience_us;	/* until then the init counts what it kills; 0: that has not begun */
	struct isolate isolate;
	struct limits limits;
	bool record;		/* what the kernel says is to be told */
	struct task *task;
	bool init_gone;		/* the init said that nothing is left */
	const struct program *program;	/* once anything of it may have run */
	struct report report;	/* what the last one will say */
	int link;		/* orders about single tasks come here, when the program serves; or -1 */
	struct branch *branches; /* that are being ended */
};

/* reaper_report(r, result): send the report to the supervisor, with ${result} (may be NULL) of its operations. */
void reaper_report(const struct reaper *r, const int64_t *result);

/* reaper_tell_text(r, text, len): the same with ${len} bytes of text behind it. */
void reaper_tell_text(const struct reaper *r, const char *text, size_t len);

/* reaper_tell(r, type, status): one that says no more than this. */
void reaper_tell(const struct reaper *r, enum report_type type, int status);

/* reaper_fail(r, stage, err, index, what): end whatever was begun, say why the start came to nothing, and end. */
_Noreturn void reaper_fail(struct reaper *r, enum stage stage, int err, int index, const char *what);

/* reaper_start(r, p, o, fd): run the program of a request with its descriptors.  The new command's pid. */
pid_t reaper_start(struct reaper *r, const struct program *p, const struct spawn_options *o, const int *fd);

/* reaper_reap(r): wait for whatever has ended.  True while somebody is left. */
bool reaper_reap(struct reaper *r);

/* record_init(r): tell in which namespaces the init is that waits to begin: it will hide, and the task, which has the
 * same, may have ended by the time that there is something to tell of it.
 * record_start(r): tell what holds for the task, now that it has become a command; before sys_lock().
 * record_end(r): tell what it has used. */
void record_init(const struct reaper *r);
void record_start(const struct reaper *r);
void record_end(const struct reaper *r);

/* reaper_tell_limits(r, news): those that were met: bits of enum limit. */
void reaper_tell_limits(const struct reaper *r, uint32_t news);

/* branch_order(r): take the orders about single tasks that are there.  branch_due(r): take the steps that are due. */
void branch_order(struct reaper *r);
void branch_due(struct reaper *r);

/* branch_next_us(r): when the next one is; CLOCK_NEVER when there is none. */
int64_t branch_next_us(const struct reaper *r);

/* reaper_watch(r): until nobody is left.  It does not return for a tree that is let go. */
void reaper_watch(struct reaper *r);

#endif
