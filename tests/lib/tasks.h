/* SPDX-License-Identifier: ISC */
/* What the tests of tasks share: short calls, and who said what. */
#ifndef TESTS_LIB_TASKS_H
#define TESTS_LIB_TASKS_H

#include "failing.h"

/* What became of one task: the .user of its events. */
struct seen {
	char name[16];
	char out[65536], err[4096];
	size_t n_out, n_err;
	int gone, exits, eofs, stops, goes_on, signals, closed;
	int sig;		/* the last signal, or stop */
	carrel_status status;
};

static carrel *handle;
static int lost;		/* LOST events */

TAP_USED static carrel_value text(const char *s)
{
	return carrel_value_text(s);
}

TAP_USED static carrel_value name(const char *s)
{
	return carrel_value_name(s);
}

#define INT(i) CARREL_VALUE_INT(i)
#define VALUES(...) (carrel_value[]){ __VA_ARGS__ }, sizeof((carrel_value[]){ __VA_ARGS__ }) / sizeof(carrel_value)
/* A call that answers nothing of interest. */
#define CALL0(t, what) carrel_task_call(t, what, NULL, 0, NULL, NULL, &e)
#define CALL(t, what, ...) carrel_task_call(t, what, VALUES(__VA_ARGS__), NULL, NULL, &e)
/* One that answers a number; -1 with the error. */
#define NUMBER0(t, what) number_of(carrel_task_call(t, what, NULL, 0, NULL, &got, &e))
#define NUMBER(t, what, ...) number_of(carrel_task_call(t, what, VALUES(__VA_ARGS__), NULL, &got, &e))
#define OK(r) check_ok(r, __FILE__, __LINE__)

static carrel_value *got;

TAP_USED static void check_ok(int r, const char *file, int line)
{
	if (r < 0)
		tap_fail("%s:%d: failed: %s", file, line, carrel_strerror(&e));
}

TAP_USED static int64_t number_of(int r)
{
	int64_t n = -1;

	if (r < 0)
		tap_say("%s", e.msg);
	if (r == 0 && got != NULL && got->kind == CARREL_INT)
		n = got->number;
	carrel_value_free(got);
	got = NULL;
	return n;
}

TAP_USED static void take_event(const carrel_event *ev)
{
	struct seen *s = ev->user;

	if (ev->kind == CARREL_LOST) {
		lost++;
		return;
	}
	if (s == NULL)
		return;
	switch (ev->kind) {
	case CARREL_OUT:
		if (s->n_out + ev->len < sizeof(s->out))
			memcpy(s->out + s->n_out, ev->data, ev->len);
		s->n_out += ev->len;
		break;
	case CARREL_ERR:
		if (s->n_err + ev->len < sizeof(s->err))
			memcpy(s->err + s->n_err, ev->data, ev->len);
		s->n_err += ev->len;
		break;
	case CARREL_EOF:
		s->eofs++;
		break;
	case CARREL_STOPPED:
		s->stops++;
		s->sig = ev->sig;
		break;
	case CARREL_CONTINUED:
		s->goes_on++;
		break;
	case CARREL_SIGNAL:
		s->signals++;
		s->sig = ev->sig;
		CHECK_INT((int)ev->len, (int)sizeof(siginfo_t));
		CHECK_INT(((const siginfo_t *)(const void *)ev->data)->si_signo, ev->sig);
		break;
	case CARREL_STDIN_CLOSED:
		s->closed++;
		break;
	case CARREL_EXIT:
		s->exits++;
		break;
	case CARREL_GONE:
		s->gone++;
		s->status = *ev->status;
		break;
	default:
		break;
	}
}

/* Events until *${what} is at least ${n}; 20 s at most. */
TAP_USED static void await_number(const int *what, int n, const char *file, int line)
{
	carrel_event ev = { .size = sizeof(ev) };

	for (int i = 0; *what < n; i++) {
		int r = carrel_next(handle, &ev, 20000);

		if (r != 1) {
			tap_fail("%s:%d: no more events (%d, %s): %d of %d", file, line, r, strerror(errno), *what, n);
			return;
		}
		take_event(&ev);
	}
}

#define AWAIT(what, n) await_number(&(what), n, __FILE__, __LINE__)

/* Whatever is there within ${ms}. */
TAP_USED static void take_events(int ms)
{
	carrel_event ev = { .size = sizeof(ev) };

	while (carrel_next(handle, &ev, ms) == 1)
		take_event(&ev);
}

TAP_USED static carrel_task *root_as(struct seen *s, const carrel_spec *spec)
{
	carrel_spec full = spec != NULL ? *spec : *CARREL_SPEC();

	if (handle == NULL)
		handle = carrel_open(NULL, &e);
	if (handle == NULL)
		tap_fail("open: %s", e.msg);
	full.user = s;
	carrel_task *t = carrel_task_open(handle, &full, &e);
	if (t == NULL) {
		tap_fail("root: %s", e.msg);
	}
	return t;
}

TAP_USED static carrel_task *root(struct seen *s)
{
	return root_as(s, NULL);
}

TAP_USED static carrel_task *fork_as(carrel_task *t, struct seen *s)
{
	carrel_task *child = carrel_task_fork(t, &(carrel_fork){ .size = sizeof(carrel_fork), .user = s }, &e);

	if (child == NULL) {
		tap_fail("fork: %s", e.msg);
	}
	return child;
}

TAP_USED static pid_t pid_of(carrel_task *t)
{
	return carrel_pid(carrel_task_proc(t));
}

TAP_USED static void done(void)
{
	carrel_close(handle);
	handle = NULL;
}

/* A word of a line of /proc/PID/status. */
TAP_USED static long status_of(pid_t pid, const char *word)
{
	char path[32], line[256];
	long n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, word, strlen(word)) == 0)
			n = strtol(line + strlen(word), NULL, strncmp(word, "Sig", 3) == 0 || strncmp(word, "Cap", 3) == 0 ? 16 : 10);
	}
	if (f != NULL)
		fclose(f);
	return n;
}

TAP_USED static bool exists(pid_t pid)
{
	return kill(pid, 0) == 0 || errno == EPERM;
}

#endif
