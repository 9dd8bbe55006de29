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

/* The first number behind everybody's ranges in /etc/subuid or /etc/subgid. */
static unsigned behind(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	unsigned first, count, free_from = 100000;
	size_t room = 0;

	while (f != NULL && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%*[^:]:%u:%u", &first, &count) == 2 && first + count > free_from)
			free_from = first + count;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return free_from;
}

void doctor_ids(struct doctor *d)
{
	const carrel_fact *needs = doctor_found(d, d->root ? "container" : "rootless");
	const carrel_spec s = { .size = sizeof(s), .behaviour = d->root ? "container" : "rootless", .subids = 1,
				.argv = CARREL_ARGV("doctor"), .path = "/", .in.kind = CARREL_NULL,
				.out.kind = CARREL_NULL, .err.kind = CARREL_NULL };
	struct subids ids;
	carrel_error e = { 0 };
	carrel_fact *f = doctor_fact(d, "id-ranges");

	if (needs == NULL || needs->state != CARREL_FACT_OK) {
		fact_set(f, CARREL_FACT_LIMITED, "one id only; ranges take %s", s.behaviour);
		return;
	}
	f->err = trial_spec(d, &s, &e);
	if (f->err == 0 && subid_look(d->root, &ids, &e) == 0) {
		fact_set(f, CARREL_FACT_OK, "%u ids of /etc/subuid, for --subids", ids.uids.count);
		return;
	}
	fact_set(f, CARREL_FACT_LIMITED, "one id only; %s", trial_reason(&e));
	if (!d->root && reason_no_new_privs()) {
		fact_set(f, CARREL_FACT_LIMITED, "one id only: no_new_privs is set for good, so newuidmap has no rights");
	} else if (!d->root && (access("/usr/bin/newuidmap", X_OK) == -1 && access("/usr/local/bin/newuidmap", X_OK) == -1)) {
		fact_remedy(f, "apt-get install uidmap   (elsewhere: shadow-utils)");
	} else if (subid_look(d->root, &ids, &e) < 0) {
		const unsigned users = behind("/etc/subuid"), groups = behind("/etc/subgid");

		/* By number, which needs no entry in the password file. */
		fact_remedy(f, "echo %u:%u:65536 | tee -a /etc/subuid /etc/subgid", (unsigned)getuid(),
			    users > groups ? users : groups);
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
	proc(d);
	terminals(d);
	pipes(d);
	limit(d, "open-files", RLIMIT_NOFILE, 256, "n");
	limit(d, "processes", RLIMIT_NPROC, 64, "u");
}
