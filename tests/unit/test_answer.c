/* SPDX-License-Identifier: ISC */
/*
 * Calls of the port from request to reply (port/answer.c and control/calls/), byte for byte, and
 * what they did. Terms are written in notation.h. What needs rights or the port's own state is
 * tested with the program.
 */
#include "tap.h"

#include "answer.h"
#include "calls/calls.h"
#include "notation.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/statfs.h>
#endif

/* As much as the root of a tree can answer. */
#define REPLY_MAX 65527

static unsigned char reply_room[REPLY_MAX];
static struct buf reply;
static char dir[64];

static const struct call *row(const char *name)
{
	const struct call *c =
		call_by_name((struct slice){ (const unsigned char *)name, strlen(name) });

	CHECK(c != NULL);
	return c;
}

/* Leaves the whole reply in ${reply}. */
static void ask(const char *name, const char *arguments)
{
	static char mem[PORT_MEMORY];
	struct arena a = { mem, mem + sizeof(mem) };
	struct arg arg[CALL_ARGS_MAX];
	struct term_in in;
	struct buf b;

	buf_init(&b, 1 << 24);
	notation(&b, arguments);
	term_in_init(&in, b.data, b.len);
	buf_init_fixed(&reply, reply_room, sizeof(reply_room));
	if (port_decode(row(name), &in, arg, &a, &reply) == 0)
		port_perform(row(name), arg, &reply);
	CHECK_INT(reply.err, 0);
	buf_finish(&b);
}

static void check_reply(const char *file, int line, const char *name, const char *arguments,
			const char *want)
{
	struct buf b;

	ask(name, arguments);
	buf_init(&b, 1 << 24);
	buf_append_byte(&b, TAG_VERSION);
	notation(&b, want);
	if (b.len != reply.len || memcmp(b.data, reply.data, b.len) != 0)
		fprintf(stderr, "%s:%d: %s%s is not %s\n", file, line, name, arguments, want);
	CHECK_MEM(reply.data, reply.len, b.data, b.len);
	buf_finish(&b);
}

/* Arguments and reply with printf, so that numbers can be put in. */
__attribute__((format(printf, 1, 2))) static const char *text(const char *fmt, ...)
{
	static char texts[4][4096];
	static unsigned next;
	char *t = texts[next++ % 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t, sizeof(texts[0]), fmt, ap);
	va_end(ap);
	return t;
}

#define REPLY(name, arguments, want) check_reply(__FILE__, __LINE__, name, arguments, want)

/* The number in {ok, N}. */
static int64_t ok_int(const char *name, const char *arguments)
{
	struct term_in in;
	struct slice ok;
	int64_t n;

	ask(name, arguments);
	term_in_init(&in, reply.data, reply.len);
	CHECK(term_in_version(&in) == 0 && term_in_tuple(&in, 2) == 0 &&
	      term_in_atom(&in, &ok) == 0 && slice_is(ok, "ok") &&
	      term_in_int(&in, INT64_MIN, INT64_MAX, &n) == 0 && in.p == in.end);
	return n;
}

static void own_directory(void)
{
	strcpy(dir, "/tmp/carrel-answer-XXXXXX");
	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
}

static void remove_directory(void)
{
	CHECK(chdir("/") == 0 && rmdir(dir) == 0);
}

/* ------------------------------------------------------------------ vectors --- */

static void check_hex(const char *want)
{
	struct buf b;
	const char *p = want;

	buf_init(&b, 1 << 16);
	notation_hex(&b, &p);
	CHECK_MEM(reply.data, reply.len, b.data, b.len);
	buf_finish(&b);
}

TEST(vectors)
{
	buf_init_fixed(&reply, reply_room, sizeof(reply_room));
	reply_ok(&reply);
	check_hex("8377026f6b");
	reply.len = 0;
	reply_atom(&reply, "badarg");
	check_hex("837706626164617267");
	reply.len = 0;
	reply_error(&reply, EBADF);
	check_hex("83680277056572726f7277056562616466");
	reply.len = 0;
	reply_int(&reply, 300);
	check_hex("83620000012c");
	reply.len = 0;
	reply_int(&reply, -1);
	check_hex("8362ffffffff");
	reply.len = 0;
	reply_ok_int(&reply, 7);
	check_hex("83680277026f6b6107");
	ask("version", "{}");
	check_hex("836d00000005312e302e31");
	ask("close", "{9999}");
	check_hex("83680277056572726f7277056562616466");
	ask("close", "{}");
	check_hex("837706626164617267");
}

/* ---------------------------------------------------------------- test aids --- */

TEST(alloc)
{
	ask("alloc", "{[<ab>, {ptr, 4}, {ptr, <xyz>}, {ptr, 0}, <c>]}");
	struct term_in in;
	struct slice s, all;
	uint32_t n;
	term_in_init(&in, reply.data, reply.len);
	CHECK(term_in_version(&in) == 0 && term_in_tuple(&in, 3) == 0 &&
	      term_in_atom(&in, &s) == 0 && term_in_binary(&in, &all) == 0);
	CHECK_INT(all.len, 3 + 3 * sizeof(void *));
	CHECK(term_in_list(&in, &n) == 0 && n == 5);
	CHECK(term_in_binary(&in, &s) == 0 && slice_is(s, "ab"));
	CHECK(term_in_tuple(&in, 2) == 0 && term_in_atom(&in, &s) == 0 && slice_is(s, "ptr"));
	CHECK(term_in_binary(&in, &s) == 0);
	CHECK_MEM(s.data, s.len, "\0\0\0\0", 4);
	CHECK(term_in_tuple(&in, 2) == 0 && term_in_atom(&in, &s) == 0 && slice_is(s, "ptr"));
	CHECK(term_in_binary(&in, &s) == 0 && slice_is(s, "xyz"));
	CHECK(term_in_binary(&in, &s) == 0);
	CHECK_MEM(s.data, s.len, "\0\0\0\0\0\0\0\0", sizeof(void *));
	CHECK(term_in_binary(&in, &s) == 0 && slice_is(s, "c"));
	CHECK(term_in_list_end(&in, n) == 0 && in.p == in.end);
	REPLY("alloc", "{[<>]}", "{ok, <>, [<>]}");
	/* The reply is too large: an error, and nothing of the answer. */
	REPLY("alloc", "{[<x*32752>]}", text("{ok, %s, [%s]}", "<x*32752>", "<x*32752>"));
	REPLY("alloc", "{[<x*32753>]}", "{error, emsgsize}");
}

TEST(iodata)
{
	REPLY("iolist_to_bin", "{[]}", "<>");
	REPLY("iolist_to_bin", "{[<ab>, [99, \"d\"]]}", "<abcd>");
	REPLY("iolist_to_bin", "{<x*65521>}", "<x*65521>");
	REPLY("iolist_to_bin", "{<x*65522>}", "badarg");
}

TEST(names)
{
	REPLY("errno_id", "{1}", "eperm");
	REPLY("errno_id", "{0}", "unknown");
	REPLY("errno_id", "{-5}", "unknown");
	REPLY("signal_constant", "{sigterm}", "15");
	REPLY("signal_constant", "{SIGTERM}", "15");
	REPLY("signal_constant", "{nosuch}", "unknown");
	REPLY("file_constant", "{o_rdonly}", "0");
	REPLY("fcntl_constant", "{fd_cloexec}", "1");
	REPLY("rlimit_constant", "{rlimit_nofile}", text("%d", RLIMIT_NOFILE));
	REPLY("ioctl_constant", "{nosuch}", "unknown");
	REPLY("mount_constant", "{nosuid}", "2");
#ifdef __linux__
	REPLY("mount_constant", "{ms_nouser}", "18446744071562067968");
	REPLY("prctl_constant", "{pr_set_ptracer_any}", "18446744073709551615");
	REPLY("prctl_constant", "{seccomp_mode_filter}", "2");
	REPLY("clone_constant", "{clone_newns}", "131072");
	REPLY("ptrace_constant", "{ptrace_traceme}", "0");
	REPLY("seccomp_constant", "{seccomp_set_mode_filter}", "1");
	REPLY("seccomp_constant", "{seccomp_mode_filter}", "unknown");
	REPLY("syscall_constant", "{audit_arch_x86_64}", "3221225534");
	REPLY("syscall_constant", "{sys_ugetrlimit}", "unknown");
	REPLY("cap_constant", "{cap_read}", "undef");
#endif
}

/* -------------------------------------------------------------- environment --- */

TEST(environment)
{
	REPLY("clearenv", "{}", "ok");
	REPLY("environ", "{}", "[]");
	REPLY("getenv", "{<A>}", "false");
	REPLY("setenv", "{<A>, <1>, 0}", "ok");
	REPLY("setenv", "{<A>, <2>, 0}", "ok");
	REPLY("getenv", "{\"A\"}", "<1>");
	REPLY("setenv", "{<A>, [50], 1}", "ok");
	REPLY("getenv", "{<A>}", "<2>");
	REPLY("setenv", "{<B>, [], 1}", "ok");
	REPLY("getenv", "{<B>}", "<>");
	REPLY("environ", "{}", "[<A=2>, <B=>]");
	REPLY("setenv", "{<A=>, <1>, 0}", "{error, einval}");
	REPLY("unsetenv", "{<A>}", "ok");
	REPLY("getenv", "{<A>}", "false");
	REPLY("setenv", "{<C>, <x*60000>, 1}", "ok");
	REPLY("setenv", "{<D>, <x*60000>, 1}", "ok");
	REPLY("environ", "{}", "badarg");
	REPLY("getenv", "{<C>}", "<x*60000>");
}

/* ----------------------------------------------------- files and directories --- */

TEST(files)
{
	struct stat st;

	own_directory();
	REPLY("mkdir", "{<d>, 448}", "ok");
	CHECK(stat("d", &st) == 0 && S_ISDIR(st.st_mode));
	REPLY("mkdir", "{<d>, 448}", "{error, eexist}");
	REPLY("getcwd", "{}", text("{ok, <%s>}", dir));
	REPLY("chdir", "{<d>}", "ok");
	REPLY("getcwd", "{}", text("{ok, <%s/d>}", dir));
	REPLY("chdir", "{[<..>, <#00>, <x>]}", "ok");
	REPLY("chdir", "{<nosuch>}", "{error, enoent}");
	REPLY("mkfifo", "{<f>, 384}", "ok");
	CHECK(stat("f", &st) == 0 && S_ISFIFO(st.st_mode));
	REPLY("chmod", "{<f>, 256}", "ok");
	CHECK(stat("f", &st) == 0 && (st.st_mode & 0777) == 0400);
	REPLY("chmod", "{<nosuch>, 256}", "{error, enoent}");
	REPLY("symlink", "{<f>, <s>}", "ok");
	CHECK(lstat("s", &st) == 0 && S_ISLNK(st.st_mode));
	REPLY("link", "{<f>, <h>}", "ok");
	CHECK(stat("h", &st) == 0 && st.st_nlink == 2);
	REPLY("link", "{<f>, <h>}", "{error, eexist}");
	REPLY("chown", text("{<f>, %u, 4294967295}", getuid()), "ok");
	REPLY("chown", "{<nosuch>, 0, 0}", "{error, enoent}");
	REPLY("unlink", "{<s>}", "ok");
	REPLY("unlink", "{<s>}", "{error, enoent}");
	REPLY("unlink", "{<h>}", "ok");
	REPLY("unlink", "{<f>}", "ok");
	REPLY("rmdir", "{<d>}", "ok");
	REPLY("rmdir", "{<d>}", "{error, enoent}");
	remove_directory();
}

TEST(read_and_write)
{
	own_directory();
	int64_t fd = ok_int("open", "{<f>, [o_rdwr, o_creat, o_excl], 384}");
	/* As asked for, and not more. */
	CHECK_INT(fcntl((int)fd, F_GETFD), 0);
	REPLY("open", "{<f>, [o_rdwr, o_creat, o_excl], 384}", "{error, eexist}");
	REPLY("write", text("{%d, [<hello>, 32, \"you\"]}", (int)fd), "{ok, 9}");
	REPLY("write", text("{%d, []}", (int)fd), "{ok, 0}");
	REPLY("write", "{9999, <x>}", "{error, ebadf}");
	REPLY("read", text("{%d, 10}", (int)fd), "{ok, <>}");
	REPLY("lseek", text("{%d, 0, 0}", (int)fd), "ok");
	REPLY("read", text("{%d, 5}", (int)fd), "{ok, <hello>}");
	REPLY("read", text("{%d, 0}", (int)fd), "{ok, <>}");
	REPLY("lseek", text("{%d, -3, 2}", (int)fd), "ok");
	REPLY("read", text("{%d, 18446744073709551615}", (int)fd), "{ok, <you>}");
	REPLY("lseek", text("{%d, -1, 0}", (int)fd), "{error, einval}");
	REPLY("read", "{9999, 1}", "{error, ebadf}");
	/* More than fits: what fits. */
	CHECK(ftruncate((int)fd, 100000) == 0 && lseek((int)fd, 0, SEEK_SET) == 0);
	ask("read", text("{%d, 18446744073709551615}", (int)fd));
	CHECK_INT(reply.len, REPLY_MAX);
	CHECK_INT(lseek((int)fd, 0, SEEK_CUR), 65515);
	REPLY("close", text("{%d}", (int)fd), "ok");
	REPLY("close", text("{%d}", (int)fd), "{error, ebadf}");
	CHECK(unlink("f") == 0);
	remove_directory();
}

TEST(readdir)
{
	own_directory();
	ask("readdir", "{<.>}");
	struct term_in in;
	struct slice s;
	uint32_t n;
	term_in_init(&in, reply.data, reply.len);
	CHECK(term_in_version(&in) == 0 && term_in_tuple(&in, 2) == 0 &&
	      term_in_atom(&in, &s) == 0 && slice_is(s, "ok") && term_in_list(&in, &n) == 0);
	CHECK_INT(n, 2);
	REPLY("readdir", "{<nosuch>}", "{error, enoent}");
	REPLY("readdir", "{</dev/null>}", "{error, enotdir}");
	int before = dup(0);
	close(before);
	/* More names than fit. */
	for (int i = 0; i < 400; i++) {
		char name[256];

		snprintf(name, sizeof(name), "%0200d", i);
		CHECK(close(open(name, O_CREAT | O_WRONLY, 0600)) == 0);
	}
	REPLY("readdir", "{<.>}", "{error, emsgsize}");
	for (int i = 0; i < 400; i++) {
		char name[256];

		snprintf(name, sizeof(name), "%0200d", i);
		CHECK(unlink(name) == 0);
	}
	int after = dup(0);
	CHECK_INT(after, before);
	remove_directory();
}

/* -------------------------------------------------------------- descriptors --- */

TEST(descriptors)
{
	int fd[2];

	CHECK(pipe2(fd, O_CLOEXEC) == 0);
	REPLY("fcntl", text("{%d, f_getfd, 0}", fd[0]), "{ok, 1}");
	REPLY("fcntl", text("{%d, f_setfd, 0}", fd[0]), "{ok, 0}");
	CHECK_INT(fcntl(fd[0], F_GETFD), 0);
	REPLY("fcntl", "{9999, f_getfd, 0}", "{error, ebadf}");
	REPLY("fcntl", "{0, nosuch, 0}", "{error, enotsup}");
	REPLY("select", text("{[%d], [], [], {alcove_timeval, 0, 0}}", fd[0]), "{ok, [], [], []}");
	CHECK(write(fd[1], "abc", 3) == 3);
	REPLY("select", text("{[%d], [%d], [], []}", fd[0], fd[1]),
	      text("{ok, [%d], [%d], []}", fd[0], fd[1]));
	REPLY("select", "{\"#c8\", [], [], []}", "{error, ebadf}");
	REPLY("select", "{[], [], [], {alcove_timeval, -1, 0}}", "{error, einval}");
	REPLY("select", "{[], [], [], {alcove_timeval, 0, 1000}}", "{ok, [], [], []}");
	REPLY("select", "{[5000], [], [], []}", "{error, ebadf}");
#ifdef __linux__
	REPLY("ioctl", text("{%d, fionread, <#00000000>}", fd[0]), "{ok, 0, <#03000000>}");
	REPLY("ioctl", text("{%d, fionread, <>}", fd[0]), "{ok, 0, <>}");
	REPLY("ioctl", text("{%d, fionread, [<#0000>, <#0000>, <x>]}", fd[0]),
	      "{ok, 0, [<#0300>, <#0000>, <x>]}");
	REPLY("ioctl", text("{%d, fioclex, 0}", fd[0]), "{ok, 0, <>}");
	CHECK_INT(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	REPLY("ioctl", text("{%d, tiocgwinsz, <x>}", fd[0]), "{error, enotty}");
	REPLY("ioctl", "{9999, fionread, <x>}", "{error, ebadf}");
#endif
}

TEST(sockets)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "s" };
	char zero[2 * 107 + 1];

	own_directory();
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(listener, 1) == 0);
	int64_t fd = ok_int("socket", "{af_unix, sock_stream, 0}");
	CHECK_INT(fcntl((int)fd, F_GETFD), 0);
	memset(zero, '0', sizeof(zero));
	zero[2 * 107] = 0;
	REPLY("connect", text("{%d, [<#0100>, <s>, <#%s>]}", (int)fd, zero), "ok");
	CHECK(accept(listener, NULL, NULL) >= 0);
	REPLY("connect", text("{%d, [<#0100>, <nosuch>]}", (int)fd), "{error, enoent}");
	REPLY("connect", text("{%d, []}", (int)fd), "{error, einval}");
	REPLY("connect", "{9999, [<#0100>]}", "{error, ebadf}");
	REPLY("socket", "{9999, sock_stream, 0}", "{error, eafnosupport}");
	CHECK(unlink("s") == 0);
	remove_directory();
}

/* ---------------------------------------------------------------- processes --- */

TEST(identity)
{
	uid_t u[3];
	gid_t g[3];

	CHECK(getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0);
	REPLY("getpid", "{}", text("%d", getpid()));
	REPLY("getpgrp", "{}", text("%d", getpgrp()));
	REPLY("getuid", "{}", text("%u", getuid()));
	REPLY("getgid", "{}", text("%u", getgid()));
	REPLY("getresuid", "{}", text("{ok, %u, %u, %u}", u[0], u[1], u[2]));
	REPLY("getresgid", "{}", text("{ok, %u, %u, %u}", g[0], g[1], g[2]));
	REPLY("getsid", "{0}", text("{ok, %d}", getsid(0)));
	REPLY("getsid", "{99999999}", "{error, esrch}");
	REPLY("setpgid", "{-1, 0}", "{error, einval}");
	REPLY("setsid", "{}", "{error, eperm}");
	REPLY("kill", "{0, 0}", "ok");
	REPLY("kill", "{99999999, sigterm}", "{error, esrch}");
	REPLY("kill", "{0, 9999}", "{error, einval}");
	pid_t child = fork();
	if (child == 0) {
		REPLY("setsid", "{}", text("{ok, %d}", getpid()));
		_exit(0);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* Runs in a process that ends by _exit: a leak checker has no rights any more. */
static void change_identity(void)
{
	REPLY("setgroups", "{\"#01c8\"}", "ok");
	REPLY("getgroups", "{}", "{ok, [1, 200]}");
	REPLY("setgroups", "{[]}", "ok");
	REPLY("getgroups", "{}", "{ok, []}");
	REPLY("setresgid", "{1, 2, 3}", "ok");
	REPLY("getresgid", "{}", "{ok, 1, 2, 3}");
	REPLY("setgid", "{5}", "ok");
	REPLY("getresgid", "{}", "{ok, 5, 5, 5}");
	REPLY("setresuid", "{4294967295, 2, 4294967295}", "ok");
	REPLY("getresuid", "{}", "{ok, 0, 2, 0}");
	REPLY("setuid", "{7}", "{error, eperm}");
	REPLY("setgroups", "{[1]}", "{error, eperm}");
	REPLY("sethostname", "{<x>}", "{error, eperm}");
	REPLY("chroot", "{</>}", "{error, eperm}");
	_exit(0);
}

TEST(identity_with_rights)
{
	int status;

	if (geteuid() != 0)
		SKIP("needs root");
	pid_t child = fork();
	if (child == 0)
		change_identity();
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(chroot_and_host_name)
{
	int status;

	if (geteuid() != 0)
		SKIP("needs root");
	own_directory();
	pid_t child = fork();
	if (child == 0) {
		char name[65] = "";

		REPLY("unshare", "{[clone_newuts]}", "ok");
		REPLY("sethostname", "{\"carrel\"}", "ok");
		REPLY("gethostname", "{}", "{ok, <carrel>}");
		CHECK(gethostname(name, 64) == 0);
		CHECK_STR(name, "carrel");
		REPLY("chroot", "{<.>}", "ok");
		REPLY("getcwd", "{}", "{ok, </>}");
		REPLY("chdir", "{</tmp>}", "{error, enoent}");
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	remove_directory();
}

TEST(limits_and_priority)
{
	struct rlimit l;

	CHECK(getrlimit(RLIMIT_CORE, &l) == 0);
	REPLY("setrlimit", "{rlimit_core, {alcove_rlimit, 0, 4096}}", "ok");
	REPLY("getrlimit", "{rlimit_core}", "{ok, {alcove_rlimit, 0, 4096}}");
	REPLY("setrlimit", "{rlimit_core, {alcove_rlimit, 4097, 4096}}", "{error, einval}");
	REPLY("getrlimit", "{rlimit_cpu}",
	      "{ok, {alcove_rlimit, 18446744073709551615, 18446744073709551615}}");
	REPLY("getrlimit", "{999}", "{error, einval}");
	REPLY("getrlimit", "{nosuch}", "{error, enotsup}");
	int priority = getpriority(PRIO_PROCESS, 0);
	REPLY("getpriority", "{prio_process, 0}", text("{ok, %d}", priority));
	REPLY("setpriority", "{prio_process, 0, 9}", "ok");
	REPLY("getpriority", "{prio_process, prio_process}", "{ok, 9}");
	REPLY("getpriority", "{prio_process, 99999999}", "{error, esrch}");
	REPLY("getpriority", "{99, 0}", "{error, einval}");
	if (geteuid() == 0) {
		REPLY("setpriority", "{prio_process, 0, -1}", "ok");
		REPLY("getpriority", "{prio_process, 0}", "{ok, -1}");
	}
}

TEST(host_name)
{
	char name[256] = "";

	CHECK(gethostname(name, 255) == 0);
	REPLY("gethostname", "{}", text("{ok, <%s>}", name));
}

static pid_t ending(int status, int sig)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		if (sig != 0)
			raise(sig);
		if (sig == SIGSTOP)
			pause();
		_exit(status);
	}
	CHECK(pid > 0);
	return pid;
}

TEST(waitpid)
{
	pid_t pid = ending(0, 0);
	REPLY("waitpid", text("{%d, 0}", pid), text("{ok, %d, 0, [{exit_status, 0}]}", pid));
	pid = ending(3, 0);
	REPLY("waitpid", "{-1, []}", text("{ok, %d, 768, [{exit_status, 3}]}", pid));
	pid = ending(0, SIGTERM);
	REPLY("waitpid", text("{%d, 0}", pid), text("{ok, %d, 15, [{termsig, sigterm}]}", pid));
	pid = ending(0, SIGRTMIN + 3);
	REPLY("waitpid", text("{%d, 0}", pid),
	      text("{ok, %d, %d, [{termsig, unknown}]}", pid, SIGRTMIN + 3));
	pid = ending(0, SIGSTOP);
	REPLY("waitpid", text("{%d, [wuntraced]}", pid),
	      text("{ok, %d, 4991, [{stopsig, sigstop}]}", pid));
	REPLY("waitpid", "{-1, [wnohang]}", "{ok, 0, 0, []}");
	CHECK(kill(pid, SIGCONT) == 0);
	REPLY("waitpid", text("{%d, [wcontinued]}", pid), text("{ok, %d, 65535, [continued]}", pid));
	REPLY("waitpid", "{-1, [wnohang]}", "{ok, 0, 0, []}");
	CHECK(kill(pid, SIGKILL) == 0);
	REPLY("waitpid", text("{%d, 0}", pid), text("{ok, %d, 9, [{termsig, sigkill}]}", pid));
	REPLY("waitpid", "{-1, 0}", "{error, echild}");
}

#ifdef __linux__
TEST(prctl)
{
	REPLY("prctl", "{pr_set_name, <carre>, 0, 0, 0}", "{ok, 0, <carre>, 0, 0, 0}");
	REPLY("prctl", "{pr_get_name, <#0000000000000000000000000000000000>, [], [], []}",
	      "{ok, 0, <#6361727265000000000000000000000000>, 0, 0, 0}");
	REPLY("prctl", "{pr_set_pdeathsig, 9, 0, 0, 0}", "{ok, 0, 9, 0, 0, 0}");
	REPLY("prctl", "{pr_get_pdeathsig, <#00000000>, 0, 0, 0}",
	      "{ok, 0, <#09000000>, 0, 0, 0}");
	REPLY("prctl", "{pr_get_pdeathsig, [<#0000>, <#0000>], 0, 0, 0}",
	      "{ok, 0, [<#0900>, <#0000>], 0, 0, 0}");
	REPLY("prctl", "{pr_get_dumpable, pr_set_name, 0, 0, 0}",
	      text("{ok, %d, 15, 0, 0, 0}", prctl(PR_GET_DUMPABLE)));
	REPLY("prctl", "{9999, 0, 0, 0, 0}", "{error, einval}");
	REPLY("prctl", "{pr_set_pdeathsig, 9999, 0, 0, 0}", "{error, einval}");
}

TEST(ptrace)
{
	long mark = -5;
	int status;
	pid_t child = fork();

	if (child == 0) {
		REPLY("ptrace", "{ptrace_traceme, 0, 0, 0}", "{ok, 0, <>, <>}");
		raise(SIGSTOP);
		_exit(mark == -5 ? 1 : (int)mark);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	REPLY("ptrace", text("{ptrace_geteventmsg, %d, 0, <#ffffffffffffffff>}", child),
	      "{ok, 0, <>, <#0000000000000000>}");
	REPLY("ptrace", text("{ptrace_cont, %d, 0, 0}", 99999999), "{error, esrch}");
	REPLY("ptrace", text("{ptrace_cont, %d, 0, 0}", child), "{ok, 0, <>, <>}");
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 1);
}

/* One instruction that allows everything, by both ways. */
TEST(seccomp)
{
	char status[4096] = "";

	REPLY("seccomp", "{seccomp_set_mode_filter, 0, []}", "{error, efault}");
	REPLY("prctl", "{pr_set_no_new_privs, 1, 0, 0, 0}", "{ok, 0, 1, 0, 0, 0}");
	REPLY("seccomp",
	      "{seccomp_set_mode_filter, 0, [<#0100>, <#000000000000>, {ptr, <#060000000000ff7f>}]}",
	      "ok");
	ask("prctl", "{pr_set_seccomp, seccomp_mode_filter, [<#0100>, <#000000000000>, "
		     "{ptr, <#060000000000ff7f>}], 0, 0}");
	CHECK(reply.len > 6 && memcmp(reply.data + 1, "\x68\x06\x77\x02ok", 6) == 0);
	int fd = open("/proc/self/status", O_RDONLY);
	CHECK(read(fd, status, sizeof(status) - 1) > 0);
	CHECK(strstr(status, "Seccomp_filters:\t2") != NULL);
	REPLY("seccomp", "{9999, 0, []}", "{error, einval}");
}

static void on_sigsys(int sig)
{
	(void)sig;
}

/* A filter that lets getcwd trap: the handler runs, and what there is to say is said. */
TEST(a_call_that_traps)
{
	char filter[512];
	/* The number of the system call; getcwd traps, everything else is allowed. */
	snprintf(filter, sizeof(filter),
		 "{pr_set_seccomp, seccomp_mode_filter, [<#0400>, <#000000000000>, {ptr, "
		 "<#2000000000000000150000%02x%02x000000060000000000030006000000%s>}], 0, 0}",
		 1, SYS_getcwd & 0xff, "0000ff7f");
	signal(SIGSYS, on_sigsys);
	REPLY("prctl", "{pr_set_no_new_privs, 1, 0, 0, 0}", "{ok, 0, 1, 0, 0, 0}");
	ask("prctl", filter);
	CHECK(reply.len > 8 && memcmp(reply.data + 1, "\x68\x06\x77\x02ok", 6) == 0);
	REPLY("getpid", "{}", text("%d", getpid()));
	REPLY("getcwd", "{}", "{ok, <>}");
}

TEST(mounts)
{
	REPLY("umount", "{</nosuch>}", "{error, enoent}");
	REPLY("umount2", "{</nosuch>, [mnt_detach]}", "{error, enoent}");
	REPLY("pivot_root", "{</nosuch>, </nosuch>}",
	      getuid() == 0 ? "{error, enoent}" : "{error, eperm}");
	REPLY("setns", "{0, clone_newns}", "{error, einval}");
	REPLY("setns", "{9999, 0}", "{error, ebadf}");
	struct statfs fs;
	pid_t child = fork();
	if (child == 0) {
		ask("unshare", "{[clone_newuser, clone_newns]}");
		if (reply.data[1] != TAG_SMALL_ATOM_UTF8)
			_exit(77);
		REPLY("mount", "{[], </tmp>, <tmpfs>, [ms_nosuid, nodev], [], []}",
		      "{error, enotsup}");
		REPLY("mount", "{<#6e00>, </tmp>, <tmpfs>, [ms_nosuid], <size=4096>, []}", "ok");
		/* The size shows that the data arrived. */
		CHECK(statfs("/tmp", &fs) == 0 && fs.f_type == TMPFS_MAGIC && fs.f_blocks == 1);
		REPLY("umount2", "{</tmp>, [mnt_detach]}", "ok");
		CHECK(statfs("/tmp", &fs) == 0 && (fs.f_type != TMPFS_MAGIC || fs.f_blocks != 1));
		REPLY("mount", "{[], </nosuch>, <tmpfs>, 0, [], []}", "{error, enoent}");
		REPLY("mount", "{[], </tmp>, <nosuchfs>, 0, [], []}", "{error, enodev}");
		_exit(0);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("no namespaces here");
	CHECK_INT(WEXITSTATUS(status), 0);
}
#endif

/* ------------------------------------------------------------- every call --- */

/* Each row is there for its door, and only there. */
TEST(handlers)
{
	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);

		if (c == NULL)
			continue;
		const struct handler *h = handler_of(c);
		bool values = c->result == RESULT_VALUE || c->result == RESULT_OKVALUE;
		bool there = c->here && c->door != DOOR_STATE && c->door != DOOR_REAPER &&
			     c->door != DOOR_STREAM && c->door != DOOR_SERVE && c->door != DOOR_TASK;

		CHECK((h->value != NULL) == (there && values));
		CHECK((h->number != NULL) == (there && !values));
	}
	struct arg none[CALL_ARGS_MAX] = { 0 };
	buf_init_fixed(&reply, reply_room, sizeof(reply_room));
	port_perform(row("fork"), none, &reply);
	check_hex("837705756e646566");
}

/* A reply that has no room at all is an error in the buffer, and no byte is written past it. */
TEST(no_room)
{
	struct arg none[CALL_ARGS_MAX] = { 0 };
	unsigned char small[32];

	memset(small, 0xa5, sizeof(small));
	for (size_t n = 0; n < 24; n++) {
		buf_init_fixed(&reply, small, n);
		port_perform(row("version"), none, &reply);
		CHECK(reply.len <= n && small[n] == 0xa5);
		CHECK_INT(reply.err, n < 9 ? EMSGSIZE : 0);
		memset(small, 0xa5, sizeof(small));
	}
}
