/* SPDX-License-Identifier: ISC */
#include "stream_limits.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Between two looks at the processor time of a tree without a cgroup, which are walks through /proc. */
#define WALK_MS 50
/* Never more often than this. */
#define LOOK_MS 2
#define AGAIN_MS 10
/* While something is being frozen. */
#define FREEZING_MS 2
/* How long the last process of a cgroup may take to leave it. */
#define LEAVE_TRIES 400

static const char turned_off[] = "cgroups are turned off (no_cgroup)";

void limits_init(struct limits *l, const struct role *role)
{
	*l = (struct limits){ .role = role, .watch = { -1, -1 }, .freeze = -1, .freeze_dir = -1, .freezing = -1,
				.again_us = CLOCK_NEVER };
	sys_group_init(&l->group, role->guard, getpid(), -1);
}

void limits_begin(struct limits *l, int handle, bool isolates)
{
	l->isolates = isolates;
	l->on = l->role->want_cgroup;
	l->group.handle = handle;
	l->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static int64_t limit_memory(struct limits *l, uint64_t bytes)
{
	const struct sys_group *g = &l->group;
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	int r = sys_group_set(g, SYS_MEMORY, "memory.max", "memory.limit_in_bytes", text);
	if (r < 0)
		return r;
	/* Or it would begin to swap in place of ending.  Where swap is not counted there is no such file. */
	sys_group_set(g, SYS_MEMORY, "memory.swap.max", NULL, "0");
	sys_group_set(g, SYS_MEMORY, NULL, "memory.memsw.limit_in_bytes", text);
	return 0;
}

static int64_t limit_pids(struct limits *l, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n + l->isolates);
	return sys_group_set(&l->group, SYS_PIDS, "pids.max", "pids.max", text);
}

static int64_t limit_cpu(struct limits *l, uint64_t quota_us, uint64_t period_us)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)quota_us, (unsigned long long)period_us);
	int r = sys_group_set(&l->group, SYS_CPU, "cpu.max", NULL, text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)period_us);
	if (r == 0)
		r = sys_group_set(&l->group, SYS_CPU, NULL, "cpu.cfs_period_us", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)quota_us);
	return r == 0 ? sys_group_set(&l->group, SYS_CPU, NULL, "cpu.cfs_quota_us", text) : r;
}

static int64_t limit_io(struct limits *l, const struct arg *a)
{
	static const char *const keys[] = { "rbps", "wbps", "riops", "wiops" };
	static const char *const files[] = { "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
					     "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device" };
	char text[96];
	int r = 0;

	for (int i = 0; i < 4 && r == 0; i++) {
		const uint64_t n = (uint64_t)a[2 + i].i;
		const char *key = sys_group_is_v2(&l->group, SYS_IO) ? keys[i] : "";

		if (n == 0)
			continue;
		snprintf(text, sizeof(text), "%u:%u %s%s%llu", (unsigned)a[0].i, (unsigned)a[1].i, key,
			 *key != 0 ? "=" : "", (unsigned long long)n);
		r = sys_group_set(&l->group, SYS_IO, "io.max", files[i], text);
		if (r == -ENODEV || r == -EINVAL)
			l->why = "it is no block device, or a part of one; the whole device can be limited";
	}
	return r;
}

static int64_t need(struct limits *l, enum sys_controller c)
{
	if (!l->on) {
		l->why = turned_off;
		return -EOPNOTSUPP;
	}
	return sys_group_need(&l->group, c, &l->why);
}

int64_t limits_op(void *arg, enum call_number call, const struct arg *a)
{
	static const enum sys_controller controllers[] = {
		[CALL_limit_memory - CALL_limit_memory] = SYS_MEMORY,
		[CALL_limit_pids - CALL_limit_memory] = SYS_PIDS,
		[CALL_limit_cpu - CALL_limit_memory] = SYS_CPU,
		[CALL_limit_io - CALL_limit_memory] = SYS_IO,
	};
	struct limits *l = arg;

	if (call == CALL_limit_cpu_time) {
		l->cpu_time_us = (uint64_t)a[0].i;
		return 0;
	}
	int64_t r = need(l, controllers[call - CALL_limit_memory]);
	if (r < 0)
		return r;
	l->why = NULL;
	switch (call) {
	case CALL_limit_memory:
		return limit_memory(l, (uint64_t)a[0].i);
	case CALL_limit_pids:
		return limit_pids(l, (uint64_t)a[0].i);
	case CALL_limit_cpu:
		return limit_cpu(l, (uint64_t)a[0].i, (uint64_t)a[1].i);
	default:
		return limit_io(l, a);
	}
}

void limits_settle(struct limits *l, bool record)
{
	if (l->on && (record || l->cpu_time_us > 0))
		sys_group_count(&l->group, record);
}

void limits_started(struct limits *l)
{
	if (!l->on)
		return;
	sys_group_entered(&l->group);
	l->watch[0] = sys_group_watch(&l->group, SYS_MEMORY);
	l->watch[1] = sys_group_watch(&l->group, SYS_PIDS);
}

void limits_can_freeze(struct limits *l, int cgroup)
{
	l->freeze_dir = cgroup;
	l->freeze = sys_freeze_open(&l->group, cgroup, &l->freeze_v1);
}

void limits_poll(const struct limits *l, struct pollfd *p)
{
	for (int i = 0; i < LIMITS_POLL; i++)
		p[i] = (struct pollfd){ .fd = l->watch[i], .events = POLLIN | POLLPRI };
}

int64_t limits_until(const struct limits *l)
{
	int64_t at = l->cpu_time_us > 0 && !l->met[LIMIT_CPU_TIME] ? l->next_us : CLOCK_NEVER;
	int64_t frozen = l->freezing >= 0 ? clock_deadline_us(FREEZING_MS) : CLOCK_NEVER;

	at = l->again_us < at ? l->again_us : at;
	return frozen < at ? frozen : at;
}

/* What the whole tree has used, those that are gone included. */
static uint64_t used_us(const struct limits *l)
{
	struct rusage ru = { 0 };

	if (l->usage.has_cpu)
		return l->usage.user_us + l->usage.system_us;
	getrusage(RUSAGE_CHILDREN, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) + sys_tree_cpu(l->role->proc, getpid());
}

static bool met(struct limits *l, enum limit what, bool now)
{
	bool news = now && !l->met[what];

	l->met[what] |= now;
	return news;
}

/* It cannot be used up before all processors have worked on it. */
static bool cpu_time_is_over(struct limits *l)
{
	uint64_t used = used_us(l);
	int64_t least = (l->usage.has_cpu ? LOOK_MS : WALK_MS) * 1000;

	if (used >= l->cpu_time_us)
		return true;
	int64_t left = (int64_t)(l->cpu_time_us - used) / (l->processors > 0 ? l->processors : 1);
	l->next_us = clock_now_us() + (left > least ? left : least);
	return false;
}

/* What the kernel holds. */
static uint32_t held(struct limits *l)
{
	return (uint32_t)met(l, LIMIT_MEMORY, l->usage.oom_kills > 0) << LIMIT_MEMORY |
	       (uint32_t)met(l, LIMIT_PIDS, l->usage.pids_refused > 0) << LIMIT_PIDS;
}

uint32_t limits_news(struct limits *l, const struct pollfd *p)
{
	static const enum sys_controller kinds[LIMITS_POLL] = { SYS_MEMORY, SYS_PIDS };
	bool due = l->cpu_time_us > 0 && !l->met[LIMIT_CPU_TIME] && l->next_us <= clock_now_us();
	bool again = l->again_us <= clock_now_us();

	if (p[0].revents == 0 && p[1].revents == 0 && !due && !again)
		return 0;
	for (int i = 0; i < LIMITS_POLL; i++) {
		if (p[i].revents != 0)
			l->watch[i] = sys_group_watch_again(&l->group, kinds[i], l->watch[i]);
	}
	sys_group_usage(&l->group, &l->usage);
	uint32_t news = held(l);
	/* A v1 cgroup tells before the kernel kills. */
	l->again_us = p[0].revents != 0 && !l->met[LIMIT_MEMORY] ? clock_deadline_us(AGAIN_MS) : CLOCK_NEVER;
	if (due && met(l, LIMIT_CPU_TIME, cpu_time_is_over(l)))
		news |= 1U << LIMIT_CPU_TIME;
	/* Once is enough: a task that goes on against its limit must not keep us busy. */
	if (news & 1U << LIMIT_MEMORY)
		l->watch[0] = fd_close(l->watch[0]);
	if (news & 1U << LIMIT_PIDS)
		l->watch[1] = fd_close(l->watch[1]);
	return news;
}

int limits_freeze(struct limits *l, bool on)
{
	if (l->freeze < 0)
		return -EOPNOTSUPP;
	int r = sys_freeze(l->freeze, l->freeze_v1, on);
	l->freezing = r == 0 ? on : -1;
	return r;
}

bool limits_frozen(struct limits *l)
{
	if (l->freezing < 0 || sys_frozen(&l->group, l->freeze_dir, l->freeze_v1) != l->freezing)
		return false;
	l->freezing = -1;
	return true;
}

void limits_thaw(struct limits *l)
{
	if (l->freeze >= 0)
		sys_freeze(l->freeze, l->freeze_v1, false);
	l->freezing = -1;
}

int limits_outer(const struct limits *l)
{
	int outer = -1;

	for (int c = 0; l->on && c < SYS_CONTROLLERS; c++)
		outer = l->group.v1_outer[c] >= 0 ? l->group.v1_outer[c] : outer;
	return outer >= 0 ? outer : l->on ? l->group.v2_outer : -1;
}

void limits_end(struct limits *l)
{
	if (!l->on)
		return;
	sys_group_usage(&l->group, &l->usage);
	l->news = held(l);
	/* Who was waited for may not have left them: on recent kernels (6.18) only its last turn on a processor ends
	 * that, which on a busy machine takes a while. */
	for (int i = 0; (l->left = sys_group_remove(&l->group) == -EBUSY) && i < LEAVE_TRIES; i++)
		poll(NULL, 0, i < LEAVE_TRIES / 10 ? 1 : 5);
}
