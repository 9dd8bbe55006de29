/* SPDX-License-Identifier: ISC */
/* Limits of a whole tree: checking them, and finding the devices that they name. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BAD(index, ...) error_set(e, CARREL_STAGE_ARGS, EINVAL, index, __VA_ARGS__)

/* What the kernel lets one wait for at most, in a cgroup. */
#define CPU_MIN 10
#define CPU_MAX 1000000
/* One process takes about this to begin. */
#define MEMORY_MIN 65536
#define CPUS_MAX 8192

static int check_amounts(const carrel_spec *s, carrel_error *e)
{
	if (s->memory > 0 && (s->memory < MEMORY_MIN || s->memory > INT64_MAX))
		return BAD(-1, "memory is %llu; it must be %d bytes at least", (unsigned long long)s->memory, MEMORY_MIN);
	if (s->pids > INT32_MAX)
		return BAD(-1, "pids is %llu; it must be 1 to %d, or 0 for no limit", (unsigned long long)s->pids,
			   INT32_MAX);
	if (s->cpu > 0 && (s->cpu < CPU_MIN || s->cpu > CPU_MAX))
		return BAD(-1, "cpu is %u; it must be %d to %d thousandths of a processor, or 0 for no limit", s->cpu,
			   CPU_MIN, CPU_MAX);
	if (s->cpu_time_ms < 0)
		return BAD(-1, "cpu_time_ms is %d; it must be milliseconds, or 0 for no limit", s->cpu_time_ms);
	if (s->output_limit > 0 && s->out.kind != CARREL_PIPE && s->out.kind != CARREL_PTY &&
	    s->out.kind != CARREL_DEFAULT && s->err.kind != CARREL_PIPE && s->err.kind != CARREL_DEFAULT)
		return BAD(-1, "output_limit counts what comes through the host, but neither out nor err is CARREL_PIPE");
	return 0;
}

static int check_schedule(const carrel_spec *s, carrel_error *e)
{
	if (s->n_cpus > 0 && s->cpus == NULL)
		return BAD(-1, "cpus is NULL, but its count is %zu", s->n_cpus);
	for (size_t i = 0; i < s->n_cpus; i++) {
		if (s->cpus[i] >= CPUS_MAX)
			return BAD((int)i, "cpus[%zu] is %u; it must be 0 to %d", i, s->cpus[i], CPUS_MAX - 1);
	}
	if (s->set & CARREL_SET_IO_PRIORITY &&
	    (s->io_class < CARREL_IO_REALTIME || s->io_class > CARREL_IO_IDLE || s->io_level < 0 || s->io_level > 7))
		return BAD(-1, "io_class %d, io_level %d; they must be a CARREL_IO_ class and 0 to 7", (int)s->io_class,
			   s->io_level);
	if (s->set & CARREL_SET_OOM_SCORE_ADJ && (s->oom_score_adj < -1000 || s->oom_score_adj > 1000))
		return BAD(-1, "oom_score_adj %d; it must be -1000 to 1000", s->oom_score_adj);
	return 0;
}

static int check_io(const carrel_spec *s, carrel_error *e)
{
	if (s->n_io_limits > CARREL_IO_LIMITS_MAX)
		return BAD(-1, "%zu io_limits; at most %d", s->n_io_limits, CARREL_IO_LIMITS_MAX);
	if (s->n_io_limits > 0 && s->io_limits == NULL)
		return BAD(-1, "io_limits is NULL, but its count is %zu", s->n_io_limits);
	for (size_t i = 0; i < s->n_io_limits; i++) {
		const carrel_io_limit *l = &s->io_limits[i];

		if (l->device == NULL || *l->device == 0)
			return BAD((int)i, "io_limits[%zu] names no device", i);
		if (l->read_bytes == 0 && l->write_bytes == 0 && l->reads == 0 && l->writes == 0)
			return BAD((int)i, "io_limits[%zu] limits nothing of '%.80s'", i, l->device);
	}
	return 0;
}

/* What would hold nothing, silently. */
static int check_others(const carrel_spec *s, carrel_error *e)
{
	const bool schedules = s->n_cpus > 0 || s->set & (CARREL_SET_IO_PRIORITY | CARREL_SET_OOM_SCORE_ADJ);

	if (s->ops != NULL && (limits_asked(s) || schedules))
		return BAD(-1, "with ops, the operations are all that happens: limits have to be among them "
			       "(before limit_memory(N)...)");
	if (limits_asked(s) && s->on_exit == CARREL_EXIT_KEEP_TREE)
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1,
				 "on_exit keep cannot honour limits of the whole tree, which end with the handle");
	return 0;
}

int limits_check(const carrel_spec *s, carrel_error *e)
{
	if (check_amounts(s, e) < 0 || check_schedule(s, e) < 0 || check_io(s, e) < 0)
		return -1;
	return check_others(s, e);
}

/* Only a whole device can be limited: the one that a part of it is on. */
static void whole_device(struct io_device *d)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", d->major, d->minor);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", d->major, d->minor);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) >= 0)
		sscanf(text, "%u:%u", &d->major, &d->minor);
}

static int find_device(const char *name, struct io_device *ret, carrel_error *e, int i)
{
	char more;
	struct stat st;

	if (sscanf(name, "%u:%u%c", &ret->major, &ret->minor, &more) == 2)
		return 0;
	if (stat(name, &st) == -1)
		return error_set(e, CARREL_STAGE_RLIMIT, errno, i, "io_limits: cannot find '%.100s': %s", name,
				 strerror(errno));
	const dev_t dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	*ret = (struct io_device){ major(dev), minor(dev) };
	if (ret->major == 0)
		return error_set(e, CARREL_STAGE_RLIMIT, ENOTBLK, i, "io_limits: '%.100s' is on no block device", name);
	whole_device(ret);
	return 0;
}

int limits_devices(const carrel_spec *s, struct io_device *ret, carrel_error *e)
{
	for (size_t i = 0; i < s->n_io_limits; i++) {
		if (find_device(s->io_limits[i].device, &ret[i], e, (int)i) < 0)
			return -1;
	}
	return 0;
}
