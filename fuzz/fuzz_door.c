/* SPDX-License-Identifier: ISC */
/*
 * The whole port, driven through its descriptors by a script: what the VM sends, what hostile children
 * say on each of their channels, ends, signals, a reader that pauses.  The first byte is the depth; each step of
 * the rest is taken when the port waits, and after the last one its input ends.
 *
 * What it says must be frames of the right form; it may not wait for ever, nor read where nothing is, nor end
 * otherwise than it should; its tables must agree with each other.
 */
#include "bytes.h"
#include "calls/calls.h"
#include "clock.h"
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door_seam.h"
#undef poll
#undef read
#undef close
#undef dup2
#undef pipe2
#undef socketpair
#undef exit

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Our own descriptors; the port's are below. */
#define OURS 200
#define SAVED 900
#define KIDS 40
#define FIRST_PID 1000
#define DESCRIPTORS 190

/* The output of programs: what looks like a frame, with a mark that the script cannot have known. */
static unsigned char raw[16] = { 0, 14, 0, 4 };
#define MARK (raw + 4)
#define MARK_SIZE (sizeof(raw) - 4)

#define FAIL(what) (fprintf(stderr, "%s\n", what), abort())

/* A process that the port believes to have made: the other ends of its channels. */
struct kid {
	enum { KID_NONE, KID_ALIVE, KID_DEAD } state;
	int status;
	int ctl, in, out, err;
	uint64_t framed, announced;	/* bytes on its output, all of them frames; as far as it said so */
	bool lied;
};

/* The ends of channels that are being made. */
static struct kid made;
static int made_in, made_out, n_pipes;

static struct kid kids[KIDS];
static struct port port;
static int vm_in = -1, vm_out = -1;	/* to the port, from it */
static const uint8_t *script, *script_end;
static bool race;	/* the next step comes between poll(2) and what is done about it */
static bool paused, interrupt, ended, child_next, exec_works, output_lost;
static int64_t now_us;
static uint64_t open_limit;
static struct sigaction actions[NSIG];
static jmp_buf out;

/* What came of a frame so far. */
static unsigned char heard[FRAME_MAX + 2];
static size_t n_heard;

static int ours(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, OURS);

	if (moved == -1)
		FAIL("no descriptors");
	return moved;
}

static int drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return 0;
}

static void kid_close(struct kid *k)
{
	drop(&k->ctl);
	drop(&k->in);
	drop(&k->out);
	drop(&k->err);
}

/* ----------------------------------------------------- what it makes --- */

/* The limit that it is told of is not the kernel's. */
static int limited(int r, int fd[2])
{
	if (r == -1 || (fd[0] < DESCRIPTORS && fd[1] < DESCRIPTORS))
		return r;
	close(fd[0]);
	close(fd[1]);
	errno = EMFILE;
	return -1;
}

int fuzz_socketpair(int domain, int type, int protocol, int fd[2])
{
	int r = limited(socketpair(domain, type, protocol, fd), fd);

	kid_close(&made);
	drop(&made_in);
	drop(&made_out);
	n_pipes = 0;
	if (r == 0)
		made.ctl = ours(fd[0]);
	return r;
}

int fuzz_pipe2(int fd[2], int flags)
{
	int r = limited(pipe2(fd, flags), fd);

	if (r == -1)
		return r;
	switch (n_pipes++) {
	case 0:
		made.in = ours(fd[0]);
		made_in = ours(fd[1]);
		fcntl(made.in, F_SETFL, O_NONBLOCK);
		break;
	case 1:
		made.out = ours(fd[1]);
		made_out = ours(fd[0]);
		fcntl(made.out, F_SETFL, O_NONBLOCK);
		break;
	case 2:
		made.err = ours(fd[1]);
		fcntl(made.err, F_SETFL, O_NONBLOCK);
		break;
	}
	return r;
}

/* The harness goes on with the child, and the parent is forgotten. */
static pid_t be_child(void)
{
	for (int i = 0; i < KIDS; i++) {
		kid_close(&kids[i]);
		kids[i].state = KID_NONE;
	}
	drop(&vm_in);
	drop(&vm_out);
	vm_in = made_in;
	vm_out = made_out;
	made_in = made_out = -1;
	fcntl(vm_in, F_SETFL, O_NONBLOCK);
	kid_close(&made);
	n_heard = 0;
	child_next = false;
	return 0;
}

pid_t sys_fork(int64_t flags)
{
	(void)flags;
	if (child_next)
		return be_child();
	for (int i = 0; i < KIDS; i++) {
		if (kids[i].state == KID_NONE) {
			kid_close(&kids[i]);
			kids[i] = made;
			kids[i].state = KID_ALIVE;
			made = (struct kid){ .ctl = -1, .in = -1, .out = -1, .err = -1 };
			return FIRST_PID + i;
		}
	}
	return -EAGAIN;
}

pid_t sys_fork_low(int64_t flags, int keep, int tell, int hear)
{
	(void)keep, (void)tell, (void)hear;
	return sys_fork(flags);
}

int64_t clock_now_us(void)
{
	return now_us;
}

int64_t clock_deadline_us(int timeout_ms)
{
	return timeout_ms < 0 ? CLOCK_NEVER : now_us + timeout_ms * INT64_C(1000);
}

int clock_poll_ms(int64_t deadline_us)
{
	if (deadline_us == CLOCK_NEVER)
		return -1;
	return deadline_us <= now_us ? 0 : (int)((deadline_us - now_us + 999) / 1000);
}

/* -------------------------------------------------- what it asks for --- */

int fuzz_close(int fd)
{
	if (fd >= OURS || fd == FD_ERR) {
		errno = EBADF;
		return -1;
	}
	if (fd == FD_OUT)
		output_lost = true;
	return close(fd);
}

int fuzz_dup2(int fd, int to)
{
	/* The reports of sanitizers go there. */
	return to == FD_ERR ? to : dup2(fd, to);
}

ssize_t fuzz_read(int fd, void *data, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1 && (flags & O_NONBLOCK) == 0 && n > 0 && poll(&p, 1, 0) == 0)
		FAIL("it reads where nothing is");
	return read(fd, data, n);
}

pid_t fuzz_waitpid(pid_t pid, int *status, int options)
{
	bool any = false;

	for (int i = 0; i < KIDS; i++) {
		if (kids[i].state == KID_NONE || (pid != -1 && pid != FIRST_PID + i))
			continue;
		any = true;
		if (kids[i].state == KID_DEAD) {
			*status = kids[i].status;
			/* It may only have stopped. */
			kids[i].state = WIFEXITED(*status) || WIFSIGNALED(*status) ? KID_NONE : KID_ALIVE;
			return FIRST_PID + i;
		}
	}
	errno = any ? EINTR : ECHILD;
	return any && (options & WNOHANG) != 0 ? 0 : -1;
}

int fuzz_kill(pid_t pid, int sig)
{
	(void)sig;
	errno = ESRCH;
	return pid >= FIRST_PID && pid < FIRST_PID + KIDS && kids[pid - FIRST_PID].state != KID_NONE ? 0 : -1;
}

void fuzz_exit(int status)
{
	(void)status;
	longjmp(out, 1);
}

int fuzz_exec(void)
{
	if (exec_works)
		fuzz_exit(0);
	errno = ENOENT;
	return -1;
}

int fuzz_getrlimit(int what, struct rlimit *limit)
{
	(void)what;
	*limit = (struct rlimit){ .rlim_cur = open_limit, .rlim_max = DESCRIPTORS };
	return 0;
}

int fuzz_setrlimit(int what, const struct rlimit *limit)
{
	errno = EPERM;
	if (limit->rlim_cur > DESCRIPTORS)
		return -1;
	if (what == RLIMIT_NOFILE)
		open_limit = limit->rlim_cur;
	return 0;
}

int sys_sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
	if (sig <= 0 || sig >= NSIG || (new != NULL && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (old != NULL)
		*old = actions[sig];
	if (new != NULL)
		actions[sig] = *new;
	return 0;
}

void sys_signals_block(sigset_t *old)
{
	sigemptyset(old);
}

void sys_signals_mask(const sigset_t *mask)
{
	(void)mask;
}

/* ------------------------------------------------------------- calls --- */

const struct handler *real_handler_of(const struct call *c);

static int64_t refuse(const struct arg *a)
{
	(void)a;
	return -EPERM;
}

static int refuse_value(const struct arg *a, struct result *r)
{
	(void)a, (void)r;
	return -EPERM;
}

static int64_t open_any(const struct arg *a)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)a;
	if (fd >= (int)open_limit) {
		close(fd);
		return -EMFILE;
	}
	return fd;
}

static int64_t some_fcntl(const struct arg *a)
{
	static const int harmless[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL };
	int fd = (int)a[0].i;

	for (size_t i = 0; fd < OURS && fd != FD_ERR && i < sizeof(harmless) / sizeof(*harmless); i++) {
		if (a[1].i == harmless[i]) {
			int r = fcntl(fd, harmless[i], (int)(a[2].i & 63));

			if (i < 2 && r >= DESCRIPTORS)
				close(r);
			return r == -1 ? -errno : r;
		}
	}
	return -EINVAL;
}

/* Writes all the memory that a request of the kernel could. */
static int64_t some_ioctl(const struct arg *a)
{
	if (a[2].kind == ARG_MEMORY && a[2].memory != NULL)
		memset(a[2].memory->data, 0x11, a[2].memory->max);
	return a[1].i % 3 == 0 ? -ENOTTY : 0;
}

static int some_read(const struct arg *a, struct result *r)
{
	struct pollfd p = { .fd = (int)a[0].i, .events = POLLIN };

	if (p.fd < 0 || p.fd >= OURS || poll(&p, 1, 0) != 1 || (p.revents & POLLIN) == 0)
		return -EBADF;
	return call_read(a, r);
}

static int64_t some_write(const struct arg *a)
{
	bool may = a[0].i == FD_SIGNAL_WRITE || (a[0].i > FD_CTL && a[0].i < OURS);
	struct pollfd p = { .fd = (int)a[0].i, .events = POLLOUT };

	if (!may || a[1].n > 4096 || poll(&p, 1, 0) != 1 || (p.revents & (POLLERR | POLLNVAL)) != 0)
		return -EBADF;
	return call_write(a);
}

const struct handler *handler_of(const struct call *c)
{
	static const struct handler number = { .number = refuse }, value = { .value = refuse_value },
				    opens = { .number = open_any }, fcntls = { .number = some_fcntl },
				    ioctls = { .number = some_ioctl }, reads = { .value = some_read },
				    writes = { .number = some_write };
	const struct handler *h = real_handler_of(c);

	switch (c->number) {
	case CALL_open:
	case CALL_socket:
		return &opens;
	case CALL_fcntl:
		return &fcntls;
	case CALL_ioctl:
		return &ioctls;
	case CALL_read:
		return &reads;
	case CALL_write:
		return &writes;
	case CALL_alloc:
	case CALL_environ:
	case CALL_errno_id:
	case CALL_getcwd:
	case CALL_getenv:
	case CALL_getgroups:
	case CALL_gethostname:
	case CALL_getpid:
	case CALL_getresuid:
	case CALL_getrlimit:
	case CALL_iolist_to_bin:
	case CALL_signal_constant:
	case CALL_version:
		return h;
	default:
		return h->number != NULL ? &number : h->value != NULL ? &value : h;
	}
}

/* ------------------------------------------------------------- the VM --- */

static void check_frame(const unsigned char *frame, size_t size)
{
	unsigned type = size >= 4 ? get16(frame + 2) : 0;
	struct term_in in;

	if (size - 2 + 8 * (size_t)port.depth > FRAME_MAX)
		FAIL("a frame that is too long for those above");
	if (type == FRAME_STDOUT || type == FRAME_STDERR) {
		if (size <= HEAD_PID)
			FAIL("an empty chunk");
		return;
	}
	if (type == FRAME_PROXY) {
		if (size < HEAD_PID + 2 || HEAD_PID + 2 + (size_t)get16(frame + HEAD_PID) != size)
			FAIL("a proxy of other than one frame");
		if (memmem(frame, size, MARK, MARK_SIZE) != NULL)
			FAIL("output of a program that is taken for a frame");
		return;
	}
	if (type < FRAME_CALL || type > FRAME_PIPE)
		FAIL("a frame of no type");
	term_in_init(&in, frame + HEAD_PLAIN, size - HEAD_PLAIN);
	if (term_in_version(&in) < 0 || term_in_skip(&in) < 0 || in.p != in.end)
		FAIL("a term that is none");
}

static void listen_to_port(void)
{
	for (;;) {
		size_t want = n_heard < 2 ? 2 : 2 + (size_t)get16(heard);
		struct pollfd p = { .fd = vm_out, .events = POLLIN };

		if (n_heard >= 2 && n_heard == want) {
			check_frame(heard, n_heard);
			n_heard = 0;
			continue;
		}
		if (vm_out == -1 || poll(&p, 1, 0) != 1 || (p.revents & POLLIN) == 0)
			return;
		ssize_t r = read(vm_out, heard + n_heard, want - n_heard);
		if (r <= 0)
			return;
		n_heard += (size_t)r;
	}
}

/* What the pipe has no room for is not said.  As many bytes as were. */
static uint64_t put(int fd, const void *data, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd < 0 || poll(&p, 1, 0) != 1 || (p.revents & POLLERR) != 0)
		return 0;
	ssize_t r = write(fd, data, n);
	if (r == -1 && errno != EAGAIN && errno != EPIPE && errno != EBADF)
		FAIL("write");
	return r > 0 ? (uint64_t)r : 0;
}

static uint64_t put_frame(int fd, unsigned type, const uint8_t *body, size_t n)
{
	unsigned char mem[4 + 65536];

	head_out(mem, (enum frame_type)type, n);
	memcpy(mem + 4, body, n);
	return put(fd, mem, 4 + n);
}

/* ------------------------------------------------------------ scripts --- */

static unsigned take(void)
{
	return script < script_end ? *script++ : 0;
}

static const uint8_t *take_bytes(size_t *n)
{
	const uint8_t *at = script;

	*n = take();
	if (*n >= 128)
		*n = (*n - 128) << 8 | take();
	at = script;
	if (*n > (size_t)(script_end - script))
		*n = (size_t)(script_end - script);
	script += *n;
	return at;
}

static struct kid *take_kid(void)
{
	return &kids[take() % KIDS];
}

/* A call to us or, in a frame for each, to children. */
static void request(void)
{
	unsigned char mem[65536];
	unsigned to = take(), number = take();
	size_t n, at = 0;
	const uint8_t *term = take_bytes(&n);

	if (to < KIDS) {
		head_pid_out(mem, FRAME_STDIN, FIRST_PID + to, n + 7);
		at = HEAD_PID;
	}
	head_out(mem + at, FRAME_CALL, n + 3);
	put16(mem + at + 4, (uint16_t)number);
	mem[at + 6] = 131;
	memcpy(mem + at + 7, term, n);
	put(vm_in, mem, at + 7 + n);
}

static void signal_now(int sig, pid_t pid)
{
	siginfo_t info = { .si_signo = sig };

	info.si_pid = pid;
	/* With the pipe full, or closed by a call, the port's own handler would hold it back. */
	if (write(FD_SIGNAL_WRITE, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
}

static void announce_as(struct kid *k)
{
	struct {
		uint32_t magic, what;
		uint64_t said;
	} a = { UINT32_C(0xca22e1f5), take() & 3, take() | (uint64_t)take() << 8 };

	if (a.said == 65535)
		a.said = UINT64_MAX;
	put(k->ctl, &a, sizeof(a));
	k->lied = true;
}

/* As a program is executed that says what looks like a frame. */
static void exec_and_say(struct kid *k)
{
	struct {
		uint32_t magic, what;
		uint64_t said;
	} a = { UINT32_C(0xca22e1f5), 1, k->framed - k->announced };

	if (k->lied || k->ctl < 0 || put(k->ctl, &a, sizeof(a)) != sizeof(a))
		return;
	drop(&k->ctl);
	put(k->out, raw, sizeof(raw));
}

static uint64_t much(int fd)
{
	static const unsigned char zeros[70000];

	return put(fd, zeros, (take() << 8 | take()) + 1U);
}

/* Long requests, more than pipes hold. */
static void bulk(void)
{
	static unsigned char mem[HEAD_PID + FRAME_MAX + 2];
	unsigned to = take(), times = take(), n = take() << 8 | take();

	n = n < FRAME_MAX - 32 ? n : FRAME_MAX - 32;
	head_pid_out(mem, FRAME_STDIN, FIRST_PID + to % KIDS, n + 15);
	head_out(mem + HEAD_PID, FRAME_CALL, n + 11);
	memcpy(mem + HEAD_PID + 4, "\0\55\203h\1m\0\0", 8);
	put16(mem + HEAD_PID + 12, (uint16_t)n);
	for (times %= 32; times > 0; times--) {
		if (to < KIDS)
			put(vm_in, mem, HEAD_PID + 14 + n);
		else
			put(vm_in, mem + HEAD_PID, 14 + n);
	}
}

static void step(void)
{
	const uint8_t *body;
	struct kid *k;
	unsigned char mem[4096];
	unsigned type;
	size_t n;

	switch (take() % 23) {
	case 0:
		body = take_bytes(&n);
		put(vm_in, body, n);
		break;
	case 1:
		request();
		break;
	case 2:
		type = take();
		body = take_bytes(&n);
		put_frame(vm_in, type, body, n);
		break;
	case 3:
		k = take_kid();
		body = take_bytes(&n);
		k->framed += put(k->out, body, n);
		break;
	case 4:
		k = take_kid();
		type = take();
		body = take_bytes(&n);
		k->framed += put_frame(k->out, type, body, n);
		break;
	case 5:
		k = take_kid();
		body = take_bytes(&n);
		put(k->err, body, n);
		break;
	case 6:
		announce_as(take_kid());
		break;
	case 7:
		k = take_kid();
		body = take_bytes(&n);
		put(k->ctl, body, n);
		k->lied = true;
		break;
	case 8:
		drop(&take_kid()->ctl);
		break;
	case 9:
		k = take_kid();
		k->status = (int)(take() | take() << 8);
		if (k->state == KID_ALIVE) {
			k->state = KID_DEAD;
			if (take() % 2 == 0)
				kid_close(k);
		}
		signal_now(SIGCHLD, take() % 4 == 0 ? 1 : FIRST_PID + (pid_t)(k - kids));
		break;
	case 10:
		signal_now((int)(take() % 80), 1);
		break;
	case 11:
		paused = !paused;
		break;
	case 12:
		k = take_kid();
		if (k->in >= 0 && read(k->in, mem, sizeof(mem)) == -1 && errno != EAGAIN)
			FAIL("read");
		break;
	case 13:
		child_next = true;
		break;
	case 14:
		k = take_kid();
		drop(take() % 2 == 0 ? &k->out : &k->err);
		break;
	case 15:
		interrupt = true;
		break;
	case 16:
		k = take_kid();
		if (take() % 2 == 0)
			k->framed += much(k->out);
		else
			much(k->err);
		break;
	case 17:
		drop(&take_kid()->in);
		break;
	case 18:
		exec_works = !exec_works;
		break;
	case 21:
		exec_and_say(take_kid());
		break;
	case 22:
		race = true;
		break;
	case 20:
		bulk();
		break;
	case 19:
		/* Many children at once. */
		for (type = take() % KIDS; type > 0; type--)
			put(vm_in, "\0\7\0\4\0\34\203h\0", 9);
		break;
	}
}

/* -------------------------------------------------------------- checks --- */

/* The tables of the port say the same. */
static void agree(void)
{
	const struct children *all = &port.children;
	unsigned used = 0;

	for (unsigned i = 0; i < all->cap; i++) {
		const struct child *c = &all->slot[i];

		if (c->pid == 0 && i < all->first_free)
			FAIL("a free slot that will not be found");
		if (c->pid == 0)
			continue;
		const int fd[] = { c->ctl, c->in, c->out, c->err };
		for (int k = 0; k < 4; k++) {
			const struct watched *f = fd[k] >= 0 ? &port.watch.fd[fd[k]] : NULL;

			if (fd[k] >= port.watch.n_fd || (f != NULL && (f->slot != i || f->role != k + 1)))
				FAIL("a descriptor of a child that is watched for another");
		}
		if (child_find(&port, (uint32_t)c->pid) != c)
			FAIL("a child that cannot be found");
		used++;
	}
	if (used != all->count || all->by_pid.len != used)
		FAIL("children that are not counted");
}

int fuzz_poll(struct pollfd *fd, nfds_t n, int timeout)
{
	agree();
	if (n > open_limit + 8)
		FAIL("more descriptors than there are");
	for (int turns = 0;; turns++) {
		if (script < script_end)
			step();
		if (!paused)
			listen_to_port();
		if (interrupt && timeout != 0) {
			interrupt = false;
			errno = EINTR;
			return -1;
		}
		int r = poll(fd, n, 0);
		if (race && r > 0 && script < script_end) {
			race = false;
			step();
		}
		if (r != 0 || timeout == 0)
			return r;
		if (script < script_end)
			continue;
		if (!ended || paused) {
			paused = false;
			ended = true;
			drop(&vm_in);
		} else if (timeout > 0) {
			now_us += timeout * INT64_C(1000);
			return 0;
		} else if (turns > 2) {
			FAIL("it waits for ever");
		}
	}
}

/* --------------------------------------------------------------- runs --- */

static void descriptors(void)
{
	int in[2], back[2], fifo[2], signals[2];

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(back, O_CLOEXEC) == -1 || pipe2(fifo, O_CLOEXEC) == -1 ||
	    pipe2(signals, O_CLOEXEC | O_NONBLOCK) == -1)
		FAIL("no pipes");
	vm_in = ours(in[1]);
	vm_out = ours(back[0]);
	fcntl(vm_in, F_SETFL, O_NONBLOCK);
	const int from[] = { ours(in[0]), ours(back[1]), ours(signals[0]), ours(signals[1]), ours(fifo[1]) };
	static const int to[] = { FD_IN, FD_OUT, FD_SIGNAL, FD_SIGNAL_WRITE, FD_CTL };
	for (int i = 0; i < 5; i++) {
		dup2(from[i], to[i]);
		close(from[i]);
	}
}

/* Descriptors that were there before the port's; -1: none. */
static int saved[FD_CTL + 1];
static bool begun;

static void save(void)
{
	for (int fd = 0; fd <= FD_CTL; fd++)
		saved[fd] = fd == FD_ERR ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SAVED);
}

static void restore(void)
{
	static bool theirs[OURS];

	for (int fd = FD_CTL + 1; fd < OURS; fd++) {
		if (!begun)
			theirs[fd] = fcntl(fd, F_GETFD) != -1;
		else if (!theirs[fd])
			close(fd);
	}
	for (int fd = 0; begun && fd <= FD_CTL; fd++) {
		if (saved[fd] >= 0)
			dup2(saved[fd], fd);
		else if (fd != FD_ERR)
			close(fd);
		drop(&saved[fd]);
	}
	begun = true;
}

static void finish(void)
{
	const struct arg off[2] = { { .i = SIGCHLD }, { .i = HANDLER_QUERY } };
	unsigned char mem[64];
	struct buf reply;
	struct child *c;

	for (int i = 0; i < KIDS; i++) {
		kid_close(&kids[i]);
		kids[i].state = KID_NONE;
	}
	for (unsigned i = 0; (c = child_each(&port, &i)) != NULL;)
		child_free(&port, c);
	children_forget(&port, 0);
	free(port.watch.poll);
	kid_close(&made);
	drop(&made_in);
	drop(&made_out);
	drop(&vm_in);
	drop(&vm_out);
	/* Its only state that is not in its struct. */
	buf_init_fixed(&reply, mem, sizeof(mem));
	state_sigaction(&port, off, &reply);
	if (memcmp(mem + reply.len - 4, "info", 4) == 0) {
		const struct arg back[2] = { { .i = SIGCHLD }, { .i = HANDLER_DEFAULT } };

		state_sigaction(&port, back, &reply);
	}
	output_forget();
}

static void mark(const uint8_t *data, size_t size)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size + MARK_SIZE; i++) {
		hash = (hash ^ (i < size ? data[i] : i)) * UINT64_C(1099511628211);
		if (i >= size)
			MARK[i - size] = (unsigned char)(hash >> 32);
	}
}

static void run(void)
{
	if (port_init(&port) < 0)
		FAIL("no memory");
	port.depth = take() % 64;
	port.options.max_children = KIDS + 1;
	port.options.max_depth = 100;
	if (say_ok(&port) < 0)
		FAIL("no output");
	fd_blocking(&port, false);
	loop_first(&port);
	loop_run(&port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kid none = { .ctl = -1, .in = -1, .out = -1, .err = -1 };

	mark(data, size);
	script = data;
	script_end = data + size;
	race = paused = interrupt = ended = child_next = exec_works = output_lost = false;
	now_us = 1;
	open_limit = DESCRIPTORS;
	n_heard = 0;
	n_pipes = 3;
	made = none;
	made_in = made_out = -1;
	for (int i = 0; i < KIDS; i++)
		kids[i] = none;
	memset(actions, 0, sizeof(actions));
	struct sigaction pipe = { .sa_handler = SIG_IGN };
	(sigaction)(SIGPIPE, &pipe, NULL);
	if (!begun)
		restore();
	save();
	descriptors();
	if (setjmp(out) == 0)
		run();
	if (!output_lost)
		listen_to_port();
	finish();
	restore();
	return 0;
}
