/* SPDX-License-Identifier: ISC */
/*
 * task_namespaces CGROUP COMMAND [ARG...]: run COMMAND as process 1 of namespaces of its own (processes, mounts,
 * network, host name, System V), and from its first moment in the cgroup whose directory is CGROUP, so that
 * what was written there before (pids.max, memory.max) holds for all of it.  Needs root.
 */
#include <carrel-task.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>

/* In the new namespaces: what a process 1 finds amiss. */
static int furnish(carrel_task *t, carrel_error *e)
{
	if (carrel_task_mount(t, "none", "/", "", MS_REC | MS_PRIVATE, NULL, 0, NULL, 0, e) == -1 ||
	    carrel_task_mount(t, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0, NULL, 0, e) == -1 ||
	    carrel_task_sethostname(t, "inside", e) == -1 ||
	    carrel_task_loopback_up(t, e) == -1 ||
	    carrel_task_prctl(t, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, e) == -1)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;
	carrel_task *t = NULL;
	int status = 125;

	if (argc < 3)
		return fprintf(stderr, "usage: task_namespaces CGROUP COMMAND [ARG...]\n"), 2;
	int cgroup = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup == -1)
		return perror(argv[1]), 125;
	const carrel_fork clone = {
		.size = sizeof(clone),
		.namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC,
		.into_cgroup = 1,
		.cgroup = cgroup,
	};
	carrel *c = carrel_open(NULL, &e);
	carrel_task *root = c != NULL ? carrel_task_open(c, NULL, &e) : NULL;
	if (root != NULL)
		t = carrel_task_fork(root, &clone, &e);
	if (t == NULL || furnish(t, &e) == -1 ||
	    carrel_task_execvp(t, NULL, (const char *const *)argv + 2, &e) == -1) {
		fprintf(stderr, "%s\n", carrel_strerror(&e));
		carrel_close(c);
		return 125;
	}
	carrel_eof(carrel_task_proc(t));
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
