/* SPDX-License-Identifier: ISC */
/*
 * event_many TEXT...: several shell commands at once under libevent, their lines tagged:
 *
 *	event_many 'make -C a' 'make -C b' 'sleep 100'
 *
 * ^C stops all of them: SIGINT to each whole tree, two seconds later SIGKILL to what is left.  The steps run in
 * the control process, so they are kept even if this program is killed meanwhile.
 */
#include <carrel.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
	int number;
	carrel_proc *proc;
};

struct app {
	carrel *carrel;
	struct event_base *base;
	struct job *jobs;
	int n, running, failed;
};

static void gone(struct app *a, struct job *j, const carrel_status *st)
{
	if (st->exited)
		printf("[%d] exit %d", j->number, st->code);
	else
		printf("[%d] signal %d", j->number, st->sig);
	printf(st->leftovers > 0 ? ", %u left behind were killed\n" : "\n", st->leftovers);
	if (!st->exited || st->code != 0)
		a->failed = 1;
	/* After GONE nothing of the tree is there; forget it. */
	carrel_release(j->proc);
	j->proc = NULL;
	if (--a->running == 0)
		event_base_loopbreak(a->base);
}

static void on_events(evutil_socket_t fd, short what, void *arg)
{
	struct app *a = arg;
	carrel_event ev = { .size = sizeof(ev) };

	(void)fd;
	(void)what;
	while (carrel_next(a->carrel, &ev, 0) == 1) {
		struct job *j = ev.user; /* what the spec had; NULL with CARREL_LOST */

		if (ev.kind == CARREL_OUT || ev.kind == CARREL_ERR)
			/* One line, without its newline, unless it is longer than max_line. */
			printf("[%d] %.*s%s\n", j->number, (int)ev.len, ev.data, ev.partial ? "\\" : "");
		else if (ev.kind == CARREL_GONE)
			gone(a, j, ev.status);
		else if (ev.kind == CARREL_LOST)
			event_base_loopbreak(a->base);
	}
	fflush(stdout);
}

static void on_interrupt(evutil_socket_t sig, short what, void *arg)
{
	static const carrel_step steps[] = { { SIGINT, 2000 } };
	struct app *a = arg;

	(void)sig;
	(void)what;
	for (int i = 0; i < a->n; i++) {
		if (a->jobs[i].proc != NULL)
			carrel_stop(a->jobs[i].proc, steps, 1);
	}
}

static void start(struct app *a, struct job *j, const char *text)
{
	carrel_error e;

	j->proc = carrel_spawn(a->carrel, CARREL_SPEC(.shell = text, .framing = CARREL_LINES, .user = j), &e);
	if (j->proc != NULL) {
		a->running++;
		return;
	}
	printf("[%d] %s\n", j->number, carrel_strerror(&e));
	a->failed = 1;
}

int main(int argc, char **argv)
{
	struct app a = { .base = event_base_new(), .n = argc - 1 };
	carrel_error e;

	a.jobs = calloc((size_t)argc, sizeof(*a.jobs));
	if (a.base == NULL || a.jobs == NULL)
		return 125;
	a.carrel = carrel_open(NULL, &e);
	if (a.carrel == NULL)
		return fprintf(stderr, "%s\n", carrel_strerror(&e)), 125;
	struct event *events = event_new(a.base, carrel_fd(a.carrel), EV_READ | EV_PERSIST, on_events, &a);
	struct event *interrupt = evsignal_new(a.base, SIGINT, on_interrupt, &a);
	event_add(events, NULL);
	event_add(interrupt, NULL);
	for (int i = 0; i < a.n; i++) {
		a.jobs[i].number = i + 1;
		start(&a, &a.jobs[i], argv[i + 1]);
	}
	if (a.running > 0)
		event_base_dispatch(a.base);
	event_free(events);
	event_free(interrupt);
	event_base_free(a.base);
	carrel_close(a.carrel); /* also ends what a lost or broken loop left running */
	free(a.jobs);
	return a.failed;
}
