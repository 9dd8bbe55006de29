/* SPDX-License-Identifier: ISC */
/*
 * The library's state.
 *
 * One mutex guards a handle.  Whoever waits for the control process's socket
 * lets go of it meanwhile; only one thread at a time does (${reader}), and a thread in
 * carrel_next() takes that over from one that waits for an answer, because it waits for
 * more than the socket.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include "link.h"
#include "map.h"
#include "program.h"

#include <carrel.h>
#include <pthread.h>

#define EXPORT __attribute__((visibility("default")))

/* glibc gives the functions for limits an enum of its own. */
#ifdef __GLIBC__
#define RLIMIT_WHAT enum __rlimit_resource
#else
#define RLIMIT_WHAT int
#endif

#define BATCH_MAX 64
#define READ_MAX (64 * 1024)

struct request;
struct step;

struct event_node {
	struct event_node *next;
	carrel_event_kind kind;
	carrel_proc *proc;
	int sig;
	size_t len;
	char data[];
};

/* Our end of stdout or stderr. */
struct output {
	carrel_proc *p;
	int stream;		/* 1 or 2 */
	int fd;			/* -1: there is none, its end was read, or it was taken */
	int rest;		/* once the tree is gone: bytes that are still to be read */
	bool paused;
	uint64_t bytes;		/* that were read */
	/* In lines, by lines.c: */
	struct buf text;	/* what was read */
	size_t at, seen;	/* ... and is not delivered; ... and searched for a newline */
	bool ended;		/* the end was read, and is not told */
	bool ready;		/* in the handle's list of outputs with something to deliver */
	struct output *next_ready;
};

/* Where stdin's bytes come from; feed.c. */
struct feed {
	bool on;
	const char *at;		/* to be written next */
	size_t left;
	carrel_produce produce;
	void *arg;
	int fd;			/* a descriptor of our own on the source, or -1 */
	char *mem;		/* FEED_MAX bytes, when there is a source */
	bool ended;		/* the source has nothing more */
	bool newline;		/* the last byte was one: what the end of input of a terminal depends on */
	int err;		/* why the source failed */
};

/* What stdin is watched for. */
enum watch_in { WATCH_OFF, WATCH_CLOSED, WATCH_ROOM };

/* What feeding needs next. */
enum feed_state {
	FEED_ROOM,	/* wait for room in stdin */
	FEED_SOURCE,	/* wait for the source */
	FEED_OVER,	/* everything is written */
	FEED_CLOSED,	/* nobody reads stdin any more */
	FEED_FAILED	/* the source did, with ${feed.err} */
};

struct carrel_proc {
	carrel *c;
	uint32_t id;
	void *user;
	pid_t pid, reaper;
	int in;			/* our end of stdin, or -1 */
	bool pty;		/* ${in} and stdout are the master of a terminal */
	enum watch_in watch_in;
	bool watch_source;
	uint64_t in_bytes;
	struct feed feed;
	struct output out[2];
	size_t max_line;	/* 0: in chunks */
	size_t max_output;	/* of carrel_run() */
	uint64_t output_limit;	/* 0: none */
	bool stop_asked;	/* by the host, before it was met */
	bool over_limit;	/* it was met: what comes is dropped */
	int frozen;		/* the answer to a freeze: 0, an errno, or -1: none yet */
	const carrel_spec *spec; /* as ${request} */
	struct record *record;	/* of what the kernel said, or NULL */
	bool answered;		/* STARTED or FAILED came */
	bool failed;
	const struct request *request; /* while its answer is awaited: the texts of the operations; it
					  is not freed meanwhile */
	bool forgotten;		/* ... but would have been */
	bool exit_told;		/* EXIT was queued */
	bool gone;		/* GONE came from the control process */
	bool gone_told;		/* ... and was delivered */
	bool released;
	bool captured;		/* carrel_run() reads it: carrel_next() does not know it */
	carrel_status status;
	carrel_error error;	/* of a failed spawn; msg holds what the reaper said */
	int id_slot;		/* as in struct request */
	struct carrel_proc *next_ending; /* list of trees that are gone with streams left to drain */
	carrel_task *task;	/* or NULL; task.h */
};

struct carrel {
	pid_t owner;		/* the process that opened it */
	const int *mark;	/* 0 in another one; NULL where that cannot be had */
	int socket;
	int epoll;
	int kick;		/* eventfd in the epoll set: events are queued */
	int yield;		/* eventfd: who waits for the socket shall let go */
	int null;		/* /dev/null */
	int talk;		/* set of the sockets of tasks, in the epoll set; -1: there never was one */
	unsigned undecided;	/* tasks that have ended, nobody said how */
	pid_t guard;		/* our child */
	pid_t killed_guard;	/* its number, once it was found killed */
	carrel_caps caps;
	bool debug;		/* tell what happens on standard error */
	bool welcome;
	bool once, once_used;
	bool scoped;		/* the control process was started in a scope of its own */
	bool alone;		/* the host has one thread: it said so with .embedded */
	char lost_reason[120];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool reader;		/* somebody waits for the socket without the lock */
	bool next_busy;		/* somebody is in carrel_next() */
	bool next_waits;	/* ... and without the lock */
	bool kicked;
	bool fd_used;		/* carrel_fd() was asked: keep ${kick} readable while events are queued */
	bool lost, lost_told;

	uint32_t next_id;
	_Atomic uint32_t id_slots; /* bits: numbers that tasks which root isolates have their ids from */
	struct map procs;	/* by id; released ones too until they are gone */
	size_t live;		/* procs that will still have an event */
	struct event_node *first, **last;
	struct carrel_proc *ending, *ending_last;
	struct output *ready, **ready_last; /* outputs in lines with something to deliver */
	struct output *hot;	/* the output that the last event came from: likely to have more */
	int hot_turns;
	struct output *shown;	/* the one whose text the caller looks at */
	struct buf kept;	/* ... and that text, after its proc was freed */
	struct event_node *current; /* the event that the caller looks at */
	carrel_status gone_status; /* ... of the last GONE */
	struct inbox *inbox;
	char *data;		/* READ_MAX bytes */
	int batch_n, batch_at;
	struct {
		uint32_t id;
		int what;	/* TOKEN_* */
		bool closed;	/* the other end is */
	} batch[BATCH_MAX];
};

/* error.c */
/* error_set(e, stage, err, index, fmt, ...): fill ${e} (may be NULL) and errno; -1. */
int error_set(carrel_error *e, carrel_stage stage, int err, int index, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* debug.c */
/* debug(c, fmt, ...): a line on standard error when $CARREL_DEBUG is set. */
void debug(const carrel *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* helper.c */
/* helper_find(cfg, path, size, e): the program that is the control process, unless it is embedded; 0, or -1. */
int helper_find(const carrel_config *cfg, char *path, size_t size, carrel_error *e);
int helper_start(carrel *c, const carrel_config *cfg, carrel_error *e);

/* channel.c; all with the lock held */
void channel_lost(carrel *c, const char *reason);
int channel_send(carrel *c, enum message_type type, uint32_t id, const struct buf *body, const int *fds,
		 size_t n_fds);
/* channel_read(c): take every message that is there, without waiting. */
void channel_read(carrel *c);
/* channel_wake(c): something was read that others may wait for. */
void channel_wake(carrel *c);
/* channel_wait(c, done, arg, deadline_us): until ${done} is true or the handle is lost: 1; 0 when the
 * deadline passed. */
int channel_wait(carrel *c, bool (*done)(void *arg), void *arg, int64_t deadline_us);
/* channel_status(st, wait_status): how a process ended, as wait(2) says it. */
void channel_status(carrel_status *st, int wait_status);

/* next.c */
void event_queue(carrel *c, carrel_event_kind kind, carrel_proc *p, int sig, const void *data, size_t len);
void event_kick(carrel *c);
void proc_gone(carrel *c, carrel_proc *p);
void proc_free(carrel_proc *p);
/* proc_forget(p): free one that is gone, told or not. */
void proc_forget(carrel_proc *p);

/* output.c */
/* output_read(o, mem, size): bytes; 0 at the end, closed then; -EAGAIN. */
ssize_t output_read(struct output *o, void *mem, size_t size);
/* proc_counts(p, st): the bytes until now, and what follows from them. */
void proc_counts(const carrel_proc *p, carrel_status *st);

/* watch.c */
/* What an entry of the epoll set is: a proc's stream or source, or one of the handle's. */
enum { TOKEN_IN = 0, TOKEN_OUT = 1, TOKEN_ERR = 2, TOKEN_SOCKET = 3, TOKEN_KICK = 4, TOKEN_SOURCE = 5, TOKEN_TALK = 6 };
int watch_handle(carrel *c);
/* watch_talk(c): make the set of tasks, if there is none. */
int watch_talk(carrel *c);
/* watch_token(id, what): what an entry of a set says. */
uint64_t watch_token(uint32_t id, int what);
/* proc_watch(p): wait for all its streams. */
int proc_watch(carrel_proc *p);
int proc_watch_in(carrel_proc *p, enum watch_in what);
int proc_watch_feed(carrel_proc *p, enum feed_state state);
void proc_unwatch_source(carrel_proc *p);
int output_watch(struct output *o, bool on);
void proc_close_stream(carrel_proc *p, int stream);

/* lines.c */
/* One event of what was read of ${o}: 1 with ${ev} filled, but for its proc; 0 when there is no whole one. */
int lines_next(struct output *o, carrel_event *ev);
/* lines_read(o): read more; 0, or -EAGAIN, -ENOMEM. */
int lines_read(struct output *o);
void ready_add(struct output *o);
void ready_remove(struct output *o);

/* stream.c */
/* spawn_captured(c, s, e): as carrel_spawn(), for carrel_run(). */
carrel_proc *spawn_captured(carrel *c, const carrel_spec *s, carrel_error *e);
/* spawn_task(c, s, t, e): the same, and it serves: its socket and its events are *${t}'s, which is empty.  From then on
 * that is the proc's, and *${t} NULL. */
carrel_proc *spawn_task(carrel *c, const carrel_spec *s, carrel_task **t, carrel_error *e);
/* proc_create(c, s, e): one that has not begun. */
carrel_proc *proc_create(carrel *c, const carrel_spec *s, carrel_error *e);
/* proc_adopt(p, r): take over the request's ends of the pipes. */
void proc_adopt(carrel_proc *p, struct request *r);

/* run.c */
/* run_to_end(p, r, e): collect what ${p}, which was captured, writes, until it has ended; then it is released. */
int run_to_end(carrel_proc *p, carrel_result *r, carrel_error *e);

/* enter(c): lock the handle; 0, or ECHILD in another process than its owner (errno set). */
int enter(carrel *c);
void leave(carrel *c);

/* feed.c */
/* write_some(fd, b, n): write without waiting and without SIGPIPE; bytes, or -errno. */
ssize_t write_some(int fd, const void *b, size_t n);
int feed_begin(carrel_proc *p, const carrel_spec *s);
/* feed_turn(p): pull and write once, without waiting. */
enum feed_state feed_turn(carrel_proc *p);
/* feed_end(p): unread bytes of a seekable source are given back. */
void feed_end(carrel_proc *p);
/* feed_eof(p): what a terminal takes for the end of its input. 0, or -errno. */
int feed_eof(carrel_proc *p);

/* policy.c */
/* policy_check(s, e): the part of ${s} that is about its system call policy: 0 or -1. */
int policy_check(const carrel_spec *s, carrel_error *e);

/* terminal.c */
/* terminal_open(s, ret_master, ret_slave): a new terminal as ${s} wants it; 0, or -errno. */
int terminal_open(const carrel_spec *s, int *ret_master, int *ret_slave);

/* request.c: a spec as a request */
struct request {
	struct buf body;
	size_t names_at;	/* offset of the names of descriptors in ${body} */
	size_t program_at;	/* ... of the Program term */
	int fds[MESSAGE_FDS_MAX];
	size_t n_fds;
	int close_after[8];	/* of ${fds}: ours, to be closed once they are sent */
	size_t n_close;
	int in, out[2];		/* our ends of the pipes */
	int terminal;		/* the task's end of its terminal */
	int id_slot;		/* of the handle's, or -1 */
	bool serves;		/* the process waits for calls, on a socket whose other end is */
	int socket;		/* ... this one, ours */
};

/* request_init(r): empty.  request_streams(c, s, r, e): the three standard streams of ${s} in ${r->fds}.  0 or -1. */
void request_init(struct request *r);
int request_streams(carrel *c, const carrel_spec *s, struct request *r, carrel_error *e);

/* request_create(c, s, start, r, e): check ${s} and build the request; without ${start} no descriptor is
 * made.  0, or -1; request_finish() in any case. */
int request_create(carrel *c, const carrel_spec *s, bool start, struct request *r, carrel_error *e);
void request_finish(struct request *r);

/* reason.c */
/* command_of(s): what ${s} runs, for sentences. */
const char *command_of(const carrel_spec *s);
/* request_failed(s, r, f, e): the sentence for a spawn that failed as ${f} says. */
int request_failed(const carrel_spec *s, const struct request *r, const carrel_error *f, carrel_error *e);

/*
 * peek_command(dir, command, text, size, ret): the first bytes of the file ${command} at ${dir}, as text: how many,
 * or -1.  peek_reason(err, text, n, st, where, why, size): what they say about why executing it was ${err}; ${where}
 * (" there") is where something else is missing; "" when there is nothing to add.
 */
struct stat;
ssize_t peek_command(int dir, const char *command, char *text, size_t size, struct stat *ret);
void peek_reason(int err, const char *text, ssize_t n, const struct stat *st, const char *where, char *why, size_t size);

/* reason_isolate.c: the same for an isolated command, and for an ${operation} that mounts; "" where that says nothing. */
void isolate_exec_reason(const carrel_spec *s, int err, const char *command, char *why, size_t size);
void isolate_mount_reason(const carrel_spec *s, int err, const char *operation, char *why, size_t size);

/* id_slot_free(c, slot): give back what a request or a proc has, and forget it. */
void id_slot_free(carrel *c, int *slot);

/* request_trace(r, index, result, b): the line for an operation of a traced start. */
int request_trace(const struct request *r, int index, int64_t result, struct buf *b);

/* stream.c */
/* proc_stop_over(p): more than .output_limit came. */
void proc_stop_over(carrel_proc *p);

/* record.c */
/* record_create(): of a tree that shall have one; NULL with ENOMEM.  record_free(r): NULL is allowed. */
struct record *record_create(void);
void record_free(struct record *r);
/* record_in(r, in): what came from the control process.  0, -EBADMSG, -ENOMEM. */
int record_in(struct record *r, struct term_in *in);
/* record_judge(r, s): the task has begun as ${s} wanted: compare. */
void record_judge(struct record *r, const carrel_spec *s);

/* A block device. */
struct io_device {
	unsigned major, minor;
};

/* limits.c */
/* limits_check(s, e): the part of ${s} that is about limits of the whole tree.  0 or -1. */
int limits_check(const carrel_spec *s, carrel_error *e);
/* limits_devices(s, ret, e): the block devices that are meant.  0 or -1. */
int limits_devices(const carrel_spec *s, struct io_device *ret, carrel_error *e);

/* spec.c */
/* spec_fed(s): whether the library feeds stdin. */
bool spec_fed(const carrel_spec *s);
int spec_check(const carrel_spec *s, carrel_spec *ret, carrel_error *e);
/* spec_own_net(s): an isolated one has a network of its own. */
bool spec_own_net(const carrel_spec *s);
/* spec_isolated(s): its behaviour has namespaces of its own. */
bool spec_isolated(const carrel_spec *s);
/* spec_listener(s): the number that the socket for a listener has in the task until it is executed. */
int spec_listener(const carrel_spec *s);
/* isolation.c */
/* isolation_check(s, e): the part of ${s} that is about isolation, for its behaviour: 0 or -1. */
int isolation_check(const carrel_spec *s, carrel_error *e);
/* restriction.c */
/* restriction_check(s, e): the part of ${s} that takes rights away, for itself: 0 or -1. */
int restriction_check(const carrel_spec *s, carrel_error *e);
struct behaviour_context;
/* restriction_look(s, x, e): ... and against what this kernel and the host have, which ${x} gets: 0 or -1. */
int restriction_look(const carrel_spec *s, struct behaviour_context *x, carrel_error *e);
/* spec_env(s, ret, e): the task's environment, NULL-terminated; free(3) the array. */
char **spec_env(const carrel_spec *s, carrel_error *e);

/* behaviour/ */
/*
 * A behaviour is a function from a checked spec to the Program term that sets the task up.
 * It looks at nothing but its arguments.
 */
enum entry_kind { ENTRY_NONE, ENTRY_DIR, ENTRY_FILE, ENTRY_LINK };

/* A file of the host. */
struct entry {
	const char *name;
	enum entry_kind kind;
	char target[64];	/* of a link */
};

/* A mount that was asked for. */
struct mount {
	char *source;		/* absolute; NULL for a tmpfs */
	int number;		/* ... of the binds */
	char *dest;		/* relative to the root, without needless slashes */
	enum entry_kind kind;
	bool writable, exec, alone;
	uint64_t size;
};

#define HOST_TOP 8
#define HOST_ETC 16
#define HOST_ADDRESSES 64

struct id_range {
	uint32_t first, count;
};

/* What else than one id a task may have. */
struct subids {
	struct id_range uids, gids;
	const char *newuidmap, *newgidmap; /* paths */
};

/* What isolation has to know about the host. */
struct host {
	bool root;		/* we may map other ids than our own, and clone mounts */
	uint32_t uid, gid;	/* ids on the host that the task will have */
	struct subids subids;	/* spec.subids */
	uint64_t processes;	/* that it may have, unless the caller says it */
	struct entry top[HOST_TOP]; /* of / */
	struct entry etc[HOST_ETC]; /* of /etc */
	char *root_dir;		/* spec.root, absolute, or NULL */
	bool has_home;		/* ... has a /home */
	bool overlay;
	/* For a jail with the host's network: its addresses, in network order. */
	unsigned char ip4[HOST_ADDRESSES][4], ip6[HOST_ADDRESSES][16];
	size_t n_ip4, n_ip6;
	char *net;		/* spec.net_path, absolute, or NULL */
	char *layer;		/* spec.overlay_dir, absolute, or NULL */
	struct mount mount[CARREL_TMPFS_MAX + CARREL_BINDS_MAX];
	size_t n_mounts;
};

/* Operations of the caller's, as terms in ${term}. */
struct phases {
	struct buf term;
	uint32_t n;
	struct {
		const unsigned char *data;
		size_t len;
		enum place place;
	} *op;
	bool has_place[PLACE_COUNT];
	bool executes;
};

struct behaviour_context {
	pid_t host;		/* pid of the host */
	int umask;		/* of the host, or -1 */
	const char *search;	/* where commands are looked for */
	const struct host *view; /* for behaviours that isolate */
	const struct phases *override, *add; /* the caller's operations, or NULL */
	bool serves;		/* it ends as a task, in place of a command */
	int landlock_abi;	/* where rules are wanted */
	bool setpcap;		/* where capabilities are: the host may give up all of them for good */
	struct io_device io[CARREL_IO_LIMITS_MAX]; /* of spec.io_limits */
};

struct behaviour {
	const char *name;
	bool isolates;
	void (*program)(const carrel_spec *s, const struct behaviour_context *x, struct buf *b);
	enum call_number needs;	/* a call that only its system has; 0: none */
};

extern const struct behaviour behaviour_process, behaviour_rootless, behaviour_container, behaviour_jail;

/* behaviour_of(s): that of ${s}, or NULL when its name is none. */
const struct behaviour *behaviour_of(const carrel_spec *s);

/* host.c */
/* host_look(s, owner, number, ret, e): what ${s}, checked and isolated, has to know; ${owner} is the number of a
 * process that no other handle has, and ${number} tells its streams apart.  0, or -1; host_finish() in any case. */
int host_look(const carrel_spec *s, pid_t owner, uint32_t number, struct host *ret, carrel_error *e);
void host_finish(struct host *h);
/* host_dest(path): ${path} without its leading and needless slashes, to be freed; NULL with errno EINVAL when it is
 * not absolute, is the root or has "." or "..", else ENOMEM. */
char *host_dest(const char *path);
/* path_below(path, dir): ${path} is ${dir} or in it; both as host_dest() gives them. */
bool path_below(const char *path, const char *dir);

/* addresses.c */
/* host_addresses(h): fill in those of the host's interfaces.  0 or -errno. */
int host_addresses(struct host *h);

/* subid.c */
/* subid_look(root, ret, e): the caller's ranges, and, unless it is ${root}, the programs that map them.  0 or -1. */
int subid_look(bool root, struct subids *ret, carrel_error *e);

/* behaviour/ops.c: writing a program, one operation at a time */
struct ops {
	struct buf inner;
	uint32_t n;
	const struct phases *override, *add;
	bool ended[PLACE_COUNT];
};
void ops_begin(struct ops *o, const struct behaviour_context *x);
/* ops_add(o, call, ignore, "format", ...): one operation of the task; format letters as in ops.c. */
void ops_add(struct ops *o, enum call_number call, bool ignore, const char *format, ...);
/* ops_add_init(o, call, "format", ...): one of the stream reaper, before the task exists. */
void ops_add_init(struct ops *o, enum call_number call, const char *format, ...);
/* ops_put(o, place, options, call, "format", ...): with ${options} as in program texts: "", "ignore enoent",
 * "slot 3"... */
void ops_put(struct ops *o, enum place place, const char *options, enum call_number call, const char *format, ...);
/* ops_end(o, b): the program to ${b}, with the phases that were not ended in it. */
void ops_end(struct ops *o, struct buf *b);

/* behaviour/phases.c */
/* phases_read(text, what, ret, e): the operations in ${text}, which ${what} is the name of: 0 or -1;
 * phases_finish() in any case. */
int phases_read(const char *text, const char *what, struct phases *ret, carrel_error *e);
void phases_finish(struct phases *p);
/* ops_phase(o, place): the end of what ${place} is for: the caller's operations stand here. */
void ops_phase(struct ops *o, enum place place);
/* ops_wanted(o, place, call): the caller has not overridden it. */
bool ops_wanted(const struct ops *o, enum place place, enum call_number call);

/* behaviour/process.c: what behaviours have in common */
void process_priority(const carrel_spec *s, struct ops *o);
void process_umask(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);
/* process_limits(s, o): those of ${s}, and no core file. */
void process_limits(const carrel_spec *s, struct ops *o);
/* process_probes(s, o): operations that try what nothing else tells, for the record. */
void process_probes(const carrel_spec *s, struct ops *o);

/* behaviour/limits.c: limits of the whole tree */
/* limits_asked(s): there are some that the control process holds. */
bool limits_asked(const carrel_spec *s);
/* limits_nproc(s): RLIMIT_NPROC holds the one on processes too. */
bool limits_nproc(const carrel_spec *s);
void limits_before(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);
/* limits_schedule(s, o): processors, input and output. */
void limits_schedule(const carrel_spec *s, struct ops *o);
/* process_policy(s, o): the system call policy. */
void process_policy(const carrel_spec *s, struct ops *o);
void process_exec(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);

/* behaviour/restrict.c */
/* Landlock's versions with the rights that paths take, with ports, operations on devices, and scopes. */
enum { LANDLOCK_ABI_PATHS = 3, LANDLOCK_ABI_PORTS = 4, LANDLOCK_ABI_DEVICES = 5, LANDLOCK_ABI_SCOPES = 6 };
#define CAP_NUMBER_SETPCAP 8

/* restrict_net(s), restrict_rules_wanted(s), restrict_capabilities_wanted(s): TCP is limited; Landlock rules have to
 * be written; capabilities are named or dropped. */
bool restrict_net(const carrel_spec *s);
bool restrict_rules_wanted(const carrel_spec *s);
bool restrict_capabilities_wanted(const carrel_spec *s);
/* restrict_word(word): the paths that a word such as "@tmp" stands for, or NULL. */
const char *const *restrict_word(const char *word);
/* restrict_rules(s, x, o): write the Landlock rules, where paths have the caller's meaning. */
void restrict_rules(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);
/* restrict_obey(s, scope, o): obey them from here on; without rules and without a word of the caller's keep to
 * ${scope} where the kernel can. */
void restrict_obey(const carrel_spec *s, const char *scope, struct ops *o);
/* restrict_capabilities(caps, place, o): exactly ${caps} for the task, and no way to more. */
void restrict_capabilities(uint64_t caps, enum place place, struct ops *o);
/* restrict_before_identity(s, x, o), restrict_after_identity(s, x, o): the same in the host's world, for what ${s}
 * says. */
void restrict_before_identity(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);
void restrict_after_identity(const carrel_spec *s, const struct behaviour_context *x, struct ops *o);

/* behaviour/root.c: what the task sees of file systems */
/* root_outside(s, h, o): what has to be opened before the namespaces are made. */
void root_outside(const struct host *h, struct ops *o);
/* root_inside(s, h, o): build the root, and go into it. */
void root_inside(const carrel_spec *s, const struct host *h, struct ops *o);
/* root_close(h, o): what root_outside() opened. */
void root_close(const struct host *h, struct ops *o);

/* behaviour/isolate.c */
/* isolate_program(s, x, b): the program of both behaviours that isolate. */
void isolate_program(const carrel_spec *s, const struct behaviour_context *x, struct buf *b);

#endif
