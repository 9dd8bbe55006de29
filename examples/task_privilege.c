/* SPDX-License-Identifier: ISC */
/*
 * task_privilege FILE: toggle the first character of a file that only root may open, between 0 and 1, as one
 * does with /sys/class/gpio/gpio17/value.  Begin as root.
 *
 * This program gives its rights away at once.  A task opens the file, gives its rights away too, and is left
 * with a handful of calls: the open file is all that is left of them.
 */
#include <carrel-task.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY 65534

static int drop(carrel_task *t, carrel_error *e)
{
	static const char *const names[] = { "read", "write", "lseek", NULL };
	const carrel_calls left = { .calls = names, .allow = 1 };

	if (carrel_task_setgroups(t, NULL, 0, e) == -1 ||
	    carrel_task_setresgid(t, NOBODY, NOBODY, NOBODY, e) == -1 ||
	    carrel_task_setresuid(t, NOBODY, NOBODY, NOBODY, e) == -1)
		return -1;
	return carrel_task_deny(t, &left, &left, 1, e);
}

/* The character at the beginning, or -1. */
static int get(carrel_task *t, int fd, carrel_error *e)
{
	carrel_value *v = NULL;

	if (carrel_task_lseek(t, fd, 0, SEEK_SET, e) == -1 || carrel_task_read(t, fd, 1, &v, e) == -1)
		return -1;
	int c = v->kind == CARREL_TEXT && v->size == 1 ? *(const char *)v->data : 0;
	carrel_value_free(v);
	return c;
}

static int put(carrel_task *t, int fd, char value, carrel_error *e)
{
	return carrel_task_lseek(t, fd, 0, SEEK_SET, e) == -1 ? -1 : carrel_task_write(t, fd, &value, 1, e);
}

int main(int argc, char **argv)
{
	carrel_error e;
	int fd = -1, was = -1, status = 1;

	if (argc != 2)
		return fprintf(stderr, "usage: task_privilege FILE\n"), 2;
	carrel *c = carrel_open(NULL, &e);
	if (c == NULL)
		return fprintf(stderr, "%s\n", carrel_strerror(&e)), 1;
	if (setgid(NOBODY) == -1 || setuid(NOBODY) == -1) {
		perror("cannot give rights away");
		carrel_close(c);
		return 1;
	}
	if (open(argv[1], O_RDWR | O_CLOEXEC) == -1)
		perror("this program cannot open it");

	carrel_task *t = carrel_task_open(c, NULL, &e);
	if (t != NULL)
		fd = carrel_task_call_open(t, argv[1], O_RDWR | O_CLOEXEC, 0, &e);
	if (fd != -1 && drop(t, &e) == 0)
		was = get(t, fd, &e);
	if (was != -1 && put(t, fd, was == '0' ? '1' : '0', &e) != -1) {
		printf("it was %c and is %c\n", was, get(t, fd, &e));
		status = 0;
		if (carrel_task_call_open(t, argv[1], O_RDONLY, 0, &e) == -1)
			printf("a second time: %s\n", carrel_strerror(&e));
	} else {
		fprintf(stderr, "%s\n", carrel_strerror(&e));
	}
	carrel_close(c);
	return status;
}
