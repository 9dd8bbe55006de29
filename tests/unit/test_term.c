/* SPDX-License-Identifier: ISC */
/* wire/term_in.c and term_out.c: every tag, every border, and nothing read beyond the end. */
#include "tap.h"

#include "term.h"

#define P27 (INT64_C(1) << 27)

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

/* One node out of memory that ends exactly behind it, so that a sanitizer sees every step beyond;
 * how many bytes it took is left in ${used}. */
static int one(const void *data, size_t len, struct term *t, size_t *used)
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	struct term_in in;

	CHECK(exact != NULL);
	memcpy(exact, data, len);
	term_in_init(&in, exact, len);
	int r = term_in_next(&in, t);
	CHECK(in.p >= exact && in.p <= exact + len);
	*used = (size_t)(in.p - exact);
	if (r == 0 && t->bytes.data != NULL) {
		CHECK(t->bytes.data >= exact && t->bytes.data + t->bytes.len <= exact + len);
		/* The slice must still be usable after this copy is gone. */
		t->bytes.data = (const unsigned char *)data + (t->bytes.data - exact);
	}
	free(exact);
	return r;
}

static int skip(const void *data, size_t len, size_t *used)
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	struct term_in in;

	CHECK(exact != NULL);
	memcpy(exact, data, len);
	term_in_init(&in, exact, len);
	int r = term_in_skip(&in);
	CHECK(in.p >= exact && in.p <= exact + len);
	*used = (size_t)(in.p - exact);
	free(exact);
	return r;
}

#define BYTES(...)                                                                                 \
	(const unsigned char[]){ __VA_ARGS__ }, sizeof((const unsigned char[]){ __VA_ARGS__ })

/* ---------------------------------------------------------------- integers --- */

static const struct {
	int64_t value;
	size_t len;
	unsigned char bytes[12];
} integers[] = {
	{ 0, 2, { 97, 0 } },
	{ 1, 2, { 97, 1 } },
	{ 255, 2, { 97, 255 } },
	{ 256, 5, { 98, 0, 0, 1, 0 } },
	{ -1, 5, { 98, 255, 255, 255, 255 } },
	{ P27 - 1, 5, { 98, 7, 255, 255, 255 } },
	{ P27, 7, { 110, 4, 0, 0, 0, 0, 8 } },
	{ -P27, 5, { 98, 248, 0, 0, 0 } },
	{ -P27 - 1, 7, { 110, 4, 1, 1, 0, 0, 8 } },
	{ INT32_MAX, 7, { 110, 4, 0, 255, 255, 255, 127 } },
	{ INT32_MIN, 7, { 110, 4, 1, 0, 0, 0, 128 } },
	{ UINT32_MAX, 7, { 110, 4, 0, 255, 255, 255, 255 } },
	{ INT64_C(0x100000000), 8, { 110, 5, 0, 0, 0, 0, 0, 1 } },
	{ INT64_MAX, 11, { 110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 127 } },
	{ INT64_MIN, 11, { 110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 128 } },
	{ -INT64_MAX, 11, { 110, 8, 1, 255, 255, 255, 255, 255, 255, 255, 127 } },
};

TEST(integers_have_these_bytes)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		unsigned char mem[16];
		struct term_in in;
		struct buf b;
		int64_t v = 77;

		buf_init_fixed(&b, mem, sizeof(mem));
		term_out_int(&b, integers[i].value);
		CHECK_MEM(b.data, b.len, integers[i].bytes, integers[i].len);
		term_in_init(&in, b.data, b.len);
		CHECK_INT(term_in_int(&in, INT64_MIN, INT64_MAX, &v), 0);
		CHECK_INT(v, integers[i].value);
		CHECK(in.p == in.end);
	}
}

/* The tag of 32 bits goes to their end; what is beyond is written as ever. */
TEST(integers_of_32_bits)
{
	static const struct {
		int64_t value;
		unsigned char tag;
	} values[] = {
		{ 0, 97 }, { 255, 97 }, { 256, 98 }, { -1, 98 }, { 0x10000000, 98 }, { -0x10000000, 98 },
		{ INT32_MAX, 98 }, { INT32_MIN, 98 }, { (int64_t)INT32_MAX + 1, 110 },
		{ (int64_t)INT32_MIN - 1, 110 }, { INT64_MAX, 110 },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		unsigned char mem[16];
		struct term_in in;
		struct buf b;
		int64_t v = 77;

		buf_init_fixed(&b, mem, sizeof(mem));
		term_out_int32(&b, values[i].value);
		CHECK_INT(b.data[0], values[i].tag);
		term_in_init(&in, b.data, b.len);
		CHECK_INT(term_in_int(&in, INT64_MIN, INT64_MAX, &v), 0);
		CHECK_INT(v, values[i].value);
		CHECK(in.p == in.end);
	}
}

TEST(unsigned_integers_have_these_bytes)
{
	static const uint64_t values[] = { 0,	       255,	  256,
					   UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1,
					   UINT64_MAX };
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		term_out_uint(&b, values[i]);
	struct term_in in;
	term_in_init(&in, b.data, b.len);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct term_in again = in;
		uint64_t v = 77;

		if (values[i] > 0) {
			CHECK_INT(term_in_uint(&again, values[i] - 1, &v), -EBADMSG);
			CHECK_INT(v, 77);
		}
		CHECK_INT(term_in_uint(&in, values[i], &v), 0);
		CHECK(v == values[i]);
	}
	CHECK(in.p == in.end);
	static const unsigned char top[] = { 110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 255 };
	CHECK_MEM(b.data + b.len - sizeof(top), sizeof(top), top, sizeof(top));
	buf_finish(&b);
}

TEST(plain_integers_in)
{
	struct term t;
	size_t used;

	for (unsigned v = 0; v < 256; v++) {
		CHECK_INT(one(BYTES(97, (unsigned char)v), &t, &used), 0);
		CHECK_INT(t.kind, TERM_INT);
		CHECK(t.u == v && !t.negative && used == 2);
	}
	static const struct {
		unsigned char at[4];
		uint64_t u;
		bool negative;
	} wide[] = {
		{ { 0, 0, 0, 0 }, 0, false },
		{ { 0, 0, 0, 5 }, 5, false },
		{ { 0x7f, 0xff, 0xff, 0xff }, INT32_MAX, false },
		{ { 0x80, 0, 0, 0 }, UINT64_C(0x80000000), true },
		{ { 0xff, 0xff, 0xff, 0xff }, 1, true },
		{ { 0xff, 0xff, 0xff, 0 }, 256, true },
		{ { 1, 2, 3, 4 }, 0x01020304, false },
	};
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		const unsigned char *at = wide[i].at;

		CHECK_INT(one(BYTES(98, at[0], at[1], at[2], at[3]), &t, &used), 0);
		CHECK_INT(t.kind, TERM_INT);
		CHECK(t.u == wide[i].u && t.negative == wide[i].negative && used == 5);
	}
}

/* Both big forms with 0 to 20 digits: beyond the eighth only zeros stand for a 64-bit value. */
TEST(big_integers_in)
{
	for (size_t digits = 0; digits <= 20; digits++) {
		for (int form = 0; form < 2; form++) {
			for (unsigned char sign = 0; sign < 4; sign++) {
				unsigned char mem[32] = { form ? 111 : 110 };
				size_t at = form ? 4 : 1;
				struct term t = { .u = 99 };
				size_t used;

				mem[at] = (unsigned char)digits;
				mem[at + 1] = sign;
				for (size_t i = 0; i < digits && i < 8; i++)
					mem[at + 2 + i] = (unsigned char)(i + 1);
				uint64_t want = 0;
				for (size_t i = digits < 8 ? digits : 8; i-- > 0;)
					want = want << 8 | (i + 1);
				int r = one(mem, at + 2 + digits, &t, &used);
				CHECK_INT(r, sign > 1 ? -EBADMSG : 0);
				CHECK(t.u == (r == 0 ? want : 99));
				if (r == 0)
					CHECK(t.kind == TERM_INT && used == at + 2 + digits &&
					      t.negative == (sign == 1 && want != 0));
				/* One digit too few. */
				CHECK_INT(one(mem, at + 1 + digits, &t, &used), -EBADMSG);
				if (digits > 8) {
					mem[at + 1 + digits] = 1;
					CHECK_INT(one(mem, at + 2 + digits, &t, &used), -EBADMSG);
				}
			}
		}
	}
}

TEST(minus_zero_is_zero)
{
	struct term_in in;
	uint64_t u = 9;
	int64_t v = 9;

	static const unsigned char zero[] = { 110, 1, 1, 0, 111, 0, 0, 0, 0, 1 };
	term_in_init(&in, zero, sizeof(zero));
	CHECK_INT(term_in_uint(&in, 10, &u), 0);
	CHECK_INT(u, 0);
	CHECK_INT(term_in_int(&in, 0, 0, &v), 0);
	CHECK_INT(v, 0);
}

TEST(ranges)
{
	static const int64_t borders[] = {
		INT64_MIN, INT64_MIN + 1, INT32_MIN,	 -1,	   0, 1, 255,
		INT32_MAX, UINT32_MAX,	  INT64_MAX - 1, INT64_MAX
	};
	enum { N = sizeof(borders) / sizeof(borders[0]) };

	for (size_t i = 0; i < N; i++) {
		for (size_t lo = 0; lo < N; lo++) {
			for (size_t hi = lo; hi < N; hi++) {
				unsigned char mem[16];
				struct term_in in;
				struct buf b;
				int64_t v = 4711;

				buf_init_fixed(&b, mem, sizeof(mem));
				term_out_int(&b, borders[i]);
				term_in_init(&in, b.data, b.len);
				int r = term_in_int(&in, borders[lo], borders[hi], &v);
				CHECK_INT(r, i >= lo && i <= hi ? 0 : -EBADMSG);
				CHECK_INT(v, r == 0 ? borders[i] : 4711);
			}
		}
	}
}

TEST(int64_border_of_term_int)
{
	struct term t = { .kind = TERM_INT, .u = (uint64_t)INT64_MAX + 1 };
	int64_t v = 5;

	CHECK_INT(term_int(&t, &v), -ERANGE);
	t.negative = true;
	CHECK_INT(term_int(&t, &v), 0);
	CHECK_INT(v, INT64_MIN);
	t.u++;
	v = 5;
	CHECK_INT(term_int(&t, &v), -ERANGE);
	t.u = UINT64_MAX;
	CHECK_INT(term_int(&t, &v), -ERANGE);
	t = (struct term){ .kind = TERM_ATOM, .u = 1 };
	CHECK_INT(term_int(&t, &v), -ERANGE);
	CHECK_INT(v, 5);
}

TEST(negative_is_not_unsigned)
{
	struct term_in in;
	uint64_t u = 3;

	static const unsigned char minus[] = { 98, 255, 255, 255, 255 };
	term_in_init(&in, minus, sizeof(minus));
	CHECK_INT(term_in_uint(&in, UINT64_MAX, &u), -EBADMSG);
	CHECK_INT(u, 3);
}

/* ------------------------------------------------------------- tags, lengths --- */

/* The tags with bytes: how wide the length is and what they are. */
static const struct {
	unsigned char tag;
	unsigned char width;
	enum term_kind kind;
	uint32_t max;
} with_bytes[] = {
	{ 100, 2, TERM_ATOM, 1020 },	 { 118, 2, TERM_ATOM, 1020 },
	{ 115, 1, TERM_ATOM, 255 },	 { 119, 1, TERM_ATOM, 255 },
	{ 109, 4, TERM_BINARY, 100000 }, { 107, 2, TERM_STRING, 65535 },
};

static size_t head(unsigned char *mem, unsigned char tag, unsigned width, uint32_t n)
{
	mem[0] = tag;
	for (unsigned i = 0; i < width; i++)
		mem[1 + i] = (unsigned char)(n >> (8 * (width - 1 - i)));
	return 1 + width;
}

TEST(every_tag)
{
	for (unsigned tag = 0; tag < 256; tag++) {
		unsigned char mem[16] = { (unsigned char)tag };
		struct term t = { .kind = TERM_INT, .u = 4711 };
		size_t used;
		bool known = tag == 97 || tag == 98 || tag == 100 || (tag >= 104 && tag <= 111) ||
			     tag == 115 || tag == 118 || tag == 119;
		CHECK_INT(one(mem, sizeof(mem), &t, &used), known ? 0 : -EBADMSG);
		if (!known)
			CHECK(t.u == 4711);
		/* The tag alone is enough for NIL only. */
		CHECK_INT(one(mem, 1, &t, &used), tag == 106 ? 0 : -EBADMSG);
	}
	struct term t;
	size_t used;
	CHECK_INT(one("", 0, &t, &used), -EBADMSG);
	CHECK_INT(skip("", 0, &used), -EBADMSG);
}

TEST(every_length_off_by_one)
{
	static const uint32_t lengths[] = { 0,	  1,	2,    254,   255,   256,
					    1019, 1020, 1021, 65534, 65535, 65536 };
	unsigned char *mem = malloc(70000);

	CHECK(mem != NULL);
	for (size_t i = 0; i < sizeof(with_bytes) / sizeof(with_bytes[0]); i++) {
		for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
			unsigned width = with_bytes[i].width;
			uint32_t n = lengths[k];
			struct term t;
			size_t used;

			if (width < 4 && n >= 1u << (8 * width))
				continue;
			memset(mem, 'x', 70000);
			size_t at = head(mem, with_bytes[i].tag, width, n);
			int want = n <= with_bytes[i].max ? 0 : -EBADMSG;
			CHECK_INT(one(mem, at + n, &t, &used), want);
			if (want == 0) {
				CHECK_INT(t.kind, with_bytes[i].kind);
				CHECK_INT(t.bytes.len, n);
				CHECK(t.bytes.data == mem + at);
				CHECK_INT(used, at + n);
				/* A byte behind is left alone. */
				CHECK_INT(one(mem, at + n + 1, &t, &used), 0);
				CHECK_INT(used, at + n);
			}
			CHECK_INT(one(mem, at + n - 1, &t, &used), -EBADMSG);
			CHECK_INT(skip(mem, at + n - 1, &used), -EBADMSG);
		}
	}
	free(mem);
}

TEST(lengths_of_four_gigabytes)
{
	static const unsigned char tags[] = { 109, 111, 105, 108 };
	struct term t;
	size_t used;

	for (size_t i = 0; i < sizeof(tags); i++) {
		CHECK_INT(one(BYTES(tags[i], 255, 255, 255, 255, 0, 1, 2), &t, &used), -EBADMSG);
		CHECK_INT(one(BYTES(tags[i], 128, 0, 0, 0, 0, 1, 2), &t, &used), -EBADMSG);
		CHECK_INT(skip(BYTES(tags[i], 255, 255, 255, 255, 106, 106), &used), -EBADMSG);
	}
}

/* A count may be as large as the bytes that are left and no larger. */
TEST(counts_that_lie)
{
	static const struct {
		unsigned char tag;
		unsigned char width;
		enum term_kind kind;
	} containers[] = { { 104, 1, TERM_TUPLE }, { 105, 4, TERM_TUPLE }, { 108, 4, TERM_LIST } };

	for (size_t i = 0; i < 3; i++) {
		for (uint32_t n = 0; n <= 40; n++) {
			unsigned char mem[64];
			struct term t = { .n = 99 };
			size_t at = head(mem, containers[i].tag, containers[i].width, n);
			size_t used;

			memset(mem + at, 106, sizeof(mem) - at);
			CHECK_INT(one(mem, at + n, &t, &used), 0);
			CHECK_INT(t.kind, containers[i].kind);
			CHECK_INT(t.n, n);
			CHECK_INT(used, at);
			size_t whole = at + n + (containers[i].kind == TERM_LIST);
			CHECK_INT(skip(mem, whole, &used), 0);
			CHECK_INT(used, whole);
			CHECK_INT(skip(mem, whole - 1, &used), -EBADMSG);
			if (n > 0)
				CHECK_INT(one(mem, at + n - 1, &t, &used), -EBADMSG);
		}
	}
}

/* A term with every tag in it. */
static void sample(struct buf *b)
{
	term_out_tuple(b, 12);
	term_out_int(b, 7);
	term_out_int(b, -70000);
	term_out_int(b, INT64_MIN);
	term_out_uint(b, UINT64_MAX);
	term_out_atom(b, "atom");
	term_out_text(b, "text");
	term_out_list(b, 2);
	term_out_nil(b);
	term_out_tuple(b, 1);
	term_out_int(b, 300);
	term_out_nil(b);
	buf_append(b, "\x6f\0\0\0\x02\x01\x01\x02", 8);
	buf_append(b,
		   "\x64\0\x03"
		   "old",
		   6);
	buf_append(b,
		   "\x73\x03"
		   "old",
		   5);
	buf_append(b,
		   "\x76\0\x03"
		   "utf",
		   6);
	buf_append(b,
		   "\x6b\0\x03"
		   "str",
		   6);
}

TEST(truncation_at_every_byte)
{
	struct buf b;
	size_t used;

	buf_init(&b, 1000);
	sample(&b);
	CHECK_INT(b.err, 0);
	for (size_t len = 0; len < b.len; len++)
		CHECK_INT(skip(b.data, len, &used), -EBADMSG);
	CHECK_INT(skip(b.data, b.len, &used), 0);
	CHECK_INT(used, b.len);
	buf_append_byte(&b, 0);
	CHECK_INT(skip(b.data, b.len, &used), 0);
	CHECK_INT(used, b.len - 1);
	buf_finish(&b);
}

TEST(every_byte_changed)
{
	struct buf b;
	size_t used;

	buf_init(&b, 1000);
	sample(&b);
	for (size_t i = 0; i < b.len; i++) {
		unsigned char saved = b.data[i];

		for (unsigned v = 0; v < 256; v++) {
			b.data[i] = (unsigned char)v;
			int r = skip(b.data, b.len, &used);

			CHECK(r == 0 || r == -EBADMSG);
		}
		b.data[i] = saved;
	}
	buf_finish(&b);
}

/* Nesting costs no stack. */
TEST(deep)
{
	enum { DEEP = 2000000 };
	unsigned char *mem = malloc(DEEP * 2 + 1);
	size_t used;

	CHECK(mem != NULL);
	for (size_t i = 0; i < DEEP; i++) {
		mem[2 * i] = 104;
		mem[2 * i + 1] = 1;
	}
	mem[2 * DEEP] = 106;
	CHECK_INT(skip(mem, 2 * DEEP + 1, &used), 0);
	CHECK_INT(used, 2 * DEEP + 1);
	CHECK_INT(skip(mem, 2 * DEEP, &used), -EBADMSG);
	free(mem);
}

/* ---------------------------------------------------------------- lists --- */

TEST(list_tails)
{
	struct term_in in;
	uint32_t n = 9;
	int64_t v;

	static const unsigned char proper[] = { 108, 0, 0, 0, 1, 97, 5, 106 };
	term_in_init(&in, proper, sizeof(proper));
	CHECK_INT(term_in_list(&in, &n), 0);
	CHECK_INT(n, 1);
	CHECK_INT(term_in_int(&in, 5, 5, &v), 0);
	CHECK_INT(term_in_list_end(&in, n), 0);
	CHECK(in.p == in.end);

	static const unsigned char tails[][2] = {
		{ 97, 1 }, { 109, 0 }, { 104, 0 }, { 107, 0 }, { 0, 0 }
	};
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		unsigned char mem[9];

		memcpy(mem, proper, 7);
		memcpy(mem + 7, tails[i], 2);
		term_in_init(&in, mem, sizeof(mem));
		CHECK_INT(term_in_list(&in, &n), 0);
		CHECK_INT(term_in_int(&in, 5, 5, &v), 0);
		CHECK_INT(term_in_list_end(&in, n), -EBADMSG);
	}
	/* Without any tail. */
	term_in_init(&in, proper, sizeof(proper) - 1);
	CHECK_INT(term_in_list(&in, &n), 0);
	CHECK_INT(term_in_int(&in, 5, 5, &v), 0);
	CHECK_INT(term_in_list_end(&in, n), -EBADMSG);
	/* The empty list has none. */
	CHECK_INT(term_in_list_end(&in, 0), 0);
}

TEST(what_is_a_list)
{
	static const struct {
		unsigned char bytes[8];
		size_t len;
		int want;
		uint32_t n;
	} cases[] = {
		{ { 106 }, 1, 0, 0 },
		{ { 108, 0, 0, 0, 1, 106, 106 }, 7, 0, 1 },
		{ { 108, 0, 0, 0, 0, 106 }, 6, -EBADMSG, 0 }, /* a header without elements */
		{ { 107, 0, 1, 'x' }, 4, -EBADMSG, 0 },	      /* STRING */
		{ { 104, 0 }, 2, -EBADMSG, 0 },
		{ { 97, 0 }, 2, -EBADMSG, 0 },
		{ { 109, 0, 0, 0, 0 }, 5, -EBADMSG, 0 },
		{ { 108, 0, 0, 0, 3, 106, 106 }, 7, -EBADMSG, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct term_in in;
		uint32_t n = 0;

		term_in_init(&in, cases[i].bytes, cases[i].len);
		CHECK_INT(term_in_list(&in, &n), cases[i].want);
		if (cases[i].want == 0)
			CHECK_INT(n, cases[i].n);
	}
}

TEST(only_the_kind_asked_for)
{
	static const struct {
		unsigned char bytes[8];
		size_t len;
		enum term_kind kind;
	} cases[] = {
		{ { 97, 1 }, 2, TERM_INT },
		{ { 119, 1, 'a' }, 3, TERM_ATOM },
		{ { 109, 0, 0, 0, 1, 'b' }, 6, TERM_BINARY },
		{ { 107, 0, 1, 's' }, 4, TERM_STRING },
		{ { 106 }, 1, TERM_NIL },
		{ { 104, 1, 106 }, 3, TERM_TUPLE },
		{ { 108, 0, 0, 0, 1, 106, 106 }, 7, TERM_LIST },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum term_kind kind = cases[i].kind;
		struct slice s = { NULL, 42 };
		struct term_in in[6];
		uint64_t u = 42;
		int64_t v = 42;

		for (size_t k = 0; k < 6; k++)
			term_in_init(&in[k], cases[i].bytes, cases[i].len);
		CHECK_INT(term_in_atom(&in[0], &s), kind == TERM_ATOM ? 0 : -EBADMSG);
		CHECK_INT(s.len, kind == TERM_ATOM ? 1 : 42);
		s.len = 42;
		CHECK_INT(term_in_binary(&in[1], &s), kind == TERM_BINARY ? 0 : -EBADMSG);
		CHECK_INT(s.len, kind == TERM_BINARY ? 1 : 42);
		CHECK_INT(term_in_nil(&in[2]), kind == TERM_NIL ? 0 : -EBADMSG);
		CHECK_INT(term_in_tuple(&in[3], 1), kind == TERM_TUPLE ? 0 : -EBADMSG);
		CHECK_INT(term_in_int(&in[4], -5, 5, &v), kind == TERM_INT ? 0 : -EBADMSG);
		CHECK_INT(term_in_uint(&in[5], 5, &u), kind == TERM_INT ? 0 : -EBADMSG);
		CHECK_INT(v, kind == TERM_INT ? 1 : 42);
	}
}

TEST(tuple_arity)
{
	for (uint32_t n = 0; n <= 300; n++) {
		unsigned char mem[400];
		struct buf b;

		buf_init_fixed(&b, mem, sizeof(mem));
		term_out_tuple(&b, n);
		CHECK_INT(b.data[0], n <= 255 ? 104 : 105);
		for (uint32_t i = 0; i < n; i++)
			term_out_nil(&b);
		CHECK_INT(b.err, 0);
		for (uint32_t ask = n == 0 ? 0 : n - 1; ask <= n + 1; ask++) {
			struct term_in in;

			term_in_init(&in, b.data, b.len);
			CHECK_INT(term_in_tuple(&in, ask), ask == n ? 0 : -EBADMSG);
		}
	}
}

/* -------------------------------------------------------------- the rest --- */

TEST(version)
{
	struct term_in in;
	struct buf b;
	unsigned char mem[1];

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	CHECK_MEM(b.data, b.len, "\x83", 1);
	term_in_init(&in, mem, 1);
	CHECK_INT(term_in_version(&in), 0);
	CHECK_INT(term_in_version(&in), -EBADMSG);
	for (unsigned v = 0; v < 256; v++) {
		mem[0] = (unsigned char)v;
		term_in_init(&in, mem, 1);
		CHECK_INT(term_in_version(&in), v == 131 ? 0 : -EBADMSG);
	}
}

TEST(slices)
{
	struct slice s = { (const unsigned char *)"abcdef", 3 };

	CHECK(slice_is(s, "abc"));
	CHECK(!slice_is(s, "ab"));
	CHECK(!slice_is(s, "abcd"));
	CHECK(!slice_is(s, "abd"));
	CHECK(!slice_is(s, ""));
	s.len = 0;
	CHECK(slice_is(s, ""));
	CHECK(!slice_is(s, "a"));
	CHECK(!slice_is((struct slice){ (const unsigned char *)"a\0", 2 }, "a"));
}

TEST(output_bytes)
{
	struct buf b;

	buf_init(&b, 1000);
	term_out_atom(&b, "ok");
	term_out_binary(&b, "a\0b", 3);
	term_out_text(&b, "");
	term_out_list(&b, 0);
	term_out_list(&b, 0x01020304);
	term_out_tuple(&b, 0);
	term_out_tuple(&b, 0x01020304);
	static const unsigned char want[] = { 119, 2,	'o', 'k', 109, 0,   0, 0,   3,	 'a',
					      0,   'b', 109, 0,	  0,   0,   0, 106, 108, 1,
					      2,   3,	4,   104, 0,   105, 1, 2,   3,	 4 };
	CHECK_MEM(b.data, b.len, want, sizeof(want));
	buf_finish(&b);
}

TEST(atoms_have_at_most_255_bytes)
{
	char name[257];
	struct buf b;

	memset(name, 'a', 256);
	name[255] = '\0';
	buf_init(&b, 1000);
	term_out_atom(&b, name);
	CHECK_INT(b.err, 0);
	CHECK_INT(b.len, 257);
	name[255] = 'a';
	name[256] = '\0';
	term_out_atom(&b, name);
	CHECK_INT(b.err, EINVAL);
	CHECK_INT(b.len, 257);
	b.err = ENOMEM;
	term_out_atom(&b, name);
	CHECK_INT(b.err, ENOMEM);
	buf_finish(&b);
	/* A length that does not fit must not be cut down to one that does. */
	buf_init(&b, 1000);
	term_out_binary(&b, name, (size_t)UINT32_MAX + 5);
	CHECK_INT(b.err, EMSGSIZE);
	CHECK_INT(b.len, 0);
	buf_finish(&b);
}

TEST(output_without_room_sticks)
{
	struct buf all;

	buf_init(&all, 1000);
	sample(&all);
	for (size_t cap = 0; cap < all.len; cap++) {
		unsigned char *mem = malloc(cap > 0 ? cap : 1);
		struct buf b;

		CHECK(mem != NULL);
		buf_init_fixed(&b, mem, cap);
		sample(&b);
		CHECK_INT(b.err, EMSGSIZE);
		CHECK_MEM(b.data, b.len, all.data, b.len);
		free(mem);
	}
	buf_finish(&all);
}

/* ---------------------------------------------------------- round trips --- */

#define NODES 400

static struct term node[NODES];
static size_t n_nodes;
static unsigned char pool[256];

static void tree(struct buf *b, int depth)
{
	struct term *t = &node[n_nodes++];

	*t = (struct term){ .kind = (enum term_kind)rnd(depth > 6 || n_nodes > 200 ? 5 : 7) };
	t->bytes = (struct slice){ pool, rnd(4) == 0 ? rnd(256) : rnd(6) };
	t->n = rnd(6);
	switch (t->kind) {
	case TERM_INT:
		t->u = rnd64() >> rnd(64);
		t->negative = rnd(2) == 1 && t->u != 0 && t->u <= UINT64_C(1) << 63;
		if (t->negative)
			term_out_int(b, (int64_t)(~t->u + 1));
		else
			term_out_uint(b, t->u);
		break;
	case TERM_ATOM:
		term_out_atom_slice(b, t->bytes);
		break;
	case TERM_BINARY:
	case TERM_STRING:
		t->kind = TERM_BINARY;
		term_out_binary(b, t->bytes.data, t->bytes.len);
		break;
	case TERM_NIL:
		term_out_nil(b);
		break;
	case TERM_TUPLE:
		term_out_tuple(b, t->n);
		for (uint32_t i = 0; i < t->n; i++)
			tree(b, depth + 1);
		break;
	case TERM_LIST:
		t->n++;
		term_out_list(b, t->n);
		for (uint32_t i = 0; i < t->n; i++)
			tree(b, depth + 1);
		node[n_nodes++] = (struct term){ .kind = TERM_NIL };
		term_out_nil(b);
		break;
	}
}

TEST(random_round_trips)
{
	for (size_t i = 0; i < sizeof(pool); i++)
		pool[i] = (unsigned char)i;
	for (uint64_t s = 1; s <= 3000; s++) {
		struct term_in in;
		struct buf b;
		size_t used;

		seed = s;
		n_nodes = 0;
		buf_init(&b, 1 << 20);
		tree(&b, 0);
		CHECK_INT(b.err, 0);
		CHECK_INT(skip(b.data, b.len, &used), 0);
		CHECK_INT(used, b.len);
		CHECK_INT(skip(b.data, rnd((uint32_t)b.len), &used), -EBADMSG);
		term_in_init(&in, b.data, b.len);
		for (size_t i = 0; i < n_nodes; i++) {
			struct term t;

			CHECK_INT(term_in_next(&in, &t), 0);
			CHECK_INT(t.kind, node[i].kind);
			if (t.kind == TERM_INT)
				CHECK(t.u == node[i].u && t.negative == node[i].negative);
			if (t.kind == TERM_ATOM || t.kind == TERM_BINARY)
				CHECK_MEM(t.bytes.data, t.bytes.len, pool, node[i].bytes.len);
			if (t.kind == TERM_TUPLE || t.kind == TERM_LIST)
				CHECK_INT(t.n, node[i].n);
		}
		CHECK(in.p == in.end);
		buf_finish(&b);
	}
}
