/* SPDX-License-Identifier: ISC */
/*
 * oldlandlock ABI COMMAND...: run it on a kernel whose Landlock is of that version (0: none), as far as it can tell.
 *
 * A supervisor that the kernel asks at each landlock_create_ruleset(2) (seccomp's user notification) tells that
 * version, and refuses rules with rights that it does not know, as such a kernel would; everything else is done by
 * the real one.
 */
#include "common.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

const char *tool_name = "oldlandlock";

/* What each version knows of files, the network and scopes. */
static uint64_t known(int abi, int member)
{
	switch (member) {
	case 0:
		return abi >= 5 ? 0xffff : abi >= 3 ? 0x7fff : abi >= 2 ? 0x3fff : 0x1fff;
	case 1:
		return abi >= 4 ? 3 : 0;
	default:
		return abi >= 6 ? 3 : 0;
	}
}

/* The rules that it would make, as a kernel of that version answers; 0: let the real one do it. */
static int judge(int abi, const struct seccomp_notif *n)
{
	uint64_t attr[3] = { 0 };
	size_t size = n->data.args[1] < sizeof(attr) ? (size_t)n->data.args[1] : sizeof(attr);
	struct iovec to = { attr, size }, from = { (void *)(uintptr_t)n->data.args[0], size };

	if (process_vm_readv((pid_t)n->pid, &to, 1, &from, 1, 0) != (ssize_t)size)
		return -EACCES;
	for (int i = 0; i < 3; i++) {
		/* A member that it does not have may be there if it is 0. */
		if (attr[i] & ~known(abi, i))
			return known(abi, i) == 0 ? -E2BIG : -EINVAL;
	}
	return 0;
}

static void answer(int listener, int abi)
{
	struct seccomp_notif n;
	struct seccomp_notif_resp r;

	memset(&n, 0, sizeof(n));
	memset(&r, 0, sizeof(r));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == -1)
		return;
	r.id = n.id;
	if (abi == 0)
		r.error = -EOPNOTSUPP;
	else if (n.data.args[2] == 1)
		r.val = abi;
	else
		r.error = judge(abi, &n);
	if (r.error == 0 && r.val == 0)
		r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static int listen_to_it(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 3)
		die(EXIT_USAGE, "usage: oldlandlock ABI COMMAND...");
	int abi = (int)parse_number("ABI", argv[1], 0, 6);
	int listener = listen_to_it();
	if (listener == -1)
		die(EXIT_OWN, "no listener: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == -1)
		die(EXIT_OWN, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(listener);
		execute(argv + 2, -1);
	}
	struct pollfd p[2] = { { .fd = listener, .events = POLLIN },
			       { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN } };
	do {
		poll(p, 2, -1);
		if (p[0].revents & POLLIN)
			answer(listener, abi);
	} while (p[1].revents == 0);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
