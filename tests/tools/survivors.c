/* SPDX-License-Identifier: ISC */
/*
 * survivors: runs a command and says which of its processes are left when it has ended.
 *
 * Two ways to find them, which do not know of each other: a token in the environment, which every
 * process inherits that does not clear it, and the process tree below this process, which as a
 * subreaper is given every orphan. Nothing leaves both without help from outside the tree.
 */
#include "common.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_NAME "CARREL_TEST_TOKEN"
#define KILL_SECONDS 10.0
#define SCAN_RETRIES 20
#define STOP_ROUNDS 4

enum { EXIT_SURVIVORS = 99 };

const char *tool_name = "survivors";

static const char usage[] =
	"usage: survivors [--token T] [--settle SECONDS] [--user UID] [--timeout SECONDS]\n"
	"                 [--keep-going] -- CMD...\n"
	"Runs CMD with " TOKEN_NAME " in its environment and finds what it leaves behind.\n"
	"  --token T          the token's value; without it, a random one\n"
	"  --settle SECONDS   how long processes may take to go away after CMD (1.0)\n"
	"  --user UID         start CMD with this uid and gid and no supplementary groups\n"
	"  --timeout SECONDS  how long CMD may take (120), 0 for no limit\n"
	"  --keep-going       name and kill survivors, but exit with CMD's status all the same\n"
	"Names each survivor and their number on standard error, and kills them.\n"
	"Exit status: CMD's own (128 + n for signal n); 99 survivors; 124 CMD took too long;\n"
	"125 own failure; 126, 127 CMD could not be started; 2 usage.\n";

struct options {
	const char *token;
	double settle, timeout;
	long user;
	bool keep_going;
	char **command;
};

/* One process of a scan; mine says that it descends from this process, by the parent links. */
struct process {
	pid_t pid, ppid;
	char state;
	unsigned long long started;
	char comm[64];
	bool token, mine;
};

struct scan {
	struct process *all;
	size_t count, room;
	size_t survivors;
};

static bool has_token(pid_t pid, const char *token)
{
	static char env[1 << 20];
	ssize_t n = slurp(pid, "environ", env, sizeof(env));
	size_t len = strlen(token);

	for (char *p = env; n > 0 && p < env + n; p += strlen(p) + 1)
		if (strncmp(p, TOKEN_NAME "=", sizeof(TOKEN_NAME)) == 0 &&
		    strlen(p) == sizeof(TOKEN_NAME) + len &&
		    strcmp(p + sizeof(TOKEN_NAME), token) == 0)
			return true;
	return false;
}

/* read_stat(pid, p): fills in what /proc/PID/stat says; false when the process is gone. */
static bool read_stat(pid_t pid, struct process *p)
{
	char text[1024];

	if (slurp(pid, "stat", text, sizeof(text)) <= 0)
		return false;
	/* The name may hold anything, so the last parenthesis ends it. */
	char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
	if (open_at == NULL || close_at == NULL)
		return false;
	*close_at = '\0';
	*p = (struct process){ .pid = pid };
	snprintf(p->comm, sizeof(p->comm), "%s", open_at + 1);
	return sscanf(close_at + 1,
		      " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
		      " %llu",
		      &p->state, &p->ppid, &p->started) == 3;
}

static struct process *find(struct scan *s, pid_t pid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->all[i].pid == pid)
			return &s->all[i];
	return NULL;
}

static struct process *scan_add(struct scan *s, pid_t pid)
{
	struct process p, *old = find(s, pid);

	if (old != NULL)
		return old;
	if (!read_stat(pid, &p))
		return NULL;
	if (s->count == s->room) {
		s->room = s->room * 2 + 256;
		s->all = realloc(s->all, s->room * sizeof(*s->all));
		if (s->all == NULL)
			die(EXIT_OWN, "out of memory");
	}
	s->all[s->count] = p;
	return &s->all[s->count++];
}

/* reap(): takes in every child that has ended; returns false when there is no child at all. */
static bool reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
		continue;
	return pid == 0;
}

/* unmark_ancestors(s): a token given by hand may also be in our own environment. */
static void unmark_ancestors(struct scan *s)
{
	struct process *p = find(s, getpid());

	for (int i = 0; p != NULL && i < 1000; i++, p = find(s, p->ppid))
		p->token = p->mine = false;
}

/* mark_descendants(s): from both the list of our children and the parent links. */
static void mark_descendants(struct scan *s)
{
	pid_t direct[512];
	size_t n = children(direct, sizeof(direct) / sizeof(direct[0]));
	for (size_t i = 0; i < n; i++) {
		struct process *p = scan_add(s, direct[i]);
		if (p != NULL)
			p->mine = true;
	}
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < s->count; i++) {
			struct process *p = &s->all[i], *parent = p->mine ? NULL : find(s, p->ppid);
			if (p->ppid == getpid() || (parent != NULL && parent->mine))
				more |= !p->mine, p->mine = true;
		}
	}
}

static void scan_proc(struct scan *s, const char *token)
{
	DIR *d = opendir("/proc");

	if (d == NULL)
		die(EXIT_OWN, "/proc: %s", strerror(errno));
	s->count = s->survivors = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (isdigit((unsigned char)e->d_name[0]))
			(void)scan_add(s, (pid_t)strtol(e->d_name, NULL, 10));
	closedir(d);
	mark_descendants(s);
	for (size_t i = 0; i < s->count; i++)
		s->all[i].token = has_token(s->all[i].pid, token);
	unmark_ancestors(s);
	for (size_t i = 0; i < s->count; i++)
		s->survivors += s->all[i].token || s->all[i].mine;
}

/* drop_own_zombies(s): what ended after the last reaping is ours to reap and no survivor. */
static void drop_own_zombies(struct scan *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process *p = &s->all[i];
		if (p->mine && p->state == 'Z' && p->ppid == getpid()) {
			p->mine = p->token = false;
			s->survivors--;
		}
	}
}

/*
 * look(s, token): reaps, then scans. Returns whether anything is left. A chain of processes that
 * each live for a millisecond may slip through a scan, but not past waitpid.
 */
static bool look(struct scan *s, const char *token)
{
	for (int i = 0; i < SCAN_RETRIES; i++) {
		bool any = reap();
		scan_proc(s, token);
		/* A leader whose other threads go on looks like a zombie that is never reaped. */
		if (i < SCAN_RETRIES - 1)
			drop_own_zombies(s);
		if (s->survivors > 0)
			return true;
		if (!any)
			return false;
	}
	return true;
}

/* put(text, len): text from another process, safe to print and without spaces in it. */
static void put(const char *text, size_t len, bool spaces)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (isgraph(c) || (spaces && c == ' '))
			fputc(c, stderr);
		else if (spaces && c == '\0')
			fputc(' ', stderr);
		else
			fprintf(stderr, "\\x%02x", c);
	}
}

static void report(const struct scan *s)
{
	char line[200];

	for (size_t i = 0; i < s->count; i++) {
		const struct process *p = &s->all[i];
		if (!p->token && !p->mine)
			continue;
		ssize_t n = slurp(p->pid, "cmdline", line, sizeof(line));
		fprintf(stderr, "survivor pid=%d ppid=%d comm=", (int)p->pid, (int)p->ppid);
		put(p->comm, strlen(p->comm), false);
		fprintf(stderr, " state=%c cmdline=", p->state);
		put(line, n > 1 ? (size_t)n - 1 : 0, true);
		fputc('\n', stderr);
	}
}

/* signal_process(p, sig): sends it unless the number belongs to another process by now. */
static void signal_process(const struct process *p, int sig)
{
	struct process again;
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	if (fd == -1)
		return;
	if (read_stat(p->pid, &again) && again.started == p->started)
		syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	close(fd);
}

static void signal_all(const struct scan *s, int sig)
{
	pid_t direct[512];

	for (size_t i = 0; i < s->count; i++)
		if (s->all[i].token || s->all[i].mine)
			signal_process(&s->all[i], sig);
	/* Not reaped by us yet, so still ours; quick enough to meet a chain between two links. */
	size_t n = children(direct, sizeof(direct) / sizeof(direct[0]));
	for (size_t i = 0; i < n; i++)
		kill(direct[i], sig);
}

/* kill_children(): what a tight loop of this meets, a chain has no time to get away from. */
static void kill_children(void)
{
	for (int i = 0; i < 50 && reap(); i++)
		signal_all(&(struct scan){ 0 }, SIGKILL);
}

/*
 * kill_all(s, token): until nothing is left, or KILL_SECONDS are over. What is stopped first can
 * neither fork nor give its place under a limit on processes to another, so bombs run dry.
 */
static bool kill_all(struct scan *s, const char *token)
{
	double end = now() + KILL_SECONDS;

	for (int round = 0; look(s, token); round++) {
		if (now() > end)
			return false;
		signal_all(s, round < STOP_ROUNDS ? SIGSTOP : SIGKILL);
		if (round >= STOP_ROUNDS)
			kill_children();
	}
	return true;
}

__attribute__((noreturn)) static void start(const struct options *o)
{
	if (setenv(TOKEN_NAME, o->token, 1) == -1)
		die(EXIT_OWN, "setenv: %s", strerror(errno));
	execute(o->command, o->user);
}

/* wait_command(pid, o): its exit status; 128 + n for a signal, 124 when it took too long. */
static int wait_command(pid_t pid, const struct options *o, bool *late)
{
	double end = now() + o->timeout;
	int status;

	for (;;) {
		pid_t got = waitpid(-1, &status, WNOHANG | __WALL);
		if (got == pid)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (stopped_by != 0)
			return 128 + stopped_by;
		if (o->timeout > 0 && now() > end)
			return *late = true, EXIT_TIMEOUT;
		if (got == 0)
			doze(50);
		else if (got == -1 && errno != EINTR)
			die(EXIT_OWN, "waitpid: %s", strerror(errno));
	}
}

/* settle(o, status): waits, names and kills what is left; the exit status. */
static int settle(const struct options *o, int status)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	double end = now() + o->settle;
	struct scan s = { 0 };
	bool any;

	while ((any = look(&s, o->token)) && now() < end && stopped_by == 0)
		nanosleep(&tick, NULL);
	size_t left = any && s.survivors == 0 ? 1 : s.survivors;
	report(&s);
	fprintf(stderr, "survivors %zu\n", left);
	bool gone = kill_all(&s, o->token);
	free(s.all);
	if (!gone)
		die(EXIT_OWN, "some survivors could not be killed");
	return left == 0 || o->keep_going ? status : EXIT_SURVIVORS;
}

static int run(const struct options *o)
{
	sigset_t old;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		die(EXIT_OWN, "cannot become a subreaper: %s", strerror(errno));
	block_children(&old);
	catch_signals();
	pid_t pid = fork();
	if (pid == -1)
		die(EXIT_OWN, "fork: %s", strerror(errno));
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		start(o);
	}
	bool late = false;
	int status = wait_command(pid, o, &late);
	if (late)
		fprintf(stderr, "survivors: the command took longer than %g s\n", o->timeout);
	return late || stopped_by != 0 ? (settle(o, 0), status) : settle(o, status);
}

static const char *random_token(void)
{
	static char text[33];
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		die(EXIT_OWN, "getrandom: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "token", required_argument, NULL, 't' },
		{ "settle", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ "timeout", required_argument, NULL, 'l' },
		{ "keep-going", no_argument, NULL, 'k' },
		{ 0 },
	};
	struct options o = { .settle = 1.0, .timeout = 120, .user = -1 };

	for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		switch (c) {
		case 'h': fputs(usage, stdout); return 0;
		case 't': o.token = optarg; break;
		case 's': o.settle = parse_seconds("--settle", optarg); break;
		case 'u': o.user = parse_number("--user", optarg, 0, 0xfffffffeL); break;
		case 'l': o.timeout = parse_seconds("--timeout", optarg); break;
		case 'k': o.keep_going = true; break;
		default: return 2;
		}
	}
	if (optind >= argc)
		die(2, "no command given (survivors --help)");
	if (o.token != NULL && *o.token == '\0')
		die(2, "--token: the token is empty");
	if (o.token == NULL)
		o.token = random_token();
	o.command = argv + optind;
	return run(&o);
}
