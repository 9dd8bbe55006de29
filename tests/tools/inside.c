/* SPDX-License-Identifier: ISC */
/*
 * What a hostile command would try from inside: one line for each attempt, its name and what came of it, "ok" when it
 * was allowed or the name of the error.  Nothing that would hurt the host if it were allowed.
 *
 *	inside [NAME=VALUE...]	pid=N: a process of the host; abstract=NAME: a socket of the host; port=N: on
 *				127.0.0.1 of the host; key=NAME: a key of the caller's session
 *	inside -h COMMAND...	makes these on the host, and runs COMMAND with them in $WORDS and as open descriptors
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <grp.h>
#include <termios.h>
#include <unistd.h>

static const char *error_name(int err)
{
	static char text[16];
	static const struct {
		int err;
		const char *name;
	} names[] = { { EPERM, "EPERM" },   { EACCES, "EACCES" }, { ENOSYS, "ENOSYS" },	    { ENOSPC, "ENOSPC" },
		      { ENOENT, "ENOENT" }, { ESRCH, "ESRCH" },	  { EINVAL, "EINVAL" },	    { ENOTTY, "ENOTTY" },
		      { ENXIO, "ENXIO" },   { EROFS, "EROFS" },	  { ENOKEY, "ENOKEY" },	    { EBADF, "EBADF" },
		      { EFAULT, "EFAULT" }, { ECONNREFUSED, "ECONNREFUSED" }, { EAFNOSUPPORT, "EAFNOSUPPORT" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].err == err)
			return names[i].name;
	}
	snprintf(text, sizeof(text), "E%d", err);
	return text;
}

static void tell(const char *name, long r)
{
	printf("%s %s\n", name, r == -1 ? error_name(errno) : "ok");
	fflush(stdout);
}

/* In a child, which may die of it. */
static void tell_forked(const char *name, long (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(attempt() == -1 ? errno : 0);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status)) {
		printf("%s killed\n", name);
		return;
	}
	errno = WEXITSTATUS(status);
	tell(name, errno != 0 ? -1 : 0);
}

static int quiet_child(void *arg)
{
	(void)arg;
	return 0;
}

static long clone_user(void)
{
	static char stack[65536];

	return clone(quiet_child, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL);
}

static long clone3_user(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long r = syscall(SYS_clone3, &args, sizeof(args));

	if (r == 0)
		_exit(0);
	return r;
}

static long unshare_user(void)
{
	return unshare(CLONE_NEWUSER);
}

static long unshare_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static long foreign(void)
{
#ifdef __x86_64__
	long r;

	/* getpid of i386 */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory");
	errno = (int)-r;
	return r < 0 ? -1 : 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long set_root(void)
{
	return setuid(0);
}

static int open_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC, protocol);
}

static int connect_abstract(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", name);
	return connect(open_socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)));
}

static int connect_port(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(open_socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a));
}

static void rights(void)
{
	tell("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	tell("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	tell("cgroup", mount("cgroup", "/tmp", "cgroup", 0, "memory"));
	tell("cgroup2", mount("cgroup2", "/tmp", "cgroup2", 0, NULL));
	tell("umount", umount2("/proc/sys", MNT_DETACH));
	tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	tell("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	tell("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &(uint64_t[4]){ 0 }, 32));
	tell("pivot_root", syscall(SYS_pivot_root, "/", "/"));
	tell("chroot", chroot("/"));
	tell("mknod", mknod("/tmp/null", S_IFCHR | 0666, 0x103));
	tell("setgroups", setgroups(0, NULL));
	tell_forked("setuid", set_root);
	tell_forked("unshare_user", unshare_user);
	tell_forked("clone_user", clone_user);
	tell_forked("clone3_user", clone3_user);
	tell_forked("unshare_mounts", unshare_mounts);
	tell("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	tell("init_module", syscall(SYS_init_module, NULL, 0, ""));
	tell("swapon", syscall(SYS_swapon, "/nonexistent", 0));
	tell("acct", syscall(SYS_acct, "/nonexistent"));
	tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, (uint32_t[8]){ 8, 1 }, 0));
	tell("syslog", syscall(SYS_syslog, 3, (char[16]){ 0 }, 16));
#ifdef __x86_64__
	tell("iopl", syscall(SYS_iopl, 3));
#endif
}

static void others(void)
{
	struct iovec iov = { (char[8]){ 0 }, 8 }, from = { NULL, 8 };

	tell("setns", setns(open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC), 0));
	tell("ptrace_init", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	tell("read_init", process_vm_readv(1, &iov, 1, &from, 1, 0));
	tell("init_exe", open("/proc/1/exe", O_RDONLY | O_CLOEXEC));
	tell("init_root", open("/proc/1/root", O_RDONLY | O_CLOEXEC));
	tell("init_cwd", open("/proc/1/cwd", O_RDONLY | O_CLOEXEC));
	tell("init_fd", open("/proc/1/fd/0", O_RDONLY | O_CLOEXEC));
	tell("init_mem", open("/proc/1/mem", O_RDONLY | O_CLOEXEC));
	tell("init_environ", open("/proc/1/environ", O_RDONLY | O_CLOEXEC) >= 0 &&
			     read(open("/proc/1/environ", O_RDONLY | O_CLOEXEC), iov.iov_base, 8) > 0 ? 0 : -1);
	tell("tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
	tell("tiocsti", ioctl(0, TIOCSTI, "x"));
	/* The kernel looks at 32 bits of it; a filter that looks at 64 takes it for something else. */
	tell("tiocsti_high", syscall(SYS_ioctl, 0, TIOCSTI | UINT64_C(1) << 32, "x"));
	tell("tioclinux", ioctl(0, TIOCLINUX, (char[]){ 3 }));
}

/* With a connection of its own, on its own loopback. */
static long kernel_tls(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int server = open_socket(AF_INET, SOCK_STREAM, 0), client = open_socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&a, sizeof(a)) == -1 || listen(server, 1) == -1 ||
	    getsockname(server, (struct sockaddr *)&a, &len) == -1 ||
	    connect(client, (struct sockaddr *)&a, sizeof(a)) == -1)
		return -1;
	return setsockopt(client, IPPROTO_TCP, 31 /* TCP_ULP */, "tls", 3);
}

static void surface(void)
{
	struct {
		uint32_t words[30];
	} ring = { { 0 } };

	tell("io_uring", syscall(SYS_io_uring_setup, 2, &ring));
	tell("bpf", syscall(SYS_bpf, 5, &(char[128]){ 0 }, 128));
	tell("perf", syscall(SYS_perf_event_open, &(uint32_t[32]){ 1, 128 }, 0, -1, -1, 0));
	tell("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC));
	tell("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0));
	tell("add_key", syscall(SYS_add_key, "user", "inside", "x", 1, KEY_SPEC_PROCESS_KEYRING));
	tell_forked("foreign", foreign);
	tell("vsock", open_socket(AF_VSOCK, SOCK_STREAM, 0));
	tell("alg", open_socket(AF_ALG, SOCK_SEQPACKET, 0));
	tell("packet", open_socket(AF_PACKET, SOCK_RAW, 0));
	tell("raw", open_socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
	tell("rxrpc", open_socket(33, SOCK_DGRAM, AF_INET));
	tell("pfkey", open_socket(AF_KEY, SOCK_RAW, 2));
	tell("xfrm", open_socket(AF_NETLINK, SOCK_RAW, 6));
	tell_forked("ktls", kernel_tls);
	tell("netfilter", open_socket(AF_NETLINK, SOCK_RAW, 12));
	printf("filter %s\n", prctl(PR_GET_SECCOMP) == 2 ? "on" : "ok");
}

/* Not close-on-exec, as from a careless caller. */
static int host(char **command)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int a = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
	char name[64], words[256];

	snprintf(name, sizeof(name), "carrel-inside-%d", (int)getpid());
	strcpy(un.sun_path + 1, name);
	if (bind(a, (struct sockaddr *)&un,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) == -1 ||
	    listen(a, 8) == -1 || bind(t, (struct sockaddr *)&in, sizeof(in)) == -1 || listen(t, 8) == -1 ||
	    getsockname(t, (struct sockaddr *)&in, &len) == -1)
		return perror("inside"), 125;
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	long key = syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_SESSION_KEYRING);
	snprintf(words, sizeof(words), "pid=%d abstract=%s port=%d%s%s", (int)getpid(), name, ntohs(in.sin_port),
		 key != -1 ? " key=" : "", key != -1 ? name : "");
	setenv("WORDS", words, 1);
	execvp(command[0], command);
	return perror(command[0]), 127;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "-h") == 0)
		return host(argv + 2);
	rights();
	others();
	surface();
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=') + 1;

		if (strncmp(argv[i], "pid=", 4) == 0)
			tell("kill", kill(atoi(value), 0));
		else if (strncmp(argv[i], "abstract=", 9) == 0)
			tell("abstract", connect_abstract(value));
		else if (strncmp(argv[i], "port=", 5) == 0)
			tell("port", connect_port(value));
		else if (strncmp(argv[i], "key=", 4) == 0)
			tell("key", syscall(SYS_request_key, "user", value, NULL, 0));
	}
	return 0;
}
