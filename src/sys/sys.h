/* SPDX-License-Identifier: ISC */
/*
 * What differs from kernel to kernel, behind one header.  A port to another
 * system implements every function here in a folder of its own (linux/,
 * freebsd/, openbsd/) or takes it from posix/; nothing above this floor has an
 * #ifdef for a system.
 *
 * Functions return >= 0 or -errno.  There is no protocol and no policy here.
 */
#ifndef SYS_SYS_H
#define SYS_SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* ---------------------------------------------------------- datagrams --- */

/* sys_socketpair(fd): two connected, close-on-exec sockets that keep datagrams apart and in order. */
int sys_socketpair(int fd[2]);

/* sys_send(fd, iov, n_iov, fds, n_fds, wait): one datagram with descriptors.  Never raises SIGPIPE.
 * -EAGAIN when ${wait} is false and the peer's queue is full. */
int sys_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds, bool wait);

/*
 * sys_recv(fd, mem, cap, fds, n_fds, sender, wait): one datagram; its length, 0 at the end of
 * the connection.  *${n_fds} is the room in ${fds} and becomes what came, close-on-exec; ${sender}
 * (may be NULL) is the kernel's word for the sender's pid, 0 if unknown.  -EMSGSIZE: it was
 * longer than ${cap}; -EMFILE: not all descriptors could be taken.  Both consume it.
 */
ssize_t sys_recv(int fd, void *mem, size_t cap, int *fds, size_t *n_fds, pid_t *sender, bool wait);

/* sys_want_sender(fd): have sys_recv() tell the sender. */
int sys_want_sender(int fd);

/* sys_sealed_create(iov, n): a descriptor on a memory file with these bytes that nobody can change. */
int sys_sealed_create(const struct iovec *iov, size_t n);

/* sys_sealed_map(fd, len, ret): map ${len} bytes of a received memory file, which must be sealed. */
int sys_sealed_map(int fd, size_t len, void **ret);

/* ------------------------------------------------------------ signals --- */

/* One signal that was taken from a signal source. */
struct sys_signal {
	int sig;
	int value;	/* of sys_command() */
	pid_t sender;
};

/*
 * sys_signals_open(): block every signal of this process and open a descriptor that
 * polls readable while SIGCHLD, SIGTERM, SIGHUP, SIGINT or a command is pending.
 */
int sys_signals_open(void);

/* sys_signals_read(fd, ret): the next pending signal: 1, or 0 when there is none. */
int sys_signals_read(int fd, struct sys_signal *ret);

/* sys_command(pid, value): queue ${value} for the signal source of our own child ${pid}. */
int sys_command(pid_t pid, int value);

/* sys_is_command(s): the signal came from sys_command() of the parent. */
bool sys_is_command(const struct sys_signal *s);

/* sys_signals_reset(ignored, n): nothing blocked and all dispositions default but the ${n} signals in
 * ${ignored}, which are ignored.  Only system calls: may run in a child that shares our memory. */
int sys_signals_reset(const uint32_t *ignored, size_t n);

/* sys_sigaction(sig, new, old): sigaction(2) for every signal that the kernel has, also those that libc keeps for
 * itself (with musl the first real-time signal is one).  A handler for one of these runs with every signal blocked,
 * and SIGCHLD must have a handler before.  0 or -errno. */
int sys_sigaction(int sig, const struct sigaction *new, struct sigaction *old);

/* sys_signals_block(old), sys_signals_mask(mask): block every signal, those of libc included, and set the mask. */
void sys_signals_block(sigset_t *old);
void sys_signals_mask(const sigset_t *mask);

/* ---------------------------------------------------------- processes --- */

/* sys_peer_open(fd): a descriptor that polls readable once the process that made the socket ${fd}'s
 * connection has ended, or -errno. */
int sys_peer_open(int fd);

/* sys_become(name): the name that ps(1) shows for this process. */
void sys_become(const char *name);

/* sys_subreaper(): orphans among our descendants become our children. */
int sys_subreaper(void);

/* sys_show_as(argv): the command line that ps(1) shows for this process.  What was ours goes, and so do the
 * strings of the environment: for a process that needs neither. */
void sys_show_as(const char *const *argv);

/*
 * sys_mark_create(ret): a word that is 1 in this process and 0 in every copy that fork(2) makes of it, which
 * costs nothing to look at.  0, or a negative errno where the kernel has no such memory.
 */
int sys_mark_create(const int **ret);

/* sys_mark_destroy(mark): NULL is allowed. */
void sys_mark_destroy(const int *mark);

/* sys_fork_sibling(): fork(2) a child of our own parent. */
pid_t sys_fork_sibling(void);

/* sys_fork_clean(): fork(2), with signal handlers gone as after exec, and no SIGCHLD at the child's end: only
 * __WALL waits see it.  For programs with one thread. */
pid_t sys_fork_clean(void);

/*
 * sys_fork(flags): fork(2), with ${flags} of the system's own (clone's namespaces).  -EINVAL for those that
 * would have the child share memory, descriptors or its parent with us, and where there are none.
 */
pid_t sys_fork(int64_t flags);

/*
 * sys_fork_low(flags, keep, tell, hear): the same, but the child gets no copy of descriptors from the number ${keep}
 * on, which saves the time that thousands of them take.  The caller waits until the child has let go of them:
 * it says so on ${tell} (below ${keep}), whose other end is ${hear}.
 */
pid_t sys_fork_low(int64_t flags, int keep, int tell, int hear);

/* How sys_start() makes a process. */
struct sys_start {
	int (*run)(void *arg);	/* in the new process; what it returns is the exit status */
	void *arg;
	int cgroup;		/* directory of the cgroup to begin in, or -1 */
	bool silent;		/* no SIGCHLD at its end, and only __WALL waits see it */
	void *stack;		/* of SYS_START_STACK bytes, aligned as stacks are, or NULL: one is made */
};

#define SYS_START_STACK (64 * 1024)

/* sys_start_shares(): the new process shares our memory until it executes, so that it needs no other to tell. */
bool sys_start_shares(void);

/*
 * sys_start(s): run ${s->run} in a new process and return its pid when it has executed
 * a program or ended.  Until then the caller's thread does not run, and the new process
 * shares its memory where the kernel allows it: ${run} may only make system calls.
 */
pid_t sys_start(const struct sys_start *s);

/* What sys_tree_signal() found on its way. */
struct sys_found {
	pid_t pid;
	char comm[16];
};

/*
 * sys_tree_signal(proc, self, sig, skip, arg, found, n_found): send ${sig} to every
 * descendant of the calling process ${self}, children of killed ones included, as it reads
 * the tree from the directory ${proc} (/proc).  Direct children for which ${skip} (may be
 * NULL) is true are left alone with everything below them.  A process is signalled only
 * while it is proven to be a descendant: our unreaped children by number, the others by
 * pidfd.  Up to *${n_found} of them are described in ${found} (may be NULL); *${n_found} becomes how
 * many.  The number of processes signalled, or -errno when the tree cannot be read.
 */
int sys_tree_signal(int proc, pid_t self, int sig, bool (*skip)(pid_t pid, void *arg), void *arg,
		    struct sys_found *found, size_t *n_found);

/*
 * sys_tree_signal_below(proc, self, child, sig, found, n_found): the same for what is below our direct
 * child ${child}, but not for itself.
 */
int sys_tree_signal_below(int proc, pid_t self, pid_t child, int sig, struct sys_found *found,
			  size_t *n_found);

/*
 * sys_tree_cpu(proc, self): processor time in microseconds of every descendant of the calling process ${self} and of
 * the children that those waited for; as exact as /proc is (10 ms a process).
 */
uint64_t sys_tree_cpu(int proc, pid_t self);

/* What a process may use, as the kernel says. */
#define SYS_RLIMITS 24
struct sys_process {
	int n_limits;
	uint64_t limit[SYS_RLIMITS][2];	/* soft and hard */
	int priority;			/* nice value */
	int io_class, io_level;
	bool ended;			/* it waits to be waited for */
};

/* sys_process_look(pid, ret): that of our child, or below, ${pid}, which was not waited for.  0 or -errno. */
int sys_process_look(pid_t pid, struct sys_process *ret);

/* sys_pidfd_pid(proc, fd): the process that the descriptor ${fd} holds; -ESRCH once it was waited for, -EBADF when
 * it holds none.  ${proc} is /proc. */
pid_t sys_pidfd_pid(int proc, int fd);

/* sys_is_below(proc, self, fd): the process that ${fd} holds is a descendant of the calling process ${self}. */
bool sys_is_below(int proc, pid_t self, int fd);

/*
 * sys_branch_each(proc, fd, each, arg): call ${each} for all descendants of the process that ${fd} holds, each before
 * its parent and held by a descriptor, and for itself at last.  How many there were, or -errno.
 */
int sys_branch_each(int proc, int fd, void (*each)(void *arg, pid_t pid, int fd), void *arg);

/* sys_pidfd(pid): a descriptor for our own child, which we did not wait for yet. */
int sys_pidfd(pid_t pid);

/* sys_pidfd_status(fd, ret): how the process that ${fd} holds has ended, as wait(2) says it, once somebody has waited for
 * it.  0; -ENOTSUP where the kernel does not say it; -EAGAIN. */
int sys_pidfd_status(int fd, int *ret);

/* sys_pidfd_signal(fd, sig): signal that process; -ESRCH once it was waited for. */
int sys_pidfd_signal(int fd, int sig);

/* ----------------------------------------------------------- isolating --- */

/* sys_fork_isolated(namespaces, cgroup): fork(2) into new namespaces (CLONE_NEW...) and, unless it is -1,
 * the cgroup of that directory. */
pid_t sys_fork_isolated(uint64_t namespaces, int cgroup);

/* sys_namespaces_have_users(namespaces): a user namespace is among them. */
bool sys_namespaces_have_users(uint64_t namespaces);

/*
 * sys_namespaces_forbidden(proc, namespaces, err, made): what on this machine forbids these namespaces, as
 * ${err} says: such as "user.max_user_namespaces=0"; NULL when it is something else.  ${made}: they could be
 * made, and then something in them failed with ${err}.
 */
const char *sys_namespaces_forbidden(int proc, uint64_t namespaces, int err, bool made);

/* sys_parent_death(): SIGKILL for this process when its parent ends.  A change of identity undoes it. */
int sys_parent_death(void);

/* sys_close_all_but(keep, n): close every descriptor but these, which are sorted then; negative ones are none. */
void sys_close_all_but(int *keep, size_t n);

/* ------------------------------------------------------------ readiness --- */

/* A descriptor and its events in the terms of poll(2). */
struct sys_ready {
	int fd;
	short events;
};

/*
 * sys_watch_open(): a set of descriptors that the kernel watches; it polls readable when one of them is
 * ready.  -ENOSYS where there is no such thing.  A forked process must close it at once, and use it for nothing.
 */
int sys_watch_open(void);

/* sys_watch_add(set, fd, events), sys_watch_change(...), sys_watch_remove(set, fd): before ${fd} is closed it must
 * be removed. */
int sys_watch_add(int set, int fd, short events);
int sys_watch_change(int set, int fd, short events);
int sys_watch_remove(int set, int fd);

/* sys_watch_take(set, ready, n): up to ${n} descriptors that are ready now; how many, or -errno. */
int sys_watch_take(int set, struct sys_ready *ready, int n);

/* --------------------------------------------------------- restricting --- */

/* sys_hide(): nobody but root may look into this process's memory and descriptors. */
int sys_hide(void);

/* sys_no_capabilities(): give up all of them. */
int sys_no_capabilities(void);

/*
 * sys_lock(): what a control process does when it needs nothing more than to watch,
 * signal and wait: keep no capability but the one to signal, take every system call
 * away but those, no program, socket, new process or file opened for writing, and let
 * nobody look into its memory.  ${cgroup}: the directory of a cgroup that it must remove at the
 * end, or -1; where the directory above can only be written with CAP_DAC_OVERRIDE (the root
 * of the hierarchy is 0555), that is kept too.
 */
int sys_lock(int cgroup);

/* sys_capabilities(): those that this thread is permitted, one bit each. */
uint64_t sys_capabilities(void);

/* sys_filter_ports(): for this process and what it starts, refuse the ways to TCP that Landlock's rules for ports do
 * not cover. */
int sys_filter_ports(void);

/* sys_landlock_abi(): the kernel's Landlock ABI, 0 without it. */
int sys_landlock_abi(void);

/* sys_landlock_scope(scope): LANDLOCK_SCOPE_* for this process and what it starts. */
int sys_landlock_scope(uint64_t scope);

/* -------------------------------------------------------------- cgroup --- */

/*
 * sys_cgroup_create(pid): a cgroup of our own for the handle whose first process is
 * ${pid}: its directory descriptor, or -errno when this system or user cannot have one that
 * kills.
 */
int sys_cgroup_create(pid_t pid);

/*
 * sys_cgroup_child(dir, slot, fresh): the directory of child ${slot} of ${dir}, made when it is not
 * there, or anew when ${fresh}: in a cgroup that was killed once, recent kernels (seen on 6.18)
 * kill whatever begins there by clone3(2), as if it had been there at the time.
 */
int sys_cgroup_child(int dir, int slot, bool fresh);

/* sys_cgroup_join(dir, pid): move the process ${pid}, 0 for ourselves, into the cgroup ${dir}.  System calls only. */
int sys_cgroup_join(int dir, pid_t pid);

/* sys_cgroup_kill_fd(dir): a descriptor for sys_cgroup_kill(). */
int sys_cgroup_kill_fd(int dir);

/* sys_cgroup_kill(kill_fd): SIGKILL for everything in the cgroup and below. */
int sys_cgroup_kill(int kill_fd);

/* sys_cgroup_remove(dir, pid): remove the empty cgroup ${dir} that sys_cgroup_create(${pid}) made, with
 * its children.  -EBUSY while something is left in it. */
int sys_cgroup_remove(int dir, pid_t pid);

/* sys_cgroup_discard(pid): the same for a caller who only knows that ${pid} was in its own cgroup.
 * -ENOENT when there is none. */
int sys_cgroup_discard(pid_t pid);

/* -------------------------------------------------------------- limits --- */

/* What a cgroup can limit or count. */
enum sys_controller { SYS_MEMORY, SYS_PIDS, SYS_CPU, SYS_IO, SYS_CPUACCT, SYS_FREEZER, SYS_CONTROLLERS };

/*
 * The cgroups of one stream that hold its limits and count what it uses: one of v2, those of v1 hierarchies for
 * the controllers that live there, or both.  Each is carrel-GUARD/rSTREAM in or beside the caller's own cgroup,
 * which nobody is moved out of.
 */
struct sys_group {
	pid_t guard, stream;	/* name them */
	int handle;		/* the handle's cgroup v2, not ours; or -1 */
	int v2;			/* directory, or -1 */
	int v2_outer;		/* the one around it where that is not the handle's, or -1 */
	uint32_t v2_has;	/* controllers: bits */
	int v1[SYS_CONTROLLERS], v1_outer[SYS_CONTROLLERS];	/* directories, or -1 */
	int enter[SYS_CONTROLLERS];	/* cgroup.procs of the v1 ones, until the task is in them; or -1 */
};

/* What it has used, and which limits it met. */
struct sys_usage {
	bool has_memory, has_pids, has_cpu, has_events;
	uint64_t memory_peak;	/* bytes */
	uint64_t pids_peak;
	uint64_t user_us, system_us;
	uint64_t oom_kills;	/* processes killed because memory was at its limit */
	uint64_t pids_refused;	/* new processes refused because of theirs */
	uint64_t throttled_us;	/* time that it waited for processor time that it had used up */
};

/* sys_group_init(g, guard, stream, handle): nothing is made yet. */
void sys_group_init(struct sys_group *g, pid_t guard, pid_t stream, int handle);

/*
 * sys_group_need(g, c, ret_why): make the cgroup that has the controller ${c}, if there is none yet.  0, or -errno
 * with a sentence about what forbids it and what would allow it.
 */
int sys_group_need(struct sys_group *g, enum sys_controller c, const char **ret_why);

/* sys_group_count(g, all): have processor time counted, or all that can be, where that is to be had. */
void sys_group_count(struct sys_group *g, bool all);

/* sys_group_set(g, c, file, value): write ${value} into the file of a controller that is there: the name in v2 or
 * v1.  0 or -errno. */
int sys_group_set(const struct sys_group *g, enum sys_controller c, const char *v2_file, const char *v1_file,
		  const char *value);

/* sys_group_get(g, c, v2_file, v1_file, mem, cap): what such a file says: its name, a blank, its first line. */
int sys_group_get(const struct sys_group *g, enum sys_controller c, const char *v2_file, const char *v1_file,
		  char *mem, size_t cap);

/* sys_group_is_v2(g, c): the controller is in the cgroup v2. */
bool sys_group_is_v2(const struct sys_group *g, enum sys_controller c);

/* sys_group_enter(g): the caller goes into the v1 ones.  Only system calls.  Into v2 a process is born. */
int sys_group_enter(const struct sys_group *g);

/* sys_group_add(g, pid): the same for our child ${pid}. */
int sys_group_add(const struct sys_group *g, pid_t pid);

/* sys_group_entered(g): nobody else will go in. */
void sys_group_entered(struct sys_group *g);

/* sys_group_usage(g, ret): what it has used until now. */
void sys_group_usage(const struct sys_group *g, struct sys_usage *ret);

/* sys_group_watch(g, c): a descriptor on which poll(2) says POLLPRI or POLLIN once a limit (SYS_MEMORY, SYS_PIDS) was
 * met after this; before sys_lock().  -errno where that cannot be had. */
int sys_group_watch(const struct sys_group *g, enum sys_controller c);

/* sys_group_watch_again(g, c, fd): it was ready, and shall be when a limit is met again: the descriptor in its place,
 * or -errno.  After sys_lock() too. */
int sys_group_watch_again(const struct sys_group *g, enum sys_controller c, int fd);

/* sys_group_remove(g): remove them; nobody is in them any more.  0, or -EBUSY: try again. */
int sys_group_remove(struct sys_group *g);

/* sys_group_discard(guard, stream): remove what was left by the stream of the handle of ${guard}, or (0) by all of
 * them, in every hierarchy.  0, or -EBUSY while somebody is still in one. */
int sys_group_discard(pid_t guard, pid_t stream);

/* sys_group_needs_scope(): the cgroup v2 around us has controllers, and only a service manager may divide it. */
bool sys_group_needs_scope(void);

/* sys_group_make_room(): the caller is alone in a cgroup v2 that is its own: it goes into one below, so that its own
 * can be divided.  0 or -errno. */
int sys_group_make_room(void);

/*
 * sys_freeze_open(g, dir, ret_v1): a descriptor for sys_freeze(): of the cgroup v2 ${dir}, or (-1: there is none) of
 * the v1 freezer of ${g}; *${ret_v1} says which.  -EOPNOTSUPP where there is neither.
 */
int sys_freeze_open(const struct sys_group *g, int dir, bool *ret_v1);

/* sys_freeze(fd, v1, on): freeze everything in the cgroup, or thaw it; it may take a moment. */
int sys_freeze(int fd, bool v1, bool on);

/* sys_frozen(g, dir, v1): 1 when everything in it is frozen, 0, or -errno. */
int sys_frozen(const struct sys_group *g, int dir, bool v1);

#endif
