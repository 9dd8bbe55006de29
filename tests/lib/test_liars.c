/* SPDX-License-Identifier: ISC */
/*
 * Helpers that lie to the library, and hosts that lie to the control process: whatever is said, nobody
 * crashes, waits for ever or leaks. LIARS_SEEDS: how many changed conversations each way (60).
 */
#include "failing.h"

#include "link.h"
#include "bare.h"

#include <sys/mman.h>
#include <sys/socket.h>

/* fake(mode): a script that is fakehelper in that mode. */
static const char *fake(const char *mode)
{
	char text[256];		/* the kernel takes no more */

	CHECK(getenv("TOOLS") != NULL);
	int n = snprintf(text, sizeof(text), "#!%s/fakehelper %s\n", getenv("TOOLS"), mode);
	CHECK(n > 0 && (size_t)n < sizeof(text));
	return file("fake", text, 0755);
}

/* Whatever it says, the host goes through all its calls and comes out whole. */
static void meet(const char *helper, bool once, bool run)
{
	carrel_config cfg = { .size = sizeof(cfg), .helper = helper, .once = once };
	carrel_event ev = { .size = sizeof(ev) };
	int before = descriptors(), gone = 0;
	const carrel_spec *s = CARREL_SPEC(.argv = CARREL_ARGV("echo", "x"), .input = "abc", .input_len = 3, .trace = !run,
					   .timeout_ms = 5000);
	carrel *c = carrel_open(&cfg, &e);

	if (c == NULL) {
		check_named();
	} else if (run) {
		carrel_result r;

		if (carrel_run(c, s, &r, &e) == -1)
			check_named();
		else
			carrel_result_free(&r);
	} else {
		carrel_proc *p = carrel_spawn(c, s, &e);

		if (p == NULL) {
			check_named();
		} else {
			carrel_signal(p, SIGCONT, 1);
			carrel_pid(p);
		}
		for (int i = 0; i < 5000 && gone == 0 && carrel_next(c, &ev, 3000) == 1; i++) {
			CHECK(ev.kind == CARREL_LOST || p == NULL || ev.proc == p);
			/* Of a spawn that failed nothing may come: its proc is not there any more. */
			CHECK(p != NULL || ev.proc == NULL);
			gone += ev.kind == CARREL_GONE;
			if (ev.kind == CARREL_EXIT || ev.kind == CARREL_GONE)
				CHECK(ev.status != NULL && ev.status->leftovers < UINT32_MAX);
			if (ev.kind == CARREL_LOST)
				break;
		}
		if (p != NULL && before % 2 == 0)
			carrel_release(p);
	}
	carrel_close(c);
	CHECK_INT(descriptors(), before);
}

/* One meeting in a child of its own, so that all of them are tried. Whether it went well. */
static bool meet_alone(const char *what, const char *helper, bool once, bool run, unsigned seconds)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		setpgid(0, 0);
		alarm(seconds);
		meet(helper, once, run);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1)
		continue;
	if (status == 0)
		return true;
	tap_say("%s%s%s: %s %d", what, once ? ", once" : "", run ? ", run" : "",
		WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

static void meet_mode(const char *mode, int *bad)
{
	const char *helper = fake(mode);

	for (int once = 0; once < 2; once++)
		for (int run = 0; run < 2; run++)
			*bad += !meet_alone(mode, helper, once, run, 20);
}

TEST_T(helpers_that_lie, 170)
{
	char command[300], all[100][64];
	int bad = 0, n = 0;

	scratch_make();
	snprintf(command, sizeof(command), "%s/fakehelper list", getenv("TOOLS"));
	FILE *f = popen(command, "r");
	CHECK(f != NULL);
	while (n < 100 && fscanf(f, "%63s", all[n]) == 1)
		n++;
	pclose(f);
	CHECK(n > 50);
	for (int i = 0; i < n; i++)
		meet_mode(all[i], &bad);
	if (bad > 0)
		tap_fail("%d meetings went wrong", bad);
}

TEST(the_fake_helper_can_be_good)
{
	carrel_result r;

	scratch_make();
	carrel *c = carrel_open(&(carrel_config){ .size = sizeof(carrel_config), .helper = fake("good") }, &e);
	CHECK(c != NULL);
	CHECK_INT(carrel_run(c, CARREL_SPEC(.argv = CARREL_ARGV("echo")), &r, &e), 0);
	CHECK_INT(r.status.exited, 1);
	carrel_result_free(&r);
	carrel_close(c);
}

TEST(of_another_version)
{
	scratch_make();
	open_fails(fake("protocol"), EPROTO, "protocol 999");
}

/* Bits, lengths and descriptors changed on the way, in one direction. Not as root: a changed program runs. */
static void in_the_middle(const char *side, unsigned first)
{
	const char *more = getenv("LIARS_SEEDS");
	unsigned count = more != NULL ? (unsigned)atoi(more) : 60;
	char mode[300];
	int bad = 0;

	scratch_make();
	become_user();
	for (unsigned seed = first; seed < first + count; seed++) {
		snprintf(mode, sizeof(mode), "mitm:%u:%s:%s", seed * 7919, side, getenv("CARREL_CONTROL"));
		bad += !meet_alone(mode, fake(mode), false, seed % 3 == 0, 20);
	}
	if (bad > 0)
		tap_fail("%d meetings went wrong", bad);
}

TEST_T(hosts_that_lie_in_bits, 170) { in_the_middle("host", 1); }
TEST_T(helpers_that_lie_in_bits, 170) { in_the_middle("helper", 100000); }

/* ---- hosts ---- */

static void say_hello(int s, int64_t protocol)
{
	unsigned char mem[64];
	struct buf b;

	buf_init_fixed(&b, mem, sizeof(mem));
	term_out_version(&b);
	term_out_tuple(&b, 2);
	term_out_int(&b, protocol);
	term_out_list(&b, 0);
	link_send(s, MSG_HELLO, 0, b.data, b.len, NULL, 0, true);
}

static void say_head(int s, int type, uint8_t flags, uint32_t body_len, size_t n, const int *fds, size_t n_fds)
{
	static unsigned char datagram[MESSAGE_DATAGRAM_MAX];
	struct message m = { .type = (uint16_t)type, .flags = flags, .id = 1, .body_len = body_len };

	message_head_out(&m, datagram);
	sys_send(s, &(struct iovec){ datagram, n }, 1, fds, n_fds, true);
}

static void say_memory(int s, size_t real, uint32_t claimed, int seals)
{
	int fd = memfd_create("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	CHECK(fd != -1 && ftruncate(fd, (off_t)real) == 0);
	fcntl(fd, F_ADD_SEALS, seals);
	say_head(s, MSG_SPAWN, MESSAGE_FLAG_MEMFD, claimed, MESSAGE_HEAD_SIZE, &fd, 1);
	close(fd);
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool lie(int s, int which)
{
	int many[253], fds[2];

	for (size_t i = 0; i < 253; i++)
		many[i] = s;
	switch (which) {
	case 0: say_hello(s, 999); return true;
	case 1: say_hello(s, MESSAGE_PROTOCOL); return true;
	case 2: say_head(s, MSG_KILL, 0, 4, MESSAGE_HEAD_SIZE + 4, many, 253); return true;
	case 3: say_head(s, MSG_SPAWN, 0, 4, MESSAGE_HEAD_SIZE + 4, many, 250); return true;
	case 4: say_head(s, MSG_SPAWN, MESSAGE_FLAG_MEMFD, 4, MESSAGE_HEAD_SIZE, NULL, 0); return true;
	case 5: say_head(s, MSG_SPAWN, MESSAGE_FLAG_MEMFD, 4, MESSAGE_HEAD_SIZE, many, 253); return true;
	case 6: say_memory(s, 100, 100, 0); return true;
	case 7: say_memory(s, 10, 100000, ALL_SEALS); return true;
	case 8: say_memory(s, 100000, 100000, ALL_SEALS); return true;
	case 9: say_memory(s, 10, UINT32_MAX, ALL_SEALS); return true;
	case 10: say_head(s, MSG_SPAWN, 0, UINT32_MAX, 100, NULL, 0); return true;
	case 11: say_head(s, MSG_WELCOME, 0, 0, MESSAGE_HEAD_SIZE, NULL, 0); return true;
	case 12: say_head(s, MSG_GONE, 0, 4, MESSAGE_HEAD_SIZE + 4, NULL, 0); return true;
	case 13: sys_send(s, &(struct iovec){ many, 0 }, 1, many, 253, true); return true;
	case 14: say_head(s, MSG_SIGNAL, 0xff, 0, MESSAGE_HEAD_SIZE, NULL, 0); return true;
	case 15:
		CHECK(pipe(fds) == 0);
		say_head(s, MSG_SPAWN, MESSAGE_FLAG_MEMFD, 50, MESSAGE_HEAD_SIZE, fds, 1);
		close(fds[0]);
		close(fds[1]);
		return true;
	/* A socket that holds itself: its end must still be seen. */
	case 16: say_head(s, MSG_STOP, 0, 4, MESSAGE_HEAD_SIZE + 4, &s, 1); return true;
	default: return false;
	}
}

TEST_T(hosts_that_lie, 120)
{
	static struct inbox in;
	int before = descriptors();

	for (int greeted = 0; greeted < 2; greeted++) {
		for (int which = 0, s; ; which++) {
			pid_t pid = control_start(&s);

			if (greeted)
				say_hello(s, MESSAGE_PROTOCOL);
			bool lied = lie(s, which);
			shutdown(s, SHUT_WR);
			/* What it still says are messages; then it ends. */
			int r;
			while ((r = link_recv(s, &in, true)) == 1)
				link_release(&in);
			CHECK(r == 0 || r == -ECONNRESET);
			close(s);
			CHECK_INT(waitpid(pid, NULL, 0), pid);
			CHECK_INT(descriptors(), before);
			if (!lied)
				break;
		}
	}
}
