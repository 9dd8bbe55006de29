/* SPDX-License-Identifier: ISC */
/*
 * System calls that the policy "default" refuses, made for real: one line each, "NAME WANTED GOT", where GOT is "ok",
 * the name of an error or "killed".  The arguments are such that nothing happens where they are allowed, and that
 * the kernel says something else than the policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOWHERE ((long)"/nonexistent")
#define NOBODY 0x3ffffff0L
#define HIGH 0x100000000L

static char bytes[4096];
static struct iovec iov = { bytes, 8 };

enum how { PLAIN, INT80, X32 };

static const struct row {
	const char *name, *wanted;
	long nr;
	long args[6];
	enum how how;
} rows[] = {
	{ "mount", "EPERM", SYS_mount, { 1, 1, 1 }, PLAIN },
	{ "umount2", "EPERM", SYS_umount2, { NOWHERE, 0 }, PLAIN },
	{ "pivot_root", "EPERM", SYS_pivot_root, { NOWHERE, NOWHERE }, PLAIN },
	{ "chroot", "EPERM", SYS_chroot, { NOWHERE }, PLAIN },
	{ "move_mount", "EPERM", SYS_move_mount, { -1, (long)"", -1, (long)"", 0 }, PLAIN },
	{ "open_tree", "EPERM", SYS_open_tree, { AT_FDCWD, (long)"/", 0 }, PLAIN },
	{ "open_tree_attr", "EPERM", 467, { AT_FDCWD, (long)"/", 0 }, PLAIN },
	{ "fsopen", "EPERM", SYS_fsopen, { (long)"nosuchfs", 0 }, PLAIN },
	{ "fsconfig", "EPERM", SYS_fsconfig, { -1, 0 }, PLAIN },
	{ "fsmount", "EPERM", SYS_fsmount, { -1, 0, 0 }, PLAIN },
	{ "fspick", "EPERM", SYS_fspick, { AT_FDCWD, NOWHERE, 0 }, PLAIN },
	{ "mount_setattr", "EPERM", SYS_mount_setattr, { -1, (long)"", 0, 0, 0 }, PLAIN },
	{ "unshare_user", "EPERM", SYS_unshare, { CLONE_NEWUSER }, PLAIN },
	{ "unshare_uts", "EPERM", SYS_unshare, { CLONE_NEWUTS }, PLAIN },
	{ "unshare_ipc", "EPERM", SYS_unshare, { CLONE_NEWIPC }, PLAIN },
	{ "unshare_net", "EPERM", SYS_unshare, { CLONE_NEWNET }, PLAIN },
	{ "unshare_pid", "EPERM", SYS_unshare, { CLONE_NEWPID }, PLAIN },
	{ "unshare_mount", "EPERM", SYS_unshare, { CLONE_NEWNS | CLONE_FS }, PLAIN },
	{ "unshare_cgroup", "EPERM", SYS_unshare, { CLONE_NEWCGROUP }, PLAIN },
	{ "unshare_time", "EPERM", SYS_unshare, { 0x80 }, PLAIN },
	{ "clone_user", "EPERM", SYS_clone, { CLONE_NEWUSER | SIGCHLD }, PLAIN },
	{ "clone_user_high", "EPERM", SYS_clone, { HIGH | CLONE_NEWUSER | SIGCHLD }, PLAIN },
	{ "clone_pid", "EPERM", SYS_clone, { CLONE_NEWPID | SIGCHLD }, PLAIN },
	{ "clone_net", "EPERM", SYS_clone, { CLONE_NEWNET | SIGCHLD }, PLAIN },
	{ "clone_mount", "EPERM", SYS_clone, { CLONE_NEWNS | SIGCHLD }, PLAIN },
	{ "clone3", "ENOSYS", SYS_clone3, { 0, 0 }, PLAIN },
	{ "setns", "EPERM", SYS_setns, { -1, 0 }, PLAIN },
	{ "ptrace_attach", "EPERM", SYS_ptrace, { PTRACE_ATTACH, NOBODY }, PLAIN },
	{ "ptrace_seize", "EPERM", SYS_ptrace, { PTRACE_SEIZE, NOBODY }, PLAIN },
	{ "process_vm_readv", "EPERM", SYS_process_vm_readv, { NOBODY, (long)&iov, 1, (long)&iov, 1 }, PLAIN },
	{ "process_vm_writev", "EPERM", SYS_process_vm_writev, { NOBODY, (long)&iov, 1, (long)&iov, 1 }, PLAIN },
	{ "process_madvise", "EPERM", SYS_process_madvise, { -1, (long)&iov, 1 }, PLAIN },
	{ "process_mrelease", "EPERM", 448, { -1, 0 }, PLAIN },
	{ "pidfd_getfd", "EPERM", SYS_pidfd_getfd, { -1, 0, 0 }, PLAIN },
	{ "kcmp", "EPERM", SYS_kcmp, { NOBODY, NOBODY, 0 }, PLAIN },
	{ "tiocsti", "EPERM", SYS_ioctl, { -1, TIOCSTI }, PLAIN },
	{ "tiocsti_high", "EPERM", SYS_ioctl, { -1, HIGH | TIOCSTI }, PLAIN },
	{ "tiocsti_sign", "EPERM", SYS_ioctl, { -1, (long)(0xffffffff00000000UL | TIOCSTI) }, PLAIN },
	{ "tioclinux", "EPERM", SYS_ioctl, { -1, TIOCLINUX }, PLAIN },
	{ "tioclinux_high", "EPERM", SYS_ioctl, { -1, HIGH | TIOCLINUX }, PLAIN },
	{ "socket_vsock", "EAFNOSUPPORT", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, PLAIN },
	{ "socket_vsock_high", "EAFNOSUPPORT", SYS_socket, { HIGH | AF_VSOCK, SOCK_STREAM, 0 }, PLAIN },
	{ "socket_packet", "EAFNOSUPPORT", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, PLAIN },
	{ "socket_netfilter", "EAFNOSUPPORT", SYS_socket, { AF_NETLINK, SOCK_RAW, 12 }, PLAIN },
	{ "socket_netfilter_high", "EAFNOSUPPORT", SYS_socket, { AF_NETLINK, SOCK_RAW, HIGH | 12 }, PLAIN },
	{ "socket_uevent", "EAFNOSUPPORT", SYS_socket, { AF_NETLINK, SOCK_RAW, 15 }, PLAIN },
	{ "socket_generic", "EAFNOSUPPORT", SYS_socket, { AF_NETLINK, SOCK_RAW, 16 }, PLAIN },
	{ "socket_many", "EAFNOSUPPORT", SYS_socket, { AF_NETLINK, 77, 4 }, PLAIN },
	{ "socketpair_inet", "EAFNOSUPPORT", SYS_socketpair, { AF_INET, SOCK_STREAM, 0, (long)bytes }, PLAIN },
	{ "ktls", "ENOENT", SYS_setsockopt, { -1, 6, 31, (long)"tls", 3 }, PLAIN },
	{ "personality_fixed", "EPERM", SYS_personality, { ADDR_NO_RANDOMIZE }, PLAIN },
	{ "personality_exec", "EPERM", SYS_personality, { READ_IMPLIES_EXEC }, PLAIN },
	{ "io_uring_setup", "ENOSYS", SYS_io_uring_setup, { 0, 0 }, PLAIN },
	{ "io_uring_enter", "ENOSYS", SYS_io_uring_enter, { -1, 0, 0 }, PLAIN },
	{ "io_uring_register", "ENOSYS", SYS_io_uring_register, { -1, 0, 0, 0 }, PLAIN },
	{ "bpf", "EPERM", SYS_bpf, { 9999, 0, 1 << 20 }, PLAIN },
	{ "perf_event_open", "EPERM", SYS_perf_event_open, { 0, 0, -1, -1, 0 }, PLAIN },
	{ "userfaultfd", "EPERM", SYS_userfaultfd, { O_CLOEXEC | 1 }, PLAIN },
	{ "add_key", "EPERM", SYS_add_key, { (long)"user", (long)"refused", (long)"x", 1, KEY_SPEC_PROCESS_KEYRING }, PLAIN },
	{ "request_key", "EPERM", SYS_request_key, { (long)"user", (long)"refused", 0, 0 }, PLAIN },
	{ "keyctl", "EPERM", SYS_keyctl, { KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1 }, PLAIN },
	{ "init_module", "EPERM", SYS_init_module, { 0, 0, (long)"" }, PLAIN },
	{ "finit_module", "EPERM", SYS_finit_module, { -1, (long)"", 0 }, PLAIN },
	{ "delete_module", "EPERM", SYS_delete_module, { (long)"nosuchmodule", 0 }, PLAIN },
	{ "kexec_load", "EPERM", SYS_kexec_load, { 0, 0, 0, 0xffff }, PLAIN },
	{ "kexec_file_load", "EPERM", SYS_kexec_file_load, { -1, -1, 0, 0, 0xffff }, PLAIN },
	{ "reboot", "EPERM", SYS_reboot, { 1, 2, 3, 0 }, PLAIN },
	{ "syslog", "EPERM", SYS_syslog, { 10, 0, 0 }, PLAIN },
	{ "settimeofday", "EPERM", SYS_settimeofday, { 1, 0 }, PLAIN },
	{ "clock_settime", "EPERM", SYS_clock_settime, { 0, 1 }, PLAIN },
	{ "swapon", "EPERM", SYS_swapon, { NOWHERE, 0 }, PLAIN },
	{ "swapoff", "EPERM", SYS_swapoff, { NOWHERE }, PLAIN },
	{ "acct", "EPERM", SYS_acct, { NOWHERE }, PLAIN },
	{ "quotactl", "EPERM", SYS_quotactl, { 0x7fff00, NOWHERE, 0, 0 }, PLAIN },
	{ "quotactl_fd", "EPERM", 443, { -1, 0x7fff00, 0, 0 }, PLAIN },
#ifdef __x86_64__
	{ "iopl", "EPERM", SYS_iopl, { 0 }, PLAIN },
	{ "ioperm", "EPERM", SYS_ioperm, { 0, 1, 0 }, PLAIN },
	{ "modify_ldt", "EPERM", SYS_modify_ldt, { 0, (long)bytes, 0 }, PLAIN },
	{ "foreign_getpid", "killed", 20, { 0 }, INT80 },
	{ "foreign_socketcall", "killed", 102, { 0 }, INT80 },
	{ "foreign_unknown", "killed", 4000, { 0 }, INT80 },
	{ "x32_getpid", "killed", 39, { 0 }, X32 },
	{ "x32_unshare", "killed", 272, { 0 }, X32 },
#endif
	{ "open_by_handle_at", "EPERM", SYS_open_by_handle_at, { -1, 1, 0 }, PLAIN },
	{ "fanotify_init", "EPERM", SYS_fanotify_init, { 0x200, 0 }, PLAIN },
	{ "fanotify_mark", "EPERM", SYS_fanotify_mark, { -1, 1, 0, -1, 0 }, PLAIN },
	{ "sethostname", "EPERM", SYS_sethostname, { 0, -1 }, PLAIN },
	{ "setdomainname", "EPERM", SYS_setdomainname, { 0, -1 }, PLAIN },
	{ "migrate_pages", "EPERM", SYS_migrate_pages, { NOBODY, 1, 0, 0 }, PLAIN },
	{ "move_pages", "EPERM", SYS_move_pages, { 0, 0, 0, 0, 0, 0 }, PLAIN },
	{ "statmount", "ENOSYS", 457, { 0, 0, 0, 0 }, PLAIN },
	{ "listmount", "ENOSYS", 458, { 0, 0, 0, 0 }, PLAIN },
	{ "lsm_list_modules", "ENOSYS", 461, { 0, 0, 0 }, PLAIN },
};

static long make(const struct row *r)
{
#ifdef __x86_64__
	long result = r->nr;

	if (r->how == INT80) {
		__asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
		errno = (int)-result;
		return (int)result < 0 && (int)result > -4096 ? -1 : result;
	}
#endif
	return syscall(r->nr | (r->how == X32 ? 0x40000000 : 0), r->args[0], r->args[1], r->args[2], r->args[3],
		       r->args[4], r->args[5]);
}

/* In a child of its own, which may die of it; its errno is its status, and 0 is success. */
static void tell(const struct row *r)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(make(r) == -1 ? errno : 0);
	while (pid > 0 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	printf("%s %s %s\n", r->name, r->wanted,
	       WIFSIGNALED(status) ? (WTERMSIG(status) == SIGSYS ? "killed" : "died") :
	       WEXITSTATUS(status) != 0 ? strerrorname_np(WEXITSTATUS(status)) :
					  "ok");
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tell(&rows[i]);
	return 0;
}
