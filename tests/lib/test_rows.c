/* SPDX-License-Identifier: ISC */
/*
 * The rows of doc/features.md on streams (S-) and on the limits of earlier systems (L-), from the library.
 * Each L row was seen to fail on the defect that its comment names ("fails if ...").
 */
#include "common.h"

#include "pattern.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define ROW(id, text)                                                                                                  \
	static void test_##id(void);                                                                                   \
	static struct tap_test tap_test_##id = { text, test_##id, 60, false, NULL };                                   \
	__attribute__((constructor)) static void tap_add_##id(void)                                                    \
	{                                                                                                              \
		*tap_tail = &tap_test_##id;                                                                            \
		tap_tail = &tap_test_##id.next;                                                                        \
	}                                                                                                              \
	static void test_##id(void)

#ifdef CARREL_SANITIZED
#define BULK ((size_t)4 << 20)
#else
#define BULK ((size_t)64 << 20)
#endif

/* What came of one tree. */
struct got {
	char text[3][200000];
	size_t len[3];
	int eofs, exits, gones, rooms;
	bool closed, failed;
	int err;
	pid_t exit_pid;
	carrel_status exit, gone;
};

static struct got got, other;

static void add(struct got *g, const carrel_event *ev)
{
	size_t room = sizeof(g->text[0]) - 1 - g->len[ev->stream];
	size_t n = ev->len < room ? ev->len : room;

	memcpy(g->text[ev->stream] + g->len[ev->stream], ev->data, n);
	g->len[ev->stream] += n;
	g->text[ev->stream][g->len[ev->stream]] = 0;
}

static void count(struct got *g, const carrel_event *ev)
{
	CHECK_INT(g->gones, 0);
	switch (ev->kind) {
	case CARREL_OUT: case CARREL_ERR: add(g, ev); break;
	case CARREL_EOF: g->eofs++; break;
	case CARREL_STDIN_ROOM: g->rooms++; break;
	case CARREL_STDIN_CLOSED: g->closed = true; break;
	case CARREL_INPUT_FAILED: g->failed = true; g->err = ev->err; break;
	case CARREL_EXIT: g->exits++; g->exit = *ev->status; g->exit_pid = ev->pid; break;
	case CARREL_GONE: g->gones++; g->gone = *ev->status; break;
	default: break;
	}
}

static void clear(struct got *g)
{
	memset(g, 0, sizeof(*g));
}

/* Everything of the one tree on ${c}, up to its end. */
static void to_the_end(carrel *c, struct got *g)
{
	clear(g);
	while (g->gones == 0) {
		carrel_event ev = next(c);

		count(g, &ev);
	}
	CHECK_INT(g->exits, 1);
}

static void run(const carrel_spec *s)
{
	carrel *c = open_handle();

	spawn(c, s);
	to_the_end(c, &got);
	carrel_close(c);
}

static long peak_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = atol(line + 6);
	}
	if (f != NULL)
		fclose(f);
	return kb;
}

/* --------------------------------------------------------- section 2 --- */

ROW(S_003, "S-003: every spawn is a new tree")
{
	carrel *c = open_handle();

	spawn(c, CARREL_SPEC(.shell = "echo $$"));
	to_the_end(c, &got);
	spawn(c, CARREL_SPEC(.shell = "echo $$"));
	to_the_end(c, &other);
	CHECK(strcmp(got.text[1], other.text[1]) != 0);
	carrel_close(c);
}

ROW(S_004, "S-004: the empty text is a command")
{
	run(CARREL_SPEC(.shell = ""));
	CHECK(got.gone.exited && got.gone.code == 0);
	CHECK_INT((long long)(got.len[1] + got.len[2]), 0);
}

ROW(S_006, "S-006: path apart from argv[0]")
{
	run(CARREL_SPEC(.path = "/bin/sh", .argv = CARREL_ARGV("stdio", "-c", "echo $0")));
	CHECK_STR(got.text[1], "stdio\n");
}

ROW(S_023, "S-023: the end is the last event, behind all that was written")
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };

	spawn(c, CARREL_SPEC(.shell = "printf a; printf b >&2; (sleep 0.1; printf c) & exit 3",
			     .on_exit = CARREL_EXIT_WAIT_TREE));
	to_the_end(c, &got);
	CHECK_STR(got.text[1], "ac");
	CHECK_STR(got.text[2], "b");
	CHECK_INT(got.gone.code, 3);
	CHECK_INT(got.eofs, 2);
	CHECK_INT(carrel_next(c, &ev, 200), 0);
	carrel_close(c);
}

ROW(S_024, "S-024: a shell that kills itself: its output, then its signal")
{
	run(CARREL_SPEC(.shell = "echo so far; kill $$; sleep 100"));
	CHECK_STR(got.text[1], "so far\n");
	CHECK_INT(got.gone.sig, SIGTERM);
	CHECK_INT(got.gone.exited, 0);
}

ROW(S_025, "S-025: outputs that are closed early are no end")
{
	run(CARREL_SPEC(.shell = "printf abc; exec >&- 2>&-; sleep 0.1; exit 3"));
	CHECK_STR(got.text[1], "abc");
	CHECK_INT(got.gone.code, 3);
}

ROW(S_030, "S-030: what is not read stays in the pipe and stops the writer")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "head -c 300000 /dev/zero; echo done >&2"));

	/* The writer is far from its end, however long one waits. */
	CHECK_INT(carrel_wait(p, NULL, 300), 0);
	for (carrel_event ev; (ev = next(c)).kind != CARREL_ERR;)
		got.len[1] += ev.kind == CARREL_OUT ? ev.len : 0;
	CHECK(got.len[1] >= 300000 - 65536);
	carrel_close(c);
}

ROW(S_031, "S-031: an early end takes the command and its descendants with it")
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "setsid sleep 1000 & echo $!; exec sleep 1000"));
	int child;

	next_of(c, CARREL_STARTED);
	ev = next_of(c, CARREL_OUT);
	CHECK(sscanf(ev.data, "%d", &child) == 1);
	pid_t leader = carrel_pid(p);
	carrel_release(p);
	CHECK_INT(carrel_next(c, &ev, 20000), 0);
	CHECK_INT(kill(leader, 0), -1);
	CHECK_INT(kill(child, 0), -1);
	carrel_close(c);
}

ROW(S_033, "S-033: an early end of an endless producer")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("yes", "test")));

	next_of(c, CARREL_STARTED);
	carrel_event ev = next_of(c, CARREL_OUT);
	CHECK(strncmp(ev.data, "test\n", 5) == 0);
	carrel_release(p);
	CHECK_INT(carrel_next(c, &ev, 20000), 0);
	carrel_close(c);
}

ROW(S_034, "S-034: an early end of a command that is stopped")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "kill -STOP $$"));

	next_of(c, CARREL_STARTED);
	carrel_event ev = next_of(c, CARREL_STOPPED);
	carrel_release(p);
	CHECK_INT(carrel_next(c, &ev, 20000), 0);
	carrel_close(c);
}

ROW(S_035, "S-035: nothing is left over of a stream that ended or was released")
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };

	for (int i = 0; i < 20; i++) {
		carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo a; echo b >&2"));

		/* STARTED, EXIT and the end are known; none of them comes any more. */
		CHECK_INT(carrel_wait(p, NULL, 30000), 1);
		if (i % 2 == 0)
			next_of(c, CARREL_STARTED);
		carrel_release(p);
		CHECK_INT(carrel_next(c, &ev, 0), 0);
	}
	carrel_close(c);
}

ROW(S_041, "S-041: writing nothing is no end")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE));

	CHECK_INT(carrel_write(p, "", 0), 0);
	CHECK_INT(carrel_write(p, NULL, 0), 0);
	CHECK_INT(carrel_write(p, "a", 1), 1);
	CHECK_INT(carrel_write(p, "", 0), 0);
	CHECK_INT(carrel_eof(p), 0);
	to_the_end(c, &got);
	CHECK_STR(got.text[1], "a");
	CHECK_INT((long long)got.gone.in_bytes, 1);
	carrel_close(c);
}

ROW(S_042, "S-042: pieces are joined without anything in between")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("tr", "a-z", "A-Z"), .in.kind = CARREL_PIPE));

	CHECK_INT(carrel_write(p, "let", 3), 3);
	CHECK_INT(carrel_write(p, "it", 2), 2);
	CHECK_INT(carrel_write(p, "crash", 5), 5);
	CHECK_INT(carrel_eof(p), 0);
	to_the_end(c, &got);
	CHECK_STR(got.text[1], "LETITCRASH");
	carrel_close(c);
}

ROW(S_044, "S-044: a write is taken when it is in the pipe, not before")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000"), .in.kind = CARREL_PIPE));
	static char block[1 << 20];
	ssize_t n = carrel_write(p, block, sizeof(block));

	/* The kernel's default pipe. */
	CHECK(n > 0 && n <= 65536);
	CHECK_INT(carrel_write(p, block, sizeof(block)), 0);
	CHECK_INT(carrel_write(p, block, 1), 0);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGKILL, 0 } }, 1), 0);
	to_the_end(c, &got);
	CHECK_INT((long long)got.gone.in_bytes, (long long)n);
	carrel_close(c);
}

ROW(S_045, "S-045: a full pipe is no error and no end")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "sleep 0.3; wc -c", .in.kind = CARREL_PIPE));
	static char piece[100];

	for (int i = 0; i < 1000; i++) {
		size_t at = 0;

		while (at < sizeof(piece)) {
			ssize_t n = carrel_write(p, piece + at, sizeof(piece) - at);

			CHECK(n >= 0);
			at += (size_t)n;
			while (at < sizeof(piece) && next(c).kind != CARREL_STDIN_ROOM)
				;
		}
	}
	CHECK_INT(carrel_eof(p), 0);
	to_the_end(c, &got);
	CHECK_STR(got.text[1], "100000\n");
	CHECK_STR(got.text[2], "");
	CHECK_INT(got.gone.code, 0);
	carrel_close(c);
}

ROW(S_046, "S-046: a command that ends before its input: its status, and how much it was given")
{
	carrel *c = open_handle();
	static char block[1 << 20];
	carrel_event ev = { .size = sizeof(ev) };

	spawn(c, CARREL_SPEC(.shell = "exit 3", .input = block, .input_len = sizeof(block)));
	to_the_end(c, &got);
	CHECK_INT(got.gone.code, 3);
	CHECK(got.gone.in_bytes <= 65536);
	CHECK_INT(carrel_next(c, &ev, 100), 0);
	/* And piece by piece. */
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "exit 3", .in.kind = CARREL_PIPE));
	for (int i = 0; i < 4; i++) {
		ssize_t n = carrel_write(p, "test\n", 5);

		CHECK(n == 5 || (n == -1 && errno == EPIPE));
	}
	to_the_end(c, &got);
	CHECK_INT(got.gone.code, 3);
	carrel_close(c);
}

ROW(S_047, "S-047: SIGPIPE does not reach the host")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "exec <&-; echo; sleep 1000", .in.kind = CARREL_PIPE));
	sigset_t pending;

	/* Its default would end us. */
	signal(SIGPIPE, SIG_DFL);
	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_OUT);
	/* The control process may let go of its copy a moment later than the command. */
	ssize_t n = 1;
	for (int i = 0; i < 5000 && n == 1; i++) {
		n = carrel_write(p, "x", 1);
		usleep(1000);
	}
	CHECK_INT(n, -1);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(carrel_write(p, "x", 1), -1);
		CHECK_INT(errno, EPIPE);
	}
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	/* One of the host's own that is pending stays. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGPIPE);
	CHECK_INT(carrel_write(p, "x", 1), -1);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGPIPE));
	carrel_close(c);
	_exit(0);
}

ROW(S_049, "S-049: one tree's output is another one's input")
{
	carrel *c = open_handle();
	carrel_proc *from = spawn(c, CARREL_SPEC(.shell = "echo test; kill $$", .user = &got));
	int fd = carrel_take_fd(from, 1);

	/* By descriptor, without the host in between; sed wants one that blocks. */
	CHECK(fd >= 0 && fcntl(fd, F_SETFL, 0) == 0);
	carrel_proc *to = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sed", "-u", "s/t/_/g"), .user = &other,
					       .in = { .kind = CARREL_FD, .fd = fd }));
	close(fd);
	CHECK(to != NULL);
	clear(&got);
	clear(&other);
	while (got.gones + other.gones < 2) {
		carrel_event ev = next(c);

		count(ev.user, &ev);
	}
	CHECK_INT(got.gone.sig, SIGTERM);
	CHECK_STR(other.text[1], "_es_\n");
	CHECK_INT(other.gone.code, 0);
	carrel_close(c);
}

ROW(S_056, "S-056: all kinds of events by one call")
{
	carrel *c = open_handle();
	static char block[200000];
	unsigned seen = 0;

	spawn(c, CARREL_SPEC(.shell = "echo a; echo b >&2; kill -STOP $$; exec <&-; sleep 0.1", .trace = 1,
			     .input = block, .input_len = sizeof(block)));
	for (carrel_event ev = { 0 }; ev.kind != CARREL_GONE;) {
		ev = next(c);
		seen |= 1U << ev.kind;
		if (ev.kind == CARREL_STOPPED)
			CHECK_INT(carrel_signal(ev.proc, SIGCONT, 0), 0);
	}
	for (int kind = CARREL_STARTED; kind <= CARREL_GONE; kind++)
		CHECK(kind == CARREL_STDIN_ROOM || (seen & 1U << kind) != 0);
	carrel_close(c);
}

ROW(S_075, "S-075: a control process that cannot be had is an error of its own stage")
{
	carrel_config cfg = { .size = sizeof(cfg), .helper = "/no/such/carrel-control" };

	CHECK(carrel_open(&cfg, &e) == NULL);
	CHECK_INT((int)e.stage, CARREL_STAGE_HELPER);
	CHECK_INT(e.err, ENOENT);
	CHECK(strstr(e.msg, "/no/such/carrel-control") != NULL);
}

/* A copy of the control process where any user can reach it. */
static void copy_control(const char *to)
{
	const char *from = getenv("CARREL_CONTROL");
	static char block[65536];
	ssize_t n;

	CHECK(from != NULL);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, block, sizeof(block))) > 0)
		CHECK_INT(write(out, block, (size_t)n), n);
	close(in);
	close(out);
}

/* As a user of its own, who may have ${most} processes. Returns how many trees there were, or -1 without a handle. */
static int trees_of(const char *control, uid_t uid, rlim_t most)
{
	carrel_config cfg = { .size = sizeof(cfg), .helper = control, .no_cgroup = 1 };
	const struct rlimit l = { most, most };
	int n = 0;

	CHECK(setrlimit(RLIMIT_NPROC, &l) == 0);
	CHECK(setgid(65534) == 0 && setuid(uid) == 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	carrel *c = carrel_open(&cfg, &e);
	if (c == NULL) {
		CHECK(e.err == EAGAIN || e.err == EPROTO);
		CHECK_INT((int)e.stage, CARREL_STAGE_HELPER);
		return -1;
	}
	while (n < 30 && carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")), &e) != NULL)
		n++;
	CHECK(n < 30);
	if (e.err != EAGAIN)
		tap_say("%s", carrel_strerror(&e));
	CHECK_INT(e.err, EAGAIN);
	CHECK_INT((int)e.stage, CARREL_STAGE_FORK);
	/* Those that are there live. */
	for (int i = 0; i < n; i++)
		next_of(c, CARREL_STARTED);
	carrel_event ev = { .size = sizeof(ev) };
	CHECK_INT(carrel_next(c, &ev, 100), 0);
	carrel_close(c);
	return n;
}

ROW(S_080, "S-080: no more processes: stage fork, EAGAIN, and the others live")
{
	char dir[] = "/tmp/carrel-rows-XXXXXX", path[64];
	int n = 0, status;

	if (getuid() != 0)
		SKIP("only root can become a user of its own");
	CHECK(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
	snprintf(path, sizeof(path), "%s/control", dir);
	copy_control(path);
	CHECK(chdir("/") == 0);
	for (rlim_t most = 2; most < 16; most++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(trees_of(path, 60000 + (uid_t)getpid() % 5000, most) + 1);
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && !atomic_load(&tap_shared->failed));
		n += WEXITSTATUS(status) > 1;
	}
	/* Some had trees. */
	CHECK(n > 3);
	unlink(path);
	rmdir(dir);
}

/* -------------------------------------------------------- section 14.1 --- */

/* Fails if what a short write left over is given up (feed.c, put(): left = 0). */
ROW(L_001, "L-001: any amount of input, in constant memory, at the task's pace")
{
	static unsigned char block[65536];
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .in.kind = CARREL_PIPE));
	size_t sent = 0, back = 0;
	bool room = true;
	long before = peak_kb();

	for (carrel_event ev = { 0 }; ev.kind != CARREL_GONE;) {
		while (room && sent < BULK) {
			size_t at = sent % 65536, n = sizeof(block) - at;

			pattern_fill(sent / 65536, 1, 0, block, sizeof(block));
			ssize_t w = carrel_write(p, block + at, n);
			CHECK(w >= 0);
			sent += (size_t)w;
			room = (size_t)w == n;
			if (sent == BULK)
				CHECK_INT(carrel_eof(p), 0);
		}
		ev = next(c);
		room |= ev.kind == CARREL_STDIN_ROOM;
		for (size_t i = 0; ev.kind == CARREL_OUT && i < ev.len;) {
			size_t at = back % 65536, n = ev.len - i < 65536 - at ? ev.len - i : 65536 - at;

			CHECK_INT(pattern_differs(back / 65536, 1, at, ev.data + i, n), -1);
			back += n;
			i += n;
		}
		if (ev.kind == CARREL_GONE)
			CHECK_INT((long long)ev.status->in_bytes, (long long)BULK);
	}
	CHECK_INT((long long)back, (long long)BULK);
#ifndef CARREL_SANITIZED
	CHECK(peak_kb() - before < 2048);
#else
	(void)before;
#endif
	carrel_close(c);
	/* The same from a block of memory, into somebody slow. */
	size_t size = 3 << 20;
	char *input = malloc(size);
	CHECK(input != NULL);
	memset(input, 'x', size);
	run(CARREL_SPEC(.shell = "sleep 0.1; head -c 100000 | wc -c; sleep 0.1; wc -c", .input = input,
			.input_len = size));
	CHECK_STR(got.text[1], "100000\n3045728\n");
	free(input);
}

/* Fails if carrel_write() says that it took all (stream.c: n in place of w). */
ROW(L_002, "L-002: what was not taken is told, nothing is dropped")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "read go; cat", .in.kind = CARREL_PIPE));
	static unsigned char block[150000];
	size_t sent;

	block[0] = '\n';
	pattern_fill(7, 1, 0, block + 1, sizeof(block) - 1);
	ssize_t n = carrel_write(p, block, sizeof(block));
	CHECK(n > 0 && n < (ssize_t)sizeof(block));
	sent = (size_t)n;
	clear(&got);
	while (got.gones == 0) {
		carrel_event ev = next(c);

		count(&got, &ev);
		if (ev.kind != CARREL_STDIN_ROOM)
			continue;
		n = carrel_write(p, block + sent, sizeof(block) - sent);
		CHECK(n >= 0);
		sent += (size_t)n;
		if (sent == sizeof(block))
			CHECK_INT(carrel_eof(p), 0);
	}
	CHECK_MEM(got.text[1], got.len[1], block + 1, sizeof(block) - 1);
	CHECK_INT((long long)got.gone.in_bytes, (long long)sizeof(block));
	carrel_close(c);
}

/* Fails if the end is told before the pipes were read (next.c, proc_gone(): rest = 0). */
ROW(L_003, "L-003: the tail of both streams comes before the end")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "echo a; sleep 0.1; echo b; sleep 0.1; head -c 50000 /dev/zero;"
						       "head -c 65536 /dev/zero >&2; exit 7"));
	/* All is over before the first event is looked at. One pipe is full; the other holds pieces. */
	CHECK_INT(carrel_wait(p, NULL, 30000), 1);
	to_the_end(c, &got);
	CHECK_INT((long long)got.len[1], 50004);
	CHECK_INT((long long)got.len[2], 65536);
	CHECK_INT(got.gone.code, 7);
	/* And with a pause behind the first event. */
	p = spawn(c, CARREL_SPEC(.shell = "echo a; sleep 0.1; echo b; sleep 0.1; head -c 50000 /dev/zero; exit 7"));
	next_of(c, CARREL_STARTED);
	carrel_event ev = next_of(c, CARREL_OUT);
	CHECK_MEM(ev.data, ev.len, "a\n", 2);
	CHECK_INT(carrel_wait(p, NULL, 30000), 1);
	to_the_end(c, &got);
	CHECK_INT((long long)got.len[1], 50002);
	carrel_close(c);
}

/* Fails if stderr gets a pipe of its own (request.c: CARREL_TO_STDOUT as CARREL_PIPE). */
ROW(L_004, "L-004: stdout and stderr in their true order, when they share a pipe")
{
	run(CARREL_SPEC(.shell = "i=0; while [ $i -lt 200 ]; do echo $i; echo $((i+1)) >&2; i=$((i+2)); done",
			.err.kind = CARREL_TO_STDOUT));
	char want[2000];
	size_t at = 0;
	for (int i = 0; i < 200; i++)
		at += (size_t)snprintf(want + at, sizeof(want) - at, "%d\n", i);
	CHECK_STR(got.text[1], want);
	CHECK_INT((long long)got.len[2], 0);
}

/* Fails if stdin is a pipe by default (spec.c: CARREL_PIPE in place of CARREL_NULL). */
ROW(L_005, "L-005: stdin is empty by default, and is not the host's")
{
	run(CARREL_SPEC(.shell = "cat; readlink /proc/self/fd/0", .timeout_ms = 20000));
	CHECK_STR(got.text[1], "/dev/null\n");
	CHECK_INT((int)got.gone.cause, CARREL_BY_ITSELF);
}

static ssize_t fails_at_once(void *arg, void *mem, size_t size)
{
	int *calls = arg;

	CHECK(size >= 3);
	memcpy(mem, "abc", 3);
	if ((*calls)++ == 0)
		return 3;
	errno = EILSEQ;
	return -1;
}

/* Fails if a failed input is taken for its end (feed.c, feed_turn(): FEED_OVER in place of FEED_FAILED). */
ROW(L_006, "L-006: input that fails is an event, and not an end of file")
{
	carrel *c = open_handle();
	carrel_result r;
	int calls = 0;
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "cat; echo ended", .produce = fails_at_once,
					      .produce_arg = &calls));

	clear(&got);
	while (!got.failed || got.len[1] < 3) {
		carrel_event ev = next(c);

		count(&got, &ev);
		CHECK(ev.kind != CARREL_EXIT);
	}
	CHECK_INT(got.err, EILSEQ);
	/* It waits for more: nothing ends by itself. */
	CHECK_INT(carrel_wait(p, NULL, 200), 0);
	CHECK_STR(got.text[1], "abc");
	CHECK_INT(carrel_write(p, "d", 1), 1);
	CHECK_INT(carrel_eof(p), 0);
	to_the_end(c, &other);
	CHECK_STR(other.text[1], "dended\n");
	CHECK_INT((long long)other.gone.in_bytes, 4);
	/* carrel_run() has nobody to ask. */
	calls = 0;
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("cat"), .produce = fails_at_once, .produce_arg = &calls),
			     &r, &e), -1);
	CHECK_INT((int)e.stage, CARREL_STAGE_INPUT);
	CHECK_INT(e.err, EILSEQ);
	carrel_close(c);
}

/* Fails if the end of a tree empties the handle's queue (next.c, ending_remove(): first = NULL). */
ROW(L_007, "L-007: the end of one stream takes no event of another one")
{
	carrel *c = open_handle();

	for (int i = 0; i < 20; i++) {
		carrel_proc *a = spawn(c, CARREL_SPEC(.shell = "echo a; exit 1", .user = &got));
		carrel_proc *b = spawn(c, CARREL_SPEC(.shell = "echo b; exit 2", .user = &other));

		/* Both are over before anything is looked at. */
		CHECK_INT(carrel_wait(a, NULL, 30000), 1);
		CHECK_INT(carrel_wait(b, NULL, 30000), 1);
		clear(&got);
		clear(&other);
		if (i % 2 == 1)
			carrel_release(a);
		while (got.gones + other.gones < 1 + (i % 2 == 0)) {
			carrel_event ev = next(c);

			count(ev.user, &ev);
		}
		CHECK(i % 2 == 1 || (got.gone.code == 1 && got.exits == 1));
		CHECK(other.gone.code == 2 && other.exits == 1);
		CHECK_STR(other.text[1], "b\n");
		carrel_release(b);
		if (i % 2 == 0)
			carrel_release(a);
	}
	carrel_close(c);
}

/* Fails if the signal is sent again while anybody is left (reaper_watch.c, COMMAND_TREE: in a loop). */
ROW(L_008, "L-008: a signal is sent once to each, whether it ends them or not")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "trap 'echo usr1' USR1;"
						       "sh -c 'trap \"echo usr1\" USR1; echo ready; while :; do sleep 0.01; done' &"
						       "echo ready; trap 'kill $!; exit 4' TERM; while :; do sleep 0.01; done"));

	clear(&got);
	while (got.len[1] < 12) {
		carrel_event ev = next(c);

		count(&got, &ev);
	}
	CHECK_STR(got.text[1], "ready\nready\n");
	CHECK_INT(carrel_signal(p, SIGUSR1, 1), 0);
	/* sleep dies of it, the shells answer. */
	while (got.len[1] < 22) {
		carrel_event ev = next(c);

		count(&got, &ev);
	}
	usleep(200000);
	CHECK_INT(carrel_signal(p, SIGTERM, 0), 0);
	to_the_end(c, &other);
	CHECK_STR(got.text[1], "ready\nready\nusr1\nusr1\n");
	CHECK_STR(other.text[1], "");
	CHECK_INT(other.gone.code, 4);
	carrel_close(c);
}

/* Fails if dispositions and mask are left as they are (behaviour/process.c: no reset_signals). */
ROW(L_009, "L-009: dispositions and mask are the default ones")
{
	sigset_t all;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	run(CARREL_SPEC(.shell = "yes | head -n 1; grep -E '^Sig(Ign|Blk)' /proc/self/status"));
	CHECK_STR(got.text[2], "");
	CHECK_STR(got.text[1], "y\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* Fails if the task inherits the reaper's descriptors (calls/file.c: no close_range; datagram.c: no close-on-exec). */
ROW(L_010, "L-010: 0, 1, 2 and what is passed, and nothing else")
{
	int open_one = open("/etc/passwd", O_RDONLY);
	const int pass[][2] = { { open_one, 7 } };

	CHECK(dup2(open_one, 60) == 60);
	/* ls itself opens the directory as 3. */
	run(CARREL_SPEC(.argv = CARREL_ARGV("ls", "/proc/self/fd")));
	CHECK_STR(got.text[1], "0\n1\n2\n3\n");
	run(CARREL_SPEC(.argv = CARREL_ARGV("ls", "/proc/self/fd"), .pass_fds = pass, .n_pass_fds = 1,
			.in.kind = CARREL_PIPE));
	CHECK_STR(got.text[1], "0\n1\n2\n3\n7\n");
}

/* Fails if a full pipe is an error (stream.c, carrel_write(): -EAGAIN given back). */
ROW(L_011, "L-011: a full pipe is told by an event, never in the command's stderr")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "read x; sleep 0.1; exit 0", .in.kind = CARREL_PIPE));
	static char block[200000];

	memset(block, '\n', sizeof(block));
	CHECK(carrel_write(p, block, sizeof(block)) > 0);
	CHECK_INT(carrel_write(p, block, sizeof(block)), 0);
	to_the_end(c, &got);
	CHECK(got.rooms + got.closed >= 1);
	CHECK_INT((long long)got.len[2], 0);
	CHECK(got.gone.exited && got.gone.code == 0);
	carrel_close(c);
}

/* Fails if the bytes are not counted (feed.c, put(): no in_bytes). */
ROW(L_012, "L-012: how much was accepted when the command ended early")
{
	static char block[1 << 20];

	run(CARREL_SPEC(.shell = "head -c 100000 >/dev/null; exit 0", .input = block, .input_len = sizeof(block)));
	CHECK(got.gone.in_bytes >= 100000 && got.gone.in_bytes < sizeof(block));
	CHECK(got.closed || got.gone.in_bytes > 0);
	run(CARREL_SPEC(.argv = CARREL_ARGV("cat"), .input = block, .input_len = 5000));
	CHECK_INT((long long)got.gone.in_bytes, 5000);
	CHECK_INT((long long)got.gone.out_bytes, 5000);
	CHECK_INT((long long)got.gone.err_bytes, 0);
}

/* Fails if a stop ends the reading (stream.c, carrel_stop(): closes stdout's pipe). */
ROW(L_013, "L-013: output is read on while the command is stopped, and the stop is bounded")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "trap 'head -c 150000 /dev/zero; exit 5' TERM; echo go;"
						       "while :; do sleep 0.01; done"));

	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_OUT);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGTERM, 30000 } }, 1), 0);
	to_the_end(c, &got);
	CHECK_INT((long long)got.len[1], 150000);
	CHECK_INT(got.gone.code, 5);
	/* One that does not end is ended. */
	p = spawn(c, CARREL_SPEC(.shell = "trap '' TERM; echo go; yes"));
	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_OUT);
	CHECK_INT(carrel_stop(p, (const carrel_step[]){ { SIGTERM, 100 } }, 1), 0);
	to_the_end(c, &got);
	CHECK_INT(got.gone.sig, SIGKILL);
	carrel_close(c);
}

/* Fails if any process's end counts as the leader's (reaper_watch.c, reaped(): without comparing the pid). */
ROW(L_014, "L-014: only the leader's end is the command's")
{
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "(sh -c 'exit 9' & sh -c 'kill -KILL $$' &) ; sleep 0.2; exit 3"));

	pid_t leader = carrel_pid(p);
	to_the_end(c, &got);
	CHECK_INT(got.exit_pid, leader);
	CHECK(got.exit.exited && got.exit.code == 3);
	CHECK(got.gone.exited && got.gone.code == 3);
	carrel_close(c);
}

/* Fails if one way to end has no end (next.c, proc_gone(): no ending_add() after SIGSEGV). */
ROW(L_015, "L-015: every run ends with one end")
{
	static const char *const how[] = { "exit 0", "exit 1", "kill -9 $$", "kill -11 $$", "exec >&- 2>&- <&-", "yes",
					   "setsid sleep 1000 & exit 2", "kill -STOP $$", "head -c 1000000 /dev/zero",
					   "trap '' TERM; sleep 1000" };
	carrel *c = open_handle();
	static int ends[20];
	static char block[100000];

	for (int i = 0; i < 20; i++)
		spawn(c, CARREL_SPEC(.shell = how[i / 2], .user = &ends[i], .timeout_ms = 300, .stop = { { SIGTERM, 50 } },
				     .input = block, .input_len = i % 2 == 0 ? sizeof(block) : 0));
	for (int gone = 0; gone < 20;) {
		carrel_event ev = next(c);

		CHECK_INT(*(int *)ev.user, 0);
		if (ev.kind == CARREL_GONE) {
			++*(int *)ev.user;
			gone++;
		}
	}
	carrel_event ev = { .size = sizeof(ev) };
	CHECK_INT(carrel_next(c, &ev, 100), 0);
	carrel_close(c);
}

/* Fails if a limit is not kept (streams.c: no timer for timeout_ms; stream.c: CLOCK_NEVER for start_ms). */
ROW(L_016, "L-016: a limit of time for the stream and for each call")
{
	carrel *c = open_handle();
	carrel_event ev = { .size = sizeof(ev) };
	carrel_proc *p = spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000")));
	char dir[] = "/tmp/carrel-rows-XXXXXX", ops[200];

	next_of(c, CARREL_STARTED);
	CHECK_INT(carrel_next(c, &ev, 50), 0);
	CHECK_INT(carrel_wait(p, NULL, 50), 0);
	carrel_release(p);
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("sleep", "1000"), .timeout_ms = 100));
	to_the_end(c, &got);
	CHECK_INT((int)got.gone.cause, CARREL_BY_TIMEOUT);
	CHECK_INT(got.gone.sig, SIGTERM);
	/* The start too: nobody ever opens the other end of this. */
	CHECK(mkdtemp(dir) != NULL);
	char fifo[64];
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK(mkfifo(fifo, 0600) == 0);
	snprintf(ops, sizeof(ops), "task open(\"%s\", [o_rdonly], 0)\ntask exec(\"true\", [\"true\"], env, \"/bin\")", fifo);
	CHECK(carrel_spawn(c, CARREL_SPEC(.ops = ops, .start_ms = 200), &e) == NULL);
	CHECK_INT(e.err, ETIMEDOUT);
	CHECK_INT(errno, ETIMEDOUT);
	CHECK_INT(carrel_next(c, &ev, 1000), 0);
	carrel_close(c);
	unlink(fifo);
	rmdir(dir);
}

/* Fails if a request may be no larger than 64 KiB (message.h: MESSAGE_BODY_MAX). */
ROW(L_017, "L-017: a command's text up to the kernel's limit, and E2BIG beyond it")
{
	size_t n = 70000;
	char *text = malloc((4 << 20) + 1);

	CHECK(text != NULL);
	memset(text, ' ', n);
	strcpy(text + n, "echo here");
	run(CARREL_SPEC(.shell = text));
	CHECK_STR(got.text[1], "here\n");
	/* One string of more than 128 KiB is too long for any kernel. */
	carrel *c = open_handle();
	memset(text, ' ', 4 << 20);
	text[4 << 20] = 0;
	CHECK(carrel_spawn(c, CARREL_SPEC(.shell = text), &e) == NULL);
	CHECK_INT(e.err, E2BIG);
	spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true")));
	to_the_end(c, &got);
	CHECK_INT(got.gone.code, 0);
	carrel_close(c);
	free(text);
}

/* Fails if a list is cut (tree.c, add_list(): 100 children at most; message.h: MESSAGE_BODY_MAX of 64 KiB). */
ROW(L_018, "L-018: an environment of 4,000 variables, a tree of many processes")
{
	static char names[4000][40];
	static const char *env[4001];
	static carrel_info v[300];

	for (int i = 0; i < 4000; i++) {
		snprintf(names[i], sizeof(names[i]), "VARIABLE_%d=value-%d", i, i);
		env[i] = names[i];
	}
	run(CARREL_SPEC(.shell = "env | grep -c ^VARIABLE_; echo $VARIABLE_3999", .env = env));
	CHECK_STR(got.text[1], "4000\nvalue-3999\n");
	carrel *c = open_handle();
	carrel_proc *p = spawn(c, CARREL_SPEC(.shell = "i=0; while [ $i -lt 249 ]; do sleep 1000 & i=$((i+1)); done; echo go;"
						       "wait"));
	next_of(c, CARREL_STARTED);
	next_of(c, CARREL_OUT);
	CHECK_INT(carrel_tree(p, v, 300), 250);
	CHECK_INT(v[0].pid, carrel_pid(p));
	CHECK_INT(carrel_tree(p, v, 3), 250);
	carrel_close(c);
}

static void fails(const carrel_spec *s, int err)
{
	carrel *c = open_handle();

	if (carrel_spawn(c, s, &e) != NULL)
		tap_fail("%s runs, and should not: %s", s->argv[0], strerror(err));
	CHECK_INT(e.err, err);
	CHECK_INT((int)e.stage, CARREL_STAGE_EXEC);
	/* In words that say more, where there are such. */
	CHECK(strstr(e.msg, strerror(err)) != NULL || err == ENOENT || err == EACCES);
	carrel_close(c);
}

/* Fails if every failure is ENOENT (reaper_start.c: in REPORT_FAILED). */
ROW(L_019, "L-019: the true cause of an execution that failed")
{
	char dir[] = "/tmp/carrel-rows-XXXXXX", path[64];

	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("./none")), ENOENT);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("/etc/passwd/x")), ENOTDIR);
	fails(CARREL_SPEC(.argv = CARREL_ARGV(dir)), EACCES);
	CHECK(symlink("loop", "loop") == 0);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("./loop")), ELOOP);
	int fd = open("text", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && write(fd, "\001\002\003", 3) == 3);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("./text")), ETXTBSY);
	close(fd);
	CHECK(chmod("text", 0644) == 0);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("./text")), EACCES);
	fd = open("text", O_WRONLY | O_TRUNC | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "#!/no/interpreter\n", 18) == 18 && fchmod(fd, 0755) == 0);
	close(fd);
	fails(CARREL_SPEC(.argv = CARREL_ARGV("./text")), ENOENT);
	snprintf(path, sizeof(path), "%s/text", dir);
	unlink(path);
	unlink("loop");
	CHECK(chdir("/") == 0);
	rmdir(dir);
}

struct blocked {
	carrel *c;
	char ops[200];
};

static void *spawn_blocked(void *arg)
{
	struct blocked *b = arg;
	carrel_error mine;
	carrel_proc *p = carrel_spawn(b->c, CARREL_SPEC(.ops = b->ops, .user = &other), &mine);

	if (p == NULL)
		tap_fail("%s", carrel_strerror(&mine));
	return NULL;
}

/* Fails if one spawn waits for another (stream.c, spawn(): under one lock). */
ROW(L_020, "L-020: an operation that blocks delays its own stream alone")
{
	char dir[] = "/tmp/carrel-rows-XXXXXX", fifo[64];
	struct blocked b = { .c = open_handle() };
	pthread_t th;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK(mkfifo(fifo, 0600) == 0);
	snprintf(b.ops, sizeof(b.ops), "task open(\"%s\", [o_rdonly], 0)\ntask exec(\"true\", [\"true\"], env, \"/bin\")", fifo);
	CHECK(pthread_create(&th, NULL, spawn_blocked, &b) == 0);
	usleep(100000);
	/* Others start, write and end meanwhile; the blocked one does not until we let it. */
	for (int i = 0; i < 5; i++) {
		spawn(b.c, CARREL_SPEC(.shell = "echo here", .user = &got));
		clear(&got);
		while (got.gones == 0) {
			carrel_event ev = next(b.c);

			CHECK(ev.user == &got);
			count(&got, &ev);
		}
		CHECK_STR(got.text[1], "here\n");
	}
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	pthread_join(th, NULL);
	clear(&other);
	while (other.gones == 0) {
		carrel_event ev = next(b.c);

		count(&other, &ev);
	}
	CHECK_INT(other.gone.code, 0);
	close(fd);
	carrel_close(b.c);
	unlink(fifo);
	rmdir(dir);
}
