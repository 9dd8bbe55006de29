/* SPDX-License-Identifier: ISC */
/* The control process begins: libcarrel started it with one socket on descriptor 0. */
#include "control.h"

#include <carrel.h>

#include "fd.h"
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int usage(void)
{
	static const char text[] =
		"carrel-control " CARREL_VERSION_TEXT
		": the control process of carrel(1); the library starts it with a\n"
		"SOCK_SEQPACKET socket on descriptor 0. See carrel-control(8).\n";

	return write(2, text, sizeof(text) - 1) < 0 ? 2 : 2;
}

static int is_seqpacket(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

__attribute__((visibility("default"))) int carrel_control_main(int argc, char **argv)
{
	int terminal = -1;
	bool scope = false;
	pid_t host_group = getpgrp();
	struct role role = { .cgroup = -1, .life = -1, .report = -1, .guard = getpid(), .want_cgroup = true };

	/* The kernel puts the environment of a program behind its arguments. */
	serve_is_program = environ == argv + argc + 1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--no-cgroup") == 0)
			role.want_cgroup = false;
		else if (strcmp(argv[i], "--once") == 0)
			role.once = true;
		else if (strcmp(argv[i], "--terminal") == 0)
			terminal = 3;
		else if (strcmp(argv[i], "--scope") == 0)
			scope = true;
		else if (strcmp(argv[i], "--task") == 0 && argc == 3)
			serve_again(atoi(argv[2]));
		else
			return usage();
	}
	if (!is_seqpacket(0))
		return usage();
	sys_become("carrel:guard");
	/* Where it fails, there is nothing to divide, as the first limit will say. */
	if (scope)
		sys_group_make_room();
	/* A group of our own: the terminal's signals are for the caller and its commands. */
	setpgid(0, 0);
	role.signals = sys_signals_open();
	role.host = fcntl(0, F_DUPFD_CLOEXEC, 3);
	role.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (role.signals < 0 || role.host < 0 || sys_subreaper() < 0) {
		guard_say_why(0, "the guard cannot get a descriptor", role.signals < 0 ? -role.signals : errno);
		return 125;
	}
	if (null < 0)
		close(0);
	else if (null > 0)
		dup2(null, 0);
	if (null > 0)
		close(null);
	/* Nothing of ours may pin a directory; every request brings its own. */
	if (chdir("/") == -1) {
		guard_say_why(role.host, "the guard cannot change to /", errno);
		return 125;
	}
	if (terminal >= 0)
		terminal_keep(terminal, host_group);
	guard_main(&role);
}
