/* SPDX-License-Identifier: ISC */
/*
 * carrel-task.h - a function for each call that a task can make, with the types of C.
 *
 * Made from the table of calls, so that it cannot drift from it.  Everything in here is inline and stands on
 * carrel_task_call(): it adds nothing to the library.  See carrel-task.h(3) and carrel-calls(7).
 *
 * Rules that hold for each function:
 *  - It makes the call in ${t} and waits for its answer, until the task's deadline (carrel_task_deadline()).
 *  - The result is 0, or what the call answered (a descriptor, a number); -1 with errno and ${e} on failure.
 *  - What answers more than a number gives it in ${ret} as a carrel_value, which is the caller's:
 *    carrel_value_free() it.  Nothing is in ${ret} after a failure.
 *  - Flags and constants are those of this system's headers, or-ed together.
 *  - Arguments are borrowed until the function returns.
 */
#ifndef CARREL_TASK_H
#define CARREL_TASK_H

#include <carrel.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names that end in an underscore are for this header alone. */

static inline carrel_value carrel_task_value_(carrel_value_kind kind, int64_t number)
{
	carrel_value v;

	memset(&v, 0, sizeof(v));
	v.kind = kind;
	v.number = number;
	return v;
}

static inline carrel_value carrel_task_int_(int64_t i)
{
	return carrel_task_value_(CARREL_INT, i);
}

static inline carrel_value carrel_task_uint_(uint64_t u)
{
	return carrel_task_value_(CARREL_UINT, (int64_t)u);
}

/* NULL is nothing, which the call refuses unless it takes nothing. */
static inline carrel_value carrel_task_bytes_(const void *data, size_t size)
{
	carrel_value v = carrel_task_value_(data != NULL ? CARREL_TEXT : CARREL_NONE, 0);

	v.data = data;
	v.size = data != NULL ? size : 0;
	return v;
}

static inline carrel_value carrel_task_text_(const char *s)
{
	return carrel_task_bytes_(s, s != NULL ? strlen(s) : 0);
}

static inline carrel_value carrel_task_name_(const char *s)
{
	carrel_value v = carrel_task_text_(s);

	v.kind = s != NULL ? CARREL_NAME : CARREL_NONE;
	return v;
}

static inline carrel_value carrel_task_items_(carrel_value_kind kind, const carrel_value *item, size_t n)
{
	carrel_value v = carrel_task_value_(kind, 0);

	v.item = item;
	v.n_items = n;
	return v;
}

static inline carrel_value carrel_task_flags_(carrel_value *part, int flags)
{
	*part = carrel_task_int_(flags);
	return carrel_task_items_(CARREL_LIST, part, 1);
}

static inline carrel_value carrel_task_limit_(carrel_value *part, uint64_t soft, uint64_t hard)
{
	part[0] = carrel_task_name_("alcove_rlimit");
	part[1] = carrel_task_uint_(soft);
	part[2] = carrel_task_uint_(hard);
	return carrel_task_items_(CARREL_STRUCTURE, part, 3);
}

/* A negative time is no limit. */
static inline carrel_value carrel_task_time_(carrel_value *part, int ms)
{
	if (ms < 0)
		return carrel_task_value_(CARREL_NONE, 0);
	part[0] = carrel_task_name_("alcove_timeval");
	part[1] = carrel_task_int_(ms / 1000);
	part[2] = carrel_task_int_(ms % 1000 * 1000);
	return carrel_task_items_(CARREL_STRUCTURE, part, 3);
}

/* Memory is described by a list of its parts: one, or no list. */
static inline carrel_value carrel_task_memory_(carrel_value *part, const void *data, size_t size)
{
	*part = carrel_task_bytes_(data, size);
	return data != NULL ? carrel_task_items_(CARREL_LIST, part, 1) : *part;
}

/*
 * A list of ${n} items in memory that carrel_task_make_() frees: its number says so.  Without memory it has a
 * number and no items.
 */
static inline carrel_value carrel_task_list_(size_t n, size_t spare, carrel_value **ret_item)
{
	carrel_value v = carrel_task_value_(CARREL_LIST, 1);

	*ret_item = n < SIZE_MAX / sizeof(v) / 4 ? (carrel_value *)calloc(n + spare + 1, sizeof(v)) : NULL;
	v.item = *ret_item;
	v.n_items = *ret_item != NULL ? n : 0;
	return v;
}

static inline carrel_value carrel_task_ids_(const uint32_t *id, size_t n)
{
	carrel_value *item, v = carrel_task_list_(n, 0, &item);
	size_t i;

	for (i = 0; i < v.n_items; i++)
		item[i] = carrel_task_uint_(id[i]);
	return v;
}

static inline carrel_value carrel_task_fds_(const int *fd, size_t n)
{
	carrel_value *item, v = carrel_task_list_(n, 0, &item);
	size_t i;

	for (i = 0; i < v.n_items; i++)
		item[i] = carrel_task_int_(fd[i]);
	return v;
}

static inline carrel_value carrel_task_words_(const uint64_t *word, size_t n)
{
	carrel_value *item, v = carrel_task_list_(n, 0, &item);
	size_t i;

	for (i = 0; i < v.n_items; i++)
		item[i] = carrel_task_uint_(word[i]);
	return v;
}

/* NULL at the end; NULL in place of it is the empty list. */
static inline carrel_value carrel_task_texts_(const char *const *text)
{
	carrel_value *item, v;
	size_t i, n = 0;

	while (text != NULL && text[n] != NULL)
		n++;
	v = carrel_task_list_(n, 0, &item);
	for (i = 0; i < v.n_items; i++)
		item[i] = carrel_task_text_(text[i]);
	return v;
}

/* Each is {descriptor, the number that it gets}, as in carrel_spec.pass_fds. */
static inline carrel_value carrel_task_dups_(const int (*fd)[2], size_t n)
{
	carrel_value *item, v = carrel_task_list_(n, 2 * n, &item);
	size_t i;

	for (i = 0; i < v.n_items; i++) {
		carrel_value *pair = item + n + 2 * i;

		pair[0] = carrel_task_int_(fd[i][1]);
		pair[1] = carrel_task_int_(fd[i][0]);
		item[i] = carrel_task_items_(CARREL_STRUCTURE, pair, 2);
	}
	return v;
}

static inline int carrel_task_no_memory_(carrel_error *e)
{
	if (e != NULL) {
		memset(e, 0, sizeof(*e));
		e->stage = CARREL_STAGE_ARGS;
		e->err = ENOMEM;
		e->index = -1;
		memcpy(e->msg, "no memory for the arguments", sizeof("no memory for the arguments"));
	}
	errno = ENOMEM;
	return -1;
}

static inline int carrel_task_make_(carrel_task *t, const char *name, const carrel_value *arg, size_t n,
		carrel_value **ret, carrel_error *e)
{
	int made = 1, r, err;
	size_t i;

	for (i = 0; i < n; i++) {
		if (arg[i].kind == CARREL_LIST && arg[i].number != 0 && arg[i].item == NULL)
			made = 0;
	}
	r = made ? carrel_task_call(t, name, arg, n, NULL, ret, e) : carrel_task_no_memory_(e);
	err = errno;
	for (i = 0; i < n; i++) {
		if (arg[i].kind == CARREL_LIST && arg[i].number != 0)
			free((void *)(uintptr_t)arg[i].item);
	}
	errno = err;
	return r;
}

/* What is answered is a number, or one and more behind it. */
static inline int64_t carrel_task_number_(carrel_task *t, const char *name, const carrel_value *arg, size_t n,
		carrel_error *e)
{
	carrel_value *v = NULL;
	const carrel_value *first;
	int64_t number;

	if (carrel_task_make_(t, name, arg, n, &v, e) == -1)
		return -1;
	first = v != NULL && v->kind == CARREL_LIST && v->n_items > 0 ? v->item : v;
	number = first != NULL && (first->kind == CARREL_INT || first->kind == CARREL_UINT) ? first->number : 0;
	carrel_value_free(v);
	return number;
}
