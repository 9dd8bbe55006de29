/* SPDX-License-Identifier: ISC */
/* Wrong helpers, and hosts that do not speak the protocol. */
#include "tap.h"

#include "link.h"
#include "bare.h"

#include <carrel.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static carrel_error e;

static void helper_fails(const char *text, int err, const char *part)
{
	char path[] = "/tmp/carrel-helper.XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) > 0);
	fchmod(fd, 0755);
	close(fd);
	carrel *c = carrel_open(&(carrel_config){ .size = sizeof(carrel_config), .helper = path }, &e);
	unlink(path);
	CHECK(c == NULL);
	CHECK_INT(errno, err);
	CHECK_INT((int)e.stage, CARREL_STAGE_HELPER);
	if (strstr(e.msg, part) == NULL)
		CHECK_STR(e.msg, part);
}

TEST(wrong_helpers)
{
	helper_fails("#!/bin/sh\nexit 0\n", EPROTO, "did not start");
	helper_fails("#!/bin/sh\nkill -9 $$\n", EPROTO, "did not start");
	helper_fails("#!/bin/sh\necho garbage >&0\n", EPROTO, "did not start");
	helper_fails("no program\n", ENOEXEC, "cannot start");
	CHECK(carrel_open(&(carrel_config){ .size = sizeof(carrel_config), .helper = "/no/such" }, &e) == NULL);
	CHECK_INT(e.err, ENOENT);
	CHECK(carrel_open(&(carrel_config){ .size = 999 }, &e) == NULL);
	CHECK_INT((int)e.stage, CARREL_STAGE_ARGS);
}

static void hello(int s)
{
	static struct inbox in;
	unsigned char mem[64];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, MESSAGE_PROTOCOL);
	term_out_nil(&b);
	CHECK_INT(link_send(s, MSG_HELLO, 0, b.data, b.len, NULL, 0, true), 0);
	CHECK_INT(link_recv(s, &in, true), 1);
	CHECK_INT(in.head.type, MSG_WELCOME);
	link_release(&in);
}

/* It says LOST, or nothing, and ends; all of it. */
static void ends(pid_t pid, int s)
{
	static struct inbox in;

	while (link_recv(s, &in, true) == 1) {
		CHECK(in.head.type == MSG_LOST || in.head.type == MSG_FAILED);
		link_release(&in);
	}
	close(s);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static void send_raw(int s, const void *p, size_t n)
{
	CHECK_INT(sys_send(s, &(struct iovec){ (void *)(uintptr_t)p, n }, 1, NULL, 0, true), 0);
}

TEST_T(hostile_hosts, 120)
{
	static unsigned char mem[MESSAGE_DATAGRAM_MAX + 100];
	unsigned seed = 12345;

	for (int greeted = 0; greeted < 2; greeted++) {
		for (int kind = 0; kind < 40; kind++) {
			int s;
			pid_t pid = control_start(&s);
			struct message m = { .type = (uint16_t)(kind % 8), .id = 1, .body_len = 20 };
			size_t n = MESSAGE_HEAD_SIZE + 20;

			if (greeted)
				hello(s);
			for (size_t i = 0; i < sizeof(mem); i++)
				mem[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
			message_head_out(&m, mem);
			switch (kind / 8) {
			case 0: /* garbage */
				mem[0] ^= 1;
				break;
			case 1: /* short */
				n = (size_t)kind;
				break;
			case 2: /* longer than any */
				n = sizeof(mem);
				break;
			case 3: /* a length that lies */
				m.body_len = 21;
				message_head_out(&m, mem);
				break;
			default: /* a body that is no term */
				break;
			}
			if (n > 0)
				send_raw(s, mem, n);
			shutdown(s, SHUT_WR);
			ends(pid, s);
		}
	}
}

/* A request to spawn with these Options, FdNames, Environment and Program as they are. */
static void spawn_bytes(int s, uint32_t id, const struct buf *b, const int *fds, size_t n)
{
	CHECK_INT(link_send(s, MSG_SPAWN, id, b->data, b->len, fds, n, true), 0);
}

static int answer(int s, int *ret_err)
{
	static struct inbox in;
	struct term_in t;
	int64_t stage, err;

	CHECK_INT(link_recv(s, &in, true), 1);
	int type = in.head.type;
	if (type == MSG_FAILED) {
		term_in_init(&t, in.body, in.head.body_len);
		CHECK(term_in_version(&t) == 0 && term_in_tuple(&t, 5) == 0 && term_in_int(&t, 0, 99, &stage) == 0 &&
		      term_in_int(&t, 0, 4096, &err) == 0);
		*ret_err = (int)err;
	}
	link_release(&in);
	return type;
}

static void out_spawn(struct buf *b, uint32_t names, uint32_t ops)
{
	struct spawn_options o = { .n_stop = 0 };

	term_out_version(b);
	term_out_tuple(b, 4);
	spawn_options_out(b, &o);
	term_out_list(b, names);
	for (uint32_t i = 0; i < names; i++)
		term_out_int(b, i);
	if (names > 0)
		term_out_nil(b);
	term_out_list(b, 0);
	term_out_list(b, ops);
	for (uint32_t i = 0; i < ops; i++)
		term_out_nil(b);
	if (ops > 0)
		term_out_nil(b);
}

TEST(hostile_spawns_are_refused_and_others_go_on)
{
	int s, err = 0;
	pid_t pid = control_start(&s);
	struct buf b;
	int fds[2];

	CHECK(pipe(fds) == 0);
	hello(s);
	buf_init(&b, 1 << 20);
	/* Operations that are none; names without descriptors; descriptors without names. */
	out_spawn(&b, 0, 3);
	spawn_bytes(s, 1, &b, NULL, 0);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	CHECK_INT(err, EBADMSG);
	b.len = 0;
	out_spawn(&b, 3, 0);
	spawn_bytes(s, 2, &b, NULL, 0);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	CHECK_INT(err, EBADMSG);
	b.len = 0;
	out_spawn(&b, 0, 0);
	spawn_bytes(s, 3, &b, fds, 2);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	/* Nothing to execute. */
	spawn_bytes(s, 4, &b, NULL, 0);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	CHECK_INT(err, EINVAL);
	/* A program far too long. */
	b.len = 0;
	out_spawn(&b, 0, 100000);
	spawn_bytes(s, 5, &b, NULL, 0);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	/* What is said of streams that do not exist harms nobody. */
	for (uint32_t id = 0; id < 50; id++) {
		static const unsigned char nil[] = { 131, 106 };

		CHECK_INT(link_send(s, MSG_KILL, id, nil, sizeof(nil), NULL, 0, true), 0);
		CHECK_INT(link_send(s, MSG_STOP, id, nil, sizeof(nil), NULL, 0, true), 0);
	}
	b.len = 0;
	out_spawn(&b, 0, 0);
	spawn_bytes(s, 6, &b, NULL, 0);
	CHECK_INT(answer(s, &err), MSG_FAILED);
	/* A memory file that is not sealed could change under us. */
	int memory = memfd_create("x", 0);
	unsigned char head[MESSAGE_HEAD_SIZE];
	message_head_out(&(struct message){ .type = MSG_SPAWN, .flags = MESSAGE_FLAG_MEMFD, .id = 7, .body_len = 10 },
			 head);
	CHECK(ftruncate(memory, 10) == 0);
	CHECK_INT(sys_send(s, &(struct iovec){ head, sizeof(head) }, 1, &memory, 1, true), 0);
	ends(pid, s);
	buf_finish(&b);
	close(memory);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_large_request_does_not_end_a_locked_supervisor)
{
	static char big[100000];
	carrel *c = carrel_open(NULL, &e);
	carrel_result r;

	memset(big, 'x', sizeof(big) - 1);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("echo", big)), &r, &e), 0);
	CHECK_INT((long long)r.out_len, (long long)sizeof(big));
	carrel_result_free(&r);
	carrel_close(c);
}
