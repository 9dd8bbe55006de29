/* SPDX-License-Identifier: ISC */
/* Making a process in namespaces of its own, and what such a process does to itself. */
#include "sys.h"

#include "fd.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* Where a filter around us lets nobody call clone3.  The child is moved before it is told to go on. */
static pid_t fork_by_clone(uint64_t namespaces, int cgroup)
{
	long pid = syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, 0);
	int r = pid == -1 ? -errno : pid > 0 && cgroup >= 0 ? sys_cgroup_join(cgroup, (pid_t)pid) : 0;

	if (r < 0 && pid > 0) {
		kill((pid_t)pid, SIGKILL);
		while (waitpid((pid_t)pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	return r < 0 ? r : (pid_t)pid;
}

pid_t sys_fork_isolated(uint64_t namespaces, int cgroup)
{
	struct clone_args args = {
		.flags = namespaces | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (__u64)cgroup : 0,
	};

	if ((namespaces & ~(uint64_t)NAMESPACES) != 0)
		return -EINVAL;
	long pid = syscall(SYS_clone3, &args,
			   cgroup >= 0 ? CLONE_ARGS_SIZE_VER2 : CLONE_ARGS_SIZE_VER0);
	if (pid == -1 && errno == ENOSYS && (namespaces & CLONE_NEWTIME) == 0)
		return fork_by_clone(namespaces, cgroup);
	return pid == -1 ? -errno : (pid_t)pid;
}

/* Settings that forbid namespaces, by the value that does. */
static const struct {
	uint64_t namespaces;
	bool max;		/* errno is ENOSPC, not EPERM */
	const char *path, *value, *text;
} switches[] = {
	{ CLONE_NEWUSER, false, "sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "kernel.apparmor_restrict_unprivileged_userns=1" },
	{ CLONE_NEWUSER, false, "sys/kernel/unprivileged_userns_clone", "0",
	  "kernel.unprivileged_userns_clone=0" },
	{ CLONE_NEWUSER, true, "sys/user/max_user_namespaces", "0", "user.max_user_namespaces=0" },
	{ CLONE_NEWNS, true, "sys/user/max_mnt_namespaces", "0", "user.max_mnt_namespaces=0" },
	{ CLONE_NEWPID, true, "sys/user/max_pid_namespaces", "0", "user.max_pid_namespaces=0" },
	{ CLONE_NEWNET, true, "sys/user/max_net_namespaces", "0", "user.max_net_namespaces=0" },
	{ CLONE_NEWIPC, true, "sys/user/max_ipc_namespaces", "0", "user.max_ipc_namespaces=0" },
	{ CLONE_NEWUTS, true, "sys/user/max_uts_namespaces", "0", "user.max_uts_namespaces=0" },
	{ CLONE_NEWCGROUP, true, "sys/user/max_cgroup_namespaces", "0", "user.max_cgroup_namespaces=0" },
	{ CLONE_NEWTIME, true, "sys/user/max_time_namespaces", "0", "user.max_time_namespaces=0" },
};

static bool is_set(int proc, const char *path, const char *value)
{
	char text[32];

	if (fd_read_file(proc, path, text, sizeof(text)) < 0)
		return false;
	text[strcspn(text, "\n")] = 0;
	return strcmp(text, value) == 0;
}

const char *sys_namespaces_forbidden(int proc, uint64_t namespaces, int err, bool made)
{
	bool max = err == ENOSPC || err == EUSERS;

	if ((!max && err != EPERM && err != EACCES) || (made && geteuid() == 0))
		return NULL;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (switches[i].namespaces & namespaces && switches[i].max == max &&
		    is_set(proc, switches[i].path, switches[i].value))
			return switches[i].text;
		/* The first lets them be made and takes the rights in them away. */
		if (made)
			return NULL;
	}
	if (max)
		return "the limit of a namespace kind (user.max_*_namespaces, or 32 levels)";
	return namespaces & CLONE_NEWUSER ? "a container, chroot or security module around carrel" : NULL;
}

bool sys_namespaces_have_users(uint64_t namespaces)
{
	return (namespaces & CLONE_NEWUSER) != 0;
}

int sys_parent_death(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ? -errno : 0;
}

int sys_hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ? -errno : 0;
}

int sys_no_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	return syscall(SYS_capset, &head, data) == -1 ? -errno : 0;
}

static void close_from_to(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Before Linux 5.9. */
	long end = sysconf(_SC_OPEN_MAX);
	for (unsigned fd = first; fd <= last && (long)fd < end; fd++)
		close((int)fd);
}

void sys_close_all_but(int *keep, size_t n)
{
	unsigned from = 0;

	for (size_t i = 1; i < n; i++) {
		int fd = keep[i];
		size_t to = i;

		for (; to > 0 && keep[to - 1] > fd; to--)
			keep[to] = keep[to - 1];
		keep[to] = fd;
	}
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < from)
			continue;
		if ((unsigned)keep[i] > from)
			close_from_to(from, (unsigned)keep[i] - 1);
		from = (unsigned)keep[i] + 1;
	}
	close_from_to(from, ~0U);
}

int sys_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd == -1 ? -errno : fd;
}

int sys_pidfd_signal(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 ? -errno : 0;
}

/* struct pidfd_info of Linux 6.15, which headers of today may not have. */
struct end_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t exit_code;
};
#define INFO_EXIT 8
#define GET_INFO _IOWR(0xFF, 11, struct end_info)

int sys_pidfd_status(int fd, int *ret)
{
	struct end_info info = { .mask = INFO_EXIT };

	if (syscall(SYS_ioctl, fd, GET_INFO, &info) == -1)
		return -ENOTSUP;
	if ((info.mask & INFO_EXIT) == 0)
		return -EAGAIN;
	*ret = info.exit_code;
	return 0;
}
