/* SPDX-License-Identifier: ISC */
#include "policy_watch.h"

#include <errno.h>
#include <linux/ioctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux 6.6: who asks and who answers take turns on one processor. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define SYNC_WAKE_UP 1UL

/* libcs do not agree on the type of the request. */
#define ioctl(fd, request, arg) syscall(SYS_ioctl, fd, request, arg)

/* A kernel's structs may be larger than the headers'. */
union question {
	struct seccomp_notif q;
	char room[512];
};

union answer {
	struct seccomp_notif_resp a;
	char room[512];
};

/* The listener, which the task sends before anything is asked; -1 when no task will. */
static int receive(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;
	int listener;

	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	const struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&listener, CMSG_DATA(c), sizeof(listener));
	return listener;
}

static void count(struct policy_calls *calls, const struct seccomp_data *d)
{
	const char *kinds = carrel_call_args(d->arch, d->nr);
	struct policy_call call = { .arch = d->arch, .nr = d->nr, .count = 1 };

	for (int i = 0; i < 6 && kinds != NULL && kinds[i] != '\0'; i++)
		call.args[i] = kinds[i] == 'i' ? (uint32_t)d->args[i] :
				 kinds[i] == 'p'	    ? d->args[i] != 0 :
							      (uint64_t)d->args[i];
	for (int i = 0; i < calls->n; i++) {
		struct policy_call *c = &calls->call[i];

		if (c->arch == call.arch && c->nr == call.nr && memcmp(c->args, call.args, sizeof(c->args)) == 0) {
			c->count++;
			return;
		}
	}
	if (calls->n < POLICY_CALLS_MAX)
		calls->call[calls->n++] = call;
	else
		calls->full = 1;
}

/* One question: 0, or an errno that ends it all. */
static int answer(int listener, struct policy_calls *calls)
{
	union question q;
	union answer a;

	memset(&q, 0, sizeof(q));
	memset(&a, 0, sizeof(a));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q) == -1)
		return errno == EINTR || errno == ENOENT ? 0 : errno;
	count(calls, &q.q.data);
	a.a.id = q.q.id;
	a.a.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* Who asked may have been killed meanwhile. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &a) == -1 && errno != ENOENT && errno != EINTR)
		return errno;
	return 0;
}

static void watch(int fd, struct policy_calls *calls)
{
	int listener = receive(fd);
	struct pollfd p = { .fd = listener, .events = POLLIN };

	close(fd);
	if (listener == -1)
		return;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP);
	while (calls->broken == 0) {
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			calls->broken = errno;
		else if (p.revents & POLLIN)
			calls->broken = answer(listener, calls);
		else if (p.revents & (POLLHUP | POLLERR))
			return;
	}
}

/* Nothing of carrel's is open in it, and the terminal's signals are not for it: it ends when nobody can ask. */
static void watcher(int fd, struct policy_calls *calls)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "carrel:watcher", 0, 0, 0);
	if (dup2(fd, STDIN_FILENO) == -1 || syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0) == -1)
		_exit(1);
	watch(STDIN_FILENO, calls);
	_exit(0);
}

int policy_watch_start(struct policy_watch *w)
{
	int fd[2] = { -1, -1 };

	*w = (struct policy_watch){ .socket = -1, .pid = -1 };
	void *mem = mmap(NULL, sizeof(*w->calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -1;
	w->calls = mem;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	w->pid = fork();
	if (w->pid == 0) {
		close(fd[0]);
		watcher(fd[1], w->calls);
	}
	int err = errno;
	close(fd[1]);
	w->socket = fd[0];
	errno = err;
	return w->pid == -1 ? -1 : 0;
}

int policy_watch_end(struct policy_watch *w)
{
	int status = 0;
	pid_t pid;

	if (w->pid <= 0)
		return 0;
	close(w->socket);
	w->socket = -1;
	do
		pid = waitpid(w->pid, &status, 0);
	while (pid == -1 && errno == EINTR);
	w->pid = -1;
	return pid == -1 || status != 0 || w->calls->broken != 0 ? -1 : 0;
}

void policy_watch_finish(struct policy_watch *w)
{
	policy_watch_end(w);
	if (w->calls != NULL)
		munmap(w->calls, sizeof(*w->calls));
	w->calls = NULL;
}
