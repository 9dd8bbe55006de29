/* SPDX-License-Identifier: ISC */
/* Events: which come, in which order, exactly once; feeding, stopping, waiting, releasing. */
#include "common.h"

#include <poll.h>
#include <sched.h>
#include <string.h>

static void expect(carrel *c, carrel_event_kind kind)
{
	CHECK_INT((int)next(c).kind, (int)kind);
}

TEST(order)
{
	carrel *c = open_handle();
	int user;
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "printf out; exec >&-; sleep 0.1; printf err >&2; sleep 0.1",
					      .user = &user));
	carrel_event ev = next(c);

	CHECK_INT((int)ev.kind, CARREL_STARTED);
	CHECK(ev.proc == p && ev.user == &user && ev.pid == carrel_pid(p) && ev.pid > 0);
	ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "out", 3);
	ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_EOF);
	CHECK_INT(ev.stream, 1);
	ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_ERR);
	bool exited = false, eof = false;
	for (int i = 0; i < 2; i++) {
		ev = next(c);
		exited |= ev.kind == CARREL_EXIT && ev.status->exited && ev.status->code == 0;
		eof |= ev.kind == CARREL_EOF && ev.stream == 2;
	}
	CHECK(exited && eof);
	ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_GONE);
	CHECK(ev.status->wall_us >= 200000);
	CHECK_INT(carrel_next(c, &ev, 1000), 0);
	carrel_release(p);
	CHECK_INT(ev.status->exited, 1);
	carrel_close(c);
}

TEST_T(started_is_first_and_gone_last_and_once, 100)
{
	cpu_set_t one;
	carrel *c = open_handle();

	/* On one processor the news of the end are there before the answer is looked at. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
			carrel_event ev = next(c);
			int exits = 0, eofs = 0;

			CHECK_INT((int)ev.kind, CARREL_STARTED);
			while ((ev = next(c)).kind != CARREL_GONE) {
				exits += ev.kind == CARREL_EXIT;
				eofs += ev.kind == CARREL_EOF;
			}
			CHECK_INT(exits, 1);
			CHECK_INT(eofs, 2);
			carrel_release(p);
		}
		CPU_ZERO(&one);
		CPU_SET(0, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	carrel_close(c);
}

TEST(nothing_written_before_the_end_is_lost)
{
	carrel *c = open_handle();
	size_t got = 0;

	spawn(c, CARREL_SPEC(.shell = "head -c 65536 /dev/zero; exit 7"));
	usleep(500000);
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;)
		got += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK_INT((long long)got, 65536);
	carrel_close(c);
}

TEST_T(a_stranger_with_the_pipe, 30)
{
	carrel *c = open_handle();
	size_t got = 0;
	carrel_event ev;
	char path[64];

	spawn(c, CARREL_SPEC(.shell = "echo x; read wait", .in.kind = CARREL_PIPE));
	carrel_event started = next(c);
	/* A child of ours opens the task's stdout and writes for as long as it is let. */
	snprintf(path, sizeof(path), "/proc/%d/fd/1", started.pid);
	pid_t stranger = fork();
	if (stranger == 0) {
		close_range(3, ~0U, 0);
		int fd = open(path, O_WRONLY);
		char block[4096] = "";

		for (;;) {
			if (fd == -1 || write(fd, block, sizeof(block)) <= 0)
				_exit(0);
		}
	}
	usleep(200000);
	CHECK_INT(carrel_eof(started.proc), 0);
	while ((ev = next(c)).kind != CARREL_GONE)
		got += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK(got >= 2);
	carrel_close(c);
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
}

TEST(feeding)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "sleep 0.2; wc -c", .in.kind = CARREL_PIPE));
	static char block[300000];
	size_t off = 0;
	carrel_event ev = next(c);

	while (off < sizeof(block)) {
		ssize_t n = carrel_write(p, block + off, sizeof(block) - off);

		CHECK(n >= 0);
		off += (size_t)n;
		if (off < sizeof(block))
			expect(c, CARREL_STDIN_ROOM);
	}
	CHECK_INT(carrel_eof(p), 0);
	CHECK_INT(carrel_eof(p), -1);
	CHECK_INT(carrel_write(p, "x", 1), -1);
	CHECK_INT(errno, EBADF);
	ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "300000\n", 7);
	carrel_close(c);
}

TEST(closed_stdin)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "exec <&-; echo closed; sleep 100", .in.kind = CARREL_PIPE));
	static char block[200000];

	expect(c, CARREL_STARTED);
	expect(c, CARREL_OUT);
	CHECK_INT(carrel_write(p, block, sizeof(block)), -1);
	CHECK_INT(errno, EPIPE);
	carrel_release(p);
	p = spawn(c, CARREL_SPEC(.shell = "sleep 0.3; exec <&-; sleep 100", .in.kind = CARREL_PIPE));
	expect(c, CARREL_STARTED);
	CHECK(carrel_write(p, block, sizeof(block)) > 0);
	expect(c, CARREL_STDIN_CLOSED);
	carrel_close(c);
}

TEST(stopped_and_continued)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "kill -STOP $$; sleep 0.3; exit 9"));

	expect(c, CARREL_STARTED);
	carrel_event ev = next(c);
	CHECK_INT((int)ev.kind, CARREL_STOPPED);
	CHECK_INT(ev.sig, SIGSTOP);
	CHECK_INT(carrel_signal(p, SIGCONT, 1), 0);
	expect(c, CARREL_CONTINUED);
	while ((ev = next(c)).kind != CARREL_GONE)
		;
	CHECK_INT(ev.status->code, 9);
	CHECK_INT(carrel_signal(p, SIGCONT, 1), -1);
	CHECK_INT(errno, ESRCH);
	carrel_close(c);
}

TEST(stop_steps)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "trap 'echo int' INT; trap 'echo term; exit 2' TERM; echo go;"
						       "while :; do sleep 0.05; done"));
	const carrel_step steps[] = { { SIGINT, 300 }, { SIGTERM, 5000 } };
	char out[64] = "";
	carrel_event ev;

	expect(c, CARREL_STARTED);
	expect(c, CARREL_OUT);
	CHECK_INT(carrel_stop(p, steps, 2), 0);
	while ((ev = next(c)).kind != CARREL_GONE) {
		if (ev.kind == CARREL_OUT)
			strncat(out, ev.data, ev.len);
	}
	CHECK_STR(out, "int\nterm\n");
	CHECK_INT(ev.status->code, 2);
	CHECK_INT((int)ev.status->cause, CARREL_BY_STOP);
	CHECK_INT(carrel_stop(p, NULL, 0), -1);
	carrel_close(c);
}

TEST(a_signal_reaches_every_process)
{
	carrel *c = open_handle();
	carrel_event ev;
	/* More children than one page of their list holds. */
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "i=0; while [ $i -lt 700 ]; do sleep 100 & i=$((i+1)); done;"
						       "echo ready; wait; echo done; exit 3"));

	expect(c, CARREL_STARTED);
	expect(c, CARREL_OUT);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGUSR1, 20000 } }, 1), 0);
	while ((ev = next(c)).kind != CARREL_GONE)
		;
	CHECK_INT(ev.status->sig, SIGUSR1);
	CHECK_INT((int)ev.status->leftovers, 0);
	carrel_close(c);
}

TEST(wait_leaves_the_events)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo kept; exit 6"));
	carrel_status st;
	carrel_event ev;
	size_t got = 0;

	CHECK_INT(carrel_wait(p, &st, 10000), 1);
	CHECK_INT(st.code, 6);
	while ((ev = next(c)).kind != CARREL_GONE)
		got += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK_INT((long long)got, 5);
	p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")));
	CHECK_INT(carrel_wait(p, NULL, 100), 0);
	carrel_close(c);
}

TEST(released_trees_are_killed_and_silent)
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };
	pid_t pid[50];

	for (int i = 0; i < 50; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")));

		pid[i] = carrel_pid(p);
		carrel_release(p);
	}
	CHECK_INT(carrel_next(c, &ev, 10000), 0);
	for (int i = 0; i < 50; i++)
		CHECK_INT(kill(pid[i], 0), -1);
	carrel_close(c);
}

TEST(the_descriptor_polls)
{
	carrel *c = open_handle();
	struct pollfd p = { .fd = carrel_fd(c), .events = POLLIN };
	carrel_event ev = { .size = sizeof(ev) };

	CHECK_INT(poll(&p, 1, 100), 0);
	spawn(c, CARREL_SPEC(.shell = "sleep 0.3; echo x"));
	CHECK_INT(poll(&p, 1, 1000), 1);
	CHECK_INT(carrel_next(c, &ev, 0), 1);
	CHECK_INT(carrel_next(c, &ev, 0), 0);
	CHECK_INT(poll(&p, 1, 50), 0);
	int events = 0;
	while (ev.kind != CARREL_GONE) {
		CHECK_INT(poll(&p, 1, 5000), 1);
		events += carrel_next(c, &ev, 0);
	}
	CHECK_INT(events, 5); /* OUT, two EOF, EXIT, GONE */
	CHECK_INT(poll(&p, 1, 50), 0);
	carrel_close(c);
}

TEST(lost)
{
	carrel *c = open_handle();
	carrel_caps caps = { .size = sizeof(caps) };
	struct pollfd p = { .fd = carrel_fd(c), .events = POLLIN };
	carrel_event ev;

	CHECK_INT(carrel_probe(c, &caps), 0);
	CHECK(caps.reaper && caps.locked && caps.guard > 0 && caps.supervisor > 0 && caps.nursery > 0);
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")));
	expect(c, CARREL_STARTED);
	kill(caps.supervisor, SIGKILL);
	int gone = 0;
	while ((ev = next(c)).kind != CARREL_LOST) {
		gone += ev.kind == CARREL_GONE;
		if (ev.kind == CARREL_GONE)
			CHECK_INT((int)ev.status->cause, CARREL_BY_LOSS);
	}
	CHECK_INT(gone, 1);
	CHECK(ev.proc == NULL && ev.len > 0);
	CHECK_INT(carrel_next(c, &ev, 0), -1);
	CHECK_INT(errno, EPIPE);
	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e) == NULL);
	CHECK_INT((int)e.stage, CARREL_STAGE_CHANNEL);
	carrel_close(c);
	/* Without any tree the loss is told too. */
	c = open_handle();
	CHECK_INT(carrel_probe(c, &caps), 0);
	p.fd = carrel_fd(c);
	kill(caps.nursery, SIGKILL);
	CHECK_INT(poll(&p, 1, 5000), 1);
	expect(c, CARREL_LOST);
	carrel_close(c);
}

TEST(a_lost_reaper_ends_its_tree_alone)
{
	carrel *c = open_handle();
	carrel_proc *other = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")));

	expect(c, CARREL_STARTED);
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "setsid sleep 100 & sleep 0.3; kill -9 $PPID; sleep 100", .allow_setuid = 1));
	carrel_event ev = next(c);
	while ((ev = next(c)).kind != CARREL_GONE)
		;
	CHECK(ev.proc == p);
	CHECK_INT((int)ev.status->cause, CARREL_BY_LOSS);
	CHECK_INT(kill(carrel_pid(other), 0), 0);
	carrel_proc *again = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
	CHECK(again != NULL);
	carrel_close(c);
}

TEST(traced_operations)
{
	carrel *c = open_handle();
	carrel_event ev;
	int n = 0;

	spawn(c, CARREL_SPEC(.ops = "init getpid()\ntask chdir(\"/no\") ignore\nafter getpid()\n"
				    "task exec(\"true\", [\"true\"], env, \"/bin\")", .trace = 1));
	static const char *const lines[] = { "init getpid() = ", "task chdir(\"/no\") ignore = No such file or directory",
					     "task exec(" };
	while ((ev = next(c)).kind == CARREL_OP) {
		CHECK(n < 3);
		CHECK(strncmp(ev.data, lines[n], strlen(lines[n])) == 0);
		n++;
	}
	CHECK_INT(n, 3);
	CHECK_INT((int)ev.kind, CARREL_STARTED);
	carrel_close(c);
}

/* Of a start that failed: those that were run, the one that failed, and nothing of what is behind it. */
TEST(traced_failures)
{
	static const char *const lines[] = { "init getpid() = ", "task chdir(\"/\") = 0",
					     "task chdir(\"/no\") = No such file or directory" };
	static const char *const isolated[] = { "outside clone(", "init getpid() = 1",
						"task chdir(\"/no\") = No such file or directory" };

	for (int inside = 0; inside < 2; inside++) {
		const char *const *want = inside ? isolated : lines;
		carrel *c = open_handle();
		carrel_event ev = { .size = sizeof(ev) };
		int n = 0;

		const char *ops = inside ? "outside clone([clone_newpid])\ninit getpid()\ntask chdir(\"/no\")\n"
					   "task chdir(\"/\")\ntask exec(\"true\", [\"true\"], env, \"/bin\")"
					 : "after getpid()\ntask chdir(\"/\")\ntask chdir(\"/no\")\ninit getpid()\n"
					   "task getpid()\ntask exec(\"true\", [\"true\"], env, \"/bin\")";
		CHECK(carrel_spawn(c, CARREL_SPEC(.ops = ops, .trace = 1), &e) == NULL);
		CHECK_INT((int)e.stage, CARREL_STAGE_CWD);
		while (carrel_next(c, &ev, 0) == 1) {
			CHECK_INT((int)ev.kind, CARREL_OP);
			CHECK(ev.proc == NULL);
			CHECK(n < 3);
			/* In the order of the program. */
			int at = inside ? n : n == 0 ? 1 : n == 1 ? 2 : 0;
			CHECK(strncmp(ev.data, want[at], strlen(want[at])) == 0);
			n++;
		}
		CHECK_INT(n, 3);
		carrel_close(c);
	}
}

TEST(once)
{
	carrel_config cfg = { .size = sizeof(cfg), .once = 1 };
	carrel *c = carrel_open(&cfg, &e);
	carrel_event ev;

	spawn(c, CARREL_SPEC(.shell = "exit 4"));
	while ((ev = next(c)).kind != CARREL_GONE)
		;
	CHECK_INT(ev.status->code, 4);
	CHECK_INT(carrel_next(c, &ev, 100), 0);
	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e) == NULL);
	CHECK_INT(e.err, EBUSY);
	carrel_close(c);
}
