/* SPDX-License-Identifier: ISC */
/*
 * What carrel ctl asks.  A request is one line, "VERB [json] [NAME [ARG]]", on a connection of its own; the answer is
 * "ok\n" or "error: why\n" and what was asked for, up to the end of the connection.  Only the same user and root are
 * heard.  Nobody who asks, and does not read, is waited for.
 */
#include "supervise.h"

#include "report.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* -------------------------------------------------------------- answers --- */

static void say(struct ctl_client *k, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct ctl_client *k, const char *format, ...)
{
	char text[1400];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n > 0)
		sink_put(&k->answer, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void finish(struct ctl_client *k)
{
	k->answered = 1;
	k->awaits = CTL_NOTHING;
}

static const char *end_text(const carrel_service_status *st, char buf[40])
{
	char sig[16];

	if (!st->ended)
		snprintf(buf, 40, "-");
	else if (st->last.sig != 0)
		snprintf(buf, 40, "%s", values_signal_name(st->last.sig, sig));
	else
		snprintf(buf, 40, "exit %d", st->last.code);
	return buf;
}

static void say_row(struct ctl_client *k, const carrel_service_status *st)
{
	char pid[16] = "-", end[40];

	if (st->pid != 0)
		snprintf(pid, sizeof(pid), "%ld", (long)st->pid);
	say(k, "%-20s %-9s %7s %8" PRIu64 "s %6" PRIu64 " %8u %s\n", st->name, carrel_service_state_name(st->state), pid,
	    st->state_ms / 1000, st->starts, st->failures, end_text(st, end));
}

static void say_json(struct ctl_client *k, const carrel_service_status *st)
{
	char error[sizeof(st->error.msg) * TEXT_ESCAPE_MAX], end[64];
	size_t n = 0;

	say(k, "{\"name\":\"%s\",\"state\":\"%s\",\"wanted\":%s,\"pid\":%ld,\"state_ms\":%" PRIu64 ",\"starts\":%" PRIu64
	    ",\"failures\":%u,\"delay_ms\":%d", st->name, carrel_service_state_name(st->state),
	    st->wanted ? "true" : "false", (long)st->pid, st->state_ms, st->starts, st->failures, st->delay_ms);
	if (st->ended)
		say(k, ",%s", supervise_json_end(&st->last, end));
	if (st->error.stage != CARREL_STAGE_NONE &&
	    text_escape((const unsigned char *)st->error.msg, strlen(st->error.msg), error, &n) == 0)
		say(k, ",\"error\":\"%.*s\"", (int)n, error);
	say(k, "}\n");
}

static int status_of(const struct supervise *s, const char *name, carrel_service_status *st)
{
	*st = (carrel_service_status){ .size = sizeof(*st) };
	for (size_t i = 0; carrel_supervise_status(s->s, i, st) == 1; i++) {
		if (strcmp(st->name, name) == 0)
			return 1;
	}
	return 0;
}

static void answer_status(struct supervise *s, struct ctl_client *k, const char *name)
{
	carrel_service_status st = { .size = sizeof(st) };

	say(k, "ok\n");
	if (!k->json)
		say(k, "%-20s %-9s %7s %9s %6s %8s %s\n", "NAME", "STATE", "PID", "FOR", "STARTS", "FAILURES", "LAST");
	for (size_t i = 0; carrel_supervise_status(s->s, i, &st) == 1; i++) {
		if (*name != '\0' && strcmp(st.name, name) != 0)
			continue;
		if (k->json)
			say_json(k, &st);
		else
			say_row(k, &st);
	}
	finish(k);
}

/* ------------------------------------------------------------- requests --- */

static void answer_signal(struct supervise *s, struct ctl_client *k, const char *name, const char *arg)
{
	char why[VALUES_WHY];
	int sig = 0;

	if (values_signal(arg, &sig, why) == -1)
		say(k, "error: signal \"%.60s\": %s\n", arg, why);
	else if (carrel_supervise_signal(s->s, name, sig, 0) == -1)
		say(k, "error: cannot signal %s: %s\n", name, errno == ESRCH ? "it does not run" : strerror(errno));
	else
		say(k, "ok\n");
	finish(k);
}

static void answer_log(struct supervise *s, struct ctl_client *k, const char *name)
{
	const struct entry *e = supervise_find(s, name);

	say(k, "ok\n");
	if (e != NULL && e->n_recent > 0) {
		const char *begin = e->recent, *newline = memchr(begin, '\n', e->n_recent);

		/* What is full begins in the middle of a line. */
		if (e->n_recent > RECENT_MAX / 2 && newline != NULL)
			begin = newline + 1;
		sink_put(&k->answer, begin, e->n_recent - (size_t)(begin - e->recent));
	}
	finish(k);
}

/* Begin what takes a while; ctl_settle() answers. */
static void begin(struct supervise *s, struct ctl_client *k, const char *verb, const char *name)
{
	const char *which = *name != '\0' ? name : NULL;
	carrel_service_status st;

	snprintf(k->name, sizeof(k->name), "%s", name);
	k->starts = 0;
	k->awaits = strcmp(verb, "stop") == 0 ? CTL_STOP : CTL_START;
	if (strcmp(verb, "stop") == 0) {
		carrel_supervise_stop(s->s, which);
	} else if (strcmp(verb, "start") == 0) {
		carrel_supervise_start(s->s, which);
	} else {
		if (which != NULL && status_of(s, name, &st))
			k->starts = st.starts;
		carrel_supervise_restart(s->s, which);
	}
}

static int begins_something(const char *verb)
{
	return strcmp(verb, "start") == 0 || strcmp(verb, "restart") == 0 || strcmp(verb, "reload") == 0;
}

static void answer(struct supervise *s, struct ctl_client *k)
{
	char *save = NULL, *verb = strtok_r(k->request, " \n", &save);
	char *word = strtok_r(NULL, " \n", &save);
	carrel_service_status st;

	k->json = word != NULL && strcmp(word, "json") == 0;
	if (k->json)
		word = strtok_r(NULL, " \n", &save);
	const char *name = word != NULL ? word : "", *arg = strtok_r(NULL, " \n", &save);
	if (verb != NULL && *name != '\0' && !status_of(s, name, &st)) {
		say(k, "error: there is no service %.63s\n", name);
		finish(k);
	} else if (verb != NULL && strcmp(verb, "status") == 0) {
		answer_status(s, k, name);
	} else if (verb != NULL && strcmp(verb, "log") == 0 && *name != '\0') {
		answer_log(s, k, name);
	} else if (verb != NULL && strcmp(verb, "signal") == 0 && *name != '\0' && arg != NULL) {
		answer_signal(s, k, name, arg);
	} else if (verb != NULL && s->stopping > 0 && begins_something(verb)) {
		say(k, "error: the supervisor ends\n");
		finish(k);
	} else if (verb != NULL && strcmp(verb, "reload") == 0) {
		say(k, supervise_reload(s) == 0 ? "ok\n" : "error: not everything could be reloaded; the supervisor says why\n");
		finish(k);
	} else if (verb != NULL && (strcmp(verb, "start") == 0 || strcmp(verb, "stop") == 0 || strcmp(verb, "restart") == 0)) {
		begin(s, k, verb, name);
	} else {
		say(k, "error: not a request\n");
		finish(k);
	}
}

/* What became of one that is waited for: 1 it is so, -1 it will not be, 0 not yet. */
static int settled(const struct ctl_client *k, const carrel_service_status *st)
{
	if (k->awaits == CTL_STOP)
		return st->state == CARREL_SERVICE_OFF || st->state == CARREL_SERVICE_FAILED;
	if (st->starts <= k->starts)
		return 0;
	if (st->state == CARREL_SERVICE_UP)
		return 1;
	/* One that has done what it had to do is no failure. */
	if (st->state == CARREL_SERVICE_OFF)
		return st->ended && st->last.exited && st->last.code == 0 ? 1 : -1;
	return st->state == CARREL_SERVICE_FAILED || (st->state == CARREL_SERVICE_DELAYED && st->delay_ms > 0) ? -1 : 0;
}

static void settle(struct supervise *s, struct ctl_client *k)
{
	carrel_service_status st = { .size = sizeof(st) };
	int all = 1;

	for (size_t i = 0; all == 1 && carrel_supervise_status(s->s, i, &st) == 1; i++) {
		if (*k->name == '\0' || strcmp(st.name, k->name) == 0)
			all = settled(k, &st);
	}
	if (all == 0)
		return;
	if (all == 1)
		say(k, "ok\n");
	else
		say(k, "error: %s: it did not start%s%s\n", st.name, st.error.stage != CARREL_STAGE_NONE ? ": " : "",
		    st.error.stage != CARREL_STAGE_NONE ? st.error.msg : "");
	finish(k);
}

/* ---------------------------------------------------------- connections --- */

static void hang_up(struct ctl_client *k)
{
	sink_finish(&k->answer);
	close(k->fd);
	*k = (struct ctl_client){ .fd = -1 };
}

static void flush(struct ctl_client *k)
{
	sink_flush(&k->answer);
	if (k->answer.err != 0 || (k->answered && sink_holds(&k->answer) == 0))
		hang_up(k);
}

void ctl_settle(struct supervise *s)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_client *k = &s->client[i];

		if (s->listener == -1 || k->fd == -1)
			continue;
		if (k->awaits != CTL_NOTHING)
			settle(s, k);
		flush(k);
	}
}

static void take_client(struct supervise *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), i = 0;
	struct ucred who;
	socklen_t len = sizeof(who);

	if (fd == -1)
		return;
	while (i < CTL_CLIENTS && s->client[i].fd != -1)
		i++;
	if (i == CTL_CLIENTS || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		const char *no = i == CTL_CLIENTS ? "error: too many ask at once\n" : "error: this is another user's\n";

		if (write(fd, no, strlen(no)) == -1)
			errno = 0;
		close(fd);
		return;
	}
	s->client[i] = (struct ctl_client){ .fd = fd };
	sink_init(&s->client[i].answer, fd);
}

static void read_client(struct supervise *s, struct ctl_client *k)
{
	ssize_t n = read(k->fd, k->request + k->len, sizeof(k->request) - 1 - k->len);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			hang_up(k);
		return;
	}
	k->len += (size_t)n;
	k->request[k->len] = '\0';
	if (k->answered || k->awaits != CTL_NOTHING) {
		k->len = 0;
	} else if (strchr(k->request, '\n') != NULL) {
		k->len = 0;
		answer(s, k);
	} else if (k->len == sizeof(k->request) - 1) {
		say(k, "error: the request is too long\n");
		finish(k);
	}
}

void ctl_poll(const struct supervise *s, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = s->listener, .events = POLLIN };
	for (int i = 0; i < CTL_CLIENTS; i++) {
		const struct ctl_client *k = &s->client[i];

		fds[1 + i] = (struct pollfd){ .fd = s->listener != -1 ? k->fd : -1, .events = POLLIN };
		if (sink_holds(&k->answer) > 0)
			fds[1 + i].events |= POLLOUT;
	}
}

void ctl_ready(struct supervise *s, const struct pollfd *fds)
{
	if (fds[0].revents != 0)
		take_client(s);
	for (int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_client *k = &s->client[i];

		if (fds[1 + i].fd == -1 || fds[1 + i].revents == 0 || k->fd != fds[1 + i].fd)
			continue;
		if (fds[1 + i].revents & POLLIN)
			read_client(s, k);
		else if (fds[1 + i].revents & (POLLHUP | POLLERR))
			hang_up(k);
	}
}

/* --------------------------------------------------------------- socket --- */

int ctl_path(const char *name, char *buf, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		n = snprintf(buf, size, "/run/carrel/%s", name);
	else if (runtime != NULL && *runtime == '/')
		n = snprintf(buf, size, "%s/carrel/%s", runtime, name);
	else
		n = snprintf(buf, size, "/tmp/carrel-%lu/%s", (unsigned long)geteuid(), name);
	if (n > 0 && (size_t)n < size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* The folder is ours alone: in /tmp somebody else may have made it. */
static int make_folder(const char *path)
{
	char dir[PATH_MAX];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return -1;
	if (lstat(dir, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

/* The file that is locked is the one of that name: whoever had it before may have removed it in between. */
static int is_at(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

/* Whoever holds the lock has the name: 0, or -1 with errno; EWOULDBLOCK: ${*ret_pid} has; ESTALE: once more. */
static int try_lock(const char *path, int *ret_fd, long *ret_pid)
{
	char lock[PATH_MAX], text[32] = "";

	snprintf(lock, sizeof(lock), "%s.lock", path);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		int err = errno;

		*ret_pid = pread(fd, text, sizeof(text) - 1, 0) > 0 ? atol(text) : 0;
		close(fd);
		errno = err;
		return -1;
	}
	if (!is_at(fd, lock)) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n) {
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

static int take_lock(const char *path, int *ret_fd, long *ret_pid)
{
	int r;

	do
		r = try_lock(path, ret_fd, ret_pid);
	while (r == -1 && errno == ESTALE);
	return r;
}

/* Nothing is there, or a socket, which nobody listens at: nothing else is ours to be removed. */
static int may_replace(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT;
	errno = EEXIST;
	return S_ISSOCK(st.st_mode);
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	/* The lock is ours: what is there is left from one that was killed. */
	unlink(path);
	int r = fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ? listen(fd, CTL_CLIENTS) : -1;
	int err = errno;
	umask(mask);
	if (r == 0)
		return fd;
	if (fd != -1)
		close(fd);
	errno = err;
	return -1;
}

/* The name of a supervisor without one: its file's, without folder and ending. */
static void default_name(const struct supervise_options *o, char name[NAME_MAX])
{
	const char *base = o->name != NULL ? o->name : o->file != NULL ? o->file : "default";
	const char *slash = strrchr(base, '/');

	snprintf(name, NAME_MAX, "%s", slash != NULL ? slash + 1 : base);
	char *dot = strrchr(name, '.');
	if (o->name == NULL && dot != NULL && dot != name)
		*dot = '\0';
}

int ctl_open(struct supervise *s)
{
	char path[PATH_MAX - 8], name[NAME_MAX];
	long pid = 0;

	for (int i = 0; i < CTL_CLIENTS; i++)
		s->client[i].fd = -1;
	if (s->o->no_socket)
		return 0;
	default_name(s->o, name);
	if (s->o->socket != NULL)
		snprintf(path, sizeof(path), "%s", s->o->socket);
	else if (ctl_path(name, path, sizeof(path)) == -1 || make_folder(path) == -1) {
		report_line("cannot make the folder of %s: %s (--socket PATH is elsewhere, --no-socket nowhere)", path,
			    errno == EPERM ? "it is somebody else's" : strerror(errno));
		return -1;
	}
	if (!may_replace(path)) {
		report_line("cannot listen at %s: %s", path, errno == EEXIST ? "there is a file that is no socket" :
			    strerror(errno));
		return -1;
	}
	if (take_lock(path, &s->lock, &pid) == -1) {
		if (errno == EWOULDBLOCK)
			report_line("another supervisor, process %ld, has %s (--name gives this one another name)", pid, path);
		else
			report_line("cannot lock %s: %s", path, strerror(errno));
		return -1;
	}
	s->path = strdup(path);
	s->listener = s->path != NULL ? listen_at(path) : -1;
	if (s->listener != -1)
		return 0;
	report_line("cannot listen at %s: %s", path, strerror(errno));
	return -1;
}

void ctl_close(struct supervise *s)
{
	char lock[PATH_MAX];

	for (int i = 0; s->listener != -1 && i < CTL_CLIENTS; i++) {
		if (s->client[i].fd == -1)
			continue;
		if (s->client[i].awaits != CTL_NOTHING)
			say(&s->client[i], s->client[i].awaits == CTL_STOP ? "ok\n" : "error: the supervisor ends\n");
		sink_flush(&s->client[i].answer);
		hang_up(&s->client[i]);
	}
	if (s->listener != -1) {
		unlink(s->path);
		close(s->listener);
	}
	if (s->lock != -1) {
		snprintf(lock, sizeof(lock), "%s.lock", s->path != NULL ? s->path : "");
		if (s->path != NULL)
			unlink(lock);
		close(s->lock);
	}
	free(s->path);
	s->path = NULL;
	s->listener = s->lock = -1;
}
