/* SPDX-License-Identifier: ISC */
/* Writing to a pipe without raising SIGPIPE in the host, whose disposition is its own. */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

ssize_t write_some(int fd, const void *b, size_t n)
{
	sigset_t pipe_set, before, pending;
	ssize_t w;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	/* One that is pending already is the host's, not ours to take. */
	sigpending(&pending);
	int theirs = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	do {
		w = write(fd, b, n);
	} while (w == -1 && errno == EINTR);
	int err = errno;
	if (w == -1 && err == EPIPE && theirs == 0) {
		static const struct timespec now = { 0, 0 };

		while (sigtimedwait(&pipe_set, NULL, &now) == -1 && errno == EINTR)
			continue;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w == -1 ? -err : w;
}
