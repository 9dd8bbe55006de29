/* SPDX-License-Identifier: ISC */
/* What a task says, read as an attacker's. */
#include "task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

int reply_in(struct term_in *in, struct reply *ret)
{
	int64_t err, argument;
	struct slice text;

	if (term_in_tuple(in, 3) < 0 || term_in_int(in, 0, 4095, &err) < 0 || term_in_int(in, 0, CALL_ARGS_MAX, &argument) < 0)
		return -EBADMSG;
	if (err == 0) {
		int r = value_term_in(in, &ret->value);

		ret->done = r == 0;
		return r;
	}
	if (term_in_binary(in, &text) < 0)
		return -EBADMSG;
	ret->err = (int)err;
	ret->argument = (int)argument;
	/* Somebody will print it. */
	size_t n = text.len < sizeof(ret->text) - 1 ? text.len : sizeof(ret->text) - 1;
	for (size_t i = 0; i < n; i++)
		ret->text[i] = text.data[i] >= ' ' && text.data[i] < 0x7f ? (char)text.data[i] : '?';
	ret->text[n] = 0;
	ret->done = true;
	return 0;
}

int signalled_in(struct term_in *in, int *ret_sig, struct slice *ret_info)
{
	int64_t sig;

	if (term_in_tuple(in, 2) < 0 || term_in_int(in, 1, NSIG - 1, &sig) < 0 || term_in_binary(in, ret_info) < 0 ||
	    ret_info->len != sizeof(siginfo_t))
		return -EBADMSG;
	*ret_sig = (int)sig;
	return 0;
}

int child_in(struct term_in *in, pid_t *ret_pid, int *ret_status, carrel_status *st)
{
	int64_t pid, status;

	if (term_in_tuple(in, 5) < 0 || term_in_int(in, 1, INT32_MAX, &pid) < 0 || term_in_int(in, 0, 0xffff, &status) < 0 ||
	    term_in_uint(in, UINT64_MAX, &st->utime_us) < 0 || term_in_uint(in, UINT64_MAX, &st->stime_us) < 0 ||
	    term_in_uint(in, UINT64_MAX, &st->maxrss_kb) < 0)
		return -EBADMSG;
	*ret_pid = (pid_t)pid;
	*ret_status = (int)status;
	return 0;
}
