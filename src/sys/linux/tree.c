/* SPDX-License-Identifier: ISC */
/*
 * Walking our own descendants.
 *
 * A pid that was read from /proc may be reused by a stranger before it is
 * signalled, so: our direct children cannot vanish (only we reap them) and are
 * signalled by number; anything deeper is held by a pidfd and must, after that
 * was opened, still name its parent, which must still be there itself.
 */
#include "sys.h"

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Deeper ones become shallower as their parents die; each level holds a descriptor open. */
#define DEPTH_MAX 200
/* How much of a list of children is read at once. */
#define CHILDREN_TEXT 1024

struct walk {
	int proc;
	pid_t self;
	pid_t init;		/* our child that adopts orphans as well, or 0 */
	int sig;
	bool (*skip)(pid_t pid, void *arg);
	void *arg;
	void (*each)(void *arg, pid_t pid, int fd); /* in place of a signal, and behind what is below */
	struct sys_found *found;
	size_t n_found, room;
	int count;
	bool times;		/* add up ... */
	uint64_t ticks;		/* ... processor time */
};

static int pidfd_signal(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 ? -errno : 0;
}

/* The state, parent and name of a process. */
struct stat_line {
	char state;
	pid_t ppid;
	char comm[16];
	uint64_t ticks;		/* of processor time, and of the children that it waited for */
};

static uint64_t read_ticks(const char *text)
{
	unsigned long long user, system, user_below, system_below;

	if (sscanf(text, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &user, &system,
		   &user_below, &system_below) != 4)
		return 0;
	return user + system + user_below + system_below;
}

static int read_stat(int proc, pid_t pid, bool times, struct stat_line *ret)
{
	char path[32], text[512];

	snprintf(path, sizeof(path), "%d/stat", pid);
	ssize_t n = fd_read_file(proc, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	/* The name may hold anything, brackets and newlines included: it ends at the last bracket. */
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (open == NULL || close == NULL || close < open ||
	    sscanf(close + 1, " %c %d", &ret->state, &ret->ppid) != 2)
		return -EBADMSG;
	if (times)
		ret->ticks = read_ticks(close + 1);
	*close = 0;
	snprintf(ret->comm, sizeof(ret->comm), "%.15s", open + 1);
	return 0;
}

static void note(struct walk *w, pid_t pid, const char *comm)
{
	w->count++;
	if (w->n_found == w->room)
		return;
	struct sys_found *f = &w->found[w->n_found++];
	f->pid = pid;
	snprintf(f->comm, sizeof(f->comm), "%s", comm);
}

static void visit_children(struct walk *w, pid_t parent, int parent_fd, int depth);

/* A direct child: it stays what it is until we wait for it. */
static void visit_child(struct walk *w, pid_t pid)
{
	struct stat_line st = { .state = '?' };

	if (w->skip != NULL && w->skip(pid, w->arg))
		return;
	if (w->n_found < w->room || w->times)
		read_stat(w->proc, pid, w->times, &st);
	w->ticks += st.ticks;
	if (kill(pid, w->sig) == 0 && st.state != 'Z')
		note(w, pid, st.comm);
	visit_children(w, pid, -1, 1);
}

static void visit_descendant(struct walk *w, pid_t pid, pid_t parent, int parent_fd, int depth)
{
	struct stat_line st = { 0 };
	scoped_fd fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd == -1 || read_stat(w->proc, pid, w->times, &st) < 0)
		return;
	if (w->each != NULL) {
		if (st.ppid != parent || pidfd_signal(parent_fd, 0) < 0)
			return;
		if (depth < DEPTH_MAX)
			visit_children(w, pid, fd, depth + 1);
		w->each(w->arg, pid, fd);
		w->count++;
		return;
	}
	/* Orphaned meanwhile: it is our own child now, or our init's, and the next walk meets it. */
	if (st.ppid != parent && (st.ppid == w->self || st.ppid == w->init)) {
		pidfd_signal(fd, w->sig);
		note(w, pid, st.comm);
		return;
	}
	if (st.ppid != parent || (parent_fd >= 0 && pidfd_signal(parent_fd, 0) < 0))
		return;
	if (pidfd_signal(fd, w->sig) == 0 && st.state != 'Z')
		note(w, pid, st.comm);
	w->ticks += st.ticks;
	if (depth < DEPTH_MAX)
		visit_children(w, pid, fd, depth + 1);
}

static void visit(struct walk *w, pid_t pid, pid_t parent, int parent_fd, int depth)
{
	if (parent == w->self)
		visit_child(w, pid);
	else
		visit_descendant(w, pid, parent, parent_fd, depth);
}

/* Children are listed by the thread that made them: numbers, each with a blank behind it. */
static int visit_thread(struct walk *w, pid_t parent, const char *thread, int parent_fd, int depth)
{
	char path[64], text[CHILDREN_TEXT];
	pid_t pid = 0;

	snprintf(path, sizeof(path), "%d/task/%.20s/children", parent, thread);
	scoped_fd fd = openat(w->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, text, sizeof(text));

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? 0 : -errno;
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else if (pid != 0) {
				visit(w, pid, parent, parent_fd, depth);
				pid = 0;
			}
		}
	}
}

static void visit_children(struct walk *w, pid_t parent, int parent_fd, int depth)
{
	char path[32];
	union {
		struct dirent align;
		char mem[2048];
	} list;

	snprintf(path, sizeof(path), "%d/task", parent);
	scoped_fd dir = openat(w->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return;
	for (;;) {
		long n = syscall(SYS_getdents64, dir, list.mem, sizeof(list.mem));

		if (n <= 0)
			return;
		for (long at = 0; at < n;) {
			struct {
				uint64_t ino;
				int64_t off;
				unsigned short len;
				unsigned char type;
				char name[];
			} *d = (void *)(list.mem + at);

			if (d->name[0] != '.')
				visit_thread(w, parent, d->name, parent_fd, depth);
			at += d->len;
		}
	}
}

int sys_tree_signal(int proc, pid_t self, int sig, bool (*skip)(pid_t pid, void *arg), void *arg,
		    struct sys_found *found, size_t *n_found)
{
	struct walk w = { .proc = proc, .self = self, .sig = sig, .skip = skip, .arg = arg,
			  .found = found, .room = found != NULL ? *n_found : 0 };
	char name[16];

	snprintf(name, sizeof(name), "%d", self);
	int r = visit_thread(&w, self, name, -1, 0);
	if (n_found != NULL)
		*n_found = w.n_found;
	return r < 0 ? r : w.count;
}

uint64_t sys_tree_cpu(int proc, pid_t self)
{
	struct walk w = { .proc = proc, .self = self, .times = true };
	char name[16];

	snprintf(name, sizeof(name), "%d", self);
	visit_thread(&w, self, name, -1, 0);
	return w.ticks * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

int sys_tree_signal_below(int proc, pid_t self, pid_t child, int sig, struct sys_found *found,
			  size_t *n_found)
{
	struct walk w = { .proc = proc, .self = self, .init = child, .sig = sig, .found = found,
			  .room = found != NULL ? *n_found : 0 };

	visit_children(&w, child, -1, 1);
	if (n_found != NULL)
		*n_found = w.n_found;
	return w.count;
}

pid_t sys_pidfd_pid(int proc, int fd)
{
	char path[48], text[512], *at;
	int pid;

	snprintf(path, sizeof(path), "self/fdinfo/%d", fd);
	ssize_t n = fd_read_file(proc, path, text, sizeof(text));
	if (n < 0)
		return (pid_t)n;
	at = strstr(text, "\nPid:");
	if (at == NULL || sscanf(at + 5, "%d", &pid) != 1)
		return -EBADF;
	return pid > 0 ? pid : -ESRCH;
}

/* The parent of ${pid}, which ${fd} holds: held by a descriptor too, in *${ret_fd}.  Its number, or -errno. */
static pid_t parent_of(int proc, pid_t pid, int fd, int *ret_fd)
{
	struct stat_line before, after;

	if (read_stat(proc, pid, false, &before) < 0 || before.ppid <= 0)
		return -ESRCH;
	int parent = (int)syscall(SYS_pidfd_open, before.ppid, 0);
	/* Still its parent behind that, so it was the one that was opened. */
	if (parent == -1 || read_stat(proc, pid, false, &after) < 0 || after.ppid != before.ppid || pidfd_signal(fd, 0) < 0) {
		fd_close(parent);
		return -ESRCH;
	}
	*ret_fd = parent;
	return before.ppid;
}

bool sys_is_below(int proc, pid_t self, int fd)
{
	pid_t pid = sys_pidfd_pid(proc, fd);
	int at = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	for (int depth = 0; pid > 0 && pid != self && depth < 10 * DEPTH_MAX; depth++) {
		int parent = -1;

		pid = parent_of(proc, pid, at, &parent);
		fd_close(at);
		at = parent;
	}
	fd_close(at);
	return pid == self;
}

int sys_branch_each(int proc, int fd, void (*each)(void *arg, pid_t pid, int fd), void *arg)
{
	struct walk w = { .proc = proc, .self = -1, .each = each, .arg = arg };
	pid_t pid = sys_pidfd_pid(proc, fd);

	if (pid < 0)
		return pid;
	visit_children(&w, pid, fd, 1);
	each(arg, pid, fd);
	return w.count + 1;
}
