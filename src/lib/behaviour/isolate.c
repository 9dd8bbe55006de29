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
/* The slot of the task's terminal. */
#define CONSOLE 5

bool spec_own_net(const carrel_spec *s)
{
	return s->net == CARREL_NET_DEFAULT || s->net == CARREL_NET_NONE;
}

static uint64_t inside_uid(const carrel_spec *s)
{
	return s->set & CARREL_SET_UID ? s->uid : INSIDE;
}

static uint64_t inside_gid(const carrel_spec *s)
{
	return s->set & CARREL_SET_GID ? s->gid : inside_uid(s);
}

/* One id inside is ours outside.  What a range has, if there is one, is around it. */
static void map_text(char *text, size_t size, uint64_t inside, uint32_t outside, struct id_range range)
{
	const uint32_t below = inside < range.count ? (uint32_t)inside : range.count;
	int n = 0;

	if (below > 0)
		n = snprintf(text, size, "0 %lu %lu\n", (unsigned long)range.first, (unsigned long)below);
	n += snprintf(text + n, size - (size_t)n, "%llu %lu 1\n", (unsigned long long)inside, (unsigned long)outside);
	if (range.count > below)
		snprintf(text + n, size - (size_t)n, "%lu %lu %lu\n", (unsigned long)below + 1,
			 (unsigned long)range.first + below, (unsigned long)(range.count - below));
}

/* With one id for user and group nobody needs to be asked.  A range is root's to give, or newuidmap(1)'s. */
static void add_maps(const carrel_spec *s, const struct host *h, struct ops *o)
{
	char uids[160], gids[160];

	map_text(uids, sizeof(uids), inside_uid(s), h->uid, h->subids.uids);
	map_text(gids, sizeof(gids), inside_gid(s), h->gid, h->subids.gids);
	if (!s->subids) {
		ops_put(o, PLACE_OUTSIDE, "", CALL_id_map, "sttt", 0, "deny", uids, gids);
	} else if (h->root) {
		ops_put(o, PLACE_OUTSIDE, "", CALL_id_map, "sttt", 0, "", uids, gids);
	} else {
		ops_put(o, PLACE_OUTSIDE, "", CALL_id_map_by, "tst", h->subids.newuidmap, 0, uids);
		ops_put(o, PLACE_OUTSIDE, "", CALL_id_map_by, "tst", h->subids.newgidmap, 0, gids);
	}
}

static void add_namespaces(const carrel_spec *s, const struct host *h, struct ops *o)
{

	/* Root's groups go now, because they can never go once setgroups is denied.  It is denied already, and
	 * nothing can be done, to a root that is one in a user namespace only.  A user's can never go. */
	if (h->root)
		ops_put(o, PLACE_OUTSIDE, "ignore eperm", CALL_setgroups, "g", (const gid_t *)NULL, (size_t)0);
	/* Before there is a user namespace, in which nobody has a right over it. */
	if (h->net != NULL) {
		ops_put(o, PLACE_OUTSIDE, "slot 5", CALL_open, "twi", h->net, "o_rdonly", 0);
		ops_put(o, PLACE_OUTSIDE, "", CALL_setns, "sa", 5, "clone_newnet");
		ops_put(o, PLACE_OUTSIDE, "", CALL_close, "s", 5);
	}
	root_outside(h, o);
	ops_put(o, PLACE_OUTSIDE, "slot 0", CALL_clone, "w",
		spec_own_net(s) ? "clone_newuser clone_newns clone_newpid clone_newipc clone_newuts clone_newcgroup "
			     "clone_newnet"
			   : "clone_newuser clone_newns clone_newpid clone_newipc clone_newuts clone_newcgroup");
	root_close(h, o);
	/* The task's user opens it by name, and it shows the user who it belongs to. */
	if (h->root && s->out.kind == CARREL_PTY)
		ops_put(o, PLACE_OUTSIDE, "", CALL_fchown, "fuu", "stdout", (uint64_t)h->uid, (uint64_t)h->gid);
	add_maps(s, h, o);
}

/* Before any file is made: until then our ids are not mapped. */
static void add_identity(const carrel_spec *s, struct ops *o)
{
	const uint64_t uid = inside_uid(s), gid = inside_gid(s);

	/* Where groups are mapped by who may, they can be dropped too. */
	if (s->subids)
		ops_put(o, PLACE_INIT, "", CALL_setgroups, "g", s->groups, s->set & CARREL_SET_GROUPS ? s->n_groups : 0);
	ops_add_init(o, CALL_setresgid, "uuu", gid, gid, gid);
	ops_add_init(o, CALL_setresuid, "uuu", uid, uid, uid);
	ops_add_init(o, CALL_umask, "i", 0);
}

static void add_session(const carrel_spec *s, struct ops *o)
{
	ops_add_init(o, CALL_setsid, "");
	if (s->out.kind == CARREL_PTY) {
		/* By the name that it has inside, before rules for files may forbid it. */
		ops_put(o, PLACE_INIT, "slot 5", CALL_open, "twi", "/dev/console", "o_rdwr o_noctty", 0);
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
	/* The init counts too. */
	const uint64_t most = limits_nproc(s) && s->pids < h->processes ? s->pids + 1 : h->processes;
	if (!processes)
		ops_add(o, CALL_setrlimit, false, "ar", "rlimit_nproc", most, most);
	process_limits(s, o);
}

static void add_task(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	process_priority(s, o);
	limits_schedule(s, o);
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
	ops_phase(o, PLACE_TASK);
	ops_add(o, CALL_reset_signals, false, "g", (const gid_t *)(const void *)s->keep_ignored,
		s->n_keep_ignored);
	if (s->out.kind == CARREL_PTY)
		ops_add(o, CALL_dup_fds, false, "D", s, CONSOLE);
	else
		ops_add(o, CALL_dup_fds, false, "d", s);
	process_policy(s, o);
	process_exec(s, x, o);
}

void isolate_program(const carrel_spec *s, const struct behaviour_context *x, struct buf *b)
{
	struct ops o;

	ops_begin(&o, x);
	limits_before(s, x, &o);
	add_namespaces(s, x->view, &o);
	if (s->set & CARREL_SET_OOM_SCORE_ADJ)
		ops_add_init(&o, CALL_oom_score_adj, "i", s->oom_score_adj);
	add_identity(s, &o);
	root_inside(s, x->view, &o);
	ops_add_init(&o, CALL_sethostname, "t", s->hostname != NULL ? s->hostname : "carrel");
	if (spec_own_net(s))
		ops_add_init(&o, CALL_loopback_up, "");
	add_session(s, &o);
	ops_add_init(&o, CALL_keyctl_join_session, "");
	ops_phase(&o, PLACE_INIT);
	ops_add_init(&o, CALL_prctl, "aiiii", "pr_set_no_new_privs", 1, 0, 0, 0);
	restrict_capabilities(s->caps, PLACE_INIT, &o);
	add_task(s, x, &o);
	ops_end(&o, b);
}
