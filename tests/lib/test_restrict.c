/* SPDX-License-Identifier: ISC */
/* Restrictions as the library gives them: on one handle, one spawn after the other. */
#include "common.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static carrel *open_restricting(void)
{
	carrel *c = open_handle();
	carrel_caps caps = { .size = sizeof(caps) };

	CHECK_INT(carrel_probe(c, &caps), 0);
	if (caps.landlock_abi < 6)
		SKIP("an old kernel");
	return c;
}

static char dir[] = "/tmp/carrel-restrict.XXXXXX";

/* A directory with two files, which becomes ours. */
static void enter_directory(void)
{
	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0 && mkdir("in", 0755) == 0);
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(i == 0 ? "in/file" : "file", "w");

		CHECK(f != NULL && fputs(i == 0 ? "in\n" : "out\n", f) >= 0 && fclose(f) == 0);
	}
}

static void leave_directory(void)
{
	CHECK(unlink("in/file") == 0 && unlink("file") == 0 && rmdir("in") == 0 && rmdir(dir) == 0);
}

static void says(carrel *c, const carrel_spec *s, const char *out)
{
	carrel_result r = { 0 };

	if (carrel_run(c, s, &r, &e) == -1)
		tap_fail("%s", e.msg);
	CHECK_STR(r.out, out);
	carrel_result_free(&r);
}

#define LOOK "cat in/file file 2>/dev/null; true"
static const carrel_path in[] = { { "in", CARREL_READ } };

TEST(one_spawn_and_not_the_next)
{
	carrel *c = open_restricting();

	enter_directory();
	for (int i = 0; i < 3; i++) {
		says(c, CARREL_SPEC(.shell = LOOK, .paths = in, .n_paths = 1), "in\n");
		says(c, CARREL_SPEC(.shell = LOOK), "in\nout\n");
	}
	carrel_close(c);
	leave_directory();
}

/* The directory is the host's at the time of the spawn, not that of the handle. */
TEST(paths_begin_where_the_host_is)
{
	carrel *c = open_restricting();

	enter_directory();
	says(c, CARREL_SPEC(.shell = LOOK, .paths = in, .n_paths = 1), "in\n");
	CHECK(chdir("in") == 0);
	says(c, CARREL_SPEC(.shell = "cat file ../file 2>/dev/null; true", .paths = (const carrel_path[]){ { ".", CARREL_READ } },
			    .n_paths = 1), "in\n");
	CHECK(chdir("..") == 0);
	carrel_close(c);
	leave_directory();
}

TEST(what_cannot_be_leaves_nothing)
{
	carrel *c = open_restricting();

	CHECK(carrel_spawn(c, CARREL_SPEC(.shell = "true", .paths = (const carrel_path[]){ { "/nonexistent/x", CARREL_WRITE } },
					  .n_paths = 1), &e) == NULL);
	CHECK_INT(e.err, ENOENT);
	CHECK_INT(e.stage, CARREL_STAGE_FILE);
	CHECK_INT(e.index, 0);
	CHECK_STR(e.msg, "rw: cannot allow '/nonexistent/x': No such file or directory; it must be there before the start");
	CHECK(carrel_spawn(c, CARREL_SPEC(.shell = "true", .caps = 1, .drop_caps = 1), &e) == NULL);
	CHECK_INT(e.err, EINVAL);
	/* Refused by a call of the task: nothing is told of it as an event. */
	CHECK(carrel_spawn(c, CARREL_SPEC(.shell = "true", .behaviour = "rootless",
					  .paths = (const carrel_path[]){ { "/nonexistent", CARREL_READ } }, .n_paths = 1), &e) == NULL);
	CHECK(strstr(e.msg, "cannot allow '/nonexistent'") != NULL || e.stage == CARREL_STAGE_NAMESPACE);
	carrel_event ev = { .size = sizeof(ev) };
	CHECK_INT(carrel_next(c, &ev, 0), 0);
	says(c, CARREL_SPEC(.shell = "echo on"), "on\n");
	carrel_close(c);
}

/* Descriptors of the host's are for the control process only. */
TEST(no_descriptor_stays)
{
	static const uint16_t ports[] = { 80 };
	carrel *c = open_restricting();

	says(c, CARREL_SPEC(.shell = "ls /proc/self/fd | tr '\\n' ' '", .paths = (const carrel_path[]){ { "/", CARREL_READ } },
			    .n_paths = 1, .connect_ports = ports, .n_connect_ports = 1), "0 1 2 3 ");
	carrel_close(c);
}

TEST(all_of_it_at_once)
{
	static const uint16_t ports[] = { 80 };
	static const carrel_path all[] = { { "/", CARREL_READ | CARREL_EXECUTE }, { "/dev/null", CARREL_READ | CARREL_WRITE } };
	carrel *c = open_restricting();

	says(c, CARREL_SPEC(.shell = "grep -c '^Cap[PE].*:.0000000000000000$' /proc/self/status; touch /tmp/x 2>/dev/null || echo no",
			    .paths = all, .n_paths = 2, .no_system = 1, .connect_ports = ports, .n_connect_ports = 1,
			    .bind_ports = ports, .n_bind_ports = 1, .scope = CARREL_SCOPE_SIGNAL | CARREL_SCOPE_ABSTRACT,
			    .drop_caps = 1, .limits = (const carrel_rlimit[]){ { RLIMIT_NOFILE, 64, 64 } }, .n_limits = 1), "2\nno\n");
	carrel_close(c);
}
