/* SPDX-License-Identifier: ISC */
/* Services come and go. */
#include "supervise.h"

#include "clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 63

static int refuse(carrel_error *e, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int refuse(carrel_error *e, int err, const char *format, ...)
{
	if (e != NULL) {
		va_list ap;

		*e = (carrel_error){ .stage = CARREL_STAGE_ARGS, .err = err, .index = -1 };
		va_start(ap, format);
		vsnprintf(e->msg, sizeof(e->msg), format, ap);
		va_end(ap);
	}
	errno = err;
	return -1;
}

struct service *service_find(const carrel_supervisor *s, const char *name)
{
	for (struct service *v = s->first; v != NULL; v = v->next) {
		if (strcmp(v->cfg.name, name) == 0)
			return v;
	}
	return NULL;
}

static int check_name(const carrel_supervisor *s, const char *name, carrel_error *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";

	if (name == NULL || *name == '\0')
		return refuse(e, EINVAL, "a service has no name");
	if (strlen(name) > NAME_MAX_LEN)
		return refuse(e, EINVAL, "service %.20s...: its name is longer than %d characters", name, NAME_MAX_LEN);
	if (name[strspn(name, good)] != '\0')
		return refuse(e, EINVAL, "service '%.63s': a name has letters, digits and . _ - @ only", name);
	if (service_find(s, name) != NULL)
		return refuse(e, EEXIST, "service '%s': there is one of that name already", name);
	return 0;
}

/* The spec is one that could be run. */
static int check_spec(const char *name, const char *what, const carrel_spec *spec, carrel_error *e)
{
	char *text = NULL;

	if (spec == NULL)
		return refuse(e, EINVAL, "service '%s': it has no %s", name, what);
	if (carrel_print_ops(spec, &text, e) == -1)
		return -1;
	free(text);
	return 0;
}

static bool has_own_network(const carrel_spec *spec)
{
	bool has_net = spec->size >= offsetof(carrel_spec, net) + sizeof(spec->net);
	carrel_net net = has_net ? spec->net : CARREL_NET_DEFAULT;

	return net == CARREL_NET_NONE || (net == CARREL_NET_DEFAULT && spec->behaviour != NULL &&
					  strcmp(spec->behaviour, "process") != 0);
}

static int check_config(const carrel_service *v, carrel_error *e)
{
	if ((unsigned)v->restart > CARREL_TEMPORARY)
		return refuse(e, EINVAL, "service '%s': no such restart type: %d", v->name, (int)v->restart);
	if ((unsigned)v->ready > CARREL_READY_CHECK)
		return refuse(e, EINVAL, "service '%s': no such kind of readiness: %d", v->name, (int)v->ready);
	if (v->ready == CARREL_READY_NEWLINE && v->ready_fd < 3)
		return refuse(e, EINVAL, "service '%s': ready_fd is %d, and must be 3 or more", v->name, v->ready_fd);
	/* Its socket has no file: the name is one of the host's network. */
	if (v->ready == CARREL_READY_NOTIFY && v->spec != NULL && has_own_network(v->spec))
		return refuse(e, EINVAL, "service '%s': in a network of its own it cannot notify; let it write a newline "
			      "to a descriptor", v->name);
	if (v->ready_ms < 0 || v->check_ms < 0 || v->health_ms < 0 || v->health_failures < 0 || v->stable_ms < 0 ||
	    v->backoff_min_ms < 0 || v->backoff_max_ms < 0 || v->intensity.window_ms < 0)
		return refuse(e, EINVAL, "service '%s': a time or number is below 0", v->name);
	if (v->intensity.restarts > HISTORY_MAX)
		return refuse(e, EINVAL, "service '%s': %u restarts cannot be counted, but up to %d", v->name,
			      v->intensity.restarts, HISTORY_MAX);
	if (v->ready == CARREL_READY_CHECK && check_spec(v->name, "check", v->check, e) == -1)
		return -1;
	if (v->health != NULL && check_spec(v->name, "health check", v->health, e) == -1)
		return -1;
	return check_spec(v->name, "command", v->spec, e);
}

static void fill_defaults(carrel_service *v)
{
	static const struct {
		size_t offset;
		int value;
	} defaults[] = {
		{ offsetof(carrel_service, ready_ms), 30000 },	     { offsetof(carrel_service, check_ms), 1000 },
		{ offsetof(carrel_service, health_ms), 10000 },	     { offsetof(carrel_service, health_failures), 3 },
		{ offsetof(carrel_service, backoff_min_ms), 100 },   { offsetof(carrel_service, backoff_max_ms), 30000 },
		{ offsetof(carrel_service, stable_ms), 10000 },
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		int *at = (int *)(void *)((char *)v + defaults[i].offset);

		if (*at == 0)
			*at = defaults[i].value;
	}
}

/* What it comes after has been added before, so that there is no circle. */
static int link_after(struct service *v, carrel_error *e)
{
	size_t n = 0;

	while (v->cfg.after != NULL && v->cfg.after[n] != NULL)
		n++;
	v->after = calloc(n + 1, sizeof(struct service *));
	if (v->after == NULL)
		return refuse(e, ENOMEM, "service '%s': no memory", v->cfg.name);
	for (size_t i = 0; i < n; i++) {
		v->after[i] = service_find(v->s, v->cfg.after[i]);
		if (v->after[i] == NULL)
			return refuse(e, ENOENT, "service '%s': it comes after '%.63s', which was not added before it",
				      v->cfg.name, v->cfg.after[i]);
	}
	return 0;
}

void service_free(struct service *v)
{
	if (v->check != NULL)
		carrel_release(v->check);
	if (v->proc != NULL)
		carrel_release(v->proc);
	if (v->ready_fd != -1)
		close(v->ready_fd);
	free(v->after);
	free(v);
}

/* A service as ${v} says, in nobody's list; NULL after refuse(). */
static struct service *service_create(carrel_supervisor *s, const carrel_service *v, bool is_new, carrel_error *e)
{
	if (v == NULL || v->size < sizeof(v->size)) {
		refuse(e, EINVAL, "a service has no size");
		return NULL;
	}
	struct service *n = calloc(1, sizeof(*n));
	if (n == NULL) {
		refuse(e, ENOMEM, "no memory for a service");
		return NULL;
	}
	n->s = s;
	n->ready_fd = -1;
	n->due_us = n->check_us = CLOCK_NEVER;
	n->since_us = clock_now_us();
	n->service = (struct role){ n, ROLE_SERVICE };
	n->checker = (struct role){ n, ROLE_CHECK };
	memcpy(&n->cfg, v, v->size < sizeof(n->cfg) ? v->size : sizeof(n->cfg));
	if ((!is_new || check_name(s, n->cfg.name, e) == 0) && check_config(&n->cfg, e) == 0 && link_after(n, e) == 0) {
		fill_defaults(&n->cfg);
		return n;
	}
	int err = errno;
	service_free(n);
	errno = err;
	return NULL;
}

EXPORT int carrel_supervise_add(carrel_supervisor *s, const carrel_service *v, carrel_error *e)
{
	struct service *n = service_create(s, v, true, e);

	if (n == NULL)
		return -1;
	*s->last = n;
	s->last = &n->next;
	return 0;
}

/* ${v} comes after ${what}, or after what does. */
static bool depends_on(const struct service *v, const struct service *what)
{
	for (struct service **a = v->after; *a != NULL; a++) {
		if (*a == what || depends_on(*a, what))
			return true;
	}
	return false;
}

/* To the end of the list go ${v} and what depends on it, so that it stands behind all others. */
static void move_behind(struct service *v)
{
	carrel_supervisor *s = v->s;
	struct service *moved = NULL, **last = &moved, **at = &s->first;

	while (*at != NULL) {
		struct service *o = *at;

		if (o != v && !depends_on(o, v)) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		*last = o;
		last = &o->next;
		o->next = NULL;
	}
	*at = moved;
	s->last = moved != NULL ? last : at;
}

static bool is_behind(const struct service *v, const struct service *what)
{
	while (v != NULL && v != what)
		v = v->next;
	return v == what;
}

EXPORT int carrel_supervise_replace(carrel_supervisor *s, const carrel_service *v, carrel_error *e)
{
	struct service *old = v != NULL && v->size >= sizeof(v->size) && v->name != NULL ? service_find(s, v->name) : NULL;

	if (old == NULL)
		return refuse(e, ENOENT, "there is no such service to be replaced");
	struct service *n = service_create(s, v, false, e);
	if (n == NULL)
		return -1;
	bool behind = false;
	for (struct service **a = n->after; *a != NULL; a++) {
		if (*a == old || depends_on(*a, old)) {
			refuse(e, EINVAL, "service '%s': it comes after '%s', which comes after it", v->name,
			       (*a)->cfg.name);
			service_free(n);
			errno = EINVAL;
			return -1;
		}
		behind |= is_behind(old, *a);
	}
	/* What was told of it has the old name's memory. */
	for (struct told *t = s->told; t != NULL; t = t->next) {
		if (t->ev.name == old->cfg.name) {
			t->ev.name = n->cfg.name;
			t->ev.user = n->cfg.user;
		}
	}
	struct service **after = old->after;
	old->after = n->after;
	old->cfg = n->cfg;
	n->after = after;
	service_free(n);
	if (behind)
		move_behind(old);
	old->cycle |= policy_runs(old->state);
	return 0;
}

static bool is_needed(const carrel_supervisor *s, const struct service *v)
{
	for (const struct service *o = s->first; o != NULL; o = o->next) {
		for (struct service **a = o->after; *a != NULL; a++) {
			if (*a == v)
				return true;
		}
	}
	return false;
}

EXPORT int carrel_supervise_remove(carrel_supervisor *s, const char *name)
{
	struct service *v = service_find(s, name);

	if (v == NULL) {
		errno = ENOENT;
		return -1;
	}
	if ((v->state != CARREL_SERVICE_OFF && v->state != CARREL_SERVICE_FAILED) || v->wanted || is_needed(s, v)) {
		errno = EBUSY;
		return -1;
	}
	struct service **at = &s->first;
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	if (s->last == &v->next)
		s->last = at;
	/* What was told of it, and is still to be delivered, has its name. */
	for (struct told *t = s->told; t != NULL; t = t->next) {
		if (t->ev.name == v->cfg.name)
			t->gone = true;
	}
	service_free(v);
	return 0;
}
