/* SPDX-License-Identifier: ISC */
/* The values with names: signals and resource limits. */
#include "values.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

/* The kernel's highest signal; the C library's SIGRTMAX may hide some. */
#define SIGNAL_MAX 64

struct name {
	const char *name;
	int number;
};

static const struct name signals[] = {
	{ "HUP", SIGHUP },	 { "INT", SIGINT },	{ "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	 { "TRAP", SIGTRAP },	{ "ABRT", SIGABRT },
	{ "BUS", SIGBUS },	 { "FPE", SIGFPE },	{ "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },	 { "SEGV", SIGSEGV },	{ "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },	 { "ALRM", SIGALRM },	{ "TERM", SIGTERM },
	{ "CHLD", SIGCHLD },	 { "CONT", SIGCONT },	{ "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },	 { "TTIN", SIGTTIN },	{ "TTOU", SIGTTOU },
	{ "URG", SIGURG },	 { "XCPU", SIGXCPU },	{ "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },	{ "WINCH", SIGWINCH },
	{ "IO", SIGIO },	 { "SYS", SIGSYS },
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
#ifdef SIGPWR
	{ "PWR", SIGPWR },
#endif
	/* Second names come after the first ones, which values_signal_name() gives. */
	{ "IOT", SIGABRT },	 { "POLL", SIGIO },	{ "CLD", SIGCHLD },
};

static const struct name limits[] = {
	{ "cpu", RLIMIT_CPU },
	{ "fsize", RLIMIT_FSIZE },
	{ "data", RLIMIT_DATA },
	{ "stack", RLIMIT_STACK },
	{ "core", RLIMIT_CORE },
	{ "rss", RLIMIT_RSS },
	{ "nproc", RLIMIT_NPROC },
	{ "nofile", RLIMIT_NOFILE },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "as", RLIMIT_AS },
#ifdef RLIMIT_LOCKS
	{ "locks", RLIMIT_LOCKS },
#endif
#ifdef RLIMIT_SIGPENDING
	{ "sigpending", RLIMIT_SIGPENDING },
#endif
#ifdef RLIMIT_MSGQUEUE
	{ "msgqueue", RLIMIT_MSGQUEUE },
#endif
#ifdef RLIMIT_NICE
	{ "nice", RLIMIT_NICE },
#endif
#ifdef RLIMIT_RTPRIO
	{ "rtprio", RLIMIT_RTPRIO },
#endif
#ifdef RLIMIT_RTTIME
	{ "rttime", RLIMIT_RTTIME },
#endif
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *without(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncasecmp(s, prefix, n) == 0 ? s + n : s;
}

int values_signal(const char *s, int *ret, char *why)
{
	const char *name = without(s, "SIG");
	int64_t number;

	for (size_t i = 0; i < COUNT(signals); i++) {
		if (strcasecmp(signals[i].name, name) == 0) {
			*ret = signals[i].number;
			return 0;
		}
	}
	if (values_number(name, 1, SIGNAL_MAX, &number, why) == 0) {
		*ret = (int)number;
		return 0;
	}
	snprintf(why, VALUES_WHY, "not a signal such as TERM, SIGTERM or 15 (1 to %d)", SIGNAL_MAX);
	return -1;
}

const char *values_signal_name(int sig, char *buf)
{
	for (size_t i = 0; i < COUNT(signals); i++) {
		if (signals[i].number == sig) {
			snprintf(buf, 16, "SIG%s", signals[i].name);
			return buf;
		}
	}
	snprintf(buf, 16, "SIG%d", sig);
	return buf;
}

static int read_limit(const char *s, size_t len, uint64_t *ret, char *why)
{
	char text[32];

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, s, len);
	text[len] = '\0';
	if (strcasecmp(text, "unlimited") == 0) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (values_size(text, ret, why) == 0)
		return 0;
	snprintf(why, VALUES_WHY,
		 "\"%s\" is no limit: use a number such as 64 or 10M, or unlimited", text);
	return -1;
}

/* The phrase for an unknown limit lists the known ones. */
static int unknown_limit(char *why)
{
	size_t at = (size_t)snprintf(why, VALUES_WHY, "unknown limit; the limits are");

	for (size_t i = 0; i < COUNT(limits) && at < VALUES_WHY; i++)
		at += (size_t)snprintf(why + at, VALUES_WHY - at, " %s", limits[i].name);
	return -1;
}

int values_rlimit(const char *s, carrel_rlimit *ret, char *why)
{
	const char *equals = strchr(s, '=');
	const char *name = without(s, "RLIMIT_");

	if (equals == NULL) {
		snprintf(why, VALUES_WHY, "no \"=\": write NAME=SOFT[:HARD] such as nofile=64:128");
		return -1;
	}
	const char *colon = strchr(equals, ':');
	size_t soft_len = colon != NULL ? (size_t)(colon - equals - 1) : strlen(equals + 1);
	for (size_t i = 0; i < COUNT(limits); i++) {
		size_t n = strlen(limits[i].name);

		if (equals < name || (size_t)(equals - name) != n ||
		    strncasecmp(limits[i].name, name, n) != 0)
			continue;
		ret->what = limits[i].number;
		if (read_limit(equals + 1, soft_len, &ret->soft, why) == -1)
			return -1;
		ret->hard = ret->soft;
		if (colon != NULL &&
		    read_limit(colon + 1, strlen(colon + 1), &ret->hard, why) == -1)
			return -1;
		if (ret->soft > ret->hard) {
			snprintf(why, VALUES_WHY, "the soft limit is above the hard one");
			return -1;
		}
		return 0;
	}
	return unknown_limit(why);
}
