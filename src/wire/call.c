/* SPDX-License-Identifier: ISC */
#include "call.h"

/* These have a second letter, which is no argument of its own and none of these. */
#define TWO(c)                                                                                     \
	((c) == 'k' || (c) == 'K' || (c) == 'U' || (c) == 'W' || (c) == 'L' || (c) == 'j' ||       \
	 (c) == 'x' || (c) == 'm' || (c) == 'M')
#define LEN(s) (sizeof(s) - 1)
#define AT(s, i) TWO((i) < LEN(s) ? (s)[(i) < LEN(s) ? (i) : 0] : 0)
#define ARGC(s)                                                                                    \
	(LEN(s) - AT(s, 0) - AT(s, 1) - AT(s, 2) - AT(s, 3) - AT(s, 4) - AT(s, 5) - AT(s, 6) -     \
	 AT(s, 7) - AT(s, 8) - AT(s, 9))
/* The longest that is counted. */
#define CHECKED(s) (ARGC(s) + 0 * sizeof(char[LEN(s) <= 10 ? 1 : -1]))

/* What it does, and the names of its arguments where it has some. */
#define SUMMARY(text, ...) text
#define PARAMS(text, names, ...) names

#define CALL(id, n, a, where, who, res, st, ...)                                                   \
	[id] = { .name = #n,                                                                       \
		 .args = a,                                                                        \
		 .summary = SUMMARY(__VA_ARGS__, 0),                                               \
		 .params = PARAMS(__VA_ARGS__, "", 0),                                             \
		 .number = id,                                                                     \
		 .argc = CHECKED(a),                                                               \
		 .here = WHERE_##where(true, false),                                               \
		 .systems = ON_##where,                                                            \
		 .door = DOOR_##who,                                                               \
		 .result = RESULT_##res,                                                           \
		 .stage = STAGE_##st },
static const struct call table[CALL_NUMBERS] = {
#include "calls.def"
};
#undef CALL

const struct call *call_by_number(uint64_t number)
{
	return number < CALL_NUMBERS && table[number].name != NULL ? &table[number] : NULL;
}

bool call_for_programs(const struct call *c)
{
	return c->door == DOOR_ALL || c->door == DOOR_PROGRAM || c->door == DOOR_REAPER || c->door == DOOR_STREAM ||
	       c->door == DOOR_SERVE;
}

bool call_for_port(const struct call *c)
{
	return c->door != DOOR_PROGRAM && c->door != DOOR_STREAM && c->door != DOOR_SERVE && c->door != DOOR_TASK;
}

bool call_for_tasks(const struct call *c)
{
	return c->door != DOOR_SERVE && c->door != DOOR_STREAM;
}

bool call_outside(const struct call *c)
{
	return c->door == DOOR_REAPER || c->number == CALL_id_map || c->number == CALL_id_map_by;
}

bool call_before(const struct call *c)
{
	return c->door == DOOR_STREAM;
}

char call_letter(const char **args, char *ret_second)
{
	char c = **args;

	*ret_second = 0;
	if (c == 0)
		return 0;
	++*args;
	if (TWO(c))
		*ret_second = *(*args)++;
	return c;
}

const char *call_expects(char letter, char second)
{
	static const char *const plain[128] = {
#define LETTER(letter, what) [letter] = what,
#include "words.def"
	};
	/* The pieces are put together here, because no caller has memory for a text. */
	static const char *const constant[128] = {
#define FAMILY(letter, name, ...) [letter] = "a constant of the family " #name,
#include "words.def"
	};
	static const char *const constants[128] = {
#define FAMILY(letter, name, ...) [letter] = "a list of constants of the family " #name,
#include "words.def"
	};
	const char *const *words = plain;

	if (letter == 'k' || letter == 'W')
		words = constant;
	else if (letter == 'K' || letter == 'U' || letter == 'L')
		words = constants;
	return words[(unsigned char)(words == plain ? letter : second) & 127];
}

const char *call_note(const struct call *c)
{
	static const char *const notes[CALL_NUMBERS] = {
#define NOTE(name, ...) [CALL_##name] = __VA_ARGS__,
#include "notes.def"
#undef NOTE
	};

	return notes[c->number];
}

const char *call_answers(const struct call *c)
{
	static const char *const words[] = {
#define ANSWER(result, what) [RESULT_##result] = what,
#include "words.def"
	};

	return words[c->result];
}

const struct call *call_by_name(struct slice name)
{
	for (size_t i = 0; i < CALL_NUMBERS; i++) {
		if (table[i].name != NULL && slice_is(name, table[i].name))
			return &table[i];
	}
	return NULL;
}
