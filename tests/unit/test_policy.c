/* SPDX-License-Identifier: ISC */
/* src/policy: texts, rules, programs; and what the presets say about every call there is. */
#include "tap.h"

#include "bpf.h"
#include "constant.h"
#include "policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>

_Static_assert(sizeof(struct policy_insn) == sizeof(struct sock_filter), "instructions");
_Static_assert(sizeof(struct policy_data) == sizeof(struct seccomp_data), "calls");

/* What the control process loads. */
#include "presets.inc"

static struct sock_filter program[BPF_MAXINSNS];

static void parsed(struct policy *p, const char *text)
{
	struct policy_error e = { 0 };
	int r = policy_parse(p, text, strlen(text), "text", NULL, NULL, &e);

	if (r < 0)
		tap_fail("%s:%d: %s\n%s", e.file, e.line, e.text, text);
}

static size_t compiled(const struct policy *p, const char *arch, enum policy_mode mode)
{
	size_t n = 0;

	CHECK_INT(policy_program(p, policy_arch_named(arch), mode, (struct policy_insn *)(void *)program,
				 BPF_MAXINSNS, &n), 0);
	if (n > 0)
		CHECK_INT(bpf_fault(program, n), -1);
	return n;
}

static size_t compiled_preset(const char *name, const char *arch, enum policy_mode mode)
{
	struct policy p;

	parsed(&p, policy_preset(name, strlen(name)));
	size_t n = compiled(&p, arch, mode);
	policy_finish(&p);
	return n;
}

static struct seccomp_data data_of(uint32_t arch, uint32_t nr)
{
	return (struct seccomp_data){ .nr = (int)nr, .arch = arch };
}

/* ------------------------------------------------------ the verdict tables --- */

static const struct {
	const char *name;
	uint32_t arch, base;
} abis[] = { { "x86_64", AUDIT_ARCH_X86_64, 0 },
	     { "i386", AUDIT_ARCH_I386, 0 },
	     { "x32", AUDIT_ARCH_X86_64, 0x40000000 } };

#define NUMBERS 1024

static uint32_t verdict_named(const char *name)
{
	int64_t err = 0;

	if (strcmp(name, "allow") == 0)
		return SECCOMP_RET_ALLOW;
	if (strcmp(name, "kill") == 0)
		return SECCOMP_RET_KILL_PROCESS;
	if (constant_value('e', (struct slice){ (const unsigned char *)name, strlen(name) }, &err) < 0)
		tap_fail("%s is no verdict", name);
	return SECCOMP_RET_ERRNO | (uint32_t)err;
}

/* One line of a table; numbers that it speaks of are marked in ${seen}. */
static void check_line(char *line, size_t n, bool seen[3][NUMBERS])
{
	const char *abi = strtok(line, " \n"), *numbers = strtok(NULL, " \n"), *verdict = strtok(NULL, " \n");
	char *dash, *word, text[200];
	size_t a = 0;

	while (a < 3 && strcmp(abis[a].name, abi) != 0)
		a++;
	if (a == 3 || numbers == NULL || verdict == NULL)
		tap_fail("no line of a table: %s", abi);
	unsigned first = (unsigned)strtoul(numbers, &dash, 10);
	unsigned last = *dash == '-' ? (unsigned)strtoul(dash + 1, NULL, 10) : first;
	struct seccomp_data d = data_of(abis[a].arch, 0);
	bool plain = true;
	while ((word = strtok(NULL, " \n")) != NULL) {
		d.args[*word - '0'] = strtoull(word + 2, NULL, 0);
		plain = false;
	}
	for (unsigned i = first; i <= last; i++) {
		d.nr = (int)(abis[a].base | i);
		uint32_t got = bpf_run(program, n, &d, NULL);

		if (got != verdict_named(verdict)) {
			snprintf(text, sizeof(text), "%s %u, wanted %s, got %#x; arguments %#llx %#llx %#llx", abi, i,
				 verdict, got, (unsigned long long)d.args[0], (unsigned long long)d.args[1],
				 (unsigned long long)d.args[2]);
			tap_fail("%s", text);
		}
		if (plain)
			seen[a][i] = true;
	}
}

static void check_table(const char *preset)
{
	bool seen[3][NUMBERS] = { 0 };
	char path[500], line[500];
	size_t n = compiled_preset(preset, "x86_64", POLICY_ENFORCE);

	snprintf(path, sizeof(path), "%s/%s.verdicts", POLICY_DIR, preset);
	FILE *f = fopen(path, "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (*line != '#' && *line != '\n')
			check_line(line, n, seen);
	}
	fclose(f);
	for (size_t a = 0; a < 3; a++) {
		for (unsigned i = 0; i < NUMBERS; i++) {
			if (!seen[a][i])
				tap_fail("the table says nothing about %s %u", abis[a].name, i);
		}
	}
}

TEST(default_says_what_was_written_by_hand)
{
	check_table("default");
}

TEST(strict_says_what_was_written_by_hand)
{
	check_table("strict");
}

/* Numbers that no table has room for. */
TEST(numbers_beyond_the_tables)
{
	static const uint32_t plain[] = { 1024, 4096, 65536, 0x3fffffff };
	static const uint32_t other[] = { 0x40000400, 0x40010000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xfffffffe };
	size_t n = compiled_preset("default", "x86_64", POLICY_ENFORCE);

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct seccomp_data d = data_of(AUDIT_ARCH_X86_64, plain[i]);
		CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_ERRNO | 38);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		struct seccomp_data d = data_of(AUDIT_ARCH_X86_64, other[i]);
		CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_KILL_PROCESS);
	}
	/* What a debugger makes of a call that shall not happen is of no ABI. */
	struct seccomp_data d = data_of(AUDIT_ARCH_X86_64, UINT32_MAX);
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_ERRNO | 38);
	/* Other machines: their read, 63, is one of ours too. */
	d = data_of(AUDIT_ARCH_AARCH64, 63);
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_KILL_PROCESS);
	d = data_of(0, 0);
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_KILL_PROCESS);
}

/* By name the presets say on the other machines what they say here; 32-bit programs are foreign there too. */
TEST(other_machines_by_name)
{
	static const char *const archs[] = { "aarch64", "riscv64" };
	static const uint32_t foreign[] = { AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV32 };

	for (size_t k = 0; k < 2; k++) {
		for (size_t preset = 0; preset < 2; preset++) {
			const char *name = policy_preset_name(preset), *text = policy_preset(name, strlen(name));
			const struct policy_arch *arch = policy_arch_named(archs[k]), *x86 = policy_arch_named("x86_64");
			struct policy p;
			parsed(&p, text);
			size_t n = compiled(&p, archs[k], POLICY_ENFORCE);

			for (size_t i = 0; i < policy_calls(); i++) {
				int number = policy_call_number(i, arch), same = policy_call_number(i, x86);
				struct seccomp_data d = data_of(arch->audit, (uint32_t)number);
				struct policy_data there = { .nr = same, .arch = x86->audit };

				if (number >= 0 && same >= 0)
					CHECK_INT(bpf_run(program, n, &d, NULL), policy_decide(&p, x86, &there));
			}
			struct seccomp_data d = data_of(foreign[k], 1);
			CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_KILL_PROCESS);
			policy_finish(&p);
		}
	}
}

TEST(the_control_process_loads_these)
{
	size_t n = compiled_preset("default", NULL, POLICY_ENFORCE);
	CHECK_MEM((char *)program, n * sizeof(program[0]), (const char *)default_filter, sizeof(default_filter));
	n = compiled_preset("strict", NULL, POLICY_ENFORCE);
	CHECK_MEM((char *)program, n * sizeof(program[0]), (const char *)strict_filter, sizeof(strict_filter));
	CHECK_INT(compiled_preset("none", NULL, POLICY_ENFORCE), 0);
}

/* Found in few steps: the answer is worth the call that it is about. */
TEST(no_call_takes_long)
{
	size_t n = compiled_preset("default", "x86_64", POLICY_ENFORCE);

	CHECK(n < 200);
	for (uint32_t nr = 0; nr < NUMBERS; nr++) {
		struct seccomp_data d = data_of(AUDIT_ARCH_X86_64, nr);
		int steps = 0;

		bpf_run(program, n, &d, &steps);
		if (steps > 24)
			tap_fail("number %u takes %d steps", nr, steps);
	}
}

/* ----------------------------------------------------------------- groups --- */

TEST(every_call_is_in_one_group)
{
	static const char *const kinds[] = { "io", "wait", "memory", "signal", "kill", "time", "thread", "random", "open",
		"look", "change", "directory", "device", "aio", "process", "clone3", "user", "schedule", "numa",
		"personality", "restrict", "socket", "network", "ipc", "mount", "root", "namespace", "debug", "kernel",
		"clock", "adjust", "swap", "quota", "hardware", "keyring", "io_uring", "fault", "handle", "watch", "host",
		"pages", "mounts", "lsm", "old" };
	char text[4000] = "";
	struct policy p;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "allow @%s\n", kinds[i]);
	parsed(&p, text);
	CHECK_INT(p.n_rules, sizeof(kinds) / sizeof(kinds[0]));
	for (size_t call = 0; call < policy_calls(); call++) {
		int in = 0;

		for (uint32_t i = 0; i < p.n_rules; i++)
			in += policy_has(&p.rule[i].calls, call);
		if (in != 1)
			tap_fail("%s is in %d groups", policy_call_name(call), in);
	}
	policy_finish(&p);
}

TEST(every_call_has_one_row)
{
	static const char *const archs[] = { "x86_64", "aarch64", "riscv64" };

	for (size_t i = 0; i < policy_calls(); i++) {
		CHECK_INT(policy_call_named(policy_call_name(i), strlen(policy_call_name(i))), i);
		CHECK(strlen(policy_call_args(i)) <= 6 && strspn(policy_call_args(i), "ilp") == strlen(policy_call_args(i)));
		for (size_t k = 0; k < 3; k++) {
			const struct policy_arch *a = policy_arch_named(archs[k]);
			int number = policy_call_number(i, a);

			CHECK(number < POLICY_NUMBERS);
			if (number >= 0)
				CHECK_INT(policy_call_numbered(number, a), i);
		}
	}
	CHECK_INT(policy_call_named("rea", 3), -1);
	CHECK_INT(policy_call_numbered(-1, policy_arch_named(NULL)), -1);
}

/* The numbers that this machine's headers have are the table's. */
TEST(numbers_of_the_headers)
{
	const struct policy_arch *here = policy_arch_named(NULL);
	int seen = 0;

	for (size_t i = 0; i < policy_calls(); i++) {
		char name[80];
		int64_t number;

		snprintf(name, sizeof(name), "sys_%s", policy_call_name(i));
		if (constant_value('y', (struct slice){ (unsigned char *)name, strlen(name) }, &number) < 0)
			continue;
		CHECK_INT(policy_call_number(i, here), number);
		seen++;
	}
	CHECK(seen > 250);
}

/* ------------------------------------------------------------------- texts --- */

static uint32_t says(const char *text, const char *call, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const struct policy_arch *here = policy_arch_named("x86_64");
	int nr = policy_call_number((size_t)policy_call_named(call, strlen(call)), here);
	struct seccomp_data d = { .nr = nr, .arch = here->audit, .args = { a0, a1, a2 } };
	struct policy_data same = { .nr = nr, .arch = here->audit, .args = { a0, a1, a2 } };
	struct policy p;

	parsed(&p, text);
	size_t n = compiled(&p, "x86_64", POLICY_ENFORCE);
	uint32_t got = n > 0 ? bpf_run(program, n, &d, NULL) : SECCOMP_RET_ALLOW;
	CHECK_INT(got, policy_decide(&p, here, &same));
	policy_finish(&p);
	return got;
}

#define ALLOW SECCOMP_RET_ALLOW
#define ERR(n) (SECCOMP_RET_ERRNO | (n))

TEST(the_first_line_that_fits_decides)
{
	const char *text = "default kill\nallow mkdir if int1 == 0755\nerrno EIO mkdir\nallow mkdir rmdir\n";

	CHECK_INT(says(text, "mkdir", 0, 0755, 0), ALLOW);
	CHECK_INT(says(text, "mkdir", 0, 0700, 0), ERR(5));
	CHECK_INT(says(text, "rmdir", 0, 0, 0), ALLOW);
	CHECK_INT(says(text, "read", 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	/* Without a default line: as if the kernel did not have it. */
	CHECK_INT(says("allow read", "write", 0, 0, 0), ERR(38));
	CHECK_INT(says("", "write", 0, 0, 0), ERR(38));
	CHECK_INT(says("log read\ndefault allow", "read", 0, 0, 0), SECCOMP_RET_LOG);
	CHECK_INT(says("errno 4095 read", "read", 0, 0, 0), ERR(4095));
}

TEST(comparisons)
{
	static const uint64_t edges[] = { 0, 1, 41, 42, 43, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000002aULL,
					  0x2a00000000ULL, 0x2b00000000ULL, 0x100000000ULL, UINT64_MAX };
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };
	char text[100];

	for (size_t op = 0; op < 6; op++) {
		for (size_t v = 0; v < 13; v++) {
			for (size_t a = 0; a < 13; a++) {
				uint64_t x = edges[a], y = edges[v];
				bool yes[] = { x == y, x != y, x < y, x <= y, x > y, x >= y };

				snprintf(text, sizeof(text), "allow lseek if long1 %s %#llx", ops[op], (unsigned long long)y);
				CHECK_INT(says(text, "lseek", 7, x, 7) == ALLOW, yes[op]);
				x = (uint32_t)x;
				if (y > UINT32_MAX)
					continue;
				bool low[] = { x == y, x != y, x < y, x <= y, x > y, x >= y };
				snprintf(text, sizeof(text), "allow lseek if int0 %s %llu", ops[op], (unsigned long long)y);
				CHECK_INT(says(text, "lseek", edges[a], 7, 7) == ALLOW, low[op]);
			}
		}
	}
}

TEST(bits_lists_and_more_than_one_test)
{
	CHECK_INT(says("allow unshare if long0 has CLONE_NEWUSER|CLONE_NEWNS", "unshare", 0x10000000, 0, 0), ALLOW);
	CHECK_INT(says("allow unshare if long0 has CLONE_NEWUSER|CLONE_NEWNS", "unshare", 0x400, 0, 0), ERR(38));
	CHECK_INT(says("allow unshare if long0 has 0x100000000", "unshare", 0x100000000, 0, 0), ALLOW);
	CHECK_INT(says("allow unshare if long0 has 0x100000000", "unshare", 1, 0, 0), ERR(38));
	CHECK_INT(says("allow unshare if long0 & 0xff00000000 == 0x1200000000", "unshare", 0x1200000007, 0, 0), ALLOW);
	CHECK_INT(says("allow unshare if long0 & 0xff00000000 == 0x1200000000", "unshare", 0x1300000007, 0, 0), ERR(38));
	CHECK_INT(says("allow socket if int0 in 1 AF_INET 10 and int1 & 0xf == SOCK_STREAM", "socket", 2, 0x80801, 0), ALLOW);
	CHECK_INT(says("allow socket if int0 in 1 AF_INET 10 and int1 & 0xf == SOCK_STREAM", "socket", 2, 0x80802, 0),
		  ERR(38));
	CHECK_INT(says("allow socket if int0 in 1 AF_INET 10 and int1 & 0xf == SOCK_STREAM", "socket", 3, 1, 0), ERR(38));
	CHECK_INT(says("allow personality if int0 == -1", "personality", 0xffffffff, 0, 0), ALLOW);
	CHECK_INT(says("allow lseek if long1 == -1", "lseek", 0, UINT64_MAX, 0), ALLOW);
	CHECK_INT(says("allow lseek if long1 == -1", "lseek", 0, UINT32_MAX, 0), ERR(38));
	/* The upper half of what the kernel takes 32 bits of is not looked at. */
	CHECK_INT(says("errno EPERM ioctl if int1==TIOCSTI\ndefault allow", "ioctl", 0, 0x7700005412, 0), ERR(1));
}

static char *include(void *arg, const char *name, char *why, size_t size)
{
	(void)arg;
	if (strcmp(name, "dir/part") == 0)
		return strdup("default log\nforeign errno EPERM\ngroup @mine = read write\nallow @mine\ninclude \"sub/deep\"\n");
	if (strcmp(name, "dir/sub/deep") == 0)
		return strdup("errno EIO close\n");
	if (strcmp(name, "loop") == 0 || strcmp(name, "/loop") == 0)
		return strdup("include \"loop\"\n");
	snprintf(why, size, "no such text");
	return NULL;
}

TEST(includes)
{
	const char *text = "errno EPERM read\ninclude \"part\"\nkill @mine open\n";
	struct policy_error e;
	struct policy p;

	CHECK_INT(policy_parse(&p, text, strlen(text), "dir/top", include, NULL, &e), 0);
	CHECK_INT(p.otherwise, POLICY_RET_LOG);
	CHECK_INT(p.foreign, POLICY_RET_ERRNO | 1);
	CHECK_INT(p.n_rules, 4);
	policy_finish(&p);
	text = "include \"part\"\ndefault kill\n";
	CHECK_INT(policy_parse(&p, text, strlen(text), "dir/top", include, NULL, &e), 0);
	CHECK_INT(p.otherwise, POLICY_RET_KILL);
	policy_finish(&p);
	CHECK_INT(says("allow mount\ninclude default", "mount", 0, 0, 0), ALLOW);
	CHECK_INT(says("allow mount\ninclude default", "umount2", 0, 0, 0), ERR(1));
	text = "allow read\ninclude \"loop\"";
	CHECK_INT(policy_parse(&p, text, strlen(text), "x", include, NULL, &e), -EINVAL);
	CHECK(strstr(e.text, "deep") != NULL);
	policy_finish(&p);
}

TEST(what_is_wrong_is_said_with_its_line)
{
	static const struct {
		const char *text;
		int line;
		const char *says;
	} wrong[] = {
		{ "allow read\nallow opne\n", 2, "'opne' is no system call" },
		{ "\n\n# x\nfoo read", 4, "'foo' is none of allow" },
		{ "allow", 1, "no system call is named" },
		{ "allow @nosuch", 1, "'@nosuch' is no group" },
		{ "errno", 1, "errno needs" },
		{ "errno ENOSUCH read", 1, "'ENOSUCH' is no error" },
		{ "errno 0 read", 1, "1 to 4095" },
		{ "errno 4096 read", 1, "1 to 4095" },
		{ "allow read if", 1, "a test is missing" },
		{ "allow read if arg0 == 1", 1, "'arg0' is no argument" },
		{ "allow read if int6 == 1", 1, "'int6' is no argument" },
		{ "allow read if int3 == 1", 1, "read has no argument 3" },
		{ "allow read if int0 = 1", 1, "'=' is no comparison" },
		{ "allow read if int0 ==", 1, "a value is missing" },
		{ "allow read if int0 == AF_NOSUCH", 1, "'AF_NOSUCH' is neither" },
		{ "allow read if int0 == 0x100000000", 1, "more than 32 bits" },
		{ "allow read if int0 == 99999999999999999999", 1, "neither a number" },
		{ "allow read if int0 == 1 int1 == 2", 1, "stands behind a test" },
		{ "allow read if int0 in", 1, "in needs values" },
		{ "allow socket if int0 == 1 and", 1, "a test is missing" },
		{ "allow ioctl if long1 == TIOCSTI", 1, "takes 32 bits: say int1" },
		{ "allow unshare if int0 has 1", 1, "takes 64 bits: say long0" },
		{ "allow lseek ioctl if int1 == 1", 1, "of argument 1 of lseek" },
		{ "default allow\ndefault kill", 2, "default is given twice" },
		{ "foreign", 1, "an action is missing" },
		{ "default allow read", 1, "default takes an action" },
		{ "group mine = read", 1, "begins with @" },
		{ "group @io = read", 1, "there already" },
		{ "group @mine read", 1, "needs =" },
		{ "group @mine = read if int0 == 1", 1, "a group has no tests" },
		{ "include", 1, "include takes" },
		{ "include nosuch", 1, "'nosuch' is no preset" },
		{ "include \"a\" b", 1, "include takes" },
		{ "include \"a", 1, "closing quote" },
		{ "include \"a\"", 1, "cannot include \"a\": files cannot be had here" },
		{ "allow read \\\n\twrite \\\n\topne", 1, "'opne'" },
		{ "allow read ; write", 1, "no meaning" },
		{ "allow read \xff", 1, "no text" },
		{ "ALLOW read", 1, "'ALLOW' is none" },
	};
	struct policy_error e;
	struct policy p;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK_INT(policy_parse(&p, wrong[i].text, strlen(wrong[i].text), "f", NULL, NULL, &e), -EINVAL);
		if (strstr(e.text, wrong[i].says) == NULL || e.line != wrong[i].line || strcmp(e.file, "f") != 0)
			tap_fail("%s\n%s:%d: %s", wrong[i].text, e.file, e.line, e.text);
		policy_finish(&p);
	}
}

/* --------------------------------------------------- programs against rules --- */

static uint64_t seed = 88172645463325252ULL;

static uint32_t chance(uint32_t n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % n;
}

/* Values near each other, so that tests are true now and then. */
static uint64_t some_value(void)
{
	static const uint64_t v[] = { 0, 1, 2, 3, 0x5412, 0x80000000, 0xffffffff, 0x100000000ULL, 0x100000001ULL,
				      0x300000002ULL, 0x8000000000000000ULL, UINT64_MAX };

	return v[chance(12)] ^ (chance(4) == 0 ? 1ULL << chance(64) : 0);
}

static policy_action some_action(void)
{
	static const policy_action a[] = { POLICY_RET_ALLOW, POLICY_RET_KILL, POLICY_RET_LOG, POLICY_RET_ERRNO | 1,
					   POLICY_RET_ERRNO | 38, POLICY_RET_ALLOW };

	return chance(8) == 0 ? POLICY_RET_ERRNO | (1 + chance(60)) : a[chance(6)];
}

static void some_policy(struct policy *p)
{
	static struct policy_rule rule[60];
	static struct policy_test tests[200];
	static uint64_t values[600];

	*p = (struct policy){ .rule = rule, .test = tests, .value = values, .otherwise = some_action(),
			      .foreign = some_action() };
	const uint32_t rules = chance(60), width = 1 + chance(300);
	for (; p->n_rules < rules; p->n_rules++) {
		struct policy_rule *r = &rule[p->n_rules];

		*r = (struct policy_rule){ .action = some_action(), .first = p->n_tests, .n = chance(3) };
		for (uint32_t i = 0; i < 1 + chance(40); i++) {
			size_t call = chance(width) % policy_calls();

			r->calls.bits[call / 32] |= UINT32_C(1) << call % 32;
		}
		for (uint32_t i = 0; i < r->n; i++) {
			bool wide = chance(2);
			struct policy_test *t = &tests[p->n_tests++];

			*t = (struct policy_test){ .arg = (uint8_t)chance(2), .wide = wide, .first = p->n_values,
						   .op = (enum policy_op)chance(7), .mask = wide ? UINT64_MAX : UINT32_MAX };
			if (chance(3) == 0)
				t->mask &= some_value() | 7;
			t->n = t->op == POLICY_EQ ? 1 + chance(3) : 1;
			for (uint32_t v = 0; v < t->n; v++)
				values[p->n_values++] = wide ? some_value() : (uint32_t)some_value();
		}
	}
}

TEST(programs_do_what_rules_say)
{
	static const char *const archs[] = { "x86_64", "aarch64", "riscv64" };
	const int rounds = getenv("POLICY_ROUNDS") != NULL ? atoi(getenv("POLICY_ROUNDS")) : 1500;
	size_t longest = 0;

	for (int round = 0; round < rounds; round++) {
		const struct policy_arch *arch = policy_arch_named(archs[chance(3)]);
		struct policy p;

		some_policy(&p);
		size_t n = compiled(&p, arch->name, POLICY_ENFORCE);
		longest = n > longest ? n : longest;
		for (int i = 0; i < 400; i++) {
			uint32_t nr = chance(20) == 0 ? (uint32_t)some_value() : chance(480);
			struct policy_data d = { .nr = (int)nr, .arch = chance(30) ? arch->audit : arch->audit ^ 1,
						 .args = { some_value(), some_value() } };
			struct seccomp_data s;

			memcpy(&s, &d, sizeof(s));
			uint32_t got = n > 0 ? bpf_run(program, n, &s, NULL) : SECCOMP_RET_ALLOW;
			if (got != policy_decide(&p, arch, &d))
				tap_fail("round %d: call %#x of %#x: %#x, the rules say %#x", round, nr, d.arch, got,
					 policy_decide(&p, arch, &d));
		}
	}
	/* Programs so long that jumps need steps in between were among them. */
	CHECK(longest > 600);
}

TEST(listeners_are_asked)
{
	size_t n = compiled_preset("default", "x86_64", POLICY_ASK_REFUSED);
	struct seccomp_data d = data_of(AUDIT_ARCH_X86_64, 165);

	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_USER_NOTIF);
	d.nr = 0;
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_ALLOW);
	d.arch = AUDIT_ARCH_I386;
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_USER_NOTIF);
	n = compiled_preset("default", "x86_64", POLICY_ASK_ALL);
	d = data_of(AUDIT_ARCH_X86_64, 0);
	CHECK_INT(bpf_run(program, n, &d, NULL), SECCOMP_RET_USER_NOTIF);
	CHECK(compiled_preset("none", "x86_64", POLICY_ASK_ALL) > 0);
	CHECK_INT(compiled_preset("none", "x86_64", POLICY_ASK_REFUSED), 0);
}

TEST(what_is_too_long_is_an_error)
{
	struct policy_insn little[20];
	struct policy p;
	size_t n;

	parsed(&p, policy_preset("default", 7));
	for (size_t room = 0; room < 20; room++)
		CHECK_INT(policy_program(&p, policy_arch_named(NULL), POLICY_ENFORCE, little, room, &n), -E2BIG);
	policy_finish(&p);
}
