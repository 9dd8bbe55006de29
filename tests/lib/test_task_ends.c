/* SPDX-License-Identifier: ISC */
/* How tasks end: one final event each, whoever is killed; stop, detach, cancel; and a long random walk. */
#include "tasks.h"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>

static struct seen a, b, c, d, f;

static void execute(carrel_task *t, const char *text_of_shell)
{
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sh", "-c", text_of_shell), &e));
}

/* The process is there until ${ms} have passed. */
static bool vanishes(pid_t pid, int ms)
{
	for (int i = 0; i < ms && exists(pid); i++)
		poll(NULL, 0, 1);
	return !exists(pid);
}

static pid_t printed_pid(const struct seen *s)
{
	return (pid_t)atoi(s->out);
}

/* ---------------------------------------------------------- by themselves --- */

/* T-107, T-108, T-110, R-055, R-057, L-003 */
TEST(ends_of_their_own)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(CALL(t, "exit", INT(111)));
	AWAIT(b.gone, 1);
	CHECK(b.status.exited && b.status.code == 111);
	t = fork_as(r, &c);
	OK(CALL(r, "kill", INT(pid_of(t)), INT(0)));
	OK(CALL(r, "kill", INT(pid_of(t)), name("sigkill")));
	AWAIT(c.gone, 1);
	CHECK(!c.status.exited && c.status.sig == SIGKILL);
	CHECK_INT((int)c.status.cause, CARREL_BY_ITSELF);
	CHECK(CALL(r, "kill", INT(pid_of(t)), INT(0)) == -1);
	CHECK_INT(errno, ESRCH);
	/* All that was written comes first, both streams full or not. */
	t = fork_as(r, &d);
	execute(t, "head -c 60000 /dev/zero; head -c 4000 /dev/zero >&2; exit 7");
	AWAIT(d.gone, 1);
	CHECK_INT((int)d.n_out, 60000);
	CHECK_INT((int)d.n_err, 4000);
	CHECK_INT(d.status.code, 7);
	CHECK_INT(d.eofs, 2);
	take_events(20);
	CHECK(b.gone == 1 && c.gone == 1 && d.gone == 1);
	done();
}

/* T-111, X-021, L-038 */
TEST(the_end_of_a_root)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	CHECK(CALL(r, "exit", INT(0)) == -1);
	check_error(CARREL_STAGE_PROCESS, EACCES, "children");
	OK(CALL(t, "exit", INT(0)));
	AWAIT(b.gone, 1);
	OK(CALL(r, "exit", INT(17)));
	AWAIT(a.gone, 1);
	CHECK(a.status.exited && a.status.code == 17);
	CHECK_INT(a.gone, 1);
	done();
}

/* T-186, X-023, L-035: somebody holds the pipes of a command that ended, and the root answers */
TEST(a_grandchild_that_stays)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	execute(t, "sleep 1000 & echo $!; wait");
	while (b.n_out == 0)
		take_events(10);
	OK(carrel_signal(carrel_task_proc(t), SIGKILL, 0));
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGKILL);
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	/* It is in the root's tree, and ends with that: L-024 */
	pid_t left = printed_pid(&b);
	CHECK(exists(left));
	done();
	CHECK(!exists(left));
	check_no_child();
}

/* Where asked or not: a command that is stopped and goes on */
TEST(stopped_and_continued)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	execute(t, "sleep 1000");
	OK(carrel_signal(carrel_task_proc(t), SIGSTOP, 0));
	AWAIT(b.stops, 1);
	CHECK_INT(b.sig, SIGSTOP);
	OK(carrel_signal(carrel_task_proc(t), SIGCONT, 0));
	AWAIT(b.goes_on, 1);
	CHECK_INT(b.gone, 0);
	done();
}

/* ------------------------------------------------------------ whoever is killed --- */

/* The tree of the tests: root, then one that waits for calls, below it another and a command, below that one more. */
struct tree {
	struct seen root, mid, low, low_command, command;
	carrel_task *r, *m, *l, *lc, *cmd;
};

static void plant(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	t->r = root(&t->root);
	t->m = fork_as(t->r, &t->mid);
	t->l = fork_as(t->m, &t->low);
	t->lc = fork_as(t->l, &t->low_command);
	t->cmd = fork_as(t->m, &t->command);
	execute(t->lc, "trap '' TERM HUP; setsid sleep 1000 & echo $!; sleep 1000");
	execute(t->cmd, "sleep 1000");
	while (t->low_command.n_out == 0)
		take_events(10);
}

/* L-026, T-182, T-183: one each, and nothing is left below */
TEST(any_of_them_killed)
{
	static struct tree t;

	for (int victim = 0; victim < 5; victim++) {
		plant(&t);
		pid_t deep = printed_pid(&t.low_command);
		carrel_task *const who[] = { t.r, t.m, t.l, t.lc, t.cmd };
		struct seen *const seen[] = { &t.root, &t.mid, &t.low, &t.low_command, &t.command };
		/* Who ends with it. */
		const bool ends[5][5] = { { 1, 1, 1, 1, 1 }, { 0, 1, 1, 1, 1 }, { 0, 0, 1, 1, 0 }, { 0, 0, 0, 1, 0 }, { 0, 0, 0, 0, 1 } };
		pid_t pid = pid_of(who[victim]);

		CHECK(kill(pid, SIGKILL) == 0);
		for (int i = 0; i < 5; i++) {
			if (ends[victim][i])
				AWAIT(seen[i]->gone, 1);
		}
		take_events(30);
		for (int i = 0; i < 5; i++) {
			CHECK_INT(seen[i]->gone, ends[victim][i]);
			if (ends[victim][i])
				CHECK_INT((int)carrel_task_is(who[i]), CARREL_TASK_ENDED);
		}
		CHECK_INT(seen[victim]->status.sig, SIGKILL);
		if (victim > 0) {
			CHECK_INT((int)seen[victim]->status.cause, CARREL_BY_ITSELF);
			CHECK_INT(NUMBER0(t.r, "getpid"), pid_of(t.r));
		}
		if (victim < 3)
			CHECK_INT((int)t.low_command.status.cause, victim > 0 ? CARREL_BY_LOSS : (int)t.low_command.status.cause);
		if (victim < 3)
			CHECK(vanishes(deep, 5000));
		done();
		CHECK(!exists(deep));
		check_no_child();
	}
}

/* The processes above the root: T-112, T-113, L-024, L-025 */
TEST(their_keepers_killed)
{
	static struct tree t;
	carrel_caps caps = { .size = sizeof(caps) };

	for (int victim = 0; victim < 4; victim++) {
		plant(&t);
		CHECK(carrel_probe(handle, &caps) == 0);
		pid_t reaper = (pid_t)status_of(pid_of(t.r), "PPid:");
		pid_t deep = printed_pid(&t.low_command);
		const pid_t who[] = { reaper, caps.supervisor, caps.guard, caps.nursery };

		CHECK(kill(who[victim], SIGKILL) == 0);
		AWAIT(t.low_command.gone, 1);
		AWAIT(t.command.gone, 1);
		AWAIT(t.mid.gone, 1);
		AWAIT(t.low.gone, 1);
		AWAIT(t.root.gone, 1);
		take_events(30);
		CHECK(t.low_command.gone == 1 && t.command.gone == 1 && t.mid.gone == 1 && t.low.gone == 1 && t.root.gone == 1);
		CHECK(vanishes(deep, 5000));
		CHECK(CALL0(t.l, "getpid") == -1);
		done();
		check_no_child();
	}
}

/* The host dies: everything does (T-113). */
TEST(the_host_killed)
{
	pid_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t host = fork();

	if (host == 0) {
		static struct tree t;

		plant(&t);
		shared[0] = printed_pid(&t.low_command);
		shared[1] = pid_of(t.l);
		shared[2] = pid_of(t.cmd);
		kill(getpid(), SIGKILL);
	}
	CHECK(waitpid(host, NULL, 0) == host);
	for (int i = 0; i < 3; i++)
		CHECK(shared[i] > 0 && vanishes(shared[i], 10000));
}

/* L-026, depth costs nothing: a dead ancestor silences nobody who was let go */
TEST(a_dead_ancestor_silences_nobody)
{
	carrel_task *r = root(&a), *m = fork_as(r, &b), *t = fork_as(m, &c);

	execute(t, "read x; exit 3");
	OK(carrel_task_detach(t) == 0 ? 0 : -1);
	CHECK(kill(pid_of(m), SIGKILL) == 0);
	AWAIT(b.gone, 1);
	take_events(30);
	/* Its streams were let go as well: the end of its input ended it. */
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.code, 3);
	CHECK_INT((int)c.status.cause, CARREL_BY_ITSELF);
	done();
}

/* ------------------------------------------------------------ stop and detach --- */

/* L-030, T-109: a stop ends what is below, politely first, and whoever does not listen */
TEST(stop)
{
	static const carrel_step steps[] = { { SIGTERM, 300 } };
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(r, &c), *t3 = fork_as(r, &d);

	execute(t, "sleep 1000");
	OK(carrel_stop(carrel_task_proc(t), NULL, 0));
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGTERM);
	CHECK_INT((int)b.status.cause, CARREL_BY_STOP);
	/* One that ignores it, with a descendant in a session of its own that does too, whose parent listens. */
	execute(t2, "trap '' TERM; (setsid sh -c \"trap '' TERM; while :; do sleep 1; done\" & echo $!; exec sleep 1000) & wait; while :; do sleep 1; done");
	while (c.n_out == 0)
		take_events(10);
	poll(NULL, 0, 50);
	OK(carrel_stop(carrel_task_proc(t2), steps, 1));
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.sig, SIGKILL);
	CHECK_INT((int)c.status.cause, CARREL_BY_STOP);
	CHECK(vanishes(printed_pid(&c), 5000));
	/* A task that waits for calls, with children */
	carrel_task *t4 = fork_as(t3, &f);
	execute(t4, "sleep 1000");
	OK(carrel_stop(carrel_task_proc(t3), steps, 1));
	AWAIT(d.gone, 1);
	AWAIT(f.gone, 1);
	CHECK_INT(d.gone + f.gone, 2);
	CHECK_INT(d.stops + f.stops, 0);
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	CHECK_INT((int)carrel_task_children(r, NULL, 0), 0);
	CHECK(carrel_stop(carrel_task_proc(t), NULL, 0) == -1);
	CHECK_INT(errno, ESRCH);
	done();
}

/* A branch that forks as fast as it can is ended too, and nobody else. */
TEST(stop_of_a_fork_bomb)
{
	static const carrel_step now[] = { { SIGKILL, 0 } };
	carrel_task *r = root_as(&a, NULL), *t = fork_as(r, &b), *t2 = fork_as(r, &c);

	execute(t2, "echo $$; sleep 1000");
	execute(t, "echo $$; f() { (f & sleep 0.05; f) & }; n=0; while [ $n -lt 200 ]; do (sleep 1000 & sleep 1000) & n=$((n + 1)); done; wait");
	while (b.n_out == 0 || c.n_out == 0)
		take_events(10);
	poll(NULL, 0, 100);
	OK(carrel_stop(carrel_task_proc(t), now, 1));
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGKILL);
	CHECK(exists(printed_pid(&c)));
	/* Nobody of it went to the reaper. */
	carrel_info info[16];
	for (int i = 0; i < 2000 && carrel_tree(carrel_task_proc(r), info, 16) > 3; i++)
		poll(NULL, 0, 2);
	CHECK(carrel_tree(carrel_task_proc(r), info, 16) <= 3);
	done();
}

/* L-022: whom an unprivileged parent could not signal; and the others */
TEST(another_user_below)
{
	static const carrel_step now[] = { { SIGKILL, 0 } };

	if (geteuid() != 0)
		SKIP("only root becomes somebody else");
	carrel_task *r = root(&a), *t = fork_as(r, &b), *other = fork_as(t, &c), *third = fork_as(t, &d);
	OK(CALL(t, "setresuid", INT(USER), INT(USER), INT(USER)));
	OK(CALL(third, "setresuid", INT(USER + 1), INT(USER + 1), INT(USER + 1)));
	CHECK(CALL(t, "kill", INT(pid_of(other)), name("sigkill")) == -1);
	CHECK_INT(errno, EPERM);
	execute(other, "trap '' TERM; while :; do sleep 1; done");
	OK(carrel_stop(carrel_task_proc(t), now, 1));
	AWAIT(b.gone, 1);
	AWAIT(c.gone, 1);
	AWAIT(d.gone, 1);
	CHECK_INT(c.status.sig, SIGKILL);
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	done();
	check_no_child();
}

/* R-056, T-184: release ends it and what is below, and nobody hears of them again */
TEST(release)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(t, &c);
	pid_t pid = pid_of(t2);

	execute(t2, "trap '' TERM; while :; do sleep 1; done");
	carrel_release(carrel_task_proc(t));
	CHECK_INT((int)carrel_task_children(r, NULL, 0) <= 1, 1);
	AWAIT(c.gone, 1);
	CHECK(vanishes(pid, 5000));
	CHECK_INT(b.gone, 0);
	for (int i = 0; i < 1000 && carrel_task_children(r, NULL, 0) > 0; i++)
		take_events(2);
	CHECK_INT((int)carrel_task_children(r, NULL, 0), 0);
	CHECK(carrel_task_parent(t2) == NULL);
	done();
}

/* L-030: detach is something else */
TEST(detach)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(t, &c);

	CHECK(carrel_task_detach(t2) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK(carrel_task_detach(r) == -1);
	execute(t2, "exec sleep 1000");
	OK(carrel_task_detach(t2));
	pid_t pid = pid_of(t2);
	OK(carrel_signal(carrel_task_proc(t), SIGKILL, 0));
	AWAIT(b.gone, 1);
	poll(NULL, 0, 100);
	CHECK(exists(pid));
	carrel_release(carrel_task_proc(t2));
	poll(NULL, 0, 100);
	CHECK(exists(pid));
	/* The root's tree is the kill domain of all. */
	done();
	CHECK(!exists(pid));
}

/* A signal for the whole branch, once to each. */
TEST(signals_for_a_branch)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(t, &c), *other = fork_as(r, &d);

	OK(CALL(t, "sigaction", name("sigusr1"), name("sig_info")));
	OK(CALL(t2, "sigaction", name("sigusr1"), name("sig_info")));
	OK(CALL(other, "sigaction", name("sigusr1"), name("sig_info")));
	OK(carrel_signal(carrel_task_proc(t), SIGUSR1, 1));
	AWAIT(b.signals, 1);
	AWAIT(c.signals, 1);
	OK(carrel_signal(carrel_task_proc(t), SIGUSR1, 0));
	AWAIT(b.signals, 2);
	take_events(50);
	CHECK_INT(c.signals, 1);
	CHECK_INT(d.signals, 0);
	done();
}

/* --------------------------------------------------------- deadlines, cancel --- */

static const carrel_call_options soon = { .size = sizeof(soon), .deadline_ms = 100 };

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* L-016, L-020, R-082: a call that waits ends at its deadline, and the task goes on */
TEST(deadlines)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *child = fork_as(t, &c);
	carrel_value none = CARREL_VALUE_LIST(NULL, 0), in[] = { INT(0) }, pollin[] = { name("pollin") };
	char fifo[] = "/tmp/carrel-task-fifo-XXXXXX";

	CHECK(mkdtemp(fifo) != NULL);
	char path[64];
	snprintf(path, sizeof(path), "%s/f", fifo);
	OK(CALL(t, "mkfifo", text(path), INT(0600)));
	/* Whoever waits in the kernel: read, select, poll, waitpid, open of a pipe without a writer, a full pipe */
	struct {
		const char *what;
		carrel_value v[4];
		size_t n;
	} waits[] = {
		{ "read", { INT(0), INT(10) }, 2 },
		{ "select", { CARREL_VALUE_LIST(in, 1), none, none, none }, 4 },
		{ "poll", { INT(0), CARREL_VALUE_LIST(pollin, 1), INT(-1) }, 3 },
		{ "open", { text(path), none, INT(0) }, 3 },
		{ "waitpid", { INT(-1), none }, 2 },
	};
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		CHECK(carrel_task_call(t, waits[i].what, waits[i].v, waits[i].n, &soon, NULL, &e) == -1);
		CHECK_INT(errno, ETIMEDOUT);
		CHECK(strstr(e.msg, waits[i].what) != NULL && strstr(e.msg, "100 ms") != NULL);
		CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	}
	/* One that is done in time is not touched by its deadline. */
	CHECK(carrel_write(carrel_task_proc(t), "word", 4) == 4);
	OK(carrel_task_call(t, "read", VALUES(INT(0), INT(10)), &soon, &got, &e));
	CHECK_MEM(got->data, got->size, "word", 4);
	carrel_value_free(got);
	CHECK_INT(NUMBER0(child, "getpid"), pid_of(child));
	CHECK(carrel_task_call(t, "getpid", NULL, 0, &(carrel_call_options){ .size = 1 }, NULL, &e) == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "carrel_call_options");
	OK(CALL(t, "unlink", text(path)));
	CHECK(rmdir(fifo) == 0);
	done();
}

/* L-020: others are not hurt by one that waits: they answer, their output flows, their ends are told */
TEST(a_call_that_waits_hurts_nobody)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *child = fork_as(t, &c), *other = fork_as(r, &d);
	const carrel_call_options later = { .size = sizeof(later), .deadline_ms = 3000 };
	int64_t begin = now_ms();
	pid_t caller = 0;

	execute(child, "sleep 0.2; echo out; exit 5");
	/* In a thread it would be the same; here the reader of the events is the caller itself, later. */
	(void)caller;
	CHECK(carrel_task_call(t, "read", VALUES(INT(0), INT(1)), &soon, NULL, &e) == -1);
	CHECK_INT(NUMBER0(other, "getpid"), pid_of(other));
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.code, 5);
	CHECK(now_ms() - begin < 2900);
	/* The end of a child is told while its parent waits in a call. */
	carrel_task *child2 = fork_as(t, &f);
	execute(child2, "exit 6");
	CHECK(carrel_task_call(t, "read", VALUES(INT(0), INT(1)), &later, NULL, &e) == -1 || true);
	AWAIT(f.gone, 1);
	CHECK_INT(f.status.code, 6);
	done();
}

/* A task that is stopped does not answer; the caller goes on, and so does the task when it is continued. */
TEST(a_task_that_does_not_answer)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	CHECK(kill(pid_of(t), SIGSTOP) == 0);
	CHECK(carrel_task_call(t, "getpid", NULL, 0, &soon, NULL, &e) == -1);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK(carrel_task_cancel(t) == -1);
	CHECK_INT(errno, ESRCH);
	CHECK(kill(pid_of(t), SIGCONT) == 0);
	/* The late answer is nobody's. */
	CHECK_INT(NUMBER0(t, "getuid"), getuid());
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	done();
}

/* A task that dies in a call. */
TEST(killed_in_a_call)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	pid_t pid = pid_of(t), killer = fork();

	if (killer == 0) {
		poll(NULL, 0, 100);
		kill(pid, SIGKILL);
		_exit(0);
	}
	CHECK(CALL(t, "read", INT(0), INT(1)) == -1);
	check_error(CARREL_STAGE_CHANNEL, EPIPE, "during the call");
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGKILL);
	CHECK(waitpid(killer, NULL, 0) == killer);
	/* By its own hand: R-066, T-133 */
	t = fork_as(r, &c);
	CHECK(CALL(t, "kill", INT(pid_of(t)), name("sigkill")) == -1);
	CHECK_INT(errno, EPIPE);
	AWAIT(c.gone, 1);
	done();
}

/* ------------------------------------------------------------- a random walk --- */

#ifdef CARREL_SANITIZED
#define STEPS 1500
#else
#define STEPS 4000
#endif
#define LIVE 40
#define MADE 4096

static struct walk {
	struct small {
		int gone;
		bool executed, released;
	} seen[MADE];
	carrel_task *task[MADE];
	int made;
	uint64_t x;
} w;

static unsigned chance(unsigned n)
{
	w.x ^= w.x << 13;
	w.x ^= w.x >> 7;
	w.x ^= w.x << 17;
	return (unsigned)(w.x >> 11) % n;
}

static void walk_event(const carrel_event *ev)
{
	struct small *s = ev->user;

	if (s == NULL || ev->kind != CARREL_GONE)
		return;
	s->gone++;
	CHECK_INT(s->gone, 1);
	CHECK(!s->released);
}

static void walk_events(int ms)
{
	carrel_event ev = { .size = sizeof(ev) };

	while (carrel_next(handle, &ev, ms) == 1)
		walk_event(&ev);
}

static int alive(void)
{
	int n = 0;

	for (int i = 0; i < w.made; i++)
		n += w.seen[i].gone == 0 && !w.seen[i].released;
	return n;
}

static int one_alive(void)
{
	for (int tries = 0; tries < 200 && w.made > 0; tries++) {
		int i = (int)chance((unsigned)w.made);

		if (w.seen[i].gone == 0 && !w.seen[i].released)
			return i;
	}
	return -1;
}

/* An error is allowed: the other may have ended. */
static void walk_step(void)
{
	static const char *const calls[] = { "getpid", "getuid", "getcwd", "getgroups", "environ", "cpid" };
	static const carrel_step gentle[] = { { SIGTERM, 20 } };
	int i = one_alive();
	carrel_task *t = i >= 0 ? w.task[i] : NULL;

	if (t == NULL || (w.made < MADE - 1 && alive() < LIVE && chance(3) == 0)) {
		uint64_t ns = geteuid() == 0 && chance(8) == 0 ? CLONE_NEWPID | CLONE_NEWUTS : 0;
		carrel_task *child;

		if (t == NULL)
			child = carrel_task_open(handle, CARREL_SPEC(.user = &w.seen[w.made]), &e);
		else
			child = carrel_task_fork(t, &(carrel_fork){ .size = sizeof(carrel_fork), .user = &w.seen[w.made],
								    .namespaces = ns }, &e);
		if (child != NULL)
			w.task[w.made++] = child;
		return;
	}
	switch (chance(14)) {
	case 0:
		carrel_task_execvp(t, NULL, CARREL_ARGV("sleep", "1000"), &e);
		break;
	case 1:
		carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e);
		break;
	case 2:
		if (i > 0)
			kill(pid_of(t), SIGKILL);
		break;
	case 3:
		carrel_stop(carrel_task_proc(t), gentle, 1);
		break;
	case 4:
		carrel_signal(carrel_task_proc(t), SIGTERM, (int)chance(2));
		break;
	case 5:
		CALL(t, "exit", INT(3));
		break;
	case 6:
		w.seen[i].released = true;
		carrel_release(carrel_task_proc(t));
		break;
	case 7:
		carrel_task_reexec(t, NULL, NULL, &e);
		break;
	case 8:
		carrel_task_call(t, "read", VALUES(INT(0), INT(1)), &(carrel_call_options){ .size = sizeof(carrel_call_options),
				 .deadline_ms = 5 }, NULL, &e);
		break;
	case 9:
		carrel_write(carrel_task_proc(t), "text", 4);
		break;
	default:
		carrel_task_call(t, calls[chance(6)], NULL, 0, NULL, NULL, &e);
		break;
	}
}

/* After every close: no process, no descriptor, and under ASan no memory. */
TEST_T(a_random_walk, 600)
{
	const char *seed = getenv("SEED");
	int before = descriptors(), steps = 0, made = 0, ended = 0;

	w.x = seed != NULL ? strtoull(seed, NULL, 0) : 88172645463325252U;
	for (int round = 0; steps < STEPS; round++) {
		memset(w.seen, 0, sizeof(w.seen));
		w.made = 0;
		handle = carrel_open(NULL, &e);
		CHECK(handle != NULL);
		for (int n = 200 + (int)chance(400); n > 0 && w.made < MADE - 1; n--, steps++) {
			walk_step();
			walk_events(0);
		}
		/* Half of the time the close finds them as they are; else each has its one end. */
		if (round % 2 == 0) {
			for (int i = 0; i < w.made; i++) {
				if (w.seen[i].gone == 0 && !w.seen[i].released && carrel_task_parent(w.task[i]) == NULL)
					carrel_stop(carrel_task_proc(w.task[i]), &(carrel_step){ SIGKILL, 0 }, 1);
			}
			for (int tries = 0; alive() > 0 && tries < 400; tries++)
				walk_events(50);
			CHECK_INT(alive(), 0);
		}
		for (int i = 0; i < w.made; i++)
			ended += w.seen[i].gone;
		made += w.made;
		done();
		check_no_child();
		CHECK_INT(descriptors(), before);
	}
	/* It was a walk, and no standing around. */
	fprintf(stderr, "# %d steps, %d tasks, %d ends told\n", steps, made, ended);
	CHECK(made > STEPS / 20 && ended > made / 4);
}
