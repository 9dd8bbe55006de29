/* SPDX-License-Identifier: ISC */
/* wire/text_in.c and text_out.c: programs as text, there and back. */
#include "tap.h"

#include "program.h"

static uint64_t seed;

static uint64_t rnd64(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t rnd(uint32_t below)
{
	return (uint32_t)(rnd64() % below);
}

/* Parses out of memory that ends exactly behind the text. */
static int parse_bytes(const char *text, size_t len, struct buf *b, struct text_error *e)
{
	char *copy = malloc(len > 0 ? len : 1);

	CHECK(copy != NULL);
	if (len > 0)
		memcpy(copy, text, len);
	int r = program_text_in(copy, len, b, e);
	free(copy);
	return r;
}

static int print(const struct buf *program, struct buf *text)
{
	struct term_in in;

	term_in_init(&in, program->data, program->len);
	int r = program_text_out(&in, text);
	if (r == 0)
		CHECK(in.p == in.end);
	return r;
}

/* The text is understood, and printed it is ${want}. */
static void comes_back(const char *text, const char *want)
{
	struct buf program, printed;
	struct text_error e;

	buf_init(&program, 1 << 20);
	buf_init(&printed, 1 << 20);
	if (parse_bytes(text, strlen(text), &program, &e) != 0)
		tap_fail("'%s' is refused: %s", text, e.what);
	CHECK_INT(e.what[0], 0);
	CHECK_INT(print(&program, &printed), 0);
	char *s = buf_steal_text(&printed);
	CHECK_STR(s, want);
	free(s);
	buf_finish(&program);
}

TEST(texts)
{
	static const char *const same[] = {
		"",
		"task getpid()\n",
		"before getpid() ignore\n",
		"outside getpid() slot 0\n",
		"init getpid() slot 15\n",
		"after getpid() ignore slot 7\n",
		"task chdir(\"/tmp\")\n",
		"task exit(0)\ntask exit(-1)\n",
		"task exit(word, a_b_9, 18446744073709551615, -9223372036854775807)\n",
		"task exit([], {}, [[]], {{}}, [1, 2], {a, \"b\", [c]})\n",
		"task exit(\"\")\n",
		"task exit(\"\\n\\t\\\"\\\\\\x00\\x1f\\x7f\\x0d\")\n",
		"task exit(\"\xc3\xa9\xff\")\n",
		"task exit([[[[[[[[]]]]]]]])\n",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		comes_back(same[i], same[i]);
}

TEST(what_may_be_written_otherwise)
{
	static const char *const cases[][2] = {
		{ "\n\n# comment\n  # another (\n\t\r\n", "" },
		{ "task getpid()", "task getpid()\n" },
		{ "  task\tgetpid ( ) \r\n", "task getpid()\n" },
		{ "task exit( 1,2 , [ a ,b ],{ } )", "task exit(1, 2, [a, b], {})\n" },
		{ "task getpid() slot 3 ignore", "task getpid() ignore slot 3\n" },
		{ "task getpid() ignore ignore", "task getpid() ignore\n" },
		{ "task getpid() ignore ENOENT", "task getpid() ignore enoent\n" },
		{ "task getpid() slot 1 ignore eexist", "task getpid() ignore eexist slot 1\n" },
		{ "task getpid()ignore slot 05", "task getpid() ignore slot 5\n" },
		{ "task exit(-0, 007)", "task exit(0, 7)\n" },
		{ "task exit(\"\\x41\\x0A\\xe9\")", "task exit(\"A\\n\xe9\")\n" },
		{ "task exit(\"\tx\")", "task exit(\"\\tx\")\n" },
		{ "task exit(\"# no comment\")", "task exit(\"# no comment\")\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		comes_back(cases[i][0], cases[i][1]);
}

TEST(bytes_of_a_program)
{
	static const char text[] = "task kill(1, sigterm) ignore slot 2\n";
	static const unsigned char want[] = { 108, 0,	0,   0,	  1,   104, 4,	 119, 4,   't', 'a',
					      's', 'k', 97,  49,  104, 2,   97,	 1,   119, 7,	's',
					      'i', 'g', 't', 'e', 'r', 'm', 108, 0,   0,   0,	2,
					      119, 6,	'i', 'g', 'n', 'o', 'r', 'e', 104, 2,	119,
					      4,   's', 'l', 'o', 't', 97,  2,	 106, 106 };
	struct text_error e;
	struct buf b;

	buf_init(&b, 1000);
	CHECK_INT(parse_bytes(text, strlen(text), &b, &e), 0);
	CHECK_MEM(b.data, b.len, want, sizeof(want));
	buf_finish(&b);
	buf_init(&b, 1000);
	CHECK_INT(parse_bytes("", 0, &b, &e), 0);
	CHECK_MEM(b.data, b.len, "\x6a", 1);
	buf_finish(&b);
}

/* People write constants as the manuals do; the program has them in lower case. */
TEST(upper_case_words)
{
	comes_back("task kill(1, SIGTERM)\n", "task kill(1, sigterm)\n");
	comes_back("task exit(A, Zz_9, aB, \"AB\")\n", "task exit(a, zz_9, ab, \"AB\")\n");
}

TEST(the_least_integer)
{
	comes_back("task exit(-9223372036854775808)\n", "task exit(-9223372036854775808)\n");
}

/* ----------------------------------------------------------------- errors --- */

static const struct {
	const char *text;
	int line;
	const char *what;
} errors[] = {
	{ "nowhere getpid()", 1,
	  "'nowhere' is no place; places are before, outside, init, task, failed, after" },
	{ "Task getpid()", 1, "'Task' is no place" },
	{ "(", 1, "is no place" },
	{ "\"", 1, "is no place" },
	{ "task", 1, "'' is no call" },
	{ "task nothing()", 1, "'nothing' is no call" },
	{ "task alloc()", 1, "alloc is a call of the port, programs cannot make it" },
	{ "task 15(3)", 1, "'15' is no call" },
	{ "task getpid", 1, "expected ( behind getpid" },
	{ "task getpid)", 1, "expected ( behind getpid" },
	{ "task getpid[]", 1, "expected ( behind getpid" },
	{ "task getpid(", 1,
	  "expected a word, a number, a \"text\", a [list] or a {tuple} before ''" },
	{ "task exit(1", 1, "expected , or ) before ''" },
	{ "task exit(1]", 1, "expected , or ) before ']'" },
	{ "task exit(1 2)", 1, "expected , or ) before '2)'" },
	{ "task exit(1,)", 1, "expected a word" },
	{ "task exit(,1)", 1, "expected a word" },
	{ "task exit([1)", 1, "expected , or ] before ')'" },
	{ "task exit({1])", 1, "expected , or } before '])'" },
	{ "task exit(1a)", 1, "expected , or ) before 'a)'" },
	{ "task exit(-)", 1, "a minus without a number" },
	{ "task exit(- 1)", 1, "a minus without a number" },
	{ "task exit(18446744073709551616)", 1, "a number above 2^64-1" },
	{ "task exit(99999999999999999999999999)", 1, "a number above 2^64-1" },
	{ "task exit(-9223372036854775809)", 1, "a number below -2^63" },
	{ "task exit(\"x)", 1, "the text has no closing quote" },
	{ "task exit(\"x\n\")", 1, "the text has no closing quote" },
	{ "task exit(\"\\\")", 1, "the text has no closing quote" },
	{ "task exit(\"\\q\")", 1, "\\q in a text; known are" },
	{ "task exit(\"\\", 1, "in a text; known are" },
	{ "task exit(\"\\x\")", 1, "\\x in a text; known are" },
	{ "task exit(\"\\x4\")", 1, "\\x in a text" },
	{ "task exit(\"\\x4g\")", 1, "\\x in a text" },
	{ "task exit(\"\\x 4\")", 1, "\\x in a text" },
	{ "task exit(\"\\x-4\")", 1, "\\x in a text" },
	{ "task exit(\"\\X41\")", 1, "\\X in a text" },
	{ "task exit([[[[[[[[[]]]]]]]]])", 1, "nested more than 8 deep" },
	{ "task exit({{{{{{{{{{{{{{{{{{{{{{{{{{{", 1, "nested more than 8 deep" },
	{ "task getpid() )", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() ignore enosuch", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() ignored", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot 64", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot -1", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot 100", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot ignore", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot x", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot 1x", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() slot _1", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid() # comment", 1, "expected ignore or slot 0 to 63" },
	{ "task getpid()\n\n# x\ntask what()\ntask getpid()", 4, "'what' is no call" },
	{ "\r\n\r\n \r\nx\r\n", 4, "'x' is no place" },
	{ "task getpid()\ntask exit(;\ntask getpid()", 2, "before ';'" },
};
enum { N_ERRORS = sizeof(errors) / sizeof(errors[0]) };

TEST(errors_say_where_and_what)
{
	for (size_t i = 0; i < N_ERRORS; i++) {
		struct text_error e;
		struct buf b;

		buf_init(&b, 1000);
		memset(&e, 0xa5, sizeof(e));
		int r = parse_bytes(errors[i].text, strlen(errors[i].text), &b, &e);
		if (r != -EINVAL)
			tap_fail("'%s' gave %d", errors[i].text, r);
		if (e.line != errors[i].line || strstr(e.what, errors[i].what) == NULL)
			tap_fail("'%s': line %d, '%s'", errors[i].text, e.line, e.what);
		if (strchr(e.what, '\n') != NULL)
			tap_fail("'%s': more than its line is shown: '%s'", errors[i].text, e.what);
		CHECK_INT(b.len, 0);
		buf_finish(&b);
	}
}

/* Words that do not fit into the sentence are cut and do not push out its rest. */
TEST(long_words)
{
	char text[2000];
	struct text_error e;
	struct buf b;

	for (size_t n = 1; n < 600; n++) {
		buf_init(&b, 10000);
		memset(text, 'x', n);
		CHECK_INT(parse_bytes(text, n, &b, &e), -EINVAL);
		CHECK(strstr(e.what, "places are before, outside, init, task, failed, after") != NULL);
		memcpy(text, "task ", 5);
		memset(text + 5, 'x', n);
		CHECK_INT(parse_bytes(text, n + 5, &b, &e), -EINVAL);
		CHECK(strstr(e.what, "' is no call") != NULL);
		/* An atom has 255 bytes at most. */
		memcpy(text, "task exit(", 10);
		memset(text + 10, 'x', n);
		text[10 + n] = ')';
		CHECK_INT(parse_bytes(text, n + 11, &b, &e), n <= 255 ? 0 : -EINVAL);
		if (n > 255)
			CHECK(strstr(e.what, "expected a word") != NULL);
		buf_finish(&b);
	}
}

/* A NUL is no end: what stands behind it must not be passed over. */
TEST(nul_bytes)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "\0", 1 },
		{ "\0task getpid()", 14 },
		{ "task getpid()\0", 14 },
		{ "task getpid() \0ignore", 21 },
		{ "task getpid() ignore\0slot 3", 27 },
		{ "task\0getpid()", 13 },
		{ "task getpid\0()", 14 },
		{ "task getpid(\0)", 14 },
		{ "task exit(1\0)", 13 },
		{ "task exit(1,\0)", 14 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_error e;
		struct buf b;

		buf_init(&b, 1000);
		if (parse_bytes(cases[i].text, cases[i].len, &b, &e) != -EINVAL)
			tap_fail("case %zu is taken", i);
		CHECK(e.line == 1 && e.what[0] != '\0');
		buf_finish(&b);
	}
	/* Within quotes it is a byte as any other. */
	struct text_error e;
	struct buf b;
	buf_init(&b, 1000);
	CHECK_INT(parse_bytes("task exit(\"\0\")", 14, &b, &e), 0);
	buf_finish(&b);
}

/* Every byte at every place of a program: refused with a sentence, or read and printed again. */
TEST(hostile_bytes)
{
	static const char good[] = "# c\ntask exit([a, {1, \"t\\x41\"}], -2) ignore slot 3\n";

	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (int v = 0; v < 256; v++) {
			char text[sizeof(good)];
			struct text_error e;
			struct buf b, printed;

			memcpy(text, good, sizeof(good));
			text[at] = (char)v;
			buf_init(&b, 1000);
			buf_init(&printed, 1000);
			int r = parse_bytes(text, sizeof(good) - 1, &b, &e);
			CHECK(r == 0 || r == -EINVAL);
			if (r == -EINVAL) {
				CHECK(e.line >= 1 && e.line <= 3);
				CHECK(e.what[0] != '\0');
				CHECK(memchr(e.what, '\0', sizeof(e.what)) != NULL);
			} else {
				CHECK_INT(print(&b, &printed), 0);
			}
			buf_finish(&b);
			buf_finish(&printed);
		}
	}
}

TEST(every_byte_in_a_text)
{
	for (int v = 0; v < 256; v++) {
		unsigned char bytes[3] = { 'a', (unsigned char)v, '1' };
		struct buf program, text, again;
		struct text_error e;

		buf_init(&program, 1000);
		buf_init(&text, 1000);
		buf_init(&again, 1000);
		term_out_list(&program, 1);
		term_out_tuple(&program, 4);
		term_out_atom(&program, "task");
		term_out_int(&program, CALL_exit);
		term_out_tuple(&program, 1);
		term_out_binary(&program, bytes, 3);
		term_out_nil(&program);
		term_out_nil(&program);
		CHECK_INT(print(&program, &text), 0);
		for (size_t i = 0; i + 1 < text.len; i++)
			CHECK(text.data[i] >= 32 && text.data[i] != 127);
		CHECK_INT(parse_bytes((const char *)text.data, text.len, &again, &e), 0);
		CHECK_MEM(program.data, program.len, again.data, again.len);
		buf_finish(&program);
		buf_finish(&text);
		buf_finish(&again);
	}
}

/* --------------------------------------------------------- what has no text --- */

TEST(terms_without_a_text)
{
	static const struct {
		const char *why;
		size_t len;
		unsigned char bytes[40];
	} cases[] = {
		{ "not a list", 2, { 97, 1 } },
		{ "not an operation", 8, { 108, 0, 0, 0, 1, 97, 1, 106 } },
		{ "three parts",
		  21,
		  { 108, 0, 0, 0, 1, 104, 3, 119, 4, 't', 'a', 's', 'k', 97, 36, 104, 0, 106,
		    106 } },
		{ "unknown call",
		  19,
		  { 108, 0, 0, 0, 1, 104, 4, 119, 4, 't', 'a', 's', 'k', 97, 0, 104, 0, 106,
		    106 } },
		{ "arguments in a list",
		  18,
		  { 108, 0, 0, 0, 1, 104, 4, 119, 4, 't', 'a', 's', 'k', 97, 36, 106, 106, 106 } },
		{ "a string", 25, { 108, 0,  0,	 0,   1, 104, 4, 119, 4, 't', 'a', 's',
				    'k', 97, 22, 104, 1, 107, 0, 2,   1, 2,   106, 106 } },
		{ "an atom that is no word", 24, { 108, 0,   0,	  0,   1,   104, 4,  119,
						   4,	't', 'a', 's', 'k', 97,	 22, 104,
						   1,	119, 2,	  'a', '-', 106, 106 } },
		{ "an atom that begins with a digit", 24, { 108, 0,   0,   0,	1,   104, 4,  119,
							    4,	 't', 'a', 's', 'k', 97,  22, 104,
							    1,	 119, 2,   '1', 'a', 106, 106 } },
		{ "the empty atom", 21, { 108, 0,   0,	0,  1,	 104, 4,   119, 4,   't', 'a',
					  's', 'k', 97, 22, 104, 1,   119, 0,	106, 106 } },
		{ "another tail", 20, { 108, 0,	  0,   0,  1,  104, 4, 119, 4,	't',
					'a', 's', 'k', 97, 36, 104, 0, 106, 97, 1 } },
		{ "slot 64", 31, { 108, 0,  0,	 0,   1,   104, 4,  119, 4,   't', 'a', 's',
				   'k', 97, 36,	 104, 0,   108, 0,  0,	 0,   1,   104, 2,
				   119, 4,  's', 'l', 'o', 't', 97, 64,	 106, 106 } },
		{ "a number for an option", 26, { 108, 0,   0,	 0,   1,  104, 4,   119, 4,
						  't', 'a', 's', 'k', 97, 36,  104, 0,	 108,
						  0,   0,   0,	 1,   97, 1,   106, 106 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text;
		struct term_in in;

		buf_init(&text, 1000);
		term_in_init(&in, cases[i].bytes, cases[i].len);
		if (program_text_out(&in, &text) != -EBADMSG)
			tap_fail("%s is printed", cases[i].why);
		buf_finish(&text);
	}
}

/* What is printed is read: a negative number beyond 64 bits signed is no number of a program. */
TEST(numbers_below_the_least_integer)
{
	static const unsigned char below[] = { 108, 0,	 0,   0,  1,  104, 4, 119, 4,	't',
					       'a', 's', 'k', 97, 22, 104, 1, 110, 8,	1,
					       1,   0,	 0,   0,  0,  0,   0, 128, 106, 106 };
	struct buf text;
	struct term_in in;

	buf_init(&text, 1000);
	term_in_init(&in, below, sizeof(below));
	CHECK_INT(program_text_out(&in, &text), -EBADMSG);
	buf_finish(&text);
}

TEST(printing_cut_terms)
{
	static const char source[] =
		"task exit([a, {1, \"text\"}], -2) ignore slot 3\nafter getpid()\n";
	struct text_error e;
	struct buf b;

	buf_init(&b, 1000);
	CHECK_INT(parse_bytes(source, strlen(source), &b, &e), 0);
	for (size_t len = 0; len < b.len; len++) {
		unsigned char *copy = malloc(len > 0 ? len : 1);
		struct buf text;
		struct term_in in;

		CHECK(copy != NULL);
		memcpy(copy, b.data, len);
		buf_init(&text, 1000);
		term_in_init(&in, copy, len);
		CHECK_INT(program_text_out(&in, &text), -EBADMSG);
		buf_finish(&text);
		free(copy);
	}
	buf_finish(&b);
}

/* Too little room for the program ends with an error, and soon. */
TEST_T(little_room, 20)
{
	char source[2000] = "task exit(";
	struct text_error e;
	struct buf all;

	while (strlen(source) < 1500)
		strcat(source, "\"some text\", [1, 2], ");
	strcat(source, "0)");
	buf_init(&all, 10000);
	CHECK_INT(parse_bytes(source, strlen(source), &all, &e), 0);
	for (size_t cap = 0; cap <= all.len + 1; cap++) {
		char *mem = malloc(cap > 0 ? cap : 1);
		struct buf b;

		CHECK(mem != NULL);
		buf_init_fixed(&b, mem, cap);
		CHECK_INT(parse_bytes(source, strlen(source), &b, &e),
			  cap < all.len ? -EMSGSIZE : 0);
		if (cap >= all.len)
			CHECK_MEM(b.data, b.len, all.data, all.len);
		free(mem);
		if (cap > 0) {
			buf_init(&b, cap);
			CHECK_INT(parse_bytes(source, strlen(source), &b, &e),
				  cap < all.len ? -EMSGSIZE : 0);
			buf_finish(&b);
		}
	}
	buf_finish(&all);
}

/* ---------------------------------------------------------- round trips --- */

static const char first[] = "abcdefghijklmnopqrstuvwxyz_";
static const char later[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

static void random_term(struct buf *b, int depth)
{
	unsigned char bytes[64];
	uint32_t n = rnd(depth < 8 ? 6 : 4);

	if (n < 4 && rnd(4) == 0)
		n = 3;
	switch (n) {
	case 0:
		if (rnd(2))
			term_out_uint(b, rnd64() >> rnd(64));
		else
			term_out_int(b, -(int64_t)(rnd64() >> (1 + rnd(63))));
		break;
	case 1:
		n = 1 + rnd(20);
		bytes[0] = (unsigned char)first[rnd(27)];
		for (uint32_t i = 1; i < n; i++)
			bytes[i] = (unsigned char)later[rnd(37)];
		term_out_atom_slice(b, (struct slice){ bytes, n });
		break;
	case 2:
		n = rnd(64);
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)rnd(rnd(2) ? 256 : 128);
		term_out_binary(b, bytes, n);
		break;
	case 3:
		term_out_nil(b);
		break;
	case 4:
		n = rnd(100) == 0 ? 250 + rnd(10) : rnd(4);
		term_out_tuple(b, n);
		for (uint32_t i = 0; i < n; i++)
			random_term(b, n > 100 ? 8 : depth + 1);
		break;
	default:
		n = 1 + rnd(4);
		term_out_list(b, n);
		for (uint32_t i = 0; i < n; i++)
			random_term(b, depth + 1);
		term_out_nil(b);
	}
}

static const struct call *random_call(void)
{
	const struct call *c;

	do
		c = call_by_number(rnd(CALL_NUMBERS));
	while (c == NULL || !call_for_programs(c));
	return c;
}

static void random_op(struct buf *b)
{
	uint32_t argc = rnd(5);
	bool ignore = rnd(3) == 0;
	bool slot = rnd(3) == 0;

	term_out_tuple(b, 4);
	term_out_atom(b, place_name((enum place)rnd(PLACE_COUNT)));
	term_out_int(b, random_call()->number);
	term_out_tuple(b, argc);
	for (uint32_t i = 0; i < argc; i++)
		random_term(b, 1);
	term_out_list(b, (uint32_t)ignore + slot);
	if (ignore)
		term_out_atom(b, "ignore");
	if (slot) {
		term_out_tuple(b, 2);
		term_out_atom(b, "slot");
		term_out_int(b, rnd(PROGRAM_SLOTS));
	}
	if (ignore || slot)
		term_out_nil(b);
}

TEST(random_programs_come_back)
{
	for (uint64_t s = 1; s <= 2000; s++) {
		struct buf program, text, again;
		struct text_error e = { 0 };

		seed = s;
		uint32_t n = rnd(6);
		buf_init(&program, 1 << 20);
		buf_init(&text, 1 << 20);
		buf_init(&again, 1 << 20);
		term_out_list(&program, n);
		for (uint32_t i = 0; i < n; i++)
			random_op(&program);
		if (n > 0)
			term_out_nil(&program);
		CHECK_INT(program.err, 0);
		CHECK_INT(print(&program, &text), 0);
		CHECK_INT(text.err, 0);
		/* One line an operation. */
		uint32_t lines = 0;
		for (size_t i = 0; i < text.len; i++)
			lines += text.data[i] == '\n';
		CHECK_INT(lines, n);
		if (parse_bytes((const char *)text.data, text.len, &again, &e) != 0)
			tap_fail("seed %d: line %d: %s", (int)s, e.line, e.what);
		CHECK_MEM(program.data, program.len, again.data, again.len);
		buf_finish(&program);
		buf_finish(&text);
		buf_finish(&again);
	}
}

/* One operation alone is its line without the end. */
TEST(one_operation)
{
	for (uint64_t s = 1; s <= 200; s++) {
		struct buf op, list, line, all;
		struct term_in in;

		seed = s;
		buf_init(&op, 1 << 20);
		buf_init(&list, 1 << 20);
		buf_init(&line, 1 << 20);
		buf_init(&all, 1 << 20);
		random_op(&op);
		term_out_list(&list, 1);
		buf_append(&list, op.data, op.len);
		term_out_nil(&list);
		term_in_init(&in, op.data, op.len);
		CHECK_INT(program_op_text(&in, &line), 0);
		CHECK(in.p == in.end);
		buf_append_byte(&line, '\n');
		CHECK_INT(print(&list, &all), 0);
		CHECK_MEM(line.data, line.len, all.data, all.len);
		buf_finish(&op);
		buf_finish(&list);
		buf_finish(&line);
		buf_finish(&all);
	}
}
