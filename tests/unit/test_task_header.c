/* SPDX-License-Identifier: ISC */
/* carrel-task.h: what its functions make of their arguments and of what was answered, with a call of our own. */
#include "tap.h"

#include <carrel-task.h>
#include <sys/resource.h>

/* What was called, as text; what is answered. */
static char called[2048];
static carrel_value *answer;
static int error_of_call;
static int freed;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	size_t at = strlen(called);
	va_list ap;

	va_start(ap, format);
	vsnprintf(called + at, sizeof(called) - at, format, ap);
	va_end(ap);
}

static void add_value(const carrel_value *v)
{
	switch (v->kind) {
	case CARREL_NONE: add("[]"); return;
	case CARREL_INT: add("%lld", (long long)v->number); return;
	case CARREL_UINT: add("%lluu", (unsigned long long)v->number); return;
	case CARREL_TEXT: add("\"%.*s\"", (int)v->size, (const char *)v->data); return;
	case CARREL_NAME: add("%.*s", (int)v->size, (const char *)v->data); return;
	default: break;
	}
	add(v->kind == CARREL_LIST ? "[" : "{");
	for (size_t i = 0; i < v->n_items; i++) {
		add(i > 0 ? "," : "");
		add_value(&v->item[i]);
	}
	add(v->kind == CARREL_LIST ? "]" : "}");
}

int carrel_task_call(carrel_task *t, const char *name, const carrel_value *args, size_t n_args,
		     const carrel_call_options *o, carrel_value **result, carrel_error *e)
{
	called[0] = 0;
	add("%s%s(", t == NULL ? "" : "?", name);
	for (size_t i = 0; i < n_args; i++) {
		add(i > 0 ? "," : "");
		add_value(&args[i]);
	}
	add(")%s%s", o != NULL ? " with options" : "", result != NULL ? " answer" : "");
	if (error_of_call != 0) {
		if (e != NULL)
			e->err = error_of_call;
		errno = error_of_call;
		return -1;
	}
	if (result != NULL)
		*result = answer;
	return 0;
}

void carrel_value_free(carrel_value *v)
{
	freed += v != NULL;
}

TEST(texts_and_integers)
{
	CHECK_INT(carrel_task_chdir(NULL, "/srv", NULL), 0);
	CHECK_STR(called, "chdir(\"/srv\")");
	CHECK_INT(carrel_task_chown(NULL, "x", 4294967295, 0, NULL), 0);
	CHECK_STR(called, "chown(\"x\",4294967295u,0u)");
	CHECK_INT(carrel_task_lseek(NULL, -1, INT64_MIN, 2, NULL), 0);
	CHECK_STR(called, "lseek(-1,-9223372036854775808,2)");
	CHECK_INT(carrel_task_mknodat(NULL, -100, "n", 0100644, UINT64_MAX, NULL), 0);
	CHECK_STR(called, "mknodat(-100,\"n\",33188u,18446744073709551615u)");
}

/* Nothing where there is NULL: the call takes it, or refuses it. */
TEST(nothing)
{
	carrel_task_chdir(NULL, NULL, NULL);
	CHECK_STR(called, "chdir([])");
	carrel_task_fsconfig(NULL, 3, 6, NULL, NULL, NULL);
	CHECK_STR(called, "fsconfig(3,6,[],[])");
	carrel_task_connect(NULL, 3, NULL, 5, NULL);
	CHECK_STR(called, "connect(3,[])");
	carrel_task_connect(NULL, 3, "ab", 2, NULL);
	CHECK_STR(called, "connect(3,[\"ab\"])");
	carrel_task_setgroups(NULL, NULL, 0, NULL);
	CHECK_STR(called, "setgroups([])");
}

TEST(lists)
{
	const uint32_t groups[] = { 5, 4294967295 };
	const uint64_t caps[] = { 0, 40 };
	const int in[] = { 0, 7 }, dup[][2] = { { 9, 0 }, { 8, 1 } };

	carrel_task_setgroups(NULL, groups, 2, NULL);
	CHECK_STR(called, "setgroups([5u,4294967295u])");
	carrel_task_capset(NULL, caps, 2, caps, 1, NULL, 0, NULL);
	CHECK_STR(called, "capset([0u,40u],[0u],[])");
	/* {descriptor, number} as in pass_fds; the call has them the other way. */
	carrel_task_dup_fds(NULL, dup, 2, NULL);
	CHECK_STR(called, "dup_fds([{0,9},{1,8}])");
	carrel_task_select(NULL, in, 2, NULL, 0, NULL, 0, 1500, NULL, NULL);
	CHECK_STR(called, "select([0,7],[],[],{alcove_timeval,1,500000})");
	carrel_task_select(NULL, in, 1, NULL, 0, NULL, 0, -1, NULL, NULL);
	CHECK_STR(called, "select([0],[],[],[])");
}

TEST(constants_and_limits)
{
	carrel_task_setrlimit(NULL, RLIMIT_NOFILE, 64, RLIM_INFINITY, NULL);
	CHECK_STR(called, "setrlimit(7,{alcove_rlimit,64u,18446744073709551615u})");
	carrel_task_openat(NULL, -100, "f", O_CREAT | O_RDWR, 0600, NULL);
	CHECK_STR(called, "openat(-100,\"f\",[66],384u) answer");
	carrel_task_mount_setattr(NULL, 3, "", 0, 1, 0, 0, NULL);
	CHECK_STR(called, "mount_setattr(3,\"\",[0],[1],[0],[0])");
	carrel_task_ioctl(NULL, 0, 0x5413, 0, NULL);
	CHECK_STR(called, "ioctl(0,21523,0) answer");
}

static carrel_value number(int64_t i)
{
	return CARREL_VALUE_INT(i);
}

TEST(results)
{
	carrel_value three = number(3), big = number(4294967295);
	const carrel_value out[] = { number(7), number(0) };
	carrel_value list = CARREL_VALUE_LIST(out, 2), *ret = NULL;

	answer = &three;
	CHECK_INT(carrel_task_getpid(NULL, NULL), 3);
	CHECK_INT(freed, 1);
	answer = &big;
	CHECK_INT(carrel_task_getuid(NULL, NULL), 4294967295);
	/* Behind the number is what the arguments hold then. */
	answer = &list;
	CHECK_INT(carrel_task_prctl(NULL, 3, 0, 0, 0, 0, NULL), 7);
	CHECK_INT(freed, 3);
	/* More than a number is the caller's. */
	CHECK_INT(carrel_task_getcwd(NULL, &ret, NULL), 0);
	CHECK(ret == &list);
	CHECK_INT(freed, 3);
	CHECK_INT(carrel_task_getcwd(NULL, NULL, NULL), 0);
	CHECK_STR(called, "getcwd()");
	/* A task may answer what it likes. */
	carrel_value text = CARREL_VALUE_BYTES("x", 1), empty = CARREL_VALUE_LIST(NULL, 0);
	answer = &text;
	CHECK_INT(carrel_task_getpid(NULL, NULL), 0);
	answer = &empty;
	CHECK_INT(carrel_task_getpid(NULL, NULL), 0);
	answer = NULL;
	CHECK_INT(carrel_task_getpid(NULL, NULL), 0);
}

TEST(failures)
{
	const uint32_t groups[] = { 5 };
	carrel_error e = { .err = 0 };

	error_of_call = EPERM;
	CHECK_INT(carrel_task_setgroups(NULL, groups, 1, &e), -1);
	CHECK_INT(errno, EPERM);
	CHECK_INT(e.err, EPERM);
	CHECK_INT(carrel_task_openat(NULL, 0, "x", 0, 0, NULL), -1);
	CHECK_INT(errno, EPERM);
	CHECK_INT(freed, 0);
}

/* Without memory for a list nothing is called; what was made for other lists is freed (the sanitizer looks). */
TEST(no_memory)
{
	const uint64_t caps[] = { 1 };
	carrel_error e = { .err = 0 };

	strcpy(called, "nothing");
	CHECK_INT(carrel_task_capset(NULL, caps, 1, caps, SIZE_MAX, caps, 1, &e), -1);
	CHECK_INT(errno, ENOMEM);
	CHECK_INT(e.err, ENOMEM);
	CHECK_INT(e.stage, CARREL_STAGE_ARGS);
	CHECK_STR(e.msg, "no memory for the arguments");
	CHECK_STR(called, "nothing");
	CHECK_INT(carrel_task_setgroups(NULL, (const uint32_t *)(const void *)caps, SIZE_MAX / 2, NULL), -1);
}
