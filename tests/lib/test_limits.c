/* SPDX-License-Identifier: ISC */
/* Limits of whole trees, freezing, and the record, from C. */
#include "tap.h"

#include <carrel.h>
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

static carrel_error e;
static char load[512];

static const char *tool(void)
{
	snprintf(load, sizeof(load), "%s/load", getenv("TOOLS"));
	return load;
}

static carrel *open_handle(void)
{
	carrel *c = carrel_open(NULL, &e);

	CHECK(c != NULL);
	return c;
}

/* What one may expect of root on a machine with cgroups. */
static bool can_limit(carrel *c)
{
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), .memory = 64 << 20, .pids = 10), &e);

	if (p == NULL)
		return false;
	CHECK_INT(carrel_wait(p, NULL, 10000), 1);
	carrel_release(p);
	return true;
}

/* The event of that kind, everything before it dropped. */
static carrel_event await(carrel *c, carrel_event_kind kind)
{
	carrel_event ev = { .size = sizeof(ev) };

	while (carrel_next(c, &ev, 20000) == 1) {
		if (ev.kind == kind)
			return ev;
	}
	tap_fail("the event %d did not come", (int)kind);
	return ev;
}

static const carrel_restriction *named(const carrel_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_restrictions; i++) {
		if (strcmp(r->restrictions[i].name, name) == 0)
			return &r->restrictions[i];
	}
	tap_fail("there is no restriction %s", name);
	return NULL;
}

static carrel_record record_of(carrel_proc *p)
{
	carrel_record r = { .size = sizeof(r) };

	CHECK_INT(carrel_get_record(p, &r), 0);
	return r;
}

TEST(limit_is_an_event_and_a_cause)
{
	carrel *c = open_handle();
	carrel_event ev;

	if (!can_limit(c))
		SKIP("no cgroups that can limit");
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "memory", "64000000"),
						     .memory = 16 << 20, .user = &e), &e);
	CHECK(p != NULL);
	ev = await(c, CARREL_LIMIT);
	CHECK_INT((int)ev.limit, CARREL_LIMIT_MEMORY);
	CHECK(ev.proc == p && ev.user == &e);
	ev = await(c, CARREL_GONE);
	CHECK_INT((int)ev.status->cause, CARREL_BY_OOM);
	CHECK_INT(ev.status->sig, SIGKILL);
	carrel_close(c);
}

TEST(limits_of_streams_are_their_own)
{
	carrel *c = open_handle();
	unsigned ended[4] = { 0 };

	if (!can_limit(c))
		SKIP("no cgroups that can limit");
	for (unsigned i = 0; i < 4; i++) {
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "memory", "24000000", "300"),
							     .memory = i % 2 == 0 ? 16 << 20 : 48 << 20,
							     .user = &ended[i]), &e);
		CHECK(p != NULL);
	}
	for (int i = 0; i < 4; i++) {
		carrel_event ev = await(c, CARREL_GONE);

		*(unsigned *)ev.user = (unsigned)ev.status->cause + 1;
	}
	for (int i = 0; i < 4; i++)
		CHECK_INT((int)ended[i], (i % 2 == 0 ? CARREL_BY_OOM : CARREL_BY_ITSELF) + 1);
	carrel_close(c);
}

TEST(run_knows_the_cause)
{
	carrel *c = open_handle();
	carrel_result r;

	if (can_limit(c)) {
		CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "memory", "64000000"),
						    .memory = 16 << 20), &r, &e), 0);
		CHECK_INT((int)r.status.cause, CARREL_BY_OOM);
		carrel_result_free(&r);
	}
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "spin"), .cpu_time_ms = 200), &r, &e), 0);
	CHECK_INT((int)r.status.cause, CARREL_BY_LIMIT);
	carrel_result_free(&r);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("yes"), .output_limit = 100000), &r, &e), 0);
	CHECK_INT((int)r.status.cause, CARREL_BY_LIMIT);
	CHECK_INT((long long)r.out_len, 100000);
	carrel_result_free(&r);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "write", "100000"), .output_limit = 100000),
			     &r, &e), 0);
	CHECK_INT((int)r.status.cause, CARREL_BY_ITSELF);
	carrel_result_free(&r);
	carrel_close(c);
}

/* The host's own stop before the limit was met is the cause that stays. */
TEST(a_stop_stays_a_stop)
{
	carrel *c = open_handle();
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = { .kind = CARREL_PIPE },
						     .output_limit = 10), &e);

	CHECK(p != NULL);
	CHECK_INT(carrel_stop(p, NULL, 0), 0);
	CHECK_INT((int)await(c, CARREL_GONE).status->cause, CARREL_BY_STOP);
	carrel_close(c);
}

/* Processor time of the process ${pid}, in ticks. */
static unsigned long long ticks(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	CHECK(f != NULL);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	CHECK_INT(sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
			 &system), 2);
	return user + system;
}

TEST(freeze_and_thaw)
{
	carrel *c = open_handle();
	carrel_caps caps = { .size = sizeof(caps) };
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "spin")), &e);

	CHECK(p != NULL);
	CHECK_INT(carrel_probe(c, &caps), 0);
	if (!caps.cgroup) {
		CHECK_INT(carrel_freeze(p, 1), -1);
		CHECK_INT(errno, EOPNOTSUPP);
		SKIP("no cgroup here");
	}
	for (int i = 0; i < 5; i++) {
		CHECK_INT(carrel_freeze(p, 1), 0);
		unsigned long long before = ticks(carrel_pid(p));
		usleep(100000);
		CHECK_INT((long long)ticks(carrel_pid(p)), (long long)before);
		CHECK_INT(carrel_freeze(p, 0), 0);
		for (int k = 0; k < 500 && ticks(carrel_pid(p)) < before + 3; k++)
			usleep(10000);
		CHECK(ticks(carrel_pid(p)) >= before + 3);
	}
	/* Twice is no error, and a frozen tree can be stopped: by a signal that it must be awake for. */
	CHECK_INT(carrel_freeze(p, 1), 0);
	CHECK_INT(carrel_freeze(p, 1), 0);
	CHECK_INT(carrel_stop(p, NULL, 0), 0);
	CHECK_INT(await(c, CARREL_GONE).status->sig, SIGTERM);
	CHECK_INT(carrel_freeze(p, 1), -1);
	CHECK_INT(errno, ESRCH);
	CHECK_INT(carrel_freeze(NULL, 1), -1);
	CHECK_INT(errno, EINVAL);
	carrel_close(c);
}

TEST(frozen_trees_can_be_killed_and_closed)
{
	carrel *c = open_handle();
	carrel_caps caps = { .size = sizeof(caps) };

	CHECK_INT(carrel_probe(c, &caps), 0);
	if (!caps.cgroup)
		SKIP("no cgroup here");
	for (int i = 0; i < 4; i++) {
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.shell = "sleep 100 & sleep 100", .timeout_ms = i == 1 ? 500 : 0,
							     .memory = i == 2 && geteuid() == 0 ? 64 << 20 : 0,
							     .best_effort = 1), &e);
		CHECK(p != NULL);
		/* On a slow machine the time may be over. */
		if (carrel_freeze(p, 1) < 0)
			CHECK(i == 1 && errno == ESRCH);
		if (i == 0) {
			carrel_release(p);
		} else if (i == 1) {
			CHECK_INT((int)await(c, CARREL_GONE).status->cause, CARREL_BY_TIMEOUT);
		} else if (i == 2) {
			CHECK_INT(carrel_stop(p, &(carrel_step){ SIGKILL, -1 }, 1), 0);
			CHECK_INT((int)await(c, CARREL_GONE).status->cause, CARREL_BY_STOP);
		}
	}
	carrel_close(c);
}

/* Within 5 % of what the task measured itself. */
static void near(uint64_t got, uint64_t wanted)
{
	if (got * 100 < wanted * 95 || got * 100 > wanted * 105)
		tap_fail("%llu is not within 5 %% of %llu", (unsigned long long)got, (unsigned long long)wanted);
}

TEST(accounts_agree_with_the_task)
{
	carrel *c = open_handle();
	carrel_result r;
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "cpu", "500", "3"), .record = 1), &e);
	char text[64] = "";

	CHECK(p != NULL);
	carrel_event ev = await(c, CARREL_OUT);
	snprintf(text, sizeof(text), "%.*s", (int)ev.len, ev.data);
	await(c, CARREL_GONE);
	carrel_record rec = record_of(p);
	near(rec.status.utime_us + rec.status.stime_us, strtoull(text, NULL, 10));
	carrel_release(p);
	/* Bytes exactly. */
	static char in[3 << 20];
	CHECK_INT(carrel_run(c, CARREL_SPEC(.shell = "cat; cat /bin/sh /bin/sh >&2 | head -c 0", .input = in,
					    .input_len = sizeof(in)), &r, &e), 0);
	CHECK_INT((long long)r.status.in_bytes, sizeof(in));
	CHECK_INT((long long)r.status.out_bytes, sizeof(in));
	CHECK_INT((long long)r.status.err_bytes, (long long)r.err_len);
	carrel_result_free(&r);
	if (can_limit(c)) {
		p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "memory", "50000000"), .record = 1), &e);
		CHECK(p != NULL);
		await(c, CARREL_GONE);
		rec = record_of(p);
		near(rec.memory_peak, 50000000);
		near(rec.status.maxrss_kb * 1024, 50000000);
		CHECK_INT((long long)rec.pids_peak, 1);
	}
	carrel_close(c);
}

TEST(record_before_and_after)
{
	carrel *c = open_handle();
	carrel_record r;
	const carrel_rlimit limit = { RLIMIT_NOFILE, 33, 44 };
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = { .kind = CARREL_PIPE },
						     .limits = &limit, .n_limits = 1, .record = 1), &e);

	CHECK(p != NULL);
	r = record_of(p);
	CHECK_INT((int)named(&r, "no_new_privs")->hold, CARREL_ENFORCED);
	CHECK_STR(named(&r, "no_new_privs")->found, "1");
	CHECK_INT((int)named(&r, "rlimit_nofile")->hold, CARREL_ENFORCED);
	CHECK_STR(named(&r, "rlimit_nofile")->found, "33 44");
	CHECK_INT((int)named(&r, "memory")->hold, CARREL_NOT_ASKED);
	CHECK_INT((int)named(&r, "core")->hold, CARREL_ENFORCED);
	CHECK_INT((int)named(&r, "namespace_net")->hold, CARREL_NOT_ASKED);
	CHECK_INT(carrel_eof(p), 0);
	await(c, CARREL_GONE);
	r = record_of(p);
	CHECK_INT((int)r.ended_by, CARREL_ENDED_BY_TASK);
	CHECK(r.status.exited && r.status.code == 0);
	CHECK_STR(carrel_ender_name(r.ended_by), "task");
	/* An older caller's is shorter. */
	struct {
		size_t size;
		carrel_status status;
		int behind;
	} old = { .size = offsetof(carrel_record, ended_by), .behind = 77 };
	CHECK_INT(carrel_get_record(p, (carrel_record *)(void *)&old), 0);
	CHECK(old.status.exited && old.behind == 77);
	r.size = 1;
	CHECK_INT(carrel_get_record(p, &r), -1);
	CHECK_INT(errno, EINVAL);
	p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e);
	r.size = sizeof(r);
	CHECK_INT(carrel_get_record(p, &r), -1);
	CHECK_INT(errno, EINVAL);
	carrel_close(c);
}

/* What the task itself was allowed to undo must show: the record is read, not copied. */
TEST(record_is_read_from_the_kernel)
{
	carrel *c = open_handle();
	carrel_record r;
	char *ops = NULL;

	CHECK_INT(carrel_print_ops(CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")), &ops, &e), 0);
	/* The same program without what it promises. */
	char *line = strstr(ops, "task prctl(pr_set_no_new_privs");
	CHECK(line != NULL);
	memcpy(line, "#", 1);
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.ops = ops, .record = 1), &e);
	CHECK(p != NULL);
	r = record_of(p);
	CHECK_STR(named(&r, "no_new_privs")->found, "0");
	CHECK_INT((int)named(&r, "no_new_privs")->hold, CARREL_NOT_ASKED);
	free(ops);
	carrel_close(c);
}

TEST(what_ended_it)
{
	carrel *c = open_handle();
	const struct {
		const char *shell;
		int timeout_ms;
		carrel_ender ender;
	} cases[] = { { "exit 3", 0, CARREL_ENDED_BY_TASK },
		      { "kill -9 $$", 0, CARREL_ENDED_BY_SIGNAL },
		      { "sleep 100", 100, CARREL_ENDED_BY_TIMEOUT },
		      { "sleep 100", 0, CARREL_ENDED_BY_HOST } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.shell = cases[i].shell, .timeout_ms = cases[i].timeout_ms,
							     .record = 1), &e);

		CHECK(p != NULL);
		if (cases[i].ender == CARREL_ENDED_BY_HOST)
			CHECK_INT(carrel_stop(p, NULL, 0), 0);
		await(c, CARREL_GONE);
		CHECK_STR(carrel_ender_name(record_of(p).ended_by), carrel_ender_name(cases[i].ender));
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(bad_limits)
{
	carrel *c = open_handle();
	const unsigned cpus[] = { 0, 9000 };
	const carrel_io_limit io[] = { { .device = "/", .read_bytes = 1 }, { .device = "/" } };

#define REFUSED(error, ...)                                                                        \
	do {                                                                                       \
		CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), __VA_ARGS__), &e) == NULL); \
		CHECK_INT(e.err, error);                                                           \
	} while (0)
	REFUSED(EINVAL, .memory = 1);
	REFUSED(EINVAL, .memory = UINT64_MAX);
	REFUSED(EINVAL, .pids = UINT64_MAX);
	REFUSED(EINVAL, .cpu = 9);
	REFUSED(EINVAL, .cpu = 1000001);
	REFUSED(EINVAL, .cpu_time_ms = -1);
	REFUSED(EINVAL, .cpus = cpus, .n_cpus = 2);
	CHECK_INT(e.index, 1);
	REFUSED(EINVAL, .n_cpus = 2);
	REFUSED(EINVAL, .io_limits = io, .n_io_limits = 2);
	CHECK_INT(e.index, 1);
	REFUSED(EINVAL, .n_io_limits = 1);
	REFUSED(EINVAL, .io_limits = io, .n_io_limits = CARREL_IO_LIMITS_MAX + 1);
	REFUSED(EINVAL, .set = CARREL_SET_IO_PRIORITY, .io_class = (carrel_io_class)4);
	REFUSED(EINVAL, .set = CARREL_SET_IO_PRIORITY, .io_class = CARREL_IO_IDLE, .io_level = 8);
	REFUSED(EINVAL, .set = CARREL_SET_OOM_SCORE_ADJ, .oom_score_adj = -1001);
	REFUSED(EINVAL, .output_limit = 1, .out = { .kind = CARREL_NULL }, .err = { .kind = CARREL_NULL });
	REFUSED(EOPNOTSUPP, .pids = 5, .on_exit = CARREL_EXIT_KEEP_TREE);
	const unsigned none[] = { 8000 };
	REFUSED(EINVAL, .cpus = none, .n_cpus = 1);
	CHECK(strstr(e.msg, "processors") != NULL);
	carrel_close(c);
}

/* More than the limit is in the pipe when the tree has ended already. */
TEST(output_behind_the_end)
{
	carrel *c = open_handle();

	for (int i = 0; i < 20; i++) {
		carrel_event ev = { .size = sizeof(ev) };
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(tool(), "write", "30000"),
							     .output_limit = 10000), &e);

		CHECK(p != NULL);
		CHECK_INT(carrel_wait(p, NULL, 10000), 1);
		ev = await(c, CARREL_GONE);
		CHECK_INT((int)ev.status->cause, CARREL_BY_LIMIT);
		CHECK_INT((long long)ev.status->out_bytes, 10000);
		carrel_release(p);
	}
	carrel_close(c);
}
