/* SPDX-License-Identifier: ISC */
/* wire/message.c: the head, the options of a spawn and the steps of a stop. */
#include "tap.h"

#include "message.h"

/* ----------------------------------------------------------------- head --- */

TEST(head_bytes)
{
	struct message m = { .type = 0x1234, .flags = 0, .id = 0x01020304, .body_len = 0x0a0b };
	unsigned char mem[MESSAGE_HEAD_SIZE + 0x0a0b];

	static const unsigned char want[] = { 'c', 'a', 'r', 'l', 0, 0, 0x12, 0x34,
					      1,   2,	3,   4,	  0, 0, 0x0a, 0x0b };
	message_head_out(&m, mem);
	CHECK_MEM(mem, MESSAGE_HEAD_SIZE, want, sizeof(want));

	struct message back = { 0 };
	CHECK_INT(message_head_in(mem, sizeof(mem), &back), 0);
	CHECK_INT(back.type, m.type);
	CHECK_INT(back.flags, 0);
	CHECK_INT(back.id, m.id);
	CHECK_INT(back.body_len, m.body_len);
}

TEST(head_field_borders)
{
	static const uint32_t ids[] = { 0, 1, 0x7fffffff, 0x80000000, UINT32_MAX };
	static const uint16_t types[] = { 0, 1, 71, 0x7fff, 0xff00, 0xffff };

	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 6; k++) {
			struct message m = { .type = types[k], .id = ids[i] };
			struct message back = { .type = 9, .flags = 9, .id = 9, .body_len = 9 };
			unsigned char mem[MESSAGE_HEAD_SIZE];

			message_head_out(&m, mem);
			CHECK_INT(message_head_in(mem, sizeof(mem), &back), 0);
			CHECK(back.type == m.type && back.id == m.id);
			CHECK(back.flags == 0 && back.body_len == 0);
		}
	}
}

TEST(head_too_short)
{
	struct message m = { .type = MSG_KILL }, back = { .type = 77 };
	unsigned char mem[MESSAGE_HEAD_SIZE];

	message_head_out(&m, mem);
	for (size_t len = 0; len < MESSAGE_HEAD_SIZE; len++) {
		unsigned char *exact = malloc(len > 0 ? len : 1);

		CHECK(exact != NULL);
		memcpy(exact, mem, len);
		CHECK_INT(message_head_in(exact, len, &back), -EBADMSG);
		free(exact);
	}
	CHECK_INT(back.type, 77);
}

/* Of the magic, the flags and the byte between, nothing else is taken. */
TEST(head_every_other_byte)
{
	struct message m = { .type = MSG_KILL, .id = 5 };

	for (size_t i = 0; i < 6; i++) {
		for (unsigned v = 0; v < 256; v++) {
			struct message back = { .type = 77 };
			unsigned char mem[MESSAGE_HEAD_SIZE];

			message_head_out(&m, mem);
			bool same = mem[i] == v || (i == 4 && v == MESSAGE_FLAG_MEMFD);
			mem[i] = (unsigned char)v;
			CHECK_INT(message_head_in(mem, sizeof(mem), &back), same ? 0 : -EBADMSG);
			CHECK_INT(back.type, same ? MSG_KILL : 77);
		}
	}
}

TEST(body_is_the_rest)
{
	unsigned char mem[MESSAGE_HEAD_SIZE + 20] = { 0 };

	for (uint32_t said = 0; said <= 20; said++) {
		for (size_t there = 0; there <= 20; there++) {
			struct message m = { .type = MSG_KILL, .body_len = said }, back;

			message_head_out(&m, mem);
			CHECK_INT(message_head_in(mem, MESSAGE_HEAD_SIZE + there, &back),
				  said == there ? 0 : -EBADMSG);
		}
	}
	struct message huge = { .type = MSG_KILL, .body_len = UINT32_MAX }, back;
	message_head_out(&huge, mem);
	CHECK_INT(message_head_in(mem, sizeof(mem), &back), -EBADMSG);
}

TEST(body_in_memory_file)
{
	static const struct {
		uint32_t len;
		int want;
	} cases[] = { { 0, 0 },
		      { 1, 0 },
		      { MESSAGE_BODY_MAX, 0 },
		      { MESSAGE_BODY_MAX + 1, -EBADMSG },
		      { UINT32_MAX, -EBADMSG } };
	unsigned char mem[MESSAGE_HEAD_SIZE + 1] = { 0 };

	for (size_t i = 0; i < 5; i++) {
		struct message m = { MSG_SPAWN, MESSAGE_FLAG_MEMFD, 1, cases[i].len }, back;

		message_head_out(&m, mem);
		CHECK_INT(message_head_in(mem, MESSAGE_HEAD_SIZE, &back), cases[i].want);
		/* Nothing may follow the head then. */
		CHECK_INT(message_head_in(mem, MESSAGE_HEAD_SIZE + 1, &back), -EBADMSG);
	}
}

/* ---------------------------------------------------------------- steps --- */

static int steps_of(const struct buf *b, struct step *step, int *n)
{
	struct term_in in;

	term_in_init(&in, b->data, b->len);
	int r = steps_in(&in, step, n);
	if (r == 0)
		CHECK(in.p == in.end);
	return r;
}

TEST(steps_round_trip)
{
	static const struct step step[] = {
		{ 1, -1 }, { SIGTERM, 0 }, { NSIG - 1, INT32_MAX }, { 9, 5 }, { 2, 2 }
	};

	for (int n = 0; n <= 5; n++) {
		struct step back[STEPS_MAX];
		int got = 77;
		struct buf b;

		buf_init(&b, 1000);
		steps_out(&b, step, n);
		CHECK_INT(b.err, 0);
		int r = steps_of(&b, back, &got);
		CHECK_INT(r, n <= STEPS_MAX - 1 ? 0 : -EBADMSG);
		if (r == 0) {
			CHECK_INT(got, n + 1);
			for (int i = 0; i < n; i++)
				CHECK(back[i].sig == step[i].sig &&
				      back[i].wait_ms == step[i].wait_ms);
			CHECK(back[n].sig == SIGKILL && back[n].wait_ms == -1);
		} else {
			CHECK_INT(got, 77);
		}
		for (size_t len = 0; len < b.len; len++) {
			struct buf cut = { .data = b.data, .len = len };

			CHECK_INT(steps_of(&cut, back, &got), -EBADMSG);
		}
		buf_finish(&b);
	}
}

TEST(step_ranges)
{
	static const struct {
		int64_t sig, ms;
		int want;
	} cases[] = {
		{ 1, 0, 0 },
		{ 0, 0, -EBADMSG },
		{ -1, 0, -EBADMSG },
		{ NSIG - 1, 0, 0 },
		{ NSIG, 0, -EBADMSG },
		{ INT64_C(0x100000001), 0, -EBADMSG },
		{ 1, -1, 0 },
		{ 1, -2, -EBADMSG },
		{ 1, INT32_MAX, 0 },
		{ 1, (int64_t)INT32_MAX + 1, -EBADMSG },
		{ 1, UINT32_MAX, -EBADMSG },
		{ 1, INT64_MIN, -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct step step[STEPS_MAX];
		struct buf b;
		int n;

		buf_init(&b, 1000);
		term_out_list(&b, 1);
		term_out_tuple(&b, 2);
		term_out_int(&b, cases[i].sig);
		term_out_int(&b, cases[i].ms);
		term_out_nil(&b);
		CHECK_INT(steps_of(&b, step, &n), cases[i].want);
		buf_finish(&b);
	}
}

TEST(malformed_steps)
{
	static const struct {
		const char *why;
		size_t len;
		unsigned char bytes[24];
	} cases[] = {
		{ "no list", 2, { 104, 0 } },
		{ "an atom", 4, { 119, 2, 'n', 'o' } },
		{ "a string", 5, { 107, 0, 2, 1, 2 } },
		{ "no tuple inside", 8, { 108, 0, 0, 0, 1, 97, 1, 106 } },
		{ "one element", 10, { 108, 0, 0, 0, 1, 104, 1, 97, 1, 106 } },
		{ "three elements", 14, { 108, 0, 0, 0, 1, 104, 3, 97, 1, 97, 1, 97, 1, 106 } },
		{ "an atom for a signal",
		  14,
		  { 108, 0, 0, 0, 1, 104, 2, 119, 1, 'a', 97, 1, 106 } },
		{ "no tail", 11, { 108, 0, 0, 0, 1, 104, 2, 97, 1, 97, 1 } },
		{ "another tail", 13, { 108, 0, 0, 0, 1, 104, 2, 97, 1, 97, 1, 97, 0 } },
		{ "nothing", 0, { 0 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct step step[STEPS_MAX];
		struct term_in in;
		int n = 77;

		term_in_init(&in, cases[i].bytes, cases[i].len);
		if (steps_in(&in, step, &n) != -EBADMSG)
			tap_fail("%s was taken", cases[i].why);
		CHECK_INT(n, 77);
	}
}

/* -------------------------------------------------------------- options --- */

static int options_of(const struct buf *b, struct spawn_options *o)
{
	struct term_in in;

	term_in_init(&in, b->data, b->len);
	int r = spawn_options_in(&in, o);
	if (r == 0)
		CHECK(in.p == in.end);
	return r;
}

TEST(options_round_trip)
{
	static const int timeouts[] = { 0, 1, 255, 256, INT32_MAX };
	static const pid_t groups[] = { 0, 1, INT32_MAX };

	for (int i = 0; i < 5 * 3 * 2 * 2 * 5; i++) {
		struct spawn_options o = {
			.timeout_ms = timeouts[i % 5],
			.group = groups[i / 5 % 3],
			.wait_tree = i / 15 % 2,
			.trace = i / 30 % 2,
			.n_stop = i / 60 % 5,
			.stop = { { 15, 100 }, { 2, -1 }, { 1, 0 }, { 3, 7 } },
		};
		struct spawn_options back = { 0 };
		struct buf b;

		buf_init(&b, 1000);
		spawn_options_out(&b, &o);
		CHECK_INT(b.err, 0);
		CHECK_INT(options_of(&b, &back), 0);
		CHECK_INT(back.timeout_ms, o.timeout_ms);
		CHECK_INT(back.group, o.group);
		CHECK_INT(back.wait_tree, o.wait_tree);
		CHECK_INT(back.trace, o.trace);
		CHECK_INT(back.n_stop, o.n_stop + 1);
		for (int k = 0; k < o.n_stop; k++)
			CHECK(back.stop[k].sig == o.stop[k].sig &&
			      back.stop[k].wait_ms == o.stop[k].wait_ms);
		CHECK(back.stop[o.n_stop].sig == SIGKILL && back.stop[o.n_stop].wait_ms == -1);

		struct spawn_options untouched = { .timeout_ms = 4711 };
		for (size_t len = 0; len < b.len; len++) {
			struct buf cut = { .data = b.data, .len = len };

			CHECK_INT(options_of(&cut, &untouched), -EBADMSG);
		}
		CHECK_INT(untouched.timeout_ms, 4711);
		buf_finish(&b);
	}
}

TEST(no_options)
{
	struct spawn_options o = { .timeout_ms = 5, .trace = true, .wait_tree = true, .group = 7 };
	unsigned char nil[] = { 106 };
	struct buf b = { .data = nil, .len = 1 };

	CHECK_INT(options_of(&b, &o), 0);
	CHECK(o.timeout_ms == 0 && !o.trace && !o.wait_tree && o.group == 0);
	/* A stop without steps is the SIGKILL alone. */
	CHECK_INT(o.n_stop, 1);
	CHECK(o.stop[0].sig == SIGKILL && o.stop[0].wait_ms == -1);
}

/* [{Name, Value}] with a number or a word. */
static int option(const char *name, bool number, int64_t v, const char *word)
{
	struct spawn_options o;
	struct buf b;

	buf_init(&b, 1000);
	term_out_list(&b, 1);
	term_out_tuple(&b, 2);
	term_out_atom(&b, name);
	if (number)
		term_out_int(&b, v);
	else
		term_out_atom(&b, word);
	term_out_nil(&b);
	int r = options_of(&b, &o);
	buf_finish(&b);
	return r;
}

TEST(option_values)
{
	static const char *const words[] = { "wait", "kill", "true", "false", "", "waits", "Wait" };

	for (size_t i = 0; i < 7; i++) {
		const char *w = words[i];

		CHECK_INT(option("on_exit", false, 0, w), i == 0 || i == 1 ? 0 : -EBADMSG);
		CHECK_INT(option("trace", false, 0, w), i == 2 || i == 3 ? 0 : -EBADMSG);
		CHECK_INT(option("timeout", false, 0, w), -EBADMSG);
		CHECK_INT(option("group", false, 0, w), -EBADMSG);
		CHECK_INT(option("stop", false, 0, w), -EBADMSG);
		CHECK_INT(option("other", false, 0, w), -EBADMSG);
		CHECK_INT(option("", false, 0, w), -EBADMSG);
	}
	static const char *const numbers[] = { "timeout", "group" };
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(option(numbers[i], true, 0, NULL), 0);
		CHECK_INT(option(numbers[i], true, INT32_MAX, NULL), 0);
		CHECK_INT(option(numbers[i], true, -1, NULL), -EBADMSG);
		CHECK_INT(option(numbers[i], true, (int64_t)INT32_MAX + 1, NULL), -EBADMSG);
		CHECK_INT(option(numbers[i], true, INT64_MIN, NULL), -EBADMSG);
	}
	CHECK_INT(option("on_exit", true, 1, NULL), -EBADMSG);
	CHECK_INT(option("trace", true, 1, NULL), -EBADMSG);
	CHECK_INT(option("stop", true, 1, NULL), -EBADMSG);
	CHECK_INT(option("timeou", true, 1, NULL), -EBADMSG);
	CHECK_INT(option("timeouts", true, 1, NULL), -EBADMSG);
}

TEST(malformed_options)
{
	static const struct {
		const char *why;
		size_t len;
		unsigned char bytes[32];
	} cases[] = {
		{ "nothing", 0, { 0 } },
		{ "no list", 2, { 104, 0 } },
		{ "a string", 4, { 107, 0, 1, 1 } },
		{ "an empty list header", 6, { 108, 0, 0, 0, 0, 106 } },
		{ "an atom inside", 13, { 108, 0, 0, 0, 1, 119, 5, 't', 'r', 'a', 'c', 'e', 106 } },
		{ "a tuple of one",
		  15,
		  { 108, 0, 0, 0, 1, 104, 1, 119, 5, 't', 'r', 'a', 'c', 'e', 106 } },
		{ "a number for a name", 12, { 108, 0, 0, 0, 1, 104, 2, 97, 1, 97, 1, 106 } },
		{ "a binary for a name", 20, { 108, 0, 0,   0,	 1,   104, 2,	109, 0, 0,
					       0,   5, 'g', 'r', 'o', 'u', 'p', 97,  1, 106 } },
		{ "another tail",
		  18,
		  { 108, 0, 0, 0, 1, 104, 2, 119, 5, 'g', 'r', 'o', 'u', 'p', 97, 1, 97, 1 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spawn_options o;
		struct term_in in;

		term_in_init(&in, cases[i].bytes, cases[i].len);
		if (spawn_options_in(&in, &o) != -EBADMSG)
			tap_fail("%s was taken", cases[i].why);
	}
}
