/* SPDX-License-Identifier: ISC */
/*
 * fakehelper MODE: a control process that is none. Tests name a script `#!.../fakehelper MODE` as the
 * helper, since a helper gets no environment. It greets, answers the first request to spawn as MODE says,
 * and ends with the connection, or after a few seconds.
 *
 * fakehelper list: prints every MODE. fakehelper mitm:SEED:host|helper:PROGRAM: the real PROGRAM, with
 * something changed in what the host or the helper says.
 */
#include "link.h"
#include "sys.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST 0		/* the socket to the library */

static struct inbox in;
static uint32_t id;	/* of the request to spawn */

/* ---- what a helper says ---- */

static void say_to(uint32_t to, int type, const struct buf *b)
{
	link_send(HOST, (enum message_type)type, to, b->data, b->len, NULL, 0, true);
}

static void say(int type, const struct buf *b)
{
	say_to(id, type, b);
}

static unsigned char mem[20000];

static struct buf *body(void)
{
	static struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	return &b;
}

static void welcome(int64_t protocol)
{
	struct buf *b = body();

	term_out_tuple(b, 2);
	term_out_int(b, protocol);
	term_out_list(b, 1);
	term_out_tuple(b, 2);
	term_out_atom(b, "guard");
	term_out_int(b, getpid());
	term_out_nil(b);
	say_to(0, MSG_WELCOME, b);
}

static void started(uint32_t results)
{
	struct buf *b = body();

	term_out_tuple(b, 3);
	term_out_int(b, getpid());
	term_out_int(b, getppid());
	term_out_list(b, results);
	for (uint32_t i = 0; i < results; i++) {
		term_out_tuple(b, 2);
		term_out_int(b, 250 - (int)i);
		term_out_int(b, INT64_MAX);
	}
	if (results > 0)
		term_out_nil(b);
	say(MSG_STARTED, b);
}

static void failed(int64_t stage, int64_t err, int64_t index, size_t text)
{
	static char long_text[2000];
	struct buf *b = body();

	memset(long_text, 'x', sizeof(long_text));
	term_out_tuple(b, 4);
	term_out_int(b, stage);
	term_out_int(b, err);
	term_out_int(b, index);
	term_out_binary(b, long_text, text);
	say(MSG_FAILED, b);
}

static void word(int type, int64_t value)
{
	struct buf *b = body();

	term_out_int(b, value);
	say(type, b);
}

static void lost(size_t text)
{
	static char long_text[5000];
	struct buf *b = body();

	memset(long_text, '\033', sizeof(long_text));
	term_out_binary(b, long_text, text);
	say_to(0, MSG_LOST, b);
}

static void ended(int64_t status)
{
	struct buf *b = body();

	term_out_tuple(b, 4);
	term_out_int(b, status);
	for (int i = 0; i < 3; i++)
		term_out_int(b, 7);
	say(MSG_EXIT, b);
}

static void gone(int64_t cause, uint64_t count, uint32_t found, size_t name)
{
	struct buf *b = body();

	term_out_tuple(b, 8);
	term_out_int(b, 0);
	term_out_int(b, cause);
	for (int i = 0; i < 4; i++)
		term_out_int(b, 7);
	term_out_uint(b, count);
	term_out_list(b, found);
	for (uint32_t i = 0; i < found; i++) {
		term_out_tuple(b, 2);
		term_out_int(b, 1);
		term_out_binary(b, "0123456789012345678901234567890", name);
	}
	if (found > 0)
		term_out_nil(b);
	say(MSG_GONE, b);
}

/* ---- what none says ---- */

static void raw(const void *p, size_t n, const int *fds, size_t n_fds)
{
	sys_send(HOST, &(struct iovec){ (void *)(uintptr_t)p, n }, 1, fds, n_fds, true);
}

/* A head of our own making and ${n} bytes in all. */
static void raw_head(uint32_t body_len, uint8_t flags, size_t n, const int *fds, size_t n_fds)
{
	static unsigned char datagram[50000];
	struct message m = { .type = MSG_STARTED, .flags = flags, .id = id, .body_len = body_len };

	message_head_out(&m, datagram);
	raw(datagram, n, fds, n_fds);
}

static void descriptors(size_t n)
{
	int fds[253];
	struct buf *b = body();
	unsigned char datagram[200];
	struct message m = { .type = MSG_STOPPED, .id = id };

	for (size_t i = 0; i < n; i++)
		fds[i] = HOST;
	started(0);
	term_out_int(b, SIGSTOP);
	m.body_len = (uint32_t)b->len;
	message_head_out(&m, datagram);
	memcpy(datagram + MESSAGE_HEAD_SIZE, b->data, b->len);
	raw(datagram, MESSAGE_HEAD_SIZE + b->len, fds, n);
}

/* A memory file of ${real} bytes that claims to have ${claimed}. */
static void memory(size_t real, uint32_t claimed, int seals)
{
	int fd = memfd_create("x", MFD_ALLOW_SEALING);

	if (fd == -1 || ftruncate(fd, (off_t)real) == -1)
		_exit(3);
	fcntl(fd, F_ADD_SEALS, seals);
	raw_head(claimed, MESSAGE_FLAG_MEMFD, MESSAGE_HEAD_SIZE, &fd, 1);
	close(fd);
}

static void pipe_as_memory(void)
{
	int fds[2];

	if (pipe(fds) == -1)
		_exit(3);
	raw_head(10, MESSAGE_FLAG_MEMFD, MESSAGE_HEAD_SIZE, fds, 1);
}

static void garbage(void)
{
	struct buf *b = body();

	for (int i = 0; i < 300; i++)
		buf_append_byte(b, (unsigned char)(i * 181 >> 3));
	say(MSG_STARTED, b);
}

static void nested(int type)
{
	struct buf *b = body();

	for (int i = 0; i < 3000; i++)
		term_out_tuple(b, 1);
	say(type, b);
}

static void endless_list(int type)
{
	struct buf *b = body();

	term_out_tuple(b, type == MSG_STARTED ? 3 : 2);
	for (int i = 0; i < 1 + (type == MSG_STARTED); i++)
		term_out_int(b, 1);
	term_out_list(b, UINT32_MAX);
	say(type, b);
}

static void chatter(void)
{
	started(0);
	for (int i = 0; i < 1000; i++) {
		word(MSG_STOPPED, SIGTSTP);
		struct buf *b = body();

		term_out_nil(b);
		say(MSG_CONTINUED, b);
	}
	gone(0, 0, 0, 0);
}

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* ---- the modes ---- */

static void at_hello_protocol(void) { welcome(999); }
static void at_hello_quit(void) { _exit(0); }
static void at_hello_kill(void) { raise(SIGKILL); }
static void at_hello_lost(void) { lost(20), _exit(0); }
static void at_hello_twice(void) { welcome(MESSAGE_PROTOCOL), welcome(MESSAGE_PROTOCOL); }
static void at_hello_endless(void) { endless_list(MSG_WELCOME); }
static void at_hello_nested(void) { nested(MSG_WELCOME); }
static void at_hello_started(void) { id = 1, started(0); }
static void quit(void) { _exit(0); }
static void die(void) { raise(SIGKILL); }
static void started_quit(void) { started(0), _exit(0); }
static void exit_quit(void) { started(0), ended(0), _exit(0); }
static void started_failed(void) { started(0), failed(1, 1, -1, 5); }
static void failed_started(void) { failed(1, 1, -1, 5), started(0); }
static void failed_failed(void) { failed(1, 1, -1, 5), failed(1, 1, -1, 5); }
static void exit_failed(void) { ended(0), failed(4, 11, -1, 0); }
static void exit_quit_early(void) { ended(0), _exit(0); }
static void gone_failed(void) { gone(0, 0, 0, 0), failed(4, 11, -1, 0); }
static void gone_quit(void) { gone(0, 0, 0, 0), _exit(0); }
static void gone_started(void) { gone(0, 0, 0, 0), started(0); }
static void stopped_failed(void) { word(MSG_STOPPED, 19), failed(4, 11, -1, 0); }
static void stopped_started(void) { word(MSG_STOPPED, 19), started(0), gone(0, 0, 0, 0); }
static void gone_twice(void) { started(0), gone(0, 0, 0, 0), gone(0, 0, 0, 0); }
static void started_twice(void) { started(0), started(0); }
static void exit_twice(void) { started(0), ended(0), ended(9), gone(0, 0, 0, 0); }
static void after_gone(void) { started(0), gone(0, 0, 0, 0), word(MSG_STOPPED, 19), ended(0); }
static void another_id(void) { id += 77, started(0); }
static void id_zero(void) { id = 0, started(0); }
static void unknown_kind(void) { started(0), word(200, 1); }
static void host_kind(void) { started(0), word(MSG_SPAWN, 1); }
static void lost_long(void) { started(0), lost(5000); }
static void lost_control(void) { started(0), lost(119); }
static void failed_nothing(void) { failed(0, 0, -1, 0); }
static void failed_stage(void) { failed(99, 1, -1, 0); }
static void failed_errno(void) { failed(4, 100000, -1, 0); }
static void failed_errno_odd(void) { failed(4, 4095, -1, 0); }
static void failed_index(void) { failed(11, 1, 250, 0); }
static void failed_text(void) { failed(11, 1, 0, 1500); }
static void failed_text_200(void) { failed(11, 1, 3, 200); }
static void results_some(void) { started(10), gone(0, 0, 0, 0); }
static void results(void) { started(500), gone(0, 0, 0, 0); }
static void leftovers_17(void) { started(0), gone(0, 17, 17, 3); }
static void leftovers_name(void) { started(0), gone(0, 1, 1, 31); }
static void leftovers_count(void) { started(0), gone(0, UINT64_MAX, 0, 0); }
static void cause(void) { started(0), gone(77, 0, 0, 0); }
static void statuses(void) { started(0), ended(-1), gone(0, 0, 0, 0); }
static void signal_big(void) { started(0), word(MSG_STOPPED, 1000); }
static void descriptors_1(void) { descriptors(1), gone(0, 0, 0, 0); }
static void descriptors_200(void) { descriptors(200), gone(0, 0, 0, 0); }
static void descriptors_253(void) { descriptors(253), gone(0, 0, 0, 0); }
static void empty(void) { raw("", 0, NULL, 0); }
static void empty_fds(void) { raw("", 0, (const int[]){ HOST, HOST }, 2); }
static void too_short(void) { raw("\1\2\3\4\5", 5, NULL, 0); }
static void too_long(void) { raw_head(40000, 0, 40016, NULL, 0); }
static void lie(void) { raw_head(100, 0, 50, NULL, 0); }
static void lie_huge(void) { raw_head(UINT32_MAX, 0, 50, NULL, 0); }
static void head_only(void) { raw_head(0, 0, MESSAGE_HEAD_SIZE, NULL, 0); }
static void flags(void) { raw_head(0, 0xfe, MESSAGE_HEAD_SIZE, NULL, 0); }
static void memory_none(void) { raw_head(10, MESSAGE_FLAG_MEMFD, MESSAGE_HEAD_SIZE, NULL, 0); }
static void memory_open(void) { memory(100, 100, 0); }
static void memory_short(void) { memory(10, 100000, SEALS); }
static void memory_zeros(void) { memory(100000, 100000, SEALS); }
static void memory_huge(void) { memory(10, UINT32_MAX, SEALS); }
static void nested_started(void) { nested(MSG_STARTED); }
static void nested_gone(void) { started(0), nested(MSG_GONE); }
static void endless_started(void) { endless_list(MSG_STARTED); }

/* As a helper should, so that the others do not fail for something else. */
static void good(void) { started(0), ended(0), gone(0, 0, 0, 0); }

#define MODE(name) { #name, NULL, name }
#define GREETING(name) { #name, at_hello_##name, NULL }

static const struct {
	const char *name;
	void (*at_hello)(void), (*at_spawn)(void);
} modes[] = {
	GREETING(protocol), GREETING(quit), GREETING(kill), GREETING(lost),
	GREETING(twice), GREETING(endless), GREETING(nested), GREETING(started),
	MODE(good), { "quit-spawn", NULL, quit }, MODE(die), MODE(started_quit), MODE(exit_quit),
	MODE(started_failed), MODE(failed_started), MODE(failed_failed), MODE(exit_failed),
	MODE(exit_quit_early), MODE(gone_failed), MODE(gone_quit), MODE(gone_started),
	MODE(stopped_failed), MODE(stopped_started), MODE(gone_twice), MODE(started_twice),
	MODE(exit_twice), MODE(after_gone), MODE(another_id), MODE(id_zero), MODE(unknown_kind),
	MODE(host_kind), MODE(lost_long), MODE(lost_control), MODE(failed_nothing), MODE(failed_stage),
	MODE(failed_errno), MODE(failed_errno_odd), MODE(failed_index), MODE(failed_text),
	MODE(failed_text_200), MODE(results), MODE(results_some), MODE(leftovers_17), MODE(leftovers_name),
	MODE(leftovers_count), MODE(cause), MODE(statuses), MODE(signal_big), MODE(descriptors_1),
	MODE(descriptors_200), MODE(descriptors_253), MODE(empty), MODE(empty_fds), MODE(too_short),
	MODE(too_long), MODE(lie), MODE(lie_huge), MODE(head_only), MODE(flags), MODE(memory_none),
	MODE(memory_open), MODE(memory_short), MODE(memory_zeros), MODE(memory_huge),
	MODE(pipe_as_memory), MODE(garbage), MODE(nested_started), MODE(nested_gone),
	MODE(endless_started), MODE(chatter),
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static int fake(size_t mode)
{
	alarm(5);
	while (link_recv(HOST, &in, true) == 1) {
		int type = in.head.type;

		id = in.head.id;
		link_release(&in);
		if (type == MSG_HELLO && modes[mode].at_hello != NULL)
			modes[mode].at_hello();
		else if (type == MSG_HELLO)
			welcome(MESSAGE_PROTOCOL);
		else if (type == MSG_SPAWN && modes[mode].at_spawn != NULL)
			modes[mode].at_spawn();
	}
	return 0;
}

/* ---- the man in the middle ---- */

static unsigned seed;

static unsigned random_below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static unsigned char relayed[MESSAGE_DATAGRAM_MAX + 100];

/* Something is wrong with every third message that is to be changed. */
static size_t change(size_t n, size_t *n_fds)
{
	switch (random_below(12)) {
	case 0:
		return random_below((unsigned)n + 1);
	case 1:
		return n + 1 + random_below(90);
	case 2:
		*n_fds = *n_fds > 0 ? random_below((unsigned)*n_fds) : 0;
		return n;
	case 3:
		relayed[random_below(MESSAGE_HEAD_SIZE)] ^= (unsigned char)(1 << random_below(8));
		return n;
	default:
		for (unsigned i = 0; i < 1 + random_below(4); i++)
			relayed[random_below((unsigned)n)] ^= (unsigned char)(1 << random_below(8));
		return n;
	}
}

static bool relay(int from, int to, bool changes)
{
	int fds[253];
	size_t n_fds = 253, sent;
	ssize_t n = sys_recv(from, relayed, MESSAGE_DATAGRAM_MAX, fds, &n_fds, NULL, true);

	if (n <= 0)
		return false;
	size_t len = (size_t)n, all = n_fds;
	sent = n_fds;
	bool twice = changes && random_below(20) == 0;
	if (changes && random_below(3) == 0)
		len = change(len, &sent);
	for (int i = 0; i < 1 + twice; i++)
		sys_send(to, &(struct iovec){ relayed, len }, 1, fds, sent, true);
	for (size_t i = 0; i < all; i++)
		close(fds[i]);
	return true;
}

static int middle(const char *what)
{
	char side[16], program[200];
	int pair[2];

	if (sscanf(what, "mitm:%u:%15[a-z]:%199s", &seed, side, program) != 3 || sys_socketpair(pair) < 0)
		return 3;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pair[1], 0);
		execl(program, "carrel-control", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	bool host_lies = strcmp(side, "host") == 0;
	struct pollfd p[2] = { { .fd = HOST, .events = POLLIN }, { .fd = pair[0], .events = POLLIN } };
	/* Whoever waits for what was changed away waits for ever. */
	while (poll(p, 2, 1000) > 0) {
		if (p[0].revents != 0 && !relay(HOST, pair[0], host_lies))
			break;
		if (p[1].revents != 0 && !relay(pair[0], HOST, !host_lies))
			break;
	}
	close(pair[0]);
	close(HOST);
	waitpid(pid, NULL, __WALL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (strncmp(argv[1], "mitm:", 5) == 0)
		return middle(argv[1]);
	for (size_t i = 0; i < MODES; i++) {
		if (strcmp(argv[1], "list") == 0)
			puts(modes[i].name);
		else if (strcmp(argv[1], modes[i].name) == 0)
			return fake(i);
	}
	return strcmp(argv[1], "list") == 0 ? 0 : 2;
}
