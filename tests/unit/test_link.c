/* SPDX-License-Identifier: ISC */
/* link/link.c: whole messages with their descriptors, and none of these left behind. */
#include "tap.h"

#include "fd.h"
#include "link.h"
#include "sys.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int pair[2];
static struct inbox in;
static int open_at_start;

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	CHECK(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void begin(void)
{
	open_at_start = count_fds();
	CHECK_INT(sys_socketpair(pair), 0);
}

static void end(void)
{
	fd_close(pair[0]);
	fd_close(pair[1]);
	CHECK_INT(count_fds(), open_at_start);
}

/* How many descriptors there are beyond the two sockets. */
static int extra_fds(void)
{
	return count_fds() - open_at_start - 2;
}

static void fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 31 + (i >> 8));
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	CHECK(fstat(a, &sa) == 0 && fstat(b, &sb) == 0);
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* A datagram from a peer that keeps to no rule. */
static int raw(const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec iov;

	iov.iov_len = len;
	memcpy(&iov.iov_base, &data, sizeof(data));
	return sys_send(pair[0], &iov, 1, fds, n_fds, true);
}

static int raw_memory(uint32_t body_len, const int *fds, size_t n_fds)
{
	struct message m = { MSG_SPAWN, MESSAGE_FLAG_MEMFD, 9, body_len };
	unsigned char head[MESSAGE_HEAD_SIZE];

	message_head_out(&m, head);
	return raw(head, sizeof(head), fds, n_fds);
}

TEST(small_messages)
{
	begin();
	CHECK_INT(link_recv(pair[1], &in, false), -EAGAIN);
	CHECK_INT(link_send(pair[0], MSG_HELLO, 0xfffffffe, "body", 4, NULL, 0, true), 0);
	CHECK_INT(link_send(pair[0], MSG_KILL, 2, NULL, 0, NULL, 0, false), 0);
	CHECK_INT(link_recv(pair[1], &in, true), 1);
	CHECK_INT(in.head.type, MSG_HELLO);
	CHECK_INT(in.head.id, 0xfffffffe);
	CHECK_INT(in.head.flags, 0);
	CHECK_MEM(in.body, in.head.body_len, "body", 4);
	CHECK_INT(in.n_fds, 0);
	CHECK_INT(in.sealed, -1);
	CHECK(in.map == NULL);
	link_release(&in);
	CHECK_INT(link_recv(pair[1], &in, false), 1);
	CHECK_INT(in.head.type, MSG_KILL);
	CHECK_INT(in.head.body_len, 0);
	link_release(&in);
	link_release(&in);
	CHECK_INT(link_recv(pair[1], &in, false), -EAGAIN);
	end();
}

/* At the border between a datagram and a memory file, and above. */
TEST(bodies_of_every_size)
{
	static const size_t sizes[] = { 0,
					1,
					MESSAGE_INLINE_MAX - 1,
					MESSAGE_INLINE_MAX,
					MESSAGE_INLINE_MAX + 1,
					100000,
					6 * 1024 * 1024,
					MESSAGE_BODY_MAX };
	unsigned char *body = malloc(MESSAGE_BODY_MAX + 1);

	CHECK(body != NULL);
	fill(body, MESSAGE_BODY_MAX + 1);
	begin();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool large = sizes[i] > MESSAGE_INLINE_MAX;

		CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, sizes[i], NULL, 0, true), 0);
		CHECK_INT(extra_fds(), 0);
		CHECK_INT(link_recv(pair[1], &in, true), 1);
		CHECK_MEM(in.body, in.head.body_len, body, sizes[i]);
		CHECK_INT(in.head.flags, large ? MESSAGE_FLAG_MEMFD : 0);
		CHECK_INT(in.sealed >= 0, large);
		CHECK_INT(in.n_fds, 0);
		CHECK_INT(extra_fds(), large);
		link_release(&in);
		CHECK_INT(extra_fds(), 0);
	}
	CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, MESSAGE_BODY_MAX + 1, NULL, 0, true),
		  -E2BIG);
	CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, SIZE_MAX, NULL, 0, true), -E2BIG);
	CHECK_INT(link_recv(pair[1], &in, false), -EAGAIN);
	end();
	free(body);
}

/* The receiver's mapping cannot be changed by the sender. */
TEST(large_bodies_are_sealed)
{
	static unsigned char body[MESSAGE_INLINE_MAX + 10];

	fill(body, sizeof(body));
	begin();
	CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, sizeof(body), NULL, 0, true), 0);
	CHECK_INT(link_recv(pair[1], &in, true), 1);
	CHECK_INT(pwrite(in.sealed, "x", 1, 0), -1);
	CHECK_INT(errno, EPERM);
	CHECK_INT(ftruncate(in.sealed, 0), -1);
	CHECK_INT(errno, EPERM);
	CHECK_INT(ftruncate(in.sealed, (off_t)sizeof(body) + 1), -1);
	CHECK_INT(fcntl(in.sealed, F_ADD_SEALS, F_SEAL_WRITE), -1);
	link_release(&in);
	end();
}

TEST(descriptors)
{
	static unsigned char body[MESSAGE_INLINE_MAX + 10];
	static const size_t sizes[] = { 3, sizeof(body) };
	int fds[MESSAGE_FDS_MAX + 1];

	begin();
	int here = open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	int null = open("/dev/null", O_RDONLY);
	CHECK(here >= 0 && null >= 0);
	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 0; n <= MESSAGE_FDS_MAX; n += n < 5 ? 1 : 49) {
			for (size_t k = 0; k < n; k++)
				fds[k] = k % 3 == 0 ? here : null;
			CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, sizes[i], fds, n, true),
				  0);
			CHECK_INT(extra_fds(), 2);
			CHECK_INT(link_recv(pair[1], &in, true), 1);
			CHECK_INT(in.n_fds, n);
			CHECK_INT(in.sealed >= 0, i == 1);
			CHECK_INT(extra_fds(), 2 + n + i);
			for (size_t k = 0; k < n; k++) {
				CHECK(same_file(in.fd[k], fds[k]));
				CHECK(fcntl(in.fd[k], F_GETFD) & FD_CLOEXEC);
			}
			/* A taken one is no longer the message's. */
			int taken = n > 1 ? fd_take(&in.fd[1]) : -1;
			link_release(&in);
			CHECK_INT(in.n_fds, 0);
			CHECK_INT(extra_fds(), 2 + (taken >= 0));
			if (taken >= 0)
				CHECK(same_file(taken, null));
			fd_close(taken);
		}
		for (size_t k = 0; k <= MESSAGE_FDS_MAX; k++)
			fds[k] = null;
		CHECK_INT(link_send(pair[0], MSG_SPAWN, 1, body, sizes[i], fds, MESSAGE_FDS_MAX + 1,
				    true),
			  -E2BIG);
		CHECK_INT(extra_fds(), 2);
	}
	fd_close(here);
	fd_close(null);
	end();
}

/* What a peer may not send leaves no descriptor behind, and the next message arrives. */
static void refused(int want)
{
	CHECK_INT(link_recv(pair[1], &in, false), want);
	CHECK_INT(extra_fds(), 0);
	CHECK_INT(link_send(pair[0], MSG_KILL, 1, NULL, 0, NULL, 0, true), 0);
	CHECK_INT(link_recv(pair[1], &in, false), 1);
	CHECK_INT(in.head.type, MSG_KILL);
	link_release(&in);
}

TEST(no_messages)
{
	static unsigned char mem[MESSAGE_DATAGRAM_MAX + 10];
	struct message m = { .type = MSG_KILL, .body_len = 4 };
	int fds[2] = { STDIN_FILENO, STDERR_FILENO };

	begin();
	for (size_t len = 1; len < MESSAGE_HEAD_SIZE + 10; len++) {
		message_head_out(&m, mem);
		if (len == MESSAGE_HEAD_SIZE + 4)
			continue;
		CHECK_INT(raw(mem, len, fds, 2), 0);
		refused(-EBADMSG);
	}
	/* The largest there can be, and a byte more. */
	m.body_len = MESSAGE_INLINE_MAX;
	message_head_out(&m, mem);
	CHECK_INT(raw(mem, MESSAGE_DATAGRAM_MAX, NULL, 0), 0);
	CHECK_INT(link_recv(pair[1], &in, false), 1);
	CHECK_INT(in.head.body_len, MESSAGE_INLINE_MAX);
	link_release(&in);
	m.body_len++;
	message_head_out(&m, mem);
	CHECK_INT(raw(mem, MESSAGE_DATAGRAM_MAX + 1, fds, 2), 0);
	refused(-EMSGSIZE);
	mem[0] ^= 1;
	CHECK_INT(raw(mem, MESSAGE_HEAD_SIZE, fds, 1), 0);
	refused(-EBADMSG);
	end();
}

/* More than a message may have: 250, and the memory file. */
TEST(too_many_descriptors)
{
	int fds[253];

	begin();
	for (size_t i = 0; i < 253; i++)
		fds[i] = STDIN_FILENO;
	struct message m = { .type = MSG_KILL };
	unsigned char head[MESSAGE_HEAD_SIZE];
	message_head_out(&m, head);
	for (size_t n = 252; n <= 253; n++) {
		CHECK_INT(raw(head, sizeof(head), fds, n), 0);
		refused(-EMFILE);
	}
	CHECK_INT(raw(head, sizeof(head), fds, 250), 0);
	CHECK_INT(link_recv(pair[1], &in, false), 1);
	CHECK_INT(in.n_fds, 250);
	link_release(&in);
	end();
}

/* Without a memory file 250 is the limit as well. */
TEST(one_descriptor_too_many)
{
	int fds[251];

	begin();
	for (size_t i = 0; i < 251; i++)
		fds[i] = STDIN_FILENO;
	struct message m = { .type = MSG_KILL };
	unsigned char head[MESSAGE_HEAD_SIZE];
	message_head_out(&m, head);
	CHECK_INT(raw(head, sizeof(head), fds, 251), 0);
	int r = link_recv(pair[1], &in, false);
	CHECK(r < 0);
	CHECK_INT(extra_fds(), 0);
	end();
}

/* An empty datagram looks like the end, but may carry descriptors. */
TEST(an_empty_datagram_leaves_nothing)
{
	int fds[3] = { STDIN_FILENO, STDERR_FILENO, STDIN_FILENO };

	begin();
	CHECK_INT(raw(NULL, 0, fds, 3), 0);
	CHECK(link_recv(pair[1], &in, false) <= 0);
	CHECK_INT(extra_fds(), 0);
	end();
}

/* -------------------------------------------------------- memory files --- */

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int memory(size_t len, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0);
	CHECK_INT(ftruncate(fd, (off_t)len), 0);
	if (seals != 0)
		CHECK_INT(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void refused_memory(uint32_t said, int fd, int want)
{
	int fds[2] = { fd, STDIN_FILENO };

	CHECK_INT(raw_memory(said, fds, 2), 0);
	fd_close(fd);
	refused(want);
}

TEST(memory_files_of_a_foreign_peer)
{
	begin();
	int fd = memory(50000, ALL_SEALS);
	CHECK_INT(raw_memory(50000, &fd, 1), 0);
	fd_close(fd);
	CHECK_INT(link_recv(pair[1], &in, false), 1);
	CHECK_INT(in.head.body_len, 50000);
	CHECK_INT(in.body[49999], 0);
	link_release(&in);

	/* Without any one of the seals. */
	refused_memory(50000, memory(50000, 0), -EBADMSG);
	refused_memory(50000, memory(50000, ALL_SEALS & ~F_SEAL_SEAL), -EBADMSG);
	refused_memory(50000, memory(50000, ALL_SEALS & ~F_SEAL_SHRINK), -EBADMSG);
	refused_memory(50000, memory(50000, ALL_SEALS & ~F_SEAL_GROW), -EBADMSG);
	refused_memory(50000, memory(50000, ALL_SEALS & ~F_SEAL_WRITE), -EBADMSG);
	/* Of another size than was said. */
	refused_memory(50000, memory(49999, ALL_SEALS), -EBADMSG);
	refused_memory(50000, memory(50001, ALL_SEALS), -EBADMSG);
	refused_memory(50000, memory(4096, ALL_SEALS), -EBADMSG);
	refused_memory(50000, memory(0, ALL_SEALS), -EBADMSG);
	refused_memory(0, memory(0, ALL_SEALS), -EBADMSG);
	refused_memory(MESSAGE_BODY_MAX + 1, memory(MESSAGE_BODY_MAX + 1, ALL_SEALS), -EBADMSG);
	/* Something else. */
	refused_memory(50000, open("/dev/null", O_RDONLY | O_CLOEXEC), -EBADMSG);
	refused_memory(50000, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), -EBADMSG);
	refused_memory(50000, open("/", O_RDONLY | O_CLOEXEC), -EBADMSG);
	/* Nothing at all. */
	CHECK_INT(raw_memory(50000, NULL, 0), 0);
	refused(-EBADMSG);
	end();
}

/* ------------------------------------------------------------ the rest --- */

TEST(end_of_file)
{
	begin();
	CHECK_INT(link_send(pair[0], MSG_KILL, 1, NULL, 0, NULL, 0, true), 0);
	pair[0] = fd_close(pair[0]);
	CHECK_INT(link_recv(pair[1], &in, true), 1);
	link_release(&in);
	CHECK_INT(link_recv(pair[1], &in, true), 0);
	CHECK_INT(link_recv(pair[1], &in, false), 0);
	CHECK_INT(link_send(pair[1], MSG_KILL, 1, NULL, 0, NULL, 0, true), -EPIPE);
	end();
}

/* A peer that ends with unread messages is an end and no error. */
TEST(end_with_unread_messages)
{
	begin();
	CHECK_INT(link_send(pair[1], MSG_KILL, 1, NULL, 0, NULL, 0, true), 0);
	pair[0] = fd_close(pair[0]);
	CHECK_INT(link_recv(pair[1], &in, true), 0);
	end();
}

TEST(a_full_queue)
{
	static unsigned char body[MESSAGE_INLINE_MAX + 10];
	int sent = 0, got = 0, r;

	begin();
	while ((r = link_send(pair[0], MSG_EXIT, (uint32_t)sent, body, sizeof(body), NULL, 0,
			      false)) == 0)
		CHECK(++sent < 100000);
	CHECK(r == -EAGAIN || r == -ETOOMANYREFS);
	CHECK(sent > 0);
	CHECK_INT(extra_fds(), 0);
	while (link_recv(pair[1], &in, false) == 1) {
		CHECK_INT(in.head.id, got++);
		link_release(&in);
	}
	CHECK_INT(got, sent);
	CHECK_INT(link_send(pair[0], MSG_EXIT, 0, body, sizeof(body), NULL, 0, false), 0);
	end();
}

TEST(forwarding)
{
	static unsigned char body[MESSAGE_INLINE_MAX + 10];
	static const size_t sizes[] = { 0, 100, MESSAGE_INLINE_MAX, sizeof(body) };
	int fds[MESSAGE_FDS_MAX];
	int start = count_fds();
	int on[2];

	fill(body, sizeof(body));
	CHECK_INT(sys_socketpair(on), 0);
	begin();
	for (size_t i = 0; i < 4; i++) {
		static struct inbox again;
		size_t n = i % 2 ? MESSAGE_FDS_MAX : 3;

		for (size_t k = 0; k < n; k++)
			fds[k] = STDIN_FILENO;
		CHECK_INT(link_send(pair[0], MSG_SPAWN, 7, body, sizes[i], fds, n, true), 0);
		CHECK_INT(link_recv(pair[1], &in, true), 1);
		CHECK_INT(link_forward(on[0], &in, true), 0);
		link_release(&in);
		CHECK_INT(link_recv(on[1], &again, true), 1);
		CHECK_INT(again.head.type, MSG_SPAWN);
		CHECK_INT(again.head.id, 7);
		CHECK_MEM(again.body, again.head.body_len, body, sizes[i]);
		CHECK_INT(again.n_fds, n);
		for (size_t k = 0; k < n; k++)
			CHECK(same_file(again.fd[k], STDIN_FILENO));
		link_release(&again);
		CHECK_INT(extra_fds(), 0);
	}
	end();
	fd_close(on[0]);
	fd_close(on[1]);
	CHECK_INT(count_fds(), start);
}

/* Messages keep apart and in order whatever their size. */
TEST(order)
{
	static unsigned char body[MESSAGE_INLINE_MAX * 2];

	begin();
	for (uint32_t i = 0; i < 300; i++) {
		size_t len = (i * 7919) % (i % 10 == 0 ? sizeof(body) : 200);

		memset(body, (int)(i & 0xff), len);
		CHECK_INT(link_send(pair[0], MSG_EXIT, i, body, len, NULL, 0, true), 0);
		CHECK_INT(link_send(pair[0], MSG_GONE, i, NULL, 0, NULL, 0, true), 0);
		CHECK_INT(link_recv(pair[1], &in, false), 1);
		CHECK(in.head.type == MSG_EXIT && in.head.id == i);
		CHECK_MEM(in.body, in.head.body_len, body, len);
		link_release(&in);
		CHECK_INT(link_recv(pair[1], &in, false), 1);
		CHECK(in.head.type == MSG_GONE && in.head.id == i);
		link_release(&in);
	}
	end();
}
