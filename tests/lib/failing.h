/* SPDX-License-Identifier: ISC */
/* What every failure has to have: a stage, an errno, a sentence, and nothing that is left. */
#ifndef TESTS_FAILING_H
#define TESTS_FAILING_H

#include "common.h"

#include <grp.h>
#include <sys/stat.h>

#define USER 12345

/* A child that is waited for is one that the library forgot. */
TAP_USED static void check_no_child(void)
{
	CHECK(waitpid(-1, NULL, WNOHANG | TAP_WALL) == -1 && errno == ECHILD);
}

/* The last call failed: it says where, why, and ${part} is in the sentence. */
TAP_USED static void check_error(int stage, int err, const char *part)
{
	int got = errno;

	CHECK_INT((int)e.stage, stage);
	CHECK_INT(e.err, err);
	CHECK_INT(got, err);
	if (strstr(e.msg, part) == NULL)
		CHECK_STR(e.msg, part);
}

/* It failed somehow, and says so. */
TAP_USED static void check_named(void)
{
	int got = errno;

	CHECK((int)e.stage > CARREL_STAGE_NONE && e.err > 0);
	CHECK_INT(got, e.err);
	CHECK(strlen(e.msg) > 10 && strlen(e.msg) < sizeof(e.msg));
}

TAP_USED static void become_user(void)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0);
}

/* A directory for everybody, which is the working directory then, and gone at the test's end. */
static char scratch[] = "/tmp/carrel-failures.XXXXXX";

TAP_USED static void scratch_remove(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	if (chdir("/") == -1 || system(command) != 0)
		tap_say("%s is left", scratch);
}

TAP_USED static void scratch_make(void)
{
	/* Theirs, so that they can remove it too. */
	CHECK(mkdtemp(scratch) != NULL && chown(scratch, USER, USER) == 0 && chmod(scratch, 0777) == 0);
	CHECK(chdir(scratch) == 0);
	atexit(scratch_remove);
}

TAP_USED static const char *file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
	return name;
}

/* open_fails(helper, err, part): no handle with that helper. */
TAP_USED static void open_fails(const char *helper, int err, const char *part)
{
	int before = descriptors();

	CHECK(carrel_open(&(carrel_config){ .size = sizeof(carrel_config), .helper = helper }, &e) == NULL);
	check_error(CARREL_STAGE_HELPER, err, part);
	CHECK_INT(descriptors(), before);
	check_no_child();
}

#endif
