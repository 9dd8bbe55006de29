/* SPDX-License-Identifier: ISC */
/* From a checked spec to the request that the control process gets. */
#include "explain.h"

#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* ---------------------------------------------------------- descriptors --- */

/* ${fd} is ours and of no use once it was sent. */
static int keep(struct request *r, int fd)
{
	r->close_after[r->n_close++] = fd;
	return fd;
}

/* A pipe for one stream (${one_way}: who owns it, as a task of our own user does, cannot open its end for the other
 * direction): our end in *${ret_ours}, the task's is returned. */
static int make_pipe(struct request *r, const carrel_io *io, bool to_task, bool one_way, int *ret_ours)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -errno;
	*ret_ours = fd[to_task];
	int theirs = keep(r, fd[!to_task]);
	if (one_way && fchmod(theirs, to_task ? 0400 : 0200) == -1)
		return -errno;
	if (io->pipe_size > 0 && fcntl(theirs, F_SETPIPE_SZ, io->pipe_size) == -1)
		return -errno;
	int e = fd_nonblock(*ret_ours);
	return e < 0 ? e : theirs;
}

/* The host's own file. */
static int open_file(struct request *r, const carrel_io *io, int i)
{
	int how = O_WRONLY | O_CREAT | (io->append ? O_APPEND : O_TRUNC);
	int fd = open(io->path, (i == 0 ? O_RDONLY : how) | O_NOCTTY | O_CLOEXEC, 0666);

	return fd == -1 ? -errno : keep(r, fd);
}

/* One terminal for all streams that want it: made for stdout, which always does. */
static int terminal_fd(struct request *r, const carrel_spec *s, int i)
{
	if (r->terminal < 0) {
		int e = terminal_open(s, &r->out[0], &r->terminal);

		if (e < 0)
			return e;
		keep(r, r->terminal);
	}
	if (i == 0 && (r->in = fcntl(r->out[0], F_DUPFD_CLOEXEC, 0)) == -1)
		return -errno;
	return r->terminal;
}

static int stream_fd(carrel *c, struct request *r, const carrel_spec *s, int i)
{
	const carrel_io *io[] = { &s->in, &s->out, &s->err };

	switch (io[i]->kind) {
	case CARREL_PIPE:
	case CARREL_FEED:
		return make_pipe(r, io[i], i == 0, spec_isolated(s), i == 0 ? &r->in : &r->out[i - 1]);
	case CARREL_INHERIT:
		return i;
	case CARREL_FD:
		return io[i]->fd;
	case CARREL_TO_STDOUT:
		return r->fds[1];
	case CARREL_FILE:
		return open_file(r, io[i], i);
	case CARREL_PTY:
		return terminal_fd(r, s, i);
	default:
		return c->null;
	}
}

static int stream_failed(const carrel_spec *s, int i, int err, carrel_error *e)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const carrel_io *io[] = { &s->in, &s->out, &s->err };

	if (io[i]->kind == CARREL_FILE)
		return error_set(e, CARREL_STAGE_FILE, err, i, "cannot open '%.120s' for %s: %s", io[i]->path,
				 names[i], strerror(err));
	return error_set(e, CARREL_STAGE_FDS, err, i, "cannot make the %s for %s: %s",
			 io[i]->kind == CARREL_PTY ? "terminal" : "pipe", names[i], strerror(err));
}

int request_streams(carrel *c, const carrel_spec *s, struct request *r, carrel_error *e)
{
	for (int i = 0; i < 3; i++) {
		int fd = stream_fd(c, r, s, i);

		if (fd < 0)
			return stream_failed(s, i, -fd, e);
		r->fds[r->n_fds++] = fd;
	}
	return 0;
}

/* The task's end of its own socket. */
static int task_fd(struct request *r)
{
	int pair[2];
	int e = sys_socketpair(pair);

	if (e < 0)
		return e;
	r->socket = pair[0];
	r->fds[r->n_fds++] = keep(r, pair[1]);
	return 0;
}

static int open_fds(carrel *c, struct request *r, const carrel_spec *s, carrel_error *e)
{
	if (request_streams(c, s, r, e) < 0)
		return -1;
	int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cwd == -1)
		return error_set(e, CARREL_STAGE_CWD, errno, -1, "cannot open the current directory: %s",
				 strerror(errno));
	r->fds[r->n_fds++] = keep(r, cwd);
	int err = r->serves ? task_fd(r) : 0;
	if (err < 0)
		return error_set(e, CARREL_STAGE_CHANNEL, -err, -1, "cannot make a socket pair: %s", strerror(-err));
	for (size_t i = 0; i < s->n_pass_fds; i++)
		r->fds[r->n_fds++] = s->pass_fds[i][0];
	if (s->filter_listens)
		r->fds[r->n_fds++] = s->filter_socket;
	return 0;
}

/* -------------------------------------------------------------- the body --- */

/* The host's file creation mask.  Asking with umask(2) would change it for other threads, if there are any. */
static int host_umask(const carrel *c)
{
	char text[512], *line;
	unsigned mask;

	if (c != NULL && c->alone) {
		mask = umask(0077);
		umask((mode_t)mask);
		return (int)mask;
	}
	if (fd_read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
		return -1;
	line = strstr(text, "\nUmask:");
	return line != NULL && sscanf(line + 7, "%o", &mask) == 1 ? (int)mask : -1;
}

static const char *search_path(char **env)
{
	for (size_t i = 0; env[i] != NULL; i++) {
		if (strncmp(env[i], "PATH=", 5) == 0)
			return env[i] + 5;
	}
	return DEFAULT_PATH;
}

static void out_options(struct buf *b, const carrel_spec *s, bool serves)
{
	struct spawn_options o = { .timeout_ms = s->timeout_ms,
				   .wait_tree = s->on_exit == CARREL_EXIT_WAIT_TREE,
				   .keep_tree = s->on_exit == CARREL_EXIT_KEEP_TREE,
				   .trace = s->trace,
				   .record = s->record,
				   .limits = limits_asked(s) || s->ops != NULL,
				   .serve = serves,
				   .group = getpgrp() };

	while (o.n_stop < CARREL_STEPS_MAX && s->stop[o.n_stop].sig != 0) {
		o.stop[o.n_stop] = (struct step){ s->stop[o.n_stop].sig, s->stop[o.n_stop].wait_ms };
		o.n_stop++;
	}
	spawn_options_out(b, &o);
}

static void out_names(struct buf *b, const carrel_spec *s, bool serves)
{
	term_out_list(b, (uint32_t)(4 + serves + s->n_pass_fds + (s->filter_listens ? 1 : 0)));
	term_out_atom(b, "stdin");
	term_out_atom(b, "stdout");
	term_out_atom(b, "stderr");
	term_out_atom(b, "cwd");
	if (serves)
		term_out_atom(b, "task");
	for (size_t i = 0; i < s->n_pass_fds; i++)
		term_out_int(b, s->pass_fds[i][1]);
	if (s->filter_listens)
		term_out_int(b, spec_listener(s));
	term_out_nil(b);
}

static void out_env(struct buf *b, char **env)
{
	uint32_t n = 0;

	while (env[n] != NULL)
		n++;
	term_out_list(b, n);
	for (uint32_t i = 0; i < n; i++)
		term_out_text(b, env[i]);
	if (n > 0)
		term_out_nil(b);
}

/* The program of the request, decoded, in memory that is to be freed; NULL with the decoder's words in ${e}. */
static void *decoded(const struct request *r, struct program *ret, carrel_error *e)
{
	struct program_error pe;
	struct term_in in;
	size_t size = program_memory(r->body.len);
	void *mem = malloc(size);

	if (mem == NULL) {
		error_set(e, CARREL_STAGE_ARGS, ENOMEM, -1, "no memory for the operations");
		return NULL;
	}
	term_in_init(&in, r->body.data + r->names_at, r->body.len - r->names_at);
	int err = program_in(&in, mem, size, ret, &pe);
	if (err == 0)
		return mem;
	free(mem);
	if (pe.arg < 0)
		error_set(e, CARREL_STAGE_ARGS, -err, pe.index, "operation %d: expected %s", pe.index + 1, pe.what);
	else
		error_set(e, CARREL_STAGE_ARGS, -err, pe.index, "operation %d, argument %d: expected %s", pe.index + 1,
			  pe.arg + 1, pe.what);
	return NULL;
}

/* A program of the caller's: read it, and let the decoder say what is wrong with it here already. */
static int own_program(const carrel_spec *s, struct request *r, carrel_error *e)
{
	struct text_error te;
	struct program p;

	if (program_text_in(s->ops, strlen(s->ops), &r->body, &te) < 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "operations, line %d: %s", te.line,
				 te.what[0] != 0 ? te.what : "too large");
	void *mem = decoded(r, &p, e);
	free(mem);
	return mem != NULL ? 0 : -1;
}

/* The behaviour's program, with the caller's operations in it if there are any. */
static int out_behaviour(const carrel_spec *s, struct behaviour_context *x, struct request *r, carrel_error *e)
{
	struct phases override = { 0 }, add = { 0 };
	struct program p;
	int err = 0;

	if (s->ops_override != NULL) {
		err = phases_read(s->ops_override, "ops_override", &override, e);
		x->override = &override;
	}
	if (s->ops_add != NULL && err == 0) {
		err = phases_read(s->ops_add, "ops_add", &add, e);
		x->add = &add;
	}
	if (err == 0)
		behaviour_of(s)->program(s, x, &r->body);
	phases_finish(&override);
	phases_finish(&add);
	if (err < 0 || r->body.err != 0 || (s->ops_override == NULL && s->ops_add == NULL))
		return err;
	void *mem = decoded(r, &p, e);
	free(mem);
	return mem != NULL ? 0 : -1;
}

/* A number that no other task of the handle has now; without a handle none is started. */
static uint32_t id_slot_take(carrel *c, struct request *r)
{
	uint32_t taken = c != NULL ? c->id_slots : 0;

	if (c == NULL)
		return 0;
	while (~taken != 0) {
		int slot = __builtin_ctz(~taken);

		if (atomic_compare_exchange_weak(&c->id_slots, &taken, taken | UINT32_C(1) << slot)) {
			r->id_slot = slot;
			return (uint32_t)slot;
		}
	}
	return 32 + c->next_id;
}

void id_slot_free(carrel *c, int *slot)
{
	if (*slot >= 0)
		atomic_fetch_and(&c->id_slots, ~(UINT32_C(1) << *slot));
	*slot = -1;
}

static int out_program(carrel *c, const carrel_spec *s, struct behaviour_context x, struct request *r, carrel_error *e)
{
	struct host host;
	int err = restriction_look(s, &x, e);

	if (err == 0)
		err = limits_devices(s, x.io, e);
	if (err < 0)
		return err;
	if (!behaviour_of(s)->isolates)
		return out_behaviour(s, &x, r, e);
	err = host_look(s, c != NULL && c->guard > 0 ? c->guard : getpid(), id_slot_take(c, r), &host, e);
	x.view = &host;
	if (err == 0)
		err = out_behaviour(s, &x, r, e);
	host_finish(&host);
	return err;
}

static int out_body(carrel *c, const carrel_spec *s, struct request *r, carrel_error *e)
{
	struct behaviour_context x = { .host = getpid(), .umask = -1, .serves = r->serves };
	char **env = spec_env(s, e);
	int err = 0;

	if (env == NULL)
		return -1;
	if (!(s->set & CARREL_SET_UMASK))
		x.umask = host_umask(c);
	x.search = search_path(env);
	term_out_version(&r->body);
	term_out_tuple(&r->body, 4);
	out_options(&r->body, s, r->serves);
	r->names_at = r->body.len;
	out_names(&r->body, s, r->serves);
	out_env(&r->body, env);
	r->program_at = r->body.len;
	if (s->ops != NULL)
		err = own_program(s, r, e);
	else
		err = out_program(c, s, x, r, e);
	free(env);
	if (err == 0 && r->body.err != 0)
		err = error_set(e, CARREL_STAGE_ARGS, r->body.err == EMSGSIZE ? E2BIG : r->body.err, -1,
				"the arguments and the environment are too large: %s",
				strerror(r->body.err == EMSGSIZE ? E2BIG : r->body.err));
	return err;
}

void request_init(struct request *r)
{
	*r = (struct request){ .in = -1, .out = { -1, -1 }, .terminal = -1, .socket = -1 };
	buf_init(&r->body, MESSAGE_BODY_MAX);
}

int request_create(carrel *c, const carrel_spec *s, bool start, struct request *r, carrel_error *e)
{
	buf_reserve(&r->body, 8192);
	if (out_body(c, s, r, e) < 0)
		return -1;
	return start ? open_fds(c, r, s, e) : 0;
}

void request_finish(struct request *r)
{
	buf_finish(&r->body);
	for (size_t i = 0; i < r->n_close; i++)
		fd_close(r->close_after[i]);
	r->n_close = 0;
	r->socket = fd_close(r->socket);
	r->in = fd_close(r->in);
	r->out[0] = fd_close(r->out[0]);
	r->out[1] = fd_close(r->out[1]);
}

/* What ${form} makes of the request ${r}: 0 or -errno. */
static int describe(const carrel_spec *s, const struct request *r, carrel_form form, struct buf *text, carrel_error *e)
{
	struct program p;
	struct term_in in;

	term_in_init(&in, r->body.data + r->program_at, r->body.len - r->program_at);
	if (form == CARREL_FORM_OPS)
		return program_text_out(&in, text);
	if (form == CARREL_FORM_JSON)
		return program_json_out(&in, text);
	void *mem = decoded(r, &p, e);
	int err = mem != NULL ? explain_program(s, &p, in, text) : -errno;
	free(mem);
	return err;
}

EXPORT int carrel_describe(const carrel_spec *s, carrel_form form, char **ret_text, carrel_error *e)
{
	carrel_spec full;
	struct request r;
	struct buf text;

	if (ret_text == NULL)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "ret_text is NULL");
	if ((unsigned)form > CARREL_FORM_WORDS)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "form %d is none", (int)form);
	if (spec_check(s, &full, e) < 0)
		return -1;
	request_init(&r);
	int err = request_create(NULL, &full, false, &r, e);
	if (err == 0) {
		buf_init(&text, MESSAGE_BODY_MAX);
		*ret_text = describe(&full, &r, form, &text, e) == 0 ? buf_steal_text(&text) : NULL;
		buf_finish(&text);
		if (*ret_text == NULL)
			err = error_set(e, CARREL_STAGE_ARGS, E2BIG, -1, "the operations are too large to print");
	}
	request_finish(&r);
	return err;
}

EXPORT int carrel_print_ops(const carrel_spec *s, char **ret_text, carrel_error *e)
{
	return carrel_describe(s, CARREL_FORM_OPS, ret_text, e);
}
