/* SPDX-License-Identifier: ISC */
/*
 * wire/program.c and argument.c: what a program's every part may be, and that decoding stays
 * within the memory it asked for. Terms are written as text and read by text_in.c, which has
 * tests of its own; what text cannot express is written byte by byte.
 */
#include "tap.h"

#include "argument.h"

#include <sys/resource.h>

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

static void *exact(const void *data, size_t len)
{
	void *copy = malloc(len > 0 ? len : 1);

	CHECK(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

/* Appends the term that ${text} says. */
static void term(struct buf *b, const char *text)
{
	struct text_error e;
	struct term_in in;
	struct slice place;
	struct buf source, program;
	uint32_t n;
	uint64_t number;

	buf_init(&source, 1 << 20);
	buf_init(&program, 1 << 20);
	buf_printf(&source, "task exit(%s)\n", text);
	if (program_text_in((const char *)source.data, source.len, &program, &e) < 0)
		tap_fail("%s: %s", text, e.what);
	term_in_init(&in, program.data, program.len);
	CHECK(term_in_list(&in, &n) == 0 && term_in_tuple(&in, 4) == 0 &&
	      term_in_atom(&in, &place) == 0 && term_in_uint(&in, 255, &number) == 0 &&
	      term_in_tuple(&in, 1) == 0);
	const unsigned char *begin = in.p;
	CHECK_INT(term_in_skip(&in), 0);
	buf_append(b, begin, (size_t)(in.p - begin));
	CHECK_INT(b->err, 0);
	buf_finish(&source);
	buf_finish(&program);
}

/* ------------------------------------------------------------- arguments --- */

/* The request has the descriptors a, 7 and b. */
static struct slice fd_name[] = { { (const unsigned char *)"a", 1 },
				  { NULL, 0 },
				  { (const unsigned char *)"b", 1 } };
static int fd_number[] = { -1, 7, -1 };
static char *request_env[] = { NULL, NULL, NULL };
static char env_text[] = "A=b";

static struct program request(void)
{
	request_env[0] = request_env[1] = env_text;
	return (struct program){
		.env = request_env, .n_fds = 3, .fd_name = fd_name, .fd_number = fd_number
	};
}

static const char *arg_what;

/* Decodes ${len} bytes as one argument with ${size} bytes of memory; returns that memory too. */
static int argument_sized(const char *letters, const void *data, size_t len, size_t size,
			  struct arg *ret, char **mem)
{
	const struct program p = request();
	const char *letter = letters;
	const char *what = NULL;
	unsigned char *copy = exact(data, len);
	struct term_in in;

	*mem = malloc(size > 0 ? size : 1);
	CHECK(*mem != NULL);
	struct arena a = { *mem, *mem + size };
	term_in_init(&in, copy, len);
	int r = argument_in(&in, &letter, &a, &p, ret, &what);
	CHECK(what != NULL && what[0] != '\0');
	CHECK_STR(letter, "");
	CHECK(in.p >= copy && in.p <= copy + len);
	if (r == 0)
		CHECK(in.p == in.end);
	arg_what = what;
	free(copy);
	return r;
}

static int argument(const char *letters, const char *text, struct arg *ret, char **mem)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	term(&b, text);
	int r = argument_sized(letters, b.data, b.len, 1 << 16, ret, mem);
	buf_finish(&b);
	return r;
}

static const struct {
	const char *letters;
	const char *text;
	int want;
} arguments[] = {
	{ "i", "0", 0 },
	{ "i", "2147483647", 0 },
	{ "i", "2147483648", -EINVAL },
	{ "i", "-2147483648", 0 },
	{ "i", "-2147483649", -EINVAL },
	{ "i", "18446744073709551615", -EINVAL },
	{ "i", "{slot, 0}", 0 },
	{ "i", "{slot, 63}", 0 },
	{ "i", "{slot, 64}", -EINVAL },
	{ "i", "{slot, -1}", -EINVAL },
	{ "i", "{slot, x}", -EINVAL },
	{ "i", "{slot}", -EINVAL },
	{ "i", "{slot, 1, 2}", -EINVAL },
	{ "i", "{slots, 1}", -EINVAL },
	{ "i", "{1, slot}", -EINVAL },
	{ "i", "{host, group}", 0 },
	{ "i", "{host, groups}", -EINVAL },
	{ "i", "{host, 1}", -EINVAL },
	{ "i", "{fd, a}", -EINVAL },
	{ "i", "word", -EINVAL },
	{ "i", "\"1\"", -EINVAL },
	{ "i", "[]", -EINVAL },
	{ "i", "{}", -EINVAL },
	{ "u", "0", 0 },
	{ "u", "4294967295", 0 },
	{ "u", "4294967296", -EINVAL },
	{ "u", "-1", -EINVAL },
	{ "u", "{slot, 3}", 0 },
	{ "u", "{host, group}", 0 },
	{ "u", "{fd, a}", -EINVAL },
	{ "l", "9223372036854775807", 0 },
	{ "l", "9223372036854775808", -EINVAL },
	{ "l", "-9223372036854775807", 0 },
	{ "l", "{slot, 3}", 0 },
	{ "l", "{fd, a}", -EINVAL },
	{ "l", "word", -EINVAL },
	{ "q", "0", 0 },
	{ "q", "18446744073709551615", 0 },
	{ "q", "-1", -EINVAL },
	{ "q", "{slot, 3}", 0 },
	{ "q", "{fd, a}", -EINVAL },
	{ "d", "5", 0 },
	{ "d", "-1", 0 },
	{ "d", "2147483648", -EINVAL },
	{ "d", "{slot, 3}", 0 },
	{ "d", "{fd, a}", 0 },
	{ "d", "{fd, 7}", 0 },
	{ "d", "{fd, b}", 0 },
	{ "d", "{fd, c}", -EBADF },
	{ "d", "{fd, aa}", -EBADF },
	{ "d", "{fd, 8}", -EBADF },
	{ "d", "{fd, -1}", -EBADF },
	{ "d", "{fd, 4294967303}", -EBADF },
	{ "d", "{fd, 18446744073709551615}", -EINVAL },
	{ "d", "{fd, \"a\"}", -EINVAL },
	{ "d", "{fd, []}", -EINVAL },
	{ "d", "{fd, a, b}", -EINVAL },
	{ "d", "a", -EINVAL },
	{ "p", "\"/\"", 0 },
	{ "p", "\"\"", -EINVAL },
	{ "p", "\"/\\x00\"", -EINVAL },
	{ "p", "word", -EINVAL },
	{ "p", "5", -EINVAL },
	{ "p", "[]", -EINVAL },
	{ "s", "\"\"", 0 },
	{ "s", "\"text\"", 0 },
	{ "s", "\"\\x00\"", -EINVAL },
	{ "s", "\"text\\x00\"", -EINVAL },
	{ "s", "word", -EINVAL },
	{ "b", "\"\"", 0 },
	{ "b", "\"a\\x00b\"", 0 },
	{ "b", "word", -EINVAL },
	{ "b", "[\"a\"]", -EINVAL },
	{ "v", "[]", 0 },
	{ "v", "[\"\"]", 0 },
	{ "v", "[\"a\", \"bc\", \"\"]", 0 },
	{ "v", "[\"a\", 1]", -EINVAL },
	{ "v", "[\"a\", b]", -EINVAL },
	{ "v", "[\"a\\x00\"]", -EINVAL },
	{ "v", "\"a\"", -EINVAL },
	{ "v", "env", -EINVAL },
	{ "e", "env", 0 },
	{ "e", "[]", 0 },
	{ "e", "[\"A=b\"]", 0 },
	{ "e", "envs", -EINVAL },
	{ "e", "5", -EINVAL },
	{ "e", "\"A=b\"", -EINVAL },
	{ "e", "[env]", -EINVAL },
	{ "g", "[]", 0 },
	{ "g", "[0, 1, 4294967295]", 0 },
	{ "g", "[4294967296]", -EINVAL },
	{ "g", "[-1]", -EINVAL },
	{ "g", "[{slot, 1}]", -EINVAL },
	{ "g", "[a]", -EINVAL },
	{ "g", "5", -EINVAL },
	{ "r", "{alcove_rlimit, 0, 18446744073709551615}", 0 },
	{ "r", "{alcove_rlimit, -1, 0}", -EINVAL },
	{ "r", "{alcove_rlimit, 0, -1}", -EINVAL },
	{ "r", "{rlimit, 0, 0}", -EINVAL },
	{ "r", "{alcove_rlimit, 0}", -EINVAL },
	{ "r", "{alcove_rlimit, 0, 0, 0}", -EINVAL },
	{ "r", "{alcove_rlimit, 0, infinity}", -EINVAL },
	{ "r", "5", -EINVAL },
	{ "f", "[]", 0 },
	{ "f", "[{0, 5}, {3, {fd, a}}, {65535, {slot, 2}}]", 0 },
	{ "f", "[{65536, 5}]", -EINVAL },
	{ "f", "[{-1, 5}]", -EINVAL },
	{ "f", "[{0}]", -EINVAL },
	{ "f", "[{0, 1, 2}]", -EINVAL },
	{ "f", "[0]", -EINVAL },
	{ "f", "[{0, a}]", -EINVAL },
	{ "f", "[{a, 0}]", -EINVAL },
	{ "f", "[{0, {fd, zz}}]", -EBADF },
	{ "f", "{0, 5}", -EINVAL },
	{ "ks", "sigterm", 0 },
	{ "ks", "0", 0 },
	{ "ks", "2147483647", 0 },
	{ "ks", "2147483648", -EINVAL },
	{ "ks", "-2147483648", 0 },
	{ "ks", "-2147483649", -EINVAL },
	{ "ks", "sigfoo", -ENOTSUP },
	{ "ks", "o_creat", -ENOTSUP },
	{ "ks", "\"sigterm\"", -EINVAL },
	{ "ks", "[sigterm]", -EINVAL },
	{ "ks", "{slot, 1}", -EINVAL },
	{ "Kf", "[]", 0 },
	{ "Kf", "[o_creat, o_rdwr, 4096]", 0 },
	{ "Kf", "[o_foo]", -ENOTSUP },
	{ "Kf", "[o_creat, \"o_rdwr\"]", -EINVAL },
	{ "Kf", "[2147483648]", -EINVAL },
	{ "Kf", "[[o_creat]]", -EINVAL },
	{ "Kf", "o_creat", -EINVAL },
	{ "Kf", "5", -EINVAL },
	/* What came with the calls of the port: in programs one form each as well. */
	{ "Uu", "[ms_bind, 4096]", 0 },
	{ "Uu", "[]", 0 },
	{ "Uu", "[ms_nouser]", -EINVAL },
	{ "Uu", "[-1]", -EINVAL },
	{ "Uu", "ms_bind", -EINVAL },
	{ "Uu", "4096", -EINVAL },
	{ "jp", "7", 0 },
	{ "jp", "{slot, 1}", 0 },
	{ "jp", "{host, group}", 0 },
	{ "jp", "prio_process", -EINVAL },
	{ "I", "7", 0 },
	{ "I", "2147483648", -EINVAL },
	{ "I", "{slot, 1}", 0 },
	{ "Wi", "tiocsctty", 0 },
	{ "Wi", "9223372036854775807", 0 },
	{ "Wi", "9223372036854775808", -EINVAL },
	{ "Wi", "nosuch", -ENOTSUP },
	{ "Wi", "[tiocsctty]", -EINVAL },
	{ "Li", "[tiocsctty, 5]", 0 },
	{ "Li", "5", 0 },
	{ "Li", "[4294967296]", -EINVAL },
	{ "Li", "[nosuch]", -ENOTSUP },
	{ "xi", "-1", 0 },
	{ "xi", "{slot, 1}", 0 },
	{ "xi", "\"a\"", -EINVAL },
	{ "xi", "[\"a\"]", -EINVAL },
	{ "xc", "9223372036854775807", 0 },
	{ "xc", "-1", 0 },
	{ "xc", "pr_set_name", -EINVAL },
	{ "xc", "[]", -EINVAL },
	{ "ms", "\"abc\"", 0 },
	{ "ms", "[]", -EINVAL },
	{ "ms", "[\"abc\"]", -EINVAL },
	{ "Ms", "[]", 0 },
	{ "Ms", "[{ptr, 4}]", -EINVAL },
	{ "n", "\"A\"", 0 },
	{ "n", "\"\"", -EINVAL },
	{ "n", "[\"A\"]", -EINVAL },
	{ "n", "\"A\\x00\"", -EINVAL },
	{ "h", "\"host\"", 0 },
	{ "h", "\"\"", -EINVAL },
	{ "h", "[]", -EINVAL },
	{ "t", "\"\"", 0 },
	{ "t", "\"\\x00\"", -EINVAL },
	{ "t", "[]", -EINVAL },
	{ "o", "[]", 0 },
	{ "o", "\"\"", 0 },
	{ "o", "[\"a\"]", -EINVAL },
	{ "o", "word", -EINVAL },
};
enum { N_ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };

TEST(every_letter)
{
	for (size_t i = 0; i < N_ARGUMENTS; i++) {
		struct arg arg;
		char *mem;
		int r = argument(arguments[i].letters, arguments[i].text, &arg, &mem);

		if (r != arguments[i].want)
			tap_fail("%s as %s gave %d, not %d", arguments[i].text,
				 arguments[i].letters, r, arguments[i].want);
		free(mem);
	}
}

TEST(arguments_cut_at_every_byte)
{
	for (size_t i = 0; i < N_ARGUMENTS; i++) {
		struct buf b;
		struct arg arg;
		char *mem;

		if (arguments[i].want != 0)
			continue;
		buf_init(&b, 1 << 20);
		term(&b, arguments[i].text);
		for (size_t len = 0; len < b.len; len++) {
			int r = argument_sized(arguments[i].letters, b.data, len, 1 << 16, &arg,
					       &mem);

			CHECK(r == -EINVAL || r == -EBADMSG);
			free(mem);
		}
		buf_finish(&b);
	}
}

/* With too little memory: -E2BIG, and not a byte outside. */
TEST(arguments_in_little_memory)
{
	for (size_t i = 0; i < N_ARGUMENTS; i++) {
		struct buf b;
		struct arg arg;
		char *mem;
		int r = -E2BIG;

		if (arguments[i].want != 0)
			continue;
		buf_init(&b, 1 << 20);
		term(&b, arguments[i].text);
		for (size_t size = 0; r == -E2BIG && size < 1000; size++) {
			r = argument_sized(arguments[i].letters, b.data, b.len, size, &arg, &mem);
			CHECK(r == 0 || r == -E2BIG);
			free(mem);
		}
		CHECK_INT(r, 0);
		buf_finish(&b);
	}
}

TEST(path_lengths)
{
	for (uint32_t n = 4090; n <= 4100; n++) {
		char text[4200];
		struct arg arg;
		char *mem;

		memset(text, 'x', sizeof(text));
		text[0] = '"';
		text[n + 1] = '"';
		text[n + 2] = '\0';
		CHECK_INT(argument("p", text, &arg, &mem), n <= 4095 ? 0 : -EINVAL);
		if (n <= 4095)
			CHECK_INT(arg.n, n);
		free(mem);
		/* A text is not a path. */
		CHECK_INT(argument("s", text, &arg, &mem), 0);
		free(mem);
	}
}

TEST(number_values)
{
	static const struct {
		const char *letter;
		const char *text;
		enum arg_kind kind;
		int64_t i;
	} cases[] = {
		{ "i", "-2147483648", ARG_NUMBER, INT32_MIN },
		{ "u", "4294967295", ARG_NUMBER, UINT32_MAX },
		{ "l", "-9223372036854775807", ARG_NUMBER, -INT64_MAX },
		{ "q", "18446744073709551615", ARG_NUMBER, -1 },
		{ "q", "9223372036854775808", ARG_NUMBER, INT64_MIN },
		{ "d", "-5", ARG_NUMBER, -5 },
		{ "i", "{slot, 9}", ARG_SLOT, 9 },
		{ "d", "{slot, 0}", ARG_SLOT, 0 },
		{ "d", "{fd, a}", ARG_FD, 0 },
		{ "d", "{fd, 7}", ARG_FD, 1 },
		{ "d", "{fd, b}", ARG_FD, 2 },
		{ "i", "{host, group}", ARG_GROUP, 0 },
		{ "ks", "sigterm", ARG_NUMBER, SIGTERM },
		{ "ks", "64", ARG_NUMBER, 64 },
		{ "kr", "rlimit_nofile", ARG_NUMBER, RLIMIT_NOFILE },
		{ "Kf", "[]", ARG_NUMBER, 0 },
		{ "Kf", "[o_creat, o_rdwr, o_creat]", ARG_NUMBER, O_CREAT | O_RDWR },
		{ "Kf", "[1, 4, 8]", ARG_NUMBER, 13 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arg arg;
		char *mem;

		CHECK_INT(argument(cases[i].letter, cases[i].text, &arg, &mem), 0);
		CHECK_INT(arg.kind, cases[i].kind);
		CHECK_INT(arg.i, cases[i].i);
		free(mem);
	}
	/* The least int64 as bytes. */
	static const unsigned char least[] = { 110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 128 };
	struct arg arg;
	char *mem;
	CHECK_INT(argument_sized("l", least, sizeof(least), 0, &arg, &mem), 0);
	CHECK_INT(arg.i, INT64_MIN);
	free(mem);
	CHECK_INT(argument_sized("q", least, sizeof(least), 0, &arg, &mem), -EINVAL);
	free(mem);
}

TEST(byte_values)
{
	struct arg arg;
	char *mem;

	CHECK_INT(argument("b", "\"a\\x00b\"", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_BYTES);
	CHECK_MEM(arg.s, arg.n + 1, "a\0b", 4);
	free(mem);
	CHECK_INT(argument("s", "\"\"", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_BYTES);
	CHECK_INT(arg.n, 0);
	CHECK_STR(arg.s, "");
	free(mem);
	CHECK_INT(argument("p", "\"/tmp\"", &arg, &mem), 0);
	CHECK_STR(arg.s, "/tmp");
	free(mem);
}

TEST(list_values)
{
	struct arg arg;
	char *mem;

	CHECK_INT(argument("v", "[\"a\", \"\", \"bc\"]", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_VECTOR);
	CHECK_INT(arg.n, 3);
	CHECK_STR(arg.v[0], "a");
	CHECK_STR(arg.v[1], "");
	CHECK_STR(arg.v[2], "bc");
	CHECK(arg.v[3] == NULL);
	/* The place in front is the handler's. */
	CHECK((char *)&arg.v[-1] >= mem);
	arg.v[-1] = arg.v[0];
	CHECK_STR(arg.v[0], "a");
	free(mem);

	CHECK_INT(argument("e", "env", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_VECTOR);
	CHECK(arg.v == request_env);
	CHECK_INT(arg.n, 2);
	free(mem);
	CHECK_INT(argument("e", "[]", &arg, &mem), 0);
	CHECK_INT(arg.n, 0);
	CHECK(arg.v != NULL && arg.v[0] == NULL);
	free(mem);

	CHECK_INT(argument("g", "[0, 200, 4294967295]", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_IDS);
	CHECK_INT(arg.n, 3);
	CHECK(arg.ids[0] == 0 && arg.ids[1] == 200 && arg.ids[2] == UINT32_MAX);
	free(mem);

	CHECK_INT(argument("r", "{alcove_rlimit, 1, 18446744073709551615}", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_LIMIT);
	CHECK(arg.u[0] == 1 && arg.u[1] == UINT64_MAX);
	free(mem);

	CHECK_INT(argument("f", "[{0, 5}, {3, {fd, b}}, {65535, {slot, 2}}]", &arg, &mem), 0);
	CHECK_INT(arg.kind, ARG_DUPS);
	CHECK_INT(arg.n, 3);
	CHECK(arg.dup[0].target == 0 && arg.dup[0].source.kind == ARG_NUMBER &&
	      arg.dup[0].source.i == 5);
	CHECK(arg.dup[1].target == 3 && arg.dup[1].source.kind == ARG_FD &&
	      arg.dup[1].source.i == 2);
	CHECK(arg.dup[2].target == 65535 && arg.dup[2].source.kind == ARG_SLOT &&
	      arg.dup[2].source.i == 2);
	free(mem);
}

/* Every letter that takes a list refuses STRING, other tails and the header without elements. */
TEST(wrong_lists)
{
	static const char *const lists[][2] = {
		{ "v", "[\"a\"]" }, { "e", "[\"A=b\"]" }, { "g", "[1]" },
		{ "Kf", "[1]" },    { "f", "[{1, 2}]" },
	};

	for (size_t i = 0; i < 5; i++) {
		const char *letters = lists[i][0];
		static const unsigned char string[] = { 107, 0, 2, 1, 2 };
		static const unsigned char header[] = { 108, 0, 0, 0, 0, 106 };
		struct arg arg;
		struct buf b;
		char *mem;

		CHECK_INT(argument_sized(letters, string, sizeof(string), 1000, &arg, &mem),
			  -EINVAL);
		free(mem);
		CHECK_INT(argument_sized(letters, header, sizeof(header), 1000, &arg, &mem),
			  -EINVAL);
		free(mem);
		buf_init(&b, 1000);
		term(&b, lists[i][1]);
		CHECK_INT(b.data[b.len - 1], 106);
		CHECK_INT(argument_sized(letters, b.data, b.len, 1000, &arg, &mem), 0);
		free(mem);
		b.len--;
		term_out_int(&b, 0);
		CHECK_INT(argument_sized(letters, b.data, b.len, 1000, &arg, &mem), -EINVAL);
		free(mem);
		buf_finish(&b);
	}
}

/* Nothing but the letters of the table; each says what it wanted. */
TEST(what_was_expected)
{
	static const char *const cases[][2] = {
		{ "p", "path" },	  { "s", "text" },	 { "b", "bytes" },
		{ "v", "list of texts" }, { "e", "NAME=VALUE" }, { "g", "ids" },
		{ "r", "alcove_rlimit" }, { "f", "Descriptor" }, { "ks", "constant" },
		{ "Ks", "constants" },	  { "d", "descriptor" }, { "i", "integer" },
		{ "u", "integer" },	  { "l", "integer" },	 { "q", "integer" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arg arg;
		char *mem;

		CHECK(argument(cases[i][0], "{}", &arg, &mem) < 0);
		CHECK(strstr(arg_what, cases[i][1]) != NULL);
		free(mem);
	}
}

TEST(arena)
{
	_Alignas(16) char mem[64];

	for (size_t skew = 0; skew < 8; skew++) {
		for (size_t n = 0; n <= 9; n++) {
			struct arena a = { mem + skew, mem + 64 };

			memset(mem, 0xa5, sizeof(mem));
			size_t pad = (8 - skew) % 8;
			char *p = arena_take(&a, n, 8, 8);
			if (n <= (64 - skew - pad) / 8) {
				CHECK(p == mem + skew + pad);
				CHECK(a.p == p + 8 * n && a.end == mem + 64);
				for (size_t i = 0; i < 8 * n; i++)
					CHECK_INT(p[i], 0);
			} else {
				CHECK(p == NULL);
				CHECK(a.p == mem + skew);
				CHECK_INT((unsigned char)mem[63], 0xa5);
			}
		}
	}
	struct arena a = { mem, mem + 64 };
	CHECK(arena_take(&a, SIZE_MAX, 8, 8) == NULL);
	CHECK(arena_take(&a, SIZE_MAX / 8 + 2, 8, 8) == NULL);
	CHECK(arena_take(&a, 64, 1, 1) == mem);
	CHECK(arena_take(&a, 1, 1, 1) == NULL);
	/* The padding counts, and there may not even be room for it. */
	a = (struct arena){ mem + 1, mem + 60 };
	CHECK(arena_take(&a, 7, 8, 8) == NULL);
	CHECK(arena_take(&a, 6, 8, 8) == mem + 8);
	a = (struct arena){ mem + 1, mem + 3 };
	CHECK(arena_take(&a, 0, 8, 8) == NULL);
}

/* -------------------------------------------------------------- programs --- */

/* What a failing decode must leave alone. */
static const uint32_t untouched = 0xabcdef;

static struct program program;
static struct program_error error;
static void *memory;

/* Decodes a body in exactly the memory that program_memory() says. */
static int decode(const void *body, size_t len)
{
	unsigned char *copy = exact(body, len);
	size_t size = program_memory(len);
	struct term_in in;

	free(memory);
	memory = malloc(size);
	CHECK(memory != NULL);
	memset(memory, 0xa5, size);
	program = (struct program){ .n_ops = untouched };
	error = (struct program_error){ 77, 77, NULL };
	term_in_init(&in, copy, len);
	int r = program_in(&in, memory, size, &program, &error);
	CHECK(in.p >= copy && in.p <= copy + len);
	CHECK(error.what != NULL && error.what[0] != '\0');
	if (r == 0) {
		CHECK(in.p == in.end);
		CHECK(error.index == -1 && error.arg == -1);
	} else {
		CHECK(program.n_ops == untouched);
	}
	/* The names of descriptors point into the input: keep nothing of it. */
	for (uint32_t i = 0; r == 0 && i < program.n_fds; i++) {
		if (program.fd_name[i].data != NULL)
			CHECK(program.fd_name[i].data >= copy &&
			      program.fd_name[i].data < copy + len);
	}
	free(copy);
	return r;
}

static void body(struct buf *b, const char *fds, const char *env, const char *ops)
{
	struct text_error e;

	buf_init(b, 1 << 20);
	term(b, fds);
	term(b, env);
	if (program_text_in(ops, strlen(ops), b, &e) < 0)
		tap_fail("%s: line %d: %s", ops, e.line, e.what);
}

static int decode_text(const char *fds, const char *env, const char *ops)
{
	struct buf b;

	body(&b, fds, env, ops);
	int r = decode(b.data, b.len);
	buf_finish(&b);
	return r;
}

TEST(a_whole_program)
{
	CHECK_INT(decode_text("[]", "[]", ""), 0);
	CHECK_INT(program.n_ops, 0);
	CHECK_INT(program.n_fds, 0);
	CHECK(program.env != NULL && program.env[0] == NULL);
	for (int i = 0; i < PLACE_COUNT; i++)
		CHECK(!program.has_place[i]);

	CHECK_INT(decode_text("[stdin, 7]", "[\"A=1\", \"B=2\"]",
			      "before open(\"/x\", [o_rdonly], 0) slot 15\n"
			      "outside getpid() ignore\n"
			      "task fchdir({slot, 15}) ignore slot 0\n"
			      "task exec(\"sh\", [\"-c\", \"true\"], env, \"/bin\")\n"),
		  0);
	CHECK_INT(program.n_ops, 4);
	CHECK_INT(program.n_fds, 2);
	CHECK_INT(program.fd_name[0].len, 5);
	CHECK(program.fd_name[1].data == NULL);
	CHECK_INT(program.fd_number[1], 7);
	CHECK_STR(program.env[0], "A=1");
	CHECK_STR(program.env[1], "B=2");
	CHECK(program.env[2] == NULL);
	CHECK(program.has_place[PLACE_BEFORE] && program.has_place[PLACE_OUTSIDE] &&
	      program.has_place[PLACE_TASK] && !program.has_place[PLACE_INIT] &&
	      !program.has_place[PLACE_AFTER]);
	const struct op *op = program.op;
	CHECK_STR(op[0].call->name, "open");
	CHECK(op[0].place == PLACE_BEFORE && !op[0].ignore && op[0].slot == 15);
	CHECK(op[1].place == PLACE_OUTSIDE && op[1].ignore && op[1].slot == -1);
	CHECK(op[2].ignore && op[2].slot == 0);
	CHECK(op[2].arg[0].kind == ARG_SLOT && op[2].arg[0].i == 15);
	CHECK_STR(op[3].arg[0].s, "sh");
	CHECK_STR(op[3].arg[1].v[1], "true");
	CHECK(op[3].arg[2].v == program.env && op[3].arg[2].n == 2);
	CHECK_STR(op[3].arg[3].s, "/bin");
}

TEST(places)
{
	static const char *const names[] = { "before", "outside", "init", "task", "failed", "after" };

	CHECK_INT(PLACE_COUNT, 6);
	for (int i = 0; i < 5; i++) {
		char text[64];
		struct slice s = { (const unsigned char *)names[i], strlen(names[i]) };

		CHECK_STR(place_name((enum place)i), names[i]);
		CHECK_INT(place_by_name(s), i);
		s.len--;
		CHECK_INT(place_by_name(s), -1);
		snprintf(text, sizeof(text), "%s getpid()", names[i]);
		CHECK_INT(decode_text("[]", "[]", text), 0);
		CHECK_INT(program.op[0].place, i);
		for (int k = 0; k < 5; k++)
			CHECK_INT(program.has_place[k], k == i);
	}
	CHECK_INT(place_by_name((struct slice){ (const unsigned char *)"", 0 }), -1);
	CHECK_INT(place_by_name((struct slice){ (const unsigned char *)"Task", 4 }), -1);
}

/* What makes namespaces stands in one place, once, and cannot be passed over. */
TEST(isolation)
{
	static const struct {
		const char *text;
		int want;
		bool isolates;
	} t[] = {
		{ "task getpid()", 0, false },
		{ "outside clone([])", 0, true },
		{ "outside clone([clone_newuser, clone_newpid]) slot 1\noutside id_map({slot, 1}, \"deny\", \"0 1 1\", \"\")", 0, true },
		{ "outside id_map(1, \"\", \"\", \"\")", 0, false },
		{ "outside clone([])\noutside clone([])", -EINVAL, false },
		{ "outside clone([]) ignore", -EINVAL, false },
		{ "before clone([])", -EINVAL, false },
		{ "init clone([])", -EINVAL, false },
		{ "task clone([])", -EINVAL, false },
		{ "after clone([])", -EINVAL, false },
		{ "init id_map(1, \"\", \"\", \"\")", -EINVAL, false },
		{ "outside clone([clone_vm])", -ENOTSUP, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_INT(decode_text("[]", "[]", t[i].text), t[i].want);
		if (t[i].want == 0)
			CHECK_INT(program.isolates, t[i].isolates);
	}
}

/* One operation from raw parts: each as text, or NULL for the usual one. */
static int raw_op(const char *place, const char *call, const char *args, const char *options)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	term(&b, "[]");
	term(&b, "[]");
	term_out_list(&b, 2);
	for (int i = 0; i < 2; i++) {
		term_out_tuple(&b, 4);
		term(&b, i == 0 || place == NULL ? "task" : place);
		term(&b, i == 0 || call == NULL ? "15" : call);
		term(&b, i == 0 || args == NULL ? "{3}" : args);
		term(&b, i == 0 || options == NULL ? "[]" : options);
	}
	term_out_nil(&b);
	int r = decode(b.data, b.len);
	buf_finish(&b);
	return r;
}

TEST(errors_of_an_operation)
{
	static const struct {
		const char *part[4];
		int want;
		int arg;
		const char *what;
	} cases[] = {
		{ { "other" }, -EBADMSG, -1, "place" },
		{ { "5" }, -EBADMSG, -1, "{Place" },
		{ { "\"task\"" }, -EBADMSG, -1, "{Place" },
		{ { NULL, "-1" }, -EBADMSG, -1, "number of a call" },
		{ { NULL, "close" }, -EBADMSG, -1, "number of a call" },
		{ { NULL, "0" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, "127" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, "255" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, "256" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, "271" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, "18446744073709551615" }, -ENOSYS, -1, "number of a call" },
		{ { NULL, NULL, "{}" }, -EINVAL, -1, "as many arguments" },
		{ { NULL, NULL, "{3, 4}" }, -EINVAL, -1, "as many arguments" },
		{ { NULL, NULL, "[3]" }, -EBADMSG, -1, "as many arguments" },
		{ { NULL, NULL, "3" }, -EBADMSG, -1, "as many arguments" },
		{ { NULL, NULL, "{x}" }, -EINVAL, 0, "a descriptor" },
		{ { NULL, NULL, "{{fd, x}}" }, -EBADF, 0, "a descriptor" },
		{ { NULL, "49", "{1, sigfoo}" }, -ENOTSUP, 1, "a constant" },
		{ { NULL, "49", "{x, sigterm}" }, -EINVAL, 0, "an integer" },
		{ { NULL, "131", "{\"sh\", [], env, 5}" }, -EINVAL, 3, "a text" },
		{ { NULL, "131", "{\"sh\", [], other, \"\"}" }, -EINVAL, 2, "NAME=VALUE" },
		{ { NULL, NULL, NULL, "ignore" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[other]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{slot, 64}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{slot, -1}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{slots, 1}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{slot, 1, 2}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{ignore, true}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[{ignore, 2}]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "[5]" }, -EBADMSG, -1, "options" },
		{ { NULL, NULL, NULL, "5" }, -EBADMSG, -1, "options" },
	};

	CHECK_INT(raw_op(NULL, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *p = cases[i].part;
		int r = raw_op(p[0], p[1], p[2], p[3]);

		if (r != cases[i].want || error.index != 1 || error.arg != cases[i].arg ||
		    strstr(error.what, cases[i].what) == NULL)
			tap_fail("case %zu: %d, operation %d, argument %d, '%s'", i, r, error.index,
				 error.arg, error.what);
	}
}

TEST(options)
{
	CHECK_INT(raw_op(NULL, NULL, NULL, "[ignore]"), 0);
	CHECK(program.op[1].ignore && program.op[1].slot == -1);
	CHECK(program.op[1].ignored == 0);
	CHECK_INT(raw_op(NULL, NULL, NULL, "[{ignore, enoent}]"), 0);
	CHECK(program.op[1].ignore && program.op[1].ignored == ENOENT);
	CHECK_INT(raw_op(NULL, NULL, NULL, "[{slot, 3}, ignore]"), 0);
	CHECK(program.op[1].ignore && program.op[1].slot == 3);
	CHECK(!program.op[0].ignore && program.op[0].slot == -1);
	CHECK_INT(raw_op(NULL, NULL, NULL, "[{slot, 15}]"), 0);
	CHECK(!program.op[1].ignore && program.op[1].slot == 15);
}

TEST(names_and_environment)
{
	static const struct {
		const char *fds, *env;
		int want;
		const char *what;
	} cases[] = {
		{ "[a, 0, 2147483647]", "[]", 0, "" },
		{ "[2147483648]", "[]", -EBADMSG, "descriptor names" },
		{ "[-1]", "[]", -EBADMSG, "descriptor names" },
		{ "[\"a\"]", "[]", -EBADMSG, "descriptor names" },
		{ "[[]]", "[]", -EBADMSG, "descriptor names" },
		{ "a", "[]", -EBADMSG, "descriptor names" },
		{ "[]", "env", -EINVAL, "environment" },
		{ "[]", "[5]", -EINVAL, "environment" },
		{ "[]", "[\"A=\\x00\"]", -EINVAL, "environment" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(decode_text(cases[i].fds, cases[i].env, ""), cases[i].want);
		if (cases[i].want != 0) {
			CHECK(error.index == -1 && error.arg == -1);
			CHECK(strstr(error.what, cases[i].what) != NULL);
		}
	}
}

/* ----------------------------------------------------------------- limits --- */

/* The shortest operation there is. */
static void least_op(struct buf *b)
{
	term_out_tuple(b, 4);
	term_out_atom(b, "init");
	term_out_int(b, CALL_getpid);
	term_out_tuple(b, 0);
	term_out_nil(b);
}

static void many(struct buf *b, uint32_t n, void one(struct buf *))
{
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++)
		one(b);
	if (n > 0)
		term_out_nil(b);
}

static void number_name(struct buf *b)
{
	term_out_int(b, 3);
}

static void empty_name(struct buf *b)
{
	term_out_atom(b, "");
}

TEST(limits_of_counts)
{
	for (uint32_t n = 1023; n <= 1025; n++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		term_out_nil(&b);
		term_out_nil(&b);
		many(&b, n, least_op);
		CHECK_INT(decode(b.data, b.len), n <= PROGRAM_OPS_MAX ? 0 : -E2BIG);
		CHECK_INT(PROGRAM_OPS_MAX, 1024);
		if (n <= PROGRAM_OPS_MAX)
			CHECK_INT(program.n_ops, n);
		else
			CHECK(error.index == -1 && strstr(error.what, "1024") != NULL);
		buf_finish(&b);
	}
	for (uint32_t n = 249; n <= 251; n++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		many(&b, n, number_name);
		term_out_nil(&b);
		term_out_nil(&b);
		CHECK_INT(decode(b.data, b.len), n <= 250 ? 0 : -EBADMSG);
		buf_finish(&b);
	}
}

/* ------------------------------------------------------------ the memory --- */

static void empty_text(struct buf *b)
{
	term_out_text(b, "");
}

static void pair(struct buf *b)
{
	term_out_tuple(b, 2);
	term_out_int(b, 1);
	term_out_int(b, 2);
}

static void begin_op(struct buf *b, uint8_t number, uint32_t argc)
{
	term_out_tuple(b, 4);
	term_out_atom(b, rnd(2) ? "init" : "task");
	term_out_int(b, number);
	term_out_tuple(b, argc);
}

/* An operation that takes the most memory for its bytes, with lists of ${n}. */
static void dense_op(struct buf *b, int shape, uint32_t n)
{
	switch (shape) {
	case 0:
		least_op(b);
		return;
	case 1:
		begin_op(b, CALL_exec, 4);
		empty_text(b);
		many(b, n, empty_text);
		many(b, n, empty_text);
		empty_text(b);
		break;
	case 2:
		begin_op(b, CALL_dup_fds, 1);
		many(b, n, pair);
		break;
	case 3:
		begin_op(b, CALL_setgroups, 1);
		many(b, n, number_name);
		break;
	case 4:
		begin_op(b, CALL_link, 2);
		term_out_text(b, "x");
		term_out_text(b, "y");
		break;
	default:
		begin_op(b, CALL_exec, 4);
		empty_text(b);
		term_out_nil(b);
		term_out_nil(b);
		empty_text(b);
	}
	term_out_nil(b);
}
enum { SHAPES = 6 };

/* Decodes once in exactly that memory, for the sanitizer, and once with known bytes behind it. */
static void must_fit(struct buf *b, uint32_t n_ops)
{
	size_t size = program_memory(b->len);
	struct program_error e;
	struct program p;
	struct term_in in;

	CHECK_INT(b->err, 0);
	CHECK_INT(decode(b->data, b->len), 0);
	CHECK_INT(program.n_ops, n_ops);
	unsigned char *mem = malloc(size + 4096);
	CHECK(mem != NULL);
	memset(mem + size, 0xa5, 4096);
	term_in_init(&in, b->data, b->len);
	CHECK_INT(program_in(&in, mem, size, &p, &e), 0);
	for (size_t i = 0; i < 4096; i++)
		CHECK_INT(mem[size + i], 0xa5);
	free(mem);
	buf_finish(b);
}

TEST(dense_operations_fit)
{
	static const uint32_t counts[] = { 0, 1, 2, 3, 10, 100, 1000, 1024 };

	for (int shape = 0; shape < SHAPES; shape++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			for (uint32_t inner = 0; inner < 4; inner++) {
				struct buf b;

				buf_init(&b, 1 << 22);
				term_out_nil(&b);
				term_out_nil(&b);
				term_out_list(&b, counts[i]);
				for (uint32_t k = 0; k < counts[i]; k++)
					dense_op(&b, shape, inner);
				if (counts[i] > 0)
					term_out_nil(&b);
				must_fit(&b, counts[i]);
			}
		}
	}
}

TEST(dense_lists_fit)
{
	static const uint32_t counts[] = { 0, 1, 5, 50, 249, 1000, 30000, 300000 };

	for (int shape = 0; shape < SHAPES; shape++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			struct buf b;

			/* Where it grows most: names, environment or argument. */
			buf_init(&b, 1 << 24);
			many(&b, counts[i] < 250 ? counts[i] : 250,
			     i % 2 ? number_name : empty_name);
			many(&b, shape == 0 ? counts[i] : 0, empty_text);
			term_out_list(&b, 1);
			dense_op(&b, shape, counts[i]);
			term_out_nil(&b);
			must_fit(&b, 1);
		}
	}
}

TEST(dense_mixtures_fit)
{
	for (uint64_t s = 1; s <= 300; s++) {
		struct buf b;

		seed = s;
		uint32_t n = rnd(s % 8 == 0 ? 1025 : 20);
		buf_init(&b, 1 << 22);
		many(&b, rnd(251), rnd(2) ? number_name : empty_name);
		many(&b, rnd(30), empty_text);
		term_out_list(&b, n);
		for (uint32_t i = 0; i < n; i++)
			dense_op(&b, (int)rnd(SHAPES), rnd(rnd(4) ? 4 : 100));
		if (n > 0)
			term_out_nil(&b);
		must_fit(&b, n);
	}
}

/* A body with some of everything. */
static void rich_body(struct buf *b)
{
	body(b, "[in, 7, out]", "[\"A=1\", \"B=2\"]",
	     "before mkdir(\"/x\", 448) ignore slot 3\n"
	     "outside write({fd, in}, \"a\\x00b\") slot 1\n"
	     "init prctl(pr_set_no_new_privs, 1, -9223372036854775807, {slot, 2}, 0)\n"
	     "task setrlimit(rlimit_nofile, {alcove_rlimit, 5, 18446744073709551615})\n"
	     "task setgroups([0, 1, 4294967295])\n"
	     "task dup_fds([{0, {fd, in}}, {1, 7}, {2, {slot, 1}}])\n"
	     "task open(\"/y\", [o_creat, o_rdwr], 384)\n"
	     "task exec(\"sh\", [\"-c\", \"\"], env, \"/bin\")\n"
	     "after kill({host, group}, sigterm)\n");
}

TEST(every_smaller_memory)
{
	struct buf b;
	int r = -E2BIG;

	rich_body(&b);
	for (size_t size = 0; r == -E2BIG; size++) {
		void *mem = malloc(size > 0 ? size : 1);
		struct program_error e;
		struct program p;
		struct term_in in;

		CHECK(mem != NULL);
		term_in_init(&in, b.data, b.len);
		r = program_in(&in, mem, size, &p, &e);
		CHECK(r == 0 || r == -E2BIG);
		CHECK(size <= program_memory(b.len));
		free(mem);
	}
	buf_finish(&b);
}

TEST(body_cut_at_every_byte)
{
	struct buf b;

	rich_body(&b);
	CHECK_INT(decode(b.data, b.len), 0);
	for (size_t len = 0; len < b.len; len++) {
		int r = decode(b.data, len);

		CHECK(r == -EBADMSG || r == -EINVAL);
	}
	buf_finish(&b);
}

TEST(body_with_every_byte_changed)
{
	struct buf b;

	rich_body(&b);
	for (size_t i = 0; i < b.len; i++) {
		unsigned char saved = b.data[i];

		for (int v = 0; v < 256; v++) {
			struct term_in in;

			b.data[i] = (unsigned char)v;
			size_t size = program_memory(b.len);
			struct program_error e = { 77, 77, NULL };
			struct program p;
			term_in_init(&in, b.data, b.len);
			free(memory);
			memory = malloc(size);
			CHECK(memory != NULL);
			int r = program_in(&in, memory, size, &p, &e);
			CHECK(r <= 0 && e.what != NULL);
			CHECK(e.index >= -1 && e.index < PROGRAM_OPS_MAX);
			CHECK(e.arg >= -1 && e.arg < CALL_ARGS_MAX);
		}
		b.data[i] = saved;
	}
	buf_finish(&b);
}

/* The tail of each of the three lists. */
TEST(wrong_tails)
{
	for (int which = 0; which < 3; which++) {
		struct buf b;

		buf_init(&b, 1000);
		for (int i = 0; i < 3; i++) {
			term_out_list(&b, 1);
			if (i == 0)
				number_name(&b);
			if (i == 1)
				empty_text(&b);
			if (i == 2)
				least_op(&b);
			if (i == which)
				term_out_int(&b, 0);
			else
				term_out_nil(&b);
		}
		CHECK_INT(decode(b.data, b.len), which == 1 ? -EINVAL : -EBADMSG);
		CHECK_INT(error.index, -1);
		buf_finish(&b);
	}
}
