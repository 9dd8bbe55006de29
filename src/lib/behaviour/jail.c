/* SPDX-License-Identifier: ISC */
/*
 * The jail behaviour: a FreeBSD jail in a root directory, made by root.  What is in the jail is what the directory has;
 * the one id is 65534 unless chosen.  It is written on every system, so that it can be tested, and run on FreeBSD.
 */
#include "internal.h"

#include <signal.h>
#include <string.h>

#define NOBODY 65534
#define VERSION 2

static uint64_t jail_uid(const carrel_spec *s)
{
	return s->set & CARREL_SET_UID ? s->uid : NOBODY;
}

static uint64_t jail_gid(const carrel_spec *s)
{
	return s->set & CARREL_SET_GID ? s->gid : jail_uid(s);
}

/* {ptr, Bytes}; {ptr, 0} is NULL. */
static void out_pointer(struct buf *b, const void *data, size_t len)
{
	term_out_tuple(b, 2);
	term_out_atom(b, "ptr");
	if (len > 0)
		term_out_binary(b, data, len);
	else
		term_out_int(b, 0);
}

static void out_text(struct buf *b, const char *text)
{
	out_pointer(b, text, strlen(text) + 1);
}

/* struct jail of jail(2) where pointers have 64 bits: numbers as the machine has them. */
static void out_jail(const carrel_spec *s, const struct host *h, struct buf *b)
{
	const char *name = s->hostname != NULL ? s->hostname : "carrel";
	const uint32_t version[2] = { VERSION, 0 }, counts[2] = { (uint32_t)h->n_ip4, (uint32_t)h->n_ip6 };

	term_out_list(b, 7);
	term_out_binary(b, version, sizeof(version));
	out_text(b, h->root_dir);
	out_text(b, name);
	out_text(b, name);
	term_out_binary(b, counts, sizeof(counts));
	out_pointer(b, h->ip4, h->n_ip4 * sizeof(h->ip4[0]));
	out_pointer(b, h->ip6, h->n_ip6 * sizeof(h->ip6[0]));
	term_out_nil(b);
}

/* Rights are needed for the jail and the identity, and gone after it. */
static void jail_program(const carrel_spec *s, const struct behaviour_context *x, struct buf *b)
{
	const gid_t *groups = s->groups;
	struct buf record;
	struct ops o;

	buf_init(&record, MESSAGE_BODY_MAX);
	out_jail(s, x->view, &record);
	ops_begin(&o, x);
	ops_add(&o, CALL_setsid, false, "");
	if (s->out.kind == CARREL_PTY)
		ops_add(&o, CALL_controlling_terminal, false, "f", "stdout");
	process_priority(s, &o);
	ops_add(&o, CALL_jail, false, "B", &record);
	ops_add(&o, CALL_chdir, false, "t", s->cwd != NULL ? s->cwd : "/");
	if (s->set & CARREL_SET_UMASK)
		process_umask(s, x, &o);
	else
		ops_add(&o, CALL_umask, false, "i", 022);
	process_limits(s, &o);
	ops_add(&o, CALL_setgroups, false, "g", groups, s->set & CARREL_SET_GROUPS ? s->n_groups : (size_t)0);
	ops_add(&o, CALL_setresgid, false, "uuu", jail_gid(s), jail_gid(s), jail_gid(s));
	ops_add(&o, CALL_setresuid, false, "uuu", jail_uid(s), jail_uid(s), jail_uid(s));
	if (!s->allow_setuid)
		ops_add(&o, CALL_procctl_int, false, "aiai", "p_pid", 0, "proc_no_new_privs_ctl", 1);
	/* After the identity, whose change would clear it. */
	ops_add(&o, CALL_procctl_int, false, "aiai", "p_pid", 0, "proc_pdeathsig_ctl", SIGKILL);
	ops_phase(&o, PLACE_TASK);
	ops_add(&o, CALL_reset_signals, false, "g", (const gid_t *)(const void *)s->keep_ignored, s->n_keep_ignored);
	ops_add(&o, CALL_dup_fds, false, "d", s);
	process_exec(s, x, &o);
	ops_end(&o, b);
	if (record.err != 0 && b->err == 0)
		b->err = record.err;
	buf_finish(&record);
}

const struct behaviour behaviour_jail = { .name = "jail", .isolates = true, .program = jail_program, .needs = CALL_jail };
