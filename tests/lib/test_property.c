/* SPDX-License-Identifier: ISC */
/*
 * Random programs (tests/tools/actor) against a random reader.
 *
 *	test_property [SEED [ROUNDS [FIRST]]]
 *
 * Each round opens a handle and runs up to four actors at once, whose programs read, write, close,
 * dup, sleep, fork, exec, die and hand their stdout to a stranger. Meanwhile the reader is slow or
 * fast, wants chunks or lines, pauses streams, takes descriptors over, stops or releases early.
 * What is asserted:
 *  - the bytes of each stream are those that were written, all of them, in their order;
 *  - stdin's bytes are those that were sent, and its end is seen when all were;
 *  - STARTED is first, EOF comes once a stream and nothing of it afterwards, EXIT once, GONE once and
 *    last, nothing after a release; the counts of the status are those of the bytes;
 *  - the host's memory stays bounded, its descriptors are the same before and after;
 *  - everything is over in time, and no process is left (tap.h looks).
 *
 * A failure says how to have its round again. Defects that were put into the library to see that this
 * test fails on them, with what it said:
 *  1. proc_gone() takes the rest of the pipes for empty, so that what was not read before the end of the
 *     tree is lost: "got[s] >= low".
 *  2. a short write of .input is taken for a whole one: stdin's end is seen too early.
 *  3. carrel_release() forgets to close stderr's pipe: the descriptors before and after differ.
 *  4. EXIT is queued anew with the tree's end: "!t->exited".
 *  5. GONE waits for the pipes' end, which a stranger holds: the round is not over in time.
 *  6. carrel_release() leaves what is queued of the tree: "!t->released".
 */
#define TAP_NO_MAIN
#include "common.h"

#include "pattern.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifdef CARREL_SANITIZED
#define ROUNDS 40
#define MEMORY_KB (1 << 20)	/* a sanitizer has memory of its own */
#else
#define ROUNDS 100
#define MEMORY_KB 8192
#endif
#define TREES 4
#define WORDS 64
#define ROUND_MS 20000
#define ONE (1 << 20)

static uint64_t base_seed = 1;
static int rounds = ROUNDS, first_round;

/* ---------------------------------------------------------- chance --- */

static uint64_t chance_state;

static uint64_t chance(void)
{
	return pattern_mix(chance_state++);
}

/* A number from 0 to ${n} - 1. */
static unsigned below(unsigned n)
{
	return (unsigned)(chance() % n);
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* Around 1, PIPE_BUF, 64 KiB, 1 MiB; the large ones are rarer. */
static unsigned some_size(void)
{
	static const unsigned around[] = { 1, 1, 4096, 4096, 65536, 65536, 1 << 20 };
	unsigned n = around[below(7)];

	return one_in(4) ? 1 + below(n) : n - 1 + below(3);
}

/* ------------------------------------------------------------ trees --- */

enum feeding { FEED_NONE, FEED_INPUT, FEED_WRITE, FEED_WRITE_NO_EOF, FEED_FILE, FEED_PRODUCE, FEED_FAIL, FEED_COUNT };

struct tree {
	carrel_proc *p;
	int number;
	uint64_t seed;
	struct pattern_log *log;
	int log_fd, stranger_fd, source_fd;
	pid_t stranger;
	/* the program */
	char text[WORDS][16];
	const char *argv[WORDS + 3];
	int n_words;
	unsigned budget;	/* bytes that it may still write */
	/* the reader's way with it */
	enum feeding feeding;
	size_t input_len, input_at;
	unsigned slow;		/* sleeps after every n-th event, or 0 */
	int stop_at, release_at, pause_at, take_at; /* after so many events, or -1 */
	int take_stream;
	bool lines;
	size_t max_line;
	carrel_exit_policy on_exit;
	int timeout_ms;
	/* what came */
	int events;
	uint64_t got[3];
	bool eof[3], paused[3];
	int taken[3];
	bool started, exited, gone, released, stopped, room, failed, was_taken[3];
};

static struct tree trees[TREES];
static unsigned char *scratch;	/* ONE bytes of input */
static int the_round;

#define DEMAND(expr, t) ((expr) ? (void)0 : broken(t, __LINE__, #expr))

static void describe(const struct tree *t)
{
	char text[900];
	size_t at = 0;

	text[0] = 0;
	for (int i = 0; i < t->n_words && at + 20 < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s", t->argv[i + 2]);
	tap_say("tree %d: actor %s%s", t->number, t->argv[1], text);
	tap_say("  feeding %d of %zu at %zu; slow %u stop %d release %d pause %d take %d:%d lines %d:%zu "
		"on_exit %d timeout %d stranger %d", (int)t->feeding, t->input_len, t->input_at, t->slow, t->stop_at,
		t->release_at, t->pause_at, t->take_stream, t->take_at, t->lines, t->max_line,
		(int)t->on_exit, t->timeout_ms, t->stranger > 0);
	tap_say("  events %d started %d exited %d gone %d released %d stopped %d", t->events, t->started, t->exited,
		t->gone, t->released, t->stopped);
	for (int s = 0; s < 3; s++)
		tap_say("  stream %d: got %ju, written %ju to %ju, eof %d paused %d taken %d", s, (uintmax_t)t->got[s],
			(uintmax_t)atomic_load(&t->log->done[s]), (uintmax_t)atomic_load(&t->log->want[s]), t->eof[s],
			t->paused[s], t->taken[s]);
}

__attribute__((noreturn)) static void broken(const struct tree *t, int line, const char *what)
{
	tap_say("%s:%d: not true: %s", __FILE__, line, what);
	if (t != NULL)
		describe(t);
	tap_say("again: test_property %ju 1 %d", (uintmax_t)base_seed, the_round);
	for (int i = 0; i < TREES; i++) {
		if (trees[i].stranger > 0)
			kill(trees[i].stranger, SIGKILL);
	}
	atomic_store(&tap_shared->failed, true);
	tap_end(1);
}

/* --------------------------------------------------------- programs --- */

__attribute__((format(printf, 2, 3))) static void word(struct tree *t, const char *format, ...)
{
	va_list ap;

	if (t->n_words == WORDS - 1)
		return;
	va_start(ap, format);
	vsnprintf(t->text[t->n_words], sizeof(t->text[0]), format, ap);
	va_end(ap);
	t->argv[2 + t->n_words] = t->text[t->n_words];
	t->n_words++;
}

static void some_write(struct tree *t)
{
	unsigned n = some_size();

	if (n > t->budget)
		return;
	t->budget -= n;
	word(t, "%c%u", one_in(3) ? 'e' : 'o', n);
}

static void some_words(struct tree *t, int n, int depth)
{
	/* A bracket that is opened finds room to be closed. */
	for (int i = 0; i < n && t->n_words < WORDS - 12; i++) {
		switch (below(20)) {
		case 0: case 1: word(t, "r%u", some_size()); break;
		case 2: word(t, "R"); break;
		case 3: word(t, "c%c", "oei"[below(3)]); break;
		case 4: word(t, "d%c", "oe"[below(2)]); break;
		case 5: case 6: word(t, "s%u", below(12)); break;
		case 7: case 8: case 9:
			if (depth == 2)
				break;
			word(t, "%s", one_in(2) ? "f(" : "b(");
			some_words(t, 1 + (int)below(4), depth + 1);
			word(t, ")");
			break;
		case 10: word(t, "x"); break;
		case 11: word(t, "%c", "ni"[below(2)]); break;
		case 12:
			if (t->stranger > 0)
				word(t, "g");
			break;
		case 13:
			if (one_in(3))
				word(t, "k%d", one_in(2) ? SIGKILL : SIGSEGV);
			else if (one_in(3))
				word(t, "q%u", below(256));
			break;
		default: some_write(t);
		}
	}
}

/*
 * A process outside of the tree that keeps whatever descriptor it is given, until all is over.
 */
__attribute__((noreturn)) static void be_stranger(int fd)
{
	char room[256];
	struct iovec iov = { (char[]){ 0 }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };

	if (dup2(fd, 3) == -1)
		_exit(1);
	close_range(4, ~0U, 0);
	while (recvmsg(3, &m, 0) > 0)
		m.msg_controllen = sizeof(room);
	_exit(0);
}

static void start_stranger(struct tree *t)
{
	int pair[2];

	DEMAND(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, t);
	t->stranger = fork();
	DEMAND(t->stranger != -1, t);
	if (t->stranger == 0)
		be_stranger(pair[1]);
	close(pair[1]);
	t->stranger_fd = pair[0];
}

static void prepare(struct tree *t, int number)
{
	*t = (struct tree){ .number = number, .seed = chance() >> 1, .stranger_fd = -1, .source_fd = -1, .budget = 3 << 20,
			    .stop_at = -1, .release_at = -1, .pause_at = -1, .take_at = -1, .taken = { -1, -1, -1 } };
	t->log_fd = memfd_create("log", MFD_CLOEXEC);
	DEMAND(t->log_fd != -1 && ftruncate(t->log_fd, sizeof(*t->log)) == 0, NULL);
	t->log = mmap(NULL, sizeof(*t->log), PROT_READ | PROT_WRITE, MAP_SHARED, t->log_fd, 0);
	DEMAND(t->log != MAP_FAILED, NULL);
	if (one_in(4))
		start_stranger(t);
	snprintf(t->text[WORDS - 1], sizeof(t->text[0]), "%ju", (uintmax_t)(t->seed % 1000000000));
	t->seed %= 1000000000;
	t->argv[1] = t->text[WORDS - 1];
	some_words(t, 1 + (int)below(14), 0);
	t->argv[2 + t->n_words] = NULL;
	/* The reader. */
	t->feeding = (enum feeding)below(FEED_COUNT);
	t->input_len = t->feeding == FEED_NONE ? 0 : some_size();
	t->slow = one_in(3) ? 1 + below(4) : 0;
	if (one_in(5))
		t->stop_at = (int)below(8);
	else if (one_in(5))
		t->release_at = (int)below(one_in(2) ? 1 : 8);
	if (one_in(3))
		t->pause_at = (int)below(6);
	t->take_stream = 1 + (int)below(2);
	if (one_in(6))
		t->take_at = (int)below(5);
	t->lines = one_in(2);
	t->max_line = one_in(3) ? 0 : 1 + below(one_in(2) ? 100 : 100000);
	t->on_exit = (carrel_exit_policy)below(3);
	if (one_in(10))
		t->timeout_ms = 1 + (int)below(60);
}

static const char *actor_path(void)
{
	static char path[512];
	const char *tools = getenv("TOOLS");

	snprintf(path, sizeof(path), "%s/actor", tools != NULL ? tools : ".");
	return path;
}

/* Input from a function: any size up to what is asked for, and in the end the end or an error. */
static ssize_t produce(void *arg, void *mem, size_t size)
{
	struct tree *t = arg;
	size_t n = t->input_len - t->input_at, piece = some_size();

	DEMAND(size > 0 && !t->gone && !t->released, t);
	if (n == 0 && t->feeding == FEED_FAIL) {
		errno = EILSEQ;
		return -1;
	}
	/* Nothing would be the end. */
	piece = piece > 0 ? piece : 1;
	n = n < piece ? n : piece;
	n = n < size ? n : size;
	pattern_fill(t->seed, 0, t->input_at, mem, n);
	t->input_at += n;
	return (ssize_t)n;
}

/* Input from a file, which is read from where it is. */
static void make_source(struct tree *t)
{
	unsigned char *mem = scratch + (size_t)t->number * (ONE + 16);

	t->source_fd = memfd_create("source", MFD_CLOEXEC);
	DEMAND(t->source_fd != -1 && write(t->source_fd, "skip", 4) == 4, t);
	pattern_fill(t->seed, 0, 0, mem, t->input_len);
	DEMAND(write(t->source_fd, mem, t->input_len) == (ssize_t)t->input_len, t);
	DEMAND(lseek(t->source_fd, 4, SEEK_SET) == 4, t);
}

static void start(carrel *c, struct tree *t)
{
	const int pass[][2] = { { t->log_fd, PATTERN_LOG }, { t->stranger_fd, PATTERN_STRANGER } };
	carrel_spec s = { .size = sizeof(s), .argv = t->argv, .user = t, .pass_fds = pass,
			  .n_pass_fds = t->stranger > 0 ? 2 : 1, .on_exit = t->on_exit, .timeout_ms = t->timeout_ms,
			  .stop = { { SIGTERM, 30 } }, .max_line = t->max_line };

	t->argv[0] = actor_path();
	if (t->feeding == FEED_INPUT) {
		/* Borrowed until GONE, so each tree has bytes of its own. */
		pattern_fill(t->seed, 0, 0, scratch + (size_t)t->number * (ONE + 16), t->input_len);
		s.input = scratch + (size_t)t->number * (ONE + 16);
		s.input_len = t->input_len;
	} else if (t->feeding == FEED_FILE) {
		make_source(t);
		s.in = (carrel_io){ .kind = CARREL_FEED, .fd = t->source_fd };
	} else if (t->feeding == FEED_PRODUCE || t->feeding == FEED_FAIL) {
		s.produce = produce;
		s.produce_arg = t;
	} else if (t->feeding != FEED_NONE) {
		s.in.kind = CARREL_PIPE;
	}
	if (t->lines)
		s.framing = CARREL_LINES;
	t->p = carrel_spawn(c, &s, &e);
	if (t->p == NULL)
		tap_say("%s", carrel_strerror(&e));
	DEMAND(t->p != NULL, t);
	t->room = t->feeding == FEED_WRITE || t->feeding == FEED_WRITE_NO_EOF;
}

/* ----------------------------------------------------------- reader --- */

static void came(struct tree *t, int stream, const void *data, size_t n)
{
	ptrdiff_t at = pattern_differs(t->seed, stream, t->got[stream], data, n);

	if (at != -1)
		tap_say("stream %d: byte %ju is wrong", stream, (uintmax_t)t->got[stream] + (uintmax_t)at);
	DEMAND(at == -1, t);
	t->got[stream] += n;
	DEMAND(t->got[stream] <= atomic_load(&t->log->want[stream]), t);
}

static void came_event(struct tree *t, const carrel_event *ev)
{
	DEMAND(ev->len > 0 || t->lines, t);
	if (ev->len > 0)
		came(t, ev->stream, ev->data, ev->len);
	if (!t->lines)
		return;
	DEMAND(memchr(ev->len > 0 ? ev->data : "", '\n', ev->len) == NULL, t);
	DEMAND(ev->len <= (t->max_line == 0 ? 65536 : t->max_line), t);
	DEMAND(ev->len > 0 || !ev->partial, t);
	if (!ev->partial)
		came(t, ev->stream, "\n", 1);
}

/* What a descriptor that was taken over has: until it would block, or its end. */
static void read_taken(struct tree *t, int stream)
{
	static char mem[65536];

	while (t->taken[stream] != -1) {
		ssize_t n = read(t->taken[stream], mem, sizeof(mem));

		DEMAND(n >= 0 || errno == EAGAIN, t);
		if (n < 0)
			return;
		if (n == 0) {
			close(t->taken[stream]);
			t->taken[stream] = -1;
		}
		came(t, stream, mem, (size_t)(n > 0 ? n : 0));
	}
}

static void feed(struct tree *t)
{
	static unsigned char mem[65536 + 2];

	while (t->room && !t->released && !t->gone) {
		size_t n = t->input_len - t->input_at, piece = some_size();

		if (n == 0) {
			t->room = false;
			if (t->feeding == FEED_WRITE)
				DEMAND(carrel_eof(t->p) == 0, t);
			return;
		}
		n = n < piece ? n : piece;
		n = n < sizeof(mem) ? n : sizeof(mem);
		pattern_fill(t->seed, 0, t->input_at, mem, n);
		ssize_t w = carrel_write(t->p, mem, n);
		DEMAND(w >= 0 || errno == EPIPE || (errno == EBADF && t->exited), t);
		if (w < 0) {
			t->room = false;
			return;
		}
		t->input_at += (size_t)w;
			t->room = (size_t)w == n;
	}
}

static void finished(struct tree *t, const carrel_status *st)
{
	uint64_t in = atomic_load(&t->log->done[0]);

	DEMAND(t->exited, t);
	for (int s = 1; s <= 2; s++) {
		bool taken = t->taken[s] != -1 || t->was_taken[s];
		uint64_t low = atomic_load(&t->log->done[s]);

		DEMAND(taken || (s == 1 ? st->out_bytes : st->err_bytes) == t->got[s], t);
		/* A stranger alone may keep it open now, and nobody writes. */
		read_taken(t, s);
		/* Who was let go can have written since. */
		DEMAND(t->got[s] >= low || t->on_exit == CARREL_EXIT_KEEP_TREE, t);
		if (t->taken[s] != -1)
			close(t->taken[s]);
		t->taken[s] = -1;
	}
	DEMAND(!atomic_load(&t->log->wrong), t);
	DEMAND(st->exited != (st->sig != 0), t);
	if (t->timeout_ms == 0 && !t->stopped)
		DEMAND(st->cause == CARREL_BY_ITSELF, t);
	/* What was read was sent, and what was sent was there. */
	DEMAND(in <= st->in_bytes || t->feeding == FEED_NONE, t);
	DEMAND(st->in_bytes <= t->input_len, t);
	if (t->feeding == FEED_WRITE || t->feeding == FEED_WRITE_NO_EOF)
		DEMAND(st->in_bytes == t->input_at, t);
	if (t->feeding == FEED_FILE)
		DEMAND(lseek(t->source_fd, 0, SEEK_CUR) == (off_t)st->in_bytes + 4, t);
	/* The end is seen behind the last byte, and not where the input failed. */
	if (atomic_load(&t->log->ended) && t->on_exit != CARREL_EXIT_KEEP_TREE && t->feeding != FEED_NONE &&
	    t->feeding != FEED_WRITE_NO_EOF)
		DEMAND(in == t->input_len && (t->feeding != FEED_FAIL || t->failed), t);
}

/* The reader's whims. */
static void whims(struct tree *t)
{
	int n = t->events++;

	if (n == t->pause_at) {
		int s = 1 + (int)below(2);

		if (carrel_pause(t->p, s, 1) == 0)
			t->paused[s] = true;
		else
			DEMAND(errno == EBADF, t);
	}
	if (n >= t->pause_at + 3 && one_in(3)) {
		for (int s = 1; s <= 2; s++) {
			if (t->paused[s])
				DEMAND(carrel_pause(t->p, s, 0) == 0 || errno == EBADF, t);
			t->paused[s] = false;
		}
	}
	if (n == t->take_at) {
		t->taken[t->take_stream] = carrel_take_fd(t->p, t->take_stream);
		DEMAND(t->taken[t->take_stream] != -1 || errno == EBADF || (errno == EBUSY && t->lines), t);
		if (t->taken[t->take_stream] != -1)
			t->eof[t->take_stream] = t->was_taken[t->take_stream] = true;
	}
	if (n == t->stop_at) {
		t->stopped = true;
		DEMAND(carrel_stop(t->p, NULL, 0) == 0 || errno == ESRCH, t);
	}
	if (n == t->release_at) {
		t->released = true;
		carrel_release(t->p);
	}
	/* Lines may be very many. */
	if (t->slow > 0 && n < 200 && (unsigned)n % t->slow == 0)
		usleep(below(3000));
}

static void handle(struct tree *t, const carrel_event *ev)
{
	DEMAND(ev->proc == t->p && !t->gone && !t->released, t);
	DEMAND((ev->kind == CARREL_STARTED) == !t->started, t);
	DEMAND(ev->pid == carrel_pid(t->p), t);
	switch (ev->kind) {
	case CARREL_STARTED:
		t->started = true;
		break;
	case CARREL_OUT: case CARREL_ERR:
		DEMAND(ev->stream == (ev->kind == CARREL_OUT ? 1 : 2), t);
		DEMAND(!t->eof[ev->stream] && !t->paused[ev->stream], t);
		came_event(t, ev);
		break;
	case CARREL_EOF:
		DEMAND(ev->stream == 1 || ev->stream == 2, t);
		DEMAND(!t->eof[ev->stream] && !t->paused[ev->stream], t);
		t->eof[ev->stream] = true;
		break;
	case CARREL_STDIN_ROOM:
		DEMAND(t->feeding == FEED_WRITE || t->feeding == FEED_WRITE_NO_EOF, t);
		t->room = true;
		break;
	case CARREL_STDIN_CLOSED:
		t->room = false;
		break;
	case CARREL_INPUT_FAILED:
		DEMAND(t->feeding == FEED_FAIL && !t->failed && ev->err == EILSEQ, t);
		DEMAND(t->input_at == t->input_len, t);
		t->failed = true;
		break;
	case CARREL_EXIT:
		DEMAND(!t->exited, t);
		t->exited = true;
		break;
	case CARREL_GONE:
		DEMAND(t->eof[1] && t->eof[2], t);
		finished(t, ev->status);
		t->gone = true;
		if (one_in(2)) {
			t->released = true;
			carrel_release(t->p);
		}
		return;
	default:
		tap_say("event %d", (int)ev->kind);
		DEMAND(false, t);
	}
	whims(t);
}

static void idle(struct tree *t)
{
	if (t->released)
		return;
	for (int s = 1; s <= 2; s++) {
		read_taken(t, s);
		if (t->paused[s] && one_in(4)) {
			t->paused[s] = false;
			DEMAND(carrel_pause(t->p, s, 0) == 0 || errno == EBADF, t);
		}
	}
	feed(t);
	/* One whose input never ends would wait for ever. */
	if ((t->feeding == FEED_WRITE_NO_EOF && !t->room && one_in(8)) || (t->failed && one_in(4)))
		carrel_eof(t->p);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static bool all_over(int n)
{
	for (int i = 0; i < n; i++) {
		if (!trees[i].gone && !trees[i].released)
			return false;
	}
	return true;
}

static void read_all(carrel *c, int n)
{
	int64_t end = now_ms() + ROUND_MS;

	while (!all_over(n)) {
		carrel_event ev = { .size = sizeof(ev) };
		int r = carrel_next(c, &ev, 5);

		if (r == -1)
			tap_say("carrel_next: %s", strerror(errno));
		DEMAND(r >= 0, &trees[0]);
		if (r == 1) {
			DEMAND(ev.kind != CARREL_LOST, &trees[0]);
			handle(ev.user, &ev);
		}
		for (int i = 0; i < n; i++) {
			if (!trees[i].gone)
				idle(&trees[i]);
			DEMAND(now_ms() < end, trees[i].gone || trees[i].released ? NULL : &trees[i]);
		}
	}
}

static void clean_up(struct tree *t)
{
	for (int s = 0; s < 3; s++) {
		if (t->taken[s] != -1)
			close(t->taken[s]);
	}
	if (t->stranger > 0) {
		close(t->stranger_fd);
		kill(t->stranger, SIGKILL);
		waitpid(t->stranger, NULL, 0);
		t->stranger = 0;
	}
	/* Whatever happened, nobody saw a byte more than was written. */
	for (int s = 1; s <= 2; s++)
		DEMAND(t->got[s] <= atomic_load(&t->log->want[s]), t);
	if (t->source_fd != -1)
		close(t->source_fd);
	munmap(t->log, sizeof(*t->log));
	close(t->log_fd);
}

/* ------------------------------------------------------------- host --- */

/* From here on VmHWM tells the peak anew. */
static void reset_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	if (f != NULL) {
		fputs("5", f);
		fclose(f);
	}
}

static void one_round(int number)
{
	int n, fds = descriptors();

	the_round = number;
	chance_state = pattern_mix(base_seed) + (uint64_t)number * 1000003;
	n = 1 + (int)below(TREES);
	for (int i = 0; i < n; i++)
		prepare(&trees[i], i);
	reset_peak();
	long before = memory_kb("VmRSS");
	carrel *c = carrel_open(NULL, &e);
	if (c == NULL)
		tap_say("%s", carrel_strerror(&e));
	DEMAND(c != NULL, NULL);
	for (int i = 0; i < n; i++)
		start(c, &trees[i]);
	/* Sometimes all is over before anybody looks. */
	if (one_in(4))
		usleep(40000);
	read_all(c, n);
	if (one_in(2)) {
		/* Nothing comes behind the ends of all. */
		carrel_event ev = { .size = sizeof(ev) };

		DEMAND(carrel_next(c, &ev, 20) == 0, &trees[0]);
	}
	carrel_close(c);
	long peak = memory_kb("VmHWM");
	if (peak - before > MEMORY_KB)
		tap_say("memory: %ld kB before, %ld kB at most", before, peak);
	DEMAND(peak - before <= MEMORY_KB, &trees[0]);
	for (int i = 0; i < n; i++)
		clean_up(&trees[i]);
	DEMAND(descriptors() == fds, &trees[0]);
}

TEST_T(property, 170)
{
	size_t size = TREES * (ONE + 16);

	scratch = malloc(size);
	CHECK(scratch != NULL);
	memset(scratch, 1, size);
	for (int i = 0; i < rounds; i++)
		one_round(first_round + i);
	free(scratch);
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] >= '0' && argv[1][0] <= '9') {
		base_seed = strtoull(argv[1], NULL, 10);
		rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
		first_round = argc > 3 ? atoi(argv[3]) : 0;
		argc = 1;
	}
	return tap_main(argc, argv);
}
