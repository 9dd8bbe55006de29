/* SPDX-License-Identifier: ISC */
/* A task: wait for a call, make it, answer. */
#include "serve.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Memory for arguments and for values: address space, which costs nothing until it is written to. */
#define ARGUMENTS_MAX ((size_t)96 << 20)
#define VALUES_MAX ((size_t)64 << 20)
/* Where there is no room for it. */
#define SMALL ((size_t)512 << 10)
/* What a call wrote to beyond this is given back. */
#define KEPT ((size_t)256 << 10)
/* Our descriptors begin here, if the limit allows it. */
#define PRIVATE_FIRST 1000

static struct serve serve;

bool serve_is_program;

static struct arena memory(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		size = SMALL;
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return p == MAP_FAILED ? (struct arena){ NULL, NULL } : (struct arena){ p, p + size };
}

static void give_back(struct arena all, const char *used_to)
{
	if (used_to > all.p + KEPT)
		madvise(all.p + KEPT, (size_t)(used_to - all.p) - KEPT, MADV_DONTNEED);
}

bool serve_is_private(const struct serve *s, int64_t fd)
{
	for (int i = 0; i < PRIVATE_COUNT; i++) {
		if (fd >= 0 && fd == s->k.private[i])
			return true;
	}
	return false;
}

void serve_move_private(struct serve *s)
{
	for (int i = 0; i < PRIVATE_COUNT; i++) {
		int fd = s->k.private[i];

		if (fd < 0 || fd >= PRIVATE_FIRST)
			continue;
		int moved = fcntl(fd, F_DUPFD_CLOEXEC, PRIVATE_FIRST);
		if (moved == -1) {
			struct rlimit limit;

			/* As high as may be, below a lower limit. */
			if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 16 && limit.rlim_cur < PRIVATE_FIRST + 16)
				moved = fcntl(fd, F_DUPFD_CLOEXEC, (int)limit.rlim_cur - 8);
		}
		if (moved == -1)
			continue;
		close(fd);
		s->k.private[i] = moved;
	}
}

int serve_tell(const struct serve *s, enum message_type type, uint32_t id, const struct buf *body, int fd, bool wait)
{
	if (body->err != 0)
		return -body->err;
	return link_send(s->k.private[PRIVATE_SOCKET], type, id, body->data, body->len, &fd, fd >= 0, wait);
}

/* What usual answers fit into: asking for memory may be denied to us. */
static unsigned char answer_room[MESSAGE_INLINE_MAX];

static void answer_out(struct buf *b, const struct call *call, const struct arg *arg, const struct answer *ans)
{
	term_out_version(b);
	term_out_tuple(b, 3);
	if (ans->n >= 0) {
		term_out_int(b, 0);
		term_out_int(b, 0);
		serve_result_out(b, call, arg, ans);
	} else {
		term_out_int(b, -ans->n);
		term_out_int(b, ans->argument);
		term_out_text(b, ans->text != NULL ? ans->text : "");
	}
}

/* Tell what came of it.  One that is too large for a message, or for our memory, is an error then. */
static void answer(struct serve *s, const struct call *call, const struct arg *arg, struct answer *ans)
{
	struct buf b;

	buf_init_fixed(&b, answer_room, sizeof(answer_room));
	answer_out(&b, call, arg, ans);
	if (b.err != 0) {
		buf_init(&b, MESSAGE_BODY_MAX);
		answer_out(&b, call, arg, ans);
	}
	int r = serve_tell(s, MSG_REPLY, s->call, &b, ans->fd, true);
	if (r < 0 && r != -EPIPE) {
		struct answer failed = { .n = r, .fd = -1, .text = "the answer cannot be sent" };
		struct buf small;

		buf_init_fixed(&small, answer_room, sizeof(answer_room));
		answer_out(&small, call, arg, &failed);
		serve_tell(s, MSG_REPLY, s->call, &small, -1, true);
	}
	ans->fd = fd_close(ans->fd);
	if (b.data != answer_room)
		buf_finish(&b);
}

static void on_call(struct serve *s, struct term_in *in)
{
	struct arg arg[CALL_ARGS_MAX] = { 0 };
	struct answer ans = { .fd = -1, .result = { .mem = s->values, .room = MESSAGE_BODY_MAX - 64 } };
	const struct arena arguments = s->arguments;
	const struct call *call = NULL;
	struct serve *me = s;

	me->call = me->inbox.head.id;
	serve_perform(me, in, &call, arg, &ans);
	if (!ans.became_child) {
		/* Before the answer: the host may use what it sent again, or look who has it. */
		link_close_fds(&me->inbox);
		answer(me, call, arg, &ans);
		if (ans.masked)
			signals_restore(&ans.mask);
	}
	link_release(&me->inbox);
	give_back(arguments, me->arguments.p);
	me->arguments = arguments;
	give_back(me->values, ans.result.mem.p);
}

static _Noreturn void serve_loop(struct serve *s)
{
	for (;;) {
		struct term_in in;
		int r = link_recv(s->k.private[PRIVATE_SOCKET], &s->inbox, true);

		if (r == -EMFILE && s->inbox.head.type == MSG_CALL) {
			struct answer ans = { .n = -EMFILE, .fd = -1, .text = "the task has no free descriptors" };

			s->call = s->inbox.head.id;
			answer(s, NULL, NULL, &ans);
			continue;
		}
		/* The host let go of us, or is gone. */
		if (r != 1)
			_exit(r == 0 ? 0 : 125);
		term_in_init(&in, s->inbox.body, s->inbox.head.body_len);
		if (term_in_version(&in) < 0)
			_exit(125);
		if (s->inbox.head.type == MSG_CALL)
			on_call(s, &in);
		else
			/* A call to be cancelled that was answered meanwhile. */
			link_release(&s->inbox);
	}
}

/* Of the descriptors that we have from the reaper, those that the program gave us and our own remain. */
static void close_others(struct serve *s, const struct arg *ids)
{
	int keep[256 + PRIVATE_COUNT + 3], n = 0;

	for (int fd = 0; fd < 3; fd++)
		keep[n++] = fd;
	for (uint32_t i = 0; i < ids->n && i < 256; i++)
		keep[n++] = (int)ids->ids[i];
	for (int i = 0; i < PRIVATE_COUNT; i++)
		keep[n++] = s->k.private[i];
	sys_close_all_but(keep, (size_t)n);
}

int64_t serve_begin(const struct arg *a, int proc)
{
	struct serve *s = &serve;

	if (a[1].n > 250)
		return -EINVAL;
	for (uint32_t i = 0; i < a[1].n; i++) {
		if (a[1].ids[i] == (uint32_t)a[0].i)
			return -EINVAL;
	}
	int socket = fcntl((int)a[0].i, F_DUPFD_CLOEXEC, 3);
	if (socket == -1)
		return -errno;
	*s = (struct serve){ .k = { .private = { socket, -1 }, .max_depth = 16, .max_children = 64 } };
	s->arguments = memory(ARGUMENTS_MAX);
	s->values = memory(VALUES_MAX);
	if (s->arguments.p == NULL || s->values.p == NULL)
		return -ENOMEM;
	if (serve_is_program)
		s->k.private[PRIVATE_EXE] = openat(proc, "self/exe", O_RDONLY | O_CLOEXEC);
	serve_move_private(s);
	environ = a[2].v;
	sys_become("carrel:task");
	close_others(s, &a[1]);
	signals_begin(s);
	serve_loop(s);
}

_Noreturn void serve_again(int kept)
{
	struct serve *s = &serve;

	if (pread(kept, &s->k, sizeof(s->k), 0) != (ssize_t)sizeof(s->k))
		_exit(125);
	close(kept);
	s->arguments = memory(ARGUMENTS_MAX);
	s->values = memory(VALUES_MAX);
	if (s->arguments.p == NULL || s->values.p == NULL)
		_exit(125);
	for (int i = 0; i < PRIVATE_COUNT; i++) {
		if (s->k.private[i] >= 0)
			fd_cloexec(s->k.private[i], 1);
	}
	sys_become("carrel:task");
	signals_resume(s);
	s->call = s->k.reexec_call;
	struct answer ans = { .fd = -1 };
	answer(s, NULL, NULL, &ans);
	serve_loop(s);
}
