/* SPDX-License-Identifier: ISC */
/* The call table against the port protocol, whose numbers never change. */
#include "tap.h"

#include "call.h"

static const struct {
	int number;
	const char *name;
	int argc;
} port_protocol[] = {
	{ 0, "alloc", 1 },
	{ 1, "cap_constant", 1 },
	{ 2, "cap_enter", 0 },
	{ 3, "cap_fcntls_get", 1 },
	{ 4, "cap_fcntls_limit", 2 },
	{ 5, "cap_getmode", 0 },
	{ 6, "cap_ioctls_limit", 2 },
	{ 7, "cap_rights_limit", 2 },
	{ 8, "chdir", 1 },
	{ 9, "chmod", 2 },
	{ 10, "chown", 3 },
	{ 11, "chroot", 1 },
	{ 12, "clearenv", 0 },
	{ 13, "clone", 1 },
	{ 14, "clone_constant", 1 },
	{ 15, "close", 1 },
	{ 16, "connect", 2 },
	{ 17, "cpid", 0 },
	{ 18, "environ", 0 },
	{ 19, "errno_id", 1 },
	{ 20, "execve", 3 },
	{ 21, "execvp", 2 },
	{ 22, "exit", 1 },
	{ 23, "fcntl", 3 },
	{ 24, "fcntl_constant", 1 },
	{ 25, "fexecve", 3 },
	{ 26, "file_constant", 1 },
	{ 27, "filter", 2 },
	{ 28, "fork", 0 },
	{ 29, "getcwd", 0 },
	{ 30, "getenv", 1 },
	{ 31, "getgid", 0 },
	{ 32, "getgroups", 0 },
	{ 33, "gethostname", 0 },
	{ 34, "getopt", 1 },
	{ 35, "getpgrp", 0 },
	{ 36, "getpid", 0 },
	{ 37, "getpriority", 2 },
	{ 38, "getresgid", 0 },
	{ 39, "getresuid", 0 },
	{ 40, "getrlimit", 1 },
	{ 41, "getsid", 1 },
	{ 42, "getuid", 0 },
	{ 43, "ioctl", 3 },
	{ 44, "ioctl_constant", 1 },
	{ 45, "iolist_to_bin", 1 },
	{ 46, "jail", 1 },
	{ 47, "jail_attach", 1 },
	{ 48, "jail_remove", 1 },
	{ 49, "kill", 2 },
	{ 50, "link", 2 },
	{ 51, "lseek", 3 },
	{ 52, "mkdir", 2 },
	{ 53, "mkfifo", 2 },
	{ 54, "mount", 6 },
	{ 55, "mount_constant", 1 },
	{ 56, "open", 3 },
	{ 57, "pivot_root", 2 },
	{ 58, "pledge", 2 },
	{ 59, "prctl", 5 },
	{ 60, "prctl_constant", 1 },
	{ 61, "procctl", 4 },
	{ 62, "ptrace", 4 },
	{ 63, "ptrace_constant", 1 },
	{ 64, "read", 2 },
	{ 65, "readdir", 1 },
	{ 66, "rlimit_constant", 1 },
	{ 67, "rmdir", 1 },
	{ 68, "seccomp", 3 },
	{ 69, "seccomp_constant", 1 },
	{ 70, "select", 4 },
	{ 71, "setcpid", 3 },
	{ 72, "setenv", 3 },
	{ 73, "setgid", 1 },
	{ 74, "setgroups", 1 },
	{ 75, "sethostname", 1 },
	{ 76, "setns", 2 },
	{ 77, "setopt", 2 },
	{ 78, "setpgid", 2 },
	{ 79, "setpriority", 3 },
	{ 80, "setproctitle", 1 },
	{ 81, "setresgid", 3 },
	{ 82, "setresuid", 3 },
	{ 83, "setrlimit", 2 },
	{ 84, "setsid", 0 },
	{ 85, "setuid", 1 },
	{ 86, "sigaction", 2 },
	{ 87, "signal_constant", 1 },
	{ 88, "socket", 3 },
	{ 89, "symlink", 2 },
	{ 90, "syscall_constant", 1 },
	{ 91, "umount", 1 },
	{ 92, "umount2", 2 },
	{ 93, "unlink", 1 },
	{ 94, "unsetenv", 1 },
	{ 95, "unshare", 1 },
	{ 96, "unveil", 2 },
	{ 97, "version", 0 },
	{ 98, "waitpid", 2 },
	{ 99, "write", 2 },
};
enum { N_PORT = sizeof(port_protocol) / sizeof(port_protocol[0]) };

/* carrel's own, written down a second time on purpose: a number is never reused. */
static const struct {
	int number;
	const char *name;
	int argc;
} own[] = {
	{ 128, "fchdir", 1 }, { 129, "umask", 1 },	   { 130, "dup_fds", 1 },
	{ 131, "exec", 4 },   { 132, "reset_signals", 1 }, { 133, "landlock_scope", 1 },
	{ 137, "openat2", 5 },
	{ 138, "openat", 4 },
	{ 139, "mkdirat", 3 },
	{ 140, "mknodat", 4 },
	{ 141, "symlinkat", 3 },
	{ 142, "fchmod", 2 },
	{ 143, "fchown", 3 },
	{ 144, "open_tree", 3 },
	{ 145, "move_mount", 5 },
	{ 146, "mount_setattr", 6 },
	{ 147, "fsopen", 1 },
	{ 148, "fsconfig", 4 },
	{ 149, "fsmount", 2 },
	{ 150, "bind_in", 6 },
	{ 151, "mount_in", 5 },
	{ 152, "capset", 3 },
	{ 153, "drop_bounding", 1 },
	{ 154, "ambient_clear", 0 },
	{ 155, "keyctl_join_session", 0 },
	{ 156, "loopback_up", 0 },
	{ 157, "close_range", 3 },
	{ 158, "pidfd_open", 2 },
	{ 159, "pidfd_send_signal", 2 },
	{ 160, "prlimit", 3 },
	{ 161, "sched_setaffinity", 2 },
	{ 162, "ioprio_set", 4 },
	{ 163, "personality", 1 },
	{ 164, "memfd_create", 2 },
	{ 165, "poll", 3 },
	{ 166, "landlock_create_ruleset", 3 },
	{ 167, "landlock_add_path", 3 },
	{ 168, "landlock_add_port", 3 },
	{ 169, "landlock_restrict_self", 1 },
	{ 200, "bind_each", 3 },
	{ 201, "mask_each", 4 },
	{ 136, "id_map", 4 },
	{ 180, "setreuid", 2 },
	{ 181, "setregid", 2 },
	{ 182, "setfsuid", 1 },
	{ 183, "setfsgid", 1 },
	{ 184, "fspick", 3 },
	{ 185, "mount_idmap", 4 },
	{ 186, "fsconfig_fd", 3 },
	{ 170, "serve", 3 },
	{ 171, "deny_calls", 3 },
	{ 172, "reexec", 2 },
	{ 173, "receive_fd", 0 },
	{ 174, "send_fd", 1 },
	{ 213, "landlock_allow", 3 },
	{ 214, "landlock_allow_found", 3 },
	{ 215, "landlock_allow_stream", 3 },
	{ 216, "landlock_allow_ports", 3 },
	{ 217, "filter_ports", 0 },
};
enum { N_OWN = sizeof(own) / sizeof(own[0]) };

TEST(the_port_protocol_has_these_hundred)
{
	CHECK_INT(N_PORT, 100);
	for (int i = 0; i < N_PORT; i++)
		CHECK_INT(port_protocol[i].number, i);
}

/* The table has all of the port protocol, each with its number, its name and its arity. */
TEST(port_numbers)
{
	for (unsigned i = 0; i < 128; i++) {
		const struct call *c = call_by_number(i);

		CHECK((c != NULL) == (i < N_PORT));
		if (c == NULL)
			continue;
		CHECK_STR(c->name, port_protocol[i].name);
		CHECK_INT(c->argc, port_protocol[i].argc);
		CHECK(call_for_port(c));
	}
}

/* What needs the port, or answers more than a number, no program can name. */
TEST(doors)
{
	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);

		if (c == NULL)
			continue;
		if (i >= 128)
			CHECK(call_for_programs(c) == (c->door != DOOR_TASK) && !call_for_port(c));
		if (c->result == RESULT_VALUE || c->result == RESULT_OKVALUE)
			CHECK(!call_for_programs(c));
		if (c->door == DOOR_STATE)
			CHECK(!call_for_programs(c) && call_for_port(c));
		if (c->door == DOOR_REAPER)
			CHECK(call_for_programs(c) && call_for_port(c) && call_outside(c));
		CHECK(call_for_tasks(c) == (c->door != DOOR_SERVE && c->door != DOOR_STREAM));
	}
	CHECK(call_for_programs(call_by_number(CALL_mount)));
	CHECK(!call_for_programs(call_by_number(CALL_fork)));
	CHECK(!call_for_programs(call_by_number(CALL_setenv)));
}

#ifdef __linux__
/* What this system lacks is in the table as well. */
TEST(here)
{
	static const char *const elsewhere[] = {
		"cap_constant",	    "cap_enter",	"cap_fcntls_get", "cap_fcntls_limit",
		"cap_getmode",	    "cap_ioctls_limit", "cap_rights_limit", "jail",
		"jail_attach",	    "jail_remove",	"pledge",	  "procctl",
		"unveil",
	};
	int n = 0;

	for (unsigned i = 0; i < N_PORT; i++)
		n += !call_by_number(i)->here;
	CHECK_INT(n, sizeof(elsewhere) / sizeof(elsewhere[0]));
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		CHECK(!call_by_name((struct slice){ (const unsigned char *)elsewhere[i],
						    strlen(elsewhere[i]) })
			       ->here);
}
#endif

/* No name of the port protocol stands for another number. */
TEST(port_names)
{
	for (size_t i = 0; i < N_PORT; i++) {
		const char *name = port_protocol[i].name;
		const struct call *c =
			call_by_name((struct slice){ (const unsigned char *)name, strlen(name) });

		if (c != NULL)
			CHECK_INT(c->number, port_protocol[i].number);
	}
}

TEST(own_numbers)
{
	for (size_t i = 0; i < N_OWN; i++) {
		const struct call *c = call_by_number((uint64_t)own[i].number);

		CHECK(c != NULL);
		CHECK_STR(c->name, own[i].name);
		CHECK_INT(c->argc, own[i].argc);
	}
}

TEST(some_rows)
{
	CHECK_INT(CALL_chdir, 8);
	CHECK_INT(CALL_write, 99);
	CHECK_INT(CALL_exec, 131);
	CHECK_INT(call_by_number(CALL_exit)->result, RESULT_NONE);
	CHECK_INT(call_by_number(CALL_exec)->result, RESULT_NONE);
	CHECK_INT(call_by_number(CALL_exec)->stage, STAGE_EXEC);
	CHECK_INT(call_by_number(CALL_open)->result, RESULT_OKINT);
	CHECK_INT(call_by_number(CALL_getpid)->result, RESULT_INT);
	CHECK_INT(call_by_number(CALL_chdir)->result, RESULT_OK);
	CHECK_STR(call_by_number(CALL_kill)->args, "iks");
}

/* Every argument is a letter, and some are followed by a family or a size. */
TEST(letters)
{
	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);
		int argc = 0;
		char letter, second;

		if (c == NULL)
			continue;
		for (const char *p = c->args; (letter = call_letter(&p, &second)) != 0; argc++) {
			const char *seconds = strchr("mM", letter) != NULL ? "asz"
					      : letter == 'x'		   ? "itc"
									   : "abcdfilnoprstuwyzADIOPghqv";

			if (strchr("iulqIdpnhtsobBavegFrTHfkKUWLjxmM", letter) == NULL)
				tap_fail("%s: the letter %c", c->name, letter);
			if (strchr("kKUWLjxmM", letter) != NULL
				    ? second == 0 || strchr(seconds, second) == NULL
				    : second != 0)
				tap_fail("%s: no such thing behind %c", c->name, letter);
		}
		if (c->argc != argc || argc > CALL_ARGS_MAX)
			tap_fail("%s: %d arguments by its letters '%s', not %d", c->name, argc,
				 c->args, c->argc);
	}
}

/* One name for each argument, which can be a parameter's name in C and C++. */
TEST(names_of_arguments)
{
	static const char *const taken[] = { "task", "result", "error", "int", "new", "delete", "this", "signed",
					     "class", "operator", "template", "default", "namespace", "private" };

	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);
		char seen[CALL_ARGS_MAX][32];
		int n = 0;

		if (c == NULL)
			continue;
		for (const char *p = c->params; *p != '\0'; n++) {
			size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");

			if (n == CALL_ARGS_MAX || len == 0 || len >= 24 || *p < 'a')
				tap_fail("%s: the names \"%s\"", c->name, c->params);
			snprintf(seen[n], sizeof(seen[n]), "%.*s", (int)len, p);
			for (int j = 0; j < n; j++)
				CHECK(strcmp(seen[j], seen[n]) != 0);
			for (size_t j = 0; j < sizeof(taken) / sizeof(taken[0]); j++)
				CHECK(strcmp(taken[j], seen[n]) != 0);
			p += len;
			if (*p != '\0' && strncmp(p, ", ", 2) != 0)
				tap_fail("%s: the names \"%s\"", c->name, c->params);
			p += *p != '\0' ? 2 : 0;
		}
		if (n != c->argc)
			tap_fail("%s: %d names for %d arguments", c->name, n, c->argc);
	}
}

/* Every letter and every result has its words. */
TEST(words)
{
	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);
		char letter, second;

		if (c == NULL)
			continue;
		CHECK(call_answers(c) != NULL);
		CHECK(c->systems != 0);
		for (const char *p = c->args; (letter = call_letter(&p, &second)) != 0;) {
			if (call_expects(letter, second) == NULL)
				tap_fail("%s: no words for %c%c", c->name, letter, second);
		}
	}
	CHECK_STR(call_expects('p', 0), "a path of 1 to 4095 bytes");
	CHECK_STR(call_expects('k', 'r'), "a constant of the family rlimit");
	CHECK_STR(call_expects('L', 'v'), "a list of constants of the family capability");
	CHECK_STR(call_expects('M', 's'), "a structure or []");
}

TEST(rows_are_sound)
{
	for (unsigned i = 0; i < CALL_NUMBERS; i++) {
		const struct call *c = call_by_number(i);

		if (c == NULL)
			continue;
		CHECK_INT(c->number, i);
		CHECK(c->result <= RESULT_OKVALUE);
		CHECK(c->stage > STAGE_NONE && c->stage < STAGE_COUNT);
		CHECK(c->summary != NULL && c->summary[0] != '\0');
		for (const char *p = c->summary; *p != '\0'; p++)
			CHECK(*p >= ' ' && *p < 127);
		CHECK(c->name[0] >= 'a' && c->name[0] <= 'z');
		for (const char *p = c->name; *p != '\0'; p++)
			CHECK((*p >= 'a' && *p <= 'z') || *p == '_' || (*p >= '0' && *p <= '9'));
		CHECK(strlen(c->name) <= 255);
		/* Found by its name, so the name is its alone. */
		CHECK(call_by_name((struct slice){ (const unsigned char *)c->name,
						   strlen(c->name) }) == c);
	}
}

TEST(what_is_no_call)
{
	static const uint64_t numbers[] = {
		100, 127, 255, 256, 257, 264, 65536, UINT32_MAX, UINT64_C(0x100000008),
		UINT64_MAX
	};
	static const char *const names[] = { "", "chdi", "chdirs", "Chdir", "fork2", "nothing" };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CHECK(call_by_number(numbers[i]) == NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(call_by_name((struct slice){ (const unsigned char *)names[i],
						   strlen(names[i]) }) == NULL);
	CHECK(call_by_name((struct slice){ (const unsigned char *)"chdir\0", 6 }) == NULL);
}
