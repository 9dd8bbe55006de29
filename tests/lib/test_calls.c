/* SPDX-License-Identifier: ISC */
/* The table of calls and the constants, as the library tells them. */
#include "tap.h"

#include <carrel.h>
#include <sys/resource.h>

static carrel_call_row row_of(const char *name)
{
	carrel_call_row row = { .size = sizeof(row) };

	for (size_t i = 0; carrel_call_info(i, &row) == 1; i++) {
		if (strcmp(row.name, name) == 0)
			return row;
	}
	tap_fail("no row %s", name);
	return row;
}

TEST(a_row)
{
	carrel_call_row row = row_of("setrlimit");

	CHECK_INT(row.number, 83);
	CHECK_INT(row.argc, 2);
	CHECK_STR(row.arg[0].name, "resource");
	CHECK_STR(row.arg[0].what, "a constant of the family rlimit");
	CHECK_STR(row.arg[0].family, "rlimit");
	CHECK_STR(row.arg[1].name, "limit");
	CHECK(row.arg[1].family == NULL);
	CHECK_INT(row.stage, CARREL_STAGE_RLIMIT);
	CHECK_INT(row.systems, CARREL_ON_LINUX | CARREL_ON_FREEBSD | CARREL_ON_OPENBSD);
	CHECK_INT(row.doors, CARREL_DOOR_PROGRAM | CARREL_DOOR_TASK | CARREL_DOOR_PORT);
	CHECK(row.here);
	CHECK_STR(row.answers, "nothing more");
}

TEST(doors_and_systems)
{
	CHECK_INT(row_of("clone").doors, CARREL_DOOR_OUTSIDE | CARREL_DOOR_TASK | CARREL_DOOR_PORT);
	CHECK_INT(row_of("id_map").doors, CARREL_DOOR_OUTSIDE | CARREL_DOOR_TASK);
	CHECK_INT(row_of("environ").doors, CARREL_DOOR_TASK | CARREL_DOOR_PORT);
	CHECK_INT(row_of("fchdir").doors, CARREL_DOOR_PROGRAM | CARREL_DOOR_TASK);
	CHECK_INT(row_of("jail").systems, CARREL_ON_FREEBSD);
	CHECK_INT(row_of("fexecve").systems, CARREL_ON_LINUX | CARREL_ON_FREEBSD);
#ifdef __linux__
	CHECK(!row_of("jail").here);
	CHECK(row_of("openat2").here);
#endif
	/* The second letter of a structure is no family. */
	CHECK(row_of("connect").arg[1].family == NULL);
	CHECK(row_of("prctl").arg[1].family == NULL);
	CHECK_STR(row_of("prctl").arg[0].family, "prctl");
}

/* As many rows as lines of the source, in the order of their numbers, and an end. */
TEST(all_rows)
{
	char path[4096], line[512];
	size_t rows = 0, lines = 0;
	int last = -1;
	carrel_call_row row = { .size = sizeof(row) };

	for (; carrel_call_info(rows, &row) == 1; rows++) {
		CHECK(row.number > last);
		last = row.number;
		CHECK(row.argc <= CARREL_CALL_ARGS_MAX);
		CHECK(row.summary[0] != 0 && row.answers[0] != 0);
		for (int i = 0; i < row.argc; i++)
			CHECK(row.arg[i].name[0] != 0 && row.arg[i].what[0] != 0);
	}
	CHECK_INT(carrel_call_info(rows, &row), 0);
	CHECK_INT(carrel_call_info((size_t)-1, &row), 0);
	snprintf(path, sizeof(path), "%s/src/wire/calls.def", getenv("SOURCE"));
	FILE *f = fopen(path, "re");
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		lines += strncmp(line, "CALL(", 5) == 0;
	fclose(f);
	CHECK_INT(rows, lines);
}

/* An older program has a smaller struct: nothing behind it is written. */
TEST(sizes)
{
	carrel_call_row row;

	memset(&row, 0x5a, sizeof(row));
	row.size = offsetof(carrel_call_row, summary);
	CHECK_INT(carrel_call_info(0, &row), 1);
	CHECK_STR(row.name, "alloc");
	CHECK_INT(row.size, offsetof(carrel_call_row, summary));
	CHECK_INT(((unsigned char *)&row)[row.size], 0x5a);
	row.size = 0;
	errno = 0;
	CHECK_INT(carrel_call_info(0, &row), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(carrel_call_info(0, NULL), -1);
	row.size = sizeof(row) + 1;
	CHECK_INT(carrel_call_info(0, &row), -1);
}

TEST(constants)
{
	const char *family, *name, *summary = NULL;
	bool found = false;
	int64_t value;

	for (size_t i = 0; (name = carrel_constant_name("rlimit", i, &value)) != NULL; i++) {
		if (strcmp(name, "rlimit_nofile") == 0) {
			CHECK_INT(value, RLIMIT_NOFILE);
			found = true;
		}
	}
	CHECK(found);
	CHECK(carrel_constant_name("nosuch", 0, &value) == NULL);
	CHECK(carrel_constant_name(NULL, 0, &value) == NULL);
	CHECK(carrel_constant_name("rlimit", (size_t)-1, NULL) == NULL);
	size_t n = 0;
	for (; (family = carrel_constant_family(n, &summary)) != NULL; n++) {
		CHECK(family[0] != 0 && summary[0] != 0);
		/* Where this system has the calls of a family, it has names for them. */
		if (strcmp(family, "procctl") != 0 && strcmp(family, "cap") != 0)
			CHECK(carrel_constant_name(family, 0, NULL) != NULL);
	}
	CHECK(n > 20);
	CHECK(carrel_constant_family(n, &summary) == NULL);
}

/* Every family that a row names is one. */
TEST(families_of_rows)
{
	carrel_call_row row = { .size = sizeof(row) };

	for (size_t i = 0; carrel_call_info(i, &row) == 1; i++) {
		for (int a = 0; a < row.argc; a++) {
			const char *family = NULL;

			if (row.arg[a].family == NULL)
				continue;
			for (size_t f = 0; (family = carrel_constant_family(f, NULL)) != NULL; f++) {
				if (strcmp(family, row.arg[a].family) == 0)
					break;
			}
			if (family == NULL)
				tap_fail("%s: no family %s", row.name, row.arg[a].family);
		}
	}
}
