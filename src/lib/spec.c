/* SPDX-License-Identifier: ISC */
/* Checking a spec, all of it, before anything has a side effect. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define DEFAULT_LINE (64 * 1024)
#define MAX_LINE (16 * 1024 * 1024)
/* How long the start of a command may take. */
#define START_MS 30000

#define BAD(index, ...) error_set(e, CARREL_STAGE_ARGS, EINVAL, index, __VA_ARGS__)

static int check_command(const carrel_spec *s, carrel_error *e)
{
	int given = (s->argv != NULL) + (s->shell != NULL) + (s->ops != NULL);

	if (given != 1)
		return BAD(-1, "exactly one of argv, shell and ops must name the command; %d are given", given);
	if (s->argv != NULL && s->argv[0] == NULL)
		return BAD(0, "argv is empty: there is no command");
	const struct {
		const char *name;
		const void *list;
		size_t n;
	} lists[] = { { "pass_fds", s->pass_fds, s->n_pass_fds },
		      { "limits", s->limits, s->n_limits },
		      { "groups", s->groups, s->n_groups },
		      { "input", s->input, s->input_len },
		      { "keep_ignored", s->keep_ignored, s->n_keep_ignored } };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (lists[i].n > 0 && lists[i].list == NULL)
			return BAD(-1, "%s is NULL, but its count is %zu", lists[i].name, lists[i].n);
	}
	if (s->path != NULL && s->argv == NULL)
		return BAD(-1, "path names the file to execute, and the words for it must be in argv, which is NULL");
	if (behaviour_of(s) == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1,
				 "behaviour '%.40s' is not known; there are process, rootless and container",
				 s->behaviour);
	const enum call_number needs = behaviour_of(s)->needs;
	if (needs != 0 && !call_by_number(needs)->here)
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1, needs == CALL_jail ?
				 "behaviour jail is for FreeBSD, whose jails it uses; here there are rootless and container" :
				 "behaviour %s is for Linux, whose namespaces it uses", s->behaviour);
	return 0;
}

static int check_fd(int fd, const char *what, int index, carrel_error *e)
{
	if (fd < 0 || fcntl(fd, F_GETFD) == -1)
		return error_set(e, CARREL_STAGE_FDS, EBADF, index, "%s: descriptor %d is not open", what, fd);
	return 0;
}

static int check_streams(const carrel_spec *s, carrel_error *e)
{
	static const char *const names[] = { "in", "out", "err" };
	const carrel_io *io[] = { &s->in, &s->out, &s->err };

	for (int i = 0; i < 3; i++) {
		if ((unsigned)io[i]->kind > CARREL_PTY || (io[i]->kind == CARREL_TO_STDOUT && i != 2) ||
		    (io[i]->kind == CARREL_FEED && i != 0))
			return BAD(i, "%s.kind %d is no kind of this stream; see enum carrel_io_kind (CARREL_FEED is for in, "
				   "CARREL_TO_STDOUT for err)", names[i], (int)io[i]->kind);
		if ((io[i]->kind == CARREL_FD || io[i]->kind == CARREL_FEED) &&
		    check_fd(io[i]->fd, names[i], i, e) < 0)
			return -1;
		if (io[i]->kind == CARREL_FILE && io[i]->path == NULL)
			return BAD(i, "%s.kind is CARREL_FILE, but %s.path is NULL", names[i], names[i]);
		if (io[i]->kind == CARREL_PTY && s->out.kind != CARREL_PTY)
			return BAD(i, "%s.kind is CARREL_PTY, so out.kind must be it too", names[i]);
		if (io[i]->kind == CARREL_INHERIT && check_fd(i, names[i], i, e) < 0)
			return -1;
		if (io[i]->pipe_size < 0)
			return BAD(i, "%s.pipe_size is %d; it must be a number of bytes, or 0 for the kernel's default",
				   names[i], io[i]->pipe_size);
	}
	if (s->input != NULL && s->produce != NULL)
		return BAD(0, "input and produce exclude each other");
	if ((s->input != NULL || s->produce != NULL) && s->in.kind != CARREL_DEFAULT && s->in.kind != CARREL_PTY)
		return BAD(0, "%s feeds stdin, so in.kind must be left at its default",
			   s->input != NULL ? "input" : "produce");
	if (s->out.kind == CARREL_PTY && s->session == CARREL_SESSION_KEEP)
		return BAD(-1, "a terminal of its own needs a session of its own: session is CARREL_SESSION_KEEP");
	if ((unsigned)s->framing > CARREL_LINES)
		return BAD(-1, "framing is %d; it must be CARREL_CHUNKS or CARREL_LINES", (int)s->framing);
	if (s->max_line > MAX_LINE)
		return BAD(-1, "max_line is %zu; at most %d", s->max_line, MAX_LINE);
	return 0;
}

bool spec_fed(const carrel_spec *s)
{
	return s->input_len > 0 || s->produce != NULL || s->in.kind == CARREL_FEED;
}

int spec_listener(const carrel_spec *s)
{
	int top = 2;

	for (size_t i = 0; i < s->n_pass_fds; i++)
		top = s->pass_fds[i][1] > top ? s->pass_fds[i][1] : top;
	return top + 1;
}

bool spec_isolated(const carrel_spec *s)
{
	return behaviour_of(s)->isolates;
}

/* What is left to the library. */
static void complete_streams(carrel_spec *s)
{
	bool pty = s->out.kind == CARREL_PTY;

	if (s->in.kind == CARREL_DEFAULT)
		s->in.kind = pty ? CARREL_PTY : spec_fed(s) ? CARREL_PIPE : CARREL_NULL;
	if (s->out.kind == CARREL_DEFAULT)
		s->out.kind = CARREL_PIPE;
	if (s->err.kind == CARREL_DEFAULT)
		s->err.kind = pty ? CARREL_PTY : CARREL_PIPE;
	if (s->max_line == 0)
		s->max_line = DEFAULT_LINE;
}

static int check_pass_fds(const carrel_spec *s, carrel_error *e)
{
	if (s->n_pass_fds > MESSAGE_FDS_MAX - 8)
		return BAD(-1, "%zu pass_fds; at most %d can be passed", s->n_pass_fds, MESSAGE_FDS_MAX - 8);
	for (size_t i = 0; i < s->n_pass_fds; i++) {
		if (check_fd(s->pass_fds[i][0], "pass_fds", (int)i, e) < 0)
			return -1;
		if (s->pass_fds[i][1] < 3 || s->pass_fds[i][1] > 65535)
			return BAD((int)i, "pass_fds[%zu]: number %d in the task; it must be 3 to 65535", i,
				   s->pass_fds[i][1]);
		for (size_t k = 0; k < i; k++) {
			if (s->pass_fds[k][1] == s->pass_fds[i][1])
				return BAD((int)i, "pass_fds[%zu]: number %d is given twice", i,
					   s->pass_fds[i][1]);
		}
	}
	return 0;
}

static int check_env(const carrel_spec *s, carrel_error *e)
{
	for (int i = 0; s->env != NULL && s->env[i] != NULL; i++) {
		const char *eq = strchr(s->env[i], '=');

		if (eq == NULL || eq == s->env[i])
			return error_set(e, CARREL_STAGE_ENV, EINVAL, i,
					 "env[%d] '%.60s' is not of the form NAME=VALUE", i, s->env[i]);
	}
	return 0;
}

static int check_end(const carrel_spec *s, carrel_error *e)
{
	for (int i = 0; i < CARREL_STEPS_MAX && s->stop[i].sig != 0; i++) {
		if (s->stop[i].sig < 0 || s->stop[i].sig >= NSIG)
			return BAD(i, "stop[%d].sig is %d; it must be 1 to %d", i, s->stop[i].sig, NSIG - 1);
		if (s->stop[i].wait_ms < -1)
			return BAD(i, "stop[%d].wait_ms is %d; it must be milliseconds, or -1 for no limit", i,
				   s->stop[i].wait_ms);
	}
	if (s->timeout_ms < 0)
		return BAD(-1, "timeout_ms is %d; it must be milliseconds, or 0 for none", s->timeout_ms);
	if (s->start_ms < -1)
		return BAD(-1, "start_ms is %d; it must be milliseconds, 0 for %d, or -1 for no limit", s->start_ms, START_MS);
	if ((unsigned)s->on_exit > CARREL_EXIT_KEEP_TREE)
		return BAD(-1, "on_exit is %d; it must be CARREL_EXIT_KILL_TREE, WAIT_TREE or KEEP_TREE", (int)s->on_exit);
	return 0;
}

static int check_process(const carrel_spec *s, carrel_error *e)
{
	const unsigned known = CARREL_SET_UID | CARREL_SET_GID | CARREL_SET_GROUPS | CARREL_SET_UID_AUTO |
			       CARREL_SET_PRIORITY | CARREL_SET_UMASK | CARREL_SET_IO_PRIORITY |
			       CARREL_SET_OOM_SCORE_ADJ;

	if (s->set & ~known)
		return BAD(-1, "set has unknown bits: %#x", s->set & ~known);
	if (s->set & CARREL_SET_UID && s->set & CARREL_SET_UID_AUTO)
		return BAD(-1, "CARREL_SET_UID and CARREL_SET_UID_AUTO exclude each other");
	if (s->set & CARREL_SET_GROUPS && s->n_groups > 65536)
		return BAD(-1, "%zu supplementary groups; the kernel's limit is 65536", s->n_groups);
	if (s->set & CARREL_SET_PRIORITY && (s->priority < -20 || s->priority > 19))
		return BAD(-1, "priority %d; it must be -20 to 19", s->priority);
	if (s->set & CARREL_SET_UMASK && s->umask > 0777)
		return BAD(-1, "umask %#o; it must be 0 to 0777", (unsigned)s->umask);
	if ((unsigned)s->session > CARREL_SESSION_KEEP)
		return BAD(-1, "session is %d; it must be CARREL_SESSION_AUTO, OWN or KEEP", (int)s->session);
	for (size_t i = 0; i < s->n_keep_ignored; i++) {
		int sig = s->keep_ignored[i];

		if (sig < 1 || sig >= NSIG || sig == SIGKILL || sig == SIGSTOP)
			return BAD((int)i, "keep_ignored[%zu] is %d; it must be a signal that can be ignored", i, sig);
	}
	for (size_t i = 0; i < s->n_limits; i++) {
		if (s->limits[i].soft > s->limits[i].hard)
			return error_set(e, CARREL_STAGE_RLIMIT, EINVAL, (int)i,
					 "limits[%zu]: the soft limit %llu is above the hard one, %llu", i,
					 (unsigned long long)s->limits[i].soft, (unsigned long long)s->limits[i].hard);
	}
	return 0;
}

int spec_check(const carrel_spec *s, carrel_spec *ret, carrel_error *e)
{
	carrel_spec full = { 0 };

	if (s == NULL || s->size < sizeof(size_t) || s->size > sizeof(full))
		return BAD(-1, "carrel_spec.size must be sizeof(carrel_spec); use CARREL_SPEC()");
	memcpy(&full, s, s->size);
	full.size = sizeof(full);
	if (check_command(&full, e) < 0 || check_streams(&full, e) < 0 || check_pass_fds(&full, e) < 0 ||
	    check_env(&full, e) < 0 || check_end(&full, e) < 0 || check_process(&full, e) < 0 ||
	    limits_check(&full, e) < 0 ||
	    isolation_check(&full, e) < 0 || restriction_check(&full, e) < 0 || policy_check(&full, e) < 0)
		return -1;
	if (spec_isolated(&full))
		full.session = CARREL_SESSION_OWN;
	if (full.session == CARREL_SESSION_AUTO)
		full.session = full.in.kind == CARREL_INHERIT && full.out.kind == CARREL_INHERIT &&
					       full.err.kind == CARREL_INHERIT
				       ? CARREL_SESSION_KEEP
				       : CARREL_SESSION_OWN;
	complete_streams(&full);
	if (full.start_ms == 0)
		full.start_ms = START_MS;
	if (full.stop[0].sig == 0)
		full.stop[0] = (carrel_step){ SIGTERM, 5000 };
	*ret = full;
	return 0;
}

/* The host sets that name over with one of ${env}. */
static bool overridden(const char *entry, const char *const *env)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
		if (strncmp(entry, env[i], len) == 0)
			return true;
	}
	return false;
}

/* The environment that an isolated task begins with; room for five. */
static char **isolated_env(char *env[])
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/home";
	size_t n = 0;

	env[n++] = path;
	env[n++] = home;
	for (size_t i = 0; environ != NULL && environ[i] != NULL && n < 4; i++) {
		if (strncmp(environ[i], "TERM=", 5) == 0 || strncmp(environ[i], "LANG=", 5) == 0)
			env[n++] = environ[i];
	}
	env[n] = NULL;
	return env;
}

char **spec_env(const carrel_spec *s, carrel_error *e)
{
	size_t n = 0, count = 1;
	char *few[5];
	char **old = s->env_clear ? NULL : spec_isolated(s) ? isolated_env(few) : environ;

	for (size_t i = 0; old != NULL && old[i] != NULL; i++)
		count++;
	for (size_t i = 0; s->env != NULL && s->env[i] != NULL; i++)
		count++;
	char **env = malloc(count * sizeof(*env));
	if (env == NULL) {
		error_set(e, CARREL_STAGE_ENV, ENOMEM, -1, "no memory for the environment");
		return NULL;
	}
	for (size_t i = 0; old != NULL && old[i] != NULL; i++) {
		if (!overridden(old[i], s->env))
			env[n++] = old[i];
	}
	/* Of one name given twice the last counts. */
	for (size_t i = 0; s->env != NULL && s->env[i] != NULL; i++) {
		if (!overridden(s->env[i], s->env + i + 1))
			memcpy(&env[n++], &s->env[i], sizeof(*env));
	}
	env[n] = NULL;
	return env;
}
