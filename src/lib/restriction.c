/* SPDX-License-Identifier: ISC */
/*
 * Checking what a spec takes away by Landlock and capabilities: first for itself, then against what this kernel can
 * enforce and the host has.  Whatever would hold less than it says is an error before anything starts.
 */
#include "internal.h"

#include "constant.h"
#include "sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BAD(index, ...) error_set(e, CARREL_STAGE_ARGS, EINVAL, index, __VA_ARGS__)

EXPORT const char *carrel_cap_name(unsigned n)
{
	const char *name = constant_name('v', n);

	return name != NULL ? name + strlen("cap_") : NULL;
}

/* ------------------------------------------------------- for itself --- */

static const char *word_of(unsigned access)
{
	return access & CARREL_WRITE ? "rw" : access & CARREL_EXECUTE ? "exec" : "ro";
}

static int check_path(const carrel_spec *s, int i, carrel_error *e)
{
	const carrel_path *p = &s->paths[i];
	const unsigned known = CARREL_READ | CARREL_WRITE | CARREL_EXECUTE;

	if (p->access == 0 || p->access & ~known)
		return BAD(i, "paths[%d].access is %#x; it must be of CARREL_READ, CARREL_WRITE and CARREL_EXECUTE", i,
			   p->access);
	if (p->path == NULL || *p->path == 0)
		return BAD(i, "%s: an empty path; the current directory is .", word_of(p->access));
	if (strlen(p->path) > 4000)
		return BAD(i, "%s: the path '%.60s...' is too long", word_of(p->access), p->path);
	if (*p->path == '@' && restrict_word(p->path) == NULL)
		return BAD(i, "%s: '%.100s' is not a word; there is @tmp (a file of that name is ./%.60s)",
			   word_of(p->access), p->path, p->path);
	if (spec_isolated(s) && *p->path != '/' && *p->path != '@')
		return BAD(i, "%s: '%.120s' must be an absolute path, which is one inside", word_of(p->access), p->path);
	return 0;
}

static int check_paths(const carrel_spec *s, carrel_error *e)
{
	int r = 0;

	if (s->n_paths > CARREL_PATHS_MAX)
		return BAD(-1, "%zu paths; at most %d can be allowed", s->n_paths, CARREL_PATHS_MAX);
	if (s->n_paths > 0 && s->paths == NULL)
		return BAD(-1, "paths is NULL, but its count is %zu", s->n_paths);
	if (s->no_system && s->n_paths == 0)
		return BAD(-1, "no_system without a path: nothing could be executed");
	for (size_t i = 0; i < s->n_paths && r == 0; i++)
		r = check_path(s, (int)i, e);
	return r;
}

static int check_ports(const carrel_spec *s, carrel_error *e)
{
	const struct {
		const char *name;
		const uint16_t *list;
		size_t n;
	} ports[] = { { "connect_ports", s->connect_ports, s->n_connect_ports },
		      { "bind_ports", s->bind_ports, s->n_bind_ports } };

	for (size_t i = 0; i < 2; i++) {
		if (ports[i].n > CARREL_PORTS_MAX)
			return BAD(-1, "%zu %s; at most %d can be allowed", ports[i].n, ports[i].name, CARREL_PORTS_MAX);
		if (ports[i].n > 0 && ports[i].list == NULL)
			return BAD(-1, "%s is NULL, but its count is %zu", ports[i].name, ports[i].n);
	}
	for (size_t i = 0; i < s->n_connect_ports; i++) {
		if (s->connect_ports[i] == 0)
			return BAD((int)i, "connect_ports[%zu] is 0, which nobody can connect to", i);
	}
	return 0;
}

static int check_scope(const carrel_spec *s, carrel_error *e)
{
	const unsigned known = CARREL_SCOPE_SIGNAL | CARREL_SCOPE_ABSTRACT | CARREL_SCOPE_NONE;

	if (s->scope & ~known)
		return BAD(-1, "scope has unknown bits: %#x", s->scope & ~known);
	if (s->scope & CARREL_SCOPE_NONE && s->scope != CARREL_SCOPE_NONE)
		return BAD(-1, "CARREL_SCOPE_NONE excludes the other scopes");
	return 0;
}

static int check_caps(const carrel_spec *s, carrel_error *e)
{
	for (unsigned i = 0; i < 64; i++) {
		if (s->caps >> i & 1 && carrel_cap_name(i) == NULL)
			return BAD(-1, "caps has bit %u, which is no capability", i);
	}
	if (s->drop_caps && s->caps != 0)
		return BAD(-1, "drop_caps takes every capability, and caps keeps some: one of them must be 0");
	return 0;
}

/* It asks for something that is not there without asking. */
static bool asks(const carrel_spec *s)
{
	return restrict_rules_wanted(s) || s->scope != 0 || restrict_capabilities_wanted(s);
}

int restriction_check(const carrel_spec *s, carrel_error *e)
{
	if (check_paths(s, e) < 0 || check_ports(s, e) < 0 || check_scope(s, e) < 0 || check_caps(s, e) < 0)
		return -1;
	if (s->ops != NULL && asks(s))
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1,
				 "ops exclude paths, ports, scope and capabilities: the program says what is restricted");
	if (s->allow_setuid && (restrict_rules_wanted(s) || s->scope & ~(unsigned)CARREL_SCOPE_NONE))
		return error_set(e, CARREL_STAGE_ARGS, EOPNOTSUPP, -1,
				 "allow_setuid excludes paths, ports and scope: the kernel takes them only from a task "
				 "that cannot gain privileges");
	return 0;
}

/* ---------------------------------------------------- against the host --- */

static int needs(int have, int abi, const char *linux_version, const char *what, carrel_error *e)
{
	if (have >= abi)
		return 0;
	if (have == 0)
		return error_set(e, CARREL_STAGE_RESTRICT, EOPNOTSUPP, -1,
				 "%s: Landlock ABI %d (Linux %s) is needed, and this kernel has no Landlock: not built in, or "
				 "not named in lsm= at boot", what, abi, linux_version);
	return error_set(e, CARREL_STAGE_RESTRICT, EOPNOTSUPP, -1,
			 "%s: Landlock ABI %d (Linux %s) is needed, and this kernel has ABI %d", what, abi, linux_version,
			 have);
}

/* Devices lie there. */
static bool has_devices(const struct stat *st)
{
	struct stat other;

	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) || (stat("/dev", &other) == 0 && other.st_dev == st->st_dev) ||
	       (stat("/", &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino);
}

/* As the host sees it: what is inside is not there yet. */
static int look_path(const carrel_path *p, int i, int abi, carrel_error *e)
{
	char what[96];
	struct stat st;

	if (*p->path == '@')
		return 0;
	if (stat(p->path, &st) == -1)
		return error_set(e, CARREL_STAGE_FILE, errno, i, "%s: cannot allow '%.150s': %s%s", word_of(p->access),
				 p->path, strerror(errno), errno == ENOENT ? "; it must be there before the start" : "");
	snprintf(what, sizeof(what), "%s %.40s, without the devices' own operations", word_of(p->access), p->path);
	return p->access & CARREL_WRITE || !has_devices(&st) ? 0 : needs(abi, LANDLOCK_ABI_DEVICES, "6.10", what, e);
}

static int look_landlock(const carrel_spec *s, struct behaviour_context *x, carrel_error *e)
{
	const int abi = x->landlock_abi = sys_landlock_abi();
	int r = 0;

	/* Before ABI 3 a file that may only be read could be emptied. */
	if (s->n_paths > 0)
		r = needs(abi, LANDLOCK_ABI_PATHS, "6.2", "ro, rw and exec", e);
	if (r == 0 && restrict_net(s))
		r = needs(abi, LANDLOCK_ABI_PORTS, "6.7", "connect and bind-port", e);
	if (r == 0 && s->scope & (CARREL_SCOPE_SIGNAL | CARREL_SCOPE_ABSTRACT))
		r = needs(abi, LANDLOCK_ABI_SCOPES, "6.12", "scope", e);
	for (size_t i = 0; i < s->n_paths && r == 0 && !spec_isolated(s); i++)
		r = look_path(&s->paths[i], (int)i, abi, e);
	return r;
}

static int look_capabilities(const carrel_spec *s, struct behaviour_context *x, carrel_error *e)
{
	const uint64_t own = sys_capabilities();

	x->setpcap = own >> CAP_NUMBER_SETPCAP & 1;
	for (unsigned i = 0; i < 64; i++) {
		if (s->caps & ~own & UINT64_C(1) << i)
			return error_set(e, CARREL_STAGE_RESTRICT, EPERM, -1,
					 "cap %s: %s; rootless gives those of a user namespace of its own", carrel_cap_name(i),
					 own == 0 ? "you have no capabilities to give" : "you have not got it to give");
	}
	if (s->allow_setuid && !x->setpcap)
		return error_set(e, CARREL_STAGE_RESTRICT, EPERM, -1,
				 "%s: with allow_setuid only who has the capability setpcap can do that: set-user-ID "
				 "programs would give others back", s->drop_caps ? "drop_caps" : "caps");
	return 0;
}

int restriction_look(const carrel_spec *s, struct behaviour_context *x, carrel_error *e)
{
	int r = 0;

	if (restrict_rules_wanted(s) || s->scope != 0)
		r = look_landlock(s, x, e);
	/* Inside of a namespace of its own a task can have any. */
	if (r == 0 && restrict_capabilities_wanted(s) && !spec_isolated(s))
		r = look_capabilities(s, x, e);
	return r;
}
