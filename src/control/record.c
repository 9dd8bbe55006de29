/* SPDX-License-Identifier: ISC */
/*
 * What the kernel says of a stream: of its task once that is a command, and of what was used once it is empty.
 * Nothing here is copied from the request; the library compares.  The task is our child, or the child of our
 * init that waits for us: it stays readable even when it has ended already.
 *
 * A new restriction is a row of one of the tables here, and one of src/lib/record.c.
 */
#include "reaper.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
	size_t len;
	char mem[RECORD_MAX];
};

__attribute__((format(printf, 3, 4))) static void add(struct text *t, const char *name, const char *format, ...)
{
	size_t room = sizeof(t->mem) - t->len;
	va_list ap;
	int n = snprintf(t->mem + t->len, room, "%s", name) + 1, m = 0;

	if ((size_t)n < room) {
		va_start(ap, format);
		m = vsnprintf(t->mem + t->len + n, room - (size_t)n, format, ap) + 1;
		va_end(ap);
	}
	/* One that has no room is left out: then it is not known. */
	if ((size_t)n < room && (size_t)(n + m) <= room)
		t->len += (size_t)(n + m);
}

/* ------------------------------------------------------------- /proc --- */

/* Lines of /proc/PID/status. */
static const struct {
	const char *name, *key;
} status_lines[] = {
	{ "uid", "Uid" },	      { "gid", "Gid" },		    { "groups", "Groups" },
	{ "no_new_privs", "NoNewPrivs" }, { "seccomp", "Seccomp" }, { "seccomp_filters", "Seccomp_filters" },
	{ "cap_inheritable", "CapInh" }, { "cap_permitted", "CapPrm" }, { "cap_effective", "CapEff" },
	{ "cap_bounding", "CapBnd" }, { "cap_ambient", "CapAmb" },  { "cpus", "Cpus_allowed_list" },
	{ "state", "State" },
};

/* Whole files of /proc/PID; more than one line becomes one. */
static const struct {
	const char *name, *file;
} files[] = {
	{ "uid_map", "uid_map" }, { "gid_map", "gid_map" }, { "setgroups", "setgroups" },
	{ "oom_score_adj", "oom_score_adj" }, { "cgroup", "cgroup" },
};

static const char *const namespaces[] = { "user", "mnt", "pid", "ipc", "uts", "cgroup", "net", "time" };

/* Blanks of any kind become one. */
static void squeeze(char *s)
{
	char *to = s;

	for (char *p = s; *p != 0; p++) {
		bool blank = *p == ' ' || *p == '\t' || *p == '\n';

		if (!blank)
			*to++ = *p;
		else if (to > s && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > s && to[-1] == ' ')
		to--;
	*to = 0;
}

static void add_status(struct text *t, int dir)
{
	char text[4096];

	if (fd_read_file(dir, "status", text, sizeof(text)) < 0)
		return;
	for (char *line = text, *next; line != NULL && *line != 0; line = next) {
		char *colon = strchr(line, ':');

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = 0;
		if (colon == NULL)
			continue;
		*colon++ = 0;
		for (size_t i = 0; i < sizeof(status_lines) / sizeof(status_lines[0]); i++) {
			if (strcmp(line, status_lines[i].key) != 0)
				continue;
			squeeze(colon);
			add(t, status_lines[i].name, "%s", colon);
		}
	}
}

static void add_files(struct text *t, int dir)
{
	char text[1024];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (fd_read_file(dir, files[i].file, text, sizeof(text)) < 0)
			continue;
		squeeze(text);
		add(t, files[i].name, "%s", text);
	}
}

/* Ours and its: "own" when they are two. */
static void add_namespaces(struct text *t, int dir, int ours)
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		char path[24], name[24];
		struct stat its, our;

		snprintf(path, sizeof(path), "ns/%s", namespaces[i]);
		snprintf(name, sizeof(name), "ns_%s", namespaces[i]);
		if (fstatat(dir, path, &its, 0) == -1 || fstatat(ours, path, &our, 0) == -1)
			continue;
		add(t, name, "%s %llu", its.st_ino == our.st_ino && its.st_dev == our.st_dev ? "shared" : "own",
		    (unsigned long long)its.st_ino);
	}
}

static int open_process(const struct reaper *r, pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return openat(r->role->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void add_process(const struct reaper *r, struct text *t)
{
	scoped_fd dir = open_process(r, r->report.leader);

	if (dir == -1)
		return;
	add_status(t, dir);
	add_files(t, dir);
}

static void add_places(const struct reaper *r, struct text *t, pid_t pid)
{
	scoped_fd where = open_process(r, pid), ours = open_process(r, getpid());

	if (where != -1 && ours != -1)
		add_namespaces(t, where, ours);
}

/* ------------------------------------------------------------ cgroups --- */

/* What is written there; in v2 and in v1. */
static const struct {
	const char *name;
	enum sys_controller controller;
	const char *v2, *v1;
} cgroup_files[] = {
	{ "memory", SYS_MEMORY, "memory.max", "memory.limit_in_bytes" },
	{ "swap", SYS_MEMORY, "memory.swap.max", "memory.memsw.limit_in_bytes" },
	{ "pids", SYS_PIDS, "pids.max", "pids.max" },
	{ "cpu", SYS_CPU, "cpu.max", "cpu.cfs_quota_us" },
	{ "cpu_period", SYS_CPU, NULL, "cpu.cfs_period_us" },
	{ "io", SYS_IO, "io.max", NULL },
	{ "io_rbps", SYS_IO, NULL, "blkio.throttle.read_bps_device" },
	{ "io_wbps", SYS_IO, NULL, "blkio.throttle.write_bps_device" },
	{ "io_riops", SYS_IO, NULL, "blkio.throttle.read_iops_device" },
	{ "io_wiops", SYS_IO, NULL, "blkio.throttle.write_iops_device" },
};

static void add_cgroups(const struct reaper *r, struct text *t)
{
	const struct limits *l = &r->limits;
	char text[160];

	for (size_t i = 0; l->on && i < sizeof(cgroup_files) / sizeof(cgroup_files[0]); i++) {
		enum sys_controller c = cgroup_files[i].controller;

		if (sys_group_get(&l->group, c, cgroup_files[i].v2, cgroup_files[i].v1, text, sizeof(text)) == 0)
			add(t, cgroup_files[i].name, "%s %s", sys_group_is_v2(&l->group, c) ? "v2" : "v1", text);
	}
	if (l->cpu_time_us > 0)
		add(t, "cpu_time", "%llu", (unsigned long long)l->cpu_time_us);
	add(t, "init", "%d", r->isolate.init != 0);
}

/* ------------------------------------------------------------- limits --- */

static void add_limits(const struct reaper *r, struct text *t)
{
	struct sys_process p;

	if (sys_process_look(r->report.leader, &p) < 0)
		return;
	for (int i = 0; i < p.n_limits; i++) {
		char name[24];

		snprintf(name, sizeof(name), "rlimit_%d", i);
		add(t, name, "%llu %llu", (unsigned long long)p.limit[i][0], (unsigned long long)p.limit[i][1]);
	}
	add(t, "priority", "%d", p.priority);
	/* One that has ended has none any more. */
	if (!p.ended)
		add(t, "io_priority", "%d %d", p.io_class, p.io_level);
}

/* Operations that are asked for to try something. */
static void add_probes(const struct reaper *r, struct text *t)
{
	for (uint32_t i = 0; i < r->program->n_ops; i++) {
		const struct op *op = &r->program->op[i];

		if (op->call->number == CALL_probe_signal)
			add(t, op->call->name, "%lld", (long long)r->task->result[i]);
	}
}

void record_init(const struct reaper *r)
{
	static struct text t;

	t.len = 0;
	add_places(r, &t, r->isolate.init);
	reaper_tell_text(r, t.mem, t.len);
}

void record_start(const struct reaper *r)
{
	static struct text t;

	t.len = 0;
	add_process(r, &t);
	if (r->isolate.init == 0)
		add_places(r, &t, r->report.leader);
	add_limits(r, &t);
	add_cgroups(r, &t);
	add_probes(r, &t);
	reaper_tell_text(r, t.mem, t.len);
	isolate_order(&r->isolate, ORDER_GO);
}

void record_end(const struct reaper *r)
{
	const struct sys_usage *u = &r->limits.usage;
	static struct text t;

	t.len = 0;
	if (u->has_memory)
		add(&t, "memory_peak", "%llu", (unsigned long long)u->memory_peak);
	if (u->has_pids)
		add(&t, "pids_peak", "%llu", (unsigned long long)u->pids_peak - r->limits.isolates);
	if (u->has_cpu) {
		add(&t, "user_us", "%llu", (unsigned long long)u->user_us);
		add(&t, "system_us", "%llu", (unsigned long long)u->system_us);
	}
	add(&t, "oom_kills", "%llu", (unsigned long long)u->oom_kills);
	add(&t, "pids_refused", "%llu", (unsigned long long)u->pids_refused);
	add(&t, "throttled_us", "%llu", (unsigned long long)u->throttled_us);
	reaper_tell_text(r, t.mem, t.len);
}
