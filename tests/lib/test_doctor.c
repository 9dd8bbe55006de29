/* SPDX-License-Identifier: ISC */
/* carrel_doctor(): what it gives, with little room too, and that nothing of it is left in the host. */
#include "common.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 64

static int one_line(const char *s)
{
	for (; *s != 0; s++) {
		if (*s < ' ' || *s > '~')
			return 0;
	}
	return 1;
}

static const carrel_fact *found(const carrel_fact *v, ssize_t n, const char *name)
{
	for (ssize_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	tap_fail("there is no fact '%s'", name);
	return NULL;
}

TEST(facts)
{
	static carrel_fact v[ROOM];
	ssize_t n = carrel_doctor(NULL, v, ROOM, &e);

	CHECK(n > 20 && n < ROOM);
	CHECK_STR(v[0].name, "helper");
	for (ssize_t i = 0; i < n; i++) {
		CHECK(one_line(v[i].name) && one_line(v[i].text) && one_line(v[i].remedy) && one_line(v[i].detail));
		CHECK(v[i].text[0] != 0);
		CHECK(v[i].state >= CARREL_FACT_OK && v[i].state <= CARREL_FACT_NO);
		CHECK(v[i].state != CARREL_FACT_OK || (v[i].err == 0 && v[i].remedy[0] == 0));
		for (ssize_t j = 0; j < i; j++)
			CHECK(strcmp(v[i].name, v[j].name) != 0);
	}
	CHECK_INT((int)found(v, n, "process")->state, (int)CARREL_FACT_OK);
}

TEST(little_room)
{
	static carrel_fact all[ROOM], v[4];
	ssize_t n = carrel_doctor(NULL, all, ROOM, &e);

	memset(v, 0x5a, sizeof(v));
	CHECK_INT((int)carrel_doctor(NULL, v, 3, &e), (int)n);
	CHECK_INT((int)carrel_doctor(NULL, NULL, 0, NULL), (int)n);
	for (int i = 0; i < 3; i++)
		CHECK_STR(v[i].name, all[i].name);
	CHECK_INT(v[3].name[0], 0x5a);
}

TEST(wrong_arguments)
{
	const carrel_config once = { .size = sizeof(once), .once = 1 }, sized = { .size = 3 };
	static carrel_fact v[ROOM];

	CHECK_INT((int)carrel_doctor(NULL, NULL, 3, &e), -1);
	CHECK_INT(e.err, EINVAL);
	CHECK_INT((int)carrel_doctor(&once, v, ROOM, &e), -1);
	CHECK_INT(e.err, EINVAL);
	errno = 0;
	CHECK_INT((int)carrel_doctor(&sized, v, ROOM, NULL), -1);
	CHECK_INT(errno, EINVAL);
}

/* An error for the caller is a fact here: why nothing could be tried. */
TEST(no_control_process)
{
	const carrel_config cfg = { .size = sizeof(cfg), .helper = "/nonexistent" };
	static carrel_fact v[ROOM];
	ssize_t n = carrel_doctor(&cfg, v, ROOM, &e);

	CHECK_INT((int)found(v, n, "helper")->state, (int)CARREL_FACT_NO);
	CHECK_INT(found(v, n, "helper")->err, ENOENT);
	CHECK_INT((int)found(v, n, "process")->state, (int)CARREL_FACT_NO);
	CHECK_INT((int)found(v, n, "reaping")->state, (int)CARREL_FACT_NO);
}

TEST(nothing_left)
{
	const int before = descriptors();
	static carrel_fact v[ROOM];

	for (int i = 0; i < 3; i++)
		CHECK(carrel_doctor(NULL, v, ROOM, &e) > 0);
	CHECK_INT(descriptors(), before);
	CHECK_INT((int)waitpid(-1, NULL, __WALL | WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
}

/* Whatever is missing, it answers, and leaks nothing. */
TEST(few_descriptors)
{
	static carrel_fact v[ROOM];
	const int before = descriptors();
	struct rlimit l;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &l), 0);
	for (rlim_t n = 3; n < 24; n++) {
		const struct rlimit few = { n, l.rlim_max };

		CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
		CHECK(carrel_doctor(NULL, v, ROOM, &e) > 20);
	}
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &l), 0);
	CHECK_INT(descriptors(), before);
}

static void *ask(void *arg)
{
	carrel_fact *v = calloc(ROOM, sizeof(*v));
	ssize_t n = v != NULL ? carrel_doctor(NULL, v, ROOM, NULL) : 0;

	*(int *)arg = n > 20 && v[1].state == CARREL_FACT_OK;
	free(v);
	return NULL;
}

TEST(threads)
{
	pthread_t t[4];
	int right[4] = { 0 };

	for (int i = 0; i < 4; i++)
		CHECK_INT(pthread_create(&t[i], NULL, ask, &right[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_INT(right[0] + right[1] + right[2] + right[3], 4);
}
