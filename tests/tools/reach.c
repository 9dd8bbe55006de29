/* SPDX-License-Identifier: ISC */
/*
 * reach WHAT:WHERE...: try it, and print WHAT:WHERE and "ok" or the name of the error, one line each.
 *
 *	read list write create append mkdir rmdir unlink symlink fifo sock truncate execute device ioctl stat PATH
 *	mknod PATH		a device with the number of /dev/null
 *	link rename PATH,PATH
 *	connect bind PORT	TCP on 127.0.0.1;  udp PORT: send a datagram there;  free 0: prints a free port
 *	mptcp fastopen int80 socketcall PORT	other ways to connect;  ring 0: io_uring;  ulp 0: an upper layer protocol;
 *	x32 0: a system call of that ABI
 *	abstract NAME, kill PID, chown PATH (to user 1), cap NUMBER (raise it in the ambient set), securebits 0
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* In <linux/random.h>: something that a device of everybody's answers. */
#define ENTROPY _IOR('R', 0x00, int)

typedef long attempt(const char *where, const char *second);

static long try_open(const char *path, int how)
{
	int fd = open(path, how | O_CLOEXEC, 0666);
	char byte;

	if (fd == -1)
		return -1;
	long r = (how & O_ACCMODE) == O_RDONLY && !(how & O_DIRECTORY) ? read(fd, &byte, 1) : 0;
	close(fd);
	return r;
}

#define ATTEMPT(name) static long try_##name(__attribute__((unused)) const char *a, __attribute__((unused)) const char *b)
#define OPENS(name, how) ATTEMPT(name) { return try_open(a, how); }
OPENS(read, O_RDONLY)
OPENS(list, O_RDONLY | O_DIRECTORY)
OPENS(write, O_WRONLY)
OPENS(append, O_WRONLY | O_APPEND)
OPENS(create, O_WRONLY | O_CREAT | O_EXCL)

ATTEMPT(mkdir) { return mkdir(a, 0777); }
ATTEMPT(rmdir) { return rmdir(a); }
ATTEMPT(unlink) { return unlink(a); }
ATTEMPT(symlink) { return symlink("to", a); }
ATTEMPT(fifo) { return mkfifo(a, 0666); }
ATTEMPT(mknod) { return mknod(a, S_IFCHR | 0666, 0x103); }
ATTEMPT(truncate) { return truncate(a, 0); }
ATTEMPT(link) { return link(a, b); }
ATTEMPT(rename) { return rename(a, b); }
ATTEMPT(chown) { return chown(a, 1, 1); }
ATTEMPT(kill) { return kill(atoi(a), 0); }
ATTEMPT(cap) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)atoi(a), 0, 0); }
ATTEMPT(securebits) { return prctl(PR_SET_SECUREBITS, (unsigned long)atoi(a), 0, 0, 0); }

ATTEMPT(stat)
{
	struct stat st;

	return stat(a, &st);
}

ATTEMPT(execute)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl(a, a, (char *)NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	return errno != 0 ? -1 : 0;
}

ATTEMPT(ioctl)
{
	int fd = open(a, O_RDONLY | O_NOCTTY | O_CLOEXEC), bits;

	return fd == -1 ? -1 : ioctl(fd, ENTROPY, &bits);
}

ATTEMPT(sock)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", a);
	return bind(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&un, sizeof(un));
}

ATTEMPT(abstract)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s", a);
	return connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&un,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a)));
}

static struct sockaddr_in local(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

ATTEMPT(connect)
{
	struct sockaddr_in in = local(a);

	return connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&in, sizeof(in));
}

ATTEMPT(bind)
{
	struct sockaddr_in in = local(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long r = bind(fd, (struct sockaddr *)&in, sizeof(in));

	close(fd);
	return r;
}

ATTEMPT(udp)
{
	struct sockaddr_in in = local(a);

	return sendto(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "x", 1, 0, (struct sockaddr *)&in,
		      sizeof(in)) == 1 ? 0 : -1;
}

ATTEMPT(mptcp)
{
	struct sockaddr_in in = local(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262);

	return fd == -1 ? -1 : connect(fd, (struct sockaddr *)&in, sizeof(in));
}

ATTEMPT(fastopen)
{
	struct sockaddr_in in = local(a);
	struct msghdr msg = { .msg_name = &in, .msg_namelen = sizeof(in),
			      .msg_iov = &(struct iovec){ (char[]){ 'x' }, 1 }, .msg_iovlen = 1 };
	struct mmsghdr many = { .msg_hdr = msg };
	const int flags = MSG_FASTOPEN;
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Any of them. */
	long r = sendto(fd[0], "x", 1, flags, (struct sockaddr *)&in, sizeof(in));
	if (r == -1)
		r = sendmsg(fd[1], &msg, flags);
	return r == -1 ? sendmmsg(fd[2], &many, 1, flags) : r;
}

ATTEMPT(ring)
{
	struct {
		uint32_t words[30];
	} ring = { { 0 } };

	return syscall(SYS_io_uring_setup, 2, &ring);
}

ATTEMPT(ulp)
{
	/* TCP_ULP; without a name it is EINVAL where there is such an option. */
	return setsockopt(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), IPPROTO_TCP, 31, "", 0);
}

#ifdef __x86_64__
/* A call of i386, with arguments in the low part of the memory. */
static long low_call(long nr, long first, long second, long third)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(first), "c"(second), "d"(third) : "memory", "r8", "r9", "r10", "r11");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : r;
}

static struct sockaddr_in *low_memory(const char *port)
{
	struct sockaddr_in *in = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	*in = local(port);
	return in;
}

ATTEMPT(int80)
{
	struct sockaddr_in *in = low_memory(a);
	long fd = low_call(359, AF_INET, SOCK_STREAM, 262);

	return fd == -1 ? -1 : low_call(362, fd, (long)in, sizeof(*in));
}

ATTEMPT(socketcall)
{
	struct sockaddr_in *in = low_memory(a);
	uint32_t *args = (uint32_t *)(in + 1);

	args[0] = AF_INET, args[1] = SOCK_STREAM, args[2] = 262;
	long fd = low_call(102, 1, (long)args, 0);
	args[0] = (uint32_t)fd, args[1] = (uint32_t)(uintptr_t)in, args[2] = sizeof(*in);
	return fd == -1 ? -1 : low_call(102, 3, (long)args, 0);
}

ATTEMPT(x32) { return syscall(0x40000000 + SYS_getpid); }
#endif

static int free_port(void)
{
	struct sockaddr_in in = local("0");
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		return 1;
	printf("%d\n", ntohs(in.sin_port));
	return 0;
}

static const struct {
	const char *name;
	attempt *run;
} attempts[] = {
#define ROW(name) { #name, try_##name }
	ROW(read), ROW(list), ROW(write), ROW(append), ROW(create), ROW(mkdir), ROW(rmdir), ROW(unlink), ROW(symlink),
	ROW(fifo), ROW(mknod), ROW(truncate), ROW(link), ROW(rename), ROW(chown), ROW(kill), ROW(cap), ROW(securebits),
	ROW(mptcp), ROW(fastopen), ROW(ring), ROW(ulp),
#ifdef __x86_64__
	ROW(int80), ROW(socketcall), ROW(x32),
#endif
	ROW(stat), ROW(execute), ROW(ioctl), ROW(sock), ROW(abstract), ROW(connect), ROW(bind), ROW(udp),
};

static const char *name_of(int err)
{
#ifdef __GLIBC__
	return strerrorname_np(err);
#else
	return strerror(err);
#endif
}

static int reach(char *word)
{
	char *where = strchr(word, ':');

	if (where == NULL)
		return 2;
	*where++ = 0;
	if (strcmp(word, "free") == 0)
		return free_port();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (strcmp(attempts[i].name, word) != 0)
			continue;
		printf("%s:%s ", word, where);
		char *second = strchr(where, ',');
		if (second != NULL)
			*second++ = 0;
		printf("%s\n", attempts[i].run(where, second) == -1 ? name_of(errno) : "ok");
		return 0;
	}
	fprintf(stderr, "reach: no %s\n", word);
	return 2;
}

int main(int argc, char **argv)
{
	int status = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc && status == 0; i++)
		status = reach(argv[i]);
	return status;
}
