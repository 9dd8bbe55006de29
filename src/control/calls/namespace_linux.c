/* SPDX-License-Identifier: ISC */
/* Namespaces. */
#include "calls.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int64_t call_setns(const struct arg *a)
{
	return call_result(setns((int)a[0].i, (int)a[1].i));
}

int64_t call_unshare(const struct arg *a)
{
	return call_result(unshare((int)a[0].i));
}

int64_t call_loopback_up(const struct arg *a)
{
	struct ifreq lo = { .ifr_name = "lo" };

	(void)a;
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	scoped_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	/* libcs do not agree on the type of the request. */
	return call_result(syscall(SYS_ioctl, fd, SIOCSIFFLAGS, &lo));
}

/* In one write: the kernel takes such a file whole or not at all. */
static int write_map(int64_t pid, const char *name, const struct arg *text)
{
	char path[64];

	if (text->n == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	scoped_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	ssize_t n = write(fd, text->s, text->n);
	return n == -1 ? -errno : n == (ssize_t)text->n ? 0 : -EIO;
}

/* The words of ${text} behind ${argv}, ended by NULL: 0, or -E2BIG. */
static int split(char *text, char **argv, size_t room)
{
	size_t n = 0;

	for (char *word = strtok(text, " \n"); word != NULL; word = strtok(NULL, " \n")) {
		if (n + 1 >= room)
			return -E2BIG;
		argv[n++] = word;
	}
	argv[n] = NULL;
	return 0;
}

/* With nothing of ours but the rights that executing it gives. */
static _Noreturn void become(char **argv)
{
	char *env[] = { NULL };
	sigset_t none;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int to = 0; to < 3 && fd >= 0; to++)
		dup2(fd, to);
	syscall(SYS_close_range, 3U, ~0U, 0U);
	execve(argv[0], argv, env);
	_exit(127);
}

int64_t call_id_map_by(const struct arg *a)
{
	char text[512], pid[16], path[256], *argv[32] = { path, pid };
	int status;

	if (a[0].n >= sizeof(path) || a[2].n >= sizeof(text))
		return -E2BIG;
	snprintf(path, sizeof(path), "%s", a[0].s);
	snprintf(pid, sizeof(pid), "%d", (int)a[1].i);
	memcpy(text, a[2].s, a[2].n);
	text[a[2].n] = 0;
	int r = split(text, argv + 2, 30);
	pid_t child = r == 0 ? fork() : r;
	if (child == 0)
		become(argv);
	if (child < 0)
		return r < 0 ? r : -errno;
	while (waitpid(child, &status, 0) == -1) {
		if (errno != EINTR)
			return -errno;
	}
	return !WIFEXITED(status) || WEXITSTATUS(status) == 127 ? -ENOENT : WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

int64_t call_id_map(const struct arg *a)
{
	/* setgroups first: once there is a map of groups it cannot be denied any more. */
	int r = write_map(a[0].i, "setgroups", &a[1]);

	if (r == 0)
		r = write_map(a[0].i, "uid_map", &a[2]);
	if (r == 0)
		r = write_map(a[0].i, "gid_map", &a[3]);
	return r;
}
