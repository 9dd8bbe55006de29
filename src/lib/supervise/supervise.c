/* SPDX-License-Identifier: ISC */
/* All services: which may start, which must stop, and what is told. */
#include "supervise.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#define READY_BATCH 16

/* ------------------------------------------------------------- events --- */

carrel_supervise_event *tell(struct service *v, carrel_supervise_kind kind)
{
	carrel_supervisor *s = v->s;
	struct told *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		s->err = ENOMEM;
		return NULL;
	}
	t->error = v->error;
	t->ev = (carrel_supervise_event){ .size = sizeof(t->ev), .kind = kind, .name = v->cfg.name,
					  .user = v->cfg.user, .pid = v->proc != NULL ? carrel_pid(v->proc) : 0 };
	if (kind == CARREL_SUP_NOT_STARTED)
		t->ev.error = &t->error;
	*s->told_last = t;
	s->told_last = &t->next;
	return &t->ev;
}

static int deliver(carrel_supervise_event *ev, const carrel_supervise_event *full)
{
	size_t size = ev->size < sizeof(*full) ? ev->size : sizeof(*full);

	memcpy(ev, full, size);
	ev->size = size;
	return 1;
}

/* The next of what was told, if there is one. */
static int deliver_told(carrel_supervisor *s, carrel_supervise_event *ev)
{
	while (s->told != NULL) {
		struct told *t = s->told;

		s->told = t->next;
		if (s->told == NULL)
			s->told_last = &s->told;
		free(s->shown);
		s->shown = t;
		if (!t->gone)
			return deliver(ev, &t->ev);
	}
	return 0;
}

/* --------------------------------------------------------------- order --- */

static bool comes_after(const struct service *v, const struct service *what)
{
	for (struct service **a = v->after; *a != NULL; a++) {
		if (*a == what)
			return true;
	}
	return false;
}

static bool must_stop(const struct service *v)
{
	return policy_runs(v->state) && (!v->wanted || v->cycle);
}

/* Nobody who comes after it and is to stop too still runs. */
static bool may_stop(const struct service *v)
{
	for (const struct service *o = v->next; o != NULL; o = o->next) {
		if (comes_after(o, v) && must_stop(o))
			return false;
	}
	return true;
}

/* Those that are started anew together: somebody is not yet at his end, or is delayed. */
static bool together_waits(const carrel_supervisor *s)
{
	for (const struct service *v = s->first; v != NULL; v = v->next) {
		if (v->together && (must_stop(v) || v->state == CARREL_SERVICE_DELAYED))
			return true;
	}
	return false;
}

static bool may_start(const struct service *v)
{
	for (struct service **a = v->after; *a != NULL; a++) {
		if ((*a)->state != CARREL_SERVICE_UP && !(*a)->done)
			return false;
	}
	return !v->together || !together_waits(v->s);
}

void others_follow(struct service *v)
{
	carrel_supervisor *s = v->s;

	if (s->cfg.strategy == CARREL_ONE_FOR_ONE)
		return;
	for (struct service *o = s->cfg.strategy == CARREL_ONE_FOR_ALL ? s->first : v; o != NULL; o = o->next) {
		/* One that stops already for its own reasons needs no second end. */
		if (o != v && policy_runs(o->state) && !o->faulty)
			o->cycle = true;
		o->together = o->wanted;
	}
}

/* One thing that is to be done: true. */
static bool settle_one(struct service *v)
{
	carrel_service_state before = v->state;

	if (must_stop(v) && v->state != CARREL_SERVICE_STOPPING && may_stop(v))
		service_input(v, INPUT_STOP);
	else if (!v->wanted && (v->state == CARREL_SERVICE_HELD || v->state == CARREL_SERVICE_DELAYED))
		service_input(v, INPUT_STOP);
	else if (v->wanted && (v->state == CARREL_SERVICE_OFF || v->state == CARREL_SERVICE_FAILED))
		service_input(v, INPUT_START);
	else if (v->state == CARREL_SERVICE_HELD && may_start(v))
		service_input(v, INPUT_CLEAR);
	return v->state != before;
}

static void settle(carrel_supervisor *s)
{
	bool changed = true;

	while (changed && s->err == 0) {
		changed = false;
		if (!together_waits(s)) {
			for (struct service *v = s->first; v != NULL; v = v->next)
				v->together = false;
		}
		for (struct service *v = s->first; v != NULL; v = v->next)
			changed |= settle_one(v);
	}
}

/* ------------------------------------------------------------- waiting --- */

static int64_t next_us(const carrel_supervisor *s)
{
	int64_t next = CLOCK_NEVER;

	for (const struct service *v = s->first; v != NULL; v = v->next) {
		int64_t at = service_next_us(v);

		next = at < next ? at : next;
	}
	return next;
}

static void do_due(carrel_supervisor *s)
{
	int64_t now_us = clock_now_us();

	for (struct service *v = s->first; v != NULL; v = v->next)
		service_time(v, now_us);
}

/* One event of the handle: 1 it is ${ev}, 0 there is none, -1; told events are queued. */
static int take_event(carrel_supervisor *s, carrel_supervise_event *ev)
{
	s->ev = (carrel_event){ .size = sizeof(s->ev) };
	int n = carrel_next(s->c, &s->ev, 0);
	if (n <= 0)
		return n == -1 && errno == EINTR ? 0 : n;
	if (s->ev.kind == CARREL_LOST) {
		s->lost = true;
		return 0;
	}
	const struct role *role = s->ev.user;
	if (role == NULL || !service_event(role->v, role, &s->ev))
		return 0;
	carrel_supervise_event full = { .size = sizeof(full), .kind = CARREL_SUP_OUTPUT, .name = role->v->cfg.name,
					.user = role->v->cfg.user, .pid = s->ev.pid, .event = &s->ev };
	return deliver(ev, &full);
}

/* Wait for the handle, readiness, or the time: 1 something is there, 0, or -1. */
static int wait_for_more(carrel_supervisor *s, int64_t deadline_us)
{
	struct epoll_event events[READY_BATCH];
	int64_t due_us = next_us(s);
	int timeout = clock_poll_ms(due_us < deadline_us ? due_us : deadline_us);

	int n = epoll_wait(s->epoll, events, READY_BATCH, timeout);
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr != NULL)
			service_ready(events[i].data.ptr);
	}
	return n > 0;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

EXPORT int carrel_supervise_next(carrel_supervisor *s, carrel_supervise_event *ev, int timeout_ms)
{
	int64_t deadline_us = clock_deadline_us(timeout_ms);

	if (s == NULL || ev == NULL || ev->size < sizeof(ev->size))
		return fail(EINVAL);
	for (;;) {
		if (deliver_told(s, ev) == 1)
			return 1;
		if (s->err != 0)
			return fail(s->err);
		if (s->lost) {
			if (s->lost_told)
				return fail(EPIPE);
			s->lost_told = true;
			return deliver(ev, &(carrel_supervise_event){ .size = sizeof(*ev), .kind = CARREL_SUP_LOST });
		}
		do_due(s);
		settle(s);
		if (s->told != NULL)
			continue;
		int r = take_event(s, ev);
		if (r != 0)
			return r;
		/* It may have been about what nobody needs to hear, and there may be more. */
		if (s->ev.kind != 0 || s->told != NULL || s->lost)
			continue;
		if (timeout_ms < 0 && carrel_supervise_busy(s) == 0)
			return 0;
		r = wait_for_more(s, deadline_us);
		if (r == -1)
			return -1;
		if (r == 0 && s->told == NULL && clock_now_us() >= deadline_us)
			return 0;
	}
}

EXPORT int carrel_supervise_timeout(const carrel_supervisor *s)
{
	return s->told != NULL || s->err != 0 ? 0 : clock_poll_ms(next_us(s));
}

EXPORT int carrel_supervise_fd(const carrel_supervisor *s)
{
	return s->epoll;
}

/* ------------------------------------------------------------ requests --- */

/* For a service, or for all. */
static int each(carrel_supervisor *s, const char *name, void (*what)(struct service *v))
{
	struct service *v = name != NULL ? service_find(s, name) : s->first;

	if (name != NULL && v == NULL)
		return fail(ENOENT);
	for (; v != NULL; v = name == NULL ? v->next : NULL)
		what(v);
	return 0;
}

static void want(struct service *v)
{
	v->wanted = true;
	/* Asked for: what was before is forgotten, and nothing is waited for. */
	v->failures = 0;
	v->done = false;
	for (struct service **a = v->after; *a != NULL; a++) {
		if (!(*a)->wanted && !(*a)->done)
			want(*a);
	}
	if (v->state == CARREL_SERVICE_DELAYED)
		service_input(v, INPUT_START);
	else if (v->state == CARREL_SERVICE_STOPPING)
		v->cycle = true;
}

static void unwant(struct service *v)
{
	v->wanted = v->cycle = v->done = false;
	for (struct service *o = v->next; o != NULL; o = o->next) {
		if (o->wanted && comes_after(o, v))
			unwant(o);
	}
}

static void want_anew(struct service *v)
{
	if (policy_runs(v->state))
		v->cycle = true;
	want(v);
}

EXPORT int carrel_supervise_start(carrel_supervisor *s, const char *name)
{
	return each(s, name, want);
}

EXPORT int carrel_supervise_stop(carrel_supervisor *s, const char *name)
{
	return each(s, name, unwant);
}

EXPORT int carrel_supervise_restart(carrel_supervisor *s, const char *name)
{
	return each(s, name, want_anew);
}

EXPORT carrel_proc *carrel_supervise_proc(const carrel_supervisor *s, const char *name)
{
	const struct service *v = service_find(s, name);

	return v != NULL ? v->proc : NULL;
}

EXPORT int carrel_supervise_signal(carrel_supervisor *s, const char *name, int sig, int tree)
{
	const struct service *v = service_find(s, name);

	if (v == NULL)
		return fail(ENOENT);
	return v->proc != NULL ? carrel_signal(v->proc, sig, tree) : fail(ESRCH);
}

EXPORT size_t carrel_supervise_busy(const carrel_supervisor *s)
{
	size_t n = 0;

	for (const struct service *v = s->first; v != NULL; v = v->next)
		n += policy_runs(v->state) || v->state == CARREL_SERVICE_DELAYED;
	return n;
}

/* -------------------------------------------------------------- status --- */

EXPORT const char *carrel_service_state_name(carrel_service_state state)
{
	static const char *const names[] = { "off", "held", "starting", "up", "stopping", "delayed", "failed" };

	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

EXPORT int carrel_supervise_status(const carrel_supervisor *s, size_t i, carrel_service_status *ret)
{
	const struct service *v = s->first;
	int64_t now_us = clock_now_us();

	while (v != NULL && i-- > 0)
		v = v->next;
	if (v == NULL || ret->size < sizeof(ret->size))
		return 0;
	carrel_service_status full = {
		.size = ret->size < sizeof(full) ? ret->size : sizeof(full), .name = v->cfg.name, .state = v->state,
		.wanted = v->wanted, .pid = v->proc != NULL ? carrel_pid(v->proc) : 0,
		.state_ms = (uint64_t)(now_us - v->since_us) / 1000, .starts = v->starts, .failures = v->failures,
		.delay_ms = v->state == CARREL_SERVICE_DELAYED && v->due_us > now_us ? clock_poll_ms(v->due_us) : 0,
		.ended = v->ended, .last = v->last, .error = v->error,
	};
	memcpy(ret, &full, full.size);
	return 1;
}

/* ------------------------------------------------------- open and close --- */

static carrel_supervisor *no(carrel_supervisor *s, carrel_error *e, int err, const char *why)
{
	if (s != NULL && s->epoll != -1)
		close(s->epoll);
	free(s);
	if (e != NULL) {
		*e = (carrel_error){ .stage = CARREL_STAGE_ARGS, .err = err, .index = -1 };
		snprintf(e->msg, sizeof(e->msg), "cannot supervise: %s", why);
	}
	errno = err;
	return NULL;
}

EXPORT carrel_supervisor *carrel_supervise_open(carrel *c, const carrel_supervise_config *cfg, carrel_error *e)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (c == NULL || (cfg != NULL && cfg->size < sizeof(cfg->size)))
		return no(NULL, e, EINVAL, "there is no handle, or the configuration has no size");
	carrel_supervisor *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return no(NULL, e, ENOMEM, "no memory");
	s->c = c;
	s->last = &s->first;
	s->told_last = &s->told;
	if (cfg != NULL)
		memcpy(&s->cfg, cfg, cfg->size < sizeof(s->cfg) ? cfg->size : sizeof(s->cfg));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if ((unsigned)s->cfg.strategy > CARREL_REST_FOR_ONE)
		return no(s, e, EINVAL, "no such strategy");
	if (s->cfg.intensity.restarts > HISTORY_MAX || s->cfg.intensity.window_ms < 0)
		return no(s, e, EINVAL, "more than 64 restarts cannot be counted, and no time is below 0");
	if (s->epoll == -1 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, carrel_fd(c), &ev) == -1)
		return no(s, e, errno, strerror(errno));
	if (s->cfg.seed == 0 && getrandom(&s->cfg.seed, sizeof(s->cfg.seed), 0) != (ssize_t)sizeof(s->cfg.seed))
		s->cfg.seed = (uint64_t)clock_now_us();
	return s;
}

EXPORT void carrel_supervise_close(carrel_supervisor *s)
{
	if (s == NULL)
		return;
	while (s->first != NULL) {
		struct service *v = s->first;

		s->first = v->next;
		service_free(v);
	}
	while (s->told != NULL) {
		struct told *t = s->told;

		s->told = t->next;
		free(t);
	}
	free(s->shown);
	close(s->epoll);
	free(s);
}
