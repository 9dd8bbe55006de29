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

struct rusage;

/* The descriptors that roles inherit from the one before them; -1: not there. */
struct role {
	int host;	/* guard, supervisor: the library's socket */
	int proc;	/* the directory /proc */
	int signals;	/* sys_signals_open() */
	bool want_cgroup;
	int cgroup;	/* directory of the handle's cgroup; once: the guard hands it on when it has it */
	pid_t guard;
	bool once;	/* one stream only: no nursery, no spare */
	int life;	/* reaper: end of file when the supervisor is gone */
	int report;	/* reaper: to the supervisor */
};

/* guard_say_why(host, what, err): the host's last message of a handle: ${what}, and why not. */
void guard_say_why(int host, const char *what, int err);

/* Each role runs until it ends the process; the init is in isolate.h. */
_Noreturn void guard_main(struct role *role);
_Noreturn void supervisor_main(struct role *role, int guard_link);
_Noreturn void nursery_main(const struct role *role, int requests);
_Noreturn void reaper_main(const struct role *role, int spawn, int cgroup);

/*
 * A handle for one spawn: its guard makes the cgroup while the others begin.  hand_on(to, fd): it goes from the guard
 * to the supervisor, and from there to the reaper: the directory and its cgroup.kill, or {-1, -1}.
 * take_over(from, fd): 0, or -errno; -EPIPE: nobody is there any more.
 */
int hand_on(int to, const int fd[2]);
int take_over(int from, int fd[2]);

/*
 * terminal_keep(fd, host_group): the guard remembers the settings of the host's terminal ${fd};
 * terminal_restore(): as they were, if the host's process group is still the one in front.
 */
void terminal_keep(int fd, pid_t host_group);
void terminal_restore(void);
/* terminal_forget(): in the other roles, which have no business with it. */
void terminal_forget(void);

/* ------------------------------------------------ supervisor and nursery --- */

enum nursery_what { NURSERY_MAKE_REAPER = 1, NURSERY_KILL_SLOT, NURSERY_DISCARD };

struct nursery_request {
	enum nursery_what what;
	int slot;	/* cgroup of the stream */
	bool fresh;	/* ... which was killed before and must be made anew */
	pid_t reaper;	/* NURSERY_DISCARD: whose cgroups are to go */
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
	REPORT_GONE,		/* the tree is empty; the reaper ends */
	REPORT_ORPHAN,		/* of a stream that serves: a process that had lost its parent, leader, has status */
	REPORT_TASK,		/* init to reaper, from the task itself: the kernel says who that is */
	REPORT_RECORD,		/* text follows: what the kernel says */
	REPORT_LIMIT,		/* status: which limit was met (enum limit) */
	REPORT_FROZEN		/* status: 0, or an errno */
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
	bool lost;		/* GONE: somebody killed the init, and so the tree */
	int stage, err, index;	/* FAILED */
	char what[104];		/* FAILED: what was wrong with the program, what forbids namespaces, or empty */
	bool groups_left;	/* GONE, FAILED: it could not remove its cgroups */
	bool oom;		/* GONE: memory was at its limit, and something was killed for it */
	uint32_t n_results;	/* STARTED, FAILED: that many int64_t follow, one an operation */
	uint32_t n_text;	/* RECORD: that many bytes follow: names and values, a NUL behind each */
};

#define REPORT_MAX (sizeof(struct report) + PROGRAM_OPS_MAX * sizeof(int64_t))
#define RECORD_MAX ((size_t)8192)

/* --------------------------------------------------- supervisor to reaper --- */

/* Values of sys_command(): COMMAND(what, signal). */
enum command {
	COMMAND_KILL = 1,	/* SIGKILL everything until it is gone */
	COMMAND_LEADER,		/* signal the leader */
	COMMAND_TREE,		/* signal every process once */
	COMMAND_STOP,		/* the same, and the leader's end no longer kills the rest: a stop is under way */
	COMMAND_FREEZE,
	COMMAND_THAW
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
	/* The operation clone: the new process's pid, or -errno. */
	int64_t (*clone)(void *arg, uint64_t namespaces);
	void *clone_arg;
	/* Those that limit the tree as a whole. */
	int64_t (*limit)(void *arg, enum call_number call, const struct arg *a);
	void *limit_arg;
	int proc;			/* /proc, for the operation serve */
	bool *serves;			/* ... which says here that it began */
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

/* What is being started; in memory that everybody who takes part shares. */
struct task {
	struct run run;
	struct run_error error;
	bool begun;
	bool serves;
	bool failed;
	bool looked_at;		/* the init is not to wait for it before it was told to go on */
	int init;		/* socket to say REPORT_TASK to, or -1 */
	const struct sys_group *group;	/* cgroups to go into first, or NULL */
	int refused;		/* ... which was refused with this errno */
	int64_t result[PROGRAM_OPS_MAX];
};

/* task_start(t, cgroup): make the task and wait until it has become a command, or failed; sys_start(). */
pid_t task_start(struct task *t, int cgroup);

/* task_forget(): give back what starting it took. */
void task_forget(void);

/* note_usage(r, ru): what somebody who was waited for has used. */
void note_usage(struct report *r, const struct rusage *ru);

/* ---------------------------------------------------------- kill domains --- */

/*
 * domain_reap(flags, seen, arg): wait for every child that has ended, or of which ${flags} of wait4(2) want to
 * know; ${seen} (may be NULL) is told.  True while children are left.
 */
bool domain_reap(int flags, void (*seen)(void *arg, pid_t pid, int status, const struct rusage *ru), void *arg);

/*
 * domain_end(role, cgroup_kill, kept, arg): kill every descendant of this process and wait for
 * them until none is left, but for the children for which ${kept} (may be NULL) is true and what is below.
 */
void domain_end(const struct role *role, int cgroup_kill, bool (*kept)(pid_t pid, void *arg), void *arg);

/* Exit status of a supervisor, bits: it left reapers of kept trees behind, so that nothing is to be killed; a reaper
 * was killed and may have left cgroups. */
#define EXIT_KEPT 16
#define EXIT_GROUPS 32

/* domain_remove_cgroup(role): remove the handle's cgroup, now that it is empty. */
void domain_remove_cgroup(const struct role *role);

#endif
