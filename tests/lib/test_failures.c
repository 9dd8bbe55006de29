/* SPDX-License-Identifier: ISC */
/* Failures one by one: each has a stage, an errno and a sentence, and nothing is left of it. */
#include "failing.h"

#include <sys/resource.h>

static void run_fails(carrel *c, const carrel_spec *s, int stage, int err, const char *part)
{
	carrel_result r;
	int before = descriptors();

	CHECK_INT(carrel_run(c, s, &r, &e), -1);
	check_error(stage, err, part);
	CHECK(r.out == NULL && r.err == NULL);
	CHECK_INT(descriptors(), before);
	if (c == NULL)
		check_no_child();
}

/* ---- the command ---- */

TEST(commands)
{
	scratch_make();
	mkdir("directory", 0755);
	file("plain", "#!/bin/sh\n", 0644);
	CHECK(symlink("loop", "loop") == 0);
	for (int own = 0; own < 2; own++) {
		carrel *h = own ? NULL : carrel_open(NULL, &e);

		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("no-such")), CARREL_STAGE_EXEC, ENOENT, "'no-such'");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("./no-such")), CARREL_STAGE_EXEC, ENOENT, "'./no-such'");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("")), CARREL_STAGE_EXEC, ENOENT, "''");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("./plain")), CARREL_STAGE_EXEC, EACCES, "'./plain'");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("./directory")), CARREL_STAGE_EXEC, EACCES, "'./directory'");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("./loop")), CARREL_STAGE_EXEC, ELOOP, "'./loop'");
		run_fails(h, CARREL_SPEC(.argv = CARREL_ARGV("./plain/x")), CARREL_STAGE_EXEC, ENOTDIR, "'./plain/x'");
		carrel_close(h);
	}
}

/* A script whose interpreter is missing is there itself: the sentence must not deny it. */
TEST(missing_interpreter)
{
	scratch_make();
	file("interpreter", "#!/no/such/interpreter -x\n", 0755);
	run_fails(NULL, CARREL_SPEC(.argv = CARREL_ARGV("./interpreter")), CARREL_STAGE_EXEC, ENOENT,
		  "/no/such/interpreter");
}

TEST(carriage_return_in_the_interpreter)
{
	scratch_make();
	file("carriage", "#!/bin/sh\r\nexit 0\r\n", 0755);
	run_fails(NULL, CARREL_SPEC(.argv = CARREL_ARGV("./carriage")), CARREL_STAGE_EXEC, ENOENT, "/bin/sh\\r");
}

/* Of a binary for another machine, the shell would make commands of its bytes. */
TEST(a_foreign_binary_is_no_script)
{
	scratch_make();
	int fd = open("foreign", O_WRONLY | O_CREAT, 0755);
	CHECK(fd != -1 && write(fd, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xf3\0\n:\n", 23) == 23);
	close(fd);
	run_fails(NULL, CARREL_SPEC(.argv = CARREL_ARGV("./foreign")), CARREL_STAGE_EXEC, ENOEXEC, "'./foreign'");
}

TEST(directories)
{
	scratch_make();
	mkdir("closed", 0700);
	file("plain", "", 0644);
	run_fails(NULL, CARREL_SPEC(.shell = "true", .cwd = "/no/such"), CARREL_STAGE_CWD, ENOENT, "/no/such");
	run_fails(NULL, CARREL_SPEC(.shell = "true", .cwd = "plain"), CARREL_STAGE_CWD, ENOTDIR, "plain");
	become_user();
	run_fails(NULL, CARREL_SPEC(.shell = "true", .cwd = "closed"), CARREL_STAGE_CWD, EACCES, "closed");
}

TEST(what_an_ordinary_user_may_not)
{
	const carrel_rlimit above = { RLIMIT_NOFILE, 1 << 30, 1 << 30 };

	become_user();
	run_fails(NULL, CARREL_SPEC(.shell = "true", .limits = &above, .n_limits = 1), CARREL_STAGE_RLIMIT, EPERM,
		  "nofile");
	run_fails(NULL, CARREL_SPEC(.shell = "true", .set = CARREL_SET_UID, .uid = 5), CARREL_STAGE_IDS, EPERM, "only root");
	run_fails(NULL, CARREL_SPEC(.shell = "true", .set = CARREL_SET_PRIORITY, .priority = -5), CARREL_STAGE_PROCESS,
		  EACCES, "priority -5");
}

TEST(too_long_for_the_kernel)
{
	static char one[160 * 1024], *many[3000];
	static char piece[3000];
	carrel *c = carrel_open(NULL, &e);

	CHECK(c != NULL);
	memset(one, 'x', sizeof(one) - 1);
	memset(piece, 'y', sizeof(piece) - 1);
	run_fails(c, CARREL_SPEC(.argv = CARREL_ARGV("true", one)), CARREL_STAGE_EXEC, E2BIG, "'true'");
	for (size_t i = 0; i < 2999; i++)
		many[i] = piece;
	many[0] = (char[]){ "true" };
	run_fails(c, CARREL_SPEC(.argv = (const char *const *)many), CARREL_STAGE_EXEC, E2BIG, "'true'");
	memcpy(one, "NAME=", 5);
	run_fails(c, CARREL_SPEC(.shell = "true", .env = CARREL_ARGV(one)), CARREL_STAGE_EXEC, E2BIG, "/bin/sh");
	/* And beyond what a request may have. */
	char *huge = malloc(17 << 20);
	CHECK(huge != NULL);
	memset(huge, 'z', (17 << 20) - 1);
	huge[(17 << 20) - 1] = 0;
	run_fails(c, CARREL_SPEC(.argv = CARREL_ARGV("true", huge)), CARREL_STAGE_ARGS, E2BIG, "too large");
	memcpy(huge, "A=", 2);
	run_fails(c, CARREL_SPEC(.shell = "true", .env = CARREL_ARGV(huge)), CARREL_STAGE_ARGS, E2BIG, "too large");
	free(huge);
	carrel_close(c);
}

/* ---- too few of something ---- */

/* Open, run with pipes and events, close; whether it worked. What fails has a name. */
static bool whole_turn(void)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_result r;
	bool done = false;
	carrel *c = carrel_open(NULL, &e);

	if (c == NULL)
		return check_named(), false;
	carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.shell = "cat", .input = "abc", .input_len = 3), &e);
	if (p == NULL)
		check_named();
	else
		while (!done && carrel_next(c, &ev, -1) == 1)
			done = ev.kind == CARREL_GONE && ev.status->exited;
	if (p != NULL && done && carrel_run(c, CARREL_SPEC(.shell = "echo $((6 * 7))"), &r, &e) == 0) {
		done = r.out_len == 3 && memcmp(r.out, "42\n", 3) == 0;
		CHECK(done);
		carrel_result_free(&r);
	} else if (p != NULL) {
		if (done)
			check_named();
		done = false;
	}
	carrel_close(c);
	return done;
}

/* soft(value): of descriptors, for the host alone; returns what it was. */
static rlim_t soft(rlim_t value)
{
	struct rlimit l;

	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	rlim_t before = l.rlim_cur;
	l.rlim_cur = value;
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	return before;
}

TEST_T(every_descriptor_of_the_host, 120)
{
	/* Whatever becomes of it, nothing of ours writes to the host's standard error. */
	int printed = memfd_create("printed", MFD_CLOEXEC);
	int before = descriptors(), worked = 0, failed = 0;

	CHECK(printed != -1 && dup2(printed, STDERR_FILENO) == STDERR_FILENO);

	/* The host's limit is the control process's too, which needs more. */
	for (int more = 0; more < 40; more++) {
		rlim_t usual = soft((rlim_t)(before - 3 + more));
		bool ok = whole_turn();
		soft(usual);
		ok ? worked++ : failed++;
		CHECK_INT(descriptors(), before);
		check_no_child();
	}
	CHECK(worked > 5 && failed > 5);
	CHECK(whole_turn());
	CHECK_INT((int)lseek(printed, 0, SEEK_END), 0);
}

/* The helper has enough, the host runs out in the middle of a handle's life. */
TEST_T(every_descriptor_of_a_spawn, 120)
{
	carrel *c = carrel_open(NULL, &e);
	carrel_result r;
	int worked = 0, failed = 0;

	CHECK(c != NULL);
	int before = descriptors();
	for (int more = 0; more < 20; more++) {
		rlim_t usual = soft((rlim_t)(before - 3 + more));
		int got = carrel_run(c, CARREL_SPEC(.shell = "cat", .input = "abc", .input_len = 3), &r, &e);
		if (got == -1)
			check_named();
		soft(usual);
		got == 0 ? worked++ : failed++;
		if (got == 0) {
			CHECK_INT((int)r.out_len, 3);
			carrel_result_free(&r);
		}
		CHECK_INT(descriptors(), before);
	}
	CHECK(worked > 3 && failed > 3);
	carrel_close(c);
}

/* In a child with the hard limit: 0 it worked, 1 it failed with a name, else what is wrong. */
static int limited(bool processes, rlim_t value)
{
	int status;
	pid_t pid = fork();

	CHECK(pid != -1);
	if (pid == 0) {
		const struct rlimit l = { value, value };

		/* Root has no limit on processes. */
		if (processes)
			become_user();
		CHECK((processes ? setrlimit(RLIMIT_NPROC, &l) : setrlimit(RLIMIT_NOFILE, &l)) == 0);
		_exit(whole_turn() ? 0 : 1);
	}
	while (waitpid(pid, &status, 0) == -1)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

TEST_T(few_descriptors_in_the_helper, 120)
{
	int seen[2] = { 0 };

	for (rlim_t n = 8; n < 45; n++) {
		int r = limited(false, n);

		CHECK(r < 2);
		seen[r]++;
	}
	CHECK(seen[0] > 5 && seen[1] > 3);
}

TEST_T(few_processes, 120)
{
	int seen[2] = { 0 };

	for (rlim_t n = 0; n < 12; n++) {
		int r = limited(true, n);

		CHECK(r < 2);
		seen[r]++;
	}
	CHECK(seen[0] > 2 && seen[1] > 2);
}

/* ---- no memory in the host ---- */

#if defined(__SANITIZE_ADDRESS__)
#define COUNTED 0
#elif defined(__GLIBC__)
#define COUNTED 1
#else
#define COUNTED 0
#endif

#if COUNTED
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

static long until_failure = -1;	/* allocations that still work; -1: all */
static long balance;
static bool watched;

static bool refused(void)
{
	if (!watched || until_failure < 0)
		return false;
	/* One alone: what follows works again. */
	return until_failure-- == 0;
}

void *malloc(size_t n)
{
	if (refused())
		return errno = ENOMEM, NULL;
	void *p = __libc_malloc(n);
	balance += watched && p != NULL;
	return p;
}

void *calloc(size_t n, size_t size)
{
	if (refused())
		return errno = ENOMEM, NULL;
	void *p = __libc_calloc(n, size);
	balance += watched && p != NULL;
	return p;
}

void *realloc(void *old, size_t n)
{
	if (refused())
		return errno = ENOMEM, NULL;
	void *p = __libc_realloc(old, n);
	balance += watched && old == NULL && p != NULL;
	return p;
}

void free(void *p)
{
	balance -= watched && p != NULL;
	__libc_free(p);
}
#endif

TEST_T(every_allocation_of_the_host, 170)
{
#if COUNTED
	int failed = 0;

	CHECK(whole_turn());
	for (long n = 0;; n++) {
		int before = descriptors();

		watched = true;
		balance = 0;
		until_failure = n;
		bool ok = whole_turn();
		bool reached = until_failure < 0;
		until_failure = -1;
		watched = false;
		if (balance != 0)
			tap_fail("allocation %ld: %ld are left", n, balance);
		CHECK_INT(descriptors(), before);
		check_no_child();
		failed += !ok;
		if (!reached)
			break;
	}
	CHECK(failed > 10);
#else
	/* Under a sanitizer the allocator is its own, and leaks are looked for at the end. */
	CHECK(whole_turn());
#endif
}

/* ---- the helper ---- */

TEST(no_helper)
{
	scratch_make();
	mkdir("directory", 0755);
	file("plain", "#!/bin/sh\n", 0644);
	file("text", "no program\n", 0755);
	file("interpreter", "#!/no/such/interpreter\n", 0755);
	open_fails("/no/such", ENOENT, "/no/such");
	open_fails("plain", EACCES, "plain");
	open_fails("directory", EACCES, "directory");
	open_fails("text", ENOEXEC, "text");
	open_fails("interpreter", ENOENT, "interpreter");
	open_fails("/bin/true", EPROTO, "did not start");
	setenv("CARREL_CONTROL", "/no/such/either", 1);
	CHECK(carrel_open(NULL, &e) == NULL);
	check_error(CARREL_STAGE_HELPER, ENOENT, "/no/such/either");
}

/* It neither reads nor answers nor sees the end, for longer than the library's patience of 30 s. */
TEST(a_helper_that_sleeps)
{
	scratch_make();
	open_fails(file("sleeps", "#!/bin/sh\nexec sleep 1000\n", 0755), ETIMEDOUT, "did not answer");
}

/* With once nobody greets it before the spawn, whose patience is the caller's; and it must go at the close. */
TEST_T(a_helper_that_sleeps_at_the_spawn, 20)
{
	carrel_config cfg = { .size = sizeof(cfg), .once = 1 };

	scratch_make();
	for (int sleeps = 0; sleeps < 2; sleeps++) {
		cfg.helper = file("fake", sleeps ? "#!/bin/sh\nexec sleep 1000\n" : "#!/bin/sh\nexec cat\n", 0755);
		carrel *c = carrel_open(&cfg, &e);

		CHECK(c != NULL);
		CHECK(carrel_spawn(c, CARREL_SPEC(.shell = "true", .start_ms = 300), &e) == NULL);
		check_error(CARREL_STAGE_HELPER, ETIMEDOUT, "the control process");
		carrel_close(c);
		check_no_child();
	}
}

/* With once it is found out at the spawn: the same sentence, whoever was faster. */
TEST(no_helper_at_the_spawn)
{
	carrel_config cfg = { .size = sizeof(cfg), .helper = "/bin/true", .once = 1 };

	for (int i = 0; i < 40; i++) {
		carrel *c = carrel_open(&cfg, &e);

		CHECK(c != NULL);
		if (i % 2 == 1)
			usleep(3000);
		CHECK(carrel_spawn(c, CARREL_SPEC(.shell = "true"), &e) == NULL);
		check_error(CARREL_STAGE_HELPER, EPROTO, "did not start");
		carrel_close(c);
	}
	check_no_child();
}

/* ---- 0, 1 and 2 closed in the host ---- */

TEST_T(standard_descriptors_closed, 120)
{
	/* The test's own report needs none of them. */
	for (int mask = 0; mask < 8; mask++) {
		carrel_result r;

		for (int fd = 0; fd < 3; fd++)
			if (mask & 1 << fd)
				close(fd);
		int before = descriptors();
		CHECK(whole_turn());
		carrel *c = carrel_open(NULL, &e);
		CHECK(c != NULL);
		CHECK_INT(carrel_run(c, CARREL_SPEC(.shell = "cat; echo err >&2; for n in 3 4 5 6 7 8 9 11 12 13 14; do "
							     "[ ! -e /proc/$$/fd/$n ] || echo $n is open; done",
						    .input = "in\n", .input_len = 3), &r, &e), 0);
		CHECK_STR(r.out, "in\n");
		CHECK_STR(r.err, "err\n");
		carrel_result_free(&r);
		for (int fd = 0; fd < 3; fd++) {
			carrel_io inherit = { .kind = CARREL_INHERIT };
			carrel_spec s = { .size = sizeof(s), .shell = "true" };

			*(fd == 0 ? &s.in : fd == 1 ? &s.out : &s.err) = inherit;
			/* What took the number is the library's and not meant. */
			int got = carrel_run(c, &s, &r, &e);
			if (got == 0)
				carrel_result_free(&r);
			else
				check_error(CARREL_STAGE_FDS, EBADF, "not open");
		}
		carrel_close(c);
		CHECK_INT(descriptors(), before);
		for (int fd = 0; fd < 3; fd++)
			if (fcntl(fd, F_GETFD) == -1)
				CHECK(open("/dev/null", O_RDWR) == fd);
	}
}
