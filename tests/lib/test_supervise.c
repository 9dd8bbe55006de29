/* SPDX-License-Identifier: ISC */
/* Services: order, restarts, readiness, health, and what is asked for meanwhile. */
#include "common.h"

#include <carrel-supervise.h>
#include <signal.h>
#include <unistd.h>

#define SHELL(text) CARREL_SPEC(.shell = (text), .stop = { { SIGTERM, 2000 } })
#define FOREVER SHELL("exec sleep 600")
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static carrel *c;
static carrel_supervisor *s;
static carrel_supervise_event ev;
static char journal[4096];

/* FNV-1a, begun with the supervisor's seed. */
static uint64_t seed_of(uint64_t seed, const char *name)
{
	while (*name != '\0')
		seed = (seed ^ (unsigned char)*name++) * 0x100000001b3U;
	return seed;
}

static void begin(const carrel_supervise_config *cfg)
{
	c = open_handle();
	s = carrel_supervise_open(c, cfg, &e);
	CHECK(s != NULL);
	journal[0] = '\0';
}

static void end(void)
{
	carrel_supervise_close(s);
	carrel_close(c);
}

static void add(const carrel_service *v)
{
	if (carrel_supervise_add(s, v, &e) == -1)
		tap_fail("%s", carrel_strerror(&e));
}

static void note(const char *word)
{
	strncat(journal, word, sizeof(journal) - strlen(journal) - 1);
}

/* The next event, written down as "name+" for started, "!" ready, "-" ended, "~" delayed, "x" failed, "." off... */
static int next_noted(int timeout_ms)
{
	static const char marks[] = "?+!*u-n~x.L";
	char word[80];

	ev = (carrel_supervise_event){ .size = sizeof(ev) };
	int n = carrel_supervise_next(s, &ev, timeout_ms);
	if (n == 1 && ev.kind != CARREL_SUP_OUTPUT) {
		snprintf(word, sizeof(word), "%s%c ", ev.name != NULL ? ev.name : "", marks[ev.kind]);
		note(word);
	}
	return n;
}

/* Everything up to the ${n}-th event of a kind. */
static void until(carrel_supervise_kind kind, const char *name, int n)
{
	while (n > 0) {
		if (next_noted(20000) != 1)
			tap_fail("nothing more came after: %s", journal);
		n -= ev.kind == kind && (name == NULL || strcmp(ev.name, name) == 0);
	}
}

/* ... up to the end of everything. */
static void until_idle(void)
{
	int n;

	while ((n = next_noted(-1)) == 1)
		continue;
	CHECK_INT(n, 0);
	CHECK_INT((int)carrel_supervise_busy(s), 0);
}

static carrel_service_status status_of(size_t i)
{
	carrel_service_status st = { .size = sizeof(st) };

	CHECK_INT(carrel_supervise_status(s, i, &st), 1);
	return st;
}

TEST(in_order_and_in_reverse)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "db", .spec = FOREVER));
	add(CARREL_SERVICE(.name = "app", .spec = FOREVER, .after = NAMES("db")));
	add(CARREL_SERVICE(.name = "web", .spec = FOREVER, .after = NAMES("app", "db")));
	CHECK_INT(carrel_supervise_start(s, NULL), 0);
	until(CARREL_SUP_READY, "web", 1);
	CHECK_STR(journal, "db+ db! app+ app! web+ web! ");
	CHECK_INT((int)status_of(2).state, CARREL_SERVICE_UP);
	CHECK(status_of(2).pid > 0 && kill(status_of(2).pid, 0) == 0);
	journal[0] = '\0';
	carrel_supervise_stop(s, NULL);
	until_idle();
	CHECK_STR(journal, "web- web. app- app. db- db. ");
	end();
}

/* Starting one starts what it needs, stopping one stops what needs it. */
TEST(needs)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("a")));
	add(CARREL_SERVICE(.name = "other", .spec = FOREVER));
	carrel_supervise_start(s, "b");
	until(CARREL_SUP_READY, "b", 1);
	CHECK_STR(journal, "a+ a! b+ b! ");
	journal[0] = '\0';
	carrel_supervise_stop(s, "a");
	until_idle();
	CHECK_STR(journal, "b- b. a- a. ");
	CHECK(carrel_supervise_remove(s, "a") == -1 && errno == EBUSY);
	CHECK_INT(carrel_supervise_remove(s, "b"), 0);
	CHECK_INT(carrel_supervise_remove(s, "a"), 0);
	CHECK_STR(status_of(0).name, "other");
	CHECK(carrel_supervise_start(s, "a") == -1 && errno == ENOENT);
	end();
}

/* What comes after a job waits for its good end; after a bad one it waits for ever. */
TEST(jobs)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "make", .spec = SHELL("sleep 0.2"), .restart = CARREL_TEMPORARY,
			   .ready = CARREL_READY_NEWLINE, .ready_fd = 7));
	add(CARREL_SERVICE(.name = "use", .spec = SHELL("exit 0"), .restart = CARREL_TEMPORARY, .after = NAMES("make")));
	carrel_supervise_start(s, NULL);
	until_idle();
	CHECK_STR(journal, "make+ make- make. use+ use! use- use. ");
	end();
	begin(NULL);
	add(CARREL_SERVICE(.name = "make", .spec = SHELL("exit 1"), .restart = CARREL_TEMPORARY,
			   .ready = CARREL_READY_NEWLINE, .ready_fd = 7));
	add(CARREL_SERVICE(.name = "use", .spec = SHELL("exit 0"), .restart = CARREL_TEMPORARY, .after = NAMES("make")));
	carrel_supervise_start(s, NULL);
	until_idle();
	CHECK_STR(journal, "make+ make- make. ");
	CHECK_INT((int)status_of(1).state, CARREL_SERVICE_HELD);
	end();
}

TEST(restart_types)
{
	static const struct {
		carrel_restart restart;
		const char *shell;
		bool again;
	} cases[] = {
		{ CARREL_PERMANENT, "exit 0", true },	{ CARREL_PERMANENT, "exit 1", true },
		{ CARREL_TRANSIENT, "exit 0", false },	{ CARREL_TRANSIENT, "exit 1", true },
		{ CARREL_TRANSIENT, "kill -9 $$", true }, { CARREL_TEMPORARY, "exit 1", false },
		{ CARREL_TEMPORARY, "exit 0", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(NULL);
		add(CARREL_SERVICE(.name = "a", .spec = SHELL(cases[i].shell), .restart = cases[i].restart));
		carrel_supervise_start(s, NULL);
		until(CARREL_SUP_ENDED, NULL, 1);
		CHECK_INT(next_noted(5000), 1);
		CHECK_INT((int)ev.kind, cases[i].again ? CARREL_SUP_DELAYED : CARREL_SUP_OFF);
		end();
	}
}

/* The first at once, then as carrel_backoff() says. */
TEST(delays)
{
	begin(&(carrel_supervise_config){ .size = sizeof(carrel_supervise_config), .seed = 42 });
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("exit 1"), .backoff_min_ms = 4, .backoff_max_ms = 50));
	carrel_supervise_start(s, NULL);
	for (unsigned n = 1; n <= 8; n++) {
		until(CARREL_SUP_DELAYED, NULL, 1);
		CHECK_INT((int)ev.failures, (int)n);
		CHECK_INT(ev.delay_ms, n == 1 ? 0 : carrel_backoff(n - 1, 4, 50, seed_of(42, "a")));
	}
	CHECK_INT((int)status_of(0).starts, 8);
	end();
	/* A stable time forgets them. */
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("sleep 0.1"), .stable_ms = 20));
	carrel_supervise_start(s, NULL);
	for (unsigned n = 1; n <= 3; n++) {
		until(CARREL_SUP_DELAYED, NULL, 1);
		CHECK_INT((int)ev.failures, 1);
		CHECK_INT(ev.delay_ms, 0);
	}
	end();
}

TEST(intensity)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("exit 1"), .backoff_min_ms = 1, .backoff_max_ms = 1,
			   .intensity = { 3, 60000 }));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_FAILED, "a", 1);
	CHECK_INT((int)status_of(0).starts, 4);
	CHECK_INT((int)status_of(0).state, CARREL_SERVICE_FAILED);
	CHECK_INT((int)status_of(1).state, CARREL_SERVICE_UP);
	/* Asked for, it is tried again. */
	carrel_supervise_start(s, "a");
	until(CARREL_SUP_STARTED, "a", 1);
	end();
	/* Of all together: everything ends. */
	begin(&(carrel_supervise_config){ .size = sizeof(carrel_supervise_config), .intensity = { 3, 60000 } });
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("exit 1"), .backoff_min_ms = 1, .backoff_max_ms = 1));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER));
	carrel_supervise_start(s, NULL);
	until_idle();
	CHECK_INT((int)status_of(0).starts, 4);
	CHECK_INT((int)status_of(1).state, CARREL_SERVICE_OFF);
	end();
}

static void crash(size_t i)
{
	CHECK(kill(status_of(i).pid, SIGKILL) == 0);
}

TEST(strategies)
{
	static const struct {
		carrel_strategy strategy;
		bool changed[3];
	} cases[] = {
		{ CARREL_ONE_FOR_ONE, { false, true, false } },
		{ CARREL_REST_FOR_ONE, { false, true, true } },
		{ CARREL_ONE_FOR_ALL, { true, true, true } },
	};

	const carrel_spec *forever = FOREVER;

	for (size_t i = 0; i < 3; i++) {
		pid_t before[3];

		begin(&(carrel_supervise_config){ .size = sizeof(carrel_supervise_config), .strategy = cases[i].strategy });
		for (int k = 0; k < 3; k++)
			add(CARREL_SERVICE(.name = k == 0 ? "a" : k == 1 ? "b" : "c", .spec = forever));
		carrel_supervise_start(s, NULL);
		until(CARREL_SUP_READY, NULL, 3);
		for (size_t k = 0; k < 3; k++)
			before[k] = status_of(k).pid;
		journal[0] = '\0';
		crash(1);
		until(CARREL_SUP_READY, NULL, cases[i].changed[0] + cases[i].changed[1] + cases[i].changed[2]);
		CHECK_INT(next_noted(50), 0);
		for (size_t k = 0; k < 3; k++) {
			CHECK((status_of(k).pid != before[k]) == cases[i].changed[k]);
			CHECK_INT((int)status_of(k).state, CARREL_SERVICE_UP);
			/* Only who was at fault has failed. */
			CHECK_INT((int)status_of(k).failures, k == 1);
		}
		/* Nobody starts before all have ended. */
		if (i == 2)
			CHECK(strstr(journal, "+") > strstr(journal, "c-") && strstr(journal, "+") > strstr(journal, "a-"));
		end();
	}
}

TEST(ready_by_newline)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("sleep 0.2; echo >&5; exec sleep 600"),
			   .ready = CARREL_READY_NEWLINE, .ready_fd = 5));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("a")));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "b", 1);
	CHECK_STR(journal, "a+ a! b+ b! ");
	end();
	/* Without it, it is late, and that is a failure. */
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER, .ready = CARREL_READY_NEWLINE, .ready_fd = 5, .ready_ms = 100,
			   .restart = CARREL_TRANSIENT));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_DELAYED, "a", 1);
	CHECK_STR(journal, "a+ an a- a~ ");
	CHECK(strstr(status_of(0).error.msg, "not ready after 0.100 s") != NULL);
	end();
}

TEST(ready_by_notify)
{
	static const char program[] =
		"import os, socket, subprocess, sys\n"
		"a = os.environ['NOTIFY_SOCKET']\n"
		"s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
		"s.connect('\\0' + a[1:])\n"
		"s.send(b'STATUS=READY=1 is not yet said')\n"
		"if sys.argv[1] == 'child':\n"
		"    if os.fork(): os.wait(); import time; time.sleep(600)\n"
		"s.send(b'STATUS=up\\nREADY=1\\n')\n"
		"import time\n"
		"time.sleep(600 if sys.argv[1] != 'child' else 1)\n";

	for (int child = 0; child < 2; child++) {
		begin(NULL);
		add(CARREL_SERVICE(.name = "a", .ready = CARREL_READY_NOTIFY,
				   .spec = CARREL_SPEC(.argv = CARREL_ARGV("python3", "-c", program,
									   child ? "child" : "self"))));
		carrel_supervise_start(s, NULL);
		until(CARREL_SUP_READY, "a", 1);
		CHECK_STR(journal, "a+ a! ");
		end();
	}
}

/* Somebody else says it: that is nothing to us. */
TEST(ready_by_a_stranger)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("echo \"$NOTIFY_SOCKET\"; exec sleep 600"),
			   .ready = CARREL_READY_NOTIFY, .ready_ms = 600, .restart = CARREL_TEMPORARY));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_OUTPUT, "a", 1);
	char command[400];
	snprintf(command, sizeof(command),
		 "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
		 "s.sendto(b\"READY=1\", chr(0) + \"%.*s\")'", (int)ev.event->len - 2, ev.event->data + 1);
	CHECK_INT(system(command), 0);
	until(CARREL_SUP_OFF, "a", 1);
	CHECK_STR(journal, "a+ an a- a. ");
	end();
}

TEST(ready_by_check)
{
	char path[] = "/tmp/carrel-check.XXXXXX", text[100];

	CHECK(mkstemp(path) >= 0);
	snprintf(text, sizeof(text), "test -s %s", path);
	begin(NULL);
	char *shell;
	CHECK(asprintf(&shell, "sleep 0.2; echo x >%s; exec sleep 600", path) > 0);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL(shell), .ready = CARREL_READY_CHECK, .check = SHELL(text),
			   .check_ms = 20));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	CHECK_STR(journal, "a+ a! ");
	end();
	free(shell);
	unlink(path);
}

TEST(health)
{
	char path[] = "/tmp/carrel-health.XXXXXX", text[100];

	CHECK(mkstemp(path) >= 0);
	snprintf(text, sizeof(text), "test -e %s", path);
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER, .health = SHELL(text), .health_ms = 20, .health_failures = 3,
			   .restart = CARREL_TRANSIENT));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	CHECK_INT(next_noted(200), 0);
	unlink(path);
	until(CARREL_SUP_DELAYED, "a", 1);
	CHECK_STR(journal, "a+ a! au au au a- a~ ");
	end();
}

TEST(a_check_that_hangs_holds_nobody_up)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER, .health = FOREVER, .health_ms = 10));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	CHECK_INT(next_noted(100), 0);
	carrel_supervise_stop(s, NULL);
	until_idle();
	CHECK_STR(journal, "a+ a! a- a. ");
	end();
}

TEST(asked_for_meanwhile)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("exit 1"), .backoff_min_ms = 600000, .backoff_max_ms = 600000));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_DELAYED, "a", 2);
	CHECK(ev.delay_ms >= 300000);
	CHECK(carrel_supervise_timeout(s) >= 200000);
	/* A delay is cut short, and stopped. */
	carrel_supervise_start(s, "a");
	until(CARREL_SUP_STARTED, "a", 1);
	until(CARREL_SUP_DELAYED, "a", 1);
	CHECK_INT(ev.delay_ms, 0);
	until(CARREL_SUP_DELAYED, "a", 1);
	carrel_supervise_stop(s, "a");
	until_idle();
	end();

	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	pid_t pid = status_of(0).pid;
	journal[0] = '\0';
	carrel_supervise_restart(s, "a");
	until(CARREL_SUP_READY, "a", 1);
	CHECK_STR(journal, "a- a+ a! ");
	CHECK(status_of(0).pid != pid && status_of(0).failures == 0);
	/* A stop that is taken back, and a start. */
	carrel_supervise_stop(s, "a");
	carrel_supervise_start(s, "a");
	CHECK_INT(next_noted(50), 0);
	carrel_supervise_restart(s, "a");
	carrel_supervise_stop(s, "a");
	until_idle();
	CHECK_INT((int)status_of(0).state, CARREL_SERVICE_OFF);
	CHECK(carrel_supervise_signal(s, "a", SIGHUP, 0) == -1 && errno == ESRCH);
	end();
}

TEST(replaced)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("a"), .user = (void *)"old"));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "b", 1);
	pid_t a = status_of(0).pid, b = status_of(1).pid;
	journal[0] = '\0';
	CHECK_INT(carrel_supervise_replace(s, CARREL_SERVICE(.name = "b", .spec = SHELL("echo new; exec sleep 600"),
							     .user = (void *)"new"), &e), 0);
	do
		until(CARREL_SUP_OUTPUT, "b", 1);
	while (ev.event->kind != CARREL_OUT);
	CHECK_STR((const char *)ev.user, "new");
	CHECK_STR(journal, "b- b+ b! ");
	CHECK(status_of(0).pid == a && status_of(1).pid != b && status_of(1).failures == 0);
	CHECK(carrel_supervise_replace(s, CARREL_SERVICE(.name = "c", .spec = FOREVER), &e) == -1 && e.err == ENOENT);
	CHECK(carrel_supervise_replace(s, CARREL_SERVICE(.name = "a", .spec = FOREVER, .after = NAMES("a")), &e) == -1 &&
	      e.err == EINVAL);
	CHECK(carrel_supervise_replace(s, CARREL_SERVICE(.name = "a"), &e) == -1 && e.err == EINVAL);
	CHECK_INT(status_of(0).pid, a);
	end();
}

/* One that comes after a later one stands behind it from then on, and so does what comes after it. */
TEST(replaced_and_moved)
{
	static const char *const order[] = { "other", "d", "a", "b", "c" };

	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	add(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("a")));
	add(CARREL_SERVICE(.name = "other", .spec = FOREVER));
	add(CARREL_SERVICE(.name = "c", .spec = FOREVER, .after = NAMES("b")));
	add(CARREL_SERVICE(.name = "d", .spec = FOREVER));
	CHECK(carrel_supervise_replace(s, CARREL_SERVICE(.name = "a", .spec = FOREVER, .after = NAMES("c")), &e) == -1 &&
	      e.err == EINVAL && strstr(e.msg, "which comes after it") != NULL);
	CHECK_STR(status_of(0).name, "a");
	CHECK_INT(carrel_supervise_replace(s, CARREL_SERVICE(.name = "a", .spec = FOREVER, .after = NAMES("d")), &e), 0);
	for (size_t i = 0; i < 5; i++)
		CHECK_STR(status_of(i).name, order[i]);
	add(CARREL_SERVICE(.name = "last", .spec = FOREVER, .after = NAMES("c")));
	carrel_supervise_start(s, "last");
	until(CARREL_SUP_READY, "last", 1);
	CHECK_STR(journal, "d+ d! a+ a! b+ b! c+ c! last+ last! ");
	journal[0] = '\0';
	carrel_supervise_stop(s, NULL);
	until_idle();
	CHECK_STR(journal, "last- last. c- c. b- b. a- a. d- d. ");
	end();
}

/* The stop ends when the tree is empty, not with the leader. */
TEST(stop_of_a_tree)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("(trap '' TERM; sleep 600) & setsid sleep 600 & wait")));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	carrel_supervise_stop(s, NULL);
	until_idle();
	CHECK_INT(status_of(0).ended, 1);
	end();
}

/* What it wrote comes before its end, all of it. */
TEST(output)
{
	size_t bytes = 0;

	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = SHELL("seq 1 100000"), .restart = CARREL_TEMPORARY));
	carrel_supervise_start(s, NULL);
	do {
		CHECK_INT(next_noted(20000), 1);
		if (ev.kind == CARREL_SUP_OUTPUT && ev.event->kind == CARREL_OUT)
			bytes += ev.event->len;
	} while (ev.kind != CARREL_SUP_ENDED);
	CHECK_INT((int)bytes, 588895);
	CHECK_INT((int)ev.event->kind, CARREL_GONE);
	CHECK_INT(ev.event->status->code, 0);
	end();
}

TEST(what_cannot_start)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = CARREL_SPEC(.argv = CARREL_ARGV("no-such-program")),
			   .backoff_min_ms = 1, .backoff_max_ms = 2, .intensity = { 2, 60000 }));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_NOT_STARTED, "a", 1);
	CHECK_STR(carrel_strerror(ev.error), "cannot run 'no-such-program': not found in PATH");
	until(CARREL_SUP_FAILED, "a", 1);
	CHECK_STR(journal, "an a~ an a~ an ax ");
	end();
}

static void refused(const carrel_service *v, int err, const char *part)
{
	CHECK_INT(carrel_supervise_add(s, v, &e), -1);
	CHECK_INT(errno, err);
	CHECK_INT(e.err, err);
	if (strstr(e.msg, part) == NULL)
		CHECK_STR(e.msg, part);
}

TEST(what_is_wrong)
{
	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	refused(CARREL_SERVICE(.name = "a", .spec = FOREVER), EEXIST, "'a'");
	refused(CARREL_SERVICE(.spec = FOREVER), EINVAL, "no name");
	refused(CARREL_SERVICE(.name = "a b", .spec = FOREVER), EINVAL, "'a b'");
	refused(CARREL_SERVICE(.name = "b"), EINVAL, "no command");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("none")), ENOENT, "'none'");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .after = NAMES("b")), ENOENT, "'b'");
	refused(CARREL_SERVICE(.name = "b", .spec = CARREL_SPEC(.cwd = "/")), EINVAL, "command");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .ready = CARREL_READY_NEWLINE, .ready_fd = 2), EINVAL, "ready_fd");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .ready = CARREL_READY_CHECK), EINVAL, "no check");
	refused(CARREL_SERVICE(.name = "b", .ready = CARREL_READY_NOTIFY,
			       .spec = CARREL_SPEC(.shell = "true", .behaviour = "rootless")), EINVAL, "network");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .intensity = { 65, 1 }), EINVAL, "65");
	refused(CARREL_SERVICE(.name = "b", .spec = FOREVER, .restart = (carrel_restart)9), EINVAL, "9");
	CHECK(carrel_supervise_stop(s, "b") == -1 && errno == ENOENT);
	end();
}

TEST(the_control_process_dies)
{
	carrel_caps caps = { .size = sizeof(caps) };

	begin(NULL);
	add(CARREL_SERVICE(.name = "a", .spec = FOREVER));
	carrel_supervise_start(s, NULL);
	until(CARREL_SUP_READY, "a", 1);
	CHECK_INT(carrel_probe(c, &caps), 0);
	kill(caps.supervisor, SIGKILL);
	until(CARREL_SUP_LOST, NULL, 0);
	int n;
	do
		n = next_noted(20000);
	while (n == 1 && ev.kind != CARREL_SUP_LOST);
	CHECK_INT(n, 1);
	CHECK(next_noted(0) == -1 && errno == EPIPE);
	end();
}

