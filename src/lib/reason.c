/* SPDX-License-Identifier: ISC */
/* Why a command could not be run, in words that say what to do. */
#include "internal.h"

#include "constant.h"
#include "fd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The text of one operation of the request. */
static int op_text(const struct request *r, int index, struct buf *b)
{
	struct term_in in;
	uint32_t n;

	term_in_init(&in, r->body.data + r->program_at, r->body.len - r->program_at);
	if (index < 0 || term_in_list(&in, &n) < 0 || (uint32_t)index >= n)
		return -1;
	for (int i = 0; i < index; i++) {
		if (term_in_skip(&in) < 0)
			return -1;
	}
	return program_op_text(&in, b);
}

/* How many operations of the same place stand behind number ${index}. */
static uint32_t ops_left(const struct request *r, int index)
{
	struct slice place, first = { NULL, 0 };
	struct term_in in, one;
	uint32_t n, left = 0;

	term_in_init(&in, r->body.data + r->program_at, r->body.len - r->program_at);
	if (index < 0 || term_in_list(&in, &n) < 0)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		one = in;
		if (term_in_skip(&in) < 0 || term_in_tuple(&one, 4) < 0 || term_in_atom(&one, &place) < 0)
			return 0;
		if ((int)i == index)
			first = place;
		else if ((int)i > index)
			left += place.len == first.len && memcmp(place.data, first.data, place.len) == 0;
	}
	return left;
}

const char *command_of(const carrel_spec *s)
{
	return s->shell != NULL ? "/bin/sh" : s->path != NULL ? s->path : s->argv != NULL ? s->argv[0] :
									  "the command";
}

ssize_t peek_command(int dir, const char *command, char *text, size_t size, struct stat *ret)
{
	scoped_fd fd = openat(dir, command, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1 || fstat(fd, ret) == -1)
		return -1;
	ssize_t n = S_ISREG(ret->st_mode) ? read(fd, text, size - 1) : 0;
	text[n > 0 ? n : 0] = 0;
	return n;
}

void peek_reason(int err, const char *text, ssize_t n, const struct stat *st, const char *where, char *why, size_t size)
{
	*why = 0;
	if (n >= 0 && err == EACCES && S_ISDIR(st->st_mode)) {
		snprintf(why, size, "it is a directory");
	} else if (n >= 0 && err == EACCES && (st->st_mode & 0111) == 0) {
		snprintf(why, size, "it is not executable (chmod +x makes it so)");
	} else if (n > 2 && err == ENOENT && memcmp(text, "#!", 2) == 0) {
		const char *name = text + 2 + strspn(text + 2, " \t");
		size_t len = strcspn(name, " \t\n");
		bool carriage = len > 0 && name[len - 1] == '\r';

		snprintf(why, size, "its interpreter '%.*s%s' is not%s", (int)(len - carriage), name,
			 carriage ? "\\r" : "", carriage ? " there; the file has lines of DOS" : where);
	} else if (n > 4 && err == ENOENT && memcmp(text, "\177ELF", 4) == 0) {
		snprintf(why, size, "its loader is not%s; was it made for another libc?", where);
	}
}

/* What the errno of execve(2) does not say; "" when there is nothing to add. */
static void exec_reason(const carrel_spec *s, int err, const char *command, char *why, size_t size)
{
	char text[128];
	struct stat st;

	*why = 0;
	if (s->ops == NULL && spec_isolated(s)) {
		isolate_exec_reason(s, err, command, why, size);
	} else {
		scoped_fd dir = s->cwd != NULL ? open(s->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
		bool searched = s->argv != NULL && s->path == NULL && strchr(command, '/') == NULL;
		ssize_t n = err == ENOENT && searched ?
				    -1 : peek_command(dir >= 0 ? dir : AT_FDCWD, command, text, sizeof(text), &st);

		peek_reason(err, text, n, &st, " there", why, size);
	}
	if (*why == 0 && err == EACCES && s->n_paths > 0)
		snprintf(why, size, "%s; of the paths that are allowed, one must let it be executed (--exec DIR)", strerror(err));
	else if (*why == 0 && err == E2BIG)
		snprintf(why, size, "Argument list too long: a word above 131072 bytes, or all together above a quarter of "
			 "the stack limit");
}

static int exec_failed(const carrel_spec *s, const carrel_error *f, carrel_error *e)
{
	const char *command = command_of(s);
	bool searched = s->argv != NULL && s->path == NULL && strchr(command, '/') == NULL;
	char why[180];

	if (*command == 0)
		return error_set(e, f->stage, f->err, f->index, "cannot run '': the command is an empty word");
	exec_reason(s, f->err, command, why, sizeof(why));
	if (*why == 0 && f->err == ENOENT && searched)
		return error_set(e, f->stage, f->err, f->index, "cannot run '%.80s': not found in PATH", command);
	return error_set(e, f->stage, f->err, f->index, "cannot run '%.90s': %s", command,
			 *why != 0 ? why : strerror(f->err));
}

/* "12345", or "unlimited". */
static const char *amount(uint64_t n, char text[24])
{
	if (n == UINT64_MAX)
		return "unlimited";
	snprintf(text, 24, "%llu", (unsigned long long)n);
	return text;
}

/* The limit of the spec that ${operation} sets. */
static void limit_reason(const carrel_spec *s, const carrel_error *f, const char *operation, char *why, size_t size)
{
	for (size_t i = 0; i < s->n_limits; i++) {
		const carrel_rlimit *l = &s->limits[i];
		const char *name = constant_name('r', l->what);
		struct rlimit now = { 0 };
		char soft[24], hard[24], have[24];

		if (name == NULL || strstr(operation, name) == NULL)
			continue;
		if (f->err == EPERM && geteuid() == 0)
			snprintf(why, size, "the limit %s=%s:%s is above what the kernel allows%s", name + strlen("rlimit_"),
				 amount(l->soft, soft), amount(l->hard, hard),
				 l->what == RLIMIT_NOFILE ? " (/proc/sys/fs/nr_open)" : "");
		else if (f->err == EPERM && getrlimit((RLIMIT_WHAT)l->what, &now) == 0)
			snprintf(why, size, "the limit %s=%s:%s is above the hard limit %s, which only root may raise",
				 name + strlen("rlimit_"), amount(l->soft, soft), amount(l->hard, hard),
				 amount((uint64_t)now.rlim_max, have));
		else
			snprintf(why, size, "cannot set the limit %s=%s:%s: %s", name + strlen("rlimit_"),
				 amount(l->soft, soft), amount(l->hard, hard), strerror(f->err));
		return;
	}
}

/* A limit of the whole tree that nothing here can hold. */
static void tree_limit_reason(const carrel_error *f, const char *operation, char *why, size_t size)
{
	static const struct {
		const char *operation, *what;
	} limits[] = { { "limit_memory(", "memory" }, { "limit_pids(", "pids" }, { "limit_cpu(", "cpu" },
		       { "limit_io(", "io" } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (strstr(operation, limits[i].operation) != NULL)
			snprintf(why, size, "cannot limit %s: %.120s", limits[i].what,
				 f->msg[0] != 0 ? f->msg : strerror(f->err));
	}
}

/* Rules that the kernel did not take. */
static void rules_reason(const carrel_error *f, const char *operation, char *why, size_t size)
{
	const char *path = strchr(operation, '"');

	if (f->err == E2BIG)
		snprintf(why, size, "16 layers of Landlock rules are in force here already, which is the kernel's limit: too "
			 "many restrictions inside of each other");
	else if (strstr(operation, "landlock_allow(") != NULL && path != NULL)
		snprintf(why, size, "cannot allow '%.*s': %s", (int)strcspn(path + 1, "\""), path + 1, strerror(f->err));
	else
		snprintf(why, size, "cannot set the Landlock rules: %s", strerror(f->err));
}

/* In words of the spec, when it is the behaviour's operation that failed; "" when there are none. */
static void spec_reason(const carrel_spec *s, const carrel_error *f, const char *operation, char *why, size_t size)
{
	*why = 0;
	if (f->stage == CARREL_STAGE_FORK && f->err == EAGAIN)
		snprintf(why, size, "cannot make a process: a limit on processes is reached (ulimit -u, or of a cgroup)");
	if (s->ops != NULL)
		return;
	if (strstr(operation, " id_map_by(") != NULL)
		snprintf(why, size, "subids: %s did not map the ids%s", strstr(operation, "newgidmap") != NULL ? "newgidmap" :
			 "newuidmap", f->err == EPERM ? ": it refused, or may not gain rights here (set-user-ID, no_new_privs)" :
			 f->err == ENOENT ? ": it is not there, or was killed" : "");
	else if (s->net_path != NULL && strncmp(operation, "outside setns(", 14) == 0)
		snprintf(why, size, "net: cannot join '%.80s': %s%s", s->net_path, strerror(f->err), f->err == EPERM ?
			 " (that takes root over it, and CAP_SYS_ADMIN here)" : "");
	else if (s->subids && strstr(operation, "init setgroups(") != NULL && f->err == EINVAL)
		snprintf(why, size, "groups: one of them is not among the ids that are mapped (/etc/subgid)");
	else if (f->stage == CARREL_STAGE_RLIMIT && strstr(operation, "before limit_") != NULL)
		tree_limit_reason(f, operation, why, size);
	else if (f->stage == CARREL_STAGE_RLIMIT)
		limit_reason(s, f, operation, why, size);
	else if (strstr(operation, " id_map(") != NULL && f->err == EACCES)
		snprintf(why, size, "cannot map its user and group: %s; Landlock rules for files around carrel forbid that and "
			 "mounts (use -b process there)", strerror(f->err));
	else if (strstr(operation, " landlock_") != NULL)
		rules_reason(f, operation, why, size);
	else if (f->stage == CARREL_STAGE_IDS && f->err == EPERM)
		snprintf(why, size, "only root may run a command as another user or group (it takes CAP_SETUID and CAP_SETGID)");
	else if (strstr(operation, "setpriority(") != NULL && (f->err == EPERM || f->err == EACCES))
		snprintf(why, size, "only root may set the priority %d (a nice value below the own one; see RLIMIT_NICE)",
			 s->priority);
	else if (strstr(operation, "sched_setaffinity(") != NULL)
		snprintf(why, size, "cannot use the processors of cpus: %s (none of them is there or allowed?)", strerror(f->err));
	else if (strstr(operation, "ioprio_set(") != NULL && f->err == EPERM)
		snprintf(why, size, "only root may set the io_priority realtime");
	else if (strstr(operation, "oom_score_adj(") != NULL && f->err == EACCES)
		snprintf(why, size, "only who has CAP_SYS_RESOURCE may lower oom_score_adj, to %d here", s->oom_score_adj);
	else if (strstr(operation, "task chdir(") != NULL && s->cwd != NULL && strstr(operation, s->cwd) != NULL)
		snprintf(why, size, "cannot change to the directory '%.100s'%s: %s", s->cwd,
			 spec_isolated(s) ? " of its root" : "", strerror(f->err));
	else if (spec_isolated(s))
		isolate_mount_reason(s, f->err, operation, why, size);
}

int request_failed(const carrel_spec *s, const struct request *r, const carrel_error *f, carrel_error *e)
{
	char text[4500], why[180];
	struct buf b;

	if (f->stage == CARREL_STAGE_EXEC)
		return exec_failed(s, f, e);
	if (f->stage == CARREL_STAGE_NAMESPACE && f->msg[0] != 0)
		return error_set(e, f->stage, f->err, f->index,
				 "cannot run '%.40s': %.80s forbids namespaces: change that, run as root with -b container, or use -b process",
				 command_of(s), f->msg);
	/* Texts that are too long for the sentence are cut, so room for more is not needed. */
	buf_init(&b, MESSAGE_BODY_MAX);
	if (op_text(r, f->index, &b) == 0 && b.err == 0)
		snprintf(text, sizeof(text), "%.*s", (int)b.len, (const char *)b.data);
	else
		snprintf(text, sizeof(text), "%s", f->index < 0 ? carrel_stage_name(f->stage) : "an operation");
	buf_finish(&b);
	spec_reason(s, f, text, why, sizeof(why));
	if (*why != 0)
		return error_set(e, f->stage, f->err, f->index, "cannot run '%.40s': %s", command_of(s), why);
	const char *reason = f->msg[0] != 0 ? f->msg : strerror(f->err);
	uint32_t left = ops_left(r, f->index);
	if (left == 0)
		return error_set(e, f->stage, f->err, f->index, "cannot run '%.40s': %.149s: %.80s", command_of(s), text,
				 reason);
	return error_set(e, f->stage, f->err, f->index, "cannot run '%.40s': %.120s: %.60s (%u more were to follow)",
			 command_of(s), text, reason, left);
}

/* Lines for the CARREL_OP events of a traced start. */
int request_trace(const struct request *r, int index, int64_t result, struct buf *b)
{
	if (op_text(r, index, b) < 0)
		return -1;
	if (result < 0)
		buf_printf(b, " = %s", strerror((int)-result));
	else
		buf_printf(b, " = %lld", (long long)result);
	return 0;
}
