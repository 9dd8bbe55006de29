/* SPDX-License-Identifier: ISC */
/* carrel-port: command line and start. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CHILDREN 64
#define STACK_LIMIT (8 * 1024 * 1024)

struct start {
	const char *fifo;
	bool again;		/* a copy of a control process that executes itself anew */
	bool has_children;
	unsigned depth;
	unsigned children;
};

static _Noreturn void usage(const char *name)
{
	fprintf(stderr, "%s %s\nusage: %s -c FIFO [-d DEPTH] [-m MAXCHILD]\n", name,
		CARREL_VERSION_TEXT, name);
	exit(ENOTSUP);
}

/* Sixteen bits are what the protocol's author had; anything else is 0. */
static unsigned number16(const char *text)
{
	return (uint16_t)strtol(text, NULL, 10);
}

static void options(struct start *s, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:d:m:h")) != -1) {
		if (c == 'c') {
			s->fifo = optarg;
		} else if (c == 'd') {
			s->again = true;
			s->depth = number16(optarg);
		} else if (c == 'm') {
			s->has_children = true;
			s->children = number16(optarg);
		} else {
			usage(argv[0]);
		}
	}
	if (s->depth > DEPTH_MAX)
		exit(EAGAIN);
}

/* How many children the limit on descriptors allows; or exit, if that is less than the option wants. */
static uint16_t max_children(const struct start *s)
{
	struct rlimit limit;
	uint64_t n = DEFAULT_CHILDREN;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		exit(errno);
	if (s->has_children && PORT_FDS(s->children) > limit.rlim_cur)
		exit(EAGAIN);
	if (s->has_children)
		return (uint16_t)s->children;
	if (PORT_FDS(n) > limit.rlim_cur)
		n = limit.rlim_cur < 6 ? 0 : (limit.rlim_cur - 6) / 6;
	return (uint16_t)n;
}

/* clone(2) once took a stack of this size; programs rely on what they inherit. */
static void limit_stack(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == -1)
		exit(errno);
	if (limit.rlim_cur != RLIM_INFINITY)
		return;
	limit.rlim_cur = STACK_LIMIT;
	if (setrlimit(RLIMIT_STACK, &limit) == -1)
		exit(errno);
}

static int open_fifo(const char *path)
{
	if (path == NULL)
		exit(EINVAL);
	if (mkfifo(path, 0644) == -1)
		exit(errno);
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	/* Whatever our umask: the reader may be another user. */
	if (fd == -1 || fchmod(fd, 0644) == -1)
		exit(errno);
	return fd;
}

/* Descriptors 3, 4 and 5, in one step: each may stand in the place of another. */
static void open_descriptors(const char *path)
{
	int fd[3] = { -1, -1, open_fifo(path) };

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1)
		exit(errno);
	int r = fd_place(fd, 3, FD_SIGNAL);
	if (r < 0)
		exit(-r);
}

static void start(const struct start *s)
{
	sigset_t old;

	/* The handler needs the pipe. */
	sys_signals_block(&old);
	int r = signals_catch_all();
	if (r < 0)
		exit(-r);
	limit_stack();
	open_descriptors(s->fifo);
}

/* Everything is in place but SIGCHLD's handler. */
static void start_again(struct port *p)
{
	struct stat st;

	/* The image before may have had any limit. */
	low_limit(p, true);
	p->ctl = fstat(FD_CTL, &st) == 0 && S_ISSOCK(st.st_mode);
	announce(p, ANNOUNCE_FRAMES, 0);
	int r = signals_catch(SIGCHLD);
	if (r < 0)
		exit(-r);
}

int main(int argc, char **argv)
{
	static struct port port;
	struct start s = { 0 };
	sigset_t none;
	int r = title_init(argc, argv);

	if (r == 0)
		r = port_init(&port);
	if (r < 0)
		return -r;
	options(&s, argc, argv);
	port.depth = s.depth;
	port.options.max_children = max_children(&s);
	if (s.again)
		start_again(&port);
	else
		start(&s);
	if (say_ok(&port) < 0)
		return EIO;
	fd_blocking(&port, false);
	sigemptyset(&none);
	sys_signals_mask(&none);
	if (!s.again)
		loop_first(&port);
	loop_run(&port);
}
