/* SPDX-License-Identifier: ISC */
/* One service: its starts, its checks and its ends. */
#include "supervise.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static int64_t in_ms(int ms)
{
	return clock_now_us() + (int64_t)ms * 1000;
}

static void enter_state(struct service *v, carrel_service_state state)
{
	v->state = state;
	v->since_us = clock_now_us();
	v->due_us = v->check_us = CLOCK_NEVER;
	if (state == CARREL_SERVICE_STARTING) {
		v->due_us = in_ms(v->cfg.ready_ms);
		v->check_us = v->cfg.ready == CARREL_READY_CHECK ? v->since_us : CLOCK_NEVER;
	} else if (state == CARREL_SERVICE_UP && v->cfg.health != NULL) {
		v->check_us = in_ms(v->cfg.health_ms);
	}
}

/* ------------------------------------------------------------ readiness --- */

static void ready_watch(struct service *v, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = v };

	v->ready_fd = fd;
	if (epoll_ctl(v->s->epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		v->s->err = errno;
}

static void ready_forget(struct service *v)
{
	if (v->ready_fd == -1)
		return;
	/* Closing alone would leave it in the set if the host forked. */
	epoll_ctl(v->s->epoll, EPOLL_CTL_DEL, v->ready_fd, NULL);
	close(v->ready_fd);
	v->ready_fd = -1;
}

void service_ready(struct service *v)
{
	int r = v->ready_fd != -1 ? ready_read(v) : 0;

	if (r != 0)
		ready_forget(v);
	if (r == 1)
		service_input(v, INPUT_READY);
}

static void check_forget(struct service *v)
{
	if (v->check != NULL)
		carrel_release(v->check);
	v->check = NULL;
}

static void check_begin(struct service *v)
{
	bool health = v->state == CARREL_SERVICE_UP;
	carrel_spec spec = health ? *v->cfg.health : *v->cfg.check;
	carrel_error e;

	v->check_us = CLOCK_NEVER;
	spec.user = &v->checker;
	v->check = carrel_spawn(v->s->c, &spec, &e);
	/* As one that fails: the next may be possible. */
	if (v->check == NULL)
		service_event(v, &v->checker, NULL);
}

/* A check ended, or could not be begun. */
static void check_ended(struct service *v, bool good)
{
	check_forget(v);
	if (v->state == CARREL_SERVICE_STARTING) {
		v->check_us = in_ms(v->cfg.check_ms);
		if (good)
			service_input(v, INPUT_READY);
		return;
	}
	if (v->state != CARREL_SERVICE_UP)
		return;
	v->check_us = in_ms(v->cfg.health_ms);
	if (good) {
		v->check_failures = 0;
		return;
	}
	carrel_supervise_event *ev = tell(v, CARREL_SUP_UNHEALTHY);
	if (ev != NULL)
		ev->failures = (unsigned)v->check_failures + 1;
	if (++v->check_failures >= v->cfg.health_failures) {
		v->faulty = true;
		service_input(v, INPUT_LATE);
	}
}

/* ---------------------------------------------------------------- start --- */

static void not_started(struct service *v, const carrel_error *e)
{
	v->error = *e;
	tell(v, CARREL_SUP_NOT_STARTED);
}

static void spawn(struct service *v)
{
	carrel_spec spec = { 0 };
	struct ready ready;
	carrel_error e = { 0 };

	/* An older caller has a shorter struct. */
	memcpy(&spec, v->cfg.spec, v->cfg.spec->size < sizeof(spec) ? v->cfg.spec->size : sizeof(spec));
	spec.size = sizeof(spec);
	spec.user = &v->service;
	v->done = v->faulty = false;
	v->check_failures = 0;
	v->up_us = 0;
	v->starts++;
	if (ready_begin(v, &spec, &ready) == 0) {
		v->proc = carrel_spawn(v->s->c, &spec, &e);
	} else {
		e = (carrel_error){ .stage = CARREL_STAGE_FDS, .err = errno, .index = -1 };
		snprintf(e.msg, sizeof(e.msg), "cannot make a descriptor for readiness: %s", strerror(errno));
	}
	if (v->proc == NULL) {
		ready_end(&ready);
		not_started(v, &e);
		service_input(v, INPUT_SPAWN_FAILED);
		return;
	}
	if (ready.fd != -1)
		ready_watch(v, ready.fd);
	ready.fd = -1;
	ready_end(&ready);
	v->error = (carrel_error){ 0 };
	tell(v, CARREL_SUP_STARTED);
	if (v->cfg.ready == CARREL_READY_AT_START)
		service_input(v, INPUT_READY);
}

/* ------------------------------------------------------------------ end --- */

static void give_up(struct service *v)
{
	v->wanted = false;
	enter_state(v, CARREL_SERVICE_FAILED);
	tell(v, CARREL_SUP_FAILED);
}

/* Everything, because services are started too often. */
static void give_up_all(struct service *v)
{
	give_up(v);
	for (struct service *o = v->s->first; o != NULL; o = o->next)
		o->wanted = o->cycle = false;
}

static void start_again(struct service *v)
{
	int64_t now_ms = clock_now_us() / 1000;
	carrel_supervisor *s = v->s;

	if (policy_enough(&v->history, &v->cfg.intensity, now_ms)) {
		give_up(v);
		return;
	}
	if (policy_enough(&s->history, &s->cfg.intensity, now_ms)) {
		give_up_all(v);
		return;
	}
	history_add(&v->history, now_ms);
	history_add(&s->history, now_ms);
	int delay = policy_delay(v->failures, v->cfg.backoff_min_ms, v->cfg.backoff_max_ms,
				 policy_seed(s->cfg.seed, v->cfg.name));
	enter_state(v, CARREL_SERVICE_DELAYED);
	v->due_us = in_ms(delay);
	carrel_supervise_event *ev = tell(v, CARREL_SUP_DELAYED);
	if (ev != NULL) {
		ev->delay_ms = delay;
		ev->failures = v->failures;
	}
	others_follow(v);
}

static void after_end(struct service *v)
{
	/* An error is that of this start: one that worked has taken an older one away. */
	bool failed = v->faulty || v->error.stage != CARREL_STAGE_NONE || policy_failed(&v->last);

	if (v->cycle) {
		v->cycle = false;
		enter_state(v, CARREL_SERVICE_HELD);
		return;
	}
	if (v->wanted && policy_again(v->cfg.restart, failed)) {
		v->failures = policy_failures(v->failures, v->up_us / 1000, v->cfg.stable_ms);
		start_again(v);
		return;
	}
	v->done = v->wanted && !failed;
	v->wanted = false;
	tell(v, CARREL_SUP_OFF);
}

void service_input(struct service *v, enum input input)
{
	struct transition t = policy_next(v->state, input);

	if (t.state == v->state && t.action == ACTION_NONE)
		return;
	if (v->state == CARREL_SERVICE_UP)
		v->up_us = clock_now_us() - v->since_us;
	enter_state(v, t.state);
	switch (t.action) {
	case ACTION_SPAWN:
		spawn(v);
		break;
	case ACTION_STOP:
		check_forget(v);
		carrel_stop(v->proc, NULL, 0);
		break;
	case ACTION_ENDED:
		after_end(v);
		break;
	case ACTION_OFF:
		v->cycle = false;
		tell(v, CARREL_SUP_OFF);
		break;
	case ACTION_NONE:
		if (t.state == CARREL_SERVICE_UP)
			tell(v, CARREL_SUP_READY);
		break;
	default:
		break;
	}
}

/* -------------------------------------------------------- what happens --- */

static void gone(struct service *v, const carrel_event *ev)
{
	v->last = *ev->status;
	v->ended = true;
	v->s->ev.proc = NULL;
	carrel_supervise_event *told = tell(v, CARREL_SUP_ENDED);
	if (told != NULL)
		told->event = &v->s->ev;
	ready_forget(v);
	check_forget(v);
	carrel_release(v->proc);
	v->proc = NULL;
	service_input(v, INPUT_GONE);
}

bool service_event(struct service *v, const struct role *role, const carrel_event *ev)
{
	if (role->what == ROLE_CHECK) {
		if (ev == NULL || ev->kind == CARREL_GONE)
			check_ended(v, ev != NULL && !policy_failed(ev->status));
		return false;
	}
	if (ev->kind == CARREL_GONE)
		gone(v, ev);
	return ev->kind == CARREL_OUT || ev->kind == CARREL_ERR || ev->kind == CARREL_EOF;
}

static void too_late(struct service *v)
{
	carrel_error e = { .stage = CARREL_STAGE_EXEC, .err = ETIMEDOUT, .index = -1 };

	snprintf(e.msg, sizeof(e.msg), "it was not ready after %d.%03d s", v->cfg.ready_ms / 1000,
		 v->cfg.ready_ms % 1000);
	not_started(v, &e);
	v->faulty = true;
	service_input(v, INPUT_LATE);
}

void service_time(struct service *v, int64_t now_us)
{
	if (v->due_us <= now_us) {
		v->due_us = CLOCK_NEVER;
		if (v->state == CARREL_SERVICE_STARTING)
			too_late(v);
		else
			service_input(v, INPUT_TIME);
	}
	if (v->check_us <= now_us && v->check == NULL)
		check_begin(v);
}

int64_t service_next_us(const struct service *v)
{
	return v->check == NULL && v->check_us < v->due_us ? v->check_us : v->due_us;
}
