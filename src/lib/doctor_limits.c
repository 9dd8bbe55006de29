/* SPDX-License-Identifier: ISC */
/* Limits of whole trees, which cgroups hold: tried with each, because each has a controller of its own. */
#include "doctor.h"

#include <string.h>

static void limit(struct doctor *d, const char *name, carrel_spec s, const char *option)
{
	carrel_error e = { 0 };
	carrel_fact *f = doctor_fact(d, name);

	s.size = sizeof(s);
	s.argv = CARREL_ARGV("doctor");
	s.path = "/";
	s.in.kind = s.out.kind = s.err.kind = CARREL_NULL;
	f->err = trial_spec(d, &s, &e);
	if (f->err == 0)
		fact_set(f, CARREL_FACT_OK, "%s, for whole trees", option);
	else
		fact_set(f, CARREL_FACT_NO, "%s", trial_reason(&e));
}

void doctor_limits(struct doctor *d)
{
	carrel *const plain = d->c;
	carrel_config cfg = { 0 };

	/* A service manager may have to give a cgroup for that, as for carrel run. */
	memcpy(&cfg, d->cfg, d->cfg->size);
	cfg.size = sizeof(cfg);
	cfg.limits = 1;
	if (plain != NULL && !cfg.no_cgroup)
		d->c = carrel_open(&cfg, &d->no_control);
	limit(d, "limit-memory", (carrel_spec){ .memory = (uint64_t)256 << 20 }, "--memory");
	limit(d, "limit-pids", (carrel_spec){ .pids = 64 }, "--pids");
	limit(d, "limit-cpu", (carrel_spec){ .cpu = 1000 }, "--cpu");
	if (d->c != plain)
		carrel_close(d->c);
	d->c = plain;
}
