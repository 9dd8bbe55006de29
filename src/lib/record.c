/* SPDX-License-Identifier: ISC */
/*
 * The record of a tree: what was asked, and what the kernel said of it afterwards.
 *
 * The control process reads (src/control/record.c) and knows nothing of what was asked; here it is compared.
 * A new restriction is a row in rows[]: its name, what a spec asks of it in words, and how the facts tell
 * whether it holds.
 */
#include "internal.h"

#include "constant.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FACTS_MAX ((size_t)64 * 1024)
#define WORDS_MAX ((size_t)256 * 1024)

struct record {
	struct buf facts;	/* name and value, a NUL behind each */
	struct buf words;	/* of the restrictions */
	carrel_restriction *list;
	size_t n;
};

/* What one row says: texts go into the record's words. */
struct verdict {
	carrel_hold hold;
	char asked[160], mechanism[96], found[160];
};

#define SAY(to, ...) snprintf(to, sizeof(to), __VA_ARGS__)

struct record *record_create(void)
{
	struct record *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	buf_init(&r->facts, FACTS_MAX);
	buf_init(&r->words, WORDS_MAX);
	return r;
}

void record_free(struct record *r)
{
	if (r == NULL)
		return;
	buf_finish(&r->facts);
	buf_finish(&r->words);
	free(r->list);
	free(r);
}

int record_in(struct record *r, struct term_in *in)
{
	uint32_t n;

	if (term_in_list(in, &n) < 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct slice name, value;

		if (term_in_tuple(in, 2) < 0 || term_in_binary(in, &name) < 0 || term_in_binary(in, &value) < 0 ||
		    memchr(name.data, 0, name.len) != NULL || memchr(value.data, 0, value.len) != NULL)
			return -EBADMSG;
		if (r == NULL)
			continue;
		buf_append(&r->facts, name.data, name.len);
		buf_append_byte(&r->facts, 0);
		buf_append(&r->facts, value.data, value.len);
		buf_append_byte(&r->facts, 0);
	}
	if (term_in_list_end(in, n) < 0)
		return -EBADMSG;
	return r == NULL ? 0 : -r->facts.err;
}

/* What the kernel said, or NULL. */
static const char *fact(const struct record *r, const char *name)
{
	const char *p = (const char *)r->facts.data, *end = p + r->facts.len;

	while (r->facts.err == 0 && p < end) {
		const char *value = p + strlen(p) + 1;

		if (strcmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

static uint64_t number(const struct record *r, const char *name, uint64_t otherwise)
{
	const char *value = fact(r, name);

	return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

/* ------------------------------------------------------------- the rows --- */

/* It holds when the kernel says just ${wanted}. */
static void compare(const struct record *r, struct verdict *v, const char *name, const char *wanted,
		    const char *mechanism)
{
	const char *value = fact(r, name);

	SAY(v->found, "%s", value != NULL ? value : "");
	v->hold = value == NULL ? CARREL_UNKNOWN : strcmp(value, wanted) == 0 ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
	if (v->hold == CARREL_ENFORCED)
		SAY(v->mechanism, "%s", mechanism);
}

static bool isolates(const carrel_spec *s)
{
	return s->ops == NULL && spec_isolated(s);
}

static void judge_new_privs(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	compare(r, v, "no_new_privs", "1", "no_new_privs");
	if (!s->allow_setuid && s->ops == NULL)
		SAY(v->asked, "yes");
}

/* The id inside of its only line. */
static bool maps(const struct record *r, const char *map, uint64_t inside, uint64_t outside)
{
	const char *value = fact(r, map);
	unsigned long long a, b, n;
	int used = 0;

	return value != NULL && sscanf(value, "%llu %llu %llu%n", &a, &b, &n, &used) == 3 && value[used] == 0 &&
	       a == inside && b == outside && n == 1;
}

static void judge_user(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	const uint64_t inside = s->set & CARREL_SET_UID ? s->uid : 65534;
	const char *uid = fact(r, "uid"), *gid = fact(r, "gid"), *map = fact(r, "uid_map");
	unsigned long long id[4] = { 0 };
	bool all = uid != NULL && sscanf(uid, "%llu %llu %llu %llu", &id[0], &id[1], &id[2], &id[3]) == 4 &&
		   id[0] == id[1] && id[1] == id[2] && id[2] == id[3];

	SAY(v->found, "uid %s, gid %s, map %s", uid != NULL ? uid : "?", gid != NULL ? gid : "?", map != NULL ? map : "?");
	if (isolates(s)) {
		SAY(v->asked, "%llu inside, nobody's outside", (unsigned long long)inside);
		v->hold = all && id[0] != 0 && maps(r, "uid_map", inside, id[0]) ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
		SAY(v->mechanism, "user namespace");
	} else if (s->ops == NULL && s->set & CARREL_SET_UID) {
		SAY(v->asked, "%llu", (unsigned long long)s->uid);
		v->hold = all && id[0] == s->uid ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
		SAY(v->mechanism, "setresuid");
	} else if (s->ops == NULL && s->set & CARREL_SET_UID_AUTO) {
		SAY(v->asked, "auto");
		v->hold = all && id[0] >= 65536 ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
		SAY(v->mechanism, "setresuid");
	}
}

static void judge_groups(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	char wanted[160] = "";
	bool ids = s->set & (CARREL_SET_UID | CARREL_SET_GID | CARREL_SET_UID_AUTO | CARREL_SET_GROUPS);
	size_t at = 0;

	for (size_t i = 0; s->set & CARREL_SET_GROUPS && i < s->n_groups && at < sizeof(wanted); i++)
		at += (size_t)snprintf(wanted + at, sizeof(wanted) - at, "%s%u", i > 0 ? " " : "",
				       (unsigned)s->groups[i]);
	if (s->ops == NULL && (ids || isolates(s)))
		SAY(v->asked, "%s", at > 0 ? wanted : "none");
	/* A user cannot drop its own in a user namespace: they show nothing inside, and count all the same. */
	compare(r, v, "groups", wanted, "setgroups");
}

static void judge_capabilities(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	static const char *const sets[] = { "cap_inheritable", "cap_permitted", "cap_effective", "cap_bounding",
					    "cap_ambient" };
	const char *effective = fact(r, "cap_effective"), *bounding = fact(r, "cap_bounding");
	bool none = true;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const char *value = fact(r, sets[i]);

		none &= value != NULL && strspn(value, "0") == strlen(value);
	}
	SAY(v->found, "effective %s, bounding %s", effective != NULL ? effective : "?", bounding != NULL ? bounding : "?");
	v->hold = none ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
	SAY(v->mechanism, "capset");
	if (isolates(s))
		SAY(v->asked, "none");
}

static void judge_namespace(const struct record *r, const carrel_spec *s, struct verdict *v, const char *kind,
			    bool wanted)
{
	char name[24];

	SAY(name, "ns_%s", kind);
	const char *value = fact(r, name);
	SAY(v->found, "%s", value != NULL ? value : "");
	v->hold = value == NULL ? CARREL_UNKNOWN : strncmp(value, "own ", 4) == 0 ? CARREL_ENFORCED :
										     CARREL_NOT_ENFORCED;
	SAY(v->mechanism, "namespace");
	if (wanted && isolates(s))
		SAY(v->asked, "own");
}

#define NAMESPACE(kind, wanted)                                                                    \
	static void judge_ns_##kind(const struct record *r, const carrel_spec *s, struct verdict *v) \
	{                                                                                          \
		judge_namespace(r, s, v, #kind, wanted);                                           \
	}
NAMESPACE(user, true)
NAMESPACE(mnt, true)
NAMESPACE(pid, true)
NAMESPACE(ipc, true)
NAMESPACE(uts, true)
NAMESPACE(cgroup, true)
NAMESPACE(net, s->net != CARREL_NET_HOST)

static void judge_seccomp(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	const char *filters = fact(r, "seccomp_filters");
	const char *preset = s->seccomp != NULL ? s->seccomp : isolates(s) ? "default" : "none";

	if (s->ops == NULL && (s->filter != NULL || strcmp(preset, "none") != 0))
		SAY(v->asked, "%.40s", s->filter != NULL ? "a filter" : preset);
	compare(r, v, "seccomp", "2", "seccomp filter");
	if (v->hold == CARREL_ENFORCED && filters != NULL)
		SAY(v->found, "2, %s filters", filters);
}

/* Nothing in /proc tells of it; the task has tried it. */
static void judge_signals(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	const char *probe = fact(r, "probe_signal"), *pid = fact(r, "ns_pid");

	if (!s->allow_setuid && s->ops == NULL)
		SAY(v->asked, "no signals to those outside");
	if (pid != NULL && strncmp(pid, "own ", 4) == 0) {
		v->hold = CARREL_ENFORCED;
		SAY(v->mechanism, "namespace");
		SAY(v->found, "%s", pid);
		return;
	}
	v->hold = probe == NULL ? CARREL_UNKNOWN : strcmp(probe, "0") == 0 ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
	SAY(v->mechanism, "Landlock scope, or another user");
	if (probe != NULL)
		SAY(v->found, "one to the parent is %s", v->hold == CARREL_ENFORCED ? "refused" : "possible");
}

static void judge_number(const struct record *r, struct verdict *v, const char *name, int value, bool asked,
			 const char *mechanism)
{
	char wanted[16];

	SAY(wanted, "%d", value);
	compare(r, v, name, wanted, mechanism);
	if (asked)
		SAY(v->asked, "%s", wanted);
}

static void judge_priority(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	judge_number(r, v, "priority", s->priority, s->set & CARREL_SET_PRIORITY, "setpriority");
}

static void judge_oom_score(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	judge_number(r, v, "oom_score_adj", s->oom_score_adj, s->set & CARREL_SET_OOM_SCORE_ADJ, "oom_score_adj");
}

static void judge_io_priority(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	static const char *const classes[] = { "none", "realtime", "best-effort", "idle" };
	char wanted[16];

	SAY(wanted, "%d %d", (int)s->io_class, s->io_class == CARREL_IO_IDLE ? 0 : s->io_level);
	compare(r, v, "io_priority", wanted, "ioprio_set");
	if (s->set & CARREL_SET_IO_PRIORITY)
		SAY(v->asked, "%s %d", classes[s->io_class], s->io_level);
}

/* As the kernel writes such lists: 0-2,5. */
static void list_text(const unsigned *cpus, size_t n, char *text, size_t size)
{
	unsigned char set[8192 / 8] = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		set[cpus[i] / 8] |= (unsigned char)(1U << cpus[i] % 8);
	for (unsigned i = 0; i < 8192 && at < size; i++) {
		unsigned first = i;

		if (!(set[i / 8] >> i % 8 & 1))
			continue;
		while (i + 1 < 8192 && set[(i + 1) / 8] >> (i + 1) % 8 & 1)
			i++;
		at += (size_t)snprintf(text + at, size - at, i > first ? "%s%u-%u" : "%s%u", at > 0 ? "," : "", first, i);
	}
}

static void judge_cpus(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	char wanted[128] = "";

	list_text(s->cpus, s->n_cpus, wanted, sizeof(wanted));
	compare(r, v, "cpus", wanted, "sched_setaffinity");
	if (s->n_cpus > 0)
		SAY(v->asked, "%s", wanted);
}

/* "v2 memory.max 1048576": which, of what, how much. */
static const char *cgroup_value(const struct record *r, const char *name, struct verdict *v)
{
	const char *value = fact(r, name), *file = value != NULL ? strchr(value, ' ') : NULL;
	const char *amount = file != NULL ? strchr(file + 1, ' ') : NULL;

	if (amount == NULL)
		return NULL;
	SAY(v->mechanism, "cgroup %.*s", (int)(amount - value), value);
	SAY(v->found, "%s", amount + 1);
	return amount + 1;
}

/* The kernel rounds to pages. */
static void judge_memory(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	const char *value = cgroup_value(r, "memory", v);

	if (s->memory > 0)
		SAY(v->asked, "%llu", (unsigned long long)s->memory);
	const uint64_t held = value != NULL && *value != 'm' ? strtoull(value, NULL, 10) : UINT64_MAX;
	v->hold = held <= s->memory ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
}

static void judge_pids(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	const uint64_t wanted = s->pids + number(r, "init", 0);
	const char *value = cgroup_value(r, "pids", v);
	unsigned long long soft, hard;
	char name[24];

	if (s->pids > 0)
		SAY(v->asked, "%llu", (unsigned long long)s->pids);
	v->hold = CARREL_NOT_ENFORCED;
	if (value != NULL && *value != 'm' && strtoull(value, NULL, 10) == wanted)
		v->hold = CARREL_ENFORCED;
	SAY(name, "rlimit_%d", (int)RLIMIT_NPROC);
	value = fact(r, name);
	if (v->hold == CARREL_ENFORCED || value == NULL || !limits_nproc(s) || sscanf(value, "%llu %llu", &soft, &hard) != 2 ||
	    hard > wanted)
		return;
	v->hold = CARREL_ENFORCED;
	SAY(v->mechanism, "RLIMIT_NPROC in a user namespace");
	SAY(v->found, "%s", value);
}

static void judge_cpu(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	struct verdict unused;
	const char *value = cgroup_value(r, "cpu", v);
	unsigned long long quota = 0, period = 0;

	if (s->cpu > 0)
		SAY(v->asked, "%u.%03u processors", s->cpu / 1000, s->cpu % 1000);
	if (value != NULL && sscanf(value, "%llu %llu", &quota, &period) == 1) {
		const char *other = cgroup_value(r, "cpu_period", &unused);

		period = other != NULL ? strtoull(other, NULL, 10) : 0;
		if (period > 0)
			SAY(v->found, "%llu %llu", quota, period);
	}
	v->hold = period > 0 && quota > 0 && quota * 1000 / period == s->cpu ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
}

static bool io_holds(const char *text, const char *key, uint64_t n)
{
	char wanted[40];

	snprintf(wanted, sizeof(wanted), "%s%llu", key, (unsigned long long)n);
	return n == 0 || (text != NULL && strstr(text, wanted) != NULL);
}

static void judge_io(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	static const char *const keys[] = { "rbps=", "wbps=", "riops=", "wiops=" };
	static const char *const names[] = { "io_rbps", "io_wbps", "io_riops", "io_wiops" };
	const char *v2 = cgroup_value(r, "io", v);
	bool holds = s->n_io_limits > 0;

	for (size_t i = 0; i < s->n_io_limits; i++) {
		const carrel_io_limit *l = &s->io_limits[i];
		const uint64_t n[] = { l->read_bytes, l->write_bytes, l->reads, l->writes };

		for (int k = 0; k < 4; k++) {
			const char *text = v2;

			if (v2 == NULL && n[k] > 0)
				text = cgroup_value(r, names[k], v);
			holds &= io_holds(text, v2 != NULL ? keys[k] : " ", n[k]);
		}
	}
	if (s->n_io_limits > 0)
		SAY(v->asked, "%s%s", s->io_limits[0].device, s->n_io_limits > 1 ? " and others" : "");
	v->hold = holds ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
}

/* Held by whoever looks: no kernel has such a limit for more than a process. */
static void judge_cpu_time(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	if (s->cpu_time_ms > 0)
		SAY(v->asked, "%d ms", s->cpu_time_ms);
	v->hold = number(r, "cpu_time", 0) == (uint64_t)s->cpu_time_ms * 1000 ? CARREL_ENFORCED : CARREL_NOT_ENFORCED;
	SAY(v->mechanism, "watched");
	SAY(v->found, "%s", fact(r, "cpu_time") != NULL ? fact(r, "cpu_time") : "");
}

static void judge_output(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	(void)r;
	if (s->output_limit > 0)
		SAY(v->asked, "%llu", (unsigned long long)s->output_limit);
	v->hold = CARREL_ENFORCED;
	SAY(v->mechanism, "counted as it is read");
}

static void judge_core(const struct record *r, const carrel_spec *s, struct verdict *v)
{
	char name[24];
	bool asked = s->ops == NULL;

	for (size_t i = 0; i < s->n_limits; i++)
		asked &= s->limits[i].what != RLIMIT_CORE;
	SAY(name, "rlimit_%d", (int)RLIMIT_CORE);
	compare(r, v, name, "0 0", "RLIMIT_CORE");
	if (asked)
		SAY(v->asked, "0");
}

/* In the order in which people read them. */
static const struct {
	const char *name;
	void (*judge)(const struct record *r, const carrel_spec *s, struct verdict *v);
} rows[] = {
	{ "no_new_privs", judge_new_privs },
	{ "user", judge_user },
	{ "groups", judge_groups },
	{ "capabilities", judge_capabilities },
	{ "seccomp", judge_seccomp },
	{ "signals", judge_signals },
	{ "namespace_user", judge_ns_user },
	{ "namespace_mnt", judge_ns_mnt },
	{ "namespace_pid", judge_ns_pid },
	{ "namespace_ipc", judge_ns_ipc },
	{ "namespace_uts", judge_ns_uts },
	{ "namespace_cgroup", judge_ns_cgroup },
	{ "namespace_net", judge_ns_net },
	{ "memory", judge_memory },
	{ "pids", judge_pids },
	{ "cpu", judge_cpu },
	{ "cpu_time", judge_cpu_time },
	{ "io", judge_io },
	{ "output", judge_output },
	{ "cpus", judge_cpus },
	{ "io_priority", judge_io_priority },
	{ "priority", judge_priority },
	{ "oom_score_adj", judge_oom_score },
	{ "core", judge_core },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* -------------------------------------------------------------- judging --- */

/* Where ${text} begins in the record's words; the pointers are made when those move no more. */
static const char *keep(struct record *r, const char *text)
{
	size_t at = r->words.len;

	buf_append(&r->words, text, strlen(text) + 1);
	return (const char *)(uintptr_t)at;
}

static void add(struct record *r, const char *name, struct verdict *v)
{
	if (*v->asked == 0)
		v->hold = CARREL_NOT_ASKED;
	if (v->hold != CARREL_ENFORCED)
		*v->mechanism = 0;
	r->list[r->n++] = (carrel_restriction){ .name = keep(r, name), .asked = keep(r, v->asked), .hold = v->hold,
						.mechanism = keep(r, v->mechanism), .found = keep(r, v->found) };
}

static void judge_rlimit(struct record *r, const carrel_rlimit *l)
{
	struct verdict v = { 0 };
	const char *name = constant_name('r', l->what);
	char fact_name[24], wanted[48];

	SAY(fact_name, "rlimit_%d", l->what);
	SAY(wanted, "%llu %llu", (unsigned long long)l->soft, (unsigned long long)l->hard);
	SAY(v.asked, "%s", wanted);
	compare(r, &v, fact_name, wanted, "setrlimit");
	add(r, name != NULL ? name : fact_name, &v);
}

static const char *settled(const struct record *r, const char *at)
{
	return (const char *)r->words.data + (uintptr_t)at;
}

void record_judge(struct record *r, const carrel_spec *s)
{
	r->list = calloc(N_ROWS + s->n_limits, sizeof(*r->list));
	if (r->list == NULL)
		return;
	for (size_t i = 0; i < N_ROWS; i++) {
		struct verdict v = { 0 };

		rows[i].judge(r, s, &v);
		add(r, rows[i].name, &v);
	}
	for (size_t i = 0; i < s->n_limits && s->ops == NULL; i++)
		judge_rlimit(r, &s->limits[i]);
	for (size_t i = 0; i < r->n && r->words.err == 0; i++) {
		carrel_restriction *c = &r->list[i];

		c->name = settled(r, c->name);
		c->asked = settled(r, c->asked);
		c->mechanism = settled(r, c->mechanism);
		c->found = settled(r, c->found);
	}
	if (r->words.err != 0)
		r->n = 0;
}

/* ------------------------------------------------------------ giving it --- */

static carrel_ender ender_of(const carrel_status *st)
{
	switch (st->cause) {
	case CARREL_BY_TIMEOUT:
		return CARREL_ENDED_BY_TIMEOUT;
	case CARREL_BY_STOP:
		return CARREL_ENDED_BY_HOST;
	case CARREL_BY_LOSS:
		return CARREL_ENDED_BY_LOSS;
	case CARREL_BY_OOM:
		return CARREL_ENDED_BY_OOM;
	case CARREL_BY_LIMIT:
		return CARREL_ENDED_BY_LIMIT;
	case CARREL_BY_ITSELF:
		break;
	}
	return st->sig != 0 ? CARREL_ENDED_BY_SIGNAL : CARREL_ENDED_BY_TASK;
}

static void fill(const carrel_proc *p, carrel_record *ret)
{
	const struct record *r = p->record;

	ret->status = p->status;
	proc_counts(p, &ret->status);
	ret->status.utime_us = number(r, "user_us", p->status.utime_us);
	ret->status.stime_us = number(r, "system_us", p->status.stime_us);
	ret->ended_by = ender_of(&ret->status);
	ret->limit = ret->status.cause == CARREL_BY_OOM	     ? CARREL_LIMIT_MEMORY :
		     ret->status.cause != CARREL_BY_LIMIT ? CARREL_LIMIT_NONE :
		     p->over_limit			     ? CARREL_LIMIT_OUTPUT :
							       CARREL_LIMIT_CPU_TIME;
	ret->memory_peak = number(r, "memory_peak", CARREL_UNCOUNTED);
	ret->pids_peak = number(r, "pids_peak", CARREL_UNCOUNTED);
	ret->oom_kills = number(r, "oom_kills", 0);
	ret->pids_refused = number(r, "pids_refused", 0);
	ret->throttled_us = number(r, "throttled_us", 0);
	snprintf(ret->mechanism, sizeof(ret->mechanism), "reaper%s%s", p->c->caps.cgroup ? "+cgroup" : "",
		 number(r, "init", 0) != 0 ? "+pidns" : "");
	ret->restrictions = r->list;
	ret->n_restrictions = r->n;
}

EXPORT int carrel_get_record(carrel_proc *p, carrel_record *ret)
{
	carrel_record full = { 0 };

	if (p == NULL || ret == NULL || ret->size < sizeof(size_t) || ret->size > sizeof(full)) {
		errno = EINVAL;
		return -1;
	}
	if (enter(p->c) < 0)
		return -1;
	if (p->record != NULL)
		fill(p, &full);
	bool known = p->record != NULL;
	leave(p->c);
	if (!known) {
		errno = EINVAL;
		return -1;
	}
	full.size = ret->size;
	memcpy(ret, &full, ret->size);
	return 0;
}

EXPORT const char *carrel_hold_name(carrel_hold h)
{
	static const char *const names[] = { "not asked", "enforced", "not enforced", "unknown" };

	return (unsigned)h < sizeof(names) / sizeof(names[0]) ? names[h] : "?";
}

EXPORT const char *carrel_ender_name(carrel_ender e)
{
	static const char *const names[] = { "task", "signal", "timeout", "oom", "limit", "host", "loss" };

	return (unsigned)e < sizeof(names) / sizeof(names[0]) ? names[e] : "?";
}

EXPORT const char *carrel_limit_name(carrel_limit l)
{
	static const char *const names[] = { "none", "memory", "pids", "cpu_time", "output" };

	return (unsigned)l < sizeof(names) / sizeof(names[0]) ? names[l] : "?";
}
