/* SPDX-License-Identifier: ISC */
/* carrel_run(): capture, input, errors with stage and sentence. */
#include "tap.h"

#include <carrel.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static carrel_error e;
static carrel_result r;

TEST(capture)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo out; echo err >&2; exit 3"), &r, &e), 0);
	CHECK_STR(r.out, "out\n");
	CHECK_STR(r.err, "err\n");
	CHECK_INT(r.status.exited, 1);
	CHECK_INT(r.status.code, 3);
	CHECK_INT((int)r.status.cause, CARREL_BY_ITSELF);
	carrel_result_free(&r);
	CHECK(r.out == NULL);
}

TEST(two_on_one_handle)
{
	carrel *c = carrel_open(NULL, &e);

	CHECK(c != NULL);
	for (int i = 0; i < 20; i++) {
		CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("echo", "hi")), &r, &e), 0);
		CHECK_STR(r.out, "hi\n");
		carrel_result_free(&r);
	}
	carrel_close(c);
}

TEST(input_larger_than_any_pipe)
{
	size_t n = 8 << 20;
	char *in = malloc(n);

	for (size_t i = 0; i < n; i++)
		in[i] = (char)(i * 2654435761U >> 13);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .input = in, .input_len = n), &r, &e), 0);
	CHECK_MEM(r.out, r.out_len, in, n);
	carrel_result_free(&r);
	/* The command does not want it all: no error, no signal for us. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "head -c 3; exit 4", .input = in, .input_len = n), &r, &e), 0);
	CHECK_INT((long long)r.out_len, 3);
	CHECK_INT(r.status.code, 4);
	carrel_result_free(&r);
	free(in);
}

TEST(stdin_is_empty_by_default)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .timeout_ms = 5000), &r, &e), 0);
	CHECK_INT(r.status.code, 0);
	CHECK_INT((long long)r.out_len, 0);
	carrel_result_free(&r);
}

TEST(what_is_left_is_killed_and_named)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "yes & sleep 0.2; exit 5"), &r, &e), 0);
	CHECK_INT(r.status.code, 5);
	CHECK_INT((int)r.status.leftovers, 1);
	CHECK_STR(r.status.leftover[0].comm, "yes");
	carrel_result_free(&r);
}

static void fails(const carrel_spec *s, carrel_stage stage, int err, const char *part)
{
	errno = 0;
	CHECK_INT(carrel_run(NULL, s, &r, &e), -1);
	CHECK_INT(errno, err);
	CHECK_INT(e.err, err);
	if (e.stage != stage || strstr(carrel_strerror(&e), part) == NULL) {
		CHECK_STR(carrel_stage_name(e.stage), carrel_stage_name(stage));
		CHECK_STR(carrel_strerror(&e), part);
	}
}

TEST(errors_name_the_step)
{
	const carrel_rlimit high[] = { { RLIMIT_NOFILE, 1 << 30, 1 << 30 } };
	const carrel_rlimit upside[] = { { RLIMIT_NOFILE, 10, 5 } };
	const int notopen[][2] = { { 777, 5 } };
	const int low[][2] = { { 0, 2 } };

	fails(CARREL_SPEC(.argv = CARREL_ARGV("no-such-thing")), CARREL_STAGE_EXEC, ENOENT, "not found in PATH");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("/no/such")), CARREL_STAGE_EXEC, ENOENT, "/no/such");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("/etc/passwd")), CARREL_STAGE_EXEC, EACCES, "/etc/passwd");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("")), CARREL_STAGE_EXEC, ENOENT, "''");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("x"), .path = "sh"), CARREL_STAGE_EXEC, ENOENT, "sh");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .cwd = "/no/such"), CARREL_STAGE_CWD, ENOENT, "change to the directory '/no/such'");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .limits = high, .n_limits = 1), CARREL_STAGE_RLIMIT, EPERM,
	      "nofile=1073741824:1073741824 is above what the kernel allows");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .limits = upside, .n_limits = 1), CARREL_STAGE_RLIMIT, EINVAL,
	      "limits[0]");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .pass_fds = notopen, .n_pass_fds = 1), CARREL_STAGE_FDS, EBADF,
	      "777");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .pass_fds = low, .n_pass_fds = 1), CARREL_STAGE_ARGS, EINVAL,
	      "3 to 65535");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .shell = "x"), CARREL_STAGE_ARGS, EINVAL, "exactly one");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .env = CARREL_ARGV("NOEQUALS")), CARREL_STAGE_ENV, EINVAL,
	      "NOEQUALS");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .behaviour = "moon"), CARREL_STAGE_ARGS, EOPNOTSUPP, "moon");
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true"), .n_groups = 3), CARREL_STAGE_ARGS, EINVAL, "NULL");
	fails(&(carrel_spec){ .size = 3 }, CARREL_STAGE_ARGS, EINVAL, "size");
}

TEST(arguments_up_to_the_kernels_limit)
{
	size_t n = 120000;
	char *big = malloc(n + 1);
	const char *argv[32] = { "sh", "-c", "printf '%s' \"$#\"" };

	memset(big, 'x', n);
	big[n] = 0;
	for (int i = 3; i < 14; i++)
		argv[i] = big;
	/* 1.3 MB: through a sealed memory file; an ordinary stack limit allows it. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.argv = argv), &r, &e), 0);
	CHECK_STR(r.out, "10");
	carrel_result_free(&r);
	for (int i = 3; i < 31; i++)
		argv[i] = big;
	fails(CARREL_SPEC(.argv = argv), CARREL_STAGE_EXEC, E2BIG, "Argument list too long");
	free(big);
	/* Beyond what a message carries. */
	n = 17 << 20;
	big = malloc(n + 1);
	memset(big, 'x', n);
	big[n] = 0;
	fails(CARREL_SPEC(.argv = CARREL_ARGV("true", big)), CARREL_STAGE_ARGS, E2BIG, "too large");
	free(big);
}

TEST(pass_fds)
{
	int fd[2];

	CHECK(pipe(fd) == 0);
	const int pass[][2] = { { fd[1], 7 }, { fd[0], 5 } };
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "ls /proc/self/fd | tr '\\n' ' '; echo through >&7",
					       .pass_fds = pass, .n_pass_fds = 2), &r, &e), 0);
	/* ls itself opens the directory as 3. */
	CHECK_STR(r.out, "0 1 2 3 5 7 ");
	char got[8];
	CHECK_INT((int)read(fd[0], got, 8), 8);
	CHECK_MEM(got, 8, "through\n", 8);
	carrel_result_free(&r);
	close(fd[0]);
	close(fd[1]);
}

/* More descriptors than the control process may have: that request fails, and the handle and its trees go on. */
TEST(no_descriptors_for_one_request)
{
	static int pass[40][2];
	struct rlimit before, low = { 24, 24 };

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	low.rlim_max = before.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
	carrel *c = carrel_open(NULL, &e);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK(c != NULL);
	carrel_proc *other = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = { .kind = CARREL_PIPE }), &e);
	CHECK(other != NULL);
	for (int i = 0; i < 40; i++) {
		pass[i][0] = 0;
		pass[i][1] = 3 + i;
	}
	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), .pass_fds = (const int(*)[2])pass, .n_pass_fds = 40), &e) ==
	      NULL);
	CHECK_INT(e.err, EMFILE);
	CHECK_INT(e.stage, CARREL_STAGE_FDS);
	CHECK(strstr(e.msg, "no free descriptors") != NULL);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.shell = "echo on"), &r, &e), 0);
	CHECK_STR(r.out, "on\n");
	carrel_result_free(&r);
	CHECK_INT(carrel_eof(other), 0);
	CHECK_INT(carrel_wait(other, NULL, 5000), 1);
	carrel_close(c);
}

TEST(timeout)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "trap '' TERM; sleep 100 & sleep 100", .timeout_ms = 200,
					       .stop = { { SIGTERM, 200 } }), &r, &e), 0);
	CHECK_INT((int)r.status.cause, CARREL_BY_TIMEOUT);
	CHECK_INT(r.status.sig, SIGKILL);
	carrel_result_free(&r);
}

TEST(stderr_to_stdout_keeps_the_order)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo 1; echo 2 >&2; echo 3; echo 4 >&2",
					       .err.kind = CARREL_TO_STDOUT), &r, &e), 0);
	CHECK_STR(r.out, "1\n2\n3\n4\n");
	carrel_result_free(&r);
}

TEST(environment)
{
	setenv("FROM_HOST", "h", 1);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo $FROM_HOST $A $B",
					       .env = CARREL_ARGV("A=1", "B=2", "A=3")), &r, &e), 0);
	CHECK_STR(r.out, "h 3 2\n");
	carrel_result_free(&r);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.argv = CARREL_ARGV("env"), .env_clear = 1,
					       .env = CARREL_ARGV("A=1")), &r, &e), 0);
	CHECK_STR(r.out, "A=1\n");
	carrel_result_free(&r);
}

TEST(described_in_every_form)
{
	const carrel_spec *s = CARREL_SPEC(.argv = CARREL_ARGV("true"), .timeout_ms = 1500);
	char *text = NULL, *same = NULL;

	CHECK_INT(carrel_describe(s, CARREL_FORM_OPS, &text, &e), 0);
	CHECK_INT(carrel_print_ops(s, &same, &e), 0);
	CHECK_STR(text, same);
	free(text);
	free(same);
	CHECK_INT(carrel_describe(s, CARREL_FORM_JSON, &text, &e), 0);
	CHECK(strncmp(text, "[\n{\"place\":\"task\",", 18) == 0);
	free(text);
	CHECK_INT(carrel_describe(s, CARREL_FORM_WORDS, &text, &e), 0);
	CHECK(strstr(text, "\n  after 1.500 s all of it is ended\n") != NULL);
	free(text);
	CHECK_INT(carrel_describe(s, (carrel_form)7, &text, &e), -1);
	CHECK_INT(e.err, EINVAL);
	CHECK_INT(carrel_describe(s, CARREL_FORM_OPS, NULL, &e), -1);
	CHECK_INT(e.err, EINVAL);
	CHECK_INT(carrel_describe(CARREL_SPEC(.ops = "task exec(1)"), CARREL_FORM_WORDS, &text, &e), -1);
	CHECK_INT(e.err, EINVAL);
}

TEST(print_and_feed_back)
{
	char *text;

	CHECK_INT(carrel_print_ops(CARREL_SPEC(.argv = CARREL_ARGV("echo", "a\"\\\n\x01z")), &text, &e), 0);
	CHECK(strstr(text, "task setsid()") != NULL);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.ops = text), &r, &e), 0);
	CHECK_STR(r.out, "a\"\\\n\x01z\n");
	carrel_result_free(&r);
	free(text);
	fails(CARREL_SPEC(.ops = "task getpid()\ntask nosuch()"), CARREL_STAGE_ARGS, EINVAL, "line 2");
	fails(CARREL_SPEC(.ops = "task PRCTL()"), CARREL_STAGE_ARGS, EINVAL, "line 1");
	/* Constants may be spelled as in the manuals. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.ops = "task setrlimit(RLIMIT_CORE, {alcove_rlimit, 0, 0})\n"
						      "task exec(\"true\", [\"true\"], env, \"/bin\")"), &r, &e), 0);
	carrel_result_free(&r);
}
