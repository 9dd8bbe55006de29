/* SPDX-License-Identifier: ISC */
/*
 * A guest in its host: sixteen threads and much memory, handles of their own and one that they share.
 * Also built with ThreadSanitizer (make tsan).
 */
#include "common.h"

#include "pattern.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

#ifdef CARREL_SANITIZED
#define TOUCHED ((size_t)64 << 20)
#define ROUNDS 3
#else
#define TOUCHED ((size_t)2 << 30)
#define ROUNDS 12
#endif
#define OWNERS 11		/* threads with handles of their own */
#define SHARERS 4		/* ... that share one, which one more thread reads */
#define BYTES 100000

static atomic_int forks;

static void forked(void)
{
	atomic_fetch_add(&forks, 1);
}

/* ---------------------------------------------------- who looks on --- */

/* Descriptors that the test itself has without close-on-exec. */
static bool known[1024];
static atomic_bool over;
static atomic_int open_handles;	/* at most so many */

static bool closes_on_exec(const char *fd)
{
	char path[300], text[256];
	unsigned long flags;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", fd);
	int f = open(path, O_RDONLY | O_CLOEXEC);
	/* Closed meanwhile. */
	if (f == -1)
		return true;
	ssize_t n = read(f, text, sizeof(text) - 1);
	close(f);
	if (n <= 0)
		return true;
	text[n] = 0;
	const char *line = strstr(text, "flags:");
	if (line == NULL || sscanf(line, "flags: %lo", &flags) != 1)
		return true;
	return flags & O_CLOEXEC;
}

static void look_at_descriptors(bool learn)
{
	DIR *d = opendir("/proc/self/fdinfo");

	for (struct dirent *f; d != NULL && (f = readdir(d)) != NULL;) {
		int fd = f->d_name[0] == '.' ? -1 : atoi(f->d_name);

		if (fd < 0 || fd >= 1024 || (!learn && known[fd]) || closes_on_exec(f->d_name))
			continue;
		if (learn)
			known[fd] = true;
		else
			tap_fail("descriptor %d was seen without close-on-exec", fd);
	}
	if (d != NULL)
		closedir(d);
}

/* All children of all threads. */
static int children(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *t; d != NULL && (t = readdir(d)) != NULL;) {
		char path[300];
		int pid;

		snprintf(path, sizeof(path), "/proc/self/task/%s/children", t->d_name);
		FILE *f = t->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f != NULL && fscanf(f, "%d", &pid) == 1)
			n++;
		if (f != NULL)
			fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static void *watcher(void *arg)
{
	int *looks = arg;

	while (!atomic_load(&over)) {
		look_at_descriptors(false);
		/* One control process a handle, and nothing else. */
		int most = atomic_load(&open_handles), n = children();
		if (n > OWNERS + 1)
			tap_fail("%d children, of %d handles", n, most);
		++*looks;
	}
	return NULL;
}

/* --------------------------------------------- what the threads do --- */

/* Bytes through cat, with the reading and writing in one thread. */
static void through_cat(carrel *c, uint64_t seed)
{
	unsigned char *mem = malloc(BYTES);
	carrel_event ev = { .size = sizeof(ev) };
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE));
	size_t sent = 0, got = 0;
	bool room = true;

	CHECK(mem != NULL);
	pattern_fill(seed, 0, 0, mem, BYTES);
	do {
		if (room && sent < BYTES) {
			ssize_t n = carrel_write(p, mem + sent, BYTES - sent);

			CHECK(n >= 0);
			sent += (size_t)n;
			room = false;
			if (sent == BYTES)
				CHECK_INT(carrel_eof(p), 0);
		}
		CHECK_INT(carrel_next(c, &ev, 60000), 1);
		room |= ev.kind == CARREL_STDIN_ROOM;
		if (ev.kind == CARREL_OUT) {
			CHECK_INT(pattern_differs(seed, 0, got, ev.data, ev.len), -1);
			got += ev.len;
		}
	} while (ev.kind != CARREL_GONE);
	CHECK_INT((long long)got, BYTES);
	carrel_release(p);
	free(mem);
}

static void *owner(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
			carrel_result r;
		carrel_status st;

		atomic_fetch_add(&open_handles, 1);
		carrel *c = carrel_open(NULL, &e);
		if (c == NULL)
			tap_fail("%s", carrel_strerror(&e));
		through_cat(c, seed * 1000 + (unsigned)i);
		CHECK_INT(carrel_run(c, CARREL_SPEC(.shell = "echo mine; exit 3"), &r, &e), 0);
		CHECK_STR(r.out, "mine\n");
		CHECK_INT(r.status.code, 3);
		carrel_result_free(&r);
		carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")));
		if (i % 2 == 0) {
			CHECK_INT(carrel_stop(p, NULL, 0), 0);
			CHECK_INT(carrel_wait(p, &st, 60000), 1);
			CHECK_INT(st.sig, SIGTERM);
		}
		CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("no-such-program")), &e) == NULL);
		CHECK_INT(e.err, ENOENT);
		carrel_close(c);
		atomic_fetch_sub(&open_handles, 1);
	}
	return NULL;
}

/* A tree on the shared handle: its thread writes, the handle's reader reads. */
struct shared_tree {
	uint64_t seed;
	size_t got;
	bool room, closed, gone;
};

struct shared {
	carrel *c;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int done;
};

static struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void share_once(uint64_t seed)
{
	unsigned char *mem = malloc(BYTES);
	/* The reader may meet it before spawn has returned. */
	struct shared_tree t = { .seed = seed, .room = true };
	carrel_proc *p = spawn(shared.c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE, .user = &t));
	size_t sent = 0;
	carrel_status st;

	CHECK(mem != NULL);
	pattern_fill(seed, 0, 0, mem, BYTES);
	while (sent < BYTES) {
		pthread_mutex_lock(&shared.lock);
		while (!t.room && !t.closed)
			pthread_cond_wait(&shared.changed, &shared.lock);
		t.room = false;
		CHECK(!t.closed);
		pthread_mutex_unlock(&shared.lock);
		ssize_t n = carrel_write(p, mem + sent, BYTES - sent);
		CHECK(n >= 0);
		sent += (size_t)n;
	}
	if (seed % 3 == 0)
		CHECK_INT(carrel_signal(p, SIGCONT, 1), 0);
	CHECK_INT(carrel_eof(p), 0);
	CHECK_INT(carrel_wait(p, &st, 60000), 1);
	CHECK(st.exited && st.code == 0);
	pthread_mutex_lock(&shared.lock);
	while (!t.gone)
		pthread_cond_wait(&shared.changed, &shared.lock);
	pthread_mutex_unlock(&shared.lock);
	CHECK_INT((long long)t.got, BYTES);
	carrel_release(p);
	free(mem);
}

static void *sharer(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		share_once((uint64_t)(uintptr_t)arg * 1000 + (unsigned)i);
	pthread_mutex_lock(&shared.lock);
	shared.done++;
	pthread_mutex_unlock(&shared.lock);
	return NULL;
}

static void *reader(void *arg)
{
	carrel_event ev = { .size = sizeof(ev) };

	(void)arg;
	for (bool done = false; !done;) {
		int r = carrel_next(shared.c, &ev, 10);

		CHECK(r >= 0);
		pthread_mutex_lock(&shared.lock);
		done = shared.done == SHARERS;
		struct shared_tree *t = r == 1 ? ev.user : NULL;
		if (t != NULL) {
			if (ev.kind == CARREL_OUT) {
				CHECK_INT(pattern_differs(t->seed, 0, t->got, ev.data, ev.len), -1);
				t->got += ev.len;
			}
			t->room |= ev.kind == CARREL_STDIN_ROOM;
			t->closed |= ev.kind == CARREL_STDIN_CLOSED;
			t->gone |= ev.kind == CARREL_GONE;
			pthread_cond_broadcast(&shared.changed);
		}
		pthread_mutex_unlock(&shared.lock);
		/* None lives at this moment. */
		if (r == 0)
			usleep(500);
	}
	return NULL;
}

static void check_signals(const struct sigaction before[NSIG], const sigset_t *mask)
{
	struct sigaction after;
	sigset_t now;

	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &after) == 0)
			CHECK(after.sa_handler == before[sig].sa_handler && after.sa_flags == before[sig].sa_flags);
	}
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	CHECK(memcmp(&now, mask, 8) == 0);
	sigpending(&now);
	CHECK(!sigismember(&now, SIGPIPE) && !sigismember(&now, SIGCHLD));
}

TEST_T(a_guest_in_its_host, 170)
{
	struct sigaction before[NSIG];
	pthread_t th[OWNERS + SHARERS + 1], w;
	sigset_t mask;
	int looks = 0;

	unsigned char *touched = malloc(TOUCHED);
	CHECK(touched != NULL);
	for (size_t i = 0; i < TOUCHED; i += 4096)
		touched[i] = 1;
	CHECK_INT(pthread_atfork(forked, forked, NULL), 0);
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, NULL, &before[sig]);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	int fds = descriptors();
	look_at_descriptors(true);
	shared.c = carrel_open(NULL, &e);
	if (shared.c == NULL)
		tap_fail("%s", carrel_strerror(&e));
	CHECK(pthread_create(&w, NULL, watcher, &looks) == 0);
	CHECK(pthread_create(&th[0], NULL, reader, NULL) == 0);
	for (uintptr_t i = 1; i < OWNERS + SHARERS + 1; i++)
		CHECK(pthread_create(&th[i], NULL, i <= OWNERS ? owner : sharer, (void *)i) == 0);
	for (int i = 0; i < OWNERS + SHARERS + 1; i++)
		pthread_join(th[i], NULL);
	carrel_close(shared.c);
	atomic_store(&over, true);
	pthread_join(w, NULL);
	CHECK(looks > 3);
	CHECK_INT(children(), 0);
	CHECK_INT(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	CHECK_INT(errno, ECHILD);
	CHECK_INT(atomic_load(&forks), 0);
	CHECK_INT(descriptors(), fds);
	check_signals(before, &mask);
	free(touched);
}

/* ------------------------------------------------ others and ends --- */

static void *stopper(void *arg)
{
	carrel_proc *p = arg;

	for (int i = 0; i < 50; i++) {
		carrel_signal(p, SIGCONT, i % 2);
		carrel_stop(p, (const carrel_step[]){ { SIGUSR2, 20 } }, 1);
	}
	return NULL;
}

static void *waiter(void *arg)
{
	carrel_status st;

	CHECK_INT(carrel_wait(arg, &st, 60000), 1);
	CHECK_INT(st.sig, SIGUSR2);
	return NULL;
}

/* Several threads wait for one tree, signal and stop it, while one more reads. */
TEST_T(one_tree_and_many_threads, 120)
{
	carrel *c = carrel_open(NULL, &e);

	CHECK(c != NULL);
	for (int round = 0; round < ROUNDS; round++) {
		carrel_event ev = { .size = sizeof(ev) };
		carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")));
		pthread_t th[8];

		for (int i = 0; i < 8; i++)
			CHECK(pthread_create(&th[i], NULL, i < 4 ? waiter : stopper, p) == 0);
		do {
			CHECK_INT(carrel_next(c, &ev, 60000), 1);
		} while (ev.kind != CARREL_GONE);
		for (int i = 0; i < 8; i++)
			pthread_join(th[i], NULL);
		carrel_release(p);
	}
	carrel_close(c);
}

static atomic_int lost_spawns;

static void *spawner(void *arg)
{
	for (int i = 0; i < 1000; i++) {
	
		if (carrel_spawn(arg, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")), &e) == NULL) {
			CHECK_INT(e.err, EPIPE);
			break;
		}
	}
	atomic_fetch_add(&lost_spawns, 1);
	return NULL;
}

/* The control process dies in the midst of spawns of many threads: each gets its error, none waits on. */
TEST_T(loss_among_threads, 120)
{
	carrel_caps caps = { .size = sizeof(caps) };
	carrel *c = carrel_open(NULL, &e);
	carrel_event ev = { .size = sizeof(ev) };
	pthread_t th[8];
	int started = 0;

	CHECK(c != NULL && carrel_probe(c, &caps) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&th[i], NULL, spawner, c) == 0);
	while (started < 20) {
		int r = carrel_next(c, &ev, 100);

		CHECK(r >= 0);
		if (r == 0)
			usleep(500);
		started += r == 1 && ev.kind == CARREL_STARTED;
	}
	kill(caps.supervisor, SIGKILL);
	int gone = 0;
	do {
		CHECK_INT(carrel_next(c, &ev, 60000), 1);
		started += ev.kind == CARREL_STARTED;
		gone += ev.kind == CARREL_GONE;
	} while (ev.kind != CARREL_LOST);
	CHECK_INT(gone, started);
	for (int i = 0; i < 8; i++)
		pthread_join(th[i], NULL);
	CHECK_INT(atomic_load(&lost_spawns), 8);
	carrel_close(c);
}

struct turn {
	carrel_proc *p;
	pthread_barrier_t begin, end;
	atomic_bool last;
};

static void *wait_in_turn(void *arg)
{
	struct turn *t = arg;

	for (;;) {
		pthread_barrier_wait(&t->begin);
		if (atomic_load(&t->last))
			return NULL;
		CHECK_INT(carrel_wait(t->p, NULL, -1), 1);
		pthread_barrier_wait(&t->end);
	}
}

/*
 * A thread in carrel_wait() reads the socket when another one enters carrel_next() and takes that over.
 * What the first reads in this moment must wake the second. Fails if it does not: it waits for ever.
 */
TEST_T(a_wait_gives_way_to_a_next, 40)
{
	struct turn t = { .p = NULL };
	carrel_event ev = { .size = sizeof(ev) };
	carrel *c = carrel_open(NULL, &e);
	pthread_t th;

	CHECK(c != NULL);
	pthread_barrier_init(&t.begin, NULL, 2);
	pthread_barrier_init(&t.end, NULL, 2);
	CHECK(pthread_create(&th, NULL, wait_in_turn, &t) == 0);
	for (int i = 0; i < ROUNDS * 60; i++) {
		t.p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "0.001"), .out.kind = CARREL_NULL,
					   .err.kind = CARREL_NULL));
		pthread_barrier_wait(&t.begin);
		do {
			/* Meet the end at every point. */
			usleep((unsigned)(pattern_mix((uint64_t)i) % 3000));
			CHECK_INT(carrel_next(c, &ev, -1), 1);
		} while (ev.kind != CARREL_GONE);
		pthread_barrier_wait(&t.end);
		carrel_release(t.p);
	}
	atomic_store(&t.last, true);
	pthread_barrier_wait(&t.begin);
	pthread_join(th, NULL);
	carrel_close(c);
}
