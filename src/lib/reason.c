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

const char *command_of(const carrel_spec *s)
{
	return s->shell != NULL ? "/bin/sh" : s->path != NULL ? s->path : s->argv != NULL ? s->argv[0] :
									  "the command";
}

/* The first bytes of the file that was to be executed, as the host sees it: how many, or -1. */
static ssize_t peek(const carrel_spec *s, const char *command, char *text, size_t size, struct stat *ret)
{
	scoped_fd dir = s->cwd != NULL ? open(s->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	scoped_fd fd = openat(dir >= 0 ? dir : AT_FDCWD, command, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1 || fstat(fd, ret) == -1)
		return -1;
	ssize_t n = S_ISREG(ret->st_mode) ? read(fd, text, size - 1) : 0;
	text[n > 0 ? n : 0] = 0;
	return n;
}

/* What the errno of execve(2) does not say; "" when there is nothing to add. */
static void exec_reason(const carrel_spec *s, int err, const char *command, char *why, size_t size)
{
	char text[128];
	struct stat st;
	ssize_t n = peek(s, command, text, sizeof(text), &st);

	*why = 0;
	if (n >= 0 && err == EACCES && S_ISDIR(st.st_mode)) {
		snprintf(why, size, "it is a directory");
	} else if (n >= 0 && err == EACCES && (st.st_mode & 0111) == 0) {
		snprintf(why, size, "it is not executable (chmod +x makes it so)");
	} else if (n > 2 && err == ENOENT && memcmp(text, "#!", 2) == 0) {
		char *name = text + 2 + strspn(text + 2, " \t");
		size_t len = strcspn(name, " \t\n");
		bool carriage = len > 0 && name[len - 1] == '\r';

		snprintf(why, size, "its interpreter '%.*s%s' is not there%s", (int)(len - carriage), name,
			 carriage ? "\\r" : "", carriage ? "; the file has lines of DOS" : "");
	} else if (n > 4 && err == ENOENT && memcmp(text, "\177ELF", 4) == 0) {
		snprintf(why, size, "its loader is not there; was it made for another libc?");
	} else if (err == EACCES && s->n_paths > 0) {
		snprintf(why, size, "%s; of the paths that are allowed, one must let it be executed (--exec DIR)", strerror(err));
	} else if (err == E2BIG) {
		snprintf(why, size, "Argument list too long: a word above 131072 bytes, or all together above a quarter of "
			 "the stack limit");
	}
}

static int exec_failed(const carrel_spec *s, const carrel_error *f, carrel_error *e)
{
	const char *command = command_of(s);
	bool searched = s->argv != NULL && s->path == NULL && strchr(command, '/') == NULL;
	char why[120];

	if (*command == 0)
		return error_set(e, f->stage, f->err, f->index, "cannot run '': the command is an empty word");
	if (f->err == ENOENT && searched)
		return error_set(e, f->stage, f->err, f->index, "cannot run '%.80s': not found in PATH", command);
	exec_reason(s, f->err, command, why, sizeof(why));
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
	if (f->stage == CARREL_STAGE_RLIMIT)
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
	else if (strstr(operation, " chdir(") != NULL)
		snprintf(why, size, "cannot change to the directory '%.100s': %s", s->cwd, strerror(f->err));
}

int request_failed(const carrel_spec *s, const struct request *r, const carrel_error *f, carrel_error *e)
{
	char text[150], why[180];
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
	return error_set(e, f->stage, f->err, f->index, "cannot run '%.40s': %s: %.80s", command_of(s), text,
			 f->msg[0] != 0 ? f->msg : strerror(f->err));
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
