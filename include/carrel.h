/* SPDX-License-Identifier: ISC */
/*
 * carrel.h - run other people's programs so that they are reaped, restricted
 * and isolated while their standard I/O streams without loss.
 *
 * One `carrel` is a handle on one small control process; one `carrel_proc` is
 * one process tree (a command and everything that it starts).  Events are
 * pulled: what is not read is not read for you, and the kernel's pipe slows the
 * writer.  See libcarrel(3).
 *
 * Rules that hold everywhere:
 *  - Option structs begin with their size (CARREL_SPEC() sets it); fields that
 *    are zero are the safe default; later versions only append fields.  Structs without a size
 *    (carrel_error, carrel_io, carrel_status, carrel_result, carrel_info, carrel_value, carrel_calls, carrel_operation) do not change.
 *  - Functions that can fail return -1, NULL or a negative count, set errno to
 *    the error's `err`, and fill the caller's `carrel_error` when it is not
 *    NULL.
 *  - Any function may be called from any thread; only carrel_next() has one
 *    caller at a time.  In a child forked by the host every function that can fail answers
 *    ECHILD and touches nothing of the parent's.
 *  - The library starts no thread, installs no signal handler, calls no
 *    waitpid(-1), and every descriptor that it makes is close-on-exec.  Its only
 *    child is the control process, which is started without copying the host and
 *    waited for by number when the handle ends; a host that waits for any child
 *    may meet it then, which does no harm.
 *  - Times are milliseconds of CLOCK_MONOTONIC; -1 means "no limit".
 */
#ifndef CARREL_H
#define CARREL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARREL_VERSION "0.1.0"

struct termios;
typedef struct carrel carrel;
typedef struct carrel_proc carrel_proc;
typedef struct carrel_task carrel_task;

/* ------------------------------------------------------------- errors --- */

/* Where something failed. */
typedef enum {
	CARREL_STAGE_NONE = 0,
	CARREL_STAGE_ARGS,	/* the caller's arguments, before any side effect */
	CARREL_STAGE_HELPER,	/* finding, starting or greeting the control process */
	CARREL_STAGE_CHANNEL,	/* talking to the control process */
	CARREL_STAGE_FORK,	/* making the new process */
	CARREL_STAGE_PROCESS,	/* session, process group, title, umask, priority */
	CARREL_STAGE_CWD,	/* working and root directory */
	CARREL_STAGE_FILE,	/* files and directories that operations touch */
	CARREL_STAGE_FDS,	/* descriptors */
	CARREL_STAGE_ENV,	/* environment */
	CARREL_STAGE_SIGNAL,	/* signal dispositions and sending */
	CARREL_STAGE_RLIMIT,	/* resource limits */
	CARREL_STAGE_IDS,	/* user, group and supplementary groups */
	CARREL_STAGE_RESTRICT,	/* no_new_privs, Landlock, seccomp, capabilities */
	CARREL_STAGE_EXEC,	/* executing the command */
	CARREL_STAGE_INPUT,	/* what the host feeds to stdin */
	CARREL_STAGE_TERMINAL,	/* the task's terminal */
	CARREL_STAGE_NAMESPACE	/* making the namespaces that isolate it */
} carrel_stage;

/*
 * One error, owned by the caller, without heap.  `err` is an errno value;
 * `index` is the number of the operation that failed (counting from 0), or the
 * element of the named array, or -1; `msg` is a whole sentence for people.
 */
typedef struct {
	carrel_stage stage;
	int err;
	int index;
	char msg[232];
} carrel_error;

/* carrel_strerror(e): the sentence of ${e}, "no error" for an empty or NULL one. */
const char *carrel_strerror(const carrel_error *e);

/* carrel_stage_name(stage): the word for ${stage}, such as "exec"; never NULL. */
const char *carrel_stage_name(carrel_stage stage);

/* ------------------------------------------------------ what to run --- */

/* What a standard stream of the task is. */
typedef enum {
	CARREL_DEFAULT = 0,	/* stdin: empty, or fed from .input; stdout, stderr: CARREL_PIPE */
	CARREL_PIPE,		/* a pipe to the host: carrel_write(), CARREL_OUT, CARREL_ERR */
	CARREL_NULL,		/* /dev/null */
	CARREL_INHERIT,		/* the host's own descriptor 0, 1 or 2 */
	CARREL_FD,		/* the host's descriptor .fd, which the library does not close */
	CARREL_TO_STDOUT,	/* stderr only: the same open file as stdout */
	CARREL_FILE,		/* the file .path, opened by the host: stdin for reading, stdout and stderr for
				   writing, made (mode 0666 less the umask) or emptied unless .append */
	CARREL_FEED,		/* stdin only: a pipe into which the library copies the host's descriptor .fd,
				   reading only when the pipe has room; not closed by the library */
	CARREL_PTY		/* a new pseudo-terminal, the task's controlling one; its output is stdout's
				   stream, so stdout must be it; stdin and stderr are it by default then */
} carrel_io_kind;

typedef struct {
	carrel_io_kind kind;
	int fd;			/* for CARREL_FD, CARREL_FEED */
	int pipe_size;		/* bytes, for CARREL_PIPE; 0: the kernel's default (F_SETPIPE_SZ) */
	const char *path;	/* for CARREL_FILE, relative to the host's directory */
	int append;		/* for CARREL_FILE */
} carrel_io;

/* How output is cut into events. */
typedef enum {
	CARREL_CHUNKS = 0,	/* whatever one read(2) gave */
	CARREL_LINES		/* one line each, without its newline; see max_line */
} carrel_framing;

/*
 * Gives the next bytes for stdin: up to ${size} of them in ${buf}; returns how many, 0 at the end of the
 * input, -1 with errno when it failed (CARREL_INPUT_FAILED).  It is called by carrel_next() or carrel_run(),
 * only when the pipe has room, and must not call functions of the handle.
 */
typedef ssize_t (*carrel_produce)(void *arg, void *buf, size_t size);

/* One resource limit; what is RLIMIT_*, see setrlimit(2). */
typedef struct {
	int what;
	uint64_t soft, hard;
} carrel_rlimit;

/*
 * One step of a stop: send `sig` to the whole tree, then wait up to `wait_ms`
 * for it to be empty.  Steps end at the first with sig 0; SIGKILL is always
 * added at the end.
 */
typedef struct {
	int sig;
	int wait_ms;
} carrel_step;

/* What happens to the rest of the tree when the leader ends by itself. */
typedef enum {
	CARREL_EXIT_KILL_TREE = 0,	/* SIGKILL at once */
	CARREL_EXIT_WAIT_TREE,		/* wait until it ends by itself (or a deadline or stop ends it) */
	CARREL_EXIT_KEEP_TREE		/* let it go: GONE comes with the leader's end, and what is left lives on
					   by itself.  A timeout, a stop, the loss of a control process and a
					   close before the leader's end still end everything. */
} carrel_exit_policy;

/* Which session and process group the task belongs to. */
typedef enum {
	CARREL_SESSION_AUTO = 0,	/* KEEP when all three streams are CARREL_INHERIT, else OWN */
	CARREL_SESSION_OWN,		/* leader of a new session, no controlling terminal */
	CARREL_SESSION_KEEP		/* the host's session and process group */
} carrel_session;

/* Bits of carrel_spec.set: which identity fields count. */
enum {
	CARREL_SET_UID = 1,
	CARREL_SET_GID = 2,	/* without it, gid is uid when uid is set */
	CARREL_SET_GROUPS = 4,	/* without it, no supplementary groups when uid or gid is set */
	CARREL_SET_UID_AUTO = 8,/* uid (and gid) derived from the host's pid: 65536 to 131070 */
	CARREL_SET_PRIORITY = 16,
	CARREL_SET_UMASK = 32,
	CARREL_SET_IO_PRIORITY = 64,
	CARREL_SET_OOM_SCORE_ADJ = 128
};

/* Limits of a whole tree. */
typedef enum {
	CARREL_LIMIT_NONE = 0,
	CARREL_LIMIT_MEMORY,	/* .memory: something was killed because of it */
	CARREL_LIMIT_PIDS,	/* .pids: a process or thread was refused */
	CARREL_LIMIT_CPU_TIME,	/* .cpu_time_ms: it is used up; the tree is being stopped */
	CARREL_LIMIT_OUTPUT	/* .output_limit: more was written; the tree is being stopped */
} carrel_limit;

/* What may be read from and written to a block device each second; 0: no limit. */
typedef struct {
	const char *device;	/* path of the device, or of a file or directory on it; or MAJOR:MINOR */
	uint64_t read_bytes, write_bytes, reads, writes;
} carrel_io_limit;

#define CARREL_IO_LIMITS_MAX 16

/* How soon its input and output is served; IOPRIO_CLASS_* of <linux/ioprio.h>. */
typedef enum {
	CARREL_IO_REALTIME = 1,	/* needs root */
	CARREL_IO_BEST_EFFORT,
	CARREL_IO_IDLE
} carrel_io_class;

/* Which network the task sees. */
typedef enum {
	CARREL_NET_DEFAULT = 0,	/* process: HOST; rootless, container: NONE */
	CARREL_NET_NONE,	/* a network of its own, with a loopback interface that is up */
	CARREL_NET_HOST,	/* the host's */
	CARREL_NET_PATH		/* an existing one: .net_path */
} carrel_net;

/*
 * A file or directory of the host that the task is shown, with everything mounted below it.  Where a
 * symbolic link in ${dest} leads is decided inside the task's root: it cannot lead out of it.
 */
typedef struct {
	const char *source;	/* on the host; relative to the host's directory */
	const char *dest;	/* in the task's root, absolute; NULL: the same path as source, which is absolute then */
	int writable;		/* 0: read-only */
	int optional;		/* one whose source is not there is left out */
	int alone;		/* without what is mounted below it (an ordinary user cannot uncover that: EINVAL) */
} carrel_bind;

/* An empty directory in memory that the task can write to. */
typedef struct {
	const char *dest;	/* in the task's root, absolute; /tmp, /home and /dev/shm are there by default */
	uint64_t size;		/* bytes at most; 0: 64 MiB */
	int exec;		/* what lies there may be executed */
} carrel_tmpfs;

#define CARREL_BINDS_MAX 48
#define CARREL_TMPFS_MAX 16

/* What a task may do with a file that it is allowed, or with everything below a directory. */
enum {
	CARREL_READ = 1,	/* read files and list directories */
	CARREL_WRITE = 2,	/* write to, make, rename, truncate and remove files of every kind but devices;
				   operate on devices that are there (ioctl(2)) */
	CARREL_EXECUTE = 4
};

/* A file or directory that a task is allowed, see carrel_spec.paths. */
typedef struct {
	const char *path;	/* relative to the host's directory; in an isolated task absolute, and inside.
				   "@tmp": /tmp, /var/tmp and /dev/shm.  It must be there. */
	unsigned access;	/* CARREL_READ, CARREL_WRITE, CARREL_EXECUTE; rules add up */
} carrel_path;

/* Who outside the tree its processes cannot reach, see carrel_spec.scope. */
enum {
	CARREL_SCOPE_SIGNAL = 1,	/* no signals to processes outside */
	CARREL_SCOPE_ABSTRACT = 2,	/* no connections to abstract Unix sockets of processes outside */
	CARREL_SCOPE_NONE = 4		/* alone: both are possible */
};

#define CARREL_PATHS_MAX 256
#define CARREL_PORTS_MAX 4096

#define CARREL_STEPS_MAX 4

/*
 * What to run and how.  Exactly one of argv, shell and ops names the command
 * (ops may be given alone; path needs argv).
 */
typedef struct {
	size_t size;			/* sizeof(carrel_spec) */
	const char *const *argv;	/* NULL-terminated; argv[0] is searched in the PATH of the task's
					   environment when it has no slash */
	const char *shell;		/* text for /bin/sh -c */
	const char *path;		/* file to execute instead of searching argv[0]; a name without a
					   slash is relative to the task's directory */
	const char *const *env;		/* NULL-terminated NAME=VALUE, set over the host's environment */
	int env_clear;			/* start from an empty environment instead */
	const char *cwd;		/* NULL: the host's directory at the time of the spawn */
	void *user;			/* given back in every event */
	carrel_io in, out, err;
	const int (*pass_fds)[2];	/* {host descriptor, number in the task (3 or more)} */
	size_t n_pass_fds;
	const void *input;		/* bytes for stdin, fed while output is read; borrowed until GONE */
	size_t input_len;
	int timeout_ms;			/* > 0: the stop steps begin after this time */
	carrel_step stop[CARREL_STEPS_MAX]; /* none given: {SIGTERM, 5000} */
	carrel_exit_policy on_exit;
	carrel_session session;
	unsigned set;			/* CARREL_SET_* */
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	int priority;			/* nice value, -20 to 19 */
	mode_t umask;
	const carrel_rlimit *limits;	/* RLIMIT_CORE is 0/0 unless it is among them */
	size_t n_limits;
	int allow_setuid;		/* 0: no_new_privs */
	const char *behaviour;		/* "process" (or NULL), "rootless", "container" (needs root) */
	const char *ops;		/* text of an operation program (carrel_print_ops()) in place of
					   the behaviour's */
	int trace;			/* report every operation as a CARREL_OP event */
	carrel_framing framing;		/* of CARREL_OUT and CARREL_ERR */
	size_t max_line;		/* CARREL_LINES: bytes of a line that one event holds at most (a longer one
					   comes in pieces); 0: 65536; at most 16 MiB */
	size_t max_output;		/* carrel_run(): bytes kept of each stream, the rest is read and counted
					   only; 0: no limit */
	carrel_produce produce;		/* input for stdin in place of .input */
	void *produce_arg;
	int start_ms;			/* how long the start may take, the command's execution included, before
					   it is given up with ETIMEDOUT; 0: 30000; -1: no limit */
	const int *keep_ignored;	/* signals that the task begins with ignored, as under nohup(1) */
	size_t n_keep_ignored;
	unsigned short pty_rows, pty_cols; /* CARREL_PTY: the window's size; 0: 24 and 80 */
	const struct termios *pty_termios; /* ... its settings; NULL: the kernel's for a new terminal */
	/*
	 * What follows is for the behaviours "rootless" and "container", which isolate (Linux; carrel-run(1) says
	 * what they show).  "process" refuses it with EOPNOTSUPP, but for CARREL_NET_HOST.  With them uid and gid
	 * are those that the task has inside (65534 unless set), cwd is absolute and inside ("/" unless set), the
	 * environment begins with PATH, HOME, TERM and LANG only, and session, groups, allow_setuid,
	 * CARREL_SET_UID_AUTO, CARREL_SESSION_KEEP and CARREL_EXIT_KEEP_TREE are refused where they cannot hold.
	 */
	carrel_net net;
	const char *root;		/* directory that is its root, read-only; it must have /dev, /proc and /tmp.
					   NULL: one in memory with the host's /usr, /bin, /sbin and /lib* */
	const carrel_bind *binds;	/* mounted in this order, after tmpfs; at most CARREL_BINDS_MAX */
	size_t n_binds;
	const carrel_tmpfs *tmpfs;	/* at most CARREL_TMPFS_MAX */
	size_t n_tmpfs;
	const char *hostname;		/* NULL: "carrel" */
	int overlay;			/* its root can be written to: what it changes lies in a layer above, in memory,
					   and is gone with it; .root needs no directories for what is mounted then */
	const char *overlay_dir;	/* ... in this directory, and stays there: implies overlay */
	uint64_t overlay_size;		/* ... bytes at most in memory; 0: 256 MiB */
	const char *ops_override;	/* text of operations: those of a place take the behaviour's of this place, but
					   for what must come last there (doc/PROGRAMS.md) */
	const char *ops_add;		/* ... are added to the behaviour's of their places */
	const char *net_path;		/* CARREL_NET_PATH: a network namespace by path, such as /run/netns/NAME or
					   /proc/PID/ns/net */
	int subids;			/* the user's ranges of /etc/subuid and /etc/subgid are mapped inside as well,
					   from 0 on but for .uid and .gid; supplementary groups are dropped, and .groups
					   may name mapped ones.  A user other than root needs newuidmap(1) for that. */
	/*
	 * What follows takes rights away by Landlock, in every behaviour and without privilege (Linux; carrel-restrict(7)
	 * says what it covers).  What the kernel cannot enforce is an error (EOPNOTSUPP) before anything starts.
	 */
	const carrel_path *paths;	/* when there is one: no file but these, and the system's programs and
					   libraries (see no_system); at most CARREL_PATHS_MAX */
	size_t n_paths;
	int no_system;			/* 1: these paths only */
	const uint16_t *connect_ports;	/* when there is one here or in bind_ports: TCP to these ports of others, */
	size_t n_connect_ports;		/* ... and to no others; at most CARREL_PORTS_MAX */
	const uint16_t *bind_ports;	/* TCP from these ports of its own only; 0: any that the kernel chooses */
	size_t n_bind_ports;
	int limit_tcp;			/* 1: as if there were ports: without any, no TCP */
	unsigned scope;			/* CARREL_SCOPE_*; 0: signals, and with any of the rules above abstract sockets
					   too, where the kernel can (not with allow_setuid) */
	/*
	 * Capabilities, as bits (UINT64_C(1) << CAP_NET_RAW).  rootless and container: those that the task has in its own user
	 * namespace, 0 is none.  process: not 0, or drop_caps: the task has these of the host's and no others, and
	 * no way to get more.
	 */
	uint64_t caps;
	int drop_caps;
	/*
	 * Which system calls the task may make (Linux, any behaviour; carrel-policy(5)).  The last thing that is
	 * done before the command is executed.  Refused together with ops and allow_setuid.
	 */
	const char *seccomp;		/* a preset: "default", "strict", "none"; NULL: "none" for process, else
					   "default" */
	const void *filter;		/* in place of a preset: a BPF program for seccomp(2), as
					   carrel_policy_filter() makes them */
	size_t filter_len;		/* bytes of it */
	int filter_listens;		/* ${filter} asks a listener, which comes over ... */
	int filter_socket;		/* ... this UNIX socket of the host's, with SCM_RIGHTS: seccomp_unotify(2) */
	/*
	 * Limits of the whole tree, however many processes it has.  They are held by cgroups that are made for it:
	 * v2 where one can be had that may be divided, else v1.  What nothing here can hold is an error before the
	 * command begins (CARREL_STAGE_RLIMIT), whose sentence says what would allow it.
	 */
	uint64_t memory;		/* bytes, swap included; 0: no limit.  Beyond it the kernel kills a process
					   of the tree: CARREL_LIMIT_MEMORY, CARREL_BY_OOM */
	uint64_t pids;			/* processes and threads at one time; 0: no limit */
	unsigned cpu;			/* thousandths of a processor: 500 is half of one, 2000 two; 0: no limit */
	int cpu_time_ms;		/* > 0: processor time of all of it, after which the stop steps begin */
	const carrel_io_limit *io_limits;
	size_t n_io_limits;		/* at most CARREL_IO_LIMITS_MAX */
	uint64_t output_limit;		/* bytes from stdout and stderr together that are delivered; what comes
					   behind them is dropped, and the stop steps begin; 0: no limit */
	const unsigned *cpus;		/* processors that it may run on */
	size_t n_cpus;
	carrel_io_class io_class;	/* CARREL_SET_IO_PRIORITY */
	int io_level;			/* ... 0 (first) to 7 */
	int oom_score_adj;		/* CARREL_SET_OOM_SCORE_ADJ: -1000 to 1000, see proc(5) */
	int best_effort;		/* what cannot be limited is left out: carrel_get_record() tells */
	int record;			/* have carrel_get_record() know what the kernel says */
} carrel_spec;

#define CARREL_SPEC(...) (&(const carrel_spec){ .size = sizeof(carrel_spec), __VA_ARGS__ })
#define CARREL_ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ------------------------------------------------- system call policies --- */

/* A system call policy: a text of carrel-policy(5) that was understood. */
typedef struct carrel_policy carrel_policy;

/* What is done about calls. */
typedef enum {
	CARREL_POLICY_ENFORCE = 0,	/* what the policy says */
	CARREL_POLICY_ASK_REFUSED,	/* a listener is asked about those that it does not simply allow */
	CARREL_POLICY_ASK_ALL		/* ... about all */
} carrel_policy_mode;

/* What a policy says about one call. */
typedef struct {
	enum { CARREL_CALL_ALLOW, CARREL_CALL_ERRNO, CARREL_CALL_KILL, CARREL_CALL_LOG } action;
	int err;		/* CARREL_CALL_ERRNO */
} carrel_verdict;

/*
 * Gives the text that a policy includes: in memory that the library frees, or NULL with a phrase in ${why}, which has
 * room for ${size}.  A ${name} that does not begin with a slash has the folder of the text that includes it before it.
 */
typedef char *(*carrel_policy_include)(void *arg, const char *name, char *why, size_t size);

/*
 * carrel_policy_parse(text, name, include, arg, e): the policy in ${text}, which errors call ${name}.  Without
 * ${include} only presets can be included.  Free it with carrel_policy_free().  NULL: EINVAL, with ${e->index} the
 * number of the line, or ENOMEM.
 */
carrel_policy *carrel_policy_parse(const char *text, const char *name, carrel_policy_include include, void *arg,
				   carrel_error *e);

/* carrel_policy_free(p): release ${p}; NULL is allowed. */
void carrel_policy_free(carrel_policy *p);

/* carrel_policy_preset(i): the name of preset ${i}, counted from 0; NULL behind the last. */
const char *carrel_policy_preset(size_t i);

/* carrel_policy_text(name): the text of the preset ${name}, or of the groups ("groups"); NULL when there is none. */
const char *carrel_policy_text(const char *name);

/*
 * carrel_policy_filter(p, arch, mode, ret_filter, ret_len, e): ${p} as a BPF program for the machine ${arch} ("x86_64",
 * "aarch64", "riscv64"; NULL: this one) in ${ret_filter} (free(3) it), its bytes in ${ret_len}: 0 when nothing is
 * refused and none is needed.  0, or -1: EINVAL, E2BIG, ENOMEM.
 */
int carrel_policy_filter(const carrel_policy *p, const char *arch, carrel_policy_mode mode, void **ret_filter,
			 size_t *ret_len, carrel_error *e);

/*
 * carrel_policy_decide(p, arch, nr, args): what ${p} says about the call ${nr} of the machine with the kernel's number
 * ${arch} (AUDIT_ARCH_*, as in struct seccomp_data) with the six arguments ${args}.  Another ABI than the three of
 * carrel_policy_filter() is foreign to all of them.
 */
carrel_verdict carrel_policy_decide(const carrel_policy *p, uint32_t arch, int nr, const uint64_t args[6]);

/* carrel_call_name(arch, nr): the name of the call ${nr} there; NULL when carrel does not know it. */
const char *carrel_call_name(uint32_t arch, int nr);

/* carrel_call_args(arch, nr): a letter for each of its arguments, i of 32 bits, l of 64, p an address; or NULL. */
const char *carrel_call_args(uint32_t arch, int nr);

/* ------------------------------------------------------------- events --- */

/* Why a tree ended. */
typedef enum {
	CARREL_BY_ITSELF = 0,	/* the leader ended by itself (a signal from inside included) */
	CARREL_BY_TIMEOUT,	/* timeout_ms passed */
	CARREL_BY_STOP,		/* carrel_stop(), carrel_release(), carrel_close() */
	CARREL_BY_LOSS,		/* a control process was lost */
	CARREL_BY_OOM,		/* the leader was killed because the tree's memory was at its limit */
	CARREL_BY_LIMIT		/* cpu_time_ms or output_limit */
} carrel_cause;

#define CARREL_LEFTOVERS_MAX 16

/* How a process tree ended and what it used. */
typedef struct {
	int exited;		/* the leader called exit: code holds its status */
	int code;
	int sig;		/* the leader was ended by this signal, else 0 */
	int core;		/* ... and dumped core */
	carrel_cause cause;
	unsigned leftovers;	/* descendants that had to be killed after the leader's end */
	struct {
		pid_t pid;
		char comm[16];
	} leftover[CARREL_LEFTOVERS_MAX]; /* the first of them */
	uint64_t utime_us, stime_us; /* processor time of the whole tree */
	uint64_t maxrss_kb;	/* largest resident set of one of its processes */
	uint64_t wall_us;	/* from the spawn to the end of the tree */
	uint64_t in_bytes;	/* bytes that the host put into stdin (what the task read of them is its own
				   affair), and read from stdout and stderr, until now */
	uint64_t out_bytes, err_bytes;
} carrel_status;

typedef enum {
	CARREL_STARTED = 1,	/* the command was executed; pid is set */
	CARREL_OP,		/* spec.trace: data is a line about one operation, before STARTED;
				   proc is NULL when the start failed */
	CARREL_OUT,		/* data from stdout */
	CARREL_ERR,		/* data from stderr */
	CARREL_EOF,		/* end of stream `stream` (1 or 2) */
	CARREL_STDIN_ROOM,	/* a short carrel_write() can go on */
	CARREL_STDIN_CLOSED,	/* the task closed its stdin: the rest of .input or of a write is not wanted */
	CARREL_STOPPED,		/* the leader was stopped by signal `sig` */
	CARREL_CONTINUED,	/* the leader goes on */
	CARREL_EXIT,		/* the leader was reaped; status holds its end, not yet the tree's */
	CARREL_GONE,		/* the tree is empty: once, last, with the final status */
	CARREL_LOST,		/* the control process is gone and every tree with it; proc is NULL.
				   The GONE events of the trees come before it. */
	CARREL_INPUT_FAILED,	/* .produce, or reading a CARREL_FEED, failed with `err`.  Stdin is left open, so
				   that the task does not take it for the end: carrel_write() can go on,
				   carrel_eof() end it, carrel_stop() the tree. */
	CARREL_LIMIT,		/* the tree met its limit `limit`: once for each */
	CARREL_SIGNAL		/* the task got signal `sig`, whose mode is "info": data is its siginfo_t */
} carrel_event_kind;

/*
 * One event.  Pointers are valid until the next carrel_next() or
 * carrel_close() on the handle; proc until carrel_release().
 */
typedef struct {
	size_t size;
	carrel_event_kind kind;
	carrel_proc *proc;
	void *user;		/* the spec's */
	int stream;		/* 1 stdout, 2 stderr: OUT, ERR, EOF */
	const char *data;	/* OUT, ERR, OP */
	size_t len;
	pid_t pid;		/* the leader's */
	int sig;		/* STOPPED */
	const carrel_status *status; /* EXIT, GONE */
	int partial;		/* OUT, ERR of CARREL_LINES: no newline came after this: the line is longer than
				   max_line and goes on in the next event, or the stream ended without one */
	int err;		/* INPUT_FAILED: errno */
	carrel_limit limit;	/* LIMIT */
	carrel_task *task;	/* the task that proc is, or NULL for a tree that carrel_spawn() made */
} carrel_event;

/* ---------------------------------------------------------- lifecycle --- */

/* What main() is. */
typedef int (*carrel_main)(int argc, char **argv);

typedef struct {
	size_t size;
	const char *helper;	/* path of carrel-control; NULL: $CARREL_CONTROL, then beside the host's
				   executable, then the installed one */
	int no_cgroup;		/* do not add a cgroup to the kill domains even where one can be had */
	int once;		/* the handle is for one spawn: its control process starts while the spawn
				   is prepared (so that what is wrong with it is the spawn's error),
				   keeps nothing ready for a second one, which fails with EBUSY, and ends
				   by itself after GONE */
	int keep_terminal;	/* 1: `terminal` is a terminal of the caller's: whatever becomes of the host, even by
				   SIGKILL, its settings are as they were at open when the handle has ended */
	int terminal;
	carrel_main embedded;	/* carrel_control_main, or NULL: the control process begins as a fork of the host
				   instead of by executing carrel-control, unless `helper` or $CARREL_CONTROL
				   names one.  For static programs that want to ship as one file: the host
				   must be small, because it is copied, and have one thread.  What its memory
				   holds is in the copies too. */
	int limits;		/* trees of this handle may have limits: where only a service manager can give a
				   cgroup that holds them, the control process begins in a scope of its own
				   (systemd-run, or what $CARREL_SYSTEMD_RUN names).  Without it they have to do with
				   the cgroups that are there */
} carrel_config;

/*
 * carrel_control_main(argc, argv): the control process itself, for carrel_config.embedded and nothing else.
 * It is in libcarrel-control.a, not in libcarrel.
 */
int carrel_control_main(int argc, char **argv);

/*
 * carrel_open(cfg, e): start a control process with the options ${cfg} (NULL:
 * defaults) and greet it (once: at the spawn).  Returns a handle, or NULL: EINVAL (options), ENOENT
 * (no control process found), EPROTO (of another version), EMFILE, ENOMEM, ...
 */
carrel *carrel_open(const carrel_config *cfg, carrel_error *e);

/*
 * carrel_close(c): kill every tree of ${c}, wait until nothing is left, and free
 * the handle and all its procs.  NULL is allowed.  No other thread may use ${c}.
 */
void carrel_close(carrel *c);

/*
 * carrel_fd(c): a descriptor that polls readable (POLLIN) while carrel_next()
 * has something to return.  It belongs to ${c}; do not read or close it.
 */
int carrel_fd(const carrel *c);

/*
 * carrel_next(c, ev, timeout_ms): the next event of any tree; ${ev->size} must be set.  Waits up to
 * ${timeout_ms} (0: not at all; -1: without limit).  Returns 1 with ${ev} filled,
 * 0 when there is none in time, or also at once when no tree is left that could
 * produce one; -1 with errno EBUSY (another thread is in carrel_next()), EINVAL,
 * ECHILD, ENOMEM, or EPIPE after LOST was delivered.
 */
int carrel_next(carrel *c, carrel_event *ev, int timeout_ms);

/* ---------------------------------------------------------------- run --- */

/*
 * carrel_spawn(c, s, e): run ${s} in a new process tree and return once the
 * command was executed.  What the strings of ${s} point to is not needed
 * afterwards, except .input.  A thread in carrel_next() may get the tree's events, and even
 * release it, before this returns.  NULL on failure, with the step, errno and a sentence in ${e};
 * nothing of the tree is left then.
 */
carrel_proc *carrel_spawn(carrel *c, const carrel_spec *s, carrel_error *e);

typedef struct {
	carrel_status status;
	char *out;		/* what came on stdout, with a NUL after it; free: carrel_result_free() */
	size_t out_len;
	char *err;
	size_t err_len;
	int out_truncated, err_truncated; /* more came than .max_output; status.out_bytes tells how much */
} carrel_result;

/*
 * carrel_run(c, s, r, e): run ${s}, feed .input while collecting the output, and
 * return when the tree is empty: 0 with ${r} filled, -1 when it could not be run.
 * Events of other trees on ${c} wait meanwhile.  ${c} may be NULL: a handle of its own.
 */
int carrel_run(carrel *c, const carrel_spec *s, carrel_result *r, carrel_error *e);

/* carrel_result_free(r): release what carrel_run() allocated in ${r}. */
void carrel_result_free(carrel_result *r);

/*
 * carrel_print_ops(s, ret_text, e): the operation program that carrel_spawn()
 * would run for ${s}, as text with one operation a line, in ${ret_text} (free(3) it).
 * Starts nothing.  0, or -1.
 */
int carrel_print_ops(const carrel_spec *s, char **ret_text, carrel_error *e);

/* How carrel_describe() says it. */
typedef enum {
	CARREL_FORM_OPS = 0,	/* as carrel_print_ops() */
	CARREL_FORM_JSON,	/* the same operations as JSON, an array of objects; see doc/PROGRAMS.md */
	CARREL_FORM_WORDS	/* what the task will see and may use, in words for people */
} carrel_form;

/*
 * carrel_describe(s, form, ret_text, e): what carrel_spawn() would do for ${s}, as text in ${ret_text} (free(3)
 * it).  All forms are made of the operations themselves.  Starts nothing.  0, or -1.
 */
int carrel_describe(const carrel_spec *s, carrel_form form, char **ret_text, carrel_error *e);

/*
 * carrel_root_create(dir, e): make the directory ${dir}, which must not be there, with the directories, links and
 * files that carrel_spec.root wants; what is to be run in it is put there by others, or shown by .binds.  It is
 * there as a whole or not at all.  0, or -1: EEXIST, ENOENT, EACCES, ...
 */
int carrel_root_create(const char *dir, carrel_error *e);

/* ------------------------------------------------------------ a tree --- */

/*
 * carrel_write(p, b, n): write up to ${n} bytes to stdin of ${p} (.in.kind
 * CARREL_PIPE) without waiting.  Returns the bytes accepted; fewer than ${n} means
 * that the pipe is full: wait for CARREL_STDIN_ROOM.  -1: EPIPE (the task closed
 * it), EBADF (no such pipe, or carrel_eof() was called).
 */
ssize_t carrel_write(carrel_proc *p, const void *b, size_t n);

/*
 * carrel_eof(p): close stdin of ${p}; of a CARREL_PTY type its end-of-file character.  Also ends a feed that
 * failed.  0, or -1: EBADF (no such stdin, or closed already), EAGAIN (a terminal without room).
 */
int carrel_eof(carrel_proc *p);

/*
 * carrel_signal(p, sig, tree): send ${sig} to the leader (${tree} 0) or once to every
 * process of the tree as it is now (${tree} 1).  0 when it was sent on, -1: EINVAL,
 * ESRCH (the tree is gone), EPIPE.
 */
int carrel_signal(carrel_proc *p, int sig, int tree);

/*
 * carrel_stop(p, steps, n): end the whole tree by ${steps} (${n} 0: those of the
 * spec), then SIGKILL.  Returns at once; GONE comes the moment that the tree is
 * empty.  The steps run in the control process, whatever becomes of the host.  A stop
 * that is under way already begins anew with these steps; its cause stays.
 * 0, or -1: EINVAL, ESRCH, EPIPE.
 */
int carrel_stop(carrel_proc *p, const carrel_step *steps, size_t n);

/*
 * carrel_wait(p, st, timeout_ms): wait until the tree is empty and give its status
 * in ${st} (may be NULL).  1, 0 when ${timeout_ms} passed, -1.  Output that nobody
 * reads stays in its pipe (and a task that fills it waits): it can still be had
 * with carrel_next(), as can the events EXIT and GONE.
 */
int carrel_wait(carrel_proc *p, carrel_status *st, int timeout_ms);

/*
 * carrel_release(p): forget ${p}: its tree is killed, its events are dropped, its
 * memory is free once that is done.  NULL is allowed.
 */
void carrel_release(carrel_proc *p);

/*
 * carrel_pause(p, stream, on): do not read stream 1 (stdout) or 2 (stderr) of ${p} until ${on} is 0 again;
 * the pipe fills and slows the writer, and nothing else does.  EOF and GONE wait for it too: GONE comes once
 * a tree has ended and none of its streams is paused.  0, or -1: EINVAL, EBADF (not a pipe, or at its end).
 */
int carrel_pause(carrel_proc *p, int stream, int on);

/*
 * carrel_take_fd(p, stream): hand the host's end of stdin (0), stdout (1) or stderr (2) over to the
 * caller, who closes it; of a CARREL_PTY 0 and 1 are its master.  It does not block and is close-on-exec.
 * (The flag belongs to the open file: a program that gets it as a standard stream may not expect it.)
 * The handle forgets the stream: no more data or EOF events of it, and GONE does not wait for it.  What was
 * read already was delivered, but for an unfinished line of CARREL_LINES (EBUSY: read it first).
 * A descriptor, or -1: EINVAL, EBADF (no such stream, or closed), EBUSY.
 */
int carrel_take_fd(carrel_proc *p, int stream);

/* carrel_pid(p): the leader's pid.  It may be reused after GONE; do not signal it. */
pid_t carrel_pid(const carrel_proc *p);

/* One process of a tree. */
typedef struct {
	pid_t pid, ppid;
	char state;		/* as in proc(5): R, S, D, T, Z... */
	uint64_t rss_kb;
	uint64_t cpu_us;	/* user and system time, its waited-for children not included */
	char comm[16];
} carrel_info;

/*
 * carrel_tree(p, v, n): a snapshot of the processes of ${p}, the leader first, in ${v}, which has room for ${n}.
 * Returns how many there are, which can be more than ${n}; 0 after GONE; -1: EINVAL, EPIPE, ETIMEDOUT.
 */
ssize_t carrel_tree(carrel_proc *p, carrel_info *v, size_t n);

/*
 * carrel_resize(p, rows, cols): the size of a CARREL_PTY's window, as TIOCSWINSZ; its foreground processes
 * get SIGWINCH.  0, or -1: EINVAL, EBADF (no terminal).
 */
int carrel_resize(carrel_proc *p, unsigned rows, unsigned cols);

/*
 * carrel_set_limit(p, l): set the limit ${l} for every process of the tree, as prlimit(2) with the host's
 * privileges; what they start later inherits it.  Returns how many got it, or -1: EINVAL, EPERM, ESRCH (the
 * tree is gone), EPIPE.
 */
int carrel_set_limit(carrel_proc *p, const carrel_rlimit *l);

/*
 * carrel_freeze(p, on): freeze every process of the tree (${on} 1), so that none runs until it is thawed (${on} 0), and
 * wait until that is so.  A stop and a kill thaw it; time limits go on.  0, or -1: EINVAL, EOPNOTSUPP (it is in no
 * cgroup that can be frozen), ESRCH (the tree is gone or about to be killed), ETIMEDOUT (a process of it waits in the
 * kernel; it will freeze behind that), EPIPE.
 */
int carrel_freeze(carrel_proc *p, int on);

/* ------------------------------------------------------------ record --- */

/* Whether a restriction holds. */
typedef enum {
	CARREL_NOT_ASKED = 0,	/* nobody wants it */
	CARREL_ENFORCED,	/* the kernel says so */
	CARREL_NOT_ENFORCED,	/* the kernel says that it does not hold (best_effort) */
	CARREL_UNKNOWN		/* the kernel does not tell */
} carrel_hold;

/* One restriction. */
typedef struct {
	const char *name;	/* such as "memory"; carrel-status(5) has them all */
	const char *asked;	/* in words of the options, or "" */
	carrel_hold hold;
	const char *mechanism;	/* what holds it: "cgroup v2 memory.max", "rlimit", "namespace"...; or "" */
	const char *found;	/* what the kernel says, or "" */
} carrel_restriction;

/* Who ended a tree. */
typedef enum {
	CARREL_ENDED_BY_TASK = 0, /* the leader ended by itself */
	CARREL_ENDED_BY_SIGNAL,	/* a signal that was not ours */
	CARREL_ENDED_BY_TIMEOUT,
	CARREL_ENDED_BY_OOM,
	CARREL_ENDED_BY_LIMIT,
	CARREL_ENDED_BY_HOST,	/* carrel_stop(), carrel_release(), carrel_close() */
	CARREL_ENDED_BY_LOSS	/* a control process was lost */
} carrel_ender;

#define CARREL_UNCOUNTED UINT64_MAX	/* where nothing counts it */

/* How a tree ended, what it used, and what was enforced. */
typedef struct {
	size_t size;
	carrel_status status;	/* user and system time as exact as they can be had */
	carrel_ender ended_by;
	carrel_limit limit;	/* ... ENDED_BY_OOM, ENDED_BY_LIMIT */
	uint64_t memory_peak;	/* bytes of the whole tree at one time, its files in the page cache included */
	uint64_t pids_peak;	/* processes and threads at one time */
	uint64_t oom_kills;	/* processes killed because memory was at its limit */
	uint64_t pids_refused;	/* how often a process or thread was refused */
	uint64_t throttled_us;	/* time spent waiting because of .cpu */
	char mechanism[32];	/* what keeps the tree: "reaper", "reaper+cgroup", with "+pidns" */
	const carrel_restriction *restrictions; /* until the proc is released */
	size_t n_restrictions;
} carrel_record;

/*
 * carrel_get_record(p, r): fill ${r}, whose size is set, with what is known of ${p}, whose spec had .record: the
 * restrictions from STARTED on, the rest once the tree is gone.  0, or -1: EINVAL (no .record), ENOMEM.
 */
int carrel_get_record(carrel_proc *p, carrel_record *r);

/* carrel_hold_name(h), carrel_ender_name(e), carrel_limit_name(l): the words for them; never NULL. */
const char *carrel_hold_name(carrel_hold h);
const char *carrel_ender_name(carrel_ender e);
const char *carrel_limit_name(carrel_limit l);
/* -------------------------------------------------- the table of calls --- */

/* Bits of carrel_call_row.systems: those that have a call. */
enum {
	CARREL_ON_LINUX = 1,
	CARREL_ON_FREEBSD = 2,
	CARREL_ON_OPENBSD = 4
};

/* Bits of carrel_call_row.doors: where a call can be made. */
enum {
	CARREL_DOOR_PROGRAM = 1, /* in an operation program (carrel_spec.ops) */
	CARREL_DOOR_OUTSIDE = 2, /* ... in the place outside, and only there */
	CARREL_DOOR_TASK = 4,	/* by a task (carrel_task_call()) */
	CARREL_DOOR_PORT = 8	/* by an Erlang program, through carrel-port(1) */
};

#define CARREL_CALL_ARGS_MAX 8

/* One argument of a call. */
typedef struct {
	char name[24];		/* such as "path" */
	const char *what;	/* what is right for it in a program, such as "a path of 1 to 4095 bytes" */
	const char *family;	/* of its constants (carrel_constant_name()), or NULL */
} carrel_call_arg;

/* One row of the table of calls. */
typedef struct {
	size_t size;
	int number;		/* the protocol's, which never changes */
	const char *name;
	const char *summary;	/* what it does */
	const char *answers;	/* what a success answers, in words: "nothing more", "a number"... */
	carrel_stage stage;	/* what its errors are about */
	unsigned systems, doors; /* CARREL_ON_*, CARREL_DOOR_* */
	int here;		/* this system has it */
	int argc;
	carrel_call_arg arg[CARREL_CALL_ARGS_MAX];
	const char *note;	/* sentences on what has to be known beyond this, or NULL */
} carrel_call_row;

/*
 * carrel_call_info(i, row): row ${i} of the table, from 0, in the order of the numbers; row->size must be set.
 * 1, 0 when there is no such row, -1 (EINVAL).  Strings are constants.
 */
int carrel_call_info(size_t i, carrel_call_row *row);

/*
 * carrel_constant_family(i, ret_summary): the name of family ${i} of constants, from 0, and what it has in
 * ${ret_summary} (may be NULL); NULL when there is no such family.
 */
const char *carrel_constant_family(size_t i, const char **ret_summary);

/*
 * carrel_constant_name(family, i, ret_value): the name of constant ${i} of ${family}, from 0, and its number on
 * this system in ${ret_value} (may be NULL); NULL when there is no such constant, or no such family.
 */
const char *carrel_constant_name(const char *family, size_t i, int64_t *ret_value);

/* -------------------------------------------------------------- tasks --- */

/*
 * A task is a process that waits for calls: each function here makes one system call in it, or a few, and
 * tells what came of it.  A task can fork others, which are tasks of their own, and execute a program.  The
 * first one, the root, is made by carrel_task_open(); see carrel-task(7).
 *
 * Each task is a carrel_proc too (carrel_task_proc()): carrel_write(), carrel_eof(), carrel_signal(),
 * carrel_stop(), carrel_wait(), carrel_release() and the others do with it what they do with a tree, and what
 * they call the tree is the task and all that is below it.  Its events have .task set.  GONE comes exactly
 * once for each, whatever becomes of the processes above it.
 *
 * Calls that several threads make in one task are made one after the other.
 */

/* What an argument or a result is. */
typedef enum {
	CARREL_NONE = 0,	/* nothing: as an argument where a call takes "or nothing", and an empty list; as a
				   result, that the call succeeded and has nothing to say */
	CARREL_INT,		/* number */
	CARREL_UINT,		/* number holds the bits of a uint64_t; results have it above INT64_MAX only */
	CARREL_TEXT,		/* data, size: bytes, which may hold NUL; in results a NUL follows them */
	CARREL_NAME,		/* data, size: the name of a constant, such as "rlimit_nofile"; in results in lower
				   case, with a NUL behind it */
	CARREL_LIST,		/* item, n_items */
	CARREL_STRUCTURE,	/* item, n_items: a tuple, such as {alcove_rlimit, Soft, Hard} */
	CARREL_POINTER		/* in a list that describes memory, the address of data, size: of that many zeroes
				   when data is NULL */
} carrel_value_kind;

typedef struct carrel_value carrel_value;
struct carrel_value {
	carrel_value_kind kind;
	int64_t number;
	const void *data;
	size_t size;
	const carrel_value *item;
	size_t n_items;
};

#define CARREL_VALUE_INT(i) ((carrel_value){ .kind = CARREL_INT, .number = (int64_t)(i) })
#define CARREL_VALUE_UINT(u) ((carrel_value){ .kind = CARREL_UINT, .number = (int64_t)(uint64_t)(u) })
#define CARREL_VALUE_BYTES(p, n) ((carrel_value){ .kind = CARREL_TEXT, .data = (p), .size = (n) })
#define CARREL_VALUE_LIST(v, n) ((carrel_value){ .kind = CARREL_LIST, .item = (v), .n_items = (n) })
#define CARREL_VALUE_TUPLE(v, n) ((carrel_value){ .kind = CARREL_STRUCTURE, .item = (v), .n_items = (n) })
/* The characters of a string: CARREL_TEXT, and CARREL_NAME. */
carrel_value carrel_value_text(const char *s);
carrel_value carrel_value_name(const char *s);

/* carrel_value_free(v): release a result.  NULL is allowed. */
void carrel_value_free(carrel_value *v);

typedef struct {
	size_t size;
	int deadline_ms;	/* > 0: the call is cancelled after this time and fails with ETIMEDOUT; 0: the task's
				   (carrel_task_deadline()); -1: never */
} carrel_call_options;

/*
 * carrel_task_call(t, name, args, n_args, o, result, e): make the call ${name} of the call table
 * (carrel-calls(7)) in ${t}, with the options ${o} (NULL: none).  0 with what it answered in ${result} (may be
 * NULL; carrel_value_free()): one value, or a list of them where there are more.  -1: the call's own
 * errno; ENOSYS (no such call, not on this system, or it is denied), EINVAL (an argument; .index is its number),
 * ETIMEDOUT, ECANCELED (carrel_task_cancel()), EACCES (the task has executed a program), ESRCH (it has ended), EPIPE
 * (it ended during the call; whether that was done is not known).
 */
int carrel_task_call(carrel_task *t, const char *name, const carrel_value *args, size_t n_args,
		     const carrel_call_options *o, carrel_value **result, carrel_error *e);

/*
 * carrel_task_open(c, s, e): the root of a tree of tasks: a process as ${s} describes it (NULL: CARREL_SPEC()), which
 * waits for calls where it would have executed a command.  .argv may be NULL.  Its standard streams are those of
 * ${s}: unless said otherwise, stdin is empty and the other two are pipes.  When it ends, everything below it is ended.
 * NULL as with carrel_spawn().
 */
carrel_task *carrel_task_open(carrel *c, const carrel_spec *s, carrel_error *e);

/* What a new task begins with. */
typedef struct {
	size_t size;
	uint64_t namespaces;	/* CLONE_NEW*, or-ed together (Linux) */
	int into_cgroup;	/* 1: it begins in the cgroup whose directory the host has open as `cgroup` (Linux) */
	int cgroup;
	carrel_io in, out, err;	/* CARREL_DEFAULT: a pipe each */
	carrel_framing framing;
	size_t max_line;
	void *user;		/* given back in its events */
} carrel_fork;

/*
 * carrel_task_fork(t, f, e): fork ${t}, or with namespaces clone it: a new task with ${f} (NULL: pipes), a child of
 * ${t}'s process.  It begins with the parent's directories, environment, open descriptors (but 0, 1 and 2),
 * identity, limits, signal modes and options, and with the denied calls that were meant for it.  NULL: as a call;
 * EAGAIN when there are as many or it is as deep as maxchild and maxforkdepth allow.
 */
carrel_task *carrel_task_fork(carrel_task *t, const carrel_fork *f, carrel_error *e);

/* carrel_task_chain(t, f, v, n, e): ${n} tasks, each forked from the one before, the first from ${t}, in ${v}.  0; or
 * -1, and those that were made are ended. */
int carrel_task_chain(carrel_task *t, const carrel_fork *f, carrel_task **v, size_t n, carrel_error *e);

/*
 * Execute a program in ${t}, which then is no task any more: calls fail with EACCES.  ${argv} and ${env} are
 * NULL-terminated and given to the program as they are.  0 once it is executed; -1 with errno when it cannot be,
 * and ${t} still waits for calls: EACCES also when it has children.
 *   execvp   ${file} (NULL: argv[0]) is searched in the PATH of ${t}'s environment when it has no slash
 *   execve   ${path}, with the environment ${env}
 *   fexecve  ${t}'s own descriptor ${fd}, with the environment ${env}
 *   reexec   the control process itself, with another layout of its memory: the task goes on, and nothing of it
 *            changes but its environment, which is ${env}, and argv[0], the name in ps(1), which is ${name}
 */
int carrel_task_execvp(carrel_task *t, const char *file, const char *const *argv, carrel_error *e);
int carrel_task_execve(carrel_task *t, const char *path, const char *const *argv, const char *const *env,
		       carrel_error *e);
int carrel_task_fexecve(carrel_task *t, int fd, const char *const *argv, const char *const *env, carrel_error *e);
int carrel_task_reexec(carrel_task *t, const char *name, const char *const *env, carrel_error *e);

/* carrel_task_proc(t): ${t} as a tree: valid until carrel_release().  carrel_proc_task(p): the other way; NULL for
 * what carrel_spawn() made. */
carrel_proc *carrel_task_proc(const carrel_task *t);
carrel_task *carrel_proc_task(const carrel_proc *p);

/* carrel_task_parent(t): the task that it was forked from; NULL for a root, or once that was released. */
carrel_task *carrel_task_parent(carrel_task *t);

/* carrel_task_children(t, v, n): the tasks forked from ${t} that have not ended, in ${v}, which has room for ${n}.
 * How many there are, which can be more. */
size_t carrel_task_children(carrel_task *t, carrel_task **v, size_t n);

/* What a task is now. */
typedef enum {
	CARREL_TASK_CALLS = 1,	/* it waits for calls */
	CARREL_TASK_EXECUTED,	/* it executed a program */
	CARREL_TASK_ENDED	/* it does neither; its GONE is about to come, or came */
} carrel_task_state;

carrel_task_state carrel_task_is(carrel_task *t);

/*
 * carrel_task_detach(t): let go of a task that executed a program: its pipes are closed, and it lives on when its
 * parent ends or ${t} is released; with its root, or the handle, it still ends.  GONE comes when it has ended.
 * 0, or -1: EINVAL (it waits for calls, or is a root), ESRCH (it has ended).
 */
int carrel_task_detach(carrel_task *t);

/*
 * carrel_task_send_fd(t, fd, e): a copy of the host's descriptor ${fd} for ${t}: its number there, or -1.
 * carrel_task_take_fd(t, fd, e): a copy of ${t}'s descriptor ${fd} for the host, close-on-exec, or -1.
 */
int carrel_task_send_fd(carrel_task *t, int fd, carrel_error *e);
int carrel_task_take_fd(carrel_task *t, int fd, carrel_error *e);

/* Names of calls, NULL-terminated: those that are denied; or with `allow` those that are not, all others are. */
typedef struct {
	const char *const *calls;
	int allow;
} carrel_calls;

/*
 * carrel_task_deny(t, own, below, monotonic, e): deny calls to ${t}, and to every task that is forked from it
 * from now on, at any depth (NULL: none).  What is denied stays denied.  ${monotonic}: what is denied to ${t} itself is
 * denied to those below too, so that no task has a call that its parent has not.  Programs that are executed
 * are not bound by it.  A task of which every call is denied can still be stopped.  0, or -1: ENOSYS
 * (deny_calls is denied itself), EINVAL (no such call: .index says which).
 */
int carrel_task_deny(carrel_task *t, const carrel_calls *own, const carrel_calls *below, int monotonic,
		     carrel_error *e);

/* One of the calls that configure a task. */
typedef struct {
	const char *call;
	const carrel_value *args;
	size_t n_args;
	int ignore;		/* this errno is no failure; -1: none is */
	int (*function)(carrel_task *t, void *arg, carrel_error *e); /* instead of a call: 0, or -1 with ${e} */
	void *arg;
} carrel_operation;

/* carrel_task_do(t, op, n, e): make the calls ${op} in ${t} in order, until one fails: 0, or -1 with the error of that
 * one, whose number is in .index. */
int carrel_task_do(carrel_task *t, const carrel_operation *op, size_t n, carrel_error *e);

/* carrel_task_fork_do(t, f, op, n, e): carrel_task_fork(), then carrel_task_do() in the new task.  When that fails,
 * the new task and all below it is killed, waited for, and released: NULL. */
carrel_task *carrel_task_fork_do(carrel_task *t, const carrel_fork *f, const carrel_operation *op, size_t n,
				 carrel_error *e);

/*
 * carrel_task_run(t, argv, r, e): fork ${t}, execute ${argv} there as carrel_task_execvp() does, and collect what it
 * writes to stdout and stderr, in one pipe and so in the order in which it was written, in ${r->out}, until it
 * has ended.  Events of others wait meanwhile.  0 with ${r} filled, -1.  carrel_task_shell(): the same for /bin/sh -c.
 */
int carrel_task_run(carrel_task *t, const char *const *argv, carrel_result *r, carrel_error *e);
int carrel_task_shell(carrel_task *t, const char *text, carrel_result *r, carrel_error *e);

/* carrel_task_deadline(t, ms): the deadline of every call in ${t} that is given none of its own, those that other
 * functions here make included, and of tasks that are forked from it from now on; 0 or -1: none, as at the beginning.
 * 0, or -1: EINVAL. */
int carrel_task_deadline(carrel_task *t, int ms);

/*
 * carrel_task_cancel(t): the call that is being made in ${t} ends now, with ECANCELED if it was waiting for
 * something.  From any thread.  0, or -1: ESRCH (there is none).
 */
int carrel_task_cancel(carrel_task *t);

/* -------------------------------------------------------------- about --- */

/* What the handle's control process found and does. */
typedef struct {
	size_t size;
	pid_t guard, supervisor, nursery; /* the fixed processes of the handle */
	int reaper;		/* a subreaper for every tree (always 1 on Linux) */
	int cgroup;		/* a cgroup v2 with cgroup.kill for every tree */
	int locked;		/* the control processes run under their own seccomp filters */
	int landlock_abi;	/* 0: no Landlock */
	char mechanism[32];	/* how "nothing outlives" is enforced: "reaper" or "reaper+cgroup" */
} carrel_caps;

/* carrel_probe(c, caps): what holds for ${c}; caps->size must be set.  0, or -1. */
int carrel_probe(const carrel *c, carrel_caps *caps);

/* What carrel_doctor() says of one ability. */
typedef enum {
	CARREL_FACT_OK = 1,
	CARREL_FACT_LIMITED,	/* there, with less than all; or nothing that carrel needs by itself */
	CARREL_FACT_NO
} carrel_fact_state;

/* All texts are one line of printable ASCII. */
typedef struct {
	char name[24];		/* such as "user-namespace" */
	carrel_fact_state state;
	int needed;		/* carrel's behaviours cannot do without: when it is NO, something is missing */
	int err;		/* errno of what was tried in vain, or 0 */
	char text[200];		/* what was found; when it is not OK, what refuses */
	char remedy[640];	/* a command that would allow it (most take root); "" when nothing here can */
	char detail[320];	/* what was tried, and what came of it; may be empty */
} carrel_fact;

/*
 * carrel_doctor(cfg, v, n, e): what this machine and this user can do of what carrel is made of, found out by trying
 * with a control process that ${cfg} (NULL: defaults) describes: one fact for each, the most important first, in
 * ${v}, which has room for ${n}.  Nothing is executed, and nothing is left.  Returns how many there are, which can be
 * more than ${n}; that no control process can be had is a fact, too.  -1: EINVAL (options), ENOMEM.
 */
ssize_t carrel_doctor(const carrel_config *cfg, carrel_fact *v, size_t n, carrel_error *e);

/* carrel_cap_name(n): the name of capability number ${n} in lower case and without "cap_", such as "net_raw";
 * NULL above the last one. */
const char *carrel_cap_name(unsigned n);

/*
 * carrel_backoff(n, min_ms, max_ms, seed): how many milliseconds to wait before the next try after ${n} failures
 * in a row.  The time is ${min_ms} after the first, twice as much after each further one, and at most ${max_ms}; the
 * answer lies between its half and the whole, where ${seed} (any number) says.  0 when one of the others is
 * not above 0.  A pure function: the same arguments have the same answer, in every version of the library.
 */
int carrel_backoff(unsigned n, int min_ms, int max_ms, uint64_t seed);

/* carrel_version(): the version of the library, such as "0.1.0". */
const char *carrel_version(void);

#ifdef __cplusplus
}
#endif

#endif
