/* SPDX-License-Identifier: ISC */
/* carrel-task.h in a task: each function whose call does no harm, and what the kernel says about it. */
#include "tap.h"

#include <carrel-task.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

static carrel *c;
static carrel_task *root, *t;
static pid_t pid;
static carrel_error e;
static char dir[] = "/tmp/carrel-task-calls.XXXXXX";

/* What has to be 0, and tells why it is not. */
#define OK(call)                                                                                                       \
	do {                                                                                                           \
		if ((call) != 0)                                                                                       \
			tap_fail("%s: %s", #call, carrel_strerror(&e));                                                \
	} while (0)

/* A number, which is not -1. */
#define GET(call) got((call), #call)

static int64_t got(int64_t n, const char *what)
{
	if (n == -1)
		tap_fail("%s: %s", what, carrel_strerror(&e));
	return n;
}

/* What has to fail like this. */
#define FAILS(call, error)                                                                                             \
	do {                                                                                                           \
		CHECK_INT((call), -1);                                                                                 \
		CHECK_INT(e.err, (error));                                                                             \
		CHECK_INT(errno, (error));                                                                             \
	} while (0)

static void task(void)
{
	c = carrel_open(NULL, &e);
	if (c == NULL)
		tap_fail("%s", carrel_strerror(&e));
	root = carrel_task_open(c, NULL, &e);
	if (root == NULL)
		tap_fail("%s", carrel_strerror(&e));
	t = carrel_task_fork(root, NULL, &e);
	if (t == NULL)
		tap_fail("%s", carrel_strerror(&e));
	pid = carrel_pid(carrel_task_proc(t));
	CHECK(mkdtemp(dir) != NULL);
	CHECK_INT(chmod(dir, 0777), 0);
	OK(carrel_task_chdir(t, dir, &e));
	CHECK_INT(chdir(dir), 0);
}

static void done(void)
{
	char command[128];

	carrel_close(c);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_INT(system(command), 0);
}

/* Of /proc/PID/${file}: what stands behind ${key} in its line, without blanks before it. */
static const char *proc_line(const char *file, const char *key)
{
	static char line[4096];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	FILE *f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0) {
			fclose(f);
			line[strcspn(line, "\n")] = 0;
			return line + strlen(key) + strspn(line + strlen(key), " \t");
		}
	}
	if (f != NULL)
		fclose(f);
	return "";
}

static const char *proc_link(const char *format, int n)
{
	static char text[4096];
	char path[64], name[32];

	snprintf(name, sizeof(name), format, n);
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	ssize_t len = readlink(path, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = 0;
	return text;
}

static struct stat stat_of(const char *name)
{
	struct stat st = { .st_mode = 0 };

	lstat(name, &st);
	return st;
}

/* The n-th of a list, or the value itself for 0. */
static const carrel_value *item(const carrel_value *v, size_t n)
{
	if (v->kind == CARREL_LIST || v->kind == CARREL_STRUCTURE)
		return n < v->n_items ? &v->item[n] : NULL;
	return n == 0 ? v : NULL;
}

TEST(directories)
{
	carrel_value *v = NULL;

	task();
	CHECK_STR(proc_link("cwd", 0), dir);
	OK(carrel_task_mkdir(t, "sub", 0750, &e));
	CHECK_INT(stat_of("sub").st_mode, S_IFDIR | 0750);
	FAILS(carrel_task_mkdir(t, "sub", 0750, &e), EEXIST);
	CHECK_INT(e.stage, CARREL_STAGE_FILE);
	OK(carrel_task_mkdirat(t, AT_FDCWD, "sub/below", 0700, &e));
	OK(carrel_task_readdir(t, "sub", &v, &e));
	CHECK_INT(v->n_items, 3);
	carrel_value_free(v);
	FAILS(carrel_task_readdir(t, "nosuch", &v, &e), ENOENT);
	CHECK(v == NULL);
	int fd = (int)GET(carrel_task_openat(t, AT_FDCWD, "sub", O_DIRECTORY | O_PATH, 0, &e));
	OK(carrel_task_fchdir(t, fd, &e));
	CHECK_STR(strrchr(proc_link("cwd", 0), '/'), "/sub");
	OK(carrel_task_getcwd(t, &v, &e));
	CHECK_STR(v->data, proc_link("cwd", 0));
	carrel_value_free(v);
	FAILS(carrel_task_chdir(t, "/nosuch", &e), ENOENT);
	FAILS(carrel_task_chdir(t, NULL, &e), EINVAL);
	CHECK_INT(e.index, 1);
	OK(carrel_task_rmdir(t, "below", &e));
	CHECK_INT(stat_of("sub/below").st_mode, 0);
	CHECK_INT(GET(carrel_task_umask(t, 077, &e)), 022);
	CHECK_STR(proc_line("status", "Umask:"), "0077");
	done();
}

TEST(files)
{
	carrel_value *v = NULL;

	task();
	CHECK_INT(GET(carrel_task_umask(t, 0, &e)), 022);
	int fd = (int)GET(carrel_task_call_open(t, "file", O_CREAT | O_RDWR | O_CLOEXEC, 0640, &e));
	CHECK_STR(strrchr(proc_link("fd/%d", fd), '/'), "/file");
	CHECK_INT(stat_of("file").st_mode, S_IFREG | 0640);
	CHECK_INT(GET(carrel_task_write(t, fd, "some bytes", 10, &e)), 10);
	CHECK_INT(stat_of("file").st_size, 10);
	OK(carrel_task_lseek(t, fd, 5, SEEK_SET, &e));
	OK(carrel_task_read(t, fd, 100, &v, &e));
	CHECK_INT(v->size, 5);
	CHECK_STR(v->data, "bytes");
	carrel_value_free(v);
	OK(carrel_task_fchmod(t, fd, 0600, &e));
	CHECK_INT(stat_of("file").st_mode, S_IFREG | 0600);
	OK(carrel_task_chmod(t, "file", 0604, &e));
	CHECK_INT(stat_of("file").st_mode, S_IFREG | 0604);
	OK(carrel_task_link(t, "file", "hard", &e));
	CHECK_INT(stat_of("file").st_nlink, 2);
	OK(carrel_task_symlink(t, "file", "soft", &e));
	OK(carrel_task_symlinkat(t, "file", AT_FDCWD, "soft2", &e));
	CHECK(S_ISLNK(stat_of("soft").st_mode) && S_ISLNK(stat_of("soft2").st_mode));
	OK(carrel_task_mkfifo(t, "pipe", 0600, &e));
	CHECK_INT(stat_of("pipe").st_mode, S_IFIFO | 0600);
	OK(carrel_task_mknodat(t, AT_FDCWD, "empty", S_IFREG | 0600, 0, &e));
	CHECK_INT(stat_of("empty").st_mode, S_IFREG | 0600);
	OK(carrel_task_unlink(t, "hard", &e));
	CHECK_INT(stat_of("file").st_nlink, 1);
	if (geteuid() == 0) {
		OK(carrel_task_chown(t, "file", 12345, 54321, &e));
		CHECK_INT(stat_of("file").st_uid, 12345);
		OK(carrel_task_fchown(t, fd, 4294967295, 1, &e));
		CHECK_INT(stat_of("file").st_uid, 12345);
		CHECK_INT(stat_of("file").st_gid, 1);
	}
	FAILS(carrel_task_openat2(t, AT_FDCWD, "/", O_DIRECTORY, 0, 0x8 /* RESOLVE_BENEATH */, &e), EXDEV);
	OK(carrel_task_close(t, fd, &e));
	CHECK_STR(proc_link("fd/%d", fd), "");
	FAILS(carrel_task_close(t, fd, &e), EBADF);
	CHECK_INT(e.stage, CARREL_STAGE_FDS);
	done();
}

TEST(descriptors)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int both[] = { 0, 0 };
	carrel_value *v = NULL;

	task();
	int memory = (int)GET(carrel_task_memfd_create(t, "words", 0, &e));
	CHECK_STR(proc_link("fd/%d", memory), "/memfd:words (deleted)");
	CHECK_INT(GET(carrel_task_fcntl(t, memory, F_GETFD, 0, &e)), FD_CLOEXEC);
	CHECK_INT(GET(carrel_task_write(t, memory, "abc", 3, &e)), 3);
	CHECK_INT(GET(carrel_task_poll(t, memory, POLLIN, 0, &e)), POLLIN);
	int s = (int)GET(carrel_task_socket(t, AF_UNIX, SOCK_STREAM, 0, &e));
	CHECK(strncmp(proc_link("fd/%d", s), "socket:", 7) == 0);
	FAILS(carrel_task_poll(t, memory, POLLPRI, 10, &e), ETIMEDOUT);
	/* What would wait for ever has the task's deadline, and the task goes on. */
	const int sockets[] = { s };
	CHECK_INT(carrel_task_deadline(t, 100), 0);
	OK(carrel_task_mkfifo(t, "nobody", 0600, &e));
	FAILS(carrel_task_call_open(t, "nobody", O_RDONLY, 0, &e), ETIMEDOUT);
	FAILS(carrel_task_select(t, NULL, 0, NULL, 0, NULL, 0, -1, NULL, &e), ETIMEDOUT);
	CHECK_INT(carrel_task_deadline(t, 0), 0);
	OK(carrel_task_select(t, NULL, 0, sockets, 1, NULL, 0, -1, NULL, &e));
	FAILS(carrel_task_connect(t, s, &address, sizeof(address), &e), ECONNREFUSED);
	/* A listener of ours. */
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, "listener");
	CHECK_INT(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(listener, 1), 0);
	CHECK_INT(chmod("listener", 0666), 0);
	OK(carrel_task_connect(t, s, &address, sizeof(address), &e));
	int peer = accept(listener, NULL, NULL);
	CHECK_INT(write(peer, "hello", 5), 5);
	const int wanted[] = { s };
	OK(carrel_task_select(t, wanted, 1, NULL, 0, NULL, 0, 10000, &v, &e));
	CHECK_INT(v->n_items, 3);
	CHECK_INT(item(item(v, 0), 0)->number, s);
	carrel_value_free(v);
	CHECK_INT(GET(carrel_task_ioctl(t, s, FIOCLEX, 0, &e)), 0);
	OK(carrel_task_read(t, s, 5, &v, &e));
	CHECK_STR(v->data, "hello");
	carrel_value_free(v);
	close(peer);
	close(listener);
	FAILS(carrel_task_controlling_terminal(t, s, &e), ENOTTY);
	CHECK_INT(e.stage, CARREL_STAGE_TERMINAL);
	FAILS(carrel_task_foreground(t, s, &e), ENOTTY);
	const int numbers[][2] = { { memory, 60 }, { s, 61 }, { memory, 62 } };
	OK(carrel_task_dup_fds(t, numbers, 3, &e));
	CHECK_STR(proc_link("fd/%d", 62), "/memfd:words (deleted)");
	CHECK(strncmp(proc_link("fd/%d", 61), "socket:", 7) == 0);
	FAILS(carrel_task_dup_fds(t, (const int[][2]){ { 999, 70 } }, 1, &e), EBADF);
	OK(carrel_task_close_range(t, (uint32_t)memory, (uint32_t)memory, 0, &e));
	CHECK_STR(proc_link("fd/%d", memory), "");
	FAILS(carrel_task_close_range(t, 9, 3, 0, &e), EINVAL);
	FAILS(carrel_task_select(t, both, 2, (const int[]){ 999 }, 1, NULL, 0, 0, &v, &e), EBADF);
	done();
}

TEST(the_process)
{
	carrel_value *v = NULL;
	cpu_set_t set;

	task();
	CHECK_INT(GET(carrel_task_getpid(t, &e)), pid);
	OK(carrel_task_setpgid(t, 0, 0, &e));
	CHECK_INT(getpgid(pid), pid);
	CHECK_INT(GET(carrel_task_getpgrp(t, &e)), pid);
	FAILS(carrel_task_setsid(t, &e), EPERM);
	CHECK_INT(GET(carrel_task_getsid(t, 0, &e)), getsid(pid));
	OK(carrel_task_setpriority(t, PRIO_PROCESS, 0, 7, &e));
	CHECK_INT(getpriority(PRIO_PROCESS, (id_t)pid), 7);
	OK(carrel_task_getpriority(t, PRIO_PROCESS, 0, &v, &e));
	CHECK_INT(v->number, 7);
	carrel_value_free(v);
	OK(carrel_task_sched_setaffinity(t, 0, (const uint32_t[]){ 0 }, 1, &e));
	CHECK_INT(sched_getaffinity(pid, sizeof(set), &set), 0);
	CHECK_INT(CPU_COUNT(&set), 1);
	FAILS(carrel_task_sched_setaffinity(t, 0, NULL, 0, &e), EINVAL);
	OK(carrel_task_ioprio_set(t, 1, 0, 2, 6, &e));
	CHECK_INT(syscall(SYS_ioprio_get, 1, pid), 2 << 13 | 6);
	CHECK_INT(GET(carrel_task_personality(t, ADDR_NO_RANDOMIZE, &e)), 0);
	CHECK_STR(proc_line("personality", ""), "00040000");
	OK(carrel_task_kill(t, 0, 0, &e));
	int fd = (int)GET(carrel_task_pidfd_open(t, pid, 0, &e));
	OK(carrel_task_pidfd_send_signal(t, fd, 0, &e));
	FAILS(carrel_task_kill(t, 0x7ffffff0, SIGTERM, &e), ESRCH);
	CHECK_INT(e.stage, CARREL_STAGE_SIGNAL);
	CHECK_INT(GET(carrel_task_prctl(t, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0, &e)), 0);
	CHECK_STR(proc_line("status", "NoNewPrivs:"), "1");
	CHECK_INT(GET(carrel_task_prctl(t, 39 /* PR_GET_NO_NEW_PRIVS */, 0, 0, 0, 0, &e)), 1);
	OK(carrel_task_gethostname(t, &v, &e));
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	CHECK_STR(v->data, host);
	carrel_value_free(v);
	OK(carrel_task_keyctl_join_session(t, &e));
	FAILS(carrel_task_waitpid(t, -1, 1 /* WNOHANG */, &v, &e), ECHILD);
	FAILS(carrel_task_seccomp(t, 1, 99, NULL, 0, &e), EINVAL);
	OK(carrel_task_reset_signals(t, (const uint32_t[]){ SIGHUP, SIGTERM }, 2, &e));
	CHECK_STR(proc_line("status", "SigIgn:"), "0000000000004001");
	OK(carrel_task_errno_id(t, EPERM, &v, &e));
	CHECK_STR(v->data, "eperm");
	carrel_value_free(v);
	OK(carrel_task_iolist_to_bin(t, "a\0b", 3, &v, &e));
	CHECK_MEM(v->data, v->size, "a\0b", 3);
	carrel_value_free(v);
	OK(carrel_task_version(t, &v, &e));
	CHECK_INT(v->kind, CARREL_TEXT);
	carrel_value_free(v);
	OK(carrel_task_exit(t, 7, &e));
	carrel_status st;
	CHECK_INT(carrel_wait(carrel_task_proc(t), &st, 10000), 1);
	CHECK(st.exited && st.code == 7);
	FAILS(carrel_task_umask(t, 0, &e), ESRCH);
	done();
}

TEST(limits)
{
	carrel_value *v = NULL;
	struct rlimit limit;

	task();
	OK(carrel_task_setrlimit(t, RLIMIT_NOFILE, 77, 99, &e));
	CHECK_INT(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	CHECK_INT(limit.rlim_cur, 77);
	CHECK_INT(limit.rlim_max, 99);
	OK(carrel_task_getrlimit(t, RLIMIT_NOFILE, &v, &e));
	CHECK_INT(v->kind, CARREL_STRUCTURE);
	CHECK_INT(item(v, 1)->number, 77);
	CHECK_INT(item(v, 2)->number, 99);
	carrel_value_free(v);
	CHECK_INT(prlimit(pid, RLIMIT_CPU, NULL, &limit), 0);
	OK(carrel_task_prlimit(t, 0, RLIMIT_CPU, 12345678901, limit.rlim_max, &e));
	CHECK_INT(prlimit(pid, RLIMIT_CPU, NULL, &limit), 0);
	CHECK(limit.rlim_cur == 12345678901 && limit.rlim_max == RLIM_INFINITY);
	FAILS(carrel_task_setrlimit(t, RLIMIT_NOFILE, 9, 8, &e), EINVAL);
	CHECK_INT(e.stage, CARREL_STAGE_RLIMIT);
	done();
}

TEST(environment)
{
	carrel_value *v = NULL;

	task();
	OK(carrel_task_clearenv(t, &e));
	OK(carrel_task_setenv(t, "NAME", "value", 0, &e));
	OK(carrel_task_setenv(t, "NAME", "other", 0, &e));
	OK(carrel_task_getenv(t, "NAME", &v, &e));
	CHECK_STR(v->data, "value");
	carrel_value_free(v);
	OK(carrel_task_setenv(t, "EMPTY", "", 1, &e));
	OK(carrel_task_environ(t, &v, &e));
	CHECK_INT(v->n_items, 2);
	CHECK_STR(item(v, 0)->data, "NAME=value");
	carrel_value_free(v);
	OK(carrel_task_unsetenv(t, "NAME", &e));
	OK(carrel_task_getenv(t, "NAME", &v, &e));
	CHECK_INT(v->kind, CARREL_NAME);
	CHECK_STR(v->data, "false");
	carrel_value_free(v);
	FAILS(carrel_task_setenv(t, "A=B", "", 1, &e), EINVAL);
	done();
}

TEST(identity)
{
	const uint32_t groups[] = { 5, 4294967294 };
	carrel_value *v = NULL;

	if (geteuid() != 0)
		SKIP("needs root");
	task();
	OK(carrel_task_setgroups(t, groups, 2, &e));
	CHECK_STR(proc_line("status", "Groups:"), "5 4294967294 ");
	OK(carrel_task_getgroups(t, &v, &e));
	CHECK_INT(v->n_items, 2);
	CHECK_INT(item(v, 1)->number, 4294967294);
	carrel_value_free(v);
	OK(carrel_task_setgroups(t, NULL, 0, &e));
	CHECK_STR(proc_line("status", "Groups:"), "");
	OK(carrel_task_setfsgid(t, 7, &e));
	OK(carrel_task_setfsuid(t, 8, &e));
	CHECK_STR(proc_line("status", "Uid:"), "0\t0\t0\t8");
	CHECK_STR(proc_line("status", "Gid:"), "0\t0\t0\t7");
	OK(carrel_task_setregid(t, 1, 2, &e));
	OK(carrel_task_setreuid(t, 3, 0, &e));
	CHECK_STR(proc_line("status", "Gid:"), "1\t2\t2\t2");
	CHECK_STR(proc_line("status", "Uid:"), "3\t0\t0\t0");
	OK(carrel_task_setgid(t, 9, &e));
	CHECK_STR(proc_line("status", "Gid:"), "9\t9\t9\t9");
	OK(carrel_task_setresgid(t, 11, 12, 13, &e));
	CHECK_STR(proc_line("status", "Gid:"), "11\t12\t13\t12");
	CHECK_INT(GET(carrel_task_getgid(t, &e)), 11);
	OK(carrel_task_setresuid(t, 4294967294, 22, 23, &e));
	CHECK_STR(proc_line("status", "Uid:"), "4294967294\t22\t23\t22");
	CHECK_INT(GET(carrel_task_getuid(t, &e)), 4294967294);
	OK(carrel_task_getresuid(t, &v, &e));
	CHECK_INT(item(v, 0)->number, 4294967294);
	CHECK_INT(item(v, 2)->number, 23);
	carrel_value_free(v);
	OK(carrel_task_getresgid(t, &v, &e));
	CHECK_INT(item(v, 1)->number, 12);
	carrel_value_free(v);
	OK(carrel_task_setuid(t, 23, &e));
	CHECK_STR(proc_line("status", "Uid:"), "4294967294\t23\t23\t23");
	FAILS(carrel_task_setuid(t, 0, &e), EPERM);
	CHECK_INT(e.stage, CARREL_STAGE_IDS);
	FAILS(carrel_task_setfsuid(t, 0, &e), EPERM);
	done();
}

TEST(rights)
{
	const uint64_t caps[] = { 5, 7 };

	if (geteuid() != 0)
		SKIP("needs root");
	task();
	OK(carrel_task_drop_bounding(t, caps, 2, &e));
	CHECK_STR(proc_line("status", "CapBnd:"), "00000000000000a0");
	OK(carrel_task_capset(t, caps, 2, caps, 2, caps, 1, &e));
	CHECK_STR(proc_line("status", "CapEff:"), "00000000000000a0");
	CHECK_STR(proc_line("status", "CapInh:"), "0000000000000020");
	CHECK_INT(GET(carrel_task_prctl(t, 47 /* PR_CAP_AMBIENT */, 2, 5, 0, 0, &e)), 0);
	CHECK_STR(proc_line("status", "CapAmb:"), "0000000000000020");
	OK(carrel_task_ambient_clear(t, &e));
	CHECK_STR(proc_line("status", "CapAmb:"), "0000000000000000");
	FAILS(carrel_task_capset(t, (const uint64_t[]){ 21 }, 1, NULL, 0, NULL, 0, &e), EPERM);
	FAILS(carrel_task_drop_bounding(t, (const uint64_t[]){ 64 }, 1, &e), EINVAL);
	CHECK_INT(e.stage, CARREL_STAGE_RESTRICT);
	done();
}

/* Flags of more than 27 bits are numbers like others. */
TEST(namespaces_and_mounts)
{
	carrel_value *v = NULL;
	char own[64];

	if (geteuid() != 0)
		SKIP("needs root");
	task();
	snprintf(own, sizeof(own), "%s", proc_link("ns/uts", 0));
	int uts = (int)GET(carrel_task_openat(t, AT_FDCWD, "/proc/self/ns/uts", O_RDONLY, 0, &e));
	OK(carrel_task_unshare(t, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET, &e));
	CHECK(strcmp(proc_link("ns/uts", 0), own) != 0);
	/* In either kind of number. */
	const carrel_value flag = CARREL_VALUE_UINT(CLONE_NEWNET), flags = CARREL_VALUE_LIST(&flag, 1);
	OK(carrel_task_call(t, "unshare", &flags, 1, NULL, NULL, &e));
	OK(carrel_task_sethostname(t, "elsewhere", &e));
	OK(carrel_task_gethostname(t, &v, &e));
	CHECK_STR(v->data, "elsewhere");
	carrel_value_free(v);
	OK(carrel_task_loopback_up(t, &e));
	OK(carrel_task_mount(t, "none", "/", "", 0x44000 /* MS_REC | MS_PRIVATE */, NULL, 0, NULL, 0, &e));
	OK(carrel_task_mkdir(t, "m", 0755, &e));
	OK(carrel_task_mount(t, "none", "m", "tmpfs", 6 /* nosuid, nodev */, "size=8192", 9, NULL, 0, &e));
	OK(carrel_task_mkdir(t, "m/inside", 0755, &e));
	CHECK_INT(stat_of("m/inside").st_mode, 0);
	OK(carrel_task_umount2(t, "m", 2 /* MNT_DETACH */, &e));
	FAILS(carrel_task_umount(t, "m", &e), EINVAL);
	int fs = (int)GET(carrel_task_fsopen(t, "tmpfs", &e));
	OK(carrel_task_fsconfig(t, fs, 1, "size", "8192", &e));
	OK(carrel_task_fsconfig(t, fs, 6, NULL, NULL, &e));
	int mounted = (int)GET(carrel_task_fsmount(t, fs, 2 /* nosuid */, &e));
	OK(carrel_task_move_mount(t, mounted, "", AT_FDCWD, "m", 4, &e));
	OK(carrel_task_mkdir(t, "m/inside", 0755, &e));
	int tree = (int)GET(carrel_task_open_tree(t, AT_FDCWD, "m", 1, &e));
	OK(carrel_task_mount_setattr(t, tree, "", AT_EMPTY_PATH, 1 /* rdonly */, 0, 0x40000, &e));
	OK(carrel_task_mkdir(t, "m2", 0755, &e));
	OK(carrel_task_move_mount(t, tree, "", AT_FDCWD, "m2", 4, &e));
	FAILS(carrel_task_mkdir(t, "m2/more", 0755, &e), EROFS);
	int root_fd = (int)GET(carrel_task_openat(t, AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0, &e));
	OK(carrel_task_mkdir(t, "m3", 0755, &e));
	OK(carrel_task_bind_in(t, AT_FDCWD, "m", root_fd, "/m3", 0, 1, &e));
	FAILS(carrel_task_rmdir(t, "m3/inside", &e), EROFS);
	OK(carrel_task_mount_in(t, "tmpfs", "size=4096", 0, root_fd, "/m3/inside", &e));
	OK(carrel_task_mkdir(t, "m3/inside/writable", 0755, &e));
	int picked = (int)GET(carrel_task_fspick(t, AT_FDCWD, "m", 0, &e));
	OK(carrel_task_fsconfig(t, picked, 1, "size", "16384", &e));
	OK(carrel_task_fsconfig(t, picked, 7, NULL, NULL, &e));
	FAILS(carrel_task_fsconfig_fd(t, fs, "size", 999, &e), EBADF);
	FAILS(carrel_task_mount_idmap(t, mounted, "", AT_EMPTY_PATH, fs, &e), EINVAL);
	OK(carrel_task_setns(t, uts, CLONE_NEWUTS, &e));
	CHECK_STR(proc_link("ns/uts", 0), own);
	FAILS(carrel_task_setns(t, fs, CLONE_NEWUTS, &e), EINVAL);
	OK(carrel_task_chroot(t, "m", &e));
	CHECK_STR(strrchr(proc_link("root", 0), '/'), "/m");
	FAILS(carrel_task_pivot_root(t, ".", ".", &e), EINVAL);
	/* Nothing of it is seen outside. */
	CHECK_INT(stat_of("m/inside").st_mode, 0);
	done();
}

TEST(another_root)
{
	if (geteuid() != 0)
		SKIP("needs root");
	task();
	OK(carrel_task_unshare(t, CLONE_NEWNS, &e));
	OK(carrel_task_mount(t, "none", "/", "", 0x44000 /* MS_REC | MS_PRIVATE */, NULL, 0, NULL, 0, &e));
	OK(carrel_task_mkdir(t, "m", 0755, &e));
	OK(carrel_task_mount(t, "none", "m", "tmpfs", 0, NULL, 0, NULL, 0, &e));
	OK(carrel_task_chdir(t, "m", &e));
	OK(carrel_task_mkdir(t, "only", 0755, &e));
	OK(carrel_task_pivot_root(t, ".", ".", &e));
	OK(carrel_task_umount2(t, ".", 2 /* MNT_DETACH */, &e));
	FAILS(carrel_task_chdir(t, "/proc", &e), ENOENT);
	OK(carrel_task_chdir(t, "/only", &e));
	done();
}

/* A filter that is asked for, and a child that is traced. */
TEST(seccomp_and_ptrace)
{
	const uint32_t action = 0x7fc00000; /* SECCOMP_RET_USER_NOTIF */
	char tracer[16];
	carrel_value *v = NULL;

	task();
	OK(carrel_task_seccomp(t, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action, sizeof(action), &e));
	FAILS(carrel_task_seccomp(t, 2, 0, "\1\1\1\1", 4, &e), EOPNOTSUPP);
	CHECK_INT(e.stage, CARREL_STAGE_RESTRICT);
	snprintf(tracer, sizeof(tracer), "%d", pid);
	carrel_task *child = carrel_task_fork(t, NULL, &e);
	CHECK(child != NULL);
	pid = carrel_pid(carrel_task_proc(child));
	CHECK_STR(proc_line("status", "TracerPid:"), "0");
	OK(carrel_task_ptrace(t, 0x4206 /* PTRACE_SEIZE */, pid, 0, 0, &v, &e));
	CHECK_INT(v->n_items, 3);
	carrel_value_free(v);
	CHECK_STR(proc_line("status", "TracerPid:"), tracer);
	FAILS(carrel_task_ptrace(t, 0x4206, pid, 0, 0, NULL, &e), EPERM);
	done();
}

TEST(landlock)
{
	task();
	int rules = carrel_task_landlock_create_ruleset(t, 4 /* READ_FILE */, 0, 0, &e);
	if (rules == -1 && (e.err == EOPNOTSUPP || e.err == ENOSYS))
		SKIP("no Landlock");
	GET(rules);
	OK(carrel_task_mkdir(t, "open", 0755, &e));
	OK(carrel_task_mknodat(t, AT_FDCWD, "closed", S_IFREG | 0644, 0, &e));
	OK(carrel_task_mknodat(t, AT_FDCWD, "open/file", S_IFREG | 0644, 0, &e));
	int below = (int)GET(carrel_task_openat(t, AT_FDCWD, "open", O_PATH, 0, &e));
	OK(carrel_task_landlock_add_path(t, rules, below, 4, &e));
	FAILS(carrel_task_landlock_add_path(t, rules, below, 2, &e), EINVAL);
	CHECK_INT(GET(carrel_task_prctl(t, 38, 1, 0, 0, 0, &e)), 0);
	OK(carrel_task_landlock_restrict_self(t, rules, &e));
	GET(carrel_task_openat(t, AT_FDCWD, "open/file", O_RDONLY, 0, &e));
	FAILS(carrel_task_openat(t, AT_FDCWD, "closed", O_RDONLY, 0, &e), EACCES);
	done();
}

TEST(landlock_of_ports_and_signals)
{
	/* Port 9 and 11 of 127.0.0.1, where nobody listens. */
	const unsigned char nine[16] = { AF_INET, 0, 0, 9, 127, 0, 0, 1 }, eleven[16] = { AF_INET, 0, 0, 11, 127, 0, 0, 1 };

	task();
	int rules = carrel_task_landlock_create_ruleset(t, 0, 2 /* CONNECT_TCP */, 0, &e);
	if (rules == -1 && (e.err == EOPNOTSUPP || e.err == ENOSYS || e.err == E2BIG || e.err == EINVAL))
		SKIP("an old Landlock");
	GET(rules);
	OK(carrel_task_landlock_add_port(t, rules, 9, 2, &e));
	FAILS(carrel_task_landlock_add_port(t, rules, 65536, 2, &e), EINVAL);
	CHECK_INT(GET(carrel_task_prctl(t, 38, 1, 0, 0, 0, &e)), 0);
	OK(carrel_task_landlock_restrict_self(t, rules, &e));
	int s = (int)GET(carrel_task_socket(t, AF_INET, SOCK_STREAM, 0, &e));
	FAILS(carrel_task_connect(t, s, nine, sizeof(nine), &e), ECONNREFUSED);
	FAILS(carrel_task_connect(t, s, eleven, sizeof(eleven), &e), EACCES);
	/* The parent is inside of what is restricted so far, and outside of what is added. */
	OK(carrel_task_kill(t, carrel_pid(carrel_task_proc(root)), 0, &e));
	if (carrel_task_landlock_scope(t, 2 /* SIGNAL */, &e) == 0)
		FAILS(carrel_task_kill(t, carrel_pid(carrel_task_proc(root)), 0, &e), EPERM);
	else
		CHECK_INT(e.err, EOPNOTSUPP);
	done();
}

/* The parent writes what the child's namespace maps. */
TEST(a_map_of_users)
{
	const carrel_fork f = { .size = sizeof(f), .namespaces = CLONE_NEWUSER };
	char users[32], groups[32];

	task();
	pid_t parent = pid;
	carrel_task *child = carrel_task_fork(t, &f, &e);
	if (child == NULL && e.err != EINVAL)
		SKIP("no user namespaces");
	CHECK(child != NULL);
	pid = carrel_pid(carrel_task_proc(child));
	CHECK_INT(GET(carrel_task_getuid(child, &e)), 65534);
	snprintf(users, sizeof(users), "7 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "8 %u 1", (unsigned)getegid());
	OK(carrel_task_id_map(t, pid, "deny", users, groups, &e));
	CHECK_INT(GET(carrel_task_getuid(child, &e)), 7);
	CHECK_INT(GET(carrel_task_getgid(child, &e)), 8);
	FAILS(carrel_task_id_map(t, pid, "", users, "", &e), EPERM);
	FAILS(carrel_task_setuid(child, 9, &e), EINVAL);
	CHECK(pid != parent);
	done();
}

/* A call of another system. */
TEST(elsewhere)
{
	task();
	FAILS(carrel_task_cap_enter(t, &e), ENOSYS);
	FAILS(carrel_task_pledge(t, "stdio", NULL, &e), ENOSYS);
	done();
}
