/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's state, shared by its parts:
 *   supervisor.c  start, main loop, end
 *   requests.c    what the host asks
 *   streams.c     streams, their reapers and deadlines
 *   outbox.c      what the host is told
 */
#ifndef CONTROL_SUPERVISOR_H
#define CONTROL_SUPERVISOR_H

#include "control.h"
#include "map.h"
#include "timer.h"

#include <sys/wait.h>

/* One stream: a reaper and the tree below it. */
struct stream {
	struct timer timer;	/* first, so that a timer is its stream: the deadline, then the stop steps */
	uint32_t id;
	pid_t reaper;		/* our child; 0 once it was waited for */
	pid_t leader;		/* 0 until it started */
	int link;		/* to the reaper, of a stream that serves; or -1 */
	int slot;		/* cgroup */
	struct spawn_options options;
	int step;		/* next stop step; -1 before the stop */
	bool killed;		/* SIGKILL was ordered: the timer is the reaper's own deadline now */
	bool gone;		/* the host was told the last word */
	bool lost;		/* the reaper ended without saying GONE: we sweep its tree */
	pid_t lost_reaper;	/* ... its number */
	enum cause cause;
	int status;		/* of the leader, if the reaper does not live to say it again */
	bool ended;		/* ... and it is known */
	int64_t started_us;
};

/* A message that the host's socket did not take yet. */
struct outgoing {
	struct outgoing *next;
	enum message_type type;
	uint32_t id;
	size_t len;
	unsigned char body[];
};

struct supervisor {
	const struct role *role;
	int host, guard, report, nursery_socket, life;
	pid_t guard_pid, nursery;
	bool cgroup, locked;
	int cgroup_kill;
	int landlock_abi;
	struct map by_id, by_reaper;
	struct map kept;	/* reapers of trees that were let go, by pid; the values mean nothing */
	struct timers timers;
	struct outgoing *out_first, **out_last;
	size_t n_outgoing;
	struct {
		int socket;	/* -1: no spare */
		pid_t pid;
		int slot;
		bool asked;	/* the nursery owes us one */
	} spare;
	unsigned char *slot;	/* cgroup slots: in use, killed once */
	int n_slots;
	struct inbox *inbox;	/* the request in hand */
	bool pending_spawn;	/* ... waits for a spare; nothing else is read meanwhile */
	unsigned lost_streams;	/* trees without a reaper, to be swept */
	int64_t sweep_us;
	bool groups;		/* a reaper was killed that may have left cgroups */
	bool once_done;		/* the one stream of the handle was asked for */
	bool early;		/* not locked yet: a request to spawn is passed on, and looked at later */
	int passed_on;		/* ... how that went; 1: it was not */
	bool welcome;		/* the handshake is done */
	uint32_t hello_id;
	const char *ending;	/* why everything ends, or NULL */
	bool host_gone;
};

/* requests.c */
void request_in_hand(struct supervisor *s);	/* handle s->inbox; may leave it as pending_spawn */
void spawn_in_hand(struct supervisor *s);
void welcome(struct supervisor *s);

/* streams.c */
int spare_ask(struct supervisor *s);
void spare_arrived(struct supervisor *s);
struct stream *stream_create(struct supervisor *s, uint32_t id, const struct spawn_options *o);
/* stream_undo(s, st): as if ${st} had not been created. */
void stream_undo(struct supervisor *s, struct stream *st);
void stream_stop(struct supervisor *s, struct stream *st, enum cause cause);
void stream_kill(struct supervisor *s, struct stream *st, enum cause cause);
int stream_signal(struct stream *st, enum command what, int sig);
void stream_timer(struct supervisor *s, struct stream *st);
void reports_read(struct supervisor *s);
void children_reap(struct supervisor *s);
/* is_kept(pid, s): ${pid} is the reaper of a tree that was let go. */
bool is_kept(pid_t pid, void *s);
void lost_sweep(struct supervisor *s);

/* outbox.c */
void tell(struct supervisor *s, enum message_type type, uint32_t id, const struct buf *body);
void tell_failed(struct supervisor *s, uint32_t id, enum stage stage, int err, int index, const char *text);
void tell_report(struct supervisor *s, const struct stream *st, const struct report *r,
		 const int64_t *result);
void outbox_flush(struct supervisor *s);

#endif
