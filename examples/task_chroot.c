/* SPDX-License-Identifier: ISC */
/*
 * task_chroot ROOT COMMAND [ARG...]: run COMMAND of the directory ROOT, which is then all that it sees, as a user
 * that nobody else is, with few descriptors, no new processes and no room in files.  Needs root.
 */
#include <carrel-task.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Step by step: each is one system call in the task, and the first that fails says why. */
static int confine(carrel_task *t, const char *root, carrel_error *e)
{
	const uint32_t id = 0x70000000 + (uint32_t)getpid();

	if (carrel_task_chroot(t, root, e) == -1 ||
	    carrel_task_chdir(t, "/", e) == -1 ||
	    carrel_task_setrlimit(t, RLIMIT_CORE, 0, 0, e) == -1 ||
	    carrel_task_setrlimit(t, RLIMIT_FSIZE, 0, 0, e) == -1 ||
	    carrel_task_setrlimit(t, RLIMIT_NPROC, 1, 1, e) == -1 ||
	    carrel_task_setgroups(t, NULL, 0, e) == -1 ||
	    carrel_task_setresgid(t, id, id, id, e) == -1 ||
	    carrel_task_setresuid(t, id, id, id, e) == -1 ||
	    carrel_task_prctl(t, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, e) == -1)
		return -1;
	/* Last: the calls before it need descriptors themselves. */
	return carrel_task_setrlimit(t, RLIMIT_NOFILE, 8, 8, e);
}

int main(int argc, char **argv)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;
	carrel_task *t = NULL;

	if (argc < 3)
		return fprintf(stderr, "usage: task_chroot ROOT COMMAND [ARG...]\n"), 2;
	carrel *c = carrel_open(NULL, &e);
	carrel_task *root = c != NULL ? carrel_task_open(c, NULL, &e) : NULL;
	if (root != NULL)
		t = carrel_task_fork(root, NULL, &e);
	if (t == NULL || confine(t, argv[1], &e) == -1 ||
	    carrel_task_execvp(t, NULL, (const char *const *)argv + 2, &e) == -1) {
		fprintf(stderr, "%s\n", carrel_strerror(&e));
		carrel_close(c);
		return 125;
	}
	carrel_eof(carrel_task_proc(t));
	int status = 125;
	while (carrel_next(c, &ev, -1) == 1 && ev.kind != CARREL_LOST) {
		if (ev.kind == CARREL_OUT || ev.kind == CARREL_ERR)
			fwrite(ev.data, 1, ev.len, ev.kind == CARREL_OUT ? stdout : stderr);
		if (ev.kind == CARREL_GONE && ev.task == t) {
			status = ev.status->exited ? ev.status->code : 128 + ev.status->sig;
			break;
		}
	}
	carrel_close(c);
	return status;
}
