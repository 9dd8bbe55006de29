/* SPDX-License-Identifier: ISC */
/*
 * From rules to a BPF program.
 *
 * Call numbers with the same outcome that lie side by side become one range, and a binary tree of comparisons finds a
 * number's range.  So nothing is looked at in vain, and the kernel sees without running anything twice that a call
 * is always allowed (it keeps a bitmap of those).
 *
 * Jumps go forward only, at most 255 instructions where there are two ways.  So the program is written from its end:
 * what is jumped to is there already.  A place is the number of instructions from it to the end.
 */
#include "policy.h"

#include <errno.h>
#include <string.h>

/* linux/bpf_common.h, which is not on every system that compiles policies. */
enum {
	LOAD = 0x20,	/* BPF_LD | BPF_W | BPF_ABS */
	AND = 0x54,	/* BPF_ALU | BPF_AND | BPF_K */
	JUMP = 0x05,	/* BPF_JMP | BPF_JA */
	EQUAL = 0x15,	/* BPF_JMP | BPF_JEQ | BPF_K */
	GREATER = 0x25,
	NOT_LESS = 0x35,
	ANY_SET = 0x45,
	RETURN = 0x06	/* BPF_RET | BPF_K */
};

#define OFFSET_NR ((uint32_t)offsetof(struct policy_data, nr))
#define OFFSET_ARCH ((uint32_t)offsetof(struct policy_data, arch))
#define OFFSET_LOW(arg) ((uint32_t)(offsetof(struct policy_data, args) + 8U * (arg)))
#define OFFSET_HIGH(arg) (OFFSET_LOW(arg) + 4)

/* The farthest place of a jump with two ways that leaves room for two more instructions. */
#define FAR 250
#define ACTIONS_MAX 32

struct out {
	const struct policy *p;
	const struct policy_arch *arch;
	enum policy_mode mode;
	struct policy_insn *mem;	/* filled from its end */
	size_t max, n;
	bool full;
	struct {
		uint32_t value;
		size_t place;
	} action[ACTIONS_MAX];		/* instructions that return, as near as they get */
	size_t n_actions;
};

/* From number ${start} up to the next range. */
struct range {
	uint32_t start;
	size_t place;
};

static size_t put(struct out *o, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (o->n == o->max) {
		o->full = true;
		return o->n;
	}
	o->n++;
	o->mem[o->max - o->n] = (struct policy_insn){ code, jt, jf, k };
	return o->n;
}

/* A place for a jump with two ways that leads to ${place}. */
static size_t near(struct out *o, size_t place)
{
	return o->n - place <= FAR ? place : put(o, JUMP, 0, 0, (uint32_t)(o->n - place));
}

static size_t branch(struct out *o, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	if (yes == no)
		return yes;
	/* The second may push the first out of reach; there is room for that. */
	yes = near(o, yes);
	no = near(o, no);
	return put(o, code, (uint8_t)(o->n - yes), (uint8_t)(o->n - no), k);
}

static uint32_t returned(const struct out *o, policy_action a)
{
	if (o->mode == POLICY_ENFORCE || (o->mode == POLICY_ASK_REFUSED && a == POLICY_RET_ALLOW))
		return a;
	return POLICY_RET_ASK;
}

static size_t action_place(struct out *o, policy_action a)
{
	uint32_t value = returned(o, a);
	size_t i = 0;

	while (i < o->n_actions && o->action[i].value != value)
		i++;
	if (i < o->n_actions && o->n - o->action[i].place <= FAR)
		return o->action[i].place;
	/* Another one here is as short as a jump to it. */
	size_t place = put(o, RETURN, 0, 0, value);
	if (i < ACTIONS_MAX) {
		o->action[i].value = value;
		o->action[i].place = place;
		o->n_actions += i == o->n_actions;
	}
	return place;
}

/* ----------------------------------------------------------------- tests --- */

/* A comparison of the 32 bits at ${offset}. */
static size_t look(struct out *o, uint32_t offset, uint32_t mask, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	if (yes == no)
		return yes;
	branch(o, code, k, yes, no);
	if (mask != UINT32_MAX)
		put(o, AND, 0, 0, mask);
	return put(o, LOAD, 0, 0, offset);
}

/* Greater (or equal, when ${code} is NOT_LESS) by all 64 bits: by the high ones, or those equal by the low ones. */
static size_t order(struct out *o, const struct policy_test *t, uint16_t code, uint64_t k, size_t yes, size_t no)
{
	uint32_t low = (uint32_t)t->mask, high = (uint32_t)(t->mask >> 32);
	size_t place = look(o, OFFSET_LOW(t->arg), low, code, (uint32_t)k, yes, no);

	if (!t->wide)
		return place;
	place = look(o, OFFSET_HIGH(t->arg), high, EQUAL, (uint32_t)(k >> 32), place, no);
	return look(o, OFFSET_HIGH(t->arg), high, GREATER, (uint32_t)(k >> 32), yes, place);
}

static size_t equal(struct out *o, const struct policy_test *t, uint64_t k, size_t yes, size_t no)
{
	size_t place = look(o, OFFSET_LOW(t->arg), (uint32_t)t->mask, EQUAL, (uint32_t)k, yes, no);

	return !t->wide ? place :
			  look(o, OFFSET_HIGH(t->arg), (uint32_t)(t->mask >> 32), EQUAL, (uint32_t)(k >> 32), place, no);
}

static size_t has(struct out *o, const struct policy_test *t, uint64_t bits, size_t yes, size_t no)
{
	size_t place = look(o, OFFSET_LOW(t->arg), (uint32_t)t->mask, ANY_SET, (uint32_t)bits, yes, no);

	return !t->wide ? place :
			  look(o, OFFSET_HIGH(t->arg), (uint32_t)(t->mask >> 32), ANY_SET, (uint32_t)(bits >> 32), yes,
			       place);
}

static size_t one_value(struct out *o, const struct policy_test *t, uint64_t k, size_t yes, size_t no)
{
	switch (t->op) {
	case POLICY_EQ:
		return equal(o, t, k, yes, no);
	case POLICY_NE:
		return equal(o, t, k, no, yes);
	case POLICY_LT:
		return order(o, t, NOT_LESS, k, no, yes);
	case POLICY_LE:
		return order(o, t, GREATER, k, no, yes);
	case POLICY_GT:
		return order(o, t, GREATER, k, yes, no);
	case POLICY_GE:
		return order(o, t, NOT_LESS, k, yes, no);
	case POLICY_HAS:
		return has(o, t, k, yes, no);
	}
	return no;
}

static size_t test(struct out *o, const struct policy_test *t, size_t yes, size_t no)
{
	for (uint32_t i = t->n; i-- > 0;)
		no = one_value(o, t, o->p->value[t->first + i], yes, no);
	return no;
}

/* The rules for ${call} from rule ${i} on. */
static size_t outcome(struct out *o, size_t call, uint32_t i)
{
	const struct policy *p = o->p;
	uint32_t last = i;

	while (last < p->n_rules && (!policy_has(&p->rule[last].calls, call) || p->rule[last].n > 0))
		last++;
	size_t place = action_place(o, last < p->n_rules ? p->rule[last].action : p->otherwise);
	while (last-- > i) {
		const struct policy_rule *r = &p->rule[last];

		if (!policy_has(&r->calls, call))
			continue;
		size_t yes = action_place(o, r->action);
		for (uint32_t k = r->n; k-- > 0;)
			yes = test(o, &p->test[r->first + k], yes, place);
		place = yes;
	}
	return place;
}

/* ------------------------------------------------------------------ tree --- */

/* The rules that can decide calls are the same ones. */
static bool alike(const struct out *o, int a, int b)
{
	const struct policy *p = o->p;

	if (a == b)
		return true;
	for (uint32_t i = 0; i < p->n_rules; i++) {
		bool has_a = a >= 0 && policy_has(&p->rule[i].calls, (size_t)a);
		bool has_b = b >= 0 && policy_has(&p->rule[i].calls, (size_t)b);

		if (has_a && has_b && p->rule[i].n == 0)
			return true;
		/* One ends here without a condition, and the other may come to the same by another way. */
		if (has_a != has_b)
			return false;
	}
	return true;
}

/* The action of a call that no argument matters to. */
static bool settled(const struct out *o, int call, policy_action *ret)
{
	const struct policy *p = o->p;

	*ret = p->otherwise;
	for (uint32_t i = 0; call >= 0 && i < p->n_rules; i++) {
		if (!policy_has(&p->rule[i].calls, (size_t)call))
			continue;
		*ret = p->rule[i].action;
		return p->rule[i].n == 0;
	}
	return true;
}

static bool same(const struct out *o, int a, int b)
{
	policy_action x, y;
	bool settled_a = settled(o, a, &x), settled_b = settled(o, b, &y);

	if (settled_a != settled_b)
		return false;
	return settled_a ? returned(o, x) == returned(o, y) : alike(o, a, b);
}

static size_t tree(struct out *o, const struct range *r, size_t n)
{
	if (n == 1)
		return r->place;
	size_t half = n / 2;
	size_t high = tree(o, r + half, n - half);
	size_t low = tree(o, r, half);
	return branch(o, NOT_LESS, r[half].start, high, low);
}

/* Ranges with their beginnings and, in ${place}, the call that stands for each, counted from 1; how many. */
static size_t cut(const struct out *o, struct range *r)
{
	int call[POLICY_NUMBERS + 1];
	size_t n = 0;

	for (int i = 0; i <= POLICY_NUMBERS; i++)
		call[i] = -1;
	for (size_t i = 0; i < policy_calls(); i++) {
		int number = policy_call_number(i, o->arch);

		if (number >= 0)
			call[number] = (int)i;
	}
	for (uint32_t i = 0; i <= POLICY_NUMBERS; i++) {
		if (i == 0 || !same(o, call[i], call[i - 1]))
			r[n++] = (struct range){ i, (size_t)(call[i] + 1) };
	}
	return n;
}

static bool allows_all(const struct policy *p)
{
	bool all = p->otherwise == POLICY_RET_ALLOW && p->foreign == POLICY_RET_ALLOW;

	for (uint32_t i = 0; i < p->n_rules; i++)
		all &= p->rule[i].action == POLICY_RET_ALLOW;
	return all;
}

int policy_program(const struct policy *p, const struct policy_arch *arch, enum policy_mode mode,
		   struct policy_insn *mem, size_t max, size_t *ret)
{
	struct range r[POLICY_NUMBERS + 3];
	struct out o = { .p = p, .arch = arch, .mode = mode, .mem = mem, .max = max };
	size_t n = cut(&o, r);

	*ret = 0;
	if (mode != POLICY_ASK_ALL && allows_all(p))
		return 0;
	for (size_t i = 0; i < n; i++)
		r[i].place = r[i].place > 0 ? outcome(&o, r[i].place - 1, 0) : action_place(&o, p->otherwise);
	if (arch->foreign_from != 0) {
		r[n++] = (struct range){ arch->foreign_from, action_place(&o, p->foreign) };
		r[n++] = (struct range){ UINT32_MAX, action_place(&o, p->otherwise) };
	}
	/* The tree begins with what was put last: with no answer at all but one it would be no tree. */
	if (tree(&o, r, n) != o.n)
		put(&o, JUMP, 0, 0, (uint32_t)(o.n - r[0].place));
	size_t place = put(&o, LOAD, 0, 0, OFFSET_NR);
	branch(&o, EQUAL, arch->audit, place, action_place(&o, p->foreign));
	put(&o, LOAD, 0, 0, OFFSET_ARCH);
	if (o.full)
		return -E2BIG;
	memmove(mem, mem + (max - o.n), o.n * sizeof(*mem));
	*ret = o.n;
	return 0;
}
