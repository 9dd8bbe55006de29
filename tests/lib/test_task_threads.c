/* SPDX-License-Identifier: ISC */
/* Tasks and threads: handles of their own, one that they share, one task that they share. */
#include "tasks.h"

#include <poll.h>
#include <pthread.h>

#ifdef CARREL_SANITIZED
#define TURNS 8
#else
#define TURNS 20
#endif
#define SHARERS 10

/* An error of each thread's own. */
static int64_t number_in(carrel_task *t, const char *what)
{
	carrel_value *v = NULL;
	carrel_error mine;
	int64_t n = carrel_task_call(t, what, NULL, 0, NULL, &v, &mine) == 0 && v->kind == CARREL_INT ? v->number : -1;

	carrel_value_free(v);
	return n;
}

static int exit_with(carrel_task *t, int code)
{
	const carrel_value v = CARREL_VALUE_INT(code);
	carrel_error mine;

	return carrel_task_call(t, "exit", &v, 1, NULL, NULL, &mine);
}

/* ------------------------------------------------------------ two handles --- */

static void *own_handle(void *arg)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error mine;
	carrel *c = carrel_open(NULL, &mine);
	carrel_task *r = c != NULL ? carrel_task_open(c, NULL, &mine) : NULL;
	int gone = 0;

	(void)arg;
	CHECK(r != NULL);
	for (int i = 0; i < TURNS; i++) {
		carrel_task *t = carrel_task_fork(r, NULL, &mine);

		CHECK(t != NULL);
		CHECK(number_in(t, "getpid") == carrel_pid(carrel_task_proc(t)));
		if (i % 2 == 0)
			CHECK(exit_with(t, i) == 0);
		else
			CHECK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &mine) == 0);
		while (gone == i && carrel_next(c, &ev, 20000) == 1) {
			if (ev.kind != CARREL_GONE)
				continue;
			CHECK(ev.task == t && ev.status->exited && ev.status->code == (i % 2 == 0 ? i : 0));
			gone++;
		}
	}
	CHECK(gone == TURNS);
	carrel_close(c);
	return NULL;
}

TEST_T(two_handles, 300)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&thread[i], NULL, own_handle, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	check_no_child();
}

/* ------------------------------------------------------------ one handle --- */

static carrel_task *shared_root, *shared_task;
static atomic_int made, ended;
static atomic_bool all_made;

/* they fork from one root, and one child, and each hears the answers to its own calls */
static void *share(void *arg)
{
	carrel_error mine;

	for (int i = 0; i < TURNS; i++) {
		carrel_task *t = carrel_task_fork(arg != NULL ? shared_task : shared_root, NULL, &mine);

		CHECK(t != NULL);
		atomic_fetch_add(&made, 1);
		CHECK(carrel_task_children(t, NULL, 0) == 0);
		CHECK(number_in(t, "getpid") == carrel_pid(carrel_task_proc(t)));
		CHECK(number_in(shared_task, "getpid") == carrel_pid(carrel_task_proc(shared_task)));
		CHECK(carrel_task_parent(t) == (arg != NULL ? shared_task : shared_root));
		if (i % 3 == 0) {
			CHECK(carrel_task_execvp(t, NULL, CARREL_ARGV("sleep", "1000"), &mine) == 0);
			CHECK(carrel_stop(carrel_task_proc(t), &(carrel_step){ SIGTERM, 5000 }, 1) == 0);
		} else if (i % 3 == 1) {
			CHECK(carrel_signal(carrel_task_proc(t), SIGKILL, 0) == 0);
		} else {
			CHECK(exit_with(t, 0) == 0);
		}
	}
	return NULL;
}

static void *read_events(void *arg)
{
	carrel_event ev = { .size = sizeof(ev) };

	(void)arg;
	while (!atomic_load(&all_made) || atomic_load(&ended) < atomic_load(&made)) {
		int r = carrel_next(handle, &ev, 100);

		CHECK(r >= 0);
		if (r == 1 && ev.kind == CARREL_GONE) {
			atomic_fetch_add(&ended, 1);
			carrel_release(ev.proc);
		}
	}
	return NULL;
}

static void share_all(bool reader)
{
	pthread_t thread[SHARERS + 1];

	handle = carrel_open(NULL, &e);
	shared_root = carrel_task_open(handle, NULL, &e);
	CHECK(shared_root != NULL);
	shared_task = fork_as(shared_root, NULL);
	OK(CALL(shared_root, "setopt", name("maxchild"), INT(10000)));
	OK(CALL(shared_task, "setopt", name("maxchild"), INT(10000)));
	if (reader)
		CHECK(pthread_create(&thread[SHARERS], NULL, read_events, NULL) == 0);
	for (intptr_t i = 0; i < SHARERS; i++)
		CHECK(pthread_create(&thread[i], NULL, share, i % 2 == 0 ? NULL : &made) == 0);
	for (int i = 0; i < SHARERS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	atomic_store(&all_made, true);
	if (reader)
		CHECK(pthread_join(thread[SHARERS], NULL) == 0);
	else
		read_events(NULL);
	CHECK_INT(atomic_load(&made), SHARERS * TURNS);
	CHECK_INT(atomic_load(&ended), SHARERS * TURNS);
	CHECK_INT((int)carrel_task_children(shared_root, NULL, 0), 1);
	CHECK_INT((int)carrel_task_children(shared_task, NULL, 0), 0);
	done();
	check_no_child();
}

TEST_T(one_handle, 300)
{
	share_all(false);
}

TEST_T(one_handle_with_a_reader, 300)
{
	share_all(true);
}

/* --------------------------------------------------------- calls that wait --- */

static carrel_error waiter_error;
static atomic_int waiter_errors;
static atomic_bool waiting;
static pthread_mutex_t waiter_lock = PTHREAD_MUTEX_INITIALIZER;
static bool reads;		/* the waiter waits for input; else for nothing at all */

static void *wait_in_a_call(void *arg)
{
	const carrel_value v[] = { CARREL_VALUE_INT(0), CARREL_VALUE_INT(1) };
	const carrel_value nothing[4] = { { .kind = CARREL_NONE } };

	atomic_store(&waiting, true);
	carrel_error mine = { 0 };
	int r = reads ? carrel_task_call(arg, "read", v, 2, NULL, NULL, &mine)
		      : carrel_task_call(arg, "select", nothing, 4, NULL, NULL, &mine);
	if (r == 0)
		return arg;
	atomic_fetch_add(&waiter_errors, mine.err == EPIPE || mine.err == ESRCH);
	pthread_mutex_lock(&waiter_lock);
	waiter_error = mine;
	pthread_mutex_unlock(&waiter_lock);
	return NULL;
}

static pthread_t start_waiter(carrel_task *t)
{
	pthread_t thread;

	atomic_store(&waiting, false);
	CHECK(pthread_create(&thread, NULL, wait_in_a_call, t) == 0);
	while (!atomic_load(&waiting))
		poll(NULL, 0, 1);
	return thread;
}

/* L-020: another thread ends it, and the task goes on; however early the word comes */
TEST_T(cancel, 120)
{
	static struct seen a, b, c;
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	void *result;

	for (int i = 0; i < 200; i++) {
		reads = i % 2 == 0;
		pthread_t thread = start_waiter(t);

		poll(NULL, 0, i % 16 == 0 ? 20 : 0);
		while (carrel_task_cancel(t) == -1)
			CHECK_INT(errno, ESRCH);
		CHECK(pthread_join(thread, &result) == 0);
		CHECK(result == NULL);
		CHECK_INT(waiter_error.err, ECANCELED);
		CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	}
	/* Nobody else is kept waiting: other tasks answer, children's ends and signals are told. */
	carrel_task *child = fork_as(t, &c), *other = fork_as(r, NULL);
	OK(CALL(t, "sigaction", name("sigusr1"), name("sig_info")));
	reads = true;
	pthread_t thread = start_waiter(t);
	poll(NULL, 0, 20);
	for (int i = 0; i < 10; i++)
		CHECK_INT(NUMBER0(other, "getpid"), pid_of(other));
	CHECK(carrel_signal(carrel_task_proc(t), SIGUSR1, 0) == 0);
	CHECK(carrel_signal(carrel_task_proc(child), SIGKILL, 0) == 0);
	CHECK(carrel_wait(carrel_task_proc(child), NULL, 10000) == 1);
	AWAIT(c.gone, 1);
	AWAIT(b.signals, 1);
	/* A second caller waits for its turn, as long as it wants to. */
	CHECK(carrel_task_call(t, "getpid", NULL, 0, &(carrel_call_options){ .size = sizeof(carrel_call_options), .deadline_ms = 50 },
			       NULL, &e) == -1);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK(carrel_write(carrel_task_proc(t), "x", 1) == 1);
	CHECK(pthread_join(thread, &result) == 0);
	CHECK(result == t);
	done();
}

/* Released, and its tree killed, while somebody waits in it. */
TEST_T(released_in_a_call, 120)
{
	static struct seen a;

	reads = false;
	for (int i = 0; i < 6; i++) {
		carrel_task *r = root(&a), *t = fork_as(r, NULL), *victim = i % 3 == 0 ? t : i % 3 == 1 ? fork_as(t, NULL) : r;
		void *result[3];
		pthread_t thread[3];

		/* One waits in the call, two more for their turn. */
		for (int k = 0; k < 3; k++)
			thread[k] = start_waiter(victim);
		poll(NULL, 0, 10);
		carrel_release(carrel_task_proc(i % 3 == 2 ? r : t));
		for (int k = 0; k < 3; k++) {
			CHECK(pthread_join(thread[k], &result[k]) == 0);
			CHECK(result[k] == NULL);
		}
		CHECK(waiter_errors == (i + 1) * 3);
		done();
		check_no_child();
	}
}

/* The default of a task, which the tasks below it inherit: L-016 */
TEST_T(default_deadlines, 120)
{
	static struct seen a;
	carrel_task *r = root(&a);

	OK(carrel_task_deadline(r, 60));
	carrel_task *t = fork_as(r, NULL);
	CHECK(CALL(t, "read", INT(0), INT(1)) == -1);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK(kill(pid_of(t), SIGSTOP) == 0);
	CHECK(carrel_task_fork(t, NULL, &e) == NULL);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e) == -1);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK(carrel_task_deadline(t, -2) == -1);
	done();
	check_no_child();
}
