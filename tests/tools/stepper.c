/* SPDX-License-Identifier: ISC */
/*
 * stepper: follows every process of a command with ptrace, knows each by its role, and at a chosen
 * system call kills one or makes the call fail. A step is one system call entry.
 *
 * The role is the name a process has given itself (prctl PR_SET_NAME), read anew at every step.
 */
#include "stepper.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define SETTLE_SECONDS 2.0
#define RESTART_BLOCK (-516L)	/* ERESTART_RESTARTBLOCK, which only a tracer gets to see */

const char *tool_name = "stepper";
const char *const role_names[ROLES] = {
	"guard", "super", "nursery", "reaper", "task", "helper", "host", "other",
};
FILE *out;

static const char *const mode_names[MODES] = { "count", "list", "kill", "fail", "inject" };

static const struct {
	const char *name;
	int nr;
} call_table[] = {
#include "syscalls.inc"
};

static const char usage[] =
	"usage: stepper count [OPTIONS] -- CMD...\n"
	"       stepper list [OPTIONS] -- CMD...\n"
	"       stepper kill --role ROLE --step N [--signal KILL] [--at entry|exit] [OPTIONS]\n"
	"                    -- CMD...\n"
	"       stepper fail --role ROLE --call NAME --nth N --errno E [OPTIONS] -- CMD...\n"
	"       stepper inject --pid P --call NAME [--timeout SECONDS] [ARGUMENT...]\n"
	"Follows CMD and all that it starts, on x86-64. A step is one system call entry.\n"
	"  count   prints ROLE STEPS for every role\n"
	"  list    prints ROLE CALL COUNT for every call made (also: fail --list)\n"
	"  kill    signals the process that makes step N of ROLE, then lets the rest run on\n"
	"  fail    the Nth call NAME of ROLE is not made and returns E; then lets all run on\n"
	"  inject  has the running process P make one system call; an ARGUMENT is an integer or\n"
	"          str:TEXT, which is passed as an address\n"
	"Roles: guard, super, nursery, reaper, task (the processes named carrel:ROLE), helper (the\n"
	"control process before it has such a name), host (CMD's own process), other.\n"
	"Options:\n"
	"  --user UID         start CMD with this uid and gid and no supplementary groups\n"
	"  --timeout SECONDS  for the whole run (20; inject: 5)\n"
	"  --settle SECONDS   how long to follow what goes on after CMD has ended (2)\n"
	"  --marked           CMD's own process is host only while it is named carrel:host\n"
	"  --output FILE      write results there instead of to standard output\n"
	"kill and fail print what was reached, or 'not reached', and how CMD ended.\n"
	"inject prints ret=VALUE, 'trapped signal=31' where a filter raises SIGSYS, or how P ended.\n"
	"Exit status: 0 done; 3 not reached; 4 the injected process ended; 124 too long, CMD and what\n"
	"it started killed; 125 own failure; 126, 127 CMD could not be started; 2 usage.\n";

/* ---- for both ways of interfering ---- */

long trace(enum __ptrace_request request, pid_t tid, unsigned long addr, unsigned long data)
{
	return ptrace(request, tid, (void *)addr, (void *)data);
}

static int call_number(const char *name)
{
	for (size_t i = 0; i < sizeof(call_table) / sizeof(call_table[0]); i++)
		if (strcmp(call_table[i].name, name) == 0)
			return call_table[i].nr;
	return -1;
}

const char *call_name(int nr)
{
	for (size_t i = 0; i < sizeof(call_table) / sizeof(call_table[0]); i++)
		if (call_table[i].nr == nr)
			return call_table[i].name;
	return "unknown";
}

unsigned long long status_field(const char *status, const char *name, int base)
{
	const char *p = strstr(status, name);

	return p == NULL ? 0 : strtoull(p + strlen(name), NULL, base);
}

bool call_again(pid_t tid, struct user_regs_struct *regs, bool always)
{
	char status[4096];
	long nr = (long)regs->orig_rax, ret = (long)regs->rax;

	if (nr < 0 || slurp(tid, "status", status, sizeof(status)) <= 0)
		return false;
	unsigned long long pending = status_field(status, "\nSigPnd:", 16) |
				     status_field(status, "\nShdPnd:", 16);
	bool refused = always || status_field(status, "\nSeccomp:", 10) != 0;
	bool stranded = nr == SYS_epoll_wait || nr == SYS_epoll_pwait || nr == SYS_epoll_pwait2 ||
			nr == SYS_rt_sigtimedwait;
	if ((pending & ~status_field(status, "\nSigBlk:", 16)) != 0 ||
	    !((ret == RESTART_BLOCK && refused) || (ret == -EINTR && stranded)))
		return false;
	regs->rax = (unsigned long)nr;
	regs->orig_rax = -1UL;
	regs->rip -= 2;		/* the length of the instruction */
	return true;
}

unsigned long parse_integer(const char *text, char **ret_end)
{
	return *text == '-' ? (unsigned long)strtol(text, ret_end, 0) : strtoul(text, ret_end, 0);
}

/* ---- the command line ---- */

static int parse_name(const char *option, const char *text, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	die(EXIT_USAGE, "%s: '%s' is not one of those in stepper --help", option, text);
}

static int parse_errno(const char *text)
{
	for (int e = 1; e < 4096; e++)
		if (strerrorname_np(e) != NULL && strcmp(strerrorname_np(e), text) == 0)
			return e;
	if (!isdigit((unsigned char)*text))
		die(EXIT_USAGE, "--errno: '%s' is not the name of an error", text);
	int e = (int)parse_number("--errno", text, 1, 511);
	if (strerrorname_np(e) == NULL)
		die(EXIT_USAGE, "--errno: %d is not an error", e);
	return e;
}

static int parse_signal(const char *text)
{
	const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;

	for (int s = 1; s < NSIG; s++)
		if (sigabbrev_np(s) != NULL && strcmp(sigabbrev_np(s), name) == 0)
			return s;
	if (!isdigit((unsigned char)*text))
		die(EXIT_USAGE, "--signal: '%s' is not the name of a signal", text);
	return (int)parse_number("--signal", text, 1, NSIG - 1);
}

static int parse_call(const char *text)
{
	int nr = call_number(text);

	if (nr == -1)
		die(EXIT_USAGE, "--call: '%s' is not the name of a system call", text);
	return nr;
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "role", required_argument, NULL, 'r' },
	{ "step", required_argument, NULL, 'n' },
	{ "nth", required_argument, NULL, 'n' },
	{ "signal", required_argument, NULL, 's' },
	{ "at", required_argument, NULL, 'a' },
	{ "call", required_argument, NULL, 'c' },
	{ "errno", required_argument, NULL, 'e' },
	{ "pid", required_argument, NULL, 'p' },
	{ "user", required_argument, NULL, 'u' },
	{ "timeout", required_argument, NULL, 't' },
	{ "settle", required_argument, NULL, 'w' },
	{ "output", required_argument, NULL, 'o' },
	{ "list", no_argument, NULL, 'l' },
	{ "marked", no_argument, NULL, 'm' },
	{ 0 },
};

/* Which options each mode takes, by the letters above, and which of them it needs. */
static const char *const taken[MODES] = { "utwom", "utwom", "rnsautwom", "rnceutwolm", "pcto" };
static const char *const needed[MODES] = { "", "", "rn", "rnce", "pc" };

static void parse_option(struct options *o, int letter, const char *name)
{
	static const char *const at_names[] = { "entry", "exit" };

	switch (letter) {
	case 'r': o->role = parse_name("--role", optarg, role_names, ROLES); break;
	case 'n': o->step = parse_number(name, optarg, 1, 1000000000); break;
	case 's': o->signal = parse_signal(optarg); break;
	case 'a': o->at_exit = parse_name("--at", optarg, at_names, 2) == 1; break;
	case 'c': o->call = parse_call(optarg); break;
	case 'e': o->error = parse_errno(optarg); break;
	case 'p': o->pid = parse_number("--pid", optarg, 1, 4194304); break;
	case 'u': o->user = parse_number("--user", optarg, 0, 0xfffffffeL); break;
	case 't': o->timeout = parse_seconds("--timeout", optarg); break;
	case 'w': o->settle = parse_seconds("--settle", optarg); break;
	case 'o': o->output = optarg; break;
	case 'l': o->mode = LIST; break;
	case 'm': o->marked = true; break;
	}
}

static void check_words(const struct options *o)
{
	if (o->mode != INJECT && o->count == 0)
		die(EXIT_USAGE, "no command given (stepper --help)");
	if (o->mode == INJECT && o->count > 6)
		die(EXIT_USAGE, "a system call has six arguments at most");
	for (int i = 0; o->mode == INJECT && i < o->count; i++) {
		char *end, *text = o->words[i];
		errno = 0;
		(void)parse_integer(text, &end);
		if (strncmp(text, "str:", 4) != 0 && (end == text || *end != '\0' || errno != 0))
			die(EXIT_USAGE, "argument '%s' is neither an integer nor str:TEXT", text);
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	bool given[128] = { false };
	int index;

	if (argc < 2 || (argv[1][0] == '-' && strcmp(argv[1], "--help") != 0))
		die(EXIT_USAGE, "the first word says what to do (stepper --help)");
	if (strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		exit(0);
	}
	o->mode = (enum mode)parse_name("what to do", argv[1], mode_names, MODES);
	enum mode mode = o->mode;
	optind = 2;
	for (int c; (c = getopt_long(argc, argv, "+", long_options, &index)) != -1;) {
		if (c == '?')
			exit(EXIT_USAGE);
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (strchr(taken[mode], c) == NULL)
			die(EXIT_USAGE, "%s does not take --%s", mode_names[mode],
			    long_options[index].name);
		given[c] = true;
		parse_option(o, c, long_options[index].name);
	}
	for (const char *p = needed[o->mode]; *p != '\0'; p++)
		for (index = 0; !given[(int)*p]; index++)
			if (long_options[index].val == *p &&
			    (*p != 'n' || (long_options[index].name[0] == 's') == (mode == KILL)))
				die(EXIT_USAGE, "%s needs --%s", mode_names[o->mode],
				    long_options[index].name);
	o->words = argv + optind;
	o->count = argc - optind;
	check_words(o);
}

int main(int argc, char **argv)
{
	struct options o = {
		.role = -1, .call = -1, .signal = SIGKILL, .user = -1, .timeout = -1,
		.settle = SETTLE_SECONDS,
	};

	parse(&o, argc, argv);
	if (o.timeout < 0)
		o.timeout = o.mode == INJECT ? 5 : 20;
	out = o.output == NULL ? stdout : fopen(o.output, "we");
	if (out == NULL)
		die(EXIT_OWN, "%s: %s", o.output, strerror(errno));
	catch_signals();
	int status = o.mode == INJECT ? inject(&o) : follow(&o);
	if (fclose(out) != 0)
		die(EXIT_OWN, "cannot write the results: %s", strerror(errno));
	return status;
}

