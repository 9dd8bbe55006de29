/* SPDX-License-Identifier: ISC */
/*
 * What rootless and container have in common: namespaces, one id inside that is nobody's outside, no rights, and
 * nothing of the host but what root.c shows.  The order is the kernel's: see the comments.
 */
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* Nobody, and what a file system shows for ids that are not mapped. */
#define INSIDE 65534

static bool own_net(const carrel_spec *s)
{
	return s->net != CARREL_NET_HOST;
}

static uint64_t inside_uid(const carrel_spec *s)
{
	return s->set & CARREL_SET_UID ? s->uid : INSIDE;
}

static uint64_t inside_gid(const carrel_spec *s)
{
	return s->set & CARREL_SET_GID ? s->gid : inside_uid(s);
}

static void add_namespaces(const carrel_spec *s, const struct host *h, struct ops *o)
{
	char uids[40], gids[40];

	/* Root's groups go now, because they can never go once setgroups is denied.  It is denied already, and
	 * nothing can be done, to a root that is one in a user namespace only.  A user's can never go. */
	if (h->root)
		ops_put(o, PLACE_OUTSIDE, "ignore eperm", CALL_setgroups, "g", (const gid_t *)NULL, (size_t)0);
	root_outside(h, o);
	ops_put(o, PLACE_OUTSIDE, "slot 0", CALL_clone, "w",
		own_net(s) ? "clone_newuser clone_newns clone_newpid clone_newipc clone_newuts clone_newcgroup "
			     "clone_newnet"
			   : "clone_newuser clone_newns clone_newpid clone_newipc clone_newuts clone_newcgroup");
	root_close(h, o);
	snprintf(uids, sizeof(uids), "%llu %lu 1\n", (unsigned long long)inside_uid(s), (unsigned long)h->uid);
	snprintf(gids, sizeof(gids), "%llu %lu 1\n", (unsigned long long)inside_gid(s), (unsigned long)h->gid);
	ops_put(o, PLACE_OUTSIDE, "", CALL_id_map, "sttt", 0, "deny", uids, gids);
}

/* Before any file is made: until then our ids are not mapped. */
static void add_identity(const carrel_spec *s, struct ops *o)
{
	const uint64_t uid = inside_uid(s), gid = inside_gid(s);

	ops_add_init(o, CALL_setresgid, "uuu", gid, gid, gid);
	ops_add_init(o, CALL_setresuid, "uuu", uid, uid, uid);
	ops_add_init(o, CALL_umask, "i", 0);
}

static void add_session(const carrel_spec *s, struct ops *o)
{
	ops_add_init(o, CALL_setsid, "");
	if (s->out.kind == CARREL_PTY) {
		ops_add_init(o, CALL_controlling_terminal, "f", "stdout");
		ops_add(o, CALL_setpgid, false, "ii", 0, 0);
		ops_add(o, CALL_foreground, false, "f", "stdout");
	} else {
		ops_add(o, CALL_setsid, false, "");
	}
}

static void add_limits(const carrel_spec *s, const struct host *h, struct ops *o)
{
	bool processes = false;

	for (size_t i = 0; i < s->n_limits; i++)
		processes |= s->limits[i].what == RLIMIT_NPROC;
	if (!processes)
		ops_add(o, CALL_setrlimit, false, "ar", "rlimit_nproc", h->processes, h->processes);
	process_limits(s, o);
}

static void add_task(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	process_priority(s, o);
	ops_add(o, CALL_chdir, false, "t", s->cwd != NULL ? s->cwd : "/");
	if (s->set & CARREL_SET_UMASK)
		process_umask(s, x, o);
	else
		ops_add(o, CALL_umask, false, "i", 022);
	/* Namespaces do the same already, but for abstract sockets in the host's network. */
	restrict_rules(s, x, o);
	restrict_obey(s, "landlock_scope_abstract_unix_socket landlock_scope_signal", o);
	add_limits(s, x->view, o);
	ops_add(o, CALL_prctl, false, "aiiii", "pr_set_pdeathsig", SIGKILL, 0, 0, 0);
	ops_add(o, CALL_reset_signals, false, "g", (const gid_t *)(const void *)s->keep_ignored,
		s->n_keep_ignored);
	ops_add(o, CALL_dup_fds, false, "d", s);
	process_policy(s, o);
	process_exec(s, x, o);
}

void isolate_program(const carrel_spec *s, const struct behaviour_context *x, struct buf *b)
{
	struct ops o;

	ops_begin(&o);
	add_namespaces(s, x->view, &o);
	add_identity(s, &o);
	root_inside(s, x->view, &o);
	ops_add_init(&o, CALL_sethostname, "t", s->hostname != NULL ? s->hostname : "carrel");
	if (own_net(s))
		ops_add_init(&o, CALL_loopback_up, "");
	add_session(s, &o);
	ops_add_init(&o, CALL_keyctl_join_session, "");
	ops_add_init(&o, CALL_prctl, "aiiii", "pr_set_no_new_privs", 1, 0, 0, 0);
	restrict_capabilities(s->caps, PLACE_INIT, &o);
	add_task(s, x, &o);
	ops_end(&o, b);
}
