/* SPDX-License-Identifier: ISC */
/* Isolated tasks as the library sees them: their processes, events and ends. */
#include "common.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether this user may have namespaces here. */
static bool allowed(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == -1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

static carrel *open_isolating(void)
{
	carrel *c = open_handle();

	if (!allowed())
		SKIP("user namespaces are forbidden here");
	return c;
}

/* A shell's text in new namespaces. */
static const char *isolated(const char *kinds, const char *text)
{
	static char ops[4096];

	snprintf(ops, sizeof(ops),
		 "outside clone([clone_newuser, %s]) slot 1\n"
		 "outside id_map({slot, 1}, \"deny\", \"0 %u 1\", \"0 %u 1\")\n"
		 "task setsid()\n"
		 "task reset_signals([])\n"
		 "task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])\n"
		 "task exec(\"/bin/sh\", [\"sh\", \"-c\", \"%s\"], env, \"\")\n",
		 kinds, getuid(), getgid(), text);
	return ops;
}

static const char *const kinds[] = { "clone_newpid", "clone_newns" };
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The next event of that kind, which must come within 10 s. */
static carrel_event until(carrel *c, carrel_event_kind kind)
{
	carrel_event ev = { .size = sizeof(ev) };

	do {
		if (carrel_next(c, &ev, 10000) != 1)
			tap_fail("no event %d", (int)kind);
	} while (ev.kind != kind);
	return ev;
}

static pid_t init_of(carrel_proc *p)
{
	carrel_info v[16];
	ssize_t n = carrel_tree(p, v, 16);

	for (ssize_t i = 0; i < n && i < 16; i++) {
		if (strcmp(v[i].comm, "carrel:init") == 0)
			return v[i].pid;
	}
	return -1;
}

TEST(tree)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i], "sleep 60 & echo x; wait")));
		carrel_info v[16];

		until(c, CARREL_OUT);
		CHECK_INT(carrel_tree(p, v, 16), 3);
		CHECK_INT(v[0].pid, carrel_pid(p));
		CHECK_STR(v[0].comm, "sh");
		CHECK_STR(v[1].comm, "carrel:init");
		CHECK_INT(v[0].ppid, v[1].pid);
		CHECK_INT(v[2].ppid, v[0].pid);
		CHECK_INT(carrel_signal(p, SIGTERM, 0), 0);
		carrel_event ev = until(c, CARREL_GONE);
		CHECK_INT(ev.status->sig, SIGTERM);
		CHECK_INT(ev.status->leftovers, 1);
		CHECK_INT(ev.status->leftover[0].pid, v[2].pid);
		CHECK_INT(kill(v[1].pid, 0), -1);
		carrel_release(p);
	}
	carrel_close(c);
}

/* One that ends before anybody has looked, and others beside it. */
TEST(short_ones)
{
	carrel *c = open_isolating();

	for (int i = 0; i < 300; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i % N_KINDS], "exit 7")));
		carrel_event ev = until(c, CARREL_GONE);

		CHECK_INT(ev.status->code, 7);
		CHECK_INT((int)ev.status->cause, CARREL_BY_ITSELF);
		CHECK_INT(ev.status->leftovers, 0);
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(exit_comes_before_gone)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i], "sleep 0.4 >&- 2>&- & exit 7"),
						      .on_exit = CARREL_EXIT_WAIT_TREE));
		carrel_event ev = until(c, CARREL_EXIT);

		CHECK_INT(ev.status->code, 7);
		ev = until(c, CARREL_GONE);
		CHECK_INT(ev.status->code, 7);
		CHECK_INT(ev.status->leftovers, 0);
		CHECK_INT((int)ev.status->cause, CARREL_BY_ITSELF);
		CHECK(ev.status->wall_us >= 400000);
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(a_tree_that_is_kept)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i], "sleep 1 >&- 2>&- & echo x; sleep 0.3; exit 7"),
						      .on_exit = CARREL_EXIT_KEEP_TREE));
		until(c, CARREL_OUT);
		pid_t init = init_of(p);
		carrel_event ev = until(c, CARREL_GONE);

		CHECK_INT(ev.status->code, 7);
		CHECK_INT(kill(init, 0), 0);
		for (int t = 0; t < 40 && kill(init, 0) == 0; t++)
			usleep(100000);
		CHECK_INT(kill(init, 0), -1);
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(signals)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i],
								      "trap 'echo usr' USR1; sleep 60 & sleep 0.1; echo x; wait; wait; exit 5")));

		until(c, CARREL_OUT);
		CHECK_INT(carrel_signal(p, SIGUSR1, 0), 0);
		CHECK_MEM(until(c, CARREL_OUT).data, 4, "usr\n", 4);
		CHECK_INT(carrel_signal(p, SIGSTOP, 0), 0);
		CHECK_INT(until(c, CARREL_STOPPED).sig, SIGSTOP);
		CHECK_INT(carrel_signal(p, SIGCONT, 0), 0);
		until(c, CARREL_CONTINUED);
		/* To every process: the sleep ends by it, and the shell says so again. */
		CHECK_INT(carrel_signal(p, SIGUSR1, 1), 0);
		carrel_event ev = until(c, CARREL_GONE);
		CHECK_INT(ev.status->code, 5);
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(an_init_that_was_killed)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i], "sleep 60 & echo x; wait")));

		until(c, CARREL_OUT);
		CHECK_INT(kill(init_of(p), SIGKILL), 0);
		carrel_event ev = until(c, CARREL_GONE);
		CHECK_INT((int)ev.status->cause, CARREL_BY_LOSS);
		CHECK_INT(ev.status->sig, SIGKILL);
		carrel_release(p);
		/* The handle goes on. */
		p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
		CHECK_INT(until(c, CARREL_GONE).status->code, 0);
		carrel_release(p);
	}
	carrel_close(c);
}

TEST(stop_and_close)
{
	carrel *c = open_isolating();

	for (int i = 0; i < N_KINDS; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[i], "trap '' TERM; echo x; while :; do sleep 0.1; done")));

		until(c, CARREL_OUT);
		CHECK_INT(carrel_stop(p, (carrel_step[]){ { SIGTERM, 200 } }, 1), 0);
		carrel_event ev = until(c, CARREL_GONE);
		CHECK_INT((int)ev.status->cause, CARREL_BY_STOP);
		CHECK_INT(ev.status->sig, SIGKILL);
		carrel_release(p);
	}
	carrel_proc *p = spawn(c, CARREL_SPEC(.ops = isolated(kinds[0], "sleep 60 & echo x; wait")));
	until(c, CARREL_OUT);
	pid_t init = init_of(p);
	carrel_close(c);
	CHECK_INT(kill(init, 0), -1);
}

/* Operations that fail, in every place and with little room for descriptors: a name each, and nothing left. */
TEST(failures)
{
	static const struct {
		const char *line;
		carrel_stage stage;
	} bad[] = {
		{ "before chdir(\"/no\")", CARREL_STAGE_CWD },
		{ "outside close(999)", CARREL_STAGE_FDS },
		{ "outside clone([16])", CARREL_STAGE_NAMESPACE },
		{ "outside id_map(999999999, \"deny\", \"\", \"\")", CARREL_STAGE_IDS },
		{ "init umount(\"/no\")", CARREL_STAGE_FILE },
		{ "init sethostname(\"x\")", CARREL_STAGE_PROCESS },
		{ "task setrlimit(rlimit_nofile, {alcove_rlimit, 5, 1})", CARREL_STAGE_RLIMIT },
	};
	carrel *c = open_isolating();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char ops[512];
		int index = strstr(bad[i].line, "clone") != NULL ? 0 : 1;

		snprintf(ops, sizeof(ops), "%s\n%s\ntask exec(\"true\", [\"true\"], env, \"/bin\")\n",
			 index == 1 ? "outside clone([clone_newuser, clone_newpid])" : "", bad[i].line);
		CHECK(carrel_spawn(c, CARREL_SPEC(.ops = ops), &e) == NULL);
		if (e.stage != bad[i].stage || e.index != index)
			tap_fail("%s: %s", bad[i].line, e.msg);
	}
	CHECK(carrel_spawn(c, CARREL_SPEC(.ops = "outside clone([clone_newuser])\ntask getpid()"), &e) == NULL);
	CHECK(strstr(e.msg, "no operation executes a command") != NULL);
	CHECK(carrel_spawn(c, CARREL_SPEC(.ops = "outside clone([clone_newuser])"), &e) == NULL);
	carrel_close(c);
}

/* The user that a task is outside. */
static unsigned user_of(pid_t pid)
{
	char path[40], line[200];
	unsigned uid = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "Uid: %u", &uid);
	if (f != NULL)
		fclose(f);
	return uid;
}

/* No task of root's can signal another, whichever handle of whichever process started them. */
TEST(users_of_their_own)
{
	enum { TASKS = 40 };
	carrel *c[2] = { open_isolating(), open_handle() };
	unsigned uid[2 * TASKS];

	if (geteuid() != 0)
		SKIP("only root has users to give");
	for (int i = 0; i < 2 * TASKS; i++) {
		carrel_proc *p = carrel_spawn(c[i % 2], CARREL_SPEC(.argv = CARREL_ARGV("sleep", "60"),
								     .behaviour = i % 3 ? "rootless" : "container"), &e);

		if (p == NULL) {
			tap_fail("%s", e.msg);
			break;
		}
		uid[i] = user_of(carrel_pid(p));
		CHECK(uid[i] >= 0x70000000 && uid[i] < 0x7ffe0000);
		for (int k = 0; k < i; k++)
			CHECK(uid[k] != uid[i]);
	}
	carrel_close(c[1]);
	/* What is gone gives its user back. */
	carrel_result r;
	for (int i = 0; i < 100; i++) {
		CHECK_INT(carrel_run(c[0], CARREL_SPEC(.shell = "exit 3", .behaviour = "rootless"), &r, &e), 0);
		CHECK_INT(r.status.code, 3);
		carrel_result_free(&r);
	}
	carrel_close(c[0]);
	carrel *again = open_handle();
	for (int i = 0; i < 100; i++) {
		carrel_proc *p = carrel_spawn(again, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "60"),
								  .behaviour = "rootless"), &e);

		CHECK(p != NULL);
		CHECK(user_of(carrel_pid(p)) < 0x78000000);
		CHECK_INT(carrel_stop(p, NULL, 0), 0);
		CHECK_INT(carrel_wait(p, NULL, 10000), 1);
		carrel_release(p);
	}
	carrel_close(again);
}
