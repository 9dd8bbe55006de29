/* SPDX-License-Identifier: ISC */
/* wrappers CARREL NOP: what it costs to put a wrapper before a command that does nothing. */
#include "peers.h"

#include <stdio.h>

#define ROUNDS 300

/* What a policy for system calls costs, alone and as a part of everything that isolates. */
static void policies(const char *program, const char *command)
{
	struct peer plain[] = {
		{ .name = "carrel run", .args = { program, "run" } },
		{ .name = "carrel run --seccomp default", .args = { program, "run", "--seccomp", "default" } },
		{ .name = "carrel run --seccomp strict", .args = { program, "run", "--seccomp", "strict" } },
	};
	struct peer isolated[] = {
		{ .name = "rootless --seccomp none", .args = { program, "run", "-b", "rootless", "--seccomp", "none" } },
		{ .name = "carrel run -b rootless", .args = { program, "run", "-b", "rootless" }, .aim = "<= 4000 us" },
	};

	title("System call policies");
	peers_compare(plain, sizeof(plain) / sizeof(plain[0]), 0, command, "true", ROUNDS);
	peers_compare(isolated, sizeof(isolated) / sizeof(isolated[0]), 0, command, "true", ROUNDS);
}

int main(int argc, char **argv)
{
	static char command[256];

	if (argc != 3) {
		fprintf(stderr, "usage: wrappers CARREL NOP\n");
		return 2;
	}
	struct peer p[] = {
		{ .name = "" },
		{ .name = "carrel run", .args = { argv[1], "run", "--" }, .aim = "<= timeout" },
		{ .name = "carrel run --memory", .args = { argv[1], "run", "--memory", "1G", "--" } },
		{ .name = "carrel run --memory --pids --cpu", .args = { argv[1], "run", "--memory", "1G", "--pids",
									"100", "--cpu", "2", "--" } },
		{ .name = "carrel run --stats", .args = { argv[1], "run", "--stats", "--" } },
		{ .name = "carrel run --no-cgroup", .args = { argv[1], "run", "--no-cgroup", "--" } },
		{ .name = "timeout 10", .args = { "timeout", "10" } },
		{ .name = "tini -s", .args = { "tini", "-s", "--" } },
	};
	const size_t n = sizeof(p) / sizeof(p[0]);

	peers_find(p, n);
	if (find_program("true", command, sizeof(command)) == -1)
		die("true");
	title("One command and its end");
	peers_compare(p, n, 0, argv[2], "nop", ROUNDS);
	peers_compare(p, n, 0, command, "true", ROUNDS);
	policies(argv[1], command);
	return 0;
}
