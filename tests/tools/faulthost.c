/* SPDX-License-Identifier: ISC */
/*
 * faulthost [-n] inherit|pipes|feed|pty|capture COMMAND [ARG...]: a host that believes nothing. It runs COMMAND
 *	inherit	on an ordinary handle with its own standard streams,
 *	pipes	the same with pipes and input, by events,
 *	feed	the same with input from a descriptor, output in lines and errors into the file `errors`,
 *	pty	the same on a terminal of its own,
 *	capture	by carrel_run() without a handle,
 * and while it does, it is named carrel:host, so that a stepper knows when (stepper --marked). -n: no cgroup.
 *
 * Exit status: 7 when the command ran and ended with 7; 125 when there was an error with a stage, an errno
 * and a sentence, which it prints, and all works when it is done once more; 66 when anything else happened,
 * or a descriptor or a child is left.
 */
#include <carrel.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIGHT = 7, NAMED = 125, WRONG = 66 };

#define INPUT_SIZE 150000	/* more than a pipe holds */

enum how { INHERIT, PIPES, FEED, PTY, CAPTURE };

#define HOWS 5

static const char *const how_names[HOWS] = { "inherit", "pipes", "feed", "pty", "capture" };

static char input[INPUT_SIZE];
static int no_cgroup;
static int source;		/* a file with that input */

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/* named(what, e): the error says where, what and a sentence, and errno is the same. */
static int named(const char *what, const carrel_error *e)
{
	int err = errno;

	fprintf(stderr, "carrel: %s: %s: %s\n", what, carrel_stage_name(e->stage), carrel_strerror(e));
	if (e->stage != CARREL_STAGE_NONE && e->err > 0 && e->err == err && strlen(e->msg) > 10)
		return NAMED;
	fprintf(stderr, "wrong: stage %d, err %d, errno %d, '%s'\n", (int)e->stage, e->err, err, e->msg);
	return WRONG;
}

static int judge(const carrel_status *st, int output_right)
{
	if (st->cause == CARREL_BY_LOSS) {
		fprintf(stderr, "carrel: a control process was lost and the tree with it\n");
		return NAMED;
	}
	if (st->exited && st->code == RIGHT && output_right)
		return RIGHT;
	fprintf(stderr, "wrong: exited %d code %d signal %d cause %d, output %s\n", st->exited, st->code, st->sig,
		(int)st->cause, output_right ? "right" : "wrong");
	return WRONG;
}

static int says_right(const char *text, size_t len, size_t fed, const char *newline)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%zu bytes%sright%s", fed, newline, newline);
	if (len == strlen(wanted) && memcmp(text, wanted, len) == 0)
		return 1;
	fprintf(stderr, "output: %.*s\n", (int)len, text);
	return 0;
}

/* What came is what was to come. */
static int output_right(enum how how, const char *text, size_t len)
{
	switch (how) {
	case INHERIT:
		return 1;
	case PTY:
		return says_right(text, len, 0, "\r\n");
	case FEED:
		return says_right(text, len, INPUT_SIZE, "");
	default:
		return says_right(text, len, INPUT_SIZE, "\n");
	}
}

/* Everything until GONE; what came on stdout is in ${text}. */
static int pull(carrel *c, enum how how)
{
	carrel_event ev = { .size = sizeof(ev) };
	char text[4096];
	size_t len = 0;
	int r;

	while ((r = carrel_next(c, &ev, 30000)) == 1) {
		if (ev.kind == CARREL_OUT && ev.len <= sizeof(text) - len) {
			memcpy(text + len, ev.data, ev.len);
			len += ev.len;
		}
		if (ev.kind == CARREL_LOST) {
			fprintf(stderr, "carrel: lost: %.*s\n", (int)ev.len, ev.data);
			return ev.len > 5 ? NAMED : WRONG;
		}
		if (ev.kind == CARREL_GONE)
			return judge(ev.status, ev.status->cause == CARREL_BY_LOSS || output_right(how, text, len));
		if (ev.kind == CARREL_INPUT_FAILED) {
			fprintf(stderr, "carrel: input: %s\n", strerror(ev.err));
			return ev.err > 0 ? NAMED : WRONG;
		}
	}
	if (r == -1) {
		fprintf(stderr, "carrel: carrel_next: %s\n", strerror(errno));
		return NAMED;
	}
	fprintf(stderr, "wrong: no GONE within 30 s\n");
	return WRONG;
}

static int by_events(const carrel_spec *s, enum how how)
{
	carrel_config cfg = { .size = sizeof(cfg), .no_cgroup = no_cgroup };
	carrel_error e = { 0 };
	carrel *c = carrel_open(&cfg, &e);

	if (c == NULL)
		return named("open", &e);
	int status = carrel_spawn(c, s, &e) == NULL ? named("spawn", &e) : pull(c, how);
	carrel_close(c);
	return status;
}

static int by_run(const carrel_spec *s)
{
	carrel_result r;
	carrel_error e = { 0 };

	if (carrel_run(NULL, s, &r, &e) == -1)
		return named("run", &e);
	int status = judge(&r.status, says_right(r.out, r.out_len, INPUT_SIZE, "\n"));
	carrel_result_free(&r);
	return status;
}

static int attempt(enum how how, const char *const *argv)
{
	static const char *const env[] = { "FAULT_MARK=here", NULL };
	carrel_spec s = { .size = sizeof(s), .argv = argv, .env = env };

	switch (how) {
	case INHERIT:
		s.in.kind = s.out.kind = s.err.kind = CARREL_INHERIT;
		s.session = CARREL_SESSION_OWN;
		return by_events(&s, how);
	case PTY:
		s.in.kind = CARREL_NULL;
		s.out.kind = CARREL_PTY;
		return by_events(&s, how);
	case FEED:
		lseek(source, 0, SEEK_SET);
		s.in = (carrel_io){ .kind = CARREL_FEED, .fd = source };
		s.err = (carrel_io){ .kind = CARREL_FILE, .path = "errors" };
		s.framing = CARREL_LINES;
		return by_events(&s, how);
	case PIPES:
	case CAPTURE:
		s.input = input;
		s.input_len = sizeof(input);
		break;
	}
	return how == PIPES ? by_events(&s, how) : by_run(&s);
}

static int how_of(const char *word)
{
	for (int i = 0; i < HOWS; i++)
		if (strcmp(word, how_names[i]) == 0)
			return i;
	return -1;
}

int main(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "-n") == 0 ? 2 : 1;

	no_cgroup = first == 2;
	int how = argc < first + 2 ? -1 : how_of(argv[first]);

	source = memfd_create("input", MFD_CLOEXEC);
	if (how == -1 || source == -1 || write(source, input, sizeof(input)) != sizeof(input)) {
		fputs("usage: faulthost [-n] inherit|pipes|feed|pty|capture COMMAND [ARG...]\n", stderr);
		return 2;
	}
	const char *const *command = (const char *const *)(argv + first + 1);
	int before = open_descriptors();
	prctl(PR_SET_NAME, "carrel:host", 0, 0, 0);
	int status = attempt((enum how)how, command);
	prctl(PR_SET_NAME, "faulthost", 0, 0, 0);
	int after = open_descriptors();
	if (after != before) {
		fprintf(stderr, "wrong: %d descriptors before, %d after\n", before, after);
		status = WRONG;
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD) {
		fprintf(stderr, "wrong: a child is left\n");
		status = WRONG;
	}
	if (status == NAMED && attempt((enum how)how, command) != RIGHT) {
		fprintf(stderr, "wrong: it does not work the second time\n");
		status = WRONG;
	}
	unlink("errors");
	return status;
}
