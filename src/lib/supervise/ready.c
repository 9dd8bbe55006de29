/* SPDX-License-Identifier: ISC */
/* How a service says that it is ready: a newline, or a datagram as sd_notify(3) sends it. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TREE_MAX 256

static int begin_newline(const struct service *v, carrel_spec *s, struct ready *r)
{
	int pair[2];

	r->pass = calloc(s->n_pass_fds + 1, sizeof(*r->pass));
	if (r->pass == NULL || pipe2(pair, O_CLOEXEC) == -1)
		return -1;
	r->fd = pair[0];
	r->theirs = pair[1];
	/* The service's end must block, as it expects of a descriptor. */
	if (fcntl(r->fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	if (s->n_pass_fds > 0)
		memcpy(r->pass, s->pass_fds, s->n_pass_fds * sizeof(*r->pass));
	r->pass[s->n_pass_fds][0] = r->theirs;
	r->pass[s->n_pass_fds][1] = v->cfg.ready_fd;
	s->pass_fds = (const int (*)[2])r->pass;
	s->n_pass_fds++;
	return 0;
}

static int begin_notify(carrel_spec *s, struct ready *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(a.sun_family);
	size_t n = 0;

	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd == -1 || setsockopt(r->fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == -1)
		return -1;
	/* The kernel finds a name, which is no file; who sends is looked at. */
	if (bind(r->fd, (const struct sockaddr *)&a, len) == -1)
		return -1;
	len = sizeof(a);
	if (getsockname(r->fd, (struct sockaddr *)&a, &len) == -1)
		return -1;
	snprintf(r->variable, sizeof(r->variable), "NOTIFY_SOCKET=@%.*s",
		 (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), a.sun_path + 1);
	while (s->env != NULL && s->env[n] != NULL)
		n++;
	r->env = calloc(n + 2, sizeof(*r->env));
	if (r->env == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		r->env[i] = s->env[i];
	r->env[n] = r->variable;
	s->env = r->env;
	return 0;
}

int ready_begin(const struct service *v, carrel_spec *s, struct ready *r)
{
	*r = (struct ready){ .fd = -1, .theirs = -1 };
	if (v->cfg.ready == CARREL_READY_NEWLINE)
		return begin_newline(v, s, r);
	return v->cfg.ready == CARREL_READY_NOTIFY ? begin_notify(s, r) : 0;
}

void ready_end(struct ready *r)
{
	int err = errno;

	if (r->fd != -1)
		close(r->fd);
	if (r->theirs != -1)
		close(r->theirs);
	free(r->pass);
	free(r->env);
	errno = err;
}

static int read_newline(const struct service *v)
{
	char text[512];
	ssize_t n;

	while ((n = read(v->ready_fd, text, sizeof(text))) > 0) {
		if (memchr(text, '\n', (size_t)n) != NULL)
			return 1;
	}
	return n == 0 || (errno != EAGAIN && errno != EINTR) ? -1 : 0;
}

/* Anybody can send to the name; what a stranger says is nothing to us. */
static bool is_of_tree(const struct service *v, pid_t pid)
{
	carrel_info info[TREE_MAX];

	if (pid == carrel_pid(v->proc))
		return true;
	ssize_t n = carrel_tree(v->proc, info, TREE_MAX);
	for (ssize_t i = 0; i < n && i < TREE_MAX; i++) {
		if (info[i].pid == pid)
			return true;
	}
	return false;
}

static bool has_line(const char *text, size_t len, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text, *end = text + len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t one = (size_t)((newline != NULL ? newline : end) - at);

		if (one == n && memcmp(at, line, n) == 0)
			return true;
		at += one + 1;
	}
	return false;
}

static int read_notify(const struct service *v)
{
	char text[4096], control[CMSG_SPACE(sizeof(struct ucred))];

	for (;;) {
		struct iovec iov = { text, sizeof(text) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof(control) };
		/* Descriptors that come along have no room, and the kernel closes them. */
		ssize_t n = recvmsg(v->ready_fd, &m, MSG_CMSG_CLOEXEC);

		if (n == -1)
			return 0;
		const struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		struct ucred who;
		if (h == NULL || h->cmsg_type != SCM_CREDENTIALS || h->cmsg_len != CMSG_LEN(sizeof(who)))
			continue;
		memcpy(&who, CMSG_DATA(h), sizeof(who));
		if (has_line(text, (size_t)n, "READY=1") && is_of_tree(v, who.pid))
			return 1;
	}
}

int ready_read(struct service *v)
{
	return v->cfg.ready == CARREL_READY_NEWLINE ? read_newline(v) : read_notify(v);
}
