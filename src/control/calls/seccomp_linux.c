/* SPDX-License-Identifier: ISC */
/* System call policies: programs that came from elsewhere are handed to the kernel, and nothing is known of them. */
#include "calls.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "presets.inc"

/* Linux 5.19: a call that the listener has heard of is interrupted by what kills and nothing else. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define PRESET(name) { #name, name##_filter, sizeof(name##_filter) / sizeof(name##_filter[0]) }

/* Made from src/policy/NAME.policy when carrel was built. */
static const struct {
	const char *name;
	const struct sock_filter *filter;
	size_t len;
} presets[] = { PRESET(default), PRESET(strict), { "none", NULL, 0 } };

static int64_t load(const void *filter, size_t len, unsigned flags)
{
	const struct sock_fprog program = { (unsigned short)len, (struct sock_filter *)(uintptr_t)filter };

	if (len > BPF_MAXINSNS)
		return -E2BIG;
	return len > 0 ? call_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)) : 0;
}

int64_t call_seccomp_preset(const struct arg *a)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(a[0].s, presets[i].name) == 0)
			return load(presets[i].filter, presets[i].len, 0);
	}
	return -EINVAL;
}

int64_t call_seccomp_filter(const struct arg *a)
{
	if (a[0].n % sizeof(struct sock_filter) != 0)
		return -EINVAL;
	return load(a[0].s, a[0].n / sizeof(struct sock_filter), 0);
}

/* ---------------------------------------------------------------- listener --- */

#define LISTEN_MAX 2048

/*
 * Between the moment that there is a listener and the moment that somebody has it, nobody answers: whatever the filter
 * asks about would wait for ever.  So calls whose sixth argument is ${cookie}, an address that nobody else has, are
 * let through; those that are made here do not look at it.
 */
static size_t exempt(struct sock_filter *f, uint64_t cookie)
{
	const uint32_t sixth = offsetof(struct seccomp_data, args) + 5 * sizeof(uint64_t);
	const struct sock_filter first[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sixth),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)cookie, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sixth + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(cookie >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	memcpy(f, first, sizeof(first));
	return sizeof(first) / sizeof(first[0]);
}

/* Hand ${listener} over and let go of it, so that its reader's end is an error to us instead of silence. */
static int64_t hand_over(int socket, int listener, void *cookie)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	char byte = 'l';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.head), &listener, sizeof(listener));
	int64_t r = call_result(syscall(SYS_sendmsg, socket, &m, MSG_NOSIGNAL, 0, 0, cookie));
	syscall(SYS_close, listener, 0, 0, 0, 0, cookie);
	syscall(SYS_close, socket, 0, 0, 0, 0, cookie);
	return r < 0 ? r : 0;
}

int64_t call_seccomp_listen(const struct arg *a)
{
	struct sock_filter f[LISTEN_MAX + 8];
	const size_t len = a[1].n / sizeof(struct sock_filter);

	if (a[1].n % sizeof(struct sock_filter) != 0 || len == 0)
		return -EINVAL;
	if (len > LISTEN_MAX)
		return -E2BIG;
	size_t n = exempt(f, (uint64_t)(uintptr_t)&f);
	memcpy(f + n, a[1].s, a[1].n);
	int64_t fd = load(f, n + len, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd == -EINVAL)
		fd = load(f, n + len, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	return fd < 0 ? fd : hand_over((int)a[0].i, (int)fd, &f);
}
