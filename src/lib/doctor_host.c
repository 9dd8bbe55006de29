/* SPDX-License-Identifier: ISC */
/* What the surroundings grant: ids, /proc, terminals, pipes and limits. */
#include "doctor.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --------------------------------------------------------------------- ids --- */

#define UNUSED "(carrel does not use it by itself)"

struct range {
	unsigned first, count, free; /* ${free}: behind everybody's ranges */
	bool ours;
};

/* What a file such as /etc/subuid gives us, by number or by name. */
static struct range subordinate(const char *path)
{
	struct range r = { .free = 100000 };
	FILE *f = fopen(path, "re");
	char *line = NULL, number[16], name[64];
	const char *login = getenv("USER");
	size_t room = 0;

	snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	while (f != NULL && getline(&line, &room, f) > 0) {
		unsigned first, count;

		if (sscanf(line, "%63[^:]:%u:%u", name, &first, &count) != 3)
			continue;
		if (first + count > r.free)
			r.free = first + count;
		if (!r.ours && (strcmp(name, number) == 0 || (login != NULL && strcmp(name, login) == 0))) {
			r.ours = true;
			r.first = first;
			r.count = count;
		}
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return r;
}

/* The program maps ids of a process that waits in a new user namespace.  0, or -1 with ${why} filled. */
static int try_map(struct doctor *d, const char *program, const struct range *r, char *why, size_t size)
{
	static const char text[] = "outside clone([clone_newuser]) slot 1\n"
				   "task setsid()\n"
				   "task dup_fds([{0, {fd, stdin}}, {1, {fd, stdout}}, {2, {fd, stderr}}])\n"
				   "task exec(\"/bin/sh\", [\"sh\", \"-c\", \"read x\"], env, \"\")\n";
	const carrel_spec waits = { .size = sizeof(waits), .ops = text, .in.kind = CARREL_PIPE, .out.kind = CARREL_NULL,
				    .err.kind = CARREL_NULL };
	char pid[16], own[16], first[16], count[16];
	carrel_result result = { 0 };
	carrel_error e = { 0 };

	carrel_proc *p = d->c != NULL ? carrel_spawn(d->c, &waits, &e) : NULL;
	if (p == NULL) {
		snprintf(why, size, "%s", d->c != NULL ? carrel_strerror(&e) : "no control process");
		return -1;
	}
	snprintf(pid, sizeof(pid), "%d", (int)carrel_pid(p));
	snprintf(own, sizeof(own), "%u", (unsigned)geteuid());
	snprintf(first, sizeof(first), "%u", r->first);
	snprintf(count, sizeof(count), "%u", r->count);
	const carrel_spec maps = { .size = sizeof(maps), .argv = CARREL_ARGV(program, pid, "0", own, "1", "1", first, count),
				   .allow_setuid = 1, .max_output = 200, .timeout_ms = 10000 };
	int ran = carrel_run(d->c, &maps, &result, &e);
	int status = ran == 0 && result.status.exited && result.status.code == 0 ? 0 : -1;
	if (status != 0)
		snprintf(why, size, "%.*s", ran == 0 ? (int)strcspn(result.err, "\n") : (int)strlen(e.msg),
			 ran == 0 ? result.err : e.msg);
	carrel_result_free(&result);
	carrel_release(p);
	return status;
}

static void id_ranges(struct doctor *d)
{
	static const char program[] = "/usr/bin/newuidmap";
	carrel_fact *f = doctor_fact(d, "id-ranges");
	char why[160];

	if (d->root) {
		const uint64_t ids = reason_ids("uid_map");

		fact_set(f, ids > 1 ? CARREL_FACT_OK : CARREL_FACT_LIMITED, ids == UINT32_MAX ? "all ids" :
			 "%llu of the user namespace around carrel", (unsigned long long)ids);
		return;
	}
	struct range users = subordinate("/etc/subuid"), groups = subordinate("/etc/subgid");
	const unsigned first = users.free > groups.free ? users.free : groups.free;
	if (reason_no_new_privs()) {
		fact_set(f, CARREL_FACT_LIMITED, "one id only: no_new_privs is set for good, so newuidmap has no rights " UNUSED);
	} else if (access(program, X_OK) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_LIMITED, "one id only: newuidmap is not installed " UNUSED);
		fact_remedy(f, "apt-get install uidmap   (elsewhere: shadow-utils)");
	} else if (!users.ours || !groups.ours) {
		f->err = ENOENT;
		fact_set(f, CARREL_FACT_LIMITED, "one id only: no range in %s " UNUSED,
			 users.ours ? "/etc/subgid" : "/etc/subuid");
		fact_remedy(f, "echo %u:%u:65536 | tee -a %s%s", (unsigned)geteuid(), first, users.ours ? "" : "/etc/subuid ",
			    groups.ours ? "" : "/etc/subgid");
	} else if (try_map(d, program, &users, why, sizeof(why)) == 0) {
		fact_set(f, CARREL_FACT_OK, "%u ids from %u, by newuidmap " UNUSED, users.count, users.first);
	} else {
		f->err = EPERM;
		fact_set(f, CARREL_FACT_LIMITED, "one id only: %.100s " UNUSED, why);
	}
}

/* ------------------------------------------------------------------- /proc --- */

static void proc(struct doctor *d)
{
	char path[64];
	carrel_fact *f = doctor_fact(d, "proc");

	f->needed = 1;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	if (access("/proc/self/stat", R_OK) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_NO, "/proc is not mounted");
		fact_remedy(f, "mount -t proc proc /proc");
	} else if (access(path, R_OK) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_LIMITED, "no list of children (CONFIG_PROC_CHILDREN): trees are found more slowly");
	} else if (access("/proc/1", F_OK) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_LIMITED, "other users' processes are hidden, tasks' with --uid included");
		fact_remedy(f, "mount -o remount,hidepid=0 /proc");
	} else {
		fact_set(f, CARREL_FACT_OK, "processes and their children");
	}
}

/* --------------------------------------------------------- terminals, pipes --- */

static void terminals(struct doctor *d)
{
	const carrel_spec s = { .size = sizeof(s) };
	carrel_fact *f = doctor_fact(d, "terminals");
	int master = -1, slave = -1;
	int r = terminal_open(&s, &master, &slave);

	fd_close(master);
	fd_close(slave);
	if (r >= 0) {
		fact_set(f, CARREL_FACT_OK, "pseudo-terminals, for --pty");
		return;
	}
	f->err = -r;
	fact_set(f, CARREL_FACT_NO, "no pseudo-terminal: %s", strerror(-r));
	if (r == -ENOSPC)
		fact_remedy(f, "sysctl -w kernel.pty.max=8192");
	else if (access("/dev/ptmx", F_OK) == -1 || access("/dev/pts", F_OK) == -1)
		fact_remedy(f, "mkdir -p /dev/pts && mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && "
			       "ln -sf pts/ptmx /dev/ptmx");
}

/* What a pipe has by default; a user with too many gets one or two pages. */
#define PIPE_WHOLE 65536

static void pipes(struct doctor *d)
{
	carrel_fact *f = doctor_fact(d, "pipes");
	char soft[32] = "?";
	int fd[2], size = -1;

	if (pipe2(fd, O_CLOEXEC) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_NO, "%s", strerror(f->err));
		return;
	}
#ifdef F_GETPIPE_SZ
	size = fcntl(fd[0], F_GETPIPE_SZ);
#endif
	close(fd[0]);
	close(fd[1]);
	fd_read_file(AT_FDCWD, "/proc/sys/fs/pipe-user-pages-soft", soft, sizeof(soft));
	soft[strcspn(soft, "\n")] = 0;
	if (size < 0)
		fact_set(f, CARREL_FACT_OK, "pipes");
	else if (size >= PIPE_WHOLE)
		fact_set(f, CARREL_FACT_OK, "%d bytes each; %s pages for all of a user (root: no limit)", size, soft);
	else {
		fact_set(f, CARREL_FACT_LIMITED, "%d bytes each: this user's pipes use up fs.pipe-user-pages-soft=%s", size, soft);
		fact_remedy(f, "sysctl -w fs.pipe-user-pages-soft=%lu", strtoul(soft, NULL, 10) * 4);
	}
}

/* ------------------------------------------------------------------ limits --- */

static const char *amount(rlim_t n, char text[24])
{
	if (n == RLIM_INFINITY)
		return "unlimited";
	snprintf(text, 24, "%llu", (unsigned long long)n);
	return text;
}

static void limit(struct doctor *d, const char *name, int what, rlim_t enough, const char *option)
{
	carrel_fact *f = doctor_fact(d, name);
	struct rlimit l = { 0 };
	char soft[24], hard[24];

	if (getrlimit((RLIMIT_WHAT)what, &l) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_NO, "%s", strerror(f->err));
		return;
	}
	const bool few = l.rlim_cur < enough;
	fact_set(f, few ? CARREL_FACT_LIMITED : CARREL_FACT_OK, "%s, hard limit %s%s", amount(l.rlim_cur, soft),
		 amount(l.rlim_max, hard), few ? ": few for more than one command" : "");
	if (few)
		fact_remedy(f, "ulimit -%s%s %s", l.rlim_max < enough ? "H" : "S", option,
			    l.rlim_max < enough ? "1024" : amount(l.rlim_max, hard));
}

void doctor_host(struct doctor *d)
{
	id_ranges(d);
	proc(d);
	terminals(d);
	pipes(d);
	limit(d, "open-files", RLIMIT_NOFILE, 256, "n");
	limit(d, "processes", RLIMIT_NPROC, 64, "u");
}
