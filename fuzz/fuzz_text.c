/* SPDX-License-Identifier: ISC */
/* Programs as text: refused with a place and a sentence, or printed so that they read the same. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(e) ((e) ? (void)0 : abort())

static int count_lines(const uint8_t *data, size_t size)
{
	int n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

/* With any room there is, the same bytes come or -EMSGSIZE. */
static void in_little_room(const uint8_t *data, size_t size, const struct buf *whole)
{
	size_t cap = whole->len * data[0] / 255;
	unsigned char *mem = malloc(cap + 1);
	struct text_error e;
	struct buf b;

	MUST(mem != NULL);
	mem[cap] = 0xa5;
	buf_init_fixed(&b, mem, cap);
	int r = program_text_in((const char *)data, size, &b, &e);
	MUST(mem[cap] == 0xa5);
	/* On the way more may be needed than is left at the end. */
	if (r == 0)
		MUST(b.len == whole->len && memcmp(b.data, whole->data, b.len) == 0);
	else
		MUST(r == -EMSGSIZE);
	free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf program, text, again;
	struct text_error e;
	struct term_in in;

	buf_init(&program, 1 << 24);
	memset(&e, 0xa5, sizeof(e));
	int r = program_text_in((const char *)data, size, &program, &e);
	MUST(memchr(e.what, 0, sizeof(e.what)) != NULL);
	if (r != 0) {
		MUST(r == -EINVAL);
		MUST(e.what[0] != 0 && strchr(e.what, '\n') == NULL);
		MUST(e.line >= 1 && e.line <= count_lines(data, size));
		MUST(program.len == 0);
		buf_finish(&program);
		return 0;
	}
	MUST(e.what[0] == 0);
	buf_init(&text, 1 << 24);
	buf_init(&again, 1 << 24);
	term_in_init(&in, program.data, program.len);
	MUST(term_in_skip(&in) == 0 && in.p == in.end);
	term_in_init(&in, program.data, program.len);
	MUST(program_text_out(&in, &text) == 0 && text.err == 0 && in.p == in.end);
	MUST(program_text_in((const char *)text.data, text.len, &again, &e) == 0);
	MUST(again.len == program.len && memcmp(again.data, program.data, program.len) == 0);
	if (size > 0)
		in_little_room(data, size, &program);
	buf_finish(&program);
	buf_finish(&text);
	buf_finish(&again);
	return 0;
}
