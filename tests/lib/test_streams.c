/* SPDX-License-Identifier: ISC */
/*
 * Streams in all their kinds: lines, pauses, descriptors taken over, input from descriptors and functions,
 * files, terminals, counts; and what looks at a whole tree.
 */
#include "common.h"

#include "pattern.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#ifdef CARREL_SANITIZED
#define BULK 4000000
#define MEMORY_KB (1 << 20)
#else
#define BULK 100000000
#define MEMORY_KB 2048
#endif

static carrel_result r;

static void refused(const carrel_spec *s, carrel_stage stage, int err)
{
	carrel *c = open_handle();

	e = (carrel_error){ 0 };
	CHECK(carrel_spawn(c, s, &e) == NULL);
	CHECK_STR(carrel_stage_name(e.stage), carrel_stage_name(stage));
	CHECK_INT(e.err, err);
	CHECK_INT(errno, err);
	carrel_close(c);
}

/* Nothing comes. */
static void quiet(carrel *c, int ms)
{
	carrel_event ev = { .size = sizeof(ev) };

	CHECK_INT(carrel_next(c, &ev, ms), 0);
}

/* Skip what comes until one of ${kind}. */
static carrel_event until(carrel *c, carrel_event_kind kind)
{
	carrel_event ev;

	do {
		ev = next(c);
		CHECK(ev.kind != CARREL_GONE || kind == CARREL_GONE);
	} while (ev.kind != kind);
	return ev;
}

/* All that stdout says until ${kind}; the text of lines has a | behind a whole line, and a + behind a part. */
static char text[300000];
static size_t text_len;

static carrel_event gather_until(carrel *c, carrel_event_kind kind, bool lines)
{
	carrel_event ev;

	text_len = 0;
	do {
		ev = next(c);
		CHECK(ev.kind != CARREL_GONE || kind == CARREL_GONE);
		if (ev.kind != CARREL_OUT)
			continue;
		CHECK(text_len + ev.len + 2 < sizeof(text));
		memcpy(text + text_len, ev.data, ev.len);
		text_len += ev.len;
		if (lines)
			text[text_len++] = ev.partial ? '+' : '|';
		text[text_len] = 0;
	} while (ev.kind != kind);
	return ev;
}

static void is_lines(const char *shell, size_t max_line, const char *want, size_t want_len)
{
	carrel *c = open_handle();

	spawn(c, CARREL_SPEC(.shell = shell, .framing = CARREL_LINES, .max_line = max_line));
	gather_until(c, CARREL_GONE, true);
	CHECK_MEM(text, text_len, want, want_len);
	carrel_close(c);
}

/* ------------------------------------------------------------- lines --- */

#define LINES(shell, max, want) is_lines(shell, max, want, sizeof(want) - 1)

TEST(lines)
{
	LINES("printf 'one\\ntwo\\n\\nthree'", 0, "one|two||three+");
	LINES("printf 'one\\n'", 0, "one|");
	LINES("printf ''", 0, "");
	LINES("printf '\\n\\n'", 0, "||");
	/* Any bytes. */
	LINES("printf 'a\\0b\\r\\nc\\r\\n\\0\\n\\r'", 0, "a\0b\r|c\r|\0|\r+");
	/* In whatever pieces it was written. */
	LINES("printf a; sleep 0.05; printf b; sleep 0.05; printf 'c\\nd'; sleep 0.05; printf 'e\\n'", 0, "abc|de|");
}

TEST(lines_that_are_too_long)
{
	LINES("printf 'abcd\\n'", 4, "abcd|");
	LINES("printf 'abcde\\n'", 4, "abcd+e|");
	LINES("printf 'abcdabcd\\nx\\n'", 4, "abcd+abcd|x|");
	LINES("printf 'abcdabcd'", 4, "abcd+abcd+");
	LINES("printf 'ab\\n\\nc'", 1, "a+b||c+");
	/* The piece at which it is cut does not depend on how it was written. */
	LINES("printf abc; sleep 0.05; printf de; sleep 0.05; printf 'f\\n'", 4, "abcd+ef|");
	LINES("printf abcd; sleep 0.1; printf '\\nz\\n'", 4, "abcd|z|");
}

TEST(bounds_of_lines)
{
	carrel *c = open_handle();
	size_t pieces[4] = { 0 }, n = 0;

	spawn(c, CARREL_SPEC(.shell = "head -c 200000 /dev/zero; echo", .framing = CARREL_LINES));
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;) {
		if (ev.kind != CARREL_OUT)
			continue;
		CHECK(n < 4);
		pieces[n] = ev.len;
		CHECK_INT(ev.partial, n++ < 3);
	}
	CHECK(pieces[0] == 65536 && pieces[1] == 65536 && pieces[2] == 65536 && pieces[3] == 200000 - 3 * 65536);
	/* The largest. */
	spawn(c, CARREL_SPEC(.shell = "head -c 16777216 /dev/zero; echo", .framing = CARREL_LINES, .max_line = 16 << 20));
	carrel_event ev = until(c, CARREL_OUT);
	CHECK_INT((long long)ev.len, 16 << 20);
	CHECK_INT(ev.partial, 0);
	until(c, CARREL_GONE);
	carrel_close(c);
	refused(CARREL_SPEC(.shell = "", .framing = CARREL_LINES, .max_line = (16 << 20) + 1), CARREL_STAGE_ARGS, EINVAL);
	refused(CARREL_SPEC(.shell = "", .framing = (carrel_framing)7), CARREL_STAGE_ARGS, EINVAL);
}

TEST(lines_of_both_streams)
{
	carrel *c = open_handle();
	int out = 0, err = 0;

	spawn(c, CARREL_SPEC(.shell = "i=0; while [ $i -lt 500 ]; do echo out-$i; echo err-$i >&2; i=$((i+1)); done",
			     .framing = CARREL_LINES));
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;) {
		char want[32];

		if (ev.kind != CARREL_OUT && ev.kind != CARREL_ERR)
			continue;
		int n = ev.stream == 1 ? snprintf(want, sizeof(want), "out-%d", out++) :
					 snprintf(want, sizeof(want), "err-%d", err++);
		CHECK_MEM(ev.data, ev.len, want, (size_t)n);
		CHECK_INT(ev.partial, 0);
	}
	CHECK(out == 500 && err == 500);
	carrel_close(c);
}

TEST_T(lines_without_end_in_constant_memory, 120)
{
	carrel *c = open_handle();
	char shell[64];
	size_t got = 0;

	snprintf(shell, sizeof(shell), "head -c %d /dev/zero", BULK);
	spawn(c, CARREL_SPEC(.shell = shell, .framing = CARREL_LINES, .max_line = 60000));
	until(c, CARREL_OUT);
	long before = memory_kb("VmHWM");
	got = 60000;
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;)
		got += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK_INT((long long)got, BULK);
	CHECK(memory_kb("VmHWM") - before < MEMORY_KB);
	carrel_close(c);
}

TEST(a_line_is_valid_until_the_next_call)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "printf 'first\\nsecond\\n'; sleep 1000", .framing = CARREL_LINES));

	next_of(c, CARREL_STARTED);
	carrel_event ev = next_of(c, CARREL_OUT);
	carrel_release(p);
	CHECK_MEM(ev.data, ev.len, "first", 5);
	/* And nothing of the second one. */
	quiet(c, 20000);
	carrel_close(c);
}

TEST(run_keeps_the_whole_output_whatever_the_framing)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "printf 'a\\nb\\nc'", .framing = CARREL_LINES), &r, &e), 0);
	CHECK_STR(r.out, "a\nb\nc");
	carrel_result_free(&r);
}

/* ------------------------------------------------------------ pauses --- */

TEST(a_paused_stream_slows_its_writer_alone)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "(head -c 300000 /dev/zero; echo done >&2) & i=0;"
						       "while [ $i -lt 300 ]; do echo $i >&2; i=$((i+1)); done; wait"));
	size_t got = 0, err = 0;

	next_of(c, CARREL_STARTED);
	CHECK_INT(carrel_pause(p, 1, 1), 0);
	CHECK_INT(carrel_pause(p, 1, 1), 0);
	/* stderr: 0 to 299 in lines. */
	while (err < 10 * 2 + 90 * 3 + 200 * 4) {
		carrel_event ev = next_of(c, CARREL_ERR);
		err += ev.len;
		CHECK(memmem(ev.data, ev.len, "done", 4) == NULL);
	}
	quiet(c, 200);
	CHECK_INT(carrel_pause(p, 1, 0), 0);
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;)
		got += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK_INT((long long)got, 300000);
	carrel_close(c);
}

TEST(the_end_waits_for_a_pause)
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };
	carrel_proc *other = spawn(c, CARREL_SPEC(.shell = "read x; exit 4", .in.kind = CARREL_PIPE));
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo here; exit 3"));
	struct pollfd fd = { .fd = carrel_fd(c), .events = POLLIN };
	carrel_status st;

	CHECK_INT(carrel_pause(p, 1, 1), 0);
	CHECK_INT(carrel_wait(p, &st, 30000), 1);
	CHECK_INT(st.code, 3);
	bool eof2 = false, exited = false;
	for (int i = 0; i < 4; i++) {
		ev = next(c);
		eof2 |= ev.kind == CARREL_EOF && ev.stream == 2;
		exited |= ev.kind == CARREL_EXIT;
		CHECK(ev.kind != CARREL_OUT && ev.kind != CARREL_GONE && (ev.kind != CARREL_EOF || ev.stream == 2));
		if (exited && (eof2 || i == 3))
			break;
	}
	CHECK(exited);
	/* stderr's end may wait for the paused one too; nothing else comes, and the descriptor says so. */
	quiet(c, 100);
	CHECK_INT(poll(&fd, 1, 50), 0);
	/* The end of another one does not wait. */
	CHECK_INT(carrel_eof(other), 0);
	until(c, CARREL_GONE);
	CHECK_INT(carrel_pause(p, 1, 0), 0);
	CHECK_INT(poll(&fd, 1, 5000), 1);
	gather_until(c, CARREL_GONE, false);
	CHECK_STR(text, "here\n");
	CHECK_INT(carrel_pause(p, 1, 1), -1);
	CHECK_INT(errno, EBADF);
	carrel_close(c);
}

TEST(lines_that_were_read_already_pause_too)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "printf '1\\n2\\n3\\n4\\n5'", .framing = CARREL_LINES));

	next_of(c, CARREL_STARTED);
	carrel_event ev = until(c, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "1", 1);
	CHECK_INT(carrel_pause(p, 1, 1), 0);
	CHECK_INT(carrel_wait(p, NULL, 30000), 1);
	ev.size = sizeof(ev);
	while (carrel_next(c, &ev, 100) == 1)
		CHECK(ev.stream != 1 && ev.kind != CARREL_GONE);
	CHECK_INT(carrel_pause(p, 1, 0), 0);
	gather_until(c, CARREL_GONE, true);
	CHECK_STR(text, "2|3|4|5+");
	carrel_close(c);
}

TEST(pauses_that_cannot_be)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000"), .err.kind = CARREL_NULL));

	CHECK_INT(carrel_pause(p, 0, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_pause(p, 3, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_pause(NULL, 1, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_pause(p, 2, 1), -1);
	CHECK_INT(errno, EBADF);
	CHECK_INT(carrel_pause(p, 1, 1), 0);
	carrel_release(p);
	quiet(c, 20000);
	/* And closing does not wait for a pause. */
	p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("yes")));
	CHECK_INT(carrel_pause(p, 1, 1), 0);
	carrel_close(c);
}

TEST_T(pauses_in_constant_memory, 120)
{
	carrel *c = open_handle();
	char shell[64];
	size_t turns = 0;

	snprintf(shell, sizeof(shell), "head -c %d /dev/zero", BULK / 4);
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = shell));
	until(c, CARREL_OUT);
	long before = memory_kb("VmHWM");
	CHECK_INT(carrel_pause(p, 2, 1), 0);
	for (;;) {
		carrel_event ev = { .size = sizeof(ev) };

		if (carrel_next(c, &ev, 1) == 1) {
			turns++;
			if (ev.kind == CARREL_EOF && ev.stream == 1)
				break;
			if (ev.kind == CARREL_OUT && turns % 16 == 0)
				CHECK_INT(carrel_pause(p, 1, 1), 0);
		} else {
			CHECK_INT(carrel_pause(p, 1, 0), 0);
		}
	}
	CHECK(memory_kb("VmHWM") - before < MEMORY_KB);
	CHECK_INT(carrel_pause(p, 2, 0), 0);
	CHECK_INT((long long)until(c, CARREL_GONE).status->out_bytes, BULK / 4);
	carrel_close(c);
}

/* --------------------------------------------------------- take over --- */

static void is_ours(int fd)
{
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Wait for ${fd}. */
static void ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	CHECK_INT(poll(&p, 1, 30000), 1);
}

TEST(take_stdout_and_splice)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "seq 1 200000; echo err >&2"));
	int fd = carrel_take_fd(p, 1), file = memfd_create("out", MFD_CLOEXEC);
	long long size = 0;
	ssize_t n;

	is_ours(fd);
	CHECK_INT(carrel_take_fd(p, 1), -1);
	CHECK_INT(errno, EBADF);
	CHECK_INT(carrel_pause(p, 1, 1), -1);
	CHECK_INT(errno, EBADF);
	do {
		ready(fd, POLLIN);
		n = splice(fd, NULL, file, NULL, 1 << 20, 0);
		CHECK(n >= 0 || errno == EAGAIN);
		size += n > 0 ? n : 0;
	} while (n != 0);
	/* seq 1 200000: nine numbers of one digit, ... */
	CHECK_INT(size, 9 * 2 + 90 * 3 + 900 * 4 + 9000 * 5 + 90000 * 6 + 100001 * 7);
	bool err = false;
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;) {
		CHECK(ev.kind != CARREL_OUT && (ev.kind != CARREL_EOF || ev.stream == 2));
		err |= ev.kind == CARREL_ERR;
	}
	CHECK(err);
	close(fd);
	close(file);
	carrel_close(c);
}

TEST(the_end_does_not_wait_for_what_was_taken)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo kept; exit 2"));
	int out = carrel_take_fd(p, 1), err = carrel_take_fd(p, 2);
	char mem[16];

	is_ours(out);
	is_ours(err);
	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_EXIT);
	CHECK_INT(next_of(c, CARREL_GONE).status->code, 2);
	carrel_release(p);
	carrel_close(c);
	/* It outlives the handle. */
	CHECK_INT(read(out, mem, sizeof(mem)), 5);
	CHECK_INT(read(out, mem, sizeof(mem)), 0);
	CHECK_INT(read(err, mem, sizeof(mem)), 0);
	close(out);
	close(err);
}

TEST(take_stdin)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE));

	CHECK_INT(carrel_write(p, "by carrel, ", 11), 11);
	int fd = carrel_take_fd(p, 0);
	is_ours(fd);
	CHECK_INT(carrel_write(p, "x", 1), -1);
	CHECK_INT(errno, EBADF);
	CHECK_INT(carrel_eof(p), -1);
	CHECK_INT(errno, EBADF);
	CHECK_INT(write(fd, "by hand", 7), 7);
	close(fd);
	carrel_event ev = gather_until(c, CARREL_GONE, false);
	CHECK_STR(text, "by carrel, by hand");
	CHECK_INT((long long)ev.status->in_bytes, 11);
	carrel_close(c);
}

TEST(take_within_a_line)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "printf '1\\n2'; read x; printf '\\nrest'", .framing = CARREL_LINES,
					      .in.kind = CARREL_PIPE));
	char mem[16];

	carrel_event ev = until(c, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "1", 1);
	CHECK_INT(carrel_take_fd(p, 1), -1);
	CHECK_INT(errno, EBUSY);
	CHECK_INT(carrel_write(p, "\n", 1), 1);
	ev = until(c, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "2", 1);
	/* Whether the rest was read already is a matter of luck. */
	int fd = carrel_take_fd(p, 1);
	if (fd == -1) {
		CHECK_INT(errno, EBUSY);
	} else {
		ready(fd, POLLIN);
		CHECK_INT(read(fd, mem, sizeof(mem)), 4);
		close(fd);
	}
	CHECK_INT(carrel_take_fd(p, 3), -1);
	CHECK_INT(errno, EINVAL);
	until(c, CARREL_GONE);
	CHECK_INT(carrel_take_fd(p, 2), -1);
	CHECK_INT(errno, EBADF);
	carrel_close(c);
}

TEST(take_what_is_paused)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo x"));
	char mem[16];

	CHECK_INT(carrel_pause(p, 1, 1), 0);
	CHECK_INT(carrel_wait(p, NULL, 30000), 1);
	int fd = carrel_take_fd(p, 1);
	is_ours(fd);
	until(c, CARREL_GONE);
	CHECK_INT(read(fd, mem, sizeof(mem)), 2);
	close(fd);
	carrel_close(c);
}

/* ----------------------------------------------------- feeding: feed --- */

static carrel_io feed_from(int fd)
{
	return (carrel_io){ .kind = CARREL_FEED, .fd = fd };
}

TEST(feed_from_a_file)
{
	carrel *c = open_handle();
	int fd = memfd_create("in", MFD_CLOEXEC);
	static unsigned char mem[250000];

	pattern_fill(3, 1, 0, mem, sizeof(mem));
	CHECK_INT(write(fd, "skip", 4), 4);
	CHECK_INT(write(fd, mem, sizeof(mem)), (long long)sizeof(mem));
	CHECK_INT(lseek(fd, 4, SEEK_SET), 4);
	int flags = fcntl(fd, F_GETFL);
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(fd)));
	carrel_event ev = gather_until(c, CARREL_GONE, false);
	CHECK_MEM(text, text_len, mem, sizeof(mem));
	CHECK_INT((long long)ev.status->in_bytes, (long long)sizeof(mem));
	/* Ours still, as it was, read to its end. */
	CHECK_INT(fcntl(fd, F_GETFL), flags);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), (long long)sizeof(mem) + 4);
	/* A task that wants only a part: the rest of the file is not skipped. */
	CHECK_INT(lseek(fd, 4, SEEK_SET), 4);
	spawn(c, CARREL_SPEC(.shell = "head -c 10", .in = feed_from(fd)));
	ev = gather_until(c, CARREL_GONE, false);
	CHECK_MEM(text, text_len, mem, 10);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), (long long)ev.status->in_bytes + 4);
	/* By carrel_run(). */
	CHECK_INT(lseek(fd, 4, SEEK_SET), 4);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(fd)), &r, &e), 0);
	CHECK_MEM(r.out, r.out_len, mem, sizeof(mem));
	carrel_result_free(&r);
	close(fd);
	carrel_close(c);
}

TEST(feed_from_an_empty_one)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "cat; echo ended", .in = feed_from(null), .timeout_ms = 20000), &r,
			     &e), 0);
	CHECK_STR(r.out, "ended\n");
	carrel_result_free(&r);
	close(null);
}

TEST(feed_from_a_pipe)
{
	carrel *c = open_handle();
	int fd[2];

	CHECK(pipe2(fd, O_CLOEXEC) == 0);
	/* Blocking, as pipes are; it does not block us. */
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(fd[0])));
	next_of(c, CARREL_STARTED);
	quiet(c, 50);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(write(fd[1], "bit\n", 4), 4);
		carrel_event ev = next_of(c, CARREL_OUT);
		CHECK_MEM(ev.data, ev.len, "bit\n", 4);
		quiet(c, 20);
	}
	close(fd[1]);
	CHECK_INT((long long)until(c, CARREL_GONE).status->in_bytes, 12);
	CHECK_INT(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
	close(fd[0]);
	carrel_close(c);
}

TEST(feed_is_pulled_only_when_there_is_room)
{
	carrel *c = open_handle();
	static char block[65536];
	int pair[2];
	size_t sent = 0;
	ssize_t n;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000"), .in = feed_from(pair[0])));
	/* Fill everything there is: the socket, what was read ahead, the pipe. */
	for (int idle = 0; idle < 5;) {
		carrel_event ev = { .size = sizeof(ev) };

		while ((n = write(pair[1], block, sizeof(block))) > 0) {
			sent += (size_t)n;
			idle = 0;
			CHECK(sent < 2000000);
		}
		idle += carrel_next(c, &ev, 10) == 0;
	}
	/* Whose it is: the socket's own room, one pipe, and a block. */
	int room = 0;
	socklen_t len = sizeof(room);
	CHECK(getsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, &len) == 0);
	CHECK(sent <= (size_t)room + 65536 + 65536 + 65536);
	carrel_release(p);
	close(pair[0]);
	close(pair[1]);
	carrel_close(c);
}

TEST(feed_that_fails)
{
	carrel *c = open_handle();
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "cat; echo ended", .in = feed_from(dir)));

	next_of(c, CARREL_STARTED);
	carrel_event ev = next_of(c, CARREL_INPUT_FAILED);
	CHECK_INT(ev.err, EISDIR);
	CHECK(ev.proc == p);
	/* Once, and it is no end of file. */
	quiet(c, 200);
	CHECK_INT(carrel_write(p, "instead ", 8), 8);
	CHECK_INT(carrel_eof(p), 0);
	gather_until(c, CARREL_GONE, false);
	CHECK_STR(text, "instead ended\n");
	/* It may be stopped instead. */
	p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(dir)));
	until(c, CARREL_INPUT_FAILED);
	CHECK_INT(carrel_stop(p, NULL, 0), 0);
	CHECK_INT((int)until(c, CARREL_GONE).status->cause, CARREL_BY_STOP);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(dir)), &r, &e), -1);
	CHECK_INT((int)e.stage, CARREL_STAGE_INPUT);
	CHECK_INT(e.err, EISDIR);
	CHECK_INT(errno, EISDIR);
	close(dir);
	carrel_close(c);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(777)), CARREL_STAGE_FDS, EBADF);
	int only_writes = open("/dev/null", O_WRONLY | O_CLOEXEC);
	c = open_handle();
	p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = feed_from(only_writes)), &e);
	if (p != NULL)
		CHECK_INT(until(c, CARREL_INPUT_FAILED).err, EBADF);
	else
		CHECK_INT(e.err, EBADF);
	close(only_writes);
	carrel_close(c);
}

/* -------------------------------------------------- feeding: produce --- */

struct source {
	size_t size, at, step;
	int err, calls, sleep_ms;
	bool too_much;
};

static ssize_t produce(void *arg, void *mem, size_t size)
{
	struct source *s = arg;
	size_t n = s->size - s->at < s->step ? s->size - s->at : s->step;

	s->calls++;
	CHECK(size >= 4096);
	if (s->sleep_ms > 0)
		usleep((unsigned)s->sleep_ms * 1000);
	if (s->too_much)
		return (ssize_t)size + 1;
	if (n == 0 && s->err != 0) {
		errno = s->err;
		return -1;
	}
	n = n < size ? n : size;
	pattern_fill(9, 1, s->at, mem, n);
	s->at += n;
	return (ssize_t)n;
}

static void produced(struct source s)
{
	carrel *c = open_handle();

	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .produce = produce, .produce_arg = &s));
	carrel_event ev = gather_until(c, CARREL_GONE, false);
	CHECK_INT((long long)text_len, (long long)s.size);
	CHECK_INT(pattern_differs(9, 1, 0, text, text_len), -1);
	CHECK_INT((long long)ev.status->in_bytes, (long long)s.size);
	s.at = 0;
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .produce = produce, .produce_arg = &s), &r, &e), 0);
	CHECK_INT((long long)r.out_len, (long long)s.size);
	CHECK_INT(pattern_differs(9, 1, 0, r.out, r.out_len), -1);
	carrel_result_free(&r);
	carrel_close(c);
}

TEST(producers)
{
	produced((struct source){ .size = 0, .step = 1 });
	produced((struct source){ .size = 1, .step = 1 });
	produced((struct source){ .size = 5000, .step = 1 });
	produced((struct source){ .size = 200000, .step = 4096 });
	produced((struct source){ .size = 200000, .step = 4097 });
	produced((struct source){ .size = 250000, .step = 1 << 20 });
	produced((struct source){ .size = 3000, .step = 1000, .sleep_ms = 30 });
}

static void production_fails(struct source s, int err)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "cat; echo ended", .produce = produce, .produce_arg = &s));

	carrel_event ev = until(c, CARREL_INPUT_FAILED);
	CHECK_INT(ev.err, err);
	int calls = s.calls;
	/* It is not asked again, and the task knows of no end. */
	CHECK_INT(carrel_wait(p, NULL, 100), 0);
	CHECK_INT(carrel_eof(p), 0);
	until(c, CARREL_GONE);
	CHECK_INT(s.calls, calls);
	carrel_close(c);
}

TEST(producers_that_fail)
{
	production_fails((struct source){ .size = 0, .step = 1, .err = EIO }, EIO);
	production_fails((struct source){ .size = 10, .step = 5, .err = ENETDOWN }, ENETDOWN);
	production_fails((struct source){ .too_much = true, .size = 1, .step = 1 }, EOVERFLOW);
}

TEST(a_producer_is_asked_only_when_there_is_room)
{
	carrel *c = open_handle();
	struct source s = { .size = 1 << 30, .step = 1 << 20 };
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "read x; exec <&-; echo closed; sleep 1000", .produce = produce,
					      .produce_arg = &s));

	/* The shell reads byte by byte, up to a newline. */
	until(c, CARREL_STDIN_CLOSED);
	CHECK(s.at <= 65536 * 3);
	int calls = s.calls;
	carrel_event ev = { .size = sizeof(ev) };
	while (carrel_next(c, &ev, 50) == 1)
		;
	CHECK_INT(s.calls, calls);
	CHECK_INT(carrel_write(p, "x", 1), -1);
	CHECK_INT(errno, EBADF);
	carrel_close(c);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("cat"), .produce = produce, .produce_arg = &s, .input = "x", .input_len = 1),
		CARREL_STAGE_ARGS, EINVAL);
}

/* ------------------------------------------------------------ counts --- */

TEST(counts_and_kept_output)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "cat; head -c 70000 /dev/zero >&2", .input = "12345", .input_len = 5,
					       .max_output = 1000), &r, &e), 0);
	CHECK_INT((long long)r.status.in_bytes, 5);
	CHECK_INT((long long)r.status.out_bytes, 5);
	CHECK_INT((long long)r.status.err_bytes, 70000);
	CHECK_STR(r.out, "12345");
	CHECK_INT((long long)r.err_len, 1000);
	CHECK(!r.out_truncated && r.err_truncated);
	carrel_result_free(&r);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "printf 12345", .max_output = 5), &r, &e), 0);
	CHECK_STR(r.out, "12345");
	CHECK(!r.out_truncated);
	carrel_result_free(&r);
	/* While it runs. */
	carrel *c = open_handle();
	carrel_status st;
	spawn(c, CARREL_SPEC(.shell = "printf abc; printf d >&2; exit 0"));
	carrel_event ev = until(c, CARREL_GONE);
	st = *ev.status;
	CHECK(st.out_bytes == 3 && st.err_bytes == 1 && st.in_bytes == 0);
	CHECK_INT(carrel_wait(ev.proc, &st, 0), 1);
	CHECK(st.out_bytes == 3 && st.err_bytes == 1 && st.in_bytes == 0);
	carrel_close(c);
}

/* ------------------------------------------------------------- files --- */

static char folder[] = "/tmp/carrel-streams-XXXXXX";

static void enter_folder(void)
{
	CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
}

static void is_file(const char *path, const char *want, mode_t mode)
{
	char mem[256];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, mem, sizeof(mem) - 1);

	CHECK(n >= 0 && fstat(fd, &st) == 0);
	mem[n] = 0;
	CHECK_STR(mem, want);
	CHECK_INT(st.st_mode & 07777, mode);
	close(fd);
	unlink(path);
}

TEST(files)
{
	carrel *c;
	int fd;

	enter_folder();
	umask(027);
	/* Relative to the host's directory, not to the task's. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo out; echo err >&2", .cwd = "/",
					       .out = { .kind = CARREL_FILE, .path = "out" },
					       .err = { .kind = CARREL_FILE, .path = "err" }), &r, &e), 0);
	CHECK_INT((long long)(r.out_len + r.err_len + r.status.out_bytes), 0);
	carrel_result_free(&r);
	is_file("err", "err\n", 0640);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo more", .out = { .kind = CARREL_FILE, .path = "out", .append = 1 }),
			     &r, &e), 0);
	carrel_result_free(&r);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = { .kind = CARREL_FILE, .path = "out" }), &r,
			     &e), 0);
	CHECK_STR(r.out, "out\nmore\n");
	carrel_result_free(&r);
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo new", .out = { .kind = CARREL_FILE, .path = "out" }), &r, &e), 0);
	carrel_result_free(&r);
	is_file("out", "new\n", 0640);
	/* Both in one. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo 1; echo 2 >&2; echo 3", .err.kind = CARREL_TO_STDOUT,
					       .out = { .kind = CARREL_FILE, .path = "both" }), &r, &e), 0);
	carrel_result_free(&r);
	is_file("both", "1\n2\n3\n", 0640);
	/* No events of a file; the end comes all the same. */
	c = open_handle();
	spawn(c, CARREL_SPEC(.shell = "echo x", .out = { .kind = CARREL_FILE, .path = "out" }, .err.kind = CARREL_NULL));
	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_EXIT);
	next_of(c, CARREL_GONE);
	carrel_close(c);
	is_file("out", "x\n", 0640);
	/* A full disk is the task's affair. */
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "echo x; echo $? >&2", .out = { .kind = CARREL_FILE, .path = "/dev/full" }),
			     &r, &e), 0);
	CHECK(strstr(r.err, "1\n") != NULL);
	carrel_result_free(&r);
	fd = open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in = { .kind = CARREL_FILE, .path = "none" }), CARREL_STAGE_FILE, ENOENT);
	CHECK(strstr(e.msg, "none") != NULL);
	CHECK_INT(e.index, 0);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("true"), .out = { .kind = CARREL_FILE, .path = "/" }), CARREL_STAGE_FILE, EISDIR);
	CHECK_INT(e.index, 1);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("true"), .out = { .kind = CARREL_FILE }), CARREL_STAGE_ARGS, EINVAL);
	unlink("out");
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

/* --------------------------------------------------------- terminals --- */

#define PTY(...) CARREL_SPEC(.out.kind = CARREL_PTY, __VA_ARGS__)

/* What the terminal's output says, with \r\n as \n. */
static carrel_event gather_pty(carrel *c)
{
	carrel_event ev = gather_until(c, CARREL_GONE, false);
	size_t n = 0;

	for (size_t i = 0; i < text_len; i++) {
		if (text[i] != '\r')
			text[n++] = text[i];
	}
	text[n] = 0;
	return ev;
}

/* Until the task has said ${what}. */
static void hear(carrel *c, const char *what)
{
	text_len = 0;
	text[0] = 0;
	while (strstr(text, what) == NULL) {
		carrel_event ev = next(c);

		CHECK(ev.kind != CARREL_GONE);
		if (ev.kind != CARREL_OUT)
			continue;
		CHECK(text_len + ev.len < sizeof(text));
		memcpy(text + text_len, ev.data, ev.len);
		text_len += ev.len;
		text[text_len] = 0;
	}
}

TEST(pty_is_a_terminal)
{
	carrel *c = open_handle();

	spawn(c, PTY(.shell = "for i in 0 1 2; do test -t $i && echo tty $i; done; stty size; echo to the terminal >/dev/tty;"
			      "ps -o tpgid= -p $$ | tr -d ' ' >/dev/null; exit 3"));
	carrel_event ev = gather_pty(c);
	CHECK_STR(text, "tty 0\ntty 1\ntty 2\n24 80\nto the terminal\n");
	CHECK_INT(ev.status->code, 3);
	spawn(c, PTY(.shell = "stty size", .pty_rows = 50, .pty_cols = 132));
	gather_pty(c);
	CHECK_STR(text, "50 132\n");
	carrel_close(c);
}

TEST(pty_for_some_streams)
{
	carrel *c = open_handle();
	char err[32] = "";

	spawn(c, PTY(.shell = "test -t 0 || echo no; test -t 1 && echo yes; test -t 2 || echo err >&2", .in.kind = CARREL_NULL,
		     .err.kind = CARREL_PIPE));
	text_len = 0;
	for (carrel_event ev; (ev = next(c)).kind != CARREL_GONE;) {
		if (ev.kind == CARREL_ERR)
			snprintf(err, sizeof(err), "%.*s", (int)ev.len, ev.data);
	}
	CHECK_STR(err, "err\n");
	carrel_close(c);
	refused(CARREL_SPEC(.argv = CARREL_ARGV("true"), .in.kind = CARREL_PTY), CARREL_STAGE_ARGS, EINVAL);
}

TEST(pty_output_is_complete)
{
	/* More than any buffer holds; what is last is behind the end of all its writers. */
	for (int i = 0; i < 5; i++) {
		carrel *c = open_handle();

		spawn(c, PTY(.shell = "head -c 100000 /dev/zero | tr '\\0' x; echo; echo last"));
		carrel_event ev = gather_pty(c);
		CHECK_INT((long long)strlen(text), 100000 + 1 + 5);
		CHECK_STR(text + 100001, "last\n");
		CHECK_INT((long long)ev.status->out_bytes, (long long)text_len);
		carrel_close(c);
	}
}

TEST(pty_resize)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, PTY(.shell = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done"));

	hear(c, "ready");
	CHECK_INT(carrel_resize(p, 33, 44), 0);
	gather_pty(c);
	CHECK_STR(text, "33 44\n");
	CHECK_INT(carrel_resize(p, 70000, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_resize(p, 10, 10), -1);
	CHECK_INT(errno, EBADF);
	p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
	CHECK_INT(carrel_resize(p, 10, 10), -1);
	CHECK_INT(errno, EBADF);
	carrel_close(c);
}

TEST(pty_control_characters)
{
	carrel *c = open_handle();
	/* The shell waits when its child is ready: between two commands it may keep the signal for later. */
	carrel_proc *p = spawn(c, PTY(.shell = "sh -c 'echo ready; exec sleep 1000'; echo not here"));

	/* ^C ends the foreground. */
	hear(c, "ready");
	CHECK_INT(carrel_write(p, "\003", 1), 1);
	CHECK_INT(until(c, CARREL_GONE).status->sig, SIGINT);
	/* ^Z stops it. */
	p = spawn(c, PTY(.shell = "echo ready; exec sleep 1000"));
	hear(c, "ready");
	CHECK_INT(carrel_write(p, "\032", 1), 1);
	CHECK_INT(until(c, CARREL_STOPPED).sig, SIGTSTP);
	CHECK_INT(carrel_signal(p, SIGCONT, 1), 0);
	until(c, CARREL_CONTINUED);
	CHECK_INT(carrel_write(p, "\034", 1), 1);
	CHECK_INT(until(c, CARREL_GONE).status->sig, SIGQUIT);
	carrel_close(c);
}

TEST(pty_end_of_input)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, PTY(.shell = "stty -echo; echo ready; cat; echo ended"));

	hear(c, "ready");
	CHECK_INT(carrel_write(p, "line\n", 5), 5);
	CHECK_INT(carrel_eof(p), 0);
	gather_pty(c);
	CHECK(strstr(text, "line\nended\n") != NULL);
	/* Within a line. */
	p = spawn(c, PTY(.shell = "stty -echo; echo ready; cat; echo ended"));
	hear(c, "ready");
	CHECK_INT(carrel_write(p, "part", 4), 4);
	CHECK_INT(carrel_eof(p), 0);
	gather_pty(c);
	CHECK(strstr(text, "partended\n") != NULL);
	/* Fed as a whole, the end included. */
	spawn(c, PTY(.argv = CARREL_ARGV("cat"), .input = "fed\n", .input_len = 4));
	carrel_event ev = gather_pty(c);
	CHECK(strstr(text, "fed\n") != NULL);
	CHECK(ev.status->exited && ev.status->code == 0);
	carrel_close(c);
}

TEST(pty_settings)
{
	carrel *c = open_handle();
	struct termios t = { 0 };

	cfmakeraw(&t);
	t.c_cflag = CS8 | CREAD | B38400;
	t.c_cc[VMIN] = 1;
	t.c_cc[VINTR] = 7;
	carrel_proc *p = spawn(c, PTY(.shell = "stty -a; echo ready; cat", .pty_termios = &t));
	hear(c, "ready\n");
	CHECK(strstr(text, "-icanon") != NULL && strstr(text, "-opost") != NULL && strstr(text, "intr = ^G") != NULL);
	/* Raw: no echo, no \r, any byte. */
	CHECK_INT(carrel_write(p, "\003\004\032\n\0x", 6), 6);
	carrel_event ev = { .kind = CARREL_STARTED };
	for (text_len = 0; text_len < 6;) {
		ev = next_of(c, CARREL_OUT);
		memcpy(text + text_len, ev.data, ev.len);
		text_len += ev.len;
	}
	CHECK_MEM(text, text_len, "\003\004\032\n\0x", 6);
	carrel_close(c);
}

TEST(pty_master_taken_over)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, PTY(.shell = "stty -echo; echo ready; read x; echo got $x"));
	char mem[256];
	size_t at = 0;

	hear(c, "ready\r\n");
	int fd = carrel_take_fd(p, 1);
	is_ours(fd);
	CHECK(isatty(fd));
	CHECK_INT(write(fd, "it\n", 3), 3);
	for (ssize_t n = 1; n > 0;) {
		ready(fd, POLLIN);
		n = read(fd, mem + at, sizeof(mem) - at - 1);
		at += n > 0 ? (size_t)n : 0;
	}
	mem[at] = 0;
	CHECK_STR(mem, "got it\r\n");
	until(c, CARREL_GONE);
	close(fd);
	carrel_close(c);
}

/* ------------------------------------------------------- whole trees --- */

TEST(tree)
{
	carrel *c = open_handle();
	carrel_info v[16];
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "sleep 1000 & (setsid sleep 1001 &) ; sh -c 'kill -STOP $$' & echo go; wait"));
	int sleeps = 0, stopped = 0;

	until(c, CARREL_OUT);
	/* It takes a moment until all have become what they are. */
	for (int i = 0; i < 500 && (sleeps != 2 || stopped != 1); i++) {
		sleeps = stopped = 0;
		ssize_t n = carrel_tree(p, v, 16);
		CHECK(n >= 1 && n <= 16);
		CHECK_INT(v[0].pid, carrel_pid(p));
		CHECK_STR(v[0].comm, "sh");
		for (ssize_t k = 1; k < n; k++) {
			sleeps += strcmp(v[k].comm, "sleep") == 0;
			stopped += v[k].state == 'T';
			CHECK(v[k].pid > 0 && v[k].ppid > 0 && v[k].pid != v[0].pid);
		}
		usleep(10000);
	}
	CHECK_INT(sleeps, 2);
	CHECK_INT(stopped, 1);
	CHECK(v[0].rss_kb > 0);
	ssize_t all = carrel_tree(p, NULL, 0);
	CHECK_INT(carrel_tree(p, v, 1), all);
	CHECK_INT(carrel_tree(p, NULL, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_tree(NULL, v, 1), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGKILL, 0 } }, 1), 0);
	until(c, CARREL_GONE);
	CHECK_INT(carrel_tree(p, v, 16), 0);
	carrel_close(c);
}

TEST(set_limit)
{
	carrel *c = open_handle();
	const carrel_rlimit files = { RLIMIT_NOFILE, 77, 78 }, upside = { RLIMIT_NOFILE, 2, 1 }, unknown = { 999, 1, 1 };
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "exec 3<&0; sh -c 'echo a; read x <&3; ulimit -n; ulimit -Hn' & echo b; read x;"
						       "ulimit -n; sh -c 'ulimit -n'; wait", .in.kind = CARREL_PIPE));

	text_len = 0;
	while (text_len < 4) {
		carrel_event ev = next(c);
		text_len += ev.kind == CARREL_OUT ? ev.len : 0;
	}
	CHECK_INT(carrel_set_limit(p, &files), 2);
	CHECK_INT(carrel_set_limit(p, &upside), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_set_limit(p, &unknown), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_set_limit(p, NULL), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_write(p, "\n\n", 2), 2);
	gather_until(c, CARREL_GONE, false);
	/* In any order: three soft ones and a hard one. */
	int soft = 0, hard = 0;
	for (const char *s = text; *s != 0; s++) {
		soft += strncmp(s, "77\n", 3) == 0;
		hard += strncmp(s, "78\n", 3) == 0;
	}
	CHECK_INT(soft, 3);
	CHECK_INT(hard, 1);
	CHECK_INT(carrel_set_limit(p, &files), -1);
	CHECK_INT(errno, ESRCH);
	/* The host's own is as it was. */
	struct rlimit l;
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_max > 78);
	carrel_close(c);
}

static bool lives(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static pid_t number_said(carrel *c)
{
	carrel_event ev = until(c, CARREL_OUT);
	int pid = 0;

	CHECK(sscanf(ev.data, "%d", &pid) == 1 && pid > 1);
	return pid;
}

/* Wait until it is gone, whoever reaps it. */
static void dies(pid_t pid)
{
	for (int i = 0; i < 3000 && lives(pid); i++)
		usleep(10000);
	CHECK(!lives(pid));
}

TEST(keep_tree)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "sleep 1000 >/dev/null 2>&1 & echo $!; exit 3",
					      .on_exit = CARREL_EXIT_KEEP_TREE));
	pid_t kept = number_said(c);

	carrel_event ev = until(c, CARREL_GONE);
	CHECK_INT(ev.status->code, 3);
	CHECK_INT((int)ev.status->cause, CARREL_BY_ITSELF);
	CHECK_INT((int)ev.status->leftovers, 0);
	carrel_release(p);
	CHECK(lives(kept));
	carrel_close(c);
	/* It lives on by itself. */
	usleep(100000);
	CHECK(lives(kept));
	CHECK(kill(kept, SIGKILL) == 0);
	dies(kept);
}

TEST(keep_tree_only_when_the_leader_ends_by_itself)
{
	carrel *c = open_handle();
	const carrel_spec *s = CARREL_SPEC(.shell = "sleep 1000 >/dev/null 2>&1 & echo $!; sleep 1000",
					   .on_exit = CARREL_EXIT_KEEP_TREE);
	carrel_spec timed = *s;

	carrel_proc *p = spawn(c, s);
	pid_t pid = number_said(c);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGTERM, 5000 } }, 1), 0);
	CHECK_INT((int)until(c, CARREL_GONE).status->cause, CARREL_BY_STOP);
	CHECK(!lives(pid));
	timed.timeout_ms = 200;
	spawn(c, &timed);
	pid = number_said(c);
	CHECK_INT((int)until(c, CARREL_GONE).status->cause, CARREL_BY_TIMEOUT);
	CHECK(!lives(pid));
	spawn(c, s);
	pid = number_said(c);
	carrel_close(c);
	CHECK(!lives(pid));
}

TEST(a_start_that_takes_too_long)
{
	carrel *c = open_handle();
	char ops[200];

	enter_folder();
	CHECK(mkfifo("fifo", 0600) == 0);
	snprintf(ops, sizeof(ops), "task open(\"%s/fifo\", [o_rdonly], 0)\ntask exec(\"true\", [\"true\"], env, \"/bin\")", folder);
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")));
	next_of(c, CARREL_STARTED);
	for (int i = 0; i < 5; i++) {
		CHECK(carrel_spawn(c, CARREL_SPEC(.ops = ops, .start_ms = 50, .in.kind = CARREL_PIPE), &e) == NULL);
		CHECK_INT(e.err, ETIMEDOUT);
	}
	/* Nobody waits at the other end any more. */
	for (int i = 0, fd = 0; i < 3000 && fd != -1; i++) {
		fd = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd == -1)
			CHECK_INT(errno, ENXIO);
		else
			close(fd);
		usleep(10000);
	}
	quiet(c, 50);
	/* The others do not care. */
	CHECK(lives(carrel_pid(p)));
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
	CHECK_INT(until(c, CARREL_GONE).status->code, 0);
	carrel_close(c);
	unlink("fifo");
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

TEST(signals_that_stay_ignored)
{
	CHECK_INT(carrel_run(NULL, CARREL_SPEC(.shell = "kill -HUP $$; kill -INT $$; grep SigIgn /proc/self/status",
					       .keep_ignored = (const int[]){ SIGHUP, SIGINT }, .n_keep_ignored = 2), &r, &e), 0);
	CHECK_STR(r.out, "SigIgn:\t0000000000000003\n");
	carrel_result_free(&r);
	refused(CARREL_SPEC(.shell = "", .keep_ignored = (const int[]){ 0 }, .n_keep_ignored = 1), CARREL_STAGE_ARGS, EINVAL);
}

/* The kernel would not have it, so the option must not look as if. */
TEST(signals_that_cannot_be_ignored)
{
	refused(CARREL_SPEC(.shell = "", .keep_ignored = (const int[]){ SIGKILL }, .n_keep_ignored = 1), CARREL_STAGE_ARGS,
		EINVAL);
	refused(CARREL_SPEC(.shell = "", .keep_ignored = (const int[]){ SIGSTOP }, .n_keep_ignored = 1), CARREL_STAGE_ARGS,
		EINVAL);
}

/* The host makes the caller's terminal raw and is killed: the settings come back. */
TEST(a_terminal_that_is_kept)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), ready_pipe[2];
	struct termios before, now;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(slave >= 0 && tcgetattr(slave, &before) == 0);
	CHECK(pipe2(ready_pipe, O_CLOEXEC) == 0);
	pid_t host = fork();
	if (host == 0) {
		carrel_config cfg = { .size = sizeof(cfg), .keep_terminal = 1, .terminal = slave };
		carrel *c = carrel_open(&cfg, &e);

		CHECK(c != NULL);
		spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")));
		now = before;
		cfmakeraw(&now);
		CHECK(tcsetattr(slave, TCSANOW, &now) == 0);
		CHECK_INT(write(ready_pipe[1], "x", 1), 1);
		pause();
		_exit(0);
	}
	char x;
	close(ready_pipe[1]);
	CHECK_INT(read(ready_pipe[0], &x, 1), 1);
	CHECK(tcgetattr(slave, &now) == 0 && (now.c_lflag & ICANON) == 0);
	kill(host, SIGKILL);
	waitpid(host, NULL, 0);
	for (int i = 0; i < 3000 && (now.c_lflag & ICANON) == 0; i++) {
		usleep(10000);
		CHECK(tcgetattr(slave, &now) == 0);
	}
	CHECK(now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag);
	close(slave);
	close(master);
}

/* A copy of the handle in a child that the host forked: every function says ECHILD and does nothing. */
TEST(a_forked_child_may_do_nothing)
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE));
	int status;
	pid_t child = fork();

	if (child == 0) {
		carrel_event ev = { .size = sizeof(ev) };
		carrel_info v[1];
		carrel_status st;
		const carrel_rlimit l = { RLIMIT_CORE, 0, 0 };

#define DENIED(call) (errno = 0, CHECK_INT(call, -1), CHECK_INT(errno, ECHILD))
		DENIED(carrel_next(c, &ev, 0));
		DENIED(carrel_fd(c));
		DENIED(carrel_write(p, "x", 1));
		DENIED(carrel_write(p, "", 0));
		DENIED(carrel_eof(p));
		DENIED(carrel_signal(p, SIGTERM, 1));
		DENIED(carrel_stop(p, NULL, 0));
		DENIED(carrel_wait(p, &st, 0));
		DENIED(carrel_pause(p, 1, 1));
		DENIED(carrel_take_fd(p, 1));
		DENIED(carrel_tree(p, v, 1));
		DENIED(carrel_resize(p, 1, 1));
		DENIED(carrel_set_limit(p, &l));
		DENIED(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &r, &e));
		CHECK_INT(e.err, ECHILD);
		errno = 0;
		CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")), &e) == NULL);
		CHECK_INT(errno, ECHILD);
		CHECK_INT(e.err, ECHILD);
		carrel_release(p);
		carrel_close(c);
		/* A handle of its own is another matter. */
		c = open_handle();
		spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
		CHECK_INT(until(c, CARREL_GONE).status->code, 0);
		carrel_close(c);
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	/* Nothing happened to it. */
	CHECK_INT(carrel_write(p, "whole", 5), 5);
	CHECK_INT(carrel_eof(p), 0);
	gather_until(c, CARREL_GONE, false);
	CHECK_STR(text, "whole");
	carrel_close(c);
}

TEST(a_forked_child_may_not_probe)
{
	carrel *c = open_handle();
	int status;
	pid_t child = fork();

	if (child == 0) {
		carrel_caps caps = { .size = sizeof(caps) };

		DENIED(carrel_probe(c, &caps));
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	carrel_close(c);
}
