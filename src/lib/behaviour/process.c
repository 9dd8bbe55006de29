/* SPDX-License-Identifier: ISC */
/*
 * The process behaviour: a plain process in the host's world, that starts clean
 * and cannot gain privileges.
 */
#include "internal.h"

#include "constant.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void add_session(const carrel_spec *s, struct ops *o)
{
	if (s->out.kind == CARREL_PTY) {
		/* The reaper leads the session, or ^Z could not stop the command: nobody would be left to go on. */
		ops_add_init(o, CALL_setsid, "");
		ops_add_init(o, CALL_controlling_terminal, "f", "stdout");
		ops_add(o, CALL_setpgid, false, "ii", 0, 0);
		ops_add(o, CALL_foreground, false, "f", "stdout");
	} else if (s->session == CARREL_SESSION_OWN)
		ops_add(o, CALL_setsid, false, "");
	else
		ops_add(o, CALL_setpgid, false, "ih", 0);
}

void process_priority(const carrel_spec *s, struct ops *o)
{
	if (s->set & CARREL_SET_PRIORITY)
		ops_add(o, CALL_setpriority, false, "aii", "prio_process", 0, s->priority);
}

void process_umask(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	if (s->set & CARREL_SET_UMASK)
		ops_add(o, CALL_umask, false, "i", (int)s->umask);
	else if (x->umask >= 0)
		ops_add(o, CALL_umask, false, "i", x->umask);
}

void process_limits(const carrel_spec *s, struct ops *o)
{
	bool core = false;

	for (size_t i = 0; i < s->n_limits; i++) {
		const carrel_rlimit *l = &s->limits[i];
		const char *name = constant_name('r', l->what);

		core |= l->what == RLIMIT_CORE;
		if (name != NULL)
			ops_add(o, CALL_setrlimit, false, "ar", name, l->soft, l->hard);
		else
			ops_add(o, CALL_setrlimit, false, "ir", l->what, l->soft, l->hard);
	}
	if (!core)
		ops_add(o, CALL_setrlimit, false, "ar", "rlimit_core", UINT64_C(0), UINT64_C(0));
}

/* Groups, then group, then user: each needs the privilege that the last gives away. */
static void add_identity(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	uint64_t uid = s->uid, gid = s->gid;
	bool set_uid = s->set & (CARREL_SET_UID | CARREL_SET_UID_AUTO);
	bool set_gid = set_uid || s->set & CARREL_SET_GID;

	if (s->set & CARREL_SET_UID_AUTO)
		uid = 65536 + (uint64_t)x->host * 2654435761U % 65535;
	if (!(s->set & CARREL_SET_GID))
		gid = uid;
	if (set_gid || s->set & CARREL_SET_GROUPS)
		ops_add(o, CALL_setgroups, false, "g", s->groups,
			s->set & CARREL_SET_GROUPS ? s->n_groups : (size_t)0);
	if (set_gid)
		ops_add(o, CALL_setresgid, false, "uuu", gid, gid, gid);
	if (set_uid)
		ops_add(o, CALL_setresuid, false, "uuu", uid, uid, uid);
}

void process_probes(const carrel_spec *s, struct ops *o)
{
	if (s->record && !s->allow_setuid)
		ops_add(o, CALL_probe_signal, true, "");
}

/* Everything but the command's execution comes before it, because it may forbid it. */
void process_policy(const carrel_spec *s, struct ops *o)
{
	const char *preset = s->seccomp != NULL ? s->seccomp : spec_isolated(s) ? "default" : "none";

	if (s->filter != NULL && s->filter_listens)
		ops_add(o, CALL_seccomp_listen, false, "ib", spec_listener(s), s->filter, s->filter_len);
	else if (s->filter != NULL)
		ops_add(o, CALL_seccomp_filter, false, "b", s->filter, s->filter_len);
	else if (strcmp(preset, "none") != 0)
		ops_add(o, CALL_seccomp_preset, false, "a", preset);
}

void process_exec(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	const char *const shell[] = { "/bin/sh", "-c", s->shell, NULL };

	if (x->serves) {
		ops_add(o, CALL_serve, false, "fPa", "task", s, "env");
		return;
	}
	if (s->shell != NULL)
		ops_add(o, CALL_exec, false, "tvat", "/bin/sh", shell, "env", "");
	else if (s->path != NULL)
		ops_add(o, CALL_exec, false, "tvat", s->path, s->argv, "env", "");
	else
		ops_add(o, CALL_exec, false, "tvat", s->argv[0], s->argv, "env", x->search);
}

static void process_program(const carrel_spec *s, const struct behaviour_context *x, struct buf *b)
{
	struct ops o;

	ops_begin(&o, x);
	limits_before(s, x, &o);
	add_session(s, &o);
	if (s->set & CARREL_SET_OOM_SCORE_ADJ)
		ops_add(&o, CALL_oom_score_adj, false, "i", s->oom_score_adj);
	process_priority(s, &o);
	limits_schedule(s, &o);
	ops_add(&o, CALL_fchdir, false, "f", "cwd");
	restrict_rules(s, x, &o);
	if (s->cwd != NULL)
		ops_add(&o, CALL_chdir, false, "t", s->cwd);
	process_umask(s, x, &o);
	if (!s->allow_setuid) {
		ops_add(&o, CALL_prctl, false, "aiiii", "pr_set_no_new_privs", 1, 0, 0, 0);
		/* A task of our own user could signal its reaper otherwise.  Not every kernel has it.
		 * Before the limits, which may leave no descriptor for it. */
		restrict_obey(s, "landlock_scope_signal", &o);
	}
	process_limits(s, &o);
	restrict_before_identity(s, x, &o);
	add_identity(s, x, &o);
	restrict_after_identity(s, x, &o);
	/* After the identity, whose change would clear it. */
	ops_add(&o, CALL_prctl, false, "aiiii", "pr_set_pdeathsig", SIGKILL, 0, 0, 0);
	ops_phase(&o, PLACE_TASK);
	ops_add(&o, CALL_reset_signals, false, "g", (const gid_t *)(const void *)s->keep_ignored,
		s->n_keep_ignored);
	process_probes(s, &o);
	ops_add(&o, CALL_dup_fds, false, "d", s);
	process_policy(s, &o);
	process_exec(s, x, &o);
	ops_end(&o, b);
}

const struct behaviour behaviour_process = { .name = "process", .isolates = false, .program = process_program };
