/* SPDX-License-Identifier: ISC */
#include "doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ facts --- */

carrel_fact *doctor_fact(struct doctor *d, const char *name)
{
	/* As many as the files of the doctor make; the last place is for what does not fit. */
	carrel_fact *f = &d->fact[d->n < FACTS_MAX - 1 ? d->n++ : FACTS_MAX - 1];

	*f = (carrel_fact){ .state = CARREL_FACT_OK };
	snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

const carrel_fact *doctor_found(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->fact[i].name, name) == 0)
			return &d->fact[i];
	}
	return NULL;
}

/* Paths and names of files come from outside: a line stays one, in characters that everybody has. */
static void put(char *to, size_t size, const char *format, va_list ap)
{
	vsnprintf(to, size, format, ap);
	for (char *p = to; *p != 0; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

void fact_set(carrel_fact *f, carrel_fact_state state, const char *format, ...)
{
	va_list ap;

	f->state = state;
	va_start(ap, format);
	put(f->text, sizeof(f->text), format, ap);
	va_end(ap);
}

void fact_remedy(carrel_fact *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(f->remedy, sizeof(f->remedy), format, ap);
	va_end(ap);
}

void fact_detail(carrel_fact *f, const char *format, ...)
{
	size_t at = strlen(f->detail);
	va_list ap;

	if (at > 0 && at + 3 < sizeof(f->detail))
		at += (size_t)snprintf(f->detail + at, sizeof(f->detail) - at, "; ");
	va_start(ap, format);
	put(f->detail + at, sizeof(f->detail) - at, format, ap);
	va_end(ap);
}

/* ---------------------------------------------------------------- the helper --- */

/* What its file would give it. */
static void look_at_file(carrel_fact *f, const char *path)
{
	struct stat st;
	const char *how = reason_file_capable(path) ? "with file capabilities" : "with the caller's privileges";

	if (stat(path, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID))
		how = st.st_mode & S_ISUID ? "set-user-ID" : "set-group-ID";
	fact_set(f, CARREL_FACT_OK, "%.100s, %s", path, how);
}

static void helper(struct doctor *d)
{
	const bool embedded = d->cfg->embedded != NULL && d->cfg->helper == NULL &&
			      secure_getenv("CARREL_CONTROL") == NULL;
	char path[PATH_MAX];
	carrel_error e = { 0 };
	carrel_fact *f = doctor_fact(d, "helper");

	f->needed = 1;
	if (embedded)
		fact_set(f, CARREL_FACT_OK, "inside this program, with the caller's privileges");
	else if (helper_find(d->cfg, path, sizeof(path), &e) == 0)
		look_at_file(f, path);
	if (d->c == NULL) {
		f->err = d->no_control.err;
		fact_set(f, CARREL_FACT_NO, "%s", carrel_strerror(&d->no_control));
	}
}

/* ----------------------------------------------------------- what follows --- */

/* Without these nothing can be isolated. */
static const char *const isolation_needs[] = { "user-namespace", "mount-namespace", "pid-namespace", "net-namespace",
					       "ipc-namespace", "uts-namespace", "cgroup-namespace", "tmpfs",
					       "proc-mount", "mount-api", "seccomp" };

/* Those of them that are refused, by name; their number. */
static int refused(const struct doctor *d, char *names, size_t size)
{
	size_t at = 0;
	int n = 0;

	*names = 0;
	for (size_t i = 0; i < sizeof(isolation_needs) / sizeof(isolation_needs[0]); i++) {
		const carrel_fact *f = doctor_found(d, isolation_needs[i]);

		if (f == NULL || f->state != CARREL_FACT_NO)
			continue;
		if (at < size)
			at += (size_t)snprintf(names + at, size - at, "%s%s", n > 0 ? ", " : "", f->name);
		n++;
		/* Everything else comes with it. */
		if (i == 0)
			break;
	}
	return n;
}

static void behaviour(struct doctor *d, const char *name, const char *what)
{
	const carrel_spec s = { .size = sizeof(s), .behaviour = name, .argv = CARREL_ARGV("doctor"), .path = "/",
				.in.kind = CARREL_NULL, .out.kind = CARREL_NULL, .err.kind = CARREL_NULL };
	carrel_error e = { 0 };
	char names[sizeof(((carrel_fact *)0)->text) - 8];
	carrel_fact *f = doctor_fact(d, name);

	f->needed = 1;
	f->err = trial_spec(d, &s, &e);
	if (f->err == 0) {
		fact_set(f, CARREL_FACT_OK, "%s", what);
		return;
	}
	if (e.stage == CARREL_STAGE_ARGS) {
		/* It is not for this user, who has the other one. */
		f->needed = 0;
		fact_set(f, CARREL_FACT_LIMITED, "%s", trial_reason(&e));
		return;
	}
	fact_detail(f, "%s", trial_reason(&e));
	if (strcmp(name, "process") != 0 && refused(d, names, sizeof(names)) > 0)
		fact_set(f, CARREL_FACT_NO, "needs %s", names);
	else
		fact_set(f, CARREL_FACT_NO, "%s", trial_reason(&e));
}

static void behaviours(struct doctor *d)
{
	behaviour(d, "process", "commands run as if typed, and leave nothing behind");
	behaviour(d, "rootless", "commands run isolated, for this user");
	behaviour(d, "container", "commands run isolated, each with an id of its own");
}

/* How "nothing outlives" is enforced. */
static void reaping(struct doctor *d)
{
	carrel_caps caps = { .size = sizeof(caps) };
	const carrel_fact *inside = doctor_found(d, "rootless");
	carrel_fact *f = doctor_fact(d, "reaping");

	f->needed = 1;
	if (d->c == NULL || carrel_probe(d->c, &caps) == -1) {
		fact_set(f, CARREL_FACT_NO, "no control process");
		return;
	}
	const bool init = inside != NULL && inside->state == CARREL_FACT_OK;
	fact_set(f, caps.reaper ? CARREL_FACT_OK : CARREL_FACT_NO, "%s%s", caps.mechanism,
		 init ? "; with rootless and container also a PID namespace" : "");
	fact_detail(f, "control processes are %slocked by filters of their own", caps.locked ? "" : "not ");
}

static int by_use(const char *name)
{
	static const char *const first[] = { "helper", "process", "rootless", "container", "reaping" };

	for (int i = 0; i < 5; i++) {
		if (strcmp(name, first[i]) == 0)
			return i;
	}
	return 5;
}

/* What a person asks for comes first, though it was found out last. */
static void sort(struct doctor *d)
{
	for (size_t i = 1; i < d->n; i++) {
		for (size_t j = i; j > 0 && by_use(d->fact[j].name) < by_use(d->fact[j - 1].name); j--) {
			carrel_fact f = d->fact[j];

			d->fact[j] = d->fact[j - 1];
			d->fact[j - 1] = f;
		}
	}
}

EXPORT ssize_t carrel_doctor(const carrel_config *cfg, carrel_fact *v, size_t n, carrel_error *e)
{
	static const carrel_config defaults = { .size = sizeof(defaults) };
	struct doctor *d;

	if (v == NULL && n > 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "carrel_doctor: no place for %zu facts", n);
	if (cfg != NULL && cfg->once)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "carrel_doctor: one spawn (once) is not enough");
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return error_set(e, CARREL_STAGE_ARGS, ENOMEM, -1, "%s", strerror(ENOMEM));
	d->cfg = cfg != NULL ? cfg : &defaults;
	d->root = geteuid() == 0;
	d->c = carrel_open(cfg, &d->no_control);
	if (d->c == NULL && d->no_control.stage == CARREL_STAGE_ARGS) {
		*(e != NULL ? e : &d->no_control) = d->no_control;
		free(d);
		errno = EINVAL;
		return -1;
	}
	doctor_namespaces(d);
	doctor_rules(d);
	doctor_cgroups(d);
	doctor_limits(d);
	doctor_host(d);
	helper(d);
	behaviours(d);
	doctor_ids(d);
	reaping(d);
	carrel_close(d->c);
	sort(d);
	const size_t found = d->n;
	if (n > 0)
		memcpy(v, d->fact, (found < n ? found : n) * sizeof(*v));
	free(d);
	return (ssize_t)found;
}
