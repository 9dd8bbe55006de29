/* SPDX-License-Identifier: ISC */
/* What takes rights away by Landlock and capabilities: the same operations for every behaviour. */
#include "internal.h"

#include "constant.h"

#include <stdio.h>
#include <string.h>

/* The slot of the rules while they are written. */
#define RULES 62

#define READ "landlock_access_fs_read_file landlock_access_fs_read_dir"
#define WRITE                                                                                            \
	"landlock_access_fs_write_file landlock_access_fs_remove_dir landlock_access_fs_remove_file "    \
	"landlock_access_fs_make_dir landlock_access_fs_make_reg landlock_access_fs_make_sock "          \
	"landlock_access_fs_make_fifo landlock_access_fs_make_sym landlock_access_fs_refer "             \
	"landlock_access_fs_truncate"
#define EXECUTE "landlock_access_fs_execute"
/* Nobody is allowed these. */
#define DEVICES "landlock_access_fs_make_char landlock_access_fs_make_block"
#define OPERATE "landlock_access_fs_ioctl_dev"
#define OPEN "landlock_access_fs_read_file landlock_access_fs_write_file landlock_access_fs_truncate"

/* Where the programs of systems lie, and what they are linked with. */
static const char *const programs[] = { "/usr",	  "/bin",    "/sbin",	   "/lib",	"/lib32",
					"/lib64", "/libx32", "/nix/store", "/gnu/store", NULL };
/* What programs of every kind look up: nothing of one user's, and nothing secret. */
static const char *const facts[] = {
	"/proc",
	"/sys/devices/system/cpu",
	"/sys/kernel/mm/transparent_hugepage",
	"/etc/alternatives",
	"/etc/bash.bashrc",
	"/etc/bindresvport.blacklist",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/etc/environment",
	"/etc/fonts",
	"/etc/gai.conf",
	"/etc/gitconfig",
	"/etc/group",
	"/etc/host.conf",
	"/etc/hostname",
	"/etc/hosts",
	"/etc/inputrc",
	"/etc/ld-musl-aarch64.path",
	"/etc/ld-musl-x86_64.path",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/ld.so.preload",
	"/etc/locale.alias",
	"/etc/localtime",
	"/etc/magic",
	"/etc/mime.types",
	"/etc/nsswitch.conf",
	"/etc/os-release",
	"/etc/passwd",
	"/etc/perl",
	"/etc/pki/ca-trust",
	"/etc/pki/tls/certs",
	"/etc/profile",
	"/etc/profile.d",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/etc/shells",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
	"/etc/timezone",
	NULL,
};
/* They hold nothing of anybody's. */
static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", NULL };
/* Inside, the terminals are the task's own. */
static const char *const terminals[] = { "/dev/tty", "/dev/ptmx", "/dev/pts", NULL };
static const char *const terminal[] = { "/dev/tty", NULL };

bool restrict_net(const carrel_spec *s)
{
	return s->limit_tcp || s->n_connect_ports > 0 || s->n_bind_ports > 0;
}

bool restrict_rules_wanted(const carrel_spec *s)
{
	return s->n_paths > 0 || restrict_net(s);
}

/* ------------------------------------------------------------ Landlock --- */

/* The scopes of the rules; the ones that nobody asked for where the kernel has them. */
static const char *scope_of(const carrel_spec *s, int abi)
{
	unsigned scope = s->scope != 0			 ? s->scope :
			 abi >= LANDLOCK_ABI_SCOPES ? CARREL_SCOPE_SIGNAL | CARREL_SCOPE_ABSTRACT :
							   0;
	static const char *const words[] = { "", "landlock_scope_signal", "landlock_scope_abstract_unix_socket",
					     "landlock_scope_abstract_unix_socket landlock_scope_signal" };

	return words[scope & 3];
}

/* ${access} in the kernel's words, at most what it has. */
static const char *access_of(unsigned access, int abi, char words[1024])
{
	const char *operate = abi >= LANDLOCK_ABI_DEVICES ? " " OPERATE : "";

	*words = 0;
	if (access & CARREL_READ)
		snprintf(words, 1024, READ);
	if (access & CARREL_WRITE)
		snprintf(words + strlen(words), 1024 - strlen(words), "%s" WRITE "%s", *words != 0 ? " " : "", operate);
	if (access & CARREL_EXECUTE)
		snprintf(words + strlen(words), 1024 - strlen(words), "%s" EXECUTE, *words != 0 ? " " : "");
	return words;
}

static void add_found(struct ops *o, const char *const *paths, const char *access)
{
	ops_add(o, CALL_landlock_allow_found, false, "svw", RULES, paths, access);
}

static void add_system(const carrel_spec *s, int abi, struct ops *o)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	const char *operate = abi >= LANDLOCK_ABI_DEVICES ? OPEN " " OPERATE : OPEN;

	add_found(o, programs, READ " " EXECUTE);
	add_found(o, facts, READ);
	add_found(o, devices, OPEN);
	add_found(o, spec_isolated(s) ? terminals : terminal, operate);
	/* By a name of theirs, as in "echo failed >/dev/stderr" and "stty -F $(tty)". */
	for (int i = 0; i < 3; i++)
		ops_add(o, CALL_landlock_allow_stream, false, "sfw", RULES, streams[i], operate);
}

static void add_paths(const carrel_spec *s, int abi, struct ops *o)
{
	char words[1024];

	if (!s->no_system)
		add_system(s, abi, o);
	for (size_t i = 0; i < s->n_paths; i++) {
		const carrel_path *p = &s->paths[i];

		if (*p->path == '@')
			add_found(o, restrict_word(p->path), access_of(p->access, abi, words));
		else
			ops_add(o, CALL_landlock_allow, false, "stw", RULES, p->path,
				access_of(p->access, abi, words));
	}
}

const char *const *restrict_word(const char *word)
{
	static const char *const shared[] = { "/tmp", "/var/tmp", "/dev/shm", NULL };

	return strcmp(word, "@tmp") == 0 ? shared : NULL;
}

void restrict_rules(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	char files[1024] = "";

	if (!restrict_rules_wanted(s))
		return;
	if (s->n_paths > 0) {
		access_of(CARREL_READ | CARREL_WRITE | CARREL_EXECUTE, x->landlock_abi, files);
		snprintf(files + strlen(files), sizeof(files) - strlen(files), " " DEVICES);
	}
	ops_put(o, PLACE_TASK, "slot 62", CALL_landlock_create_ruleset, "www", files,
		restrict_net(s) ? "landlock_access_net_bind_tcp landlock_access_net_connect_tcp" : "",
		scope_of(s, x->landlock_abi));
	if (s->n_paths > 0)
		add_paths(s, x->landlock_abi, o);
	if (s->n_connect_ports > 0)
		ops_add(o, CALL_landlock_allow_ports, false, "spw", RULES, s->connect_ports, s->n_connect_ports,
			"landlock_access_net_connect_tcp");
	if (s->n_bind_ports > 0)
		ops_add(o, CALL_landlock_allow_ports, false, "spw", RULES, s->bind_ports, s->n_bind_ports,
			"landlock_access_net_bind_tcp");
}

void restrict_obey(const carrel_spec *s, const char *scope, struct ops *o)
{
	if (restrict_net(s))
		ops_add(o, CALL_filter_ports, false, "");
	if (restrict_rules_wanted(s))
		ops_add(o, CALL_landlock_restrict_self, false, "s", RULES);
	else if (s->scope == 0)
		ops_add(o, CALL_landlock_scope, true, "w", scope);
	else if (!(s->scope & CARREL_SCOPE_NONE))
		ops_add(o, CALL_landlock_scope, false, "w", scope_of(s, 0));
}

/* -------------------------------------------------------- capabilities --- */

/* No capabilities for user 0, none kept by a change of user or raised, and all of that locked. */
#define SECUREBITS 0xef
#define NO_SETUID_FIXUP 0x04
#define AMBIENT_RAISE 2

/* Room for the words of all of them. */
#define CAP_WORDS 2048

static const char *words_of(uint64_t caps, char words[CAP_WORDS])
{
	size_t len = 0;

	*words = 0;
	for (int i = 0; i < 64; i++) {
		const char *name = caps >> i & 1 ? constant_name('v', i) : NULL;

		if (name != NULL)
			len += (size_t)snprintf(words + len, CAP_WORDS - len, "%s%s", len > 0 ? " " : "", name);
	}
	return words;
}

static void raise_ambient(uint64_t caps, enum place place, struct ops *o)
{
	for (int i = 0; i < 64; i++) {
		if (caps >> i & 1)
			ops_put(o, place, "", CALL_prctl, "aiiii", "pr_cap_ambient", AMBIENT_RAISE, i, 0, 0);
	}
}

/*
 * Exactly ${caps} in every set, and nothing to get more by.  What empties the bounding set takes a capability that
 * the last operation takes away.  Ambient ones, which alone outlive the execution of a plain file by a user who is
 * not 0, have to be inheritable before, and can be raised before that is locked.
 */
void restrict_capabilities(uint64_t caps, enum place place, struct ops *o)
{
	char kept[CAP_WORDS], with[CAP_WORDS];

	words_of(caps, kept);
	if (caps != 0) {
		snprintf(with, sizeof(with), "%s%s", kept, caps >> CAP_NUMBER_SETPCAP & 1 ? "" : " cap_setpcap");
		ops_put(o, place, "", CALL_capset, "www", with, with, kept);
		raise_ambient(caps, place, o);
	}
	ops_put(o, place, "", CALL_drop_bounding, "w", kept);
	ops_put(o, place, "", CALL_prctl, "aiiii", "pr_set_securebits", SECUREBITS, 0, 0, 0);
	if (caps == 0)
		ops_put(o, place, "", CALL_ambient_clear, "");
	ops_put(o, place, "", CALL_capset, "www", kept, kept, kept);
}

bool restrict_capabilities_wanted(const carrel_spec *s)
{
	return s->caps != 0 || s->drop_caps;
}

void restrict_before_identity(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	/* Or a change of user would take the capabilities that the rest needs; which anybody may keep permitted. */
	if (restrict_capabilities_wanted(s) && x->setpcap)
		ops_add(o, CALL_prctl, false, "aiiii", "pr_set_securebits", NO_SETUID_FIXUP, 0, 0, 0);
	else if (s->caps != 0)
		ops_add(o, CALL_prctl, false, "aiiii", "pr_set_keepcaps", 1, 0, 0, 0);
}

void restrict_after_identity(const carrel_spec *s, const struct behaviour_context *x, struct ops *o)
{
	char kept[CAP_WORDS];

	if (!restrict_capabilities_wanted(s))
		return;
	if (x->setpcap) {
		restrict_capabilities(s->caps, PLACE_TASK, o);
		return;
	}
	/* The bounding set is not ours to change; without new privileges it gives nothing. */
	words_of(s->caps, kept);
	ops_add(o, CALL_capset, false, "www", kept, kept, kept);
	ops_add(o, CALL_ambient_clear, false, "");
	raise_ambient(s->caps, PLACE_TASK, o);
}
