/* SPDX-License-Identifier: ISC */
/*
 * The control process: one program, five roles (doc/PROCESSES.md).
 *
 *   guard ─► supervisor ─► nursery
 *              ├─ stream reaper ─► task
 *              └─ stream reaper (spare)
 *
 * What the roles say to each other are the structs below: both ends are forks of
 * one image, so there is nothing to encode.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "link.h"
#include "program.h"
#include "sys.h"

/* The descriptors that roles inherit from the one before them; -1: not there. */
struct role {
	int host;	/* guard, supervisor: the library's socket */
	int proc;	/* the directory /proc */
	int signals;	/* sys_signals_open() */
	int cgroup;	/* directory of the handle's cgroup */
	pid_t guard;
	bool once;	/* one stream only: no nursery, no spare */
	int life;	/* reaper: end of file when the supervisor is gone */
	int report;	/* reaper: to the supervisor */
};

/* guard_say_lost(host, why): the host's last message of a handle. */
void guard_say_lost(int host, const char *why);

/* guard_say_why(host, what, err): the same: ${what}, and why not. */
void guard_say_why(int host, const char *what, int err);

/* Each role runs until it ends the process. */
_Noreturn void guard_main(struct role *role);
_Noreturn void supervisor_main(struct role *role, int guard_link);
_Noreturn void nursery_main(const struct role *role, int requests);
_Noreturn void reaper_main(const struct role *role, int spawn, int cgroup);

/*
 * terminal_keep(fd, host_group): the guard remembers the settings of the host's terminal ${fd};
 * terminal_restore(): as they were, if the host's process group is still the one in front.
 */
void terminal_keep(int fd, pid_t host_group);
void terminal_restore(void);
/* terminal_forget(): in the other roles, which have no business with it. */
void terminal_forget(void);

/* ------------------------------------------------ supervisor and nursery --- */

enum nursery_what { NURSERY_MAKE_REAPER = 1, NURSERY_KILL_SLOT };

struct nursery_request {
	enum nursery_what what;
	int slot;	/* cgroup of the stream */
	bool fresh;	/* ... which was killed before and must be made anew */
};

/* The answer to NURSERY_MAKE_REAPER; the socket for the spawn comes with it. */
struct nursery_reply {
	pid_t pid;	/* or -errno */
};

/* --------------------------------------------------- reaper to supervisor --- */

enum report_type {
	REPORT_FAILED = 1,	/* the spawn did not come about; the reaper ends */
	REPORT_STARTED,
	REPORT_STOPPED,
	REPORT_CONTINUED,
	REPORT_EXIT,		/* the leader was reaped, others are left */
	REPORT_GONE		/* the tree is empty; the reaper ends */
};

#define FOUND_MAX 16

struct report {
	enum report_type type;
	pid_t leader;
	int status;		/* EXIT, GONE: wait status; STOPPED: signal */
	uint64_t utime_us, stime_us, maxrss_kb;
	unsigned leftovers;
	uint32_t n_found;
	struct sys_found found[FOUND_MAX];
	bool cgroup_killed;	/* GONE, FAILED: cgroup.kill was used */
	bool kept;		/* GONE: what is left of the tree goes on below the reaper, which does not end */
	int stage, err, index;	/* FAILED */
	char what[80];		/* FAILED: what was wrong with the program, or empty */
	uint32_t n_results;	/* STARTED: that many int64_t follow, one an operation */
};

#define REPORT_MAX (sizeof(struct report) + PROGRAM_OPS_MAX * sizeof(int64_t))

/* --------------------------------------------------- supervisor to reaper --- */

/* Values of sys_command(): COMMAND(what, signal). */
enum command {
	COMMAND_KILL = 1,	/* SIGKILL everything until it is gone */
	COMMAND_LEADER,		/* signal the leader */
	COMMAND_TREE,		/* signal every process once */
	COMMAND_STOP		/* the same, and the leader's end no longer kills the rest: a stop is under way */
};

#define COMMAND(what, sig) ((int)(what) << 8 | (sig))

/* ------------------------------------------------------------- operations --- */

/* What the operations of one request work with. */
struct run {
	const struct program *program;
	const int *fd;			/* the request's descriptors */
	pid_t group;			/* the host's process group */
	int64_t slot[PROGRAM_SLOTS];
	int64_t *result;		/* one an operation */
};

/* The operation that ended a program. */
struct run_error {
	int index;
	int err;
};

/*
 * run_place(run, place, e): run the operations of ${place} in order.  0, or -1 with the
 * first that failed in ${e}.  Only system calls are made: it may run in a process that
 * shares our memory.
 */
int run_place(struct run *run, enum place place, struct run_error *e);

/* ---------------------------------------------------------- kill domains --- */

/*
 * domain_end(role, cgroup_kill, kept, arg): kill every descendant of this process and wait for
 * them until none is left, but for the children for which ${kept} (may be NULL) is true and what is below.
 */
void domain_end(const struct role *role, int cgroup_kill, bool (*kept)(pid_t pid, void *arg), void *arg);

/* Exit status of a supervisor that left reapers of kept trees behind: nothing is to be killed. */
#define EXIT_KEPT 3

/* domain_remove_cgroup(role): remove the handle's cgroup, now that it is empty. */
void domain_remove_cgroup(const struct role *role);

#endif
