/* SPDX-License-Identifier: ISC */
#include "policy_report.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char policy_unlearned[] =
	"# Written by carrel policy learn.  The first line that fits decides.\n"
	"default errno EPERM\n"
	"\n"
	"# What a run never teaches: ways around what is allowed below.\n"
	"errno ENOSYS clone3\n"
	"errno EPERM clone if int0 has CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|\\\n"
	"CLONE_NEWPID|CLONE_NEWNET\n"
	"errno EPERM ioctl if int1 in TIOCSTI TIOCLINUX\n";

/* ------------------------------------------------------------ for people --- */

/* "socket(40, 1, 0)" */
static void call_text(const struct policy_call *c, char *text, size_t size)
{
	const char *name = carrel_call_name(c->arch, c->nr), *kinds = carrel_call_args(c->arch, c->nr);
	size_t at = name != NULL ? (size_t)snprintf(text, size, "%s(", name) :
				   (size_t)snprintf(text, size, "call %d of the machine %#x(", c->nr, c->arch);

	for (int i = 0; i < 6 && kinds != NULL && kinds[i] != '\0' && at < size; i++) {
		const char *comma = i > 0 ? ", " : "";
		uint64_t v = c->args[i];

		if (kinds[i] == 'p')
			at += (size_t)snprintf(text + at, size - at, "%s%s", comma, v != 0 ? "*" : "NULL");
		else if (kinds[i] == 'i' && (v < 4096 || v > 0xfffff000))
			at += (size_t)snprintf(text + at, size - at, "%s%" PRId32, comma, (int32_t)v);
		else
			at += (size_t)snprintf(text + at, size - at, v < 4096 ? "%s%" PRIu64 : "%s%#" PRIx64, comma, v);
	}
	if (at < size)
		snprintf(text + at, size - at, ")");
}

static void say(const struct policy_call *c, carrel_verdict v)
{
	char text[256], what[64];

	call_text(c, text, sizeof(text));
	if (v.action == CARREL_CALL_ERRNO)
		snprintf(what, sizeof(what), "would fail: %.50s", strerror(v.err));
	else
		snprintf(what, sizeof(what), v.action == CARREL_CALL_KILL ? "would be killed" : "would be logged");
	report_line("%s %s (%" PRIu64 " time%s)", text, what, c->count, c->count == 1 ? "" : "s");
}

void policy_report(const carrel_policy *p, const struct policy_calls *calls)
{
	for (int i = 0; i < calls->n; i++) {
		const struct policy_call *c = &calls->call[i];

		say(c, carrel_policy_decide(p, c->arch, c->nr, c->args));
	}
	if (calls->n == 0)
		report_line("the policy would have refused nothing");
	if (calls->full)
		report_line("... and more than %d different calls", POLICY_CALLS_MAX);
}

/* -------------------------------------------------------------- as rules --- */

/* What decides about these calls is an argument; without it they would be allowed for too much. */
static const struct {
	const char *name;
	int arg;
} chosen[] = { { "ioctl", 1 }, { "personality", 0 }, { "prctl", 0 }, { "socket", 0 }, { "socketpair", 0 } };

#define CHOSEN (sizeof(chosen) / sizeof(chosen[0]))

static int chosen_as(const char *name)
{
	for (size_t i = 0; i < CHOSEN; i++) {
		if (strcmp(name, chosen[i].name) == 0)
			return (int)i;
	}
	return -1;
}

struct learned {
	const char **name;	/* to allow, sorted */
	int n;
	uint64_t *value[CHOSEN]; /* ... with an argument */
	int values[CHOSEN];
};

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What a policy says about a number that no kernel has is its default. */
#define NO_CALL 0x3fffffff

/* The policy's default is why it is refused; what somebody wrote a line about stays as it is. */
static int is_new(const carrel_policy *p, const struct policy_call *c, carrel_verdict otherwise)
{
	carrel_verdict v = carrel_policy_decide(p, c->arch, c->nr, c->args);

	return carrel_call_name(c->arch, c->nr) != NULL && v.action == otherwise.action && v.err == otherwise.err;
}

static int clone_is_new(const carrel_policy *p, uint32_t arch)
{
	const uint64_t none[6] = { 0 };
	struct policy_call c = { .arch = arch };

	for (c.nr = 0; c.nr < 1024; c.nr++) {
		const char *name = carrel_call_name(arch, c.nr);

		if (name != NULL && strcmp(name, "clone") == 0)
			return is_new(p, &c, carrel_policy_decide(p, arch, NO_CALL, none));
	}
	return 0;
}

static int add_name(struct learned *l, const char *name)
{
	for (int i = 0; i < l->n; i++) {
		if (strcmp(l->name[i], name) == 0)
			return 0;
	}
	const char **more = realloc(l->name, (size_t)(l->n + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	l->name = more;
	l->name[l->n++] = name;
	return 0;
}

static int add_value(struct learned *l, int which, uint64_t value)
{
	for (int i = 0; i < l->values[which]; i++) {
		if (l->value[which][i] == value)
			return 0;
	}
	uint64_t *more = realloc(l->value[which], (size_t)(l->values[which] + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	l->value[which] = more;
	l->value[which][l->values[which]++] = value;
	return 0;
}

static int collect(const carrel_policy *p, const struct policy_calls *calls, struct learned *l)
{
	const uint64_t none[6] = { 0 };
	int err = 0;

	for (int i = 0; i < calls->n && err == 0; i++) {
		const struct policy_call *c = &calls->call[i];

		const char *name = carrel_call_name(c->arch, c->nr);
		/* Its caller would have taken clone, had it not been there. */
		if (name != NULL && strcmp(name, "clone3") == 0 && clone_is_new(p, c->arch))
			err = add_name(l, "clone");
		if (!is_new(p, c, carrel_policy_decide(p, c->arch, NO_CALL, none)))
			continue;
		int which = chosen_as(name);

		err = which < 0 ? add_name(l, name) : add_value(l, which, c->args[chosen[which].arg]);
	}
	if (l->n > 0)
		qsort(l->name, (size_t)l->n, sizeof(*l->name), by_name);
	for (size_t i = 0; i < CHOSEN; i++) {
		if (l->values[i] > 0)
			qsort(l->value[i], (size_t)l->values[i], sizeof(*l->value[i]), by_value);
	}
	return err;
}

static void print_rules(FILE *f, const struct learned *l, const char *from)
{
	int column = 100;

	fprintf(f, "\n# Learned from: ");
	for (const char *s = from; *s != '\0'; s++)
		fputc(*s == '\n' ? ' ' : *s, f);
	for (int i = 0; i < l->n; i++) {
		if (column + (int)strlen(l->name[i]) > 90)
			column = fprintf(f, "\nallow") - 1;
		column += fprintf(f, " %s", l->name[i]);
	}
	for (size_t i = 0; i < CHOSEN; i++) {
		if (l->values[i] > 0)
			fprintf(f, "\nallow %s if int%d in", chosen[i].name, chosen[i].arg);
		for (int v = 0; v < l->values[i]; v++)
			fprintf(f, l->value[i][v] < 4096 ? " %" PRIu64 : " %#" PRIx64, l->value[i][v]);
	}
	fputc('\n', f);
}

/* Copy what is in ${name} already, or begin it. */
static int copy_old(const char *name, FILE *to)
{
	char text[4096];
	size_t n;
	FILE *f = fopen(name, "re");

	if (f == NULL && errno != ENOENT)
		return -1;
	if (f == NULL)
		return fputs(policy_unlearned, to) < 0 ? -1 : 0;
	while ((n = fread(text, 1, sizeof(text), f)) > 0)
		fwrite(text, 1, n, to);
	int bad = ferror(f) || ferror(to);
	fclose(f);
	return bad ? -1 : 0;
}

/* A new file in the old one's place, so that nobody ever sees half of one. */
static int write_file(const char *name, const struct learned *l, const char *from)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s.%d", name, (int)getpid()) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *f = fd != -1 ? fdopen(fd, "w") : NULL;
	if (f == NULL)
		return -1;
	int bad = copy_old(name, f) == -1;
	print_rules(f, l, from);
	bad |= ferror(f) != 0;
	bad |= fclose(f) != 0;
	if (!bad && rename(path, name) == 0)
		return 0;
	int err = errno;
	unlink(path);
	errno = err;
	return -1;
}

static int write_fd(int fd, const struct learned *l, const char *from)
{
	FILE *f = fdopen(fd, "w");

	if (f == NULL)
		return -1;
	fputs(policy_unlearned, f);
	print_rules(f, l, from);
	int bad = ferror(f) != 0;
	bad |= fclose(f) != 0;
	return bad ? -1 : 0;
}

int policy_learned(const carrel_policy *p, const struct policy_calls *calls, const char *name, int fd,
		   const char *from)
{
	struct learned l = { 0 };
	int status = 0, values = 0;

	if (calls->full)
		report_line("more than %d different calls: run it again with the same file", POLICY_CALLS_MAX);
	if (collect(p, calls, &l) == -1) {
		report_line("%s", strerror(ENOMEM));
		status = EXIT_CARREL;
	}
	for (size_t i = 0; i < CHOSEN; i++)
		values += l.values[i];
	int r = status != 0 || (name != NULL && l.n == 0 && values == 0) ? 0 :
		name != NULL						  ? write_file(name, &l, from) :
									    write_fd(fd, &l, from);
	if (r == -1) {
		report_line("cannot write %s: %s", name != NULL ? name : "the policy", strerror(errno));
		status = EXIT_CARREL;
	}
	free(l.name);
	for (size_t i = 0; i < CHOSEN; i++)
		free(l.value[i]);
	return status;
}
