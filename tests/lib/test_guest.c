/* SPDX-License-Identifier: ISC */
/* A good guest: descriptors, signals, forks and threads of the host are its own. */
#include "tap.h"

#include <carrel.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

static carrel_error e;

static int count_fds(int *ret_inherited)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	*ret_inherited = 0;

	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		int fd = atoi(f->d_name);

		if (f->d_name[0] == '.' || fd == dirfd(d))
			continue;
		n++;
		*ret_inherited += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	closedir(d);
	return n;
}

TEST(descriptors)
{
	int inherited, now, before = count_fds(&inherited);

	carrel *c = carrel_open(NULL, &e);
	CHECK(c != NULL);
	carrel_proc *p[20];
	for (int i = 0; i < 20; i++) {
		p[i] = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100"), .in.kind = CARREL_PIPE), &e);
		CHECK(p[i] != NULL);
		CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("no-such"), .in.kind = CARREL_PIPE), &e) == NULL);
	}
	/* Nothing of the library's goes on into what the host executes. */
	count_fds(&now);
	CHECK_INT(now, inherited);
	for (int i = 0; i < 20; i++)
		carrel_release(p[i]);
	carrel_close(c);
	CHECK_INT(count_fds(&now), before);
}

TEST(signals_are_untouched)
{
	struct sigaction before[NSIG], after;
	sigset_t mask_before, mask_after;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, NULL, &before[sig]);
	sigprocmask(SIG_BLOCK, NULL, &mask_before);
	carrel *c = carrel_open(NULL, &e);
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.shell = "exec <&-; sleep 1", .in.kind = CARREL_PIPE), &e);
	CHECK(p != NULL);
	usleep(200000);
	/* SIGPIPE at its default would end us here. */
	CHECK_INT(carrel_write(p, "x", 1), -1);
	CHECK_INT(errno, EPIPE);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &after) == 0)
			CHECK(after.sa_handler == before[sig].sa_handler && after.sa_flags == before[sig].sa_flags);
	}
	sigprocmask(SIG_BLOCK, NULL, &mask_after);
	CHECK(memcmp(&mask_before, &mask_after, 8) == 0);
	sigset_t pending;
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	carrel_close(c);
}

TEST(a_forked_child_of_the_host)
{
	carrel *c = carrel_open(NULL, &e);
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")), &e);
	pid_t child = fork();

	if (child == 0) {
		carrel_event ev = { .size = sizeof(ev) };

		CHECK_INT(carrel_next(c, &ev, 0), -1);
		CHECK_INT(errno, ECHILD);
		CHECK_INT(carrel_signal(p, SIGTERM, 0), -1);
		CHECK_INT(errno, ECHILD);
		CHECK_INT(carrel_wait(p, NULL, 0), -1);
		CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e) == NULL);
		CHECK_INT(e.err, ECHILD);
		carrel_release(p);
		carrel_close(c);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	CHECK_INT(kill(carrel_pid(p), 0), 0);
	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e) != NULL);
	carrel_close(c);
}

/* The host dies while a child that it forked still has a copy of the socket. */
TEST(copies_of_the_socket)
{
	int out[2];
	pid_t pid[2] = { 0, 0 };

	CHECK(pipe(out) == 0);
	pid_t host = fork();
	if (host == 0) {
		carrel *c = carrel_open(NULL, &e);
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "100")), &e);

		pid[0] = carrel_pid(p);
		pid[1] = fork();
		if (pid[1] == 0) {
			pause();
			_exit(0);
		}
		if (write(out[1], pid, sizeof(pid)) < 0)
			_exit(1);
		pause();
	}
	CHECK_INT(read(out[0], pid, sizeof(pid)), (long long)sizeof(pid));
	kill(host, SIGKILL);
	waitpid(host, NULL, 0);
	for (int i = 0; i < 100 && kill(pid[0], 0) == 0; i++)
		usleep(20000);
	CHECK_INT(kill(pid[0], 0), -1);
	kill(pid[1], SIGKILL);
	waitpid(pid[1], NULL, 0);
	close(out[0]);
	close(out[1]);
	/* And closing does not wait for such a copy. */
	carrel *c = carrel_open(NULL, &e);
	pid_t copy = fork();
	if (copy == 0) {
		pause();
		_exit(0);
	}
	carrel_close(c);
	CHECK_INT(kill(copy, 0), 0);
	kill(copy, SIGKILL);
	waitpid(copy, NULL, 0);
}

struct threads {
	carrel *c;
	atomic_int spawned, gone;
};

static void *spawner(void *arg)
{
	struct threads *t = arg;
	carrel_error mine;

	for (int i = 0; i < 100; i++) {
		if (carrel_spawn(t->c, CARREL_SPEC(.shell = "echo $$"), &mine) == NULL)
			CHECK_STR(carrel_strerror(&mine), "a process");
		atomic_fetch_add(&t->spawned, 1);
	}
	return NULL;
}

static void *runner(void *arg)
{
	struct threads *t = arg;
	carrel_error mine;

	for (int i = 0; i < 30; i++) {
		carrel_result r;

		CHECK_INT(carrel_run(t->c, CARREL_SPEC(.shell = "echo mine"), &r, &mine), 0);
		CHECK_STR(r.out, "mine\n");
		carrel_result_free(&r);
	}
	return NULL;
}

TEST_T(threads_on_one_handle, 120)
{
	struct threads t = { .c = carrel_open(NULL, &e) };
	pthread_t th[4];
	carrel_event ev = { .size = sizeof(ev) };

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&th[i], NULL, i < 3 ? spawner : runner, &t) == 0);
	int gone = 0;
	while (gone < 300) {
		int r = carrel_next(t.c, &ev, 20000);

		CHECK(r >= 0);
		/* None lives at this moment. */
		if (r == 0)
			usleep(1000);
		gone += r == 1 && ev.kind == CARREL_GONE;
		if (r == 1 && ev.kind == CARREL_GONE)
			carrel_release(ev.proc);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(th[i], NULL);
	CHECK_INT(t.spawned, 300);
	carrel_close(t.c);
}

static void *waiter(void *arg)
{
	carrel_event ev = { .size = sizeof(ev) };

	carrel_next(arg, &ev, -1);
	carrel_next(arg, &ev, 1000);
	return NULL;
}

TEST(one_caller_of_next)
{
	carrel *c = carrel_open(NULL, &e);
	carrel_event ev = { .size = sizeof(ev) };
	pthread_t th;

	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1")), &e) != NULL);
	CHECK(pthread_create(&th, NULL, waiter, c) == 0);
	usleep(300000);
	CHECK_INT(carrel_next(c, &ev, 0), -1);
	CHECK_INT(errno, EBUSY);
	pthread_join(th, NULL);
	carrel_close(c);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(interrupted_waits_go_on)
{
	carrel *c = carrel_open(NULL, &e);
	carrel_event ev = { .size = sizeof(ev) };
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGUSR1, &sa, NULL);
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1")), &e);
	CHECK(p != NULL);
	pid_t me = getpid(), child = fork();
	if (child == 0) {
		for (int i = 0; i < 20; i++) {
			usleep(20000);
			kill(me, SIGUSR1);
		}
		_exit(0);
	}
	int r;
	while ((r = carrel_next(c, &ev, -1)) == 1 && ev.kind != CARREL_GONE)
		;
	CHECK_INT(r, 1);
	waitpid(child, NULL, 0);
	carrel_close(c);
}
