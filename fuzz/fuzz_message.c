/* SPDX-License-Identifier: ISC */
/* Datagrams: the head, and its body as the options of a spawn and as the steps of a stop. */
#include "message.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(e) ((e) ? (void)0 : abort())

static void same_steps(const struct step *a, int na, const struct step *b, int nb)
{
	MUST(na == nb);
	for (int i = 0; i < na; i++)
		MUST(a[i].sig == b[i].sig && a[i].wait_ms == b[i].wait_ms);
}

static void sound_steps(const struct step *step, int n)
{
	MUST(n >= 1 && n <= STEPS_MAX);
	for (int i = 0; i < n; i++)
		MUST(step[i].sig >= 1 && step[i].sig < NSIG && step[i].wait_ms >= -1);
	MUST(step[n - 1].sig == SIGKILL && step[n - 1].wait_ms == -1);
}

static void steps(const uint8_t *data, size_t size)
{
	struct step step[STEPS_MAX], again[STEPS_MAX];
	struct term_in in;
	struct buf b;
	int n = 77, m;

	term_in_init(&in, data, size);
	int r = steps_in(&in, step, &n);
	MUST(in.p <= in.end);
	if (r != 0) {
		MUST(r == -EBADMSG && n == 77);
		return;
	}
	sound_steps(step, n);
	/* The last is the SIGKILL that reading adds. */
	buf_init(&b, 1 << 16);
	steps_out(&b, step, n - 1);
	term_in_init(&in, b.data, b.len);
	MUST(steps_in(&in, again, &m) == 0 && in.p == in.end);
	same_steps(step, n, again, m);
	buf_finish(&b);
}

static void options(const uint8_t *data, size_t size)
{
	struct spawn_options o = { .timeout_ms = 77 }, again;
	struct term_in in;
	struct buf b;

	term_in_init(&in, data, size);
	int r = spawn_options_in(&in, &o);
	MUST(in.p <= in.end);
	if (r != 0) {
		MUST(r == -EBADMSG && o.timeout_ms == 77);
		return;
	}
	MUST(o.timeout_ms >= 0 && o.group >= 0);
	sound_steps(o.stop, o.n_stop);
	buf_init(&b, 1 << 16);
	o.n_stop--;
	spawn_options_out(&b, &o);
	o.n_stop++;
	term_in_init(&in, b.data, b.len);
	MUST(spawn_options_in(&in, &again) == 0 && in.p == in.end);
	MUST(o.timeout_ms == again.timeout_ms && o.wait_tree == again.wait_tree &&
	     o.trace == again.trace && o.group == again.group);
	same_steps(o.stop, o.n_stop, again.stop, again.n_stop);
	buf_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = { .type = 77 }, again;
	unsigned char head[MESSAGE_HEAD_SIZE];

	int r = message_head_in(data, size, &m);
	if (r != 0) {
		MUST(r == -EBADMSG && m.type == 77);
	} else {
		message_head_out(&m, head);
		MUST(size >= sizeof(head) && memcmp(head, data, sizeof(head)) == 0);
		MUST(message_head_in(data, size, &again) == 0);
		MUST(again.type == m.type && again.flags == m.flags && again.id == m.id &&
		     again.body_len == m.body_len);
		if (m.flags & MESSAGE_FLAG_MEMFD)
			MUST(size == MESSAGE_HEAD_SIZE && m.body_len <= MESSAGE_BODY_MAX);
		else
			MUST(m.body_len == size - MESSAGE_HEAD_SIZE);
		MUST(message_head_in(data, size - 1, &again) != 0);
	}
	/* Also behind a wrong head, or a fuzzer would seldom come here. */
	if (size >= MESSAGE_HEAD_SIZE) {
		options(data + MESSAGE_HEAD_SIZE, size - MESSAGE_HEAD_SIZE);
		steps(data + MESSAGE_HEAD_SIZE, size - MESSAGE_HEAD_SIZE);
	}
	return 0;
}
