/* SPDX-License-Identifier: ISC */
/*
 * libcarrel: services that are kept running.
 *
 * A supervisor keeps the trees of one handle: it starts services in the order of what they need, starts them
 * again when they end, ever more slowly, and stops them in the reverse order.  Everything happens inside
 * carrel_supervise_next(), which tells what happened; nothing runs in a thread of its own.
 *
 * What a service does in which state, what a restart costs and when enough is enough are pure functions of its
 * history and the time (carrel_backoff() for the delays), so that what comes next can be known.
 *
 * One thread at a time may use a supervisor, and its handle only through it.
 */
#ifndef CARREL_SUPERVISE_H
#define CARREL_SUPERVISE_H

#include <carrel.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct carrel_supervisor carrel_supervisor;

/* Which ends of a service are followed by a start. */
typedef enum {
	CARREL_PERMANENT = 0,	/* all */
	CARREL_TRANSIENT,	/* those that are failures: a status but 0, a signal, a time limit */
	CARREL_TEMPORARY	/* none */
} carrel_restart;

/* What else is started anew with a service that is. */
typedef enum {
	CARREL_ONE_FOR_ONE = 0,	/* nothing */
	CARREL_ONE_FOR_ALL,	/* all services */
	CARREL_REST_FOR_ONE	/* those that were added after it */
} carrel_strategy;

/* When a service counts as ready, so that those which come after it may start. */
typedef enum {
	CARREL_READY_AT_START = 0, /* its command was executed */
	CARREL_READY_NEWLINE,	/* it wrote a newline to descriptor ready_fd, which it is given */
	CARREL_READY_NOTIFY,	/* it sent READY=1 to the socket that $NOTIFY_SOCKET names (sd_notify(3)) */
	CARREL_READY_CHECK	/* the command `check` exited with 0; until then it is run every check_ms */
} carrel_readiness;

/* At most so many starts, up to 64, that nobody asked for within so long a time; 0: no limit. */
typedef struct {
	unsigned restarts;
	int window_ms;
} carrel_intensity;

/*
 * A service.  What it points to must stay as it is until the service was removed or the supervisor closed.
 * The spec's .user is the supervisor's.
 */
typedef struct {
	size_t size;			/* sizeof(carrel_service) */
	const char *name;		/* letters, digits and . _ - @, not more than 63; unlike any other */
	const carrel_spec *spec;	/* its .stop steps end the whole tree, and end when it is empty */
	carrel_restart restart;
	const char *const *after;	/* NULL-terminated names of services that must be ready before */
	carrel_readiness ready;
	int ready_fd;			/* NEWLINE: its number in the service, 3 or more */
	int ready_ms;			/* how long it may take to be ready; then it has failed. 0: 30000 */
	const carrel_spec *check;	/* CHECK; a time limit of its own (.timeout_ms) bounds each */
	int check_ms;			/* 0: 1000 */
	const carrel_spec *health;	/* run while it is ready; NULL: none */
	int health_ms;			/* time between two; 0: 10000 */
	int health_failures;		/* so many in a row end the service as a failure; 0: 3 */
	int backoff_min_ms, backoff_max_ms; /* of the delays, but for the first, which is none; 0: 100, 30000 */
	int stable_ms;			/* who was ready that long has no failures behind it; 0: 10000 */
	carrel_intensity intensity;	/* beyond it the service has failed for good */
	void *user;			/* given back in every event */
} carrel_service;

#define CARREL_SERVICE(...) (&(const carrel_service){ .size = sizeof(carrel_service), __VA_ARGS__ })

typedef enum {
	CARREL_SERVICE_OFF = 0,	/* not to be run, or ended for good */
	CARREL_SERVICE_HELD,	/* waits for what it comes after, or for others to be stopped */
	CARREL_SERVICE_STARTING,/* runs and is not ready */
	CARREL_SERVICE_UP,	/* is ready */
	CARREL_SERVICE_STOPPING,
	CARREL_SERVICE_DELAYED,	/* waits for its next start */
	CARREL_SERVICE_FAILED	/* will not be started again unless it is asked for */
} carrel_service_state;

/* carrel_service_state_name(state): "off", "held", "starting", "up", "stopping", "delayed", "failed"; else "unknown". */
const char *carrel_service_state_name(carrel_service_state state);

typedef struct {
	size_t size;
	const char *name;
	carrel_service_state state;
	int wanted;		/* it is to run */
	pid_t pid;		/* of its leader, or 0 */
	uint64_t state_ms;	/* how long it has been in that state */
	uint64_t starts;	/* since it was added */
	unsigned failures;	/* ends in a row, without a stable time */
	int delay_ms;		/* DELAYED: until the next start */
	int ended;		/* it has ended at least once: last is its last end */
	carrel_status last;
	carrel_error error;	/* of the last start that failed; stage NONE: there was none */
} carrel_service_status;

typedef enum {
	CARREL_SUP_STARTED = 1,	/* pid */
	CARREL_SUP_READY,
	CARREL_SUP_OUTPUT,	/* event: CARREL_OUT, CARREL_ERR or CARREL_EOF of the service */
	CARREL_SUP_UNHEALTHY,	/* a health check failed; failures: so many in a row */
	CARREL_SUP_ENDED,	/* event: CARREL_GONE */
	CARREL_SUP_NOT_STARTED,	/* error: why; or it was not ready in time */
	CARREL_SUP_DELAYED,	/* delay_ms until the next start; failures: ends in a row */
	CARREL_SUP_FAILED,	/* given up: too many starts in too short a time */
	CARREL_SUP_OFF,		/* it is not run any more: asked for, or as its restart type says */
	CARREL_SUP_LOST		/* the control process is gone, and every tree with it: close the supervisor */
} carrel_supervise_kind;

/* One event.  Pointers are valid until the next carrel_supervise_next() or carrel_supervise_close(). */
typedef struct {
	size_t size;
	carrel_supervise_kind kind;
	const char *name;	/* of the service */
	void *user;		/* the service's */
	pid_t pid;
	int delay_ms;
	unsigned failures;
	const carrel_event *event;
	const carrel_error *error;
} carrel_supervise_event;

typedef struct {
	size_t size;
	carrel_strategy strategy;
	carrel_intensity intensity; /* of all services together; beyond it everything is stopped */
	uint64_t seed;		/* of the delays' spread, with each service's name; 0: a random one */
} carrel_supervise_config;

/*
 * carrel_supervise_open(c, cfg, e): a supervisor on the handle ${c}, which stays the caller's and must not be
 * closed before it; ${cfg} may be NULL.  NULL: EINVAL, ENOMEM, EMFILE.
 */
carrel_supervisor *carrel_supervise_open(carrel *c, const carrel_supervise_config *cfg, carrel_error *e);

/*
 * carrel_supervise_close(s): kill what runs, and free the supervisor.  To stop it in order, call
 * carrel_supervise_stop(s, NULL) and carrel_supervise_next() until carrel_supervise_busy() is 0 before.
 */
void carrel_supervise_close(carrel_supervisor *s);

/*
 * carrel_supervise_add(s, v, e): add a service, which is not started.  The services that it comes after must have
 * been added.  0, or -1: EINVAL (what is wrong with it, or with its spec, is in ${e}), EEXIST, ENOENT (`after`),
 * ENOMEM.
 */
int carrel_supervise_add(carrel_supervisor *s, const carrel_service *v, carrel_error *e);

/*
 * carrel_supervise_replace(s, v, e): the service of that name is as ${v} says from now on; if it runs, it is started
 * anew.  What the old one pointed to is not needed any more.  If it comes after one that was added later, it counts as
 * added last, and so does what comes after it.  0, or -1 as carrel_supervise_add(); ENOENT: there is none.
 */
int carrel_supervise_replace(carrel_supervisor *s, const carrel_service *v, carrel_error *e);

/* carrel_supervise_remove(s, name): forget a service that is OFF or FAILED.  0, or -1: ENOENT, EBUSY (it runs, or
 * others come after it). */
int carrel_supervise_remove(carrel_supervisor *s, const char *name);

/*
 * carrel_supervise_start(s, name), _stop, _restart: what is to become of a service, or of all (${name} NULL);
 * the rest follows in carrel_supervise_next().  Starting one starts what it comes after, too; stopping one stops first
 * what comes after it.  A restart counts as no failure and has no delay.  0, or -1: ENOENT.
 */
int carrel_supervise_start(carrel_supervisor *s, const char *name);
int carrel_supervise_stop(carrel_supervisor *s, const char *name);
int carrel_supervise_restart(carrel_supervisor *s, const char *name);

/* carrel_supervise_signal(s, name, sig, tree): as carrel_signal().  0, or -1: ENOENT, EINVAL, ESRCH (it does not
 * run). */
int carrel_supervise_signal(carrel_supervisor *s, const char *name, int sig, int tree);

/* carrel_supervise_proc(s, name): the service's tree, for carrel_tree() and others, or NULL: it does not run.  Not to
 * be released. */
carrel_proc *carrel_supervise_proc(const carrel_supervisor *s, const char *name);

/*
 * carrel_supervise_next(s, ev, timeout_ms): do what is due, and give the next event; ${ev->size} must be set.  1; 0:
 * none in time, or, with a timeout_ms of -1, none ever unless something is asked for; -1 with errno.
 */
int carrel_supervise_next(carrel_supervisor *s, carrel_supervise_event *ev, int timeout_ms);

/* carrel_supervise_fd(s): polls readable when carrel_supervise_next() has something to do.
 * carrel_supervise_timeout(s): ... and so do this many milliseconds; -1: no time does. */
int carrel_supervise_fd(const carrel_supervisor *s);
int carrel_supervise_timeout(const carrel_supervisor *s);

/* carrel_supervise_busy(s): how many services run, stop, or wait for the time of their next start. */
size_t carrel_supervise_busy(const carrel_supervisor *s);

/* carrel_supervise_status(s, i, ret): the state of the service with the number ${i}, in the order in which they were
 * added; ${ret->size} must be set.  1, 0: there are not so many. */
int carrel_supervise_status(const carrel_supervisor *s, size_t i, carrel_service_status *ret);

#ifdef __cplusplus
}
#endif

#endif
