/* SPDX-License-Identifier: ISC */
/* Namespaces, and what can be mounted in them. */
#include "doctor.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *flag, *what;
	uint64_t kind;
} kinds[] = {
	{ "user-namespace", "clone_newuser", "ids of its own, and rights in it", CLONE_NEWUSER },
	{ "mount-namespace", "clone_newns", "mounts of its own", CLONE_NEWNS },
	{ "pid-namespace", "clone_newpid", "ends with its first process, whatever it started", CLONE_NEWPID },
	{ "net-namespace", "clone_newnet", "a network of its own", CLONE_NEWNET },
	{ "ipc-namespace", "clone_newipc", "System V IPC and message queues of its own", CLONE_NEWIPC },
	{ "uts-namespace", "clone_newuts", "a host name of its own", CLONE_NEWUTS },
	{ "cgroup-namespace", "clone_newcgroup", "its own view of cgroups", CLONE_NEWCGROUP },
	{ "time-namespace", "clone_newtime", "clocks of its own (carrel does not use it by itself)", CLONE_NEWTIME },
};

/* The ids of a new user namespace: ours, as 0. */
static void map(char *to, size_t size)
{
	snprintf(to, size, "outside id_map({slot, 1}, \"deny\", \"0 %u 1\\n\", \"0 %u 1\\n\")\n", (unsigned)geteuid(),
		 (unsigned)getegid());
}

static void namespace(struct doctor *d, size_t i, bool users)
{
	const bool user = kinds[i].kind == CLONE_NEWUSER;
	const bool with = !user && !d->root; /* others' rights come with a user namespace */
	const carrel_fact *needs = with ? doctor_found(d, "user-namespace") : NULL;
	char program[512], ids[128] = "";
	carrel_fact *f = doctor_fact(d, kinds[i].name);
	int op;

	if (user || with)
		map(ids, sizeof(ids));
	snprintf(program, sizeof(program), "outside clone([%s%s]) slot 1\n%s", with ? "clone_newuser, " : "",
		 kinds[i].flag, ids);
	f->err = trial_ops(d, f, program, &op);
	if (f->err == 0)
		fact_set(f, CARREL_FACT_OK, "%s", kinds[i].what);
	else if (needs != NULL && !users)
		fact_set(f, CARREL_FACT_NO, "this user gets it with a user namespace only");
	else
		reason_namespace(f, user ? CLONE_NEWUSER : with ? CLONE_NEWUSER | kinds[i].kind : kinds[i].kind, f->err,
				 op > 0);
}

/* ------------------------------------------------------------- mounts inside --- */

#define MADE                                                                                                            \
	"init fsopen(\"tmpfs\") slot 2\n"                                                                                \
	"init fsconfig({slot, 2}, fsconfig_cmd_create, [], [])\n"                                                       \
	"init fsmount({slot, 2}, [mount_attr_nosuid]) slot 3\n"                                                          \
	"init mount_setattr({slot, 3}, \"\", [at_empty_path], [mount_attr_rdonly], [], [ms_private])\n"                 \
	"init open_tree(-100, \"/\", [open_tree_clone, at_recursive]) slot 4\n"                                         \
	"init move_mount({slot, 3}, \"\", -100, \"/\", [move_mount_f_empty_path])\n"

/* Each on "/", which is the one directory that is everywhere; nobody else ever sees it. */
static const struct {
	const char *name, *program, *what, *kernel;
} mounts[] = {
	{ "tmpfs", "init mount(\"none\", \"/\", \"tmpfs\", [ms_nosuid], \"size=65536\", \"\")\n",
	  "files in memory, mounted in a user namespace", "tmpfs (CONFIG_TMPFS)" },
	{ "proc-mount", "init mount(\"proc\", \"/\", \"proc\", [ms_nosuid], \"\", \"\")\n",
	  "a /proc with its own processes only", "procfs" },
	{ "mount-api", MADE, "fsopen, open_tree, move_mount, mount_setattr", "Linux 5.12" },
	{ "overlay",
	  "init fsopen(\"tmpfs\") slot 2\n"
	  "init fsconfig({slot, 2}, fsconfig_cmd_create, [], [])\n"
	  "init fsmount({slot, 2}, [mount_attr_nosuid]) slot 3\n"
	  "init mkdirat({slot, 3}, \"l\", 493)\n"
	  "init mkdirat({slot, 3}, \"u\", 493)\n"
	  "init mkdirat({slot, 3}, \"w\", 493)\n"
	  "init move_mount({slot, 3}, \"\", -100, \"/\", [move_mount_f_empty_path])\n"
	  "init fchdir({slot, 3})\n"
	  "init mount(\"overlay\", \"l\", \"overlay\", [], \"lowerdir=l,upperdir=u,workdir=w\", \"\")\n",
	  "writable layers, for --overlay",
	  "Linux 5.11 with overlay" },
};

static void mounting(struct doctor *d, size_t i)
{
	char program[1536], ids[128];
	carrel_fact *f = doctor_fact(d, mounts[i].name);
	int op;

	map(ids, sizeof(ids));
	snprintf(program, sizeof(program),
		 "outside clone([clone_newuser, clone_newns, clone_newpid]) slot 1\n%s%s", ids, mounts[i].program);
	f->err = trial_ops(d, f, program, &op);
	if (f->err == 0)
		fact_set(f, CARREL_FACT_OK, "%s", mounts[i].what);
	else if (op <= 1)
		fact_set(f, CARREL_FACT_NO, "it takes user, mount and PID namespaces");
	else if (f->err == ENODEV) {
		fact_set(f, CARREL_FACT_NO, "the kernel does not have %s, or its module is not loaded", mounts[i].name);
		if (strcmp(mounts[i].name, "overlay") == 0)
			fact_remedy(f, "modprobe overlay");
	} else if (f->err == ENOSYS)
		reason_call(f, mounts[i].kernel, f->err);
	else if (strcmp(mounts[i].name, "proc-mount") != 0 || f->err != EPERM || !reason_masks(f))
		reason_namespace(f, CLONE_NEWUSER | CLONE_NEWNS, f->err, true);
}

void doctor_namespaces(struct doctor *d)
{
	bool users = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		namespace(d, i, users);
		if (i == 0)
			users = d->fact[d->n - 1].state == CARREL_FACT_OK;
	}
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		mounting(d, i);
}
