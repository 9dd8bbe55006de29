/* SPDX-License-Identifier: ISC */
/*
 * The root that an isolated task sees: built by descriptors on a mount that nobody else sees, entered, and the host's
 * thrown away.  What the caller or an attacker wrote is only ever resolved inside it (bind_in, mount_in, openat2 with
 * resolve_in_root).
 *
 * Read-only comes first, then what must be writable or a device is put on top.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Slots of the program; 0 has the init's pid.  The last one is never filled when the open before it was ignored. */
enum { ROOT = 1, DEV, PROC, MASK, FILES, PING, TREES, LAYER = TREES + CARREL_BINDS_MAX, UPPER, WORK };

#define HERE (-100) /* AT_FDCWD, for paths of the host */
#define READ_ONLY "mount_attr_rdonly mount_attr_nosuid mount_attr_nodev"
#define NOTHING "mount_attr_nosuid mount_attr_nodev mount_attr_noexec"
#define CLONE "open_tree_clone at_recursive"
#define LAYER_SIZE ((uint64_t)256 << 20)

#define INIT(...) ops_put(o, PLACE_INIT, "", __VA_ARGS__)
#define INIT_UNLESS(what, ...) ops_put(o, PLACE_INIT, "ignore " what, __VA_ARGS__)

static void add_slot(struct ops *o, enum place place, const char *source, int slot, bool alone)
{
	char options[24];

	snprintf(options, sizeof(options), "slot %d", slot);
	ops_put(o, place, options, CALL_open_tree, "itw", HERE, source, alone ? "open_tree_clone" : CLONE);
}

/* A copy that root makes outside, where it reaches what the task's id does not.  Private at once, or what is mounted
 * on a clone of a shared mount would be mounted on the host as well. */
static void add_outside(struct ops *o, const char *source, int slot, bool alone)
{
	add_slot(o, PLACE_OUTSIDE, source, slot, alone);
	ops_put(o, PLACE_OUTSIDE, "", CALL_mount_setattr, "stwnnw", slot, "",
		alone ? "at_empty_path" : "at_empty_path at_recursive", "ms_private");
}

/* The two directories of a layer: not what somebody else put there in their place. */
static void add_layer_dirs(struct ops *o, enum place place)
{
	static const char *const names[] = { "upper", "work" };
	static const char *const slots[] = { "slot 56", "slot 57" };

	for (size_t i = 0; i < 2; i++) {
		ops_put(o, place, "ignore eexist", CALL_mkdirat, "sti", LAYER, names[i], 0755);
		ops_put(o, place, slots[i], CALL_openat2, "stwiw", LAYER, names[i], "o_rdonly o_directory", 0,
			"resolve_no_symlinks resolve_beneath");
	}
}

/* One that is kept, for the task's id. */
static void add_layer_outside(const struct host *h, struct ops *o)
{
	add_outside(o, h->layer, LAYER, true);
	add_layer_dirs(o, PLACE_OUTSIDE);
	for (int slot = UPPER; slot <= WORK; slot++)
		ops_put(o, PLACE_OUTSIDE, "", CALL_fchown, "suu", slot, (uint64_t)h->uid, (uint64_t)h->gid);
}

void root_outside(const struct host *h, struct ops *o)
{
	if (!h->root)
		return;
	for (size_t i = 0; i < h->n_mounts; i++) {
		if (h->mount[i].source != NULL)
			add_outside(o, h->mount[i].source, TREES + h->mount[i].number, h->mount[i].alone);
	}
	if (h->layer != NULL)
		add_layer_outside(h, o);
	if (h->root_dir != NULL)
		add_outside(o, h->root_dir, ROOT, false);
}

void root_close(const struct host *h, struct ops *o)
{
	for (size_t i = 0; h->root && i < h->n_mounts; i++) {
		if (h->mount[i].source != NULL)
			ops_put(o, PLACE_OUTSIDE, "", CALL_close, "s", TREES + h->mount[i].number);
	}
	for (int slot = LAYER; h->root && h->layer != NULL && slot <= WORK; slot++)
		ops_put(o, PLACE_OUTSIDE, "", CALL_close, "s", slot);
	if (h->root && h->root_dir != NULL)
		ops_put(o, PLACE_OUTSIDE, "", CALL_close, "s", ROOT);
}

/* ---------------------------------------------------------- mount points --- */

static void add_point(struct ops *o, int dir, const char *path, enum entry_kind kind)
{
	if (kind == ENTRY_DIR)
		INIT_UNLESS("eexist", CALL_mkdirat, "sti", dir, path, 0755);
	else
		INIT_UNLESS("eexist", CALL_mknodat, "stii", dir, path, S_IFREG | 0444, 0);
}

/* Everything up to ${path} in the directory ${dir}, which nobody else has written to; its first ${there} bytes are
 * there already. */
static void add_path(struct ops *o, int dir, const char *path, size_t there, enum entry_kind kind)
{
	char part[4096];

	for (const char *p = strchr(path + there, '/'); p != NULL; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		add_point(o, dir, part, ENTRY_DIR);
	}
	add_point(o, dir, path, kind);
}

/* The mount before number ${i} that its destination is in, or -1 for the root. */
static int mount_around(const struct host *h, size_t i)
{
	for (size_t k = i; k-- > 0;) {
		if (path_below(h->mount[i].dest, h->mount[k].dest))
			return (int)k;
	}
	return -1;
}

/* It is in the root itself, and not in what the host put there. */
static bool in_memory(const struct host *h, size_t i)
{
	const char *dest = h->mount[i].dest;

	if (mount_around(h, i) >= 0 || path_below(dest, "dev"))
		return false;
	for (size_t k = 0; k < HOST_TOP && h->top[k].name != NULL; k++) {
		if (h->top[k].kind != ENTRY_NONE && path_below(dest, h->top[k].name))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- the parts --- */

/* A file system in memory, mounted nowhere; ${slot} as in options. */
static void add_memory(struct ops *o, const char *name, uint64_t size, const char *inodes, const char *slot)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
	ops_put(o, PLACE_INIT, "slot 5", CALL_fsopen, "t", "tmpfs");
	INIT(CALL_fsconfig, "satt", FILES, "fsconfig_set_string", "source", name);
	INIT(CALL_fsconfig, "satt", FILES, "fsconfig_set_string", "size", text);
	if (inodes != NULL)
		INIT(CALL_fsconfig, "satt", FILES, "fsconfig_set_string", "nr_inodes", inodes);
	INIT(CALL_fsconfig, "satt", FILES, "fsconfig_set_string", "mode", "0755");
	INIT(CALL_fsconfig, "sann", FILES, "fsconfig_cmd_create");
	ops_put(o, PLACE_INIT, slot, CALL_fsmount, "sw", FILES, "mount_attr_nosuid mount_attr_nodev");
	INIT(CALL_close, "s", FILES);
}

static void add_file(struct ops *o, const char *path, const char *text)
{
	ops_put(o, PLACE_INIT, "slot 5", CALL_openat, "stwi", ROOT, path, "o_wronly o_creat o_excl", 0644);
	INIT(CALL_write, "st", FILES, text);
	INIT(CALL_close, "s", FILES);
}

/* Users, groups and hosts as they are inside; the host's own are none of the task's business. */
static void add_etc(const carrel_spec *s, struct ops *o)
{
	uint64_t uid = s->set & CARREL_SET_UID ? s->uid : 65534;
	uint64_t gid = s->set & CARREL_SET_GID ? s->gid : uid;
	const char *host = s->hostname != NULL ? s->hostname : "carrel";
	char text[512];

	snprintf(text, sizeof(text), "%s%s:x:%llu:%llu::/home:/bin/sh\n",
		 uid != 0 ? "root:x:0:0::/:/bin/false\n" : "",
		 uid == 0 ? "root" : uid == 65534 ? "nobody" : "user", (unsigned long long)uid,
		 (unsigned long long)gid);
	add_file(o, "etc/passwd", text);
	snprintf(text, sizeof(text), "%s%s:x:%llu:\n", gid != 0 ? "root:x:0:\n" : "",
		 gid == 0 ? "root" : gid == 65534 ? "nogroup" : "user", (unsigned long long)gid);
	add_file(o, "etc/group", text);
	add_file(o, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
	snprintf(text, sizeof(text), "%s\n", host);
	add_file(o, "etc/hostname", text);
	if (!spec_own_net(s))
		return;
	snprintf(text, sizeof(text), "127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n", host);
	add_file(o, "etc/hosts", text);
}

/* On the mount while it is mounted nowhere. */
static void add_skeleton(const carrel_spec *s, const struct host *h, struct ops *o)
{
	static const char *const dirs[] = { "dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "tmp", "var" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		INIT(CALL_mkdirat, "sti", ROOT, dirs[i], 0755);
	INIT(CALL_symlinkat, "tst", "../tmp", ROOT, "var/tmp");
	INIT(CALL_symlinkat, "tst", "../run", ROOT, "var/run");
	for (size_t i = 0; i < HOST_TOP && h->top[i].name != NULL; i++) {
		if (h->top[i].kind == ENTRY_LINK)
			INIT(CALL_symlinkat, "tst", h->top[i].target, ROOT, h->top[i].name);
		else if (h->top[i].kind != ENTRY_NONE)
			INIT(CALL_mkdirat, "sti", ROOT, h->top[i].name, 0755);
	}
	add_etc(s, o);
	for (size_t i = 0; i < HOST_ETC && h->etc[i].name != NULL; i++) {
		if (h->etc[i].kind != ENTRY_NONE)
			add_path(o, ROOT, h->etc[i].name, strlen("etc/"), h->etc[i].kind);
	}
	for (size_t i = 0; i < h->n_mounts; i++) {
		if (in_memory(h, i))
			add_path(o, ROOT, h->mount[i].dest, 0, h->mount[i].kind);
	}
}

/* The names of ${n} entries that are files or directories, from ${names} on. */
static size_t shown(const struct entry *e, size_t n, const char **names)
{
	size_t count = 0;

	for (size_t i = 0; i < n && e[i].name != NULL; i++) {
		if (e[i].kind != ENTRY_NONE && e[i].kind != ENTRY_LINK)
			names[count++] = e[i].name;
	}
	return count;
}

/* Into a root that can be written to: each is read-only by itself. */
static void add_host_entries_alone(const struct host *h, struct ops *o)
{
	const char *names[HOST_TOP + HOST_ETC + 1] = { NULL };
	size_t n = shown(h->top, HOST_TOP, names);

	n += shown(h->etc, HOST_ETC, names + n);
	for (size_t i = 0; i < n; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/%s", names[i]);
		INIT(CALL_bind_in, "itstww", HERE, path, ROOT, names[i], "at_recursive", READ_ONLY);
	}
}

/* Into a root that nobody else has written to, and that is made read-only with all of them behind it. */
static void add_host_entries(const struct host *h, struct ops *o)
{
	const char *names[HOST_TOP + HOST_ETC + 1] = { NULL };
	size_t n = shown(h->top, HOST_TOP, names);

	if (n + shown(h->etc, HOST_ETC, names + n) == 0)
		return;
	ops_put(o, PLACE_INIT, "slot 5", CALL_openat, "itwi", HERE, "/", "o_path o_directory", 0);
	INIT(CALL_bind_each, "ssv", FILES, ROOT, names);
	INIT(CALL_close, "s", FILES);
}

/* On top of what is mounted: paths of the host still lead where they did, because our root directory stays what it
 * was. */
static void add_on_top(struct ops *o, int slot)
{
	INIT(CALL_move_mount, "stitw", slot, "", HERE, "/", "move_mount_f_empty_path");
}

/* The layer that takes what is written.  It has to be mounted somewhere for the kernel to take it as one. */
static void add_layer(const carrel_spec *s, const struct host *h, struct ops *o)
{
	if (h->layer == NULL)
		add_memory(o, "overlay", s->overlay_size != 0 ? s->overlay_size : LAYER_SIZE, NULL, "slot 55");
	else if (!h->root)
		add_slot(o, PLACE_INIT, h->layer, LAYER, true);
	add_on_top(o, LAYER);
	if (h->layer == NULL || !h->root)
		add_layer_dirs(o, PLACE_INIT);
}

/* The root becomes one that can be written to, and where mount points are made. */
static void add_overlay(struct ops *o)
{
	ops_put(o, PLACE_INIT, "slot 1", CALL_overlay, "sssw", ROOT, UPPER, WORK, "mount_attr_nosuid mount_attr_nodev");
	add_on_top(o, ROOT);
}

static void add_memory_root(const carrel_spec *s, const struct host *h, struct ops *o)
{
	add_memory(o, "root", 4194304, "2048", "slot 1");
	add_skeleton(s, h, o);
	if (h->overlay)
		add_layer(s, h, o);
	add_on_top(o, ROOT);
	if (h->overlay) {
		add_overlay(o);
		add_host_entries_alone(h, o);
		return;
	}
	add_host_entries(h, o);
	INIT(CALL_mount_setattr, "stwwnw", ROOT, "", "at_empty_path at_recursive", READ_ONLY, "ms_private");
}

/* ${path} inside the root, where that can be written to. */
static void add_made(struct ops *o, const char *path, enum entry_kind kind)
{
	INIT(CALL_make_in, "sti", ROOT, path, kind == ENTRY_DIR ? S_IFDIR | 0755 : S_IFREG | 0444);
}

static void add_directory_root(const carrel_spec *s, const struct host *h, struct ops *o)
{
	static const char *const needed[] = { "dev", "proc", "tmp" };

	if (!h->root)
		add_slot(o, PLACE_INIT, h->root_dir, ROOT, false);
	INIT(CALL_mount_setattr, "stwwnw", ROOT, "", "at_empty_path at_recursive", READ_ONLY, "ms_private");
	if (h->overlay)
		add_layer(s, h, o);
	add_on_top(o, ROOT);
	if (!h->overlay)
		return;
	add_overlay(o);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		add_made(o, needed[i], ENTRY_DIR);
}

static void add_opened(struct ops *o, const char *options, const char *path)
{
	ops_put(o, PLACE_INIT, options, CALL_openat2, "stwiw", ROOT, path, "o_path o_directory", 0, "resolve_in_root");
}

/* The task's terminal comes from outside, where its name means nothing inside: ttyname(3) finds it by this one. */
static void add_console(struct ops *o)
{
	INIT(CALL_mknodat, "stii", DEV, "console", S_IFREG | 0444, 0);
	INIT(CALL_terminal_in, "fst", "stdout", DEV, "console");
}

static void add_dev(const carrel_spec *s, struct ops *o)
{
	static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty", NULL };
	static const char *const links[][2] = { { "/proc/self/fd", "fd" },	{ "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
						{ "pts/ptmx", "ptmx" } };

	INIT(CALL_mount_in, "ttwst", "tmpfs", "size=65536,nr_inodes=32,mode=0755", NOTHING, ROOT, "dev");
	add_opened(o, "slot 2", "dev");
	for (size_t i = 0; devices[i] != NULL; i++)
		INIT(CALL_mknodat, "stii", DEV, devices[i], S_IFREG | 0444, 0);
	ops_put(o, PLACE_INIT, "slot 5", CALL_openat, "itwi", HERE, "/dev", "o_path o_directory", 0);
	INIT(CALL_bind_each, "ssv", FILES, DEV, devices);
	INIT(CALL_close, "s", FILES);
	INIT(CALL_mount_setattr, "stwwnw", DEV, "", "at_empty_path at_recursive", "mount_attr_nosuid mount_attr_noexec",
	     "ms_private");
	if (s->out.kind == CARREL_PTY)
		add_console(o);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		INIT(CALL_symlinkat, "tst", links[i][0], DEV, links[i][1]);
	INIT(CALL_mkdirat, "sti", DEV, "shm", 0755);
	INIT(CALL_mkdirat, "sti", DEV, "pts", 0755);
	/* Without gid=5, which is not mapped. */
	INIT(CALL_mount_in, "ttwst", "devpts", "newinstance,ptmxmode=0666,mode=0620",
	     "mount_attr_nosuid mount_attr_noexec", DEV, "pts");
	/* Its root alone: what is mounted in it stays as it is. */
	INIT(CALL_mount_setattr, "stwwnn", DEV, "", "at_empty_path", READ_ONLY);
}

static void add_masks(struct ops *o)
{
	static const char *const read_only[] = { "sys", "irq", "bus", "fs" };
	static const char *const dirs[] = { "acpi", "asound", "driver", "scsi", NULL };
	static const char *const files[] = { "sysrq-trigger", "kcore",	    "keys",	   "key-users",
					     "timer_list",    "kallsyms",    "vmallocinfo", "kpagecount",
					     "kpageflags",    "kpagecgroup", "slabinfo",    "iomem",
					     "sched_debug",   "latency_stats", NULL };

	/* Whether they look writable or not: for some ids access(2) says no where open(2) says yes. */
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		INIT_UNLESS("enoent", CALL_bind_in, "ststww", PROC, read_only[i], PROC, read_only[i], "at_recursive",
			    READ_ONLY " mount_attr_noexec");
	/* An empty directory and a file that not even its owner may open.  They come from a file system that
	 * the real /tmp will hide. */
	INIT(CALL_mount_in, "ttwst", "tmpfs", "size=4096,nr_inodes=4,mode=0755", NOTHING, ROOT, "tmp");
	add_opened(o, "slot 4", "tmp");
	INIT(CALL_mknodat, "stii", MASK, "file", S_IFREG, 0);
	INIT(CALL_mkdirat, "sti", MASK, "dir", 0555);
	INIT(CALL_mount_setattr, "stwwnn", MASK, "", "at_empty_path", READ_ONLY);
	INIT(CALL_mask_each, "stsv", MASK, "dir", PROC, dirs);
	INIT(CALL_mask_each, "stsv", MASK, "file", PROC, files);
}

static void add_proc(const carrel_spec *s, struct ops *o)
{
	char range[48];
	uint64_t uid = s->set & CARREL_SET_UID ? s->uid : 65534;
	uint64_t gid = s->set & CARREL_SET_GID ? s->gid : uid;

	INIT(CALL_mount_in, "ttwst", "proc", "", NOTHING, ROOT, "proc");
	add_opened(o, "slot 3", "proc");
	/* No user namespaces in ours, which are a large part of what a kernel offers to attack. */
	ops_put(o, PLACE_INIT, "slot 5", CALL_openat, "stwi", PROC, "sys/user/max_user_namespaces", "o_wronly", 0);
	INIT(CALL_write, "st", FILES, "0");
	INIT(CALL_close, "s", FILES);
	if (spec_own_net(s)) {
		/* ping(8) works without privilege where its group is in this range.  Nobody's network but ours. */
		snprintf(range, sizeof(range), "%llu %llu\n", (unsigned long long)gid, (unsigned long long)gid);
		ops_put(o, PLACE_INIT, "ignore slot 6", CALL_openat, "stwi", PROC, "sys/net/ipv4/ping_group_range",
			"o_wronly", 0);
		ops_put(o, PLACE_INIT, "ignore", CALL_write, "st", PING, range);
	}
	add_masks(o);
}

/* ------------------------------------------------ what was asked for --- */

static void add_tmpfs(const struct mount *m, struct ops *o)
{
	char options[64];
	const char *mode = strcmp(m->dest, "home") == 0				       ? "0700" :
			   strcmp(m->dest, "tmp") == 0 || strcmp(m->dest, "dev/shm") == 0 ? "1777" :
											 "0755";

	snprintf(options, sizeof(options), "size=%llu,mode=%s", (unsigned long long)m->size, mode);
	INIT(CALL_mount_in, "ttwst", "tmpfs", options, m->exec ? "mount_attr_nosuid mount_attr_nodev" : NOTHING, ROOT,
	     m->dest);
}

static void add_bind(const struct host *h, size_t i, struct ops *o)
{
	const struct mount *m = &h->mount[i];
	const char *attributes = m->writable ? "mount_attr_nosuid mount_attr_nodev" : READ_ONLY;
	const char *depth = m->alone ? "" : "at_recursive";

	if (h->root)
		INIT(CALL_bind_in, "ststww", TREES + h->mount[i].number, "", ROOT, m->dest, depth, attributes);
	else
		INIT(CALL_bind_in, "itstww", HERE, m->source, ROOT, m->dest, depth, attributes);
}

static void add_mount(const struct host *h, size_t i, struct ops *o)
{
	const struct mount *m = &h->mount[i];
	int around = mount_around(h, i);

	/* In a file system of the task's own.  In what was bound nothing is made: it is the host's. */
	if (around >= 0 ? h->mount[around].source == NULL : h->overlay && !path_below(m->dest, "dev"))
		add_made(o, m->dest, m->kind);
	if (m->source == NULL)
		add_tmpfs(m, o);
	else
		add_bind(h, i, o);
}

void root_inside(const carrel_spec *s, const struct host *h, struct ops *o)
{
	if (h->root_dir != NULL)
		add_directory_root(s, h, o);
	else
		add_memory_root(s, h, o);
	add_dev(s, o);
	add_proc(s, o);
	for (size_t i = 0; i < h->n_mounts; i++)
		add_mount(h, i, o);
	INIT(CALL_fchdir, "s", ROOT);
	INIT(CALL_pivot_root, "tt", ".", ".");
	/* The host's root lies on ours now, and .. would lead to it. */
	INIT(CALL_umount2, "tw", ".", "mnt_detach");
	/* What the layer was made of lay on it, and went first: one by one, or it would stay. */
	for (int below = 0; h->overlay && below < 2; below++)
		INIT(CALL_umount2, "tw", ".", "mnt_detach");
	INIT(CALL_chdir, "t", "/");
}
