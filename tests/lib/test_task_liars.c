/* SPDX-License-Identifier: ISC */
/*
 * Tasks that lie: whatever one says to the host, descriptors included, nobody crashes, waits longer than the deadline,
 * leaks, or is harmed who is not below it. LIARS_SEEDS: how many of each kind (40).
 */
#include "tasks.h"

#include <poll.h>

static int seeds(void)
{
	const char *n = getenv("LIARS_SEEDS");

	return n != NULL ? atoi(n) : 40;
}

/* The root is the liar from the beginning: a program of our own in place of serve. */
static carrel_task *liar(const char *mode, int seed, struct seen *s)
{
	char ops[1024];

	snprintf(ops, sizeof(ops), "task reset_signals([])\n"
		 "task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}, {3, {fd, task}}])\n"
		 "task exec(\"%s/liartask\", [\"liartask\", \"%s\", \"%d\"], env, \"\")\n", getenv("TOOLS"), mode, seed);
	carrel_task *t = carrel_task_open(handle, CARREL_SPEC(.ops = ops, .user = s), &e);
	if (t == NULL)
		tap_fail("liar: %s", e.msg);
	CHECK(carrel_task_deadline(t, 80) == 0);
	return t;
}

static void any(int r)
{
	if (r < 0)
		CHECK(errno > 0 && e.err == errno && strlen(e.msg) > 5);
}

/* All that can be asked of a task. */
static void go_through(carrel_task *t, struct seen *s, bool run)
{
	carrel_result out;

	for (int i = 0; i < 4; i++) {
		got = NULL;
		any(carrel_task_call(t, i % 2 == 0 ? "getpid" : "getgroups", NULL, 0, NULL, &got, &e));
		carrel_value_free(got);
		carrel_task *child = carrel_task_fork(t, &(carrel_fork){ .size = sizeof(carrel_fork), .user = s }, &e);
		any(child != NULL ? 0 : -1);
		if (child != NULL) {
			carrel_signal(carrel_task_proc(child), SIGTERM, 1);
			carrel_stop(carrel_task_proc(child), &(carrel_step){ SIGKILL, 0 }, 1);
			any(carrel_task_call(child, "getpid", NULL, 0, NULL, NULL, &e));
			carrel_task_children(t, NULL, 0);
			carrel_release(carrel_task_proc(child));
		}
		int fd = carrel_task_take_fd(t, 1, &e);
		any(fd);
		if (fd >= 0)
			close(fd);
		any(carrel_task_send_fd(t, 2, &e));
		any(carrel_task_deny(t, NULL, NULL, 1, &e));
		/* Of a command that does not end one waits for ever. */
		if (run) {
			any(carrel_task_run(t, CARREL_ARGV("true"), &out, &e));
			carrel_result_free(&out);
		}
		take_events(0);
		if (carrel_task_is(t) != CARREL_TASK_CALLS)
			break;
	}
	any(carrel_task_reexec(t, NULL, NULL, &e));
	any(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e));
}

static void meet(const char *mode)
{
	static struct seen a, b, c;
	int n = seeds();

	if (getenv("TOOLS") == NULL)
		SKIP("TOOLS is not set");
	/* Somebody on the same handle, whom it shall not reach. */
	carrel_task *good = root(&c), *below = fork_as(good, &b);
	int before = descriptors();
	for (int seed = 1; seed <= n; seed++) {
		memset(&a, 0, sizeof(a));
		carrel_task *t = liar(mode, seed, &a);

		go_through(t, NULL, strcmp(mode, "fork") != 0);
		CHECK_INT(NUMBER0(good, "getpid"), pid_of(good));
		CHECK_INT(NUMBER0(below, "getpid"), pid_of(below));
		carrel_stop(carrel_task_proc(t), &(carrel_step){ SIGKILL, 0 }, 1);
		AWAIT(a.gone, 1);
		CHECK_INT(a.gone, 1);
		carrel_release(carrel_task_proc(t));
	}
	CHECK_INT(b.gone + c.gone + lost, 0);
	take_events(0);
	/* A set of descriptors for tasks is there from the first on; nothing else. */
	CHECK(descriptors() <= before + 1);
	done();
	check_no_child();
}

TEST_T(junk, 300)
{
	meet("junk");
}

TEST_T(replies, 300)
{
	meet("replies");
}

/* Who is passed off as a child is not signalled, whoever it is. */
TEST_T(children, 300)
{
	meet("fork");
}

TEST_T(flood, 300)
{
	meet("flood");
}

TEST_T(mute, 300)
{
	setenv("LIARS_SEEDS", "1", 1);
	meet("mute");
}

TEST_T(gone, 300)
{
	meet("gone");
}
