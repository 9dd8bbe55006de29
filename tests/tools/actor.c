/* SPDX-License-Identifier: ISC */
/*
 * actor SEED WORD...: does what the words say, in their order, and exits with 0 behind the last.
 *
 *	oN eN	write N bytes of the seed's pattern to stdout, stderr, in one write(2) if it takes them
 *	rN R	read N bytes of stdin, or up to its end; R: up to its end
 *	co ce ci  close stdout, stderr, stdin
 *	do de	go on with a duplicate of stdout, stderr
 *	sN	sleep for N ms
 *	f( .. )	fork a child for the words in between and wait for it
 *	b( .. )	the same without waiting
 *	x	execute itself with the rest of the words
 *	n	begin a new session
 *	i	ignore SIGTERM
 *	g	give a duplicate of stdout to a stranger, by the socket on descriptor 8
 *	kN	end by signal N
 *	qN	exit with N
 *
 * Descriptor 9 is a memory file with a struct pattern_log, by which all processes of one actor write
 * one stream, and its reader knows what there was. Without it the actor keeps one for itself.
 */
#include "../pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ONE_WRITE ((1 << 20) + 1)

static struct pattern_log *the_log;
static uint64_t seed;
static const char *seed_text;
static unsigned char mem[ONE_WRITE];

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
}

/* Processes of one actor take turns at a stream; the kernel lets go of what a dead one held. */
static void turn(int stream, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = stream, .l_len = 1 };

	while (fcntl(PATTERN_LOG, F_SETLKW, &lock) == -1 && errno == EINTR)
		continue;
}

/* The stream, or the duplicate that took its place; -1 when it was closed. */
static int fd_of(int stream)
{
	if (fcntl(stream, F_GETFD) != -1)
		return stream;
	return fcntl(stream + 10, F_GETFD) != -1 ? stream + 10 : -1;
}

static void write_bytes(int stream, uint64_t n)
{
	int fd = fd_of(stream);

	if (fd == -1)
		return;
	turn(stream, F_WRLCK);
	/* Another one was killed within its write: nobody knows any more where the stream is. */
	if (atomic_load(&the_log->want[stream]) != atomic_load(&the_log->done[stream]))
		_exit(90);
	while (n > 0) {
		uint64_t at = atomic_load(&the_log->done[stream]);
		size_t part = n < ONE_WRITE ? (size_t)n : ONE_WRITE;

		pattern_fill(seed, stream, at, mem, part);
		atomic_store(&the_log->want[stream], at + part);
		ssize_t w = write(fd, mem, part);
		if (w == -1)
			_exit(errno == EPIPE ? 91 : 92);
		atomic_store(&the_log->done[stream], at + (uint64_t)w);
		atomic_store(&the_log->want[stream], at + (uint64_t)w);
		n -= (uint64_t)w;
	}
	turn(stream, F_UNLCK);
}

static void read_bytes(uint64_t n)
{
	int fd = fd_of(0);

	if (fd == -1)
		return;
	turn(0, F_WRLCK);
	/* As in write_bytes(): another one was killed with bytes that it did not count. */
	if (atomic_load(&the_log->want[0]) != atomic_load(&the_log->done[0]))
		_exit(90);
	while (n > 0) {
		uint64_t at = atomic_load(&the_log->done[0]);

		atomic_store(&the_log->want[0], at + 1);
		ssize_t r = read(fd, mem, n < ONE_WRITE ? (size_t)n : ONE_WRITE);

		if (r <= 0) {
			atomic_store(&the_log->ended, 1);
			atomic_store(&the_log->want[0], at);
			break;
		}
		if (pattern_differs(seed, 0, at, mem, (size_t)r) != -1)
			atomic_store(&the_log->wrong, 1);
		atomic_store(&the_log->done[0], at + (uint64_t)r);
		atomic_store(&the_log->want[0], at + (uint64_t)r);
		n -= (uint64_t)r;
	}
	turn(0, F_UNLCK);
}

static void duplicate(int stream)
{
	if (fcntl(stream, F_GETFD) != -1 && dup2(stream, stream + 10) != -1)
		close(stream);
}

static void give_to_stranger(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { (char[]){ 'g' }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	int fd = fd_of(1);

	if (fd == -1)
		return;
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(PATTERN_STRANGER, &m, MSG_NOSIGNAL) != 1)
		_exit(93);
}

static void execute(char **words)
{
	char *argv[256] = { (char[]){ "actor" }, strdup(seed_text) };
	int n = 2;

	while (*words != NULL && n < 255)
		argv[n++] = *words++;
	execv("/proc/self/exe", argv);
	_exit(94);
}

static void die(int sig)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(sig, SIG_DFL);
	raise(sig);
	_exit(95);
}

/* The word behind the one that closes what ${words} is inside of; that one becomes the end. */
static char **cut(char **words)
{
	int depth = 1;

	for (; *words != NULL; words++) {
		size_t len = strlen(*words);

		depth += len == 2 && (*words)[1] == '(';
		depth -= strcmp(*words, ")") == 0;
		if (depth == 0) {
			*words = NULL;
			return words + 1;
		}
	}
	_exit(96);
}

static void play(char **words);

static char **branch(char **words, int waits)
{
	char **rest = cut(words);
	pid_t pid = fork();

	if (pid == -1)
		_exit(97);
	if (pid == 0) {
		play(words);
		_exit(0);
	}
	if (waits) {
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	return rest;
}

static void play(char **words)
{
	while (*words != NULL) {
		char *w = *words++;
		unsigned long n = w[0] != 0 ? strtoul(w + 1, NULL, 10) : 0;
		int stream = w[0] != 0 && w[1] == 'e' ? 2 : w[0] != 0 && w[1] == 'o';

		switch (w[0]) {
		case 'o': write_bytes(1, n); break;
		case 'e': write_bytes(2, n); break;
		case 'r': read_bytes(n); break;
		case 'R': read_bytes(UINT64_MAX); break;
		case 'c': close(fd_of(stream)); break;
		case 'd': duplicate(stream); break;
		case 's': sleep_ms((long)n); break;
		case 'f': words = branch(words, 1); break;
		case 'b': words = branch(words, 0); break;
		case 'x': execute(words); break;
		case 'n': setsid(); break;
		case 'i': signal(SIGTERM, SIG_IGN); break;
		case 'g': give_to_stranger(); break;
		case 'k': die((int)n); break;
		case 'q': _exit((int)n);
		default: _exit(98);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		puts("usage: actor SEED WORD...; the words are explained in actor.c");
		return argc < 2 ? 2 : 0;
	}
	/* Where nobody keeps the log. */
	if (fcntl(PATTERN_LOG, F_GETFD) == -1) {
		int fd = memfd_create("log", 0);

		if (fd == -1 || ftruncate(fd, sizeof(*the_log)) == -1 || dup2(fd, PATTERN_LOG) == -1)
			return 99;
		if (fd != PATTERN_LOG)
			close(fd);
	}
	the_log = mmap(NULL, sizeof(*the_log), PROT_READ | PROT_WRITE, MAP_SHARED, PATTERN_LOG, 0);
	if (the_log == MAP_FAILED)
		return 99;
	seed_text = argv[1];
	seed = strtoull(argv[1], NULL, 10);
	play(argv + 2);
	return 0;
}
