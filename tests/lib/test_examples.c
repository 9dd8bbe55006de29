/* SPDX-License-Identifier: ISC */
/*
 * The examples in the documentation of the originals (rows R-), for each behaviour that they hold for.  Where carrel
 * differs on purpose, .theirs is what they print.
 */
#include "common.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { P = 1, R = 2, C = 4, ALL = P | R | C, ISOLATED = R | C };

static const struct {
	const char *row;
	int behaviours;
	const char *shell;
	const char *const *argv;
	const char *input;
	const char *out, *err;
	int status, sig;
	const char *theirs;
	bool merged, net;
	const char *const *env;
} rows[] = {
	{ .row = "R-001", .behaviours = ALL, .shell = "echo test", .out = "test\n" },
	{ .row = "R-003", .behaviours = ALL, .argv = CARREL_ARGV("tr", "[a-z]", "[A-Z]"), .input = "letitcrash", .out = "LETITCRASH" },
	{ .row = "R-004", .behaviours = ALL, .argv = CARREL_ARGV("/bin/echo", "test"), .out = "test\n" },
	{ .row = "R-009", .behaviours = ISOLATED, .shell = "ip -br addr show | awk '{print $1, $2, $3}'", .out = "lo UNKNOWN 127.0.0.1/8\n",
	  .theirs = "lo               DOWN           \n" },
	{ .row = "R-010", .behaviours = ISOLATED, .shell = "ping -c 1 8.8.8.8 2>&1 || ip route get 8.8.8.8 2>&1 | grep -o unreachable",
	  .out = "*unreachable*", .theirs = "ping: connect: Network is unreachable\n" },
	{ .row = "R-020", .behaviours = ALL, .shell = "echo hello; echo world >&2", .out = "hello\n", .err = "world\n" },
	{ .row = "R-021", .behaviours = ALL, .argv = CARREL_ARGV("sed", "-u", "s/hello/bye/"), .input = "hello\n", .out = "bye\n" },
	{ .row = "R-022", .behaviours = ISOLATED, .shell = "id -u", .out = "65534\n" },
	{ .row = "R-023", .behaviours = ALL, .argv = CARREL_ARGV("/usr/bin/env"), .env = CARREL_ARGV("TERM=dumb", "PATH=/bin"),
	  .out = "TERM=dumb\nPATH=/bin\n" },
	{ .row = "R-024", .behaviours = ALL, .argv = CARREL_ARGV("grep", "--line-buffered", "442"), .input = "443\n442\n441\n", .out = "442\n" },
	{ .row = "R-025", .behaviours = ALL, .shell = "echo test; kill $$", .out = "test\n", .sig = 15,
	  .theirs = "in Container kill $$ has no effect" },
	{ .row = "R-026", .behaviours = ALL, .argv = CARREL_ARGV("cat"), .input = "a", .out = "a" },
	{ .row = "R-027", .behaviours = ISOLATED, .shell = "ip --oneline -4 addr show dev lo >/dev/null" },
	{ .row = "R-028, R-029", .behaviours = ISOLATED, .net = true, .shell = "ip --oneline -4 addr show dev lo", .out = "1: lo    inet 127.0.0.1/8 *" },
	{ .row = "R-032, R-033", .behaviours = ISOLATED, .shell = "pstree", .out = "carrel:init---sh---pstree\n",
	  .theirs = "Supervise---sh---pstree\n, sh---pstree\n" },
	{ .row = "R-039", .behaviours = ALL, .shell = "echo output; echo error 1>&2; exit 1", .merged = true, .out = "output\nerror\n", .status = 1 },
	{ .row = "R-068", .behaviours = ALL, .shell = "echo test", .out = "test\n" },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ${want} may have a * at both ends. */
static bool fits(const char *text, const char *want)
{
	char middle[200];
	size_t n;

	if (want == NULL)
		return *text == 0;
	n = strlen(want);
	if (n == 0 || want[n - 1] != '*')
		return strcmp(text, want) == 0;
	snprintf(middle, sizeof(middle), "%.*s", (int)(n - 1 - (*want == '*')), want + (*want == '*'));
	const char *at = strstr(text, middle);
	return at != NULL && (*want == '*' || at == text);
}

static void one(carrel *c, size_t i, const char *behaviour)
{
	carrel_result r;
	carrel_spec s = { .size = sizeof(s), .behaviour = behaviour, .shell = rows[i].shell, .argv = rows[i].argv,
			  .input = rows[i].input, .input_len = rows[i].input != NULL ? strlen(rows[i].input) : 0,
			  .net = rows[i].net ? CARREL_NET_HOST : CARREL_NET_DEFAULT, .env = rows[i].env,
			  .env_clear = rows[i].env != NULL };

	if (rows[i].merged)
		s.err.kind = CARREL_TO_STDOUT;
	if (carrel_run(c, &s, &r, &e) != 0) {
		tap_fail("%s, %s: %s", rows[i].row, behaviour, e.msg);
		return;
	}
	if (!fits(r.out, rows[i].out) || !fits(r.err, rows[i].err) || r.status.code != rows[i].status ||
	    r.status.sig != rows[i].sig)
		tap_fail("%s, %s: '%s', '%s', exit %d, signal %d", rows[i].row, behaviour, r.out, r.err, r.status.code,
			 r.status.sig);
	carrel_result_free(&r);
}

static void all(int which, const char *behaviour)
{
	carrel *c = open_handle();
	carrel_result r;

	if (carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("true"), .behaviour = behaviour), &r, &e) != 0) {
		carrel_close(c);
		SKIP("it cannot isolate here");
	}
	carrel_result_free(&r);
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].behaviours & which)
			one(c, i, behaviour);
	}
	carrel_close(c);
}

TEST(of_process)
{
	all(P, "process");
}

TEST(of_rootless)
{
	all(R, "rootless");
}

TEST(of_container)
{
	if (geteuid() != 0)
		SKIP("container is root's");
	all(C, "container");
}

/* nothing is below the shell any more, whose children it left behind. */
TEST(left_behind)
{
	const char *const behaviours[] = { "process", "rootless" };

	for (int i = 0; i < 2; i++) {
		carrel_result r;

		if (carrel_run(NULL, CARREL_SPEC(.shell = "sleep 131 & sleep 111 & echo $$", .behaviour = behaviours[i]), &r, &e) != 0)
			SKIP("it cannot isolate here");
		CHECK_INT(r.status.leftovers, 2);
		CHECK(atoi(r.out) > 0);
		carrel_result_free(&r);
	}
}
