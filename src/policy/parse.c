/* SPDX-License-Identifier: ISC */
/* The text of a policy, line by line: carrel-policy(5). */
#include "lines.h"

#include "constant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A text that is being read, and those that include it. */
struct text {
	struct line line;
	int depth;
};

#define DEPTH_MAX 8
#define GROUPS_MAX 128

struct group {
	struct token name;	/* in a text that outlives the parser's work */
	struct policy_calls calls;
};

struct parser {
	struct policy *p;
	struct group group[GROUPS_MAX];
	size_t n_groups;
	int otherwise_depth, foreign_depth;
	policy_include *include;
	void *arg;
	char *included[64];	/* texts that groups point into */
	size_t n_included;
	struct policy_error *e;
};

#define BAD(...) line_error(&t->line, k->e, __VA_ARGS__)
#define WORD(w) (int)(w).len, (w).s

/* Room for one more in an array of the policy. */
static int grow(void **array, uint32_t n, uint32_t max, size_t size)
{
	/* It doubles whenever its length is a power of two. */
	if (n >= max)
		return -E2BIG;
	if (n != 0 && (n & (n - 1)) != 0)
		return 0;
	void *more = realloc(*array, (n == 0 ? 1 : (size_t)n * 2) * size);
	if (more == NULL)
		return -ENOMEM;
	*array = more;
	return 0;
}

#define GROW(array, n, max) grow((void **)&(array), n, max, sizeof(*(array)))

/* --------------------------------------------------------------- actions --- */

static int parse_errno(struct parser *k, struct text *t, policy_action *ret)
{
	struct token w = line_next(&t->line);
	uint64_t number = 0;
	int64_t err;

	if (w.kind == TOKEN_END)
		return BAD("errno needs the name of an error, such as EPERM");
	if (constant_value('e', (struct slice){ (const unsigned char *)w.s, w.len }, &err) == 0)
		number = (uint64_t)err;
	else if (token_number(&w, &number) < 0)
		return BAD("'%.*s' is no error; EPERM, ENOSYS, EACCES are", WORD(w));
	if (number == 0 || number > 4095)
		return BAD("errors are 1 to 4095, not %.*s", WORD(w));
	*ret = POLICY_RET_ERRNO | (uint32_t)number;
	return 0;
}

static int parse_action(struct parser *k, struct text *t, const struct token *w, policy_action *ret)
{
	if (token_is(w, "allow"))
		*ret = POLICY_RET_ALLOW;
	else if (token_is(w, "kill"))
		*ret = POLICY_RET_KILL;
	else if (token_is(w, "log"))
		*ret = POLICY_RET_LOG;
	else if (token_is(w, "errno"))
		return parse_errno(k, t, ret);
	else if (w->kind == TOKEN_END)
		return BAD("an action is missing: allow, errno NAME, kill or log");
	else
		return BAD("'%.*s' is none of allow, errno, kill, log, default, foreign, group and include", WORD(*w));
	return 0;
}

/* ----------------------------------------------------------------- calls --- */

static struct group *find_group(struct parser *k, const struct token *name)
{
	for (size_t i = 0; i < k->n_groups; i++) {
		if (token_same(name, &k->group[i].name))
			return &k->group[i];
	}
	return NULL;
}

static int add_call(struct parser *k, struct text *t, const struct token *w, struct policy_calls *calls)
{
	if (w->s[0] == '@') {
		const struct group *g = find_group(k, w);

		if (g == NULL)
			return BAD("'%.*s' is no group", WORD(*w));
		for (size_t i = 0; i < POLICY_CALLS_MAX / 32; i++)
			calls->bits[i] |= g->calls.bits[i];
		return 0;
	}
	int call = policy_call_named(w->s, w->len);
	if (call < 0)
		return BAD("'%.*s' is no system call that carrel knows", WORD(*w));
	calls->bits[call / 32] |= UINT32_C(1) << call % 32;
	return 0;
}

/* Names of calls up to the end of the line or "if", which is taken: 1, 0 without it. */
static int parse_calls(struct parser *k, struct text *t, struct policy_calls *calls)
{
	struct token w = line_next(&t->line);
	int n = 0;

	*calls = (struct policy_calls){ 0 };
	for (; w.kind == TOKEN_WORD && !token_is(&w, "if"); n++) {
		int r = add_call(k, t, &w, calls);

		if (r < 0)
			return r;
		w = line_next(&t->line);
	}
	if (n == 0)
		return BAD("no system call is named");
	if (w.kind != TOKEN_END && w.kind != TOKEN_WORD)
		return BAD("'%.*s' does not belong between names of calls", WORD(w));
	return w.kind == TOKEN_WORD;
}

/* ----------------------------------------------------------------- tests --- */

static int add_value(struct parser *k, struct text *t, struct policy_test *test, uint64_t value)
{
	struct policy *p = k->p;
	int r = GROW(p->value, p->n_values, POLICY_VALUES_MAX);

	if (r == -E2BIG)
		return BAD("more than %d values in all tests", POLICY_VALUES_MAX);
	if (r < 0)
		return r;
	/* What has more than 32 bits cannot be equal to 32 of them: a mistake.  A negative number may be. */
	if (!test->wide && value > UINT32_MAX && value < UINT64_C(0xffffffff80000000))
		return BAD("the value has more than 32 bits, and int%d has 32: say long%d", test->arg, test->arg);
	p->value[p->n_values++] = test->wide ? value : (uint32_t)value;
	test->n++;
	return 0;
}

static int parse_part(struct parser *k, struct text *t, const struct token *w, uint64_t *ret)
{
	if (w->kind == TOKEN_WORD && (token_number(w, ret) == 0 || policy_word(w->s, w->len, ret) == 0))
		return 0;
	if (w->kind == TOKEN_END)
		return BAD("a value is missing at the end of the line");
	return BAD("'%.*s' is neither a number nor a constant that carrel knows", WORD(*w));
}

/* ${first}, and what "|" adds to it. */
static int parse_value(struct parser *k, struct text *t, struct token first, uint64_t *ret)
{
	uint64_t part;
	int r = parse_part(k, t, &first, ret);

	while (r == 0 && line_take(&t->line, "|")) {
		struct token w = line_next(&t->line);

		r = parse_part(k, t, &w, &part);
		if (r == 0)
			*ret |= part;
	}
	return r;
}

static int parse_field(struct parser *k, struct text *t, struct policy_test *ret)
{
	struct token w = line_next(&t->line);
	bool wide = w.len == 5 && memcmp(w.s, "long", 4) == 0;

	if (w.kind == TOKEN_END)
		return BAD("a test is missing, such as int0 == AF_UNIX");
	if ((!wide && !(w.len == 4 && memcmp(w.s, "int", 3) == 0)) || w.s[w.len - 1] < '0' || w.s[w.len - 1] > '5')
		return BAD("'%.*s' is no argument; int0 to int5 are the low 32 bits of the six, long0 to long5 all 64",
			   WORD(w));
	*ret = (struct policy_test){ .arg = (uint8_t)(w.s[w.len - 1] - '0'), .wide = wide, .first = k->p->n_values,
				     .mask = wide ? UINT64_MAX : UINT32_MAX };
	return 0;
}

static int parse_op(struct parser *k, struct text *t, enum policy_op *ret)
{
	static const char *const ops[] = { [POLICY_EQ] = "==", [POLICY_NE] = "!=", [POLICY_LT] = "<",
					   [POLICY_LE] = "<=", [POLICY_GT] = ">", [POLICY_GE] = ">=",
					   [POLICY_HAS] = "has" };
	struct token w = line_next(&t->line);

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (token_is(&w, ops[i])) {
			*ret = (enum policy_op)i;
			return 0;
		}
	}
	if (w.kind == TOKEN_END)
		return BAD("a comparison is missing: == != < <= > >= in has");
	return BAD("'%.*s' is no comparison; == != < <= > >= in has are", WORD(w));
}

static int parse_mask(struct parser *k, struct text *t, struct policy_test *test)
{
	uint64_t mask;
	int r = parse_value(k, t, line_next(&t->line), &mask);

	test->mask &= mask;
	return r;
}

static int parse_list(struct parser *k, struct text *t, struct policy_test *test)
{
	uint64_t value;
	int r = 0;

	while (r == 0 && !line_at_end(&t->line) && !line_sees(&t->line, "and")) {
		r = parse_value(k, t, line_next(&t->line), &value);
		if (r == 0)
			r = add_value(k, t, test, value);
	}
	return r == 0 && test->n == 0 ? BAD("in needs values behind it") : r;
}

static int parse_test(struct parser *k, struct text *t)
{
	struct policy *p = k->p;
	struct policy_test test;
	uint64_t value;
	int r = parse_field(k, t, &test);

	if (r == 0 && line_take(&t->line, "&"))
		r = parse_mask(k, t, &test);
	if (r == 0 && line_take(&t->line, "in")) {
		test.op = POLICY_EQ;
		r = parse_list(k, t, &test);
	} else if (r == 0) {
		r = parse_op(k, t, &test.op);
		if (r == 0)
			r = parse_value(k, t, line_next(&t->line), &value);
		if (r == 0)
			r = add_value(k, t, &test, value);
	}
	if (r < 0)
		return r;
	r = GROW(p->test, p->n_tests, POLICY_TESTS_MAX);
	if (r == 0)
		p->test[p->n_tests++] = test;
	return r == -E2BIG ? BAD("more than %d tests", POLICY_TESTS_MAX) : r;
}

/*
 * A test looks at as many bits as the kernel does: with fewer, or with more, a call can get past it whose other bits
 * the kernel looks at, or does not.
 */
static int check_width(struct parser *k, struct text *t, const struct policy_calls *calls)
{
	const struct policy_test *test = &k->p->test[k->p->n_tests - 1];

	for (size_t i = 0; i < policy_calls(); i++) {
		const char *args = policy_call_args(i);

		if (!policy_has(calls, i))
			continue;
		if (test->arg >= strlen(args))
			return BAD("%s has no argument %d: the first one is 0", policy_call_name(i), test->arg);
		if (test->wide != (args[test->arg] != 'i'))
			return BAD("of argument %d of %s the kernel takes %d bits: say %s%d", test->arg,
				   policy_call_name(i), test->wide ? 32 : 64, test->wide ? "int" : "long", test->arg);
	}
	return 0;
}

static int parse_tests(struct parser *k, struct text *t, const struct policy_calls *calls)
{
	int r;

	do {
		r = parse_test(k, t);
		if (r == 0)
			r = check_width(k, t, calls);
	} while (r == 0 && line_take(&t->line, "and"));
	if (r == 0 && !line_at_end(&t->line)) {
		struct token w = line_next(&t->line);

		return BAD("'%.*s' stands behind a test; only 'and' and another one may", WORD(w));
	}
	return r;
}

/* ------------------------------------------------------------ statements --- */

static int parse_rule(struct parser *k, struct text *t, const struct token *w)
{
	struct policy *p = k->p;
	struct policy_rule rule = { .first = p->n_tests };
	int r = parse_action(k, t, w, &rule.action);

	if (r == 0)
		r = parse_calls(k, t, &rule.calls);
	if (r == 1)
		r = parse_tests(k, t, &rule.calls);
	if (r < 0)
		return r;
	rule.n = p->n_tests - rule.first;
	r = GROW(p->rule, p->n_rules, POLICY_RULES_MAX);
	if (r == 0)
		p->rule[p->n_rules++] = rule;
	return r == -E2BIG ? BAD("more than %d rules", POLICY_RULES_MAX) : r;
}

/* "default" and "foreign": once in a text, and one that includes others has the last word. */
static int parse_outer(struct parser *k, struct text *t, const struct token *w)
{
	bool foreign = token_is(w, "foreign");
	policy_action *to = foreign ? &k->p->foreign : &k->p->otherwise, action;
	bool *given = foreign ? &k->p->has_foreign : &k->p->has_otherwise;
	int *depth = foreign ? &k->foreign_depth : &k->otherwise_depth;
	struct token name = line_next(&t->line);
	int r = parse_action(k, t, &name, &action);

	if (r < 0)
		return r;
	if (!line_at_end(&t->line))
		return BAD("%s takes an action and nothing else", foreign ? "foreign" : "default");
	if (*given && *depth == t->depth && t->depth == 0)
		return BAD("%s is given twice", foreign ? "foreign" : "default");
	if (!*given || t->depth < *depth) {
		*to = action;
		*depth = t->depth;
	}
	*given = true;
	return 0;
}

static int parse_group(struct parser *k, struct text *t)
{
	struct token name = line_next(&t->line);

	if (name.kind != TOKEN_WORD || name.len < 2 || name.s[0] != '@')
		return BAD("group needs a name that begins with @");
	if (find_group(k, &name) != NULL)
		return BAD("the group %.*s is there already", WORD(name));
	if (k->n_groups == GROUPS_MAX)
		return BAD("more than %d groups", GROUPS_MAX);
	if (!line_take(&t->line, "="))
		return BAD("group %.*s needs = and its calls behind it", WORD(name));
	struct group *g = &k->group[k->n_groups];
	int r = parse_calls(k, t, &g->calls);
	if (r == 1)
		return BAD("a group has no tests");
	if (r == 0) {
		g->name = name;
		k->n_groups++;
	}
	return r;
}

static int parse_text(struct parser *k, const char *s, size_t len, const char *file, int depth);

static int include_file(struct parser *k, struct text *t, const struct token *w)
{
	const char *slash = strrchr(t->line.file, '/');
	const size_t folder = slash != NULL && w->s[0] != '/' ? (size_t)(slash - t->line.file) + 1 : 0;
	char name[1024], why[100] = "files cannot be had here";

	if (w->len == 0 || folder + w->len >= sizeof(name) || memchr(w->s, 0, w->len) != NULL)
		return BAD("a name of %zu characters is none of a file", w->len);
	memcpy(name, t->line.file, folder);
	memcpy(name + folder, w->s, w->len);
	name[folder + w->len] = 0;
	if (k->n_included == sizeof(k->included) / sizeof(k->included[0]))
		return BAD("too many texts are included");
	char *text = k->include != NULL ? k->include(k->arg, name, why, sizeof(why)) : NULL;
	if (text == NULL)
		return BAD("cannot include \"%.60s\": %s", name, why);
	k->included[k->n_included++] = text;
	return parse_text(k, text, strlen(text), name, t->depth + 1);
}

static int parse_include(struct parser *k, struct text *t)
{
	struct token w = line_next(&t->line);
	const char *preset = w.kind == TOKEN_WORD ? policy_preset(w.s, w.len) : NULL;
	char name[32];

	if (w.kind == TOKEN_END || !line_at_end(&t->line))
		return BAD("include takes a preset, or a file in quotes");
	if (t->depth == DEPTH_MAX)
		return BAD("texts include each other more than %d deep", DEPTH_MAX);
	if (w.kind == TOKEN_TEXT)
		return include_file(k, t, &w);
	if (preset == NULL)
		return BAD("'%.*s' is no preset; a file's name stands in quotes", WORD(w));
	memcpy(name, w.s, w.len);
	name[w.len] = 0;
	return parse_text(k, preset, strlen(preset), name, t->depth + 1);
}

static int parse_line(struct parser *k, struct text *t)
{
	struct token w = line_next(&t->line);
	int r;

	if (w.kind == TOKEN_END)
		return 0;
	if (token_is(&w, "default") || token_is(&w, "foreign"))
		r = parse_outer(k, t, &w);
	else if (token_is(&w, "group"))
		r = parse_group(k, t);
	else if (token_is(&w, "include"))
		r = parse_include(k, t);
	else
		r = parse_rule(k, t, &w);
	if (r == 0 && t->line.bad != NULL)
		return BAD("%s", t->line.bad);
	return r;
}

static int parse_text(struct parser *k, const char *s, size_t len, const char *file, int depth)
{
	struct text text = { .depth = depth }, *t = &text;
	int r = 0;

	line_init(&t->line, s, len, file);
	while (r == 0 && line_begin(&t->line)) {
		r = parse_line(k, t);
		/* What the words were cut from wrongly is the first thing that is wrong. */
		if (r == -EINVAL && t->line.bad != NULL)
			BAD("%s", t->line.bad);
	}
	return r;
}

int policy_parse(struct policy *p, const char *text, size_t len, const char *file, policy_include *include,
		 void *arg, struct policy_error *e)
{
	struct parser *k = calloc(1, sizeof(*k));

	*p = (struct policy){ .otherwise = POLICY_RET_ERRNO | 38 /* ENOSYS */, .foreign = POLICY_RET_KILL };
	*e = (struct policy_error){ 0 };
	if (k == NULL)
		return -ENOMEM;
	k->p = p;
	k->include = include;
	k->arg = arg;
	k->e = e;
	int r = parse_text(k, policy_groups, strlen(policy_groups), "groups", DEPTH_MAX);
	if (r == 0)
		r = parse_text(k, text, len, file, 0);
	while (k->n_included > 0)
		free(k->included[--k->n_included]);
	free(k);
	return r;
}
