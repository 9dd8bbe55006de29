/* SPDX-License-Identifier: ISC */
/* base/buf.c: what is appended is there, and nothing ever grows beyond its cap. */
#include "tap.h"

#include "buf.h"


static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

TEST(empty)
{
	struct buf b;

	buf_init(&b, 1000);
	CHECK_INT(b.len, 0);
	CHECK_INT(b.err, 0);
	buf_append(&b, NULL, 0);
	buf_append_str(&b, "");
	CHECK_INT(b.len, 0);
	CHECK_INT(b.err, 0);
	buf_finish(&b);
	buf_finish(&b);
	buf_init_fixed(&b, NULL, 0);
	buf_append(&b, NULL, 0);
	CHECK_INT(b.err, 0);
	buf_append_byte(&b, 1);
	CHECK_INT(b.err, EMSGSIZE);
	buf_finish(&b);
}

TEST(appends)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_append(&b, "a\0b", 3);
	buf_append_str(&b, "text");
	buf_append_byte(&b, 0xff);
	buf_printf(&b, "%d-%s", 42, "x");
	CHECK_MEM(b.data, b.len,
		  "a\0btext\xff"
		  "42-x",
		  12);
	buf_finish(&b);
	CHECK_INT(b.len, 0);
	/* A finished buffer keeps its cap and can be used again. */
	buf_append_str(&b, "again");
	CHECK_MEM(b.data, b.len, "again", 5);
	buf_finish(&b);
}

TEST(printf_of_every_length)
{
	char text[601], want[602];

	for (size_t n = 0; n <= 600; n++) {
		struct buf b;

		memset(text, 'a' + (int)(n % 26), n);
		text[n] = '\0';
		snprintf(want, sizeof(want), "<%s", text);
		buf_init(&b, 700);
		buf_append_byte(&b, '<');
		buf_printf(&b, "%s", text);
		CHECK_INT(b.err, 0);
		CHECK_MEM(b.data, b.len, want, n + 1);
		buf_finish(&b);
	}
}

TEST(printf_writes_a_nul_of_its_own)
{
	struct buf b;

	buf_init(&b, 100);
	buf_printf(&b, "a%cb", 0);
	CHECK_MEM(b.data, b.len, "a\0b", 3);
	buf_finish(&b);
}

/* Byte by byte and at once, exactly the cap fits. */
TEST(every_cap_holds)
{
	static const char many[1200];

	for (size_t max = 1; max <= 600; max++) {
		struct buf b;

		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_append_byte(&b, (unsigned char)i);
		CHECK_INT(b.err, 0);
		CHECK_INT(b.len, max);
		CHECK(b.cap <= max);
		buf_append_byte(&b, 0);
		CHECK_INT(b.err, EMSGSIZE);
		CHECK_INT(b.len, max);
		for (size_t i = 0; i < max; i++)
			CHECK_INT(b.data[i], i & 0xff);
		buf_finish(&b);

		buf_init(&b, max);
		buf_append(&b, many, max);
		CHECK_INT(b.err, 0);
		buf_finish(&b);

		buf_init(&b, max);
		buf_append(&b, many, 1);
		buf_append(&b, many, max);
		CHECK_INT(b.err, EMSGSIZE);
		CHECK_INT(b.len, 1);
		buf_finish(&b);
	}
}

/* A small cap must neither be passed nor make growing an endless loop. */
TEST_T(small_cap_ends, 5)
{
	static const char many[1000];
	struct buf b;

	buf_init(&b, 10);
	buf_append(&b, many, 5);
	buf_append(&b, many, 100);
	buf_append(&b, many, 300);
	CHECK_INT(b.err, EMSGSIZE);
	CHECK_INT(b.len, 5);
	buf_finish(&b);
}

TEST(fixed_memory)
{
	for (size_t cap = 0; cap <= 40; cap++) {
		unsigned char mem[64];
		struct buf b;

		memset(mem, 0xa5, sizeof(mem));
		buf_init_fixed(&b, mem, cap);
		for (int i = 0; i < 60; i++)
			buf_append_byte(&b, 1);
		CHECK_INT(b.len, cap);
		CHECK_INT(b.err, EMSGSIZE);
		for (size_t i = 0; i < sizeof(mem); i++)
			CHECK_INT(mem[i], i < cap ? 1 : 0xa5);
		/* The memory is the caller's. */
		buf_finish(&b);
		CHECK(b.data == NULL);
	}
}

TEST(first_failure_sticks)
{
	char mem[8];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	buf_append_str(&b, "123");
	buf_append_str(&b, "456789");
	CHECK_INT(b.err, EMSGSIZE);
	buf_append_byte(&b, '4');
	buf_append(&b, NULL, 0);
	buf_printf(&b, "5");
	CHECK(buf_reserve(&b, 1) == NULL);
	CHECK_MEM(b.data, b.len, "123", 3);
	CHECK_INT(b.err, EMSGSIZE);
	b.err = ENOMEM;
	buf_append_str(&b, "456789");
	CHECK_INT(b.err, ENOMEM);
	buf_finish(&b);
	CHECK_INT(b.err, 0);
}

TEST(reserve_gives_room)
{
	struct buf b;

	buf_init(&b, 100000);
	for (size_t n = 1; n < 20000; n = n * 3 + 1) {
		unsigned char *p = buf_reserve(&b, n);

		CHECK(p == b.data + b.len);
		memset(p, 7, n);
		b.len += n;
	}
	for (size_t i = 0; i < b.len; i++)
		CHECK_INT(b.data[i], 7);
	CHECK(buf_reserve(&b, SIZE_MAX) == NULL);
	CHECK_INT(b.err, EMSGSIZE);
	buf_finish(&b);
}

TEST(no_memory)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	buf_append_str(&b, "kept");
	CHECK(buf_reserve(&b, SIZE_MAX / 4) == NULL);
	CHECK_INT(b.err, ENOMEM);
	CHECK_MEM(b.data, b.len, "kept", 4);
	buf_finish(&b);
}

TEST(steal)
{
	char mem[8];
	struct buf b;

	buf_init(&b, 100);
	char *text = buf_steal_text(&b);
	CHECK_STR(text, "");
	free(text);
	buf_append_str(&b, "mine");
	text = buf_steal_text(&b);
	CHECK_STR(text, "mine");
	CHECK_INT(b.len, 0);
	CHECK(b.data == NULL);
	buf_append_str(&b, "next");
	CHECK_STR(text, "mine");
	free(text);
	buf_finish(&b);

	/* No room for the NUL. */
	buf_init(&b, 300);
	for (int i = 0; i < 300; i++)
		buf_append_byte(&b, 'x');
	CHECK_INT(b.err, 0);
	CHECK(buf_steal_text(&b) == NULL);

	buf_init_fixed(&b, mem, sizeof(mem));
	buf_append_str(&b, "abc");
	CHECK(buf_steal_text(&b) == NULL);
}

TEST(random_against_model)
{
	enum { MAX = 5000 };
	static unsigned char model[MAX];
	unsigned char chunk[700];

	for (uint64_t round = 1; round <= 300; round++) {
		size_t max = 256 + rnd(MAX - 256);
		size_t len = 0;
		struct buf b;

		seed = round;
		buf_init(&b, max);
		while (len < max) {
			size_t n = rnd(sizeof(chunk));

			for (size_t i = 0; i < n; i++)
				chunk[i] = (unsigned char)rnd(256);
			buf_append(&b, chunk, n);
			if (n > max - len)
				break;
			memcpy(model + len, chunk, n);
			len += n;
			CHECK_INT(b.err, 0);
			CHECK_MEM(b.data, b.len, model, len);
		}
		CHECK_MEM(b.data, b.len, model, len);
		CHECK(b.cap <= max);
		buf_finish(&b);
	}
}
