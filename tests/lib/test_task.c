/* SPDX-License-Identifier: ISC */
/* Tasks: the rows of section 1, but for ends (test_task_ends.c) and threads (test_task_threads.c). */
#include "tasks.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct seen a, b, c, d, f;

/* ------------------------------------------------------------ 1.1 creating --- */

/* T-001, T-121, T-122, T-123 */
TEST(a_root_answers)
{
	carrel_task *r = root(&a);

	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	CHECK(carrel_task_parent(r) == NULL);
	CHECK_INT((int)carrel_task_children(r, NULL, 0), 0);
	CHECK_INT((int)carrel_task_is(r), CARREL_TASK_CALLS);
	CHECK(carrel_proc_task(carrel_task_proc(r)) == r);
	/* Below a reaper of its own, not of the host. */
	CHECK(status_of(pid_of(r), "PPid:") != getpid());
	done();
	check_no_child();
}

/* T-002, T-004 */
TEST(a_root_that_cannot_be)
{
	const carrel_config cfg = { .size = sizeof(cfg), .helper = "/nowhere/carrel-control" };

	CHECK(carrel_open(&cfg, &e) == NULL);
	check_error(CARREL_STAGE_HELPER, ENOENT, "/nowhere/carrel-control");
	CHECK(carrel_task_open(NULL, NULL, &e) == NULL);
	check_error(CARREL_STAGE_ARGS, EINVAL, "no handle");
	handle = carrel_open(NULL, &e);
	CHECK(carrel_task_open(handle, CARREL_SPEC(.shell = "ls"), &e) == NULL);
	check_error(CARREL_STAGE_ARGS, EINVAL, ".shell");
	CHECK(carrel_task_open(handle, CARREL_SPEC(.cwd = "/nowhere"), &e) == NULL);
	check_error(CARREL_STAGE_CWD, ENOENT, "/nowhere");
	CHECK(carrel_task_open(handle, CARREL_SPEC(.on_exit = CARREL_EXIT_KEEP_TREE), &e) == NULL);
	check_error(CARREL_STAGE_ARGS, EINVAL, "KEEP_TREE");
	done();
	check_no_child();
}

/* T-003, T-007, T-180: a helper that is a program in front of the control process, as sudo would be */
TEST(a_privileged_helper)
{
	char script[512];

	if (geteuid() != 0)
		SKIP("only root becomes somebody else");
	scratch_make();
	snprintf(script, sizeof(script), "#!/bin/sh\nexec chroot --userspec=%d:%d / %s \"$@\"\n", USER, USER, getenv("CARREL_CONTROL"));
	file("helper", script, 0755);
	snprintf(script, sizeof(script), "%s/helper", scratch);
	handle = carrel_open(&(carrel_config){ .size = sizeof(carrel_config), .helper = script }, &e);
	if (handle == NULL)
		tap_fail("open: %s", e.msg);
	CHECK_INT(NUMBER0(root(&a), "getuid"), USER);
	/* Another handle has none of it. */
	carrel *first = handle;
	handle = NULL;
	CHECK_INT(NUMBER0(root(&b), "getuid"), 0);
	done();
	carrel_close(first);
	check_no_child();
}

/* What the spec says holds in the root, and in what is forked from it. */
TEST(a_root_as_described)
{
	carrel_task *r = root_as(&a, CARREL_SPEC(.cwd = "/tmp", .env = CARREL_ARGV("COLOUR=blue"), .set = CARREL_SET_UMASK,
						 .umask = 027,
						 .limits = (carrel_rlimit[]){ { RLIMIT_NOFILE, 77, 77 } }, .n_limits = 1));
	carrel_task *t = fork_as(r, &b);

	for (int i = 0; i < 2; i++) {
		carrel_task *x = i == 0 ? r : t;

		OK(carrel_task_call(x, "getcwd", NULL, 0, NULL, &got, &e));
		CHECK_STR((const char *)got->data, "/tmp");
		carrel_value_free(got);
		OK(carrel_task_call(x, "getenv", VALUES(text("COLOUR")), NULL, &got, &e));
		CHECK_STR((const char *)got->data, "blue");
		carrel_value_free(got);
		CHECK_INT(NUMBER(x, "umask", INT(027)), 027);
		OK(carrel_task_call(x, "getrlimit", VALUES(name("rlimit_nofile")), NULL, &got, &e));
		CHECK_INT((int)got->kind, CARREL_STRUCTURE);
		CHECK_INT((int)got->n_items, 3);
		CHECK_INT(got->item[1].number, 77);
		carrel_value_free(got);
		CHECK_INT(status_of(pid_of(x), "NoNewPrivs:"), 1);
	}
	done();
}

/* T-008, T-010, R-060: the tree in the kernel is the tree of the calls */
TEST(a_tree)
{
	carrel_task *r = root(&a), *t[5];

	t[0] = fork_as(r, NULL);
	t[1] = fork_as(r, NULL);
	t[2] = fork_as(t[1], NULL);
	t[3] = fork_as(t[2], NULL);
	t[4] = fork_as(t[2], NULL);
	const carrel_task *parent[5] = { r, r, t[1], t[2], t[2] };
	for (int i = 0; i < 5; i++) {
		CHECK(carrel_task_parent(t[i]) == parent[i]);
		CHECK_INT(status_of(pid_of(t[i]), "PPid:"), carrel_pid(carrel_task_proc(parent[i])));
		CHECK_INT(NUMBER0(t[i], "getpid"), pid_of(t[i]));
	}
	carrel_task *v[4];
	CHECK_INT((int)carrel_task_children(t[2], v, 4), 2);
	CHECK((v[0] == t[3] && v[1] == t[4]) || (v[0] == t[4] && v[1] == t[3]));
	CHECK_INT((int)carrel_task_children(r, v, 1), 2);
	done();
}

/* T-021: and an answer from the last, however deep; T-015: the limit of the depth */
TEST(a_chain)
{
	carrel_task *r = root(&a), *v[20];

	OK(carrel_task_chain(r, NULL, v, 16, &e));
	CHECK_INT(NUMBER0(v[15], "getpid"), pid_of(v[15]));
	CHECK(carrel_task_fork(v[15], NULL, &e) == NULL);
	check_error(CARREL_STAGE_FORK, EAGAIN, "maxforkdepth");
	/* L-034: it is an option, far beyond 255 */
	CHECK_INT(NUMBER(r, "setopt", name("maxforkdepth"), INT(2048)), 2048);
	carrel_task *deep[260];
	OK(carrel_task_chain(r, NULL, deep, 260, &e));
	CHECK_INT(NUMBER0(deep[259], "getpid"), pid_of(deep[259]));
	CHECK_INT(NUMBER(deep[259], "getopt", name("maxforkdepth")), 2048);
	/* One that fails in the middle leaves nothing. */
	carrel_task *t = fork_as(r, NULL);
	CHECK_INT(NUMBER(t, "setopt", name("maxforkdepth"), INT(20)), 20);
	CHECK(carrel_task_chain(t, NULL, (carrel_task *[30]){ NULL }, 30, &e) == -1);
	CHECK_INT(errno, EAGAIN);
	for (int i = 0; i < 1000 && carrel_task_children(t, NULL, 0) > 0; i++)
		take_events(5);
	CHECK_INT((int)carrel_task_children(t, NULL, 0), 0);
	done();
	check_no_child();
}

/* T-014, T-140, L-034 */
TEST(as_many_children_as_maxchild)
{
	carrel_task *r = root(&a), *t = NULL;

	CHECK_INT(NUMBER(r, "getopt", name("maxchild")), 64);
	CHECK_INT(NUMBER(r, "setopt", name("maxchild"), INT(3)), 3);
	for (int i = 0; i < 3; i++)
		t = fork_as(r, &b);
	CHECK(carrel_task_fork(r, NULL, &e) == NULL);
	check_error(CARREL_STAGE_FORK, EAGAIN, "maxchild");
	/* Below what there is, negative, unknown: refused, and nothing changed */
	CHECK(CALL(r, "setopt", name("maxchild"), INT(2)) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK(CALL(r, "setopt", name("maxchild"), INT(-1)) == -1);
	CHECK(CALL(r, "setopt", name("flowcontrol"), INT(1)) == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "maxchild or maxforkdepth");
	CHECK_INT(NUMBER(r, "getopt", name("maxchild")), 3);
	/* A place is free again when one has ended. */
	OK(CALL(t, "exit", INT(0)));
	AWAIT(b.gone, 1);
	fork_as(r, &b);
	CHECK_INT(NUMBER(r, "setopt", name("maxchild"), INT(1000)), 1000);
	for (int i = 0; i < 200; i++)
		fork_as(r, &c);
	CHECK_INT((int)carrel_task_children(r, NULL, 0), 203);
	/* T-124: the children, as the task knows them */
	OK(carrel_task_call(r, "cpid", NULL, 0, NULL, &got, &e));
	CHECK_INT((int)got->n_items, 203);
	carrel_value_free(got);
	done();
}

/* T-018, L-010, L-036: a new task has its 0, 1, 2 and the socket, whatever its siblings have */
TEST(descriptors_of_a_new_task)
{
	carrel_task *r = root(&a), *t = NULL;
	char path[64];

	for (int i = 0; i < 20; i++)
		t = fork_as(r, NULL);
	/* They have answered: what the one had from its parent at first is gone, and what the other had for it. */
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	for (int i = 0; i < 2; i++) {
		int n = 0;

		snprintf(path, sizeof(path), "/proc/%d/fd", pid_of(i == 0 ? r : t));
		DIR *dir = opendir(path);
		if (dir == NULL)
			SKIP("the descriptors of a process that is not dumpable are root's");
		for (struct dirent *x; (x = readdir(dir)) != NULL;)
			n += x->d_name[0] != '.';
		closedir(dir);
		CHECK(n <= 5);
	}
	/* The numbers that it gives out begin where they should. */
	CHECK_INT(NUMBER(t, "open", text("/dev/null"), name("o_rdonly"), INT(0)), -1);
	CHECK_INT(NUMBER(t, "open", text("/dev/null"), CARREL_VALUE_LIST(((carrel_value[]){ name("o_rdonly") }), 1), INT(0)), 3);
	done();
}

/* T-011, T-013, T-063, R-061 */
TEST(clones)
{
	const carrel_fork all = { .size = sizeof(all), .user = &b,
				  .namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET };

	if (geteuid() != 0)
		SKIP("namespaces without a user namespace are root's");
	carrel_task *r = root(&a), *t = carrel_task_fork(r, &all, &e);
	if (t == NULL)
		tap_fail("clone: %s", e.msg);
	CHECK_INT(NUMBER0(t, "getpid"), 1);
	CHECK(pid_of(t) > 1);
	CHECK_INT(status_of(pid_of(t), "PPid:"), pid_of(r));
	OK(CALL(t, "sethostname", text("aerie")));
	char name_here[256];
	CHECK(gethostname(name_here, sizeof(name_here)) == 0 && strcmp(name_here, "aerie") != 0);
	OK(carrel_task_call(t, "gethostname", NULL, 0, NULL, &got, &e));
	CHECK_STR((const char *)got->data, "aerie");
	carrel_value_free(got);
	/* Numbers inside are others, and ends are told nevertheless. */
	carrel_task *t2 = fork_as(t, &c), *t3 = fork_as(t2, &d);
	CHECK_INT(NUMBER0(t3, "getpid"), 3);
	OK(CALL(t3, "exit", INT(3)));
	AWAIT(d.gone, 1);
	CHECK_INT(d.status.code, 3);
	/* The child of a task that dies goes to process 1 of the namespace. */
	carrel_task *t4 = fork_as(t2, &f);
	OK(carrel_task_execvp(t4, NULL, CARREL_ARGV("sleep", "1000"), &e));
	OK(carrel_signal(carrel_task_proc(t2), SIGKILL, 0));
	AWAIT(c.gone, 1);
	AWAIT(f.gone, 1);
	CHECK_INT(c.status.sig, SIGKILL);
	CHECK_INT(f.status.sig, SIGKILL);
	CHECK_INT((int)f.status.cause, CARREL_BY_LOSS);
	/* And everything in the namespace ends with that. */
	carrel_task *t5 = fork_as(t, &d);
	d.gone = 0;
	CHECK(t5 != NULL);
	OK(carrel_signal(carrel_task_proc(t), SIGKILL, 0));
	AWAIT(b.gone, 1);
	AWAIT(d.gone, 1);
	CHECK_INT(d.gone, 1);
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	/* T-011: an unknown one */
	CHECK(carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .namespaces = CLONE_VM }, &e) == NULL);
	CHECK_INT(e.err, EINVAL);
	done();
	check_no_child();
}

/* An unprivileged one makes a user namespace, and nothing else without. */
TEST(clones_of_users)
{
	become_user();
	carrel_task *r = root(&a);
	CHECK(carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .namespaces = CLONE_NEWUTS }, &e) == NULL);
	check_error(CARREL_STAGE_NAMESPACE, EPERM, "clone");
	carrel_task *t = carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .user = &b,
							     .namespaces = CLONE_NEWUSER | CLONE_NEWPID }, &e);
	if (t == NULL && (errno == EPERM || errno == ENOSPC))
		SKIP("no user namespaces here");
	CHECK(t != NULL);
	CHECK_INT(NUMBER0(t, "getpid"), 1);
	done();
}

/* ------------------------------------------------------------- 1.2 calls --- */

/* T-043, T-044, T-045, T-046, T-048 */
TEST(arguments)
{
	carrel_task *r = root(&a);

	/* a name in any case, a number, a list, an empty list */
	OK(CALL(r, "kill", INT(0), INT(0)));
	OK(carrel_task_call(r, "getrlimit", VALUES(name("RLIMIT_NoFile")), NULL, NULL, &e));
	CHECK(CALL(r, "getrlimit", name("rlimit_beans")) == -1);
	CHECK_INT(errno, ENOTSUP);
	CHECK_INT(e.index, 1);
	int64_t fd = NUMBER(r, "open", text("/dev/null"), CARREL_VALUE_LIST(NULL, 0), INT(0));
	CHECK(fd >= 3);
	CHECK(NUMBER(r, "open", text("/dev/null"), INT(0), INT(0)) > fd);
	/* T-047: text in pieces, 16 deep and not 17 */
	carrel_value deep[18];
	deep[0] = text("/tm");
	carrel_value pieces[] = { deep[0], text("p") };
	OK(CALL(r, "chdir", CARREL_VALUE_LIST(pieces, 2)));
	for (int i = 1; i < 18; i++)
		deep[i] = CARREL_VALUE_LIST(&deep[i - 1], 1);
	CHECK(CALL(r, "chdir", deep[17]) == -1);
	CHECK_INT(errno, EINVAL);
	/* wrong types, empty paths, too many, too few */
	CHECK(CALL(r, "chdir", text("")) == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "argument 1");
	CHECK(CALL(r, "chdir", INT(1)) == -1);
	CHECK(CALL(r, "chmod", text("/tmp"), INT(-1)) == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "argument 2");
	CHECK(CALL0(r, "chdir") == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "takes 1 arguments");
	CHECK(CALL(r, "chdir", ((carrel_value){ .kind = (carrel_value_kind)99 })) == -1);
	CHECK(CALL(r, "chdir", ((carrel_value){ .kind = CARREL_TEXT, .size = 3 })) == -1);
	CHECK(CALL0(r, "no_such_call") == -1);
	check_error(CARREL_STAGE_ARGS, ENOSYS, "no_such_call");
	CHECK(CALL0(r, "serve") == -1);
	CHECK_INT(errno, ENOSYS);
	CHECK(CALL0(r, "cap_enter") == -1);
	check_error(CARREL_STAGE_RESTRICT, ENOSYS, "this system");
	CHECK(CALL0(r, "fork") == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "carrel_task_fork");
	CHECK(carrel_task_call(NULL, "getpid", NULL, 0, NULL, NULL, &e) == -1);
	CHECK(carrel_task_call(r, NULL, NULL, 0, NULL, NULL, &e) == -1);
	/* and it goes on */
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	done();
}

/* T-030, T-031, T-032, T-034, T-035, T-050 */
TEST(groups_of_calls)
{
	char dir[] = "/tmp/carrel-task-XXXXXX";
	carrel_task *r = root(&a);

	CHECK(mkdtemp(dir) != NULL);
	OK(CALL(r, "chdir", text(dir)));
	OK(CALL(r, "mkdir", text("d"), INT(0700)));
	OK(CALL(r, "mkfifo", text("p"), INT(0600)));
	OK(CALL(r, "symlink", text("d"), text("l")));
	OK(carrel_task_call(r, "readdir", VALUES(text(".")), NULL, &got, &e));
	CHECK_INT((int)got->kind, CARREL_LIST);
	CHECK_INT((int)got->n_items, 5);
	carrel_value_free(got);
	CHECK(CALL(r, "rmdir", text("p")) == -1);
	CHECK_INT(errno, ENOTDIR);
	OK(CALL(r, "unlink", text("p")));
	OK(CALL(r, "unlink", text("l")));
	OK(CALL(r, "rmdir", text("d")));
	CHECK(rmdir(dir) == 0);
	/* T-050 */
	OK(CALL(r, "setenv", text("WORD"), text("one"), INT(1)));
	OK(CALL(r, "setenv", text("WORD"), text("two"), INT(0)));
	OK(carrel_task_call(r, "getenv", VALUES(text("WORD")), NULL, &got, &e));
	CHECK_STR((const char *)got->data, "one");
	carrel_value_free(got);
	OK(CALL(r, "unsetenv", text("WORD")));
	OK(carrel_task_call(r, "getenv", VALUES(text("WORD")), NULL, &got, &e));
	CHECK_INT((int)got->kind, CARREL_NAME);
	CHECK_STR((const char *)got->data, "false");
	carrel_value_free(got);
	OK(CALL0(r, "clearenv"));
	OK(carrel_task_call(r, "environ", NULL, 0, NULL, &got, &e));
	CHECK_INT((int)got->kind, CARREL_NONE);
	carrel_value_free(got);
	CHECK_INT(NUMBER0(r, "getuid"), getuid());
	OK(carrel_task_call(r, "getresuid", NULL, 0, NULL, &got, &e));
	CHECK_INT((int)got->n_items, 3);
	CHECK_INT(got->item[2].number, (int64_t)geteuid());
	carrel_value_free(got);
	carrel_task *t = fork_as(r, NULL);
	CHECK_INT(NUMBER0(t, "setsid"), pid_of(t));
	CHECK_INT(NUMBER(t, "getsid", INT(0)), pid_of(t));
	OK(CALL(t, "setpriority", name("prio_process"), INT(0), INT(7)));
	CHECK_INT(getpriority(PRIO_PROCESS, (id_t)pid_of(t)), 7);
	/* T-065 */
	OK(CALL(t, "setproctitle", text("a name of its own")));
	char line[64] = "";
	snprintf(dir, sizeof(dir), "/proc/%d/comm", pid_of(t));
	FILE *x = fopen(dir, "r");
	CHECK(x != NULL && fgets(line, sizeof(line), x) != NULL);
	fclose(x);
	CHECK_STR(line, "a name of its o\n");
	done();
}

/* T-033, T-051, T-052, T-053, T-054 */
TEST(descriptors)
{
	carrel_task *r = root(&a);
	int64_t fd = NUMBER(r, "memfd_create", text("notes"), CARREL_VALUE_LIST(NULL, 0));

	CHECK(fd >= 3);
	CHECK_INT(NUMBER(r, "write", INT(fd), text("one two three")), 13);
	OK(CALL(r, "lseek", INT(fd), INT(4), INT(0)));
	OK(carrel_task_call(r, "read", VALUES(INT(fd), INT(3)), NULL, &got, &e));
	CHECK_MEM(got->data, got->size, "two", 3);
	carrel_value_free(got);
	OK(CALL(r, "lseek", INT(fd), INT(0), INT(2)));
	OK(carrel_task_call(r, "read", VALUES(INT(fd), INT(3)), NULL, &got, &e));
	CHECK_INT((int)got->size, 0);
	carrel_value_free(got);
	CHECK(NUMBER(r, "fcntl", INT(fd), name("f_getfd"), INT(0)) >= 0);
	OK(CALL(r, "close", INT(fd)));
	CHECK(CALL(r, "close", INT(fd)) == -1);
	CHECK_INT(errno, EBADF);
	/* T-056, T-055: what memory holds afterwards */
	OK(carrel_task_call(r, "prctl", VALUES(name("pr_get_name"), CARREL_VALUE_BYTES("0123456789abcdef", 16), INT(0), INT(0), INT(0)),
			    NULL, &got, &e));
	CHECK_INT((int)got->n_items, 5);
	CHECK_STR((const char *)got->item[1].data, "carrel:task");
	carrel_value_free(got);
	done();
}

/* What is the task's own, no call touches: T-018, L-036 */
TEST(the_connection_is_not_a_descriptor_of_the_calls)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	for (int fd = 3; fd < 1200; fd++)
		CALL(t, "close", INT(fd));
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	OK(CALL(t, "close_range", INT(0), CARREL_VALUE_UINT(UINT32_MAX), CARREL_VALUE_LIST(NULL, 0)));
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	/* 0, 1 and 2 are free now; a fork works from there too. */
	carrel_task *t2 = fork_as(t, &c);
	OK(carrel_task_execvp(t2, NULL, CARREL_ARGV("cat"), &e));
	CHECK(carrel_write(carrel_task_proc(t2), "still\n", 6) == 6);
	OK(carrel_eof(carrel_task_proc(t2)));
	AWAIT(c.gone, 1);
	CHECK_MEM(c.out, c.n_out, "still\n", 6);
	/* A number that is asked for by name is given, ours moves. */
	carrel_task *t3 = fork_as(r, &d);
	for (int fd = 990; fd < 1010; fd++) {
		carrel_value pair[] = { CARREL_VALUE_TUPLE(((carrel_value[]){ INT(fd), INT(1) }), 2) };
		OK(CALL(t3, "dup_fds", CARREL_VALUE_LIST(pair, 1)));
	}
	CHECK_INT(NUMBER0(t3, "getpid"), pid_of(t3));
	done();
}

/* L-017: what one message holds is not what a call can have */
TEST_T(large_arguments, 120)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	size_t n = 4 * 1024 * 1024;
	char *big = malloc(n + 1), *word = malloc(100001);
	const char *argv[32] = { "/bin/sh", "-c", "echo $#; printf %s \"$1\" | wc -c", "sh" };

	CHECK(big != NULL && word != NULL);
	memset(big, 'x', n);
	memset(word, 'w', 100000);
	word[100000] = 0;
	int64_t fd = NUMBER(r, "memfd_create", text("big"), CARREL_VALUE_LIST(NULL, 0));
	/* The table's own limit of what is written at once is what the row says. */
	CHECK(CALL(r, "write", INT(fd), CARREL_VALUE_BYTES(big, n)) == -1 || true);
	for (int i = 4; i < 14; i++)
		argv[i] = word;
	OK(carrel_task_execvp(t, NULL, argv, &e));
	AWAIT(b.gone, 1);
	CHECK_MEM(b.out, b.n_out, "10\n100000\n", 10);
	/* More than the kernel takes: its own error, and the task is still there. */
	carrel_task *t2 = fork_as(r, &c);
	const char **many = calloc(100, sizeof(*many));
	for (int i = 0; i < 99; i++)
		many[i] = word;
	CHECK(carrel_task_execvp(t2, "/bin/true", many, &e) == -1);
	check_error(CARREL_STAGE_EXEC, E2BIG, "execvp");
	CHECK_INT(NUMBER0(t2, "getpid"), pid_of(t2));
	free(many);
	free(word);
	free(big);
	done();
}

/* L-018 */
TEST_T(large_answers, 120)
{
	char dir[] = "/tmp/carrel-task-XXXXXX", file[128];
	carrel_task *r = root(&a);

	CHECK(mkdtemp(dir) != NULL);
	for (int i = 0; i < 12000; i++) {
		snprintf(file, sizeof(file), "%s/a-file-with-a-name-of-some-length-%d", dir, i);
		int fd = open(file, O_CREAT | O_WRONLY, 0600);
		CHECK(fd >= 0);
		close(fd);
	}
	OK(carrel_task_call(r, "readdir", VALUES(text(dir)), NULL, &got, &e));
	CHECK_INT((int)got->n_items, 12002);
	carrel_value_free(got);
	for (int i = 0; i < 12000; i++) {
		snprintf(file, sizeof(file), "%s/a-file-with-a-name-of-some-length-%d", dir, i);
		unlink(file);
	}
	CHECK(rmdir(dir) == 0);
	int64_t fd = NUMBER(r, "open", text("/dev/zero"), CARREL_VALUE_LIST(NULL, 0), INT(0));
	OK(carrel_task_call(r, "read", VALUES(INT(fd), INT(3000000)), NULL, &got, &e));
	CHECK_INT((int)got->size, 3000000);
	carrel_value_free(got);
	CHECK_INT(NUMBER0(r, "getpid"), pid_of(r));
	done();
}

/* T-060, L-043 */
TEST(select_and_poll)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	carrel_value none = CARREL_VALUE_LIST(NULL, 0), in[] = { INT(0) }, bad[] = { INT(77) };
	carrel_value tenth[] = { name("alcove_timeval"), INT(0), INT(100000) };

	OK(carrel_task_call(t, "select", VALUES(CARREL_VALUE_LIST(in, 1), none, none, CARREL_VALUE_TUPLE(tenth, 3)), NULL, &got, &e));
	CHECK_INT((int)got->n_items, 3);
	CHECK_INT((int)got->item[0].n_items, 0);
	carrel_value_free(got);
	CHECK(carrel_write(carrel_task_proc(t), "x", 1) == 1);
	OK(carrel_task_call(t, "select", VALUES(CARREL_VALUE_LIST(in, 1), none, none, none), NULL, &got, &e));
	CHECK_INT((int)got->item[0].n_items, 1);
	CHECK_INT(got->item[0].item[0].number, 0);
	carrel_value_free(got);
	CHECK(CALL(t, "select", CARREL_VALUE_LIST(bad, 1), none, none, none) == -1);
	CHECK_INT(errno, EBADF);
	carrel_value pollin[] = { name("pollin") };
	CHECK(NUMBER(t, "poll", INT(0), CARREL_VALUE_LIST(pollin, 1), INT(1000)) > 0);
	done();
}

/* --------------------------------------------------------------- 1.3 exec --- */

/* T-080, T-081, T-082, T-083, L-047, R-050 to R-054: argv is what was given, byte by byte */
TEST(three_ways_to_execute)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(carrel_task_execvp(t, "cat", CARREL_ARGV("feline", "-n"), &e));
	CHECK(carrel_write(carrel_task_proc(t), "test\n", 5) == 5);
	char path[64], line[64] = "";
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid_of(t));
	int fd = open(path, O_RDONLY);
	CHECK_INT((int)read(fd, line, sizeof(line)), 10);
	close(fd);
	CHECK_MEM(line, 10, "feline\0-n\0", 10);
	OK(carrel_eof(carrel_task_proc(t)));
	AWAIT(b.gone, 1);
	CHECK_MEM(b.out, b.n_out, "     1\ttest\n", 12);
	CHECK(b.status.exited && b.status.code == 0);

	t = fork_as(r, &c);
	OK(carrel_task_execve(t, "/usr/bin/env", CARREL_ARGV("a-name", "-0"), CARREL_ARGV("TEST=123"), &e));
	AWAIT(c.gone, 1);
	CHECK_MEM(c.out, c.n_out, "TEST=123\0", 9);

	t = fork_as(r, &d);
	carrel_value how[] = { name("o_rdonly"), name("o_cloexec") };
	int64_t in_task = NUMBER(t, "open", text("/usr/bin/env"), CARREL_VALUE_LIST(how, 2), INT(0));
	CHECK(in_task >= 3);
	OK(carrel_task_fexecve(t, (int)in_task, CARREL_ARGV("env", "-0"), CARREL_ARGV("FOO=123"), &e));
	AWAIT(d.gone, 1);
	CHECK_MEM(d.out, d.n_out, "FOO=123\0", 8);
	/* Without an environment there is an empty one. */
	t = fork_as(r, &f);
	OK(carrel_task_execve(t, "/usr/bin/env", CARREL_ARGV("env"), NULL, &e));
	AWAIT(f.gone, 1);
	CHECK_INT((int)f.n_out, 0);
	CHECK_INT(f.status.code, 0);
	done();
}

/* T-084, T-085, T-087, T-088, L-019 */
TEST(before_and_after_an_execution)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	CHECK(carrel_task_execvp(t, NULL, CARREL_ARGV("no-such-program-here"), &e) == -1);
	check_error(CARREL_STAGE_EXEC, ENOENT, "execvp");
	CHECK(carrel_task_execve(t, "/etc/passwd", CARREL_ARGV("x"), NULL, &e) == -1);
	check_error(CARREL_STAGE_EXEC, EACCES, "execve");
	CHECK(carrel_task_execve(t, "/tmp", CARREL_ARGV("x"), NULL, &e) == -1);
	CHECK_INT(errno, EACCES);
	CHECK(carrel_task_execvp(t, NULL, NULL, &e) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT((int)carrel_task_is(t), CARREL_TASK_CALLS);
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("cat"), &e));
	CHECK_INT((int)carrel_task_is(t), CARREL_TASK_EXECUTED);
	CHECK(CALL0(t, "getpid") == -1);
	check_error(CARREL_STAGE_ARGS, EACCES, "has executed a program");
	CHECK(carrel_task_fork(t, NULL, &e) == NULL);
	CHECK_INT(errno, EACCES);
	OK(carrel_eof(carrel_task_proc(t)));
	AWAIT(b.gone, 1);
	CHECK_INT((int)carrel_task_is(t), CARREL_TASK_ENDED);
	/* T-185 */
	CHECK(CALL0(t, "getpid") == -1);
	check_error(CARREL_STAGE_ARGS, ESRCH, "has ended");
	CHECK(carrel_eof(carrel_task_proc(t)) == -1);
	CHECK_INT(errno, EBADF);
	CHECK(carrel_signal(carrel_task_proc(t), SIGTERM, 0) == -1);
	CHECK_INT(errno, ESRCH);
	done();
}

/* T-086 */
TEST(no_execution_over_children)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(t, &c);

	CHECK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e) == -1);
	check_error(CARREL_STAGE_EXEC, EACCES, "children");
	CHECK(carrel_task_reexec(t, NULL, NULL, &e) == -1);
	CHECK_INT(errno, EACCES);
	CHECK_INT(NUMBER0(t2, "getpid"), pid_of(t2));
	OK(CALL(t2, "exit", INT(0)));
	AWAIT(c.gone, 1);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e));
	AWAIT(b.gone, 1);
	done();
}

/* T-090, L-038: a root that executes is a command like any other */
TEST(the_root_executes)
{
	carrel_task *r = root_as(&a, CARREL_SPEC(.in.kind = CARREL_PIPE));

	OK(carrel_task_execvp(r, NULL, CARREL_ARGV("sh", "-c", "cat; echo err >&2; exit 5"), &e));
	CHECK(carrel_write(carrel_task_proc(r), "in\n", 3) == 3);
	OK(carrel_eof(carrel_task_proc(r)));
	AWAIT(a.gone, 1);
	CHECK_MEM(a.out, a.n_out, "in\n", 3);
	CHECK_MEM(a.err, a.n_err, "err\n", 4);
	CHECK(a.status.exited && a.status.code == 5);
	done();
}

/* L-009, T-089: nothing is blocked or caught, and what is ignored was asked for */
TEST(signals_of_a_command)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(CALL(t, "sigaction", name("sigusr1"), name("sig_info")));
	OK(CALL(t, "sigaction", name("sigusr2"), name("sig_ign")));
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sleep", "1000"), &e));
	CHECK_INT(status_of(pid_of(t), "SigBlk:"), 0);
	CHECK_INT(status_of(pid_of(t), "SigCgt:"), 0);
	CHECK_INT(status_of(pid_of(t), "SigIgn:"), 1 << (SIGUSR2 - 1));
	done();
}

/* ---------------------------------------------------- 1.4 standard streams --- */

/* T-091, T-098, X-002 */
TEST(streams)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sort"), &e));
	CHECK(carrel_write(carrel_task_proc(t), "ccc\nbbb\naaa\n", 12) == 12);
	OK(carrel_eof(carrel_task_proc(t)));
	AWAIT(b.gone, 1);
	CHECK_MEM(b.out, b.n_out, "aaa\nbbb\nccc\n", 12);
	CHECK_INT((int)b.n_err, 0);
	done();
}

/* T-093: what is sent in advance is there for the command */
TEST(bytes_before_the_execution)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	CHECK(carrel_write(carrel_task_proc(t), "early\n", 6) == 6);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("head", "-n", "1"), &e));
	AWAIT(b.gone, 1);
	CHECK_MEM(b.out, b.n_out, "early\n", 6);
	done();
}

/* T-094, L-001, L-002: a full pipe is a short write, and nothing is dropped */
TEST(a_full_pipe)
{
	static char big[1 << 20];
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	size_t sent = 0;
	ssize_t n;

	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sh", "-c", "sleep 0.2; wc -c"), &e));
	while ((n = carrel_write(carrel_task_proc(t), big, sizeof(big))) > 0)
		sent += (size_t)n;
	CHECK(n == 0 && sent >= 4096 && sent < sizeof(big));
	OK(carrel_eof(carrel_task_proc(t)));
	AWAIT(b.gone, 1);
	CHECK_INT(atoi(b.out), (int)sent);
	done();
}

/* T-097, T-100, R-059 */
TEST(closing_streams)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("cat"), &e));
	int fd = carrel_take_fd(carrel_task_proc(t), 1);
	CHECK(fd >= 0);
	close(fd);
	CHECK(carrel_write(carrel_task_proc(t), "nobody reads\n", 13) == 13);
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGPIPE);
	CHECK(carrel_eof(carrel_task_proc(t)) == -1);
	done();
}

/* T-151 to T-153 in our words: a stream that is not read slows its writer, and nothing else */
TEST(backpressure)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(r, &c);

	OK(carrel_pause(carrel_task_proc(t), 1, 1));
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sh", "-c", "yes | head -c 1000000"), &e));
	OK(carrel_task_execvp(t2, NULL, CARREL_ARGV("echo", "test"), &e));
	AWAIT(c.gone, 1);
	CHECK_INT((int)b.n_out, 0);
	CHECK_INT(b.gone, 0);
	OK(carrel_pause(carrel_task_proc(t), 1, 0));
	AWAIT(b.gone, 1);
	CHECK_INT((int)b.n_out, 1000000);
	done();
}

TEST(streams_of_other_kinds)
{
	char line[16];
	int pipe_fd[2];
	carrel_task *r = root(&a);

	CHECK(pipe(pipe_fd) == 0);
	carrel_task *t = carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .user = &b, .in.kind = CARREL_NULL,
							     .out = { .kind = CARREL_FD, .fd = pipe_fd[1] },
							     .err.kind = CARREL_TO_STDOUT }, &e);
	CHECK(t != NULL);
	close(pipe_fd[1]);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("sh", "-c", "cat; echo out; echo err >&2"), &e));
	CHECK_INT((int)read(pipe_fd[0], line, 4), 4);
	CHECK_INT((int)read(pipe_fd[0], line + 4, 4), 4);
	CHECK_MEM(line, 8, "out\nerr\n", 8);
	close(pipe_fd[0]);
	AWAIT(b.gone, 1);
	/* in lines */
	t = carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .user = &c, .framing = CARREL_LINES }, &e);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("printf", "one\\ntwo\\n"), &e));
	AWAIT(c.gone, 1);
	CHECK_MEM(c.out, c.n_out, "onetwo", 6);
	CHECK(carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .out.kind = CARREL_PTY }, &e) == NULL);
	check_error(CARREL_STAGE_ARGS, EINVAL, "terminal");
	CHECK(carrel_task_fork(r, &(carrel_fork){ .size = 3 }, &e) == NULL);
	check_error(CARREL_STAGE_ARGS, EINVAL, "carrel_fork.size");
	done();
}

/* What the functions for trees do with a task that is no root: itself, and what is below it. */
TEST(a_task_is_a_tree)
{
	carrel_info info[8];
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(t, &c), *other = fork_as(r, &d);

	CHECK_INT((int)carrel_tree(carrel_task_proc(r), info, 8), 4);
	CHECK_INT(info[0].pid, pid_of(r));
	CHECK_INT((int)carrel_tree(carrel_task_proc(t), info, 8), 2);
	CHECK_INT(info[0].pid, pid_of(t));
	CHECK_INT(info[1].pid, pid_of(t2));
	CHECK_INT(carrel_set_limit(carrel_task_proc(t), &(carrel_rlimit){ RLIMIT_NOFILE, 99, 99 }), 2);
	struct rlimit now;
	CHECK(prlimit(pid_of(t2), RLIMIT_NOFILE, NULL, &now) == 0 && now.rlim_cur == 99);
	CHECK(prlimit(pid_of(other), RLIMIT_NOFILE, NULL, &now) == 0 && now.rlim_cur != 99);
	carrel_stop(carrel_task_proc(t), NULL, 0);
	AWAIT(b.gone, 1);
	AWAIT(c.gone, 1);
	CHECK_INT((int)carrel_tree(carrel_task_proc(t), info, 8), 0);
	done();
}

/* ------------------------------------------------------ descriptors of the host --- */

TEST(descriptors_go_both_ways)
{
	char byte = 0;
	int pipe_fd[2];
	carrel_task *r = root(&a);

	CHECK(pipe(pipe_fd) == 0);
	int there = carrel_task_send_fd(r, pipe_fd[1], &e);
	CHECK(there >= 3);
	CHECK_INT(NUMBER(r, "write", INT(there), text("x")), 1);
	CHECK(read(pipe_fd[0], &byte, 1) == 1 && byte == 'x');
	int64_t fd = NUMBER(r, "open", text("/proc/self/comm"), CARREL_VALUE_LIST(NULL, 0), INT(0));
	int here = carrel_task_take_fd(r, (int)fd, &e);
	CHECK(here >= 0 && (fcntl(here, F_GETFD) & FD_CLOEXEC) != 0);
	char line[32] = "";
	CHECK(pread(here, line, sizeof(line) - 1, 0) > 0);
	CHECK_STR(line, "carrel:task\n");
	close(here);
	CHECK(carrel_task_take_fd(r, 77, &e) == -1);
	CHECK_INT(errno, EBADF);
	CHECK(carrel_task_send_fd(r, 7777, &e) == -1);
	check_error(CARREL_STAGE_FDS, EBADF, "7777");
	/* Its own end of our connection is not to be had. */
	for (fd = 3; fd < 1200; fd++) {
		here = carrel_task_take_fd(r, (int)fd, &e);
		if (here < 0)
			continue;
		int type;
		CHECK(getsockopt(here, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }) == -1);
		close(here);
	}
	done();
}

/* ------------------------------------------------------------ 1.9 filters --- */

#define NAMES(...) (&(const carrel_calls){ .calls = CARREL_ARGV(__VA_ARGS__) })
#define ONLY(...) (&(const carrel_calls){ .calls = CARREL_ARGV(__VA_ARGS__), .allow = 1 })

static void check_denied(carrel_task *t, const char *what)
{
	CHECK(CALL0(t, what) == -1);
	CHECK_INT(errno, ENOSYS);
	CHECK(strstr(e.msg, "denied") != NULL);
}

/* T-130 to T-133, R-064 */
TEST(calls_denied)
{
	carrel_task *r = root(&a), *old = fork_as(r, NULL);

	OK(carrel_task_deny(r, ONLY("fork", "deny_calls", "getcwd"), ONLY("getpid", "gethostname"), 0, &e));
	check_denied(r, "getpid");
	OK(CALL0(r, "getcwd"));
	carrel_task *t = fork_as(r, NULL);
	CHECK_INT(NUMBER0(t, "getpid"), pid_of(t));
	OK(CALL0(t, "gethostname"));
	check_denied(t, "getcwd");
	CHECK(carrel_task_fork(t, NULL, &e) == NULL);
	CHECK_INT(errno, ENOSYS);
	/* T-134 */
	CHECK_INT(NUMBER0(old, "getpid"), pid_of(old));
	/* T-132: what is denied stays denied */
	OK(carrel_task_deny(r, NULL, NULL, 0, &e));
	check_denied(r, "getpid");
	OK(carrel_task_deny(r, NAMES("deny_calls"), NULL, 0, &e));
	CHECK(carrel_task_deny(r, NULL, NULL, 0, &e) == -1);
	CHECK_INT(errno, ENOSYS);
	/* A task without any call can still be ended, and its children told. */
	OK(carrel_signal(carrel_task_proc(t), SIGKILL, 0));
	CHECK(carrel_task_deny(old, NAMES("no_such_call"), NULL, 0, &e) == -1);
	check_error(CARREL_STAGE_ARGS, EINVAL, "no_such_call");
	done();
}

/* T-135, L-046: a child gets what its parent lacks, but not in the monotonic mode */
TEST(calls_denied_below)
{
	carrel_task *r = root(&a), *r2 = fork_as(r, &b);

	OK(carrel_task_deny(r, ONLY("fork"), ONLY("execvp"), 0, &e));
	carrel_task *t = fork_as(r, &c);
	check_denied(t, "getpid");
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e));
	AWAIT(c.gone, 1);
	OK(carrel_task_deny(r2, NAMES("getpid"), NULL, 1, &e));
	OK(carrel_task_deny(r2, NULL, NAMES("getuid"), 0, &e));
	carrel_task *t2 = fork_as(r2, &d), *t3 = fork_as(t2, &f);
	check_denied(t2, "getpid");
	check_denied(t2, "getuid");
	check_denied(t3, "getpid");
	OK(CALL0(t3, "getgid"));
	/* T-137: a command is not bound */
	OK(carrel_task_execvp(t3, NULL, CARREL_ARGV("sh", "-c", "echo $(id -u)"), &e));
	AWAIT(f.gone, 1);
	CHECK(f.n_out > 0);
	done();
}

/* X-020, L-045: no call of ours is needed for another */
TEST(a_denied_list_of_children_harms_nobody)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	OK(carrel_task_deny(t, NAMES("cpid", "close", "fcntl", "getopt", "setopt", "environ"), NULL, 0, &e));
	carrel_task *t2 = fork_as(t, &c);
	OK(CALL(t2, "exit", INT(4)));
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.code, 4);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e));
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.code, 0);
	done();
}

/* ------------------------------------------------------------ 1.10 signals --- */

static const char *mode(carrel_task *t, const char *sig, carrel_value how)
{
	static char word[32];

	OK(carrel_task_call(t, "sigaction", VALUES(name(sig), how), NULL, &got, &e));
	snprintf(word, sizeof(word), "%s", (const char *)got->data);
	carrel_value_free(got);
	return word;
}

/* T-114, T-115, T-117 */
TEST(signals_as_events)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	const carrel_value ask = { .kind = CARREL_NONE };

	CHECK_STR(mode(t, "sigterm", ask), "sig_dfl");
	CHECK_STR(mode(t, "sigpipe", ask), "sig_info");
	CHECK_STR(mode(t, "sigterm", name("sig_info")), "sig_dfl");
	OK(CALL(r, "kill", INT(pid_of(t)), name("sigterm")));
	AWAIT(b.signals, 1);
	CHECK_INT(b.sig, SIGTERM);
	CHECK_STR(mode(t, "sigterm", name("sig_ign")), "sig_info");
	OK(CALL(r, "kill", INT(pid_of(t)), name("sigterm")));
	CHECK_STR(mode(t, "sigterm", name("sig_info")), "sig_ign");
	OK(CALL(r, "kill", INT(pid_of(t)), name("sigterm")));
	AWAIT(b.signals, 2);
	take_events(50);
	CHECK_INT(b.signals, 2);
	/* They reach a task that waits in a call, too. */
	carrel_task *t2 = fork_as(t, &c);
	CHECK_STR(mode(t2, "sigterm", ask), "sig_info");
	CHECK_STR(mode(t, "sigterm", name("sig_dfl")), "sig_info");
	OK(CALL(r, "kill", INT(pid_of(t)), name("sigterm")));
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGTERM);
	AWAIT(c.gone, 1);
	done();
}

/* T-119, L-049 */
TEST(signals_that_cannot_be_caught)
{
	carrel_task *r = root(&a);
	static const char *const names[] = { "sigkill", "sigstop" };

	for (int i = 0; i < 2; i++) {
		CHECK(CALL(r, "sigaction", name(names[i]), name("sig_info")) == -1);
		CHECK_INT(errno, EINVAL);
	}
	CHECK(CALL(r, "sigaction", INT(0), name("sig_info")) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK(CALL(r, "sigaction", INT(4711), name("sig_ign")) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK(CALL(r, "sigaction", name("sigterm"), name("sig_perhaps")) == -1);
	CHECK_INT(errno, EINVAL);
	done();
}

/* L-037: far more signals than any queue holds, and nobody reads; the task goes on */
TEST_T(a_flood_of_signals, 120)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	const pid_t pid = pid_of(t);

	/* Libcs keep some of the first. */
	const int first = SIGRTMIN + 4;
	for (int sig = first; sig <= SIGRTMAX; sig++)
		OK(CALL(t, "sigaction", INT(sig), name("sig_info")));
	for (int i = 0; i < 20000; i++) {
		if (sigqueue(pid, first + i % (SIGRTMAX - first), (union sigval){ .sival_int = i }) == -1)
			usleep(1000);
	}
	CHECK_INT(NUMBER0(t, "getpid"), pid);
	carrel_task *t2 = fork_as(t, &c);
	OK(CALL(t2, "exit", INT(9)));
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.code, 9);
	CHECK(b.signals > 0);
	done();
}

/* T-061, T-118 */
TEST(waiting_by_oneself)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);

	CHECK_STR(mode(r, "sigchld", name("sig_info")), "sig_dfl");
	OK(CALL(t, "exit", INT(3)));
	AWAIT(a.signals, 1);
	CHECK_INT(a.sig, SIGCHLD);
	CHECK_INT(b.gone, 0);
	OK(carrel_task_call(r, "waitpid", VALUES(INT(pid_of(t)), CARREL_VALUE_LIST(NULL, 0)), NULL, &got, &e));
	CHECK_INT((int)got->n_items, 3);
	CHECK_INT(got->item[0].number, pid_of(t));
	CHECK_INT(got->item[1].number, 3 << 8);
	CHECK_STR((const char *)got->item[2].item[0].item[0].data, "exit_status");
	CHECK_INT(got->item[2].item[0].item[1].number, 3);
	carrel_value_free(got);
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.code, 3);
	/* With nothing to say: no number and an empty list */
	fork_as(r, &c);
	carrel_value nohang[] = { name("wnohang") };
	OK(carrel_task_call(r, "waitpid", VALUES(INT(-1), CARREL_VALUE_LIST(nohang, 1)), NULL, &got, &e));
	CHECK_INT(got->item[0].number, 0);
	CHECK_INT((int)got->item[2].n_items, 0);
	carrel_value_free(got);
	/* What was left over is waited for when the task does it again. */
	carrel_task *t2 = fork_as(r, &d);
	OK(CALL(t2, "exit", INT(6)));
	AWAIT(a.signals, 2);
	CHECK_STR(mode(r, "sigchld", name("sig_dfl")), "sig_info");
	AWAIT(d.gone, 1);
	CHECK_INT(d.status.code, 6);
	done();
}

/* ------------------------------------------------------------ 1.11 itself anew --- */

static unsigned long first_address(pid_t pid)
{
	char path[32];
	unsigned long at = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *x = fopen(path, "r");
	if (x != NULL && fscanf(x, "%lx", &at) != 1)
		at = 0;
	if (x != NULL)
		fclose(x);
	return at;
}

/* T-155, T-157 to T-161, L-044, X-009, X-012 */
TEST(itself_anew)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	const pid_t pid = pid_of(t);
	const carrel_value ask = { .kind = CARREL_NONE };

	OK(CALL(t, "sigaction", name("sigterm"), name("sig_info")));
	OK(CALL(t, "sigaction", name("sigusr1"), name("sig_ign")));
	CHECK_INT(NUMBER(t, "setopt", name("maxchild"), INT(5)), 5);
	OK(carrel_task_deny(t, NAMES("getuid"), NAMES("getgid"), 0, &e));
	unsigned long before = first_address(pid);
	for (int i = 0; i < 3; i++)
		OK(carrel_task_reexec(t, "anew", i == 0 ? CARREL_ARGV("A=1") : NULL, &e));
	CHECK_INT(NUMBER0(t, "getpid"), pid);
	/* Filters, signals and options are as they were. */
	check_denied(t, "getuid");
	carrel_task *t2 = fork_as(t, &c);
	check_denied(t2, "getgid");
	CHECK_STR(mode(t, "sigterm", ask), "sig_info");
	CHECK_STR(mode(t, "sigusr1", ask), "sig_ign");
	CHECK_INT(NUMBER(t, "getopt", name("maxchild")), 5);
	OK(CALL(r, "kill", INT(pid), name("sigterm")));
	AWAIT(b.signals, 1);
	OK(carrel_task_call(t, "environ", NULL, 0, NULL, &got, &e));
	CHECK_INT((int)got->n_items, 0);
	carrel_value_free(got);
	/* A program of one piece has one place; others are somewhere else each time. */
	CHECK(first_address(pid) != 0 && before != 0);
	OK(CALL(t2, "exit", INT(8)));
	AWAIT(c.gone, 1);
	CHECK_INT(c.status.code, 8);
	OK(carrel_task_execvp(t, NULL, CARREL_ARGV("true"), &e));
	AWAIT(b.gone, 1);
	/* The root too, and then a command: T-179, X-013 */
	carrel_result out;
	OK(carrel_task_reexec(r, NULL, CARREL_ARGV("PATH=/usr/bin:/bin"), &e));
	OK(carrel_task_shell(r, "echo test", &out, &e));
	CHECK_STR(out.out, "test\n");
	carrel_result_free(&out);
	done();
}

/* every one of a chain, with a title of its own */
TEST(a_chain_of_them_anew)
{
	carrel_task *r = root(&a), *v[20], *w[20];

	CHECK_INT(NUMBER(r, "setopt", name("maxforkdepth"), INT(2048)), 2048);
	for (int round = 0; round < 3; round++) {
		OK(carrel_task_chain(r, NULL, v, 20, &e));
		/* From the last on: who has children does not execute. */
		for (int i = 19; i >= 0; i--) {
			char title[32];

			CHECK(carrel_task_reexec(v[i], NULL, NULL, &e) == (i == 19 ? 0 : -1));
			snprintf(title, sizeof(title), "number %d", i);
			OK(CALL(v[i], "setproctitle", text(title)));
			CHECK_INT(NUMBER(v[i], "getopt", name("maxforkdepth")), 2048);
		}
		CHECK_INT(NUMBER0(v[19], "getpid"), pid_of(v[19]));
		carrel_release(carrel_task_proc(v[0]));
	}
	/* Each before its child is made. */
	for (int i = 0; i < 20; i++) {
		w[i] = fork_as(i == 0 ? r : w[i - 1], NULL);
		OK(carrel_task_reexec(w[i], NULL, NULL, &e));
	}
	CHECK_INT(NUMBER0(w[19], "getpid"), pid_of(w[19]));
	done();
	check_no_child();
}

/* T-160, X-011: without /proc */
TEST(itself_anew_without_proc)
{
	if (geteuid() != 0)
		SKIP("mounting is root's");
	carrel_task *r = root(&a);
	carrel_task *t = carrel_task_fork(r, &(carrel_fork){ .size = sizeof(carrel_fork), .user = &b,
							     .namespaces = CLONE_NEWNS | CLONE_NEWPID }, &e);
	CHECK(t != NULL);
	carrel_value private[] = { name("ms_private"), name("ms_rec") };
	OK(CALL(t, "mount", text(""), text("/"), text(""), CARREL_VALUE_LIST(private, 2), text(""), text("")));
	OK(CALL(t, "mount", text("tmpfs"), text("/proc"), text("tmpfs"), CARREL_VALUE_LIST(NULL, 0), text(""), text("")));
	CHECK(CALL(t, "open", text("/proc/self/exe"), CARREL_VALUE_LIST(NULL, 0), INT(0)) == -1);
	for (int i = 0; i < 2; i++)
		OK(carrel_task_reexec(t, NULL, NULL, &e));
	CHECK_INT(NUMBER0(t, "getpid"), 1);
	done();
}

/* ---------------------------------------------- 1.12, 1.13 several calls at once --- */

/* T-165, T-168, T-170, T-171 */
TEST(configured)
{
	carrel_value nothing[] = { name("alcove_rlimit"), INT(0), INT(0) };
	carrel_task *r = root(&a);
	const carrel_value slash[] = { text("/") }, nowhere[] = { text("/nowhere") };
	const carrel_value limit[] = { name("rlimit_core"), CARREL_VALUE_TUPLE(nothing, 3) };
	const carrel_operation ops[] = { { .call = "chdir", .args = slash, .n_args = 1 },
					 { .call = "setrlimit", .args = limit, .n_args = 2 },
					 { .call = "chdir", .args = nowhere, .n_args = 1, .ignore = -1 },
					 { .call = "chdir", .args = nowhere, .n_args = 1, .ignore = ENOENT } };
	carrel_task *t = carrel_task_fork_do(r, NULL, ops, 4, &e);

	CHECK(t != NULL);
	OK(carrel_task_call(t, "getrlimit", VALUES(name("rlimit_core")), NULL, &got, &e));
	CHECK_INT(got->item[1].number, 0);
	carrel_value_free(got);
	OK(carrel_task_call(t, "getcwd", NULL, 0, NULL, &got, &e));
	CHECK_STR((const char *)got->data, "/");
	carrel_value_free(got);
	OK(carrel_task_do(t, ops, 4, &e));
	done();
}

static int fails(carrel_task *t, void *arg, carrel_error *why)
{
	*(pid_t *)arg = pid_of(t);
	*why = (carrel_error){ .stage = CARREL_STAGE_PROCESS, .err = EDOM };
	snprintf(why->msg, sizeof(why->msg), "it does not please me");
	errno = EDOM;
	return -1;
}

static int says_nothing(carrel_task *t, void *arg, carrel_error *why)
{
	(void)why;
	*(pid_t *)arg = pid_of(t);
	return -1;
}

/* T-166, T-167, L-031, L-032: whatever fails, and however, nothing is left */
TEST(half_configured)
{
	const carrel_value nowhere[] = { text("/nowhere") };
	const carrel_value ignored[] = { name("sigterm"), name("sig_ign") };
	pid_t pid = 0;
	const carrel_operation stubborn = { .call = "sigaction", .args = ignored, .n_args = 2 };
	const carrel_operation bad[][2] = { { stubborn, { .call = "chdir", .args = nowhere, .n_args = 1 } },
					    { stubborn, { .call = "no_such_call" } },
					    { stubborn, { .call = "chdir" } },
					    { stubborn, { .function = fails, .arg = &pid } },
					    { stubborn, { .function = says_nothing, .arg = &pid } } };
	carrel_task *r = root(&a);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(carrel_task_fork_do(r, NULL, bad[i], 2, &e) == NULL);
		check_named();
		CHECK_INT(e.index, 1);
		CHECK_INT((int)carrel_task_children(r, NULL, 0), 0);
		if (pid != 0)
			CHECK(!exists(pid));
	}
	CHECK_INT(NUMBER(r, "setopt", name("maxchild"), INT(0)), 0);
	CHECK(carrel_task_fork_do(r, NULL, bad[0], 2, &e) == NULL);
	CHECK_INT(errno, EAGAIN);
	done();
}

/* T-175, T-177, T-178, X-014, X-015, R-068 */
TEST(commands)
{
	carrel_task *r = root(&a), *t = fork_as(r, &b);
	carrel_result out;

	OK(carrel_task_run(r, CARREL_ARGV("/bin/echo", "test"), &out, &e));
	CHECK_STR(out.out, "test\n");
	CHECK(out.status.exited && out.status.code == 0);
	carrel_result_free(&out);
	OK(carrel_task_run(t, CARREL_ARGV("echo", "test"), &out, &e));
	CHECK_STR(out.out, "test\n");
	carrel_result_free(&out);
	OK(carrel_task_shell(r, "echo out; echo err >&2; exit 7", &out, &e));
	CHECK_STR(out.out, "out\nerr\n");
	CHECK_INT(out.status.code, 7);
	carrel_result_free(&out);
	CHECK(carrel_task_run(r, CARREL_ARGV("no-such-program-here"), &out, &e) == -1);
	check_error(CARREL_STAGE_EXEC, ENOENT, "execvp");
	CHECK(carrel_task_run(r, NULL, &out, &e) == -1);
	CHECK_INT(errno, EINVAL);
	/* It ends its parent, which is no reason to wait for ever. */
	OK(carrel_task_shell(t, "echo before; kill $PPID; sleep 1000", &out, &e));
	CHECK_STR(out.out, "before\n");
	carrel_result_free(&out);
	AWAIT(b.gone, 1);
	CHECK_INT(b.status.sig, SIGTERM);
	OK(carrel_task_shell(r, "seq 1 20000", &out, &e));
	CHECK_INT((int)out.out_len, 108894);
	carrel_result_free(&out);
	CHECK_INT((int)carrel_task_children(r, NULL, 0), 0);
	done();
}

/* T-059, T-064, T-074, T-075: namespaces by calls */
TEST(namespaces_by_calls)
{
	char path[64];
	struct stat here, there;

	if (geteuid() != 0)
		SKIP("namespaces are root's");
	carrel_task *r = root(&a), *t = fork_as(r, &b), *t2 = fork_as(r, &c);
	carrel_value net[] = { name("clone_newnet") };
	OK(CALL(t, "unshare", CARREL_VALUE_LIST(net, 1)));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid_of(t));
	int64_t fd = NUMBER(t2, "open", text(path), CARREL_VALUE_LIST(NULL, 0), INT(0));
	CHECK(fd >= 3);
	OK(CALL(t2, "setns", INT(fd), INT(0)));
	CHECK(stat(path, &here) == 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid_of(t2));
	CHECK(stat(path, &there) == 0 && here.st_ino == there.st_ino);
	CHECK(stat("/proc/self/ns/net", &there) == 0 && here.st_ino != there.st_ino);
	/* pivot_root onto a directory of one's own */
	char dir[] = "/tmp/carrel-task-XXXXXX";
	CHECK(mkdtemp(dir) != NULL);
	carrel_value ns[] = { name("clone_newns") }, private[] = { name("ms_private"), name("ms_rec") },
		     bind[] = { name("ms_bind") }, none = CARREL_VALUE_LIST(NULL, 0), detach[] = { name("mnt_detach") };
	OK(CALL(t, "unshare", CARREL_VALUE_LIST(ns, 1)));
	OK(CALL(t, "mount", text(""), text("/"), text(""), CARREL_VALUE_LIST(private, 2), text(""), text("")));
	OK(CALL(t, "mount", text(dir), text(dir), text(""), CARREL_VALUE_LIST(bind, 1), text(""), text("")));
	OK(CALL(t, "chdir", text(dir)));
	OK(CALL(t, "pivot_root", text("."), text(".")));
	OK(CALL(t, "umount2", text("."), CARREL_VALUE_LIST(detach, 1)));
	OK(carrel_task_call(t, "readdir", VALUES(text("/")), NULL, &got, &e));
	CHECK_INT((int)got->n_items, 2);
	carrel_value_free(got);
	CHECK(CALL(t, "mount", text("x"), text(""), text(""), none, text(""), text("")) == -1);
	CHECK_INT(errno, EINVAL);
	CHECK(rmdir(dir) == 0);
	done();
}

/* The behaviours that isolate end in a task as well as in a command. */
TEST(an_isolated_root)
{
	handle = carrel_open(NULL, &e);
	carrel_task *r = carrel_task_open(handle, CARREL_SPEC(.behaviour = "rootless", .user = &a), &e);

	if (r == NULL && (e.stage == CARREL_STAGE_NAMESPACE || errno == EPERM))
		SKIP("no namespaces here");
	if (r == NULL)
		tap_fail("root: %s", e.msg);
	CHECK_INT(NUMBER0(r, "getpid"), 2);
	CHECK_INT(NUMBER0(r, "getuid"), 65534);
	OK(carrel_task_call(r, "gethostname", NULL, 0, NULL, &got, &e));
	CHECK_STR((const char *)got->data, "carrel");
	carrel_value_free(got);
	carrel_task *t = fork_as(r, &b), *t2 = fork_as(t, &c);
	CHECK_INT(NUMBER0(t2, "getpid"), 4);
	OK(carrel_task_execvp(t2, NULL, CARREL_ARGV("sh", "-c", "echo $PPID; exec sleep 1000"), &e));
	/* Its parent is killed: it goes to the init, of which nobody hears; and it is ended and told. */
	OK(carrel_signal(carrel_task_proc(t), SIGKILL, 0));
	AWAIT(b.gone, 1);
	AWAIT(c.gone, 1);
	CHECK_INT(c.gone, 1);
	CHECK_INT((int)c.status.cause, CARREL_BY_LOSS);
	done();
	check_no_child();
}
