/* SPDX-License-Identifier: ISC */
/* What behaviours have in common about limits of the whole tree, and about how soon it is served. */
#include "internal.h"

#include <sys/resource.h>

/* What of each processor's time is given out at once; the kernel's own default. */
#define PERIOD_US 100000

bool limits_asked(const carrel_spec *s)
{
	return s->memory > 0 || s->pids > 0 || s->cpu > 0 || s->cpu_time_ms > 0 || s->n_io_limits > 0;
}

bool limits_nproc(const carrel_spec *s)
{
	for (size_t i = 0; i < s->n_limits; i++) {
		if (s->limits[i].what == RLIMIT_NPROC)
			return false;
	}
	return spec_isolated(s) && s->pids > 0;
}

void limits_before(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	const char *how = s->best_effort ? "ignore" : "";

	if (s->memory > 0)
		ops_put(o, PLACE_BEFORE, how, CALL_limit_memory, "u", s->memory);
	/* Where its user namespace is its own, RLIMIT_NPROC counts the tree and nothing else. */
	if (s->pids > 0)
		ops_put(o, PLACE_BEFORE, limits_nproc(s) ? "ignore" : how, CALL_limit_pids, "u", s->pids);
	if (s->cpu > 0)
		ops_put(o, PLACE_BEFORE, how, CALL_limit_cpu, "uu", (uint64_t)s->cpu * (PERIOD_US / 1000),
			(uint64_t)PERIOD_US);
	for (size_t i = 0; i < s->n_io_limits; i++) {
		const carrel_io_limit *l = &s->io_limits[i];

		ops_put(o, PLACE_BEFORE, how, CALL_limit_io, "uuuuuu", (uint64_t)x->io[i].major,
			(uint64_t)x->io[i].minor, l->read_bytes, l->write_bytes, l->reads, l->writes);
	}
	if (s->cpu_time_ms > 0)
		ops_put(o, PLACE_BEFORE, how, CALL_limit_cpu_time, "u", (uint64_t)s->cpu_time_ms * 1000);
}

static const char *io_class(carrel_io_class c)
{
	return c == CARREL_IO_REALTIME ? "ioprio_class_rt" : c == CARREL_IO_IDLE ? "ioprio_class_idle" :
										   "ioprio_class_be";
}

void limits_schedule(const carrel_spec *s, struct ops *o)
{
	const bool ignore = s->best_effort != 0;

	if (s->n_cpus > 0)
		ops_add(o, CALL_sched_setaffinity, ignore, "ig", 0, (const gid_t *)(const void *)s->cpus, s->n_cpus);
	if (s->set & CARREL_SET_IO_PRIORITY)
		ops_add(o, CALL_ioprio_set, ignore, "aiai", "ioprio_who_process", 0, io_class(s->io_class),
			s->io_class == CARREL_IO_IDLE ? 0 : s->io_level);
}
