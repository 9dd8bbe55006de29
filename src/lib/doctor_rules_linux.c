/* SPDX-License-Identifier: ISC */
/* Landlock, and filters for system calls. */
#include "doctor.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NO_NEW_PRIVS "task prctl(pr_set_no_new_privs, 1, 0, 0, 0)\n"

/* -------------------------------------------------------------- Landlock --- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define CREATE_RULESET_VERSION 1

static void no_landlock(carrel_fact *f)
{
	char modules[256];

	if (f->err != EOPNOTSUPP) {
		reason_call(f, "Linux 5.13 with Landlock", f->err);
		return;
	}
	fact_set(f, CARREL_FACT_NO, "it is in the kernel and was not switched on when it started");
	if (fd_read_file(AT_FDCWD, "/sys/kernel/security/lsm", modules, sizeof(modules)) < 0)
		return;
	modules[strcspn(modules, "\n")] = 0;
	fact_remedy(f, "lsm=landlock,%s   (on the kernel's command line)", modules);
}

static void landlock(struct doctor *d)
{
	carrel_fact *f = doctor_fact(d, "landlock");
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	int op;

	if (abi < 1) {
		f->err = errno;
		no_landlock(f);
		return;
	}
	f->err = trial_ops(d, f, NO_NEW_PRIVS "task landlock_create_ruleset([landlock_access_fs_make_char], [], []) slot 1\n"
			   "task landlock_restrict_self({slot, 1})\n", &op);
	if (f->err == E2BIG)
		fact_set(f, CARREL_FACT_NO, "16 layers of rules are around carrel, which is the kernel's limit");
	else if (f->err != 0)
		reason_call(f, "Landlock", f->err);
	else if (abi < LANDLOCK_ABI_PATHS)
		fact_set(f, CARREL_FACT_LIMITED, "ABI %ld: --ro, --rw and --exec take 3 (Linux 6.2), --connect 4, scopes 6", abi);
	else if (abi < LANDLOCK_ABI_PORTS)
		fact_set(f, CARREL_FACT_LIMITED, "ABI %ld: files; --connect takes 4 (Linux 6.7), scopes 6 (6.12)", abi);
	else if (abi < LANDLOCK_ABI_SCOPES)
		fact_set(f, CARREL_FACT_LIMITED, "ABI %ld: files and TCP ports; scopes take 6 (Linux 6.12)", abi);
	else
		fact_set(f, CARREL_FACT_OK, "ABI %ld: files, TCP ports, devices, scopes", abi);
}

/* --------------------------------------------------------------- seccomp --- */

static void seccomp_filter(struct doctor *d)
{
	carrel_fact *f = doctor_fact(d, "seccomp");
	int op;

	f->err = trial_ops(d, f, NO_NEW_PRIVS "task seccomp_preset(default)\n", &op);
	if (f->err == 0)
		fact_set(f, CARREL_FACT_OK, "system call policies");
	else if (f->err == EINVAL)
		fact_set(f, CARREL_FACT_NO, "this kernel was built without it (CONFIG_SECCOMP_FILTER)");
	else
		reason_call(f, "CONFIG_SECCOMP_FILTER", f->err);
}

/* A number that no kernel has asks; nobody ever makes the call. */
#define NO_CALL 0x3fffffff

static void seccomp_listener(struct doctor *d)
{
	static const struct sock_filter asks[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NO_CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	carrel_fact *f = doctor_fact(d, "seccomp-listener");
	carrel_error e = { 0 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		f->err = errno;
		fact_set(f, CARREL_FACT_NO, "cannot make a socket pair: %s", strerror(f->err));
		return;
	}
	const carrel_spec s = { .size = sizeof(s), .argv = CARREL_ARGV("doctor"), .path = "/", .in.kind = CARREL_NULL,
				.out.kind = CARREL_NULL, .err.kind = CARREL_NULL, .filter = asks,
				.filter_len = sizeof(asks), .filter_listens = 1, .filter_socket = pair[1] };
	f->err = trial_spec(d, &s, &e);
	close(pair[0]);
	close(pair[1]);
	if (f->err == 0) {
		fact_set(f, CARREL_FACT_OK, "carrel policy learn, --seccomp-log");
		return;
	}
	fact_detail(f, "%s", trial_reason(&e));
	if (f->err == EBUSY)
		fact_set(f, CARREL_FACT_NO, "somebody listens to carrel's own system calls; the kernel allows one");
	else if (f->err == EINVAL)
		fact_set(f, CARREL_FACT_NO, "it takes Linux 5.0 with CONFIG_SECCOMP_FILTER");
	else
		reason_call(f, "Linux 5.0 with CONFIG_SECCOMP_FILTER", f->err);
}

void doctor_rules(struct doctor *d)
{
	landlock(d);
	seccomp_filter(d);
	seccomp_listener(d);
}
