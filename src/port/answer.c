/* SPDX-License-Identifier: ISC */
/* PROVISIONAL: a few rows, to try the port with. */
#include "answer.h"

#include "constant.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* i u integer; c integer or signal; m flags; a atom; p path; b bytes; v texts; l limit; h handler; r resource */
static const struct call rows[128] = {
	[13] = { .name = "clone", .args = "m", .number = 13, .argc = 1 },
	[15] = { .name = "close", .args = "i", .number = 15, .argc = 1 },
	[17] = { .name = "cpid", .args = "", .number = 17 },
	[20] = { .name = "execve", .args = "pvv", .number = 20, .argc = 3 },
	[21] = { .name = "execvp", .args = "pv", .number = 21, .argc = 2 },
	[22] = { .name = "exit", .args = "i", .number = 22, .argc = 1 },
	[23] = { .name = "fcntl", .args = "iii", .number = 23, .argc = 3 },
	[25] = { .name = "fexecve", .args = "ivv", .number = 25, .argc = 3 },
	[27] = { .name = "filter", .args = "bb", .number = 27, .argc = 2 },
	[28] = { .name = "fork", .args = "", .number = 28 },
	[34] = { .name = "getopt", .args = "a", .number = 34, .argc = 1 },
	[36] = { .name = "getpid", .args = "", .number = 36 },
	[49] = { .name = "kill", .args = "ii", .number = 49, .argc = 2 },
	[56] = { .name = "open", .args = "piu", .number = 56, .argc = 3 },
	[64] = { .name = "read", .args = "iu", .number = 64, .argc = 2 },
	[71] = { .name = "setcpid", .args = "uai", .number = 71, .argc = 3 },
	[77] = { .name = "setopt", .args = "ai", .number = 77, .argc = 2 },
	[80] = { .name = "setproctitle", .args = "b", .number = 80, .argc = 1 },
	[83] = { .name = "setrlimit", .args = "il", .number = 83, .argc = 2 },
	[86] = { .name = "sigaction", .args = "ch", .number = 86, .argc = 2 },
	[93] = { .name = "unlink", .args = "p", .number = 93, .argc = 1 },
	[97] = { .name = "version", .args = "", .number = 97 },
	[98] = { .name = "waitpid", .args = "ii", .number = 98, .argc = 2 },
	[99] = { .name = "write", .args = "ib", .number = 99, .argc = 2 },
};
static const struct call none = { .name = "", .args = "" };

const struct call *port_row(unsigned number)
{
	return rows[number].name != NULL ? &rows[number] : &none;
}

static int text(struct slice s, struct arena *mem, struct arg *a)
{
	char *t = arena_take(mem, s.len + 1, 1, 1);

	if (t == NULL)
		return -1;
	if (s.len > 0)
		memcpy(t, s.data, s.len);
	*a = (struct arg){ .kind = ARG_BYTES, .s = t, .n = (uint32_t)s.len };
	return 0;
}

static int limits(struct term_in *in, struct arg *a)
{
	struct slice name;

	return term_in_tuple(in, 3) < 0 || term_in_atom(in, &name) < 0 ||
	       term_in_uint(in, UINT64_MAX, &a->u[0]) < 0 || term_in_uint(in, UINT64_MAX, &a->u[1]) < 0;
}

static int one(struct term_in *in, char letter, struct arena *mem, struct arg *a)
{
	struct term t;
	char **v;

	if (letter == 'l')
		return limits(in, a);
	if (letter == 'v') {
		if (texts_in(in, mem, &v, &a->n) < 0)
			return -1;
		a->v = a->n == 0 ? NULL : v;
		return 0;
	}
	if (term_in_next(in, &t) < 0)
		return -1;
	if (t.kind == TERM_ATOM && letter == 'c')
		return constant_value('s', t.bytes, &a->i);
	if (letter == 'a' ? t.kind != TERM_ATOM : t.kind == TERM_ATOM && letter != 'h')
		return -1;
	if (letter == 'h') {
		a->i = t.kind == TERM_NIL ? HANDLER_QUERY : slice_is(t.bytes, "sig_dfl") ? HANDLER_DEFAULT :
		       slice_is(t.bytes, "sig_ign") ? HANDLER_IGNORE : HANDLER_INFO;
		return t.kind == TERM_ATOM && a->i == HANDLER_INFO && !slice_is(t.bytes, "sig_info");
	}
	if (t.kind == TERM_INT)
		return term_int(&t, &a->i);
	return text(t.bytes, mem, a);
}

int port_decode(const struct call *c, struct term_in *in, struct arg *arg, struct arena *mem,
		struct buf *reply)
{
	if (c == &none || term_in_tuple(in, c->argc) < 0) {
		reply_atom(reply, "badarg");
		return -1;
	}
	for (int i = 0; i < c->argc; i++) {
		if (one(in, c->args[i], mem, &arg[i]) != 0) {
			reply_atom(reply, "badarg");
			return -1;
		}
	}
	return 0;
}

static void reply_result(struct buf *reply, int64_t r, int plain)
{
	if (r == -1)
		reply_error(reply, errno);
	else if (plain)
		reply_ok(reply);
	else
		reply_ok_int(reply, r);
}

void port_perform(const struct call *c, const struct arg *a, struct buf *reply)
{
	static char data[65536];
	ssize_t n;

	switch (c->number) {
	case 23:
		reply_result(reply, fcntl((int)a[0].i, (int)a[1].i, (int)a[2].i), 0);
		break;
	case 36:
		reply_int(reply, getpid());
		break;
	case 49:
		reply_result(reply, kill((pid_t)a[0].i, (int)a[1].i), 1);
		break;
	case 56:
		reply_result(reply, open(a[0].s, (int)a[1].i, (mode_t)a[2].i), 0);
		break;
	case 64:
		n = read((int)a[0].i, data, (size_t)a[1].i);
		if (n == -1) {
			reply_error(reply, errno);
			break;
		}
		term_out_version(reply);
		term_out_tuple(reply, 2);
		term_out_atom(reply, "ok");
		term_out_binary(reply, data, (size_t)n);
		break;
	case 93:
		reply_result(reply, unlink(a[0].s), 1);
		break;
	case 97:
		term_out_version(reply);
		term_out_binary(reply, "1.0.1", 5);
		break;
	case 99:
		reply_result(reply, write((int)a[0].i, a[1].s, a[1].n), 0);
		break;
	default:
		reply_atom(reply, "undef");
	}
}

void reply_atom(struct buf *reply, const char *name)
{
	term_out_version(reply);
	term_out_atom(reply, name);
}

void reply_ok(struct buf *reply)
{
	reply_atom(reply, "ok");
}

void reply_int(struct buf *reply, int64_t n)
{
	term_out_version(reply);
	term_out_int(reply, n);
}

void reply_ok_int(struct buf *reply, int64_t n)
{
	term_out_version(reply);
	term_out_tuple(reply, 2);
	term_out_atom(reply, "ok");
	term_out_int(reply, n);
}

void reply_error(struct buf *reply, int err)
{
	static const char *const names[] = { [EPERM] = "eperm", [ENOENT] = "enoent", [ESRCH] = "esrch",
					     [EINTR] = "eintr", [EBADF] = "ebadf", [ECHILD] = "echild",
					     [EAGAIN] = "eagain", [ENOMEM] = "enomem", [EACCES] = "eacces",
					     [EINVAL] = "einval", [EMFILE] = "emfile", [ENOEXEC] = "enoexec" };
	const char *name = err >= 0 && err < (int)(sizeof(names) / sizeof(*names)) ? names[err] : NULL;

	term_out_version(reply);
	term_out_tuple(reply, 2);
	term_out_atom(reply, "error");
	term_out_atom(reply, name != NULL ? name : "unknown");
}
