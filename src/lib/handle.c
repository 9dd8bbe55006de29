/* SPDX-License-Identifier: ISC */
/* Opening and closing handles. */
#include "internal.h"

#include "clock.h"
#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A control process that does not greet for this long is stuck. */
#define WELCOME_MS 30000
/* How long what never greeted may take to end by itself. */
#define STRANGER_MS 3000
/* How long a close waits for a supervisor whose guard was killed. */
#define CLOSE_MS 5000

/* getpid() is a system call, and this is asked for every line that a command prints. */
static bool ours(const carrel *c)
{
	return c->mark != NULL ? *c->mark != 0 : c->owner == getpid();
}

int enter(carrel *c)
{
	/* A copy in a forked child: its lock may be held for ever, and its socket is the parent's. */
	if (!ours(c)) {
		errno = ECHILD;
		return -1;
	}
	pthread_mutex_lock(&c->lock);
	return 0;
}

void leave(carrel *c)
{
	pthread_mutex_unlock(&c->lock);
}

static int init_sync(carrel *c)
{
	pthread_condattr_t attr;
	int r = pthread_condattr_init(&attr);

	if (r != 0)
		return -r;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (r == 0)
		r = pthread_mutex_init(&c->lock, NULL);
	return -r;
}

static carrel *allocate(carrel_error *e)
{
	carrel *c = calloc(1, sizeof(*c));

	if (c != NULL)
		*c = (carrel){ .owner = getpid(), .socket = -1, .epoll = -1, .kick = -1, .yield = -1,
			       .null = -1, .talk = -1, .next_id = 1 };
	if (c == NULL || init_sync(c) < 0) {
		free(c);
		error_set(e, CARREL_STAGE_HELPER, ENOMEM, -1, "no memory for a handle");
		return NULL;
	}
	c->last = &c->first;
	c->ready_last = &c->ready;
	buf_init(&c->kept, SIZE_MAX / 2);
	return c;
}

/* Give back all that ${c} holds but for itself. */
static void empty(carrel *c)
{
	while (c->first != NULL) {
		struct event_node *n = c->first;

		c->first = n->next;
		free(n);
	}
	free(c->current);
	buf_finish(&c->kept);
	c->socket = fd_close(c->socket);
	fd_close(c->talk);
	fd_close(c->epoll);
	fd_close(c->kick);
	fd_close(c->yield);
	fd_close(c->null);
	map_finish(&c->procs);
	sys_mark_destroy(c->mark);
	free(c->inbox);
	free(c->data);
}

static void destroy(carrel *c)
{
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* What a handle works with, while its control process begins. */
static int equip(carrel *c, carrel_error *e)
{
	if (sys_mark_create(&c->mark) < 0)
		c->mark = NULL;
	c->inbox = malloc(sizeof(*c->inbox));
	c->data = malloc(READ_MAX);
	if (c->inbox == NULL || c->data == NULL)
		return error_set(e, CARREL_STAGE_HELPER, ENOMEM, -1, "no memory for a handle");
	/* One after the other, so that errno is of the one that failed. */
	if ((c->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (c->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    (c->yield = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return error_set(e, CARREL_STAGE_HELPER, errno, -1,
				 "cannot make the descriptors of a handle: %s", strerror(errno));
	return 0;
}

static bool greeted(void *arg)
{
	const carrel *c = arg;

	return c->welcome;
}

static int greet(carrel *c, carrel_error *e)
{
	unsigned char mem[64];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, MESSAGE_PROTOCOL);
	term_out_list(&b, 0);
	int r = channel_send(c, MSG_HELLO, 0, &b, NULL, 0);
	/* One that is gone already may have said why. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return error_set(e, CARREL_STAGE_HELPER, -r, -1, "cannot greet the control process: %s",
				 strerror(-r));
	if (c->once)
		return 0;
	if (channel_wait(c, greeted, c, clock_deadline_us(WELCOME_MS)) == 0)
		return error_set(e, CARREL_STAGE_HELPER, ETIMEDOUT, -1,
				 "the control process did not answer within %d s", WELCOME_MS / 1000);
	if (!c->welcome)
		return error_set(e, CARREL_STAGE_HELPER, EPROTO, -1,
				 "the control process did not start: %s", c->lost_reason);
	return 0;
}

/* Wait for the guard.  True when it is gone and was killed before its work was done. */
static bool reap_guard(carrel *c, int flags)
{
	int status = 0;
	pid_t pid;

	if (c->guard <= 0)
		return false;
	/* Only ours: it was started so that no other wait of the host sees it. */
	do
		pid = waitpid(c->guard, &status, __WALL | flags);
	while (pid == -1 && errno == EINTR);
	if (pid == 0)
		return false;
	c->killed_guard = pid > 0 && !WIFEXITED(status) ? c->guard : 0;
	c->guard = 0;
	return c->killed_guard != 0;
}

/* Then the supervisor ends everything, and closes our connection with its own end. */
static void await_supervisor(const carrel *c)
{
	int64_t deadline_us = clock_deadline_us(CLOSE_MS);
	int timeout_ms;

	shutdown(c->socket, SHUT_WR);
	while ((timeout_ms = clock_poll_ms(deadline_us)) > 0) {
		struct pollfd p = { .fd = c->socket, .events = POLLIN };
		int r = poll(&p, 1, timeout_ms) > 0 ? link_recv(c->socket, c->inbox, false) : -EAGAIN;

		if (r == 1)
			link_release(c->inbox);
		else if (r != -EAGAIN && r != -EINTR)
			return;
	}
}

/* What a killed guard had to do as its last: remove the handle's cgroup. */
static void clean_up(const carrel *c)
{
	for (int tries = 0; tries < 100 && sys_cgroup_discard(c->killed_guard) == -EBUSY; tries++)
		poll(NULL, 0, 2);
	for (int tries = 0; tries < 100 && sys_group_discard(c->killed_guard, 0) == -EBUSY; tries++)
		poll(NULL, 0, 5);
}

/* With our connection gone, ours ends everything, removes its cgroup and ends.  What was never heard of may be
 * anything, and is not waited for as long. */
static void end_guard(carrel *c)
{
	for (int ms = 0; !c->welcome && c->guard > 0 && ms < STRANGER_MS; ms += 2) {
		reap_guard(c, WNOHANG);
		if (c->guard > 0)
			poll(NULL, 0, 2);
	}
	if (!c->welcome && c->guard > 0)
		kill(c->guard, SIGKILL);
	reap_guard(c, 0);
}

EXPORT carrel *carrel_open(const carrel_config *cfg, carrel_error *e)
{
	carrel_config full = { .size = sizeof(full) };

	if (cfg != NULL) {
		if (cfg->size < sizeof(size_t) || cfg->size > sizeof(full)) {
			error_set(e, CARREL_STAGE_ARGS, EINVAL, -1,
				  "carrel_config.size is %zu; it must be sizeof(carrel_config)", cfg->size);
			return NULL;
		}
		memcpy(&full, cfg, cfg->size);
	}
	carrel *c = allocate(e);
	if (c == NULL)
		return NULL;
	c->once = full.once;
	c->debug = secure_getenv("CARREL_DEBUG") != NULL;
	/* Before the control process, which needs it too and cannot say so while nobody hears it. */
	c->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (c->null == -1)
		error_set(e, CARREL_STAGE_HELPER, errno, -1, "cannot open /dev/null: %s", strerror(errno));
	if (c->null == -1 || helper_start(c, &full, e) < 0) {
		int err = errno;

		empty(c);
		destroy(c);
		errno = err;
		return NULL;
	}
	pthread_mutex_lock(&c->lock);
	int r = equip(c, e) < 0 ? -1 : greet(c, e);
	int err = errno;
	if (r == 0 && watch_handle(c) < 0)
		r = error_set(e, CARREL_STAGE_HELPER, err = errno, -1, "cannot watch the control process: %s",
			      strerror(errno));
	pthread_mutex_unlock(&c->lock);
	if (r < 0) {
		shutdown(c->socket, SHUT_RDWR);
		empty(c);
		end_guard(c);
		if (c->killed_guard != 0)
			clean_up(c);
		destroy(c);
		errno = err;
		return NULL;
	}
	return c;
}

EXPORT void carrel_close(carrel *c)
{
	carrel_proc *p;

	if (c == NULL || !ours(c))
		return;
	/*
	 * The supervisor sees the end of the connection and ends everything; the guard ends last.
	 * Closing alone would not end it while a child that the host forked has a copy.
	 */
	if (reap_guard(c, WNOHANG))
		await_supervisor(c);
	shutdown(c->socket, SHUT_RDWR);
	c->socket = fd_close(c->socket);
	/* Their end takes a moment; ours meanwhile. */
	for (;;) {
		size_t i = 0;

		p = map_each(&c->procs, &i);
		if (p == NULL)
			break;
		proc_free(p);
	}
	empty(c);
	end_guard(c);
	if (c->killed_guard != 0)
		clean_up(c);
	destroy(c);
}

EXPORT int carrel_probe(const carrel *c, carrel_caps *caps)
{
	carrel_caps full;

	if (c == NULL || caps == NULL || caps->size < sizeof(size_t) || caps->size > sizeof(full)) {
		errno = EINVAL;
		return -1;
	}
	if (!ours(c)) {
		errno = ECHILD;
		return -1;
	}
	full = c->caps;
	full.size = caps->size;
	full.reaper = 1;
	snprintf(full.mechanism, sizeof(full.mechanism), "%s", full.cgroup ? "reaper+cgroup" : "reaper");
	memcpy(caps, &full, caps->size);
	return 0;
}
