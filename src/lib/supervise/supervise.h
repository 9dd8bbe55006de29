/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's state, shared by its parts:
 *   policy.c     what follows from what
 *   add.c        services come and go
 *   ready.c      how a service says that it is ready
 *   service.c    one service: starts, checks, ends
 *   supervise.c  all of them: order, events
 * It stands on the public functions of the library alone.
 */
#ifndef LIB_SUPERVISE_H
#define LIB_SUPERVISE_H

#include "policy.h"

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

struct service;

/* What a tree of the handle is to us: comes back in its events. */
struct role {
	struct service *v;
	enum { ROLE_SERVICE, ROLE_CHECK } what;
};

struct service {
	struct service *next;
	carrel_supervisor *s;
	carrel_service cfg;	/* defaults filled in */
	struct service **after;	/* NULL-terminated */
	struct role service, checker;
	carrel_service_state state;
	int64_t since_us;	/* of that state */
	int64_t up_us;		/* how long it was ready, since its last start */
	bool wanted;
	bool cycle;		/* it is to end, and to be started anew without being at fault */
	bool together;		/* ... and not before all the others that do */
	bool faulty;		/* its end, which we caused, counts as a failure */
	bool done;		/* it ended well and is not started again: what comes after it may go on */
	bool ended;
	carrel_proc *proc;
	carrel_proc *check;	/* a check that runs */
	int check_failures;
	int64_t check_us;	/* when the next begins */
	int64_t due_us;		/* DELAYED: the start; STARTING: the end of our patience */
	int ready_fd;		/* where it will tell that it is ready, or -1 */
	uint64_t starts;
	unsigned failures;
	struct history history;
	carrel_status last;
	carrel_error error;
};

struct told {
	struct told *next;
	bool gone;		/* its service was removed: not to be delivered */
	carrel_supervise_event ev;
	carrel_error error;
};

struct carrel_supervisor {
	carrel *c;
	int epoll;		/* the handle, and descriptors of readiness */
	carrel_supervise_config cfg;
	struct history history;
	struct service *first, **last;
	struct told *told, **told_last;	/* to be delivered */
	struct told *shown;
	carrel_event ev;	/* the last event of the handle */
	bool lost;
	bool lost_told;
	int err;		/* errno of what cannot go on */
};

/* supervise.c */
/* tell(v, kind): an event about ${v}, to be filled, or NULL: there was no memory, and s->err says so. */
carrel_supervise_event *tell(struct service *v, carrel_supervise_kind kind);
/* others_follow(v): ${v} is started anew; so are those that the strategy says. */
void others_follow(struct service *v);

/* add.c */
struct service *service_find(const carrel_supervisor *s, const char *name);
void service_free(struct service *v);

/* service.c */
void service_input(struct service *v, enum input input);
/* service_time(v, now_us): do what is due; service_next_us(v): when something will be. */
void service_time(struct service *v, int64_t now_us);
int64_t service_next_us(const struct service *v);
/* service_event(v, what, ev): an event of one of its trees.  True when it is to be delivered as it is. */
bool service_event(struct service *v, const struct role *role, const carrel_event *ev);
/* service_ready(v): it says so. */
void service_ready(struct service *v);

/* ready.c */
/* The changes of a spec that let a service tell when it is ready. */
struct ready {
	int fd;			/* our end, or -1 */
	int theirs;		/* the service's, to be closed after the spawn, or -1 */
	int (*pass)[2];
	const char **env;
	char variable[64];
};
/* ready_begin(v, s, r): change ${s}.  0, or -1 with errno; ready_end() in any case. */
int ready_begin(const struct service *v, carrel_spec *s, struct ready *r);
void ready_end(struct ready *r);
/* ready_read(v): what came on v->ready_fd: 1 it is ready, 0 not yet, -1 nothing will come. */
int ready_read(struct service *v);

#endif
