/* SPDX-License-Identifier: ISC */
/*
 * liartask MODE SEED: what a task can become whose program was taken over: it has the task's own socket as
 * descriptor 3, and says to the host what it likes. MODE: junk, replies, fork, flood, fds, mute, gone.
 *
 * It ends with the connection, or after some seconds.
 */
#include "link.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HOST 3
#define SECONDS 20

static struct inbox in;
static uint64_t x;

static unsigned chance(unsigned n)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 11) % n;
}

/* A term of no sense, or of some. */
static void term(struct buf *b, int depth)
{
	static const char *const words[] = { "ok", "exit_status", "false", "sig_dfl", "" };
	unsigned n = chance(5);
	char bytes[200];

	switch (depth > 20 ? 0 : chance(9)) {
	case 0:
		term_out_int(b, (int64_t)x);
		break;
	case 1:
		term_out_int(b, (int64_t)chance(70000) - 1000);
		break;
	case 2:
		memset(bytes, (int)chance(256), sizeof(bytes));
		term_out_binary(b, bytes, chance(sizeof(bytes)));
		break;
	case 3:
		term_out_atom(b, words[chance(5)]);
		break;
	case 4:
	case 5:
		term_out_list(b, n);
		for (unsigned i = 0; i < n; i++)
			term(b, depth + 1);
		if (n > 0)
			term_out_nil(b);
		break;
	case 6:
		term_out_tuple(b, n);
		for (unsigned i = 0; i < n; i++)
			term(b, depth + 1);
		break;
	case 7:
		/* A count that is a lie. */
		term_out_list(b, n * 1000);
		break;
	default:
		term_out_nil(b);
	}
}

/* Descriptors that nobody asked for. */
static size_t some_fds(int *fd)
{
	static const char *const files[] = { "/dev/null", "/dev/zero", "/proc/self/exe", "/" };
	size_t n = chance(4);

	for (size_t i = 0; i < n; i++) {
		switch (chance(4)) {
		case 0:
			fd[i] = (int)syscall(SYS_pidfd_open, chance(2) ? getppid() : 1, 0);
			break;
		case 1:
			fd[i] = (int)syscall(SYS_memfd_create, "x", 0);
			break;
		default:
			fd[i] = open(files[chance(4)], O_RDONLY | O_CLOEXEC);
		}
		if (fd[i] == -1)
			fd[i] = dup(2);
	}
	return n;
}

static void send_body(int type, uint32_t id, const struct buf *b, const int *fd, size_t n)
{
	int r = link_send(HOST, (enum message_type)type, id, b->data, b->len, fd, n, true);

	if (r == -EPIPE)
		_exit(0);
}

static void reply(uint32_t id, const struct buf *b, const int *fd, size_t n)
{
	send_body(MSG_REPLY, id, b, fd, n);
}

static unsigned char mem[30000];

static struct buf *begin(void)
{
	static struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	return &b;
}

static struct buf *good(int64_t n)
{
	struct buf *b = begin();

	term_out_tuple(b, 3);
	term_out_int(b, 0);
	term_out_int(b, 0);
	term_out_int(b, n);
	return b;
}

static void child(pid_t pid, int status)
{
	struct buf *b = begin();

	term_out_tuple(b, 5);
	term_out_int(b, pid);
	term_out_int(b, status);
	for (int i = 0; i < 3; i++)
		term_out_uint(b, chance(2) ? UINT64_MAX : 5);
	send_body(MSG_CHILD, 0, b, NULL, 0);
}

static void signalled(void)
{
	struct buf *b = begin();
	siginfo_t info = { .si_signo = SIGUSR1 };

	term_out_tuple(b, 2);
	term_out_int(b, SIGUSR1);
	term_out_binary(b, &info, sizeof(info));
	send_body(MSG_SIGNALLED, 0, b, NULL, 0);
}

static void junk(void)
{
	unsigned char bytes[600];
	struct iovec iov = { bytes, 1 + chance(sizeof(bytes) - 1) };
	int fd[4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)chance(256);
	if (chance(2))
		memcpy(bytes, "carl\0\0\0", 7);
	size_t n = some_fds(fd);
	sys_send(HOST, &iov, 1, fd, n, false);
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
}

/* An answer in which something is changed. */
static void odd_reply(uint32_t id)
{
	struct buf *b = begin();
	int fd[4];
	size_t n = some_fds(fd);

	if (chance(4) == 0) {
		term(b, 0);
	} else {
		term_out_tuple(b, 3);
		term_out_int(b, chance(3) == 0 ? (int64_t)chance(5000) - 100 : 0);
		term_out_int(b, chance(9));
		term(b, 0);
	}
	if (b->err == 0)
		reply(chance(8) == 0 ? id + 1 : id, b, fd, n);
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
}

/* Somebody else as its child: the first process, the host, itself, a dead one, its own child that is not a task. */
static void odd_child(uint32_t id)
{
	pid_t who[] = { 1, getppid(), getpid(), 0 };
	unsigned i = chance(4);

	if (i == 3) {
		who[3] = fork();
		if (who[3] == 0) {
			pause();
			_exit(0);
		}
	}
	int fd = (int)syscall(SYS_pidfd_open, who[i], 0);
	reply(id, good(chance(3) == 0 ? (int64_t)x : who[i]), &fd, fd >= 0);
	close(fd);
	if (chance(2))
		child(who[i], 9);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	time_t end = time(NULL) + SECONDS;

	x = 88172645463325252U + (uint64_t)(argc > 2 ? atoi(argv[2]) : 1) * 7919;
	signal(SIGCHLD, SIG_IGN);
	while (time(NULL) < end) {
		struct pollfd p = { .fd = HOST, .events = POLLIN };
		int ready = poll(&p, 1, strcmp(mode, "flood") == 0 ? 0 : 1000);
		int r = ready > 0 ? link_recv(HOST, &in, false) : -EAGAIN;

		if (r == 0)
			return 0;
		if (strcmp(mode, "flood") == 0) {
			signalled();
			child((pid_t)(1 + chance(99999)), (int)chance(65536));
		}
		if (r != 1)
			continue;
		uint32_t id = in.head.id;
		link_release(&in);
		if (strcmp(mode, "junk") == 0)
			junk();
		else if (strcmp(mode, "replies") == 0)
			odd_reply(id);
		else if (strcmp(mode, "fork") == 0)
			odd_child(id);
		else if (strcmp(mode, "flood") == 0)
			reply(id, good(7), NULL, 0);
		else if (strcmp(mode, "gone") == 0)
			return (int)chance(3);
	}
	return 1;
}
