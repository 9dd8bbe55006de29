/* SPDX-License-Identifier: ISC */
/* The control process without the library. */
#ifndef TESTS_BARE_H
#define TESTS_BARE_H

#include "tap.h"

#include "sys.h"

/* The control process with our socket on its descriptor 0. */
TAP_USED static pid_t control_start(int *ret_socket)
{
	int pair[2];

	CHECK_INT(sys_socketpair(pair), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pair[1], 0);
		execl(getenv("CARREL_CONTROL"), "carrel-control", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	*ret_socket = pair[0];
	return pid;
}

#endif
