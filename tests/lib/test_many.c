/* SPDX-License-Identifier: ISC */
/* Very many streams on one handle, and what happens when descriptors run out. */
#include "common.h"

#include "pattern.h"

#include <sys/resource.h>

#ifdef CARREL_SANITIZED
#define MANY 100
#else
#define MANY 1000
#endif
#define BYTES 5000		/* more than PIPE_BUF, each way */

struct one {
	carrel_proc *p;
	size_t sent, got;
	bool eof, exited, gone, fed;
};

static struct one *all;

static const char *actor(void)
{
	static char path[512];
	const char *tools = getenv("TOOLS");

	snprintf(path, sizeof(path), "%s/actor", tools != NULL ? tools : ".");
	return path;
}

static void limit_files(rlim_t n)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = n;
	if (n > l.rlim_max)
		SKIP("the hard limit of descriptors is too low");
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
}

/* One that says 10 bytes, reads all of its input, and says BYTES. Its output's pattern is that of ${i}. */
static bool start(carrel *c, int i)
{
	char seed[16], words[16];

	snprintf(seed, sizeof(seed), "%d", i + 1);
	snprintf(words, sizeof(words), "o%d", BYTES);
	all[i] = (struct one){ 0 };
	all[i].p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV(actor(), seed, "o10", "R", words),
					       .in.kind = CARREL_PIPE, .user = &all[i]), &e);
	return all[i].p != NULL;
}

static void feed(struct one *o, int i)
{
	unsigned char mem[BYTES];

	pattern_fill((uint64_t)i + 1, 0, o->sent, mem, BYTES - o->sent);
	ssize_t n = carrel_write(o->p, mem, BYTES - o->sent);
	CHECK(n >= 0);
	o->sent += (size_t)n;
	if (o->sent == BYTES) {
		o->fed = true;
		CHECK_INT(carrel_eof(o->p), 0);
	}
}

/* The next event, counted. */
static const carrel_event *take(carrel *c)
{
	static carrel_event ev = { .size = sizeof(ev) };

	CHECK_INT(carrel_next(c, &ev, 60000), 1);
	CHECK(ev.kind != CARREL_LOST);
	struct one *o = ev.user;
	int i = (int)(o - all);
	CHECK(!o->gone);
	switch (ev.kind) {
	case CARREL_OUT:
		CHECK_INT(pattern_differs((uint64_t)i + 1, 1, o->got, ev.data, ev.len), -1);
		o->got += ev.len;
		break;
	case CARREL_ERR:
		tap_fail("stderr: %.*s", (int)ev.len, ev.data);
	case CARREL_STDIN_ROOM:
		feed(o, i);
		break;
	case CARREL_EXIT:
		o->exited = true;
		break;
	case CARREL_GONE:
		CHECK(o->exited && ev.status->exited);
		CHECK_INT(ev.status->code, 0);
		CHECK_INT((long long)ev.status->out_bytes, (long long)o->got);
		CHECK_INT((long long)ev.status->in_bytes, (long long)o->sent);
		o->gone = true;
		break;
	default:
		break;
	}
	return &ev;
}

/* Wait until all ${n} have said something: they live at the same time. */
static void hear(carrel *c, int n)
{
	for (int heard = 0; heard < n;) {
		struct one *o = take(c)->user;

		heard += o->got == 10 && !o->eof;
		o->eof |= o->got == 10;
	}
}

static void to_the_end(carrel *c, int n)
{
	for (int i = 0; i < n; i++) {
		if (!all[i].fed && !all[i].gone)
			feed(&all[i], i);
	}
	for (int gone = 0; gone < n;)
		gone += take(c)->kind == CARREL_GONE;
	for (int i = 0; i < n; i++) {
		CHECK_INT((long long)all[i].got, 10 + BYTES);
		CHECK_INT((long long)all[i].sent, BYTES);
	}
}

TEST_T(a_thousand_streams, 170)
{
	all = calloc(MANY, sizeof(*all));
	CHECK(all != NULL);
	limit_files(3 * MANY + 200);
	int fds = descriptors();
	carrel *c = open_handle();
	for (int i = 0; i < MANY; i++) {
		if (!start(c, i))
			tap_fail("stream %d: %s", i, carrel_strerror(&e));
	}
	hear(c, MANY);
	to_the_end(c, MANY);
	carrel_event ev = { .size = sizeof(ev) };
	CHECK_INT(carrel_next(c, &ev, 100), 0);
	for (int i = 0; i < MANY; i++)
		carrel_release(all[i].p);
	carrel_close(c);
	CHECK_INT(descriptors(), fds);
	free(all);
}

/* Half of them are released at once while they live: the others do not notice. */
TEST_T(half_of_them_are_released, 120)
{
	const int n = MANY / 5;

	all = calloc(MANY, sizeof(*all));
	CHECK(all != NULL);
	limit_files(3 * MANY + 200);
	carrel *c = open_handle();
	for (int i = 0; i < n; i++)
		CHECK(start(c, i));
	hear(c, n);
	/* The latter half. */
	for (int i = n / 2; i < n; i++)
		carrel_release(all[i].p);
	to_the_end(c, n / 2);
	carrel_event ev = { .size = sizeof(ev) };
	CHECK_INT(carrel_next(c, &ev, 20000), 0);
	carrel_close(c);
	free(all);
}

/* No descriptors left in the host: the error says so, nothing leaks, and who lives goes on. */
TEST(no_descriptors_in_the_host)
{
	int n = 0;

	all = calloc(MANY, sizeof(*all));
	CHECK(all != NULL);
	limit_files(90);
	carrel *c = open_handle();
	while (n < MANY && start(c, n))
		n++;
	CHECK(n > 5 && n < 90);
	CHECK_INT(errno, EMFILE);
	CHECK_INT(e.err, EMFILE);
	/* A pipe, or the directory to start in. */
	CHECK(e.stage == CARREL_STAGE_FDS || e.stage == CARREL_STAGE_CWD);
	CHECK(strstr(carrel_strerror(&e), strerror(EMFILE)) != NULL);
	/* Nothing is lost in trying, with each number of them that is left. */
	int fds = descriptors();
	for (int room = 0; room < 5; room++) {
		int held[8], r = 0;

		for (r = 0; r < 8 && (held[r] = dup(0)) != -1; r++)
			;
		for (int i = 0; i < room && r > 0; i++)
			close(held[--r]);
		for (int i = 0; i < 5; i++) {
			carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), .in.kind = CARREL_PIPE), &e);
			CHECK(p != NULL || e.err == EMFILE);
			if (p != NULL)
				break;
		}
		CHECK(carrel_open(NULL, &e) == NULL);
		CHECK_INT(e.err, EMFILE);
		CHECK_INT((int)e.stage == CARREL_STAGE_HELPER || (int)e.stage == CARREL_STAGE_CHANNEL, 1);
		while (r > 0)
			close(held[--r]);
	}
	CHECK_INT(descriptors(), fds);
	hear(c, n);
	to_the_end(c, n);
	for (int i = 0; i < n; i++)
		carrel_release(all[i].p);
	/* And there is room again. */
	CHECK(start(c, 0));
	to_the_end(c, 1);
	carrel_close(c);
	free(all);
}

/* The control process keeps no descriptor for a stream, so few are enough, and it has as many as its host then. */
TEST_T(a_control_process_with_few_descriptors, 120)
{
	const int n = MANY / 5;

	all = calloc(MANY, sizeof(*all));
	CHECK(all != NULL);
	limit_files(64);
	carrel *c = open_handle();
	limit_files(3 * MANY + 200);
	for (int i = 0; i < n; i++)
		CHECK(start(c, i));
	hear(c, n);
	to_the_end(c, n);
	carrel_close(c);
	free(all);
}

/*
 * A request with more descriptors than the control process can take: this one fails, and says why; the
 * others are not disturbed.
 */
TEST(a_request_that_the_control_process_has_no_room_for)
{
	int pass[100][2];

	all = calloc(MANY, sizeof(*all));
	CHECK(all != NULL);
	limit_files(64);
	carrel *c = open_handle();
	limit_files(3 * MANY + 200);
	CHECK(start(c, 0));
	hear(c, 1);
	for (int i = 0; i < 100; i++) {
		pass[i][0] = 0;
		pass[i][1] = 10 + i;
	}
	CHECK(carrel_spawn(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), .pass_fds = (const int(*)[2])pass, .n_pass_fds = 100),
			   &e) == NULL);
	if (e.err != EMFILE)
		tap_say("%s", carrel_strerror(&e));
	CHECK_INT(e.err, EMFILE);
	to_the_end(c, 1);
	CHECK(start(c, 1));
	carrel_close(c);
	free(all);
}
