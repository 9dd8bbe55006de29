/* SPDX-License-Identifier: ISC */
/* lib/behaviour: from options to programs, without rights and without a process. */
#include "tap.h"

#include "internal.h"

#include <sys/resource.h>

static const struct host plain = {
	.uid = 12345,
	.gid = 12345,
	.processes = 4096,
	.top = { { "usr", ENTRY_DIR, "" }, { "bin", ENTRY_LINK, "usr/bin" }, { "lib", ENTRY_DIR, "" },
		 { "lib64", ENTRY_NONE, "" } },
	.etc = { { "etc/ld.so.cache", ENTRY_FILE, "" }, { "etc/ssl/certs", ENTRY_DIR, "" },
		 { "etc/hosts", ENTRY_NONE, "" } },
};

/* A place for destinations that are not freed. */
static struct mount tmpfs(const char *dest, uint64_t size)
{
	return (struct mount){ .dest = strdup(dest), .kind = ENTRY_DIR, .size = size };
}

static struct mount bound(const char *source, const char *dest, int number, enum entry_kind kind, bool writable)
{
	return (struct mount){ .source = strdup(source), .dest = strdup(dest), .number = number, .kind = kind,
			       .writable = writable };
}

static struct host standard(void)
{
	struct host h = plain;

	h.mount[h.n_mounts++] = tmpfs("tmp", 67108864);
	h.mount[h.n_mounts++] = tmpfs("home", 67108864);
	h.mount[h.n_mounts++] = tmpfs("dev/shm", 67108864);
	return h;
}

/* The program as text. */
static char *text_of(const carrel_spec *s, const struct host *h)
{
	const struct behaviour_context x = { .host = 4711, .umask = 022, .search = "/usr/bin:/bin", .view = h,
					     .landlock_abi = 7, .setpcap = true };
	struct term_in in;
	struct buf b, text;

	buf_init(&b, MESSAGE_BODY_MAX);
	buf_init(&text, MESSAGE_BODY_MAX);
	behaviour_of(s)->program(s, &x, &b);
	CHECK_INT(b.err, 0);
	term_in_init(&in, b.data, b.len);
	CHECK_INT(program_text_out(&in, &text), 0);
	buf_finish(&b);
	return buf_steal_text(&text);
}

/* What carrel --print-ops would say, against the file of that name; WRITE_OPS=1 writes it anew. */
static void as_written(const char *name, const char *text)
{
	char path[512], want[65536];

	snprintf(path, sizeof(path), "%s/%s.ops", BEHAVIOUR_DIR, name);
	FILE *f = fopen(path, getenv("WRITE_OPS") != NULL ? "w+" : "r");
	if (f == NULL) {
		tap_fail("no file %s", path);
		return;
	}
	if (getenv("WRITE_OPS") != NULL) {
		fputs(text, f);
		rewind(f);
	}
	want[fread(want, 1, sizeof(want) - 1, f)] = 0;
	fclose(f);
	const char *a = text, *b = want;
	for (int line = 1; *a != 0 || *b != 0; line++) {
		int la = (int)strcspn(a, "\n"), lb = (int)strcspn(b, "\n");

		if (la != lb || strncmp(a, b, (size_t)la) != 0) {
			tap_fail("%s.ops, line %d: is\n  %.*s\nwanted\n  %.*s", name, line, la, a, lb, b);
			return;
		}
		a += la + (a[la] != 0);
		b += lb + (b[lb] != 0);
	}
}

TEST(rootless)
{
	const struct host h = standard();
	const carrel_spec s = { .size = sizeof(s), .behaviour = "rootless", .argv = CARREL_ARGV("id", "-u"),
				.in = { .kind = CARREL_PIPE }, .out = { .kind = CARREL_PIPE },
				.err = { .kind = CARREL_PIPE } };

	as_written("rootless", text_of(&s, &h));
}

TEST(container_with_everything)
{
	struct host h = standard();
	const carrel_rlimit limits[] = { { RLIMIT_NPROC, 10, 20 }, { RLIMIT_NOFILE, 64, 64 } };
	const carrel_spec s = { .size = sizeof(s), .behaviour = "container", .shell = "make", .cwd = "/src",
				.out = { .kind = CARREL_PTY }, .set = CARREL_SET_UID | CARREL_SET_GID | CARREL_SET_UMASK |
				CARREL_SET_PRIORITY, .uid = 0, .gid = 5, .umask = 077, .priority = 3,
				.limits = limits, .n_limits = 2, .net = CARREL_NET_HOST, .hostname = "desk" };

	h.root = true;
	h.uid = 1879048192;
	h.gid = 1879048193;
	h.mount[0] = tmpfs("tmp", 4096);
	h.mount[0].exec = true;
	h.mount[h.n_mounts++] = tmpfs("cache/deep", 8192);
	h.mount[h.n_mounts++] = bound("/srv/source", "src", 0, ENTRY_DIR, true);
	h.mount[h.n_mounts++] = bound("/etc/motd", "cache/deep/a/motd", 1, ENTRY_FILE, false);
	h.mount[h.n_mounts++] = bound("/srv/other", "src/inside", 2, ENTRY_DIR, false);
	h.mount[h.n_mounts++] = bound("/srv/tool", "usr/share/tool", 3, ENTRY_DIR, false);
	as_written("container", text_of(&s, &h));
}

TEST(a_directory_as_root)
{
	struct host h = standard();
	const carrel_spec s = { .size = sizeof(s), .behaviour = "rootless", .argv = CARREL_ARGV("sh"),
				.root = "/srv/root" };

	h.root_dir = strdup("/srv/root");
	h.mount[h.n_mounts++] = bound("/srv/data", "data", 0, ENTRY_DIR, false);
	as_written("root", text_of(&s, &h));
}

TEST(a_root_that_takes_changes)
{
	struct host h = standard();
	const carrel_spec s = { .size = sizeof(s), .behaviour = "rootless", .argv = CARREL_ARGV("sh"),
				.root = "/srv/root", .overlay = 1, .overlay_size = 1048576 };

	h.root_dir = strdup("/srv/root");
	h.overlay = true;
	h.mount[h.n_mounts++] = bound("/srv/data", "data/deep", 0, ENTRY_DIR, false);
	h.mount[h.n_mounts - 1].alone = true;
	as_written("overlay", text_of(&s, &h));
	h.root = true;
	h.uid = h.gid = 1879048192;
	h.layer = strdup("/srv/kept");
	as_written("overlay-kept", text_of(&s, &h));
}

/* FreeBSD's, as text: what it needs to run is elsewhere. */
TEST(a_jail)
{
	struct host h = { .root_dir = strdup("/rescue"), .n_ip4 = 1, .ip4 = { { 127, 0, 0, 1 } } };
	const carrel_rlimit limits[] = { { RLIMIT_NOFILE, 64, 64 } };
	const carrel_spec s = { .size = sizeof(s), .behaviour = "jail", .argv = CARREL_ARGV("./echo", "test"),
				.root = "/rescue", .hostname = "desk", .limits = limits, .n_limits = 1 };

	as_written("jail", text_of(&s, &h));
}

static const carrel_path paths[] = { { "src", CARREL_READ }, { "out", CARREL_READ | CARREL_WRITE },
				     { "/opt/tool", CARREL_READ | CARREL_EXECUTE }, { "log", CARREL_WRITE },
				     { "@tmp", CARREL_READ | CARREL_WRITE } };
static const uint16_t ports[] = { 80, 443 };

TEST(restricted)
{
	const struct host h = standard();
	const carrel_spec s = { .size = sizeof(s), .argv = CARREL_ARGV("make"), .cwd = "/srv", .session = CARREL_SESSION_OWN,
				.set = CARREL_SET_UID, .uid = 1000, .paths = paths, .n_paths = 5, .connect_ports = ports,
				.n_connect_ports = 2, .bind_ports = ports, .n_bind_ports = 1,
				.caps = UINT64_C(1) << 13 | UINT64_C(1) << 10 };

	as_written("restricted", text_of(&s, &h));
}

/* What an old kernel has not got is not in the program; that it may not be missed was looked at before. */
TEST(restricted_on_an_old_kernel)
{
	const carrel_spec s = { .size = sizeof(s), .argv = CARREL_ARGV("make"), .paths = paths, .n_paths = 5 };
	const struct behaviour_context x = { .umask = -1, .search = "/bin", .landlock_abi = 3 };
	struct buf b, text;
	struct term_in in;

	buf_init(&b, MESSAGE_BODY_MAX);
	buf_init(&text, MESSAGE_BODY_MAX);
	behaviour_process.program(&s, &x, &b);
	term_in_init(&in, b.data, b.len);
	CHECK_INT(program_text_out(&in, &text), 0);
	const char *t = buf_steal_text(&text);
	CHECK(strstr(t, "ioctl_dev") == NULL && strstr(t, "scope") == NULL && strstr(t, "net_") == NULL);
	CHECK(strstr(t, "truncate") != NULL && strstr(t, "refer") != NULL);
	buf_finish(&b);
}

/* ------------------------------------------------------- what always holds --- */

struct seen {
	bool slot[PROGRAM_SLOTS];
	bool namespaces, identity, mounted, entered, rights_gone, rules, obeyed;
	uint32_t caps;		/* that are kept */
	int execs;
};

static void check_op(const struct op *op, struct seen *seen)
{
	/* Slots are filled before they are used; the one of an ignored open is the exception. */
	for (int i = 0; i < op->call->argc; i++) {
		const struct arg *a = &op->arg[i];

		if (a->kind == ARG_SLOT && !seen->slot[a->i])
			tap_fail("%s uses slot %d before it is filled", op->call->name, (int)a->i);
	}
	if (op->slot >= 0)
		seen->slot[op->slot] = true;
	if (op->place == PLACE_INIT && op->call->stage == STAGE_FILE && !seen->identity)
		tap_fail("%s before the ids are mapped", op->call->name);
	if (op->place == PLACE_INIT && seen->rights_gone)
		tap_fail("%s when the rights are gone", op->call->name);
	if (op->place == PLACE_INIT && seen->entered && op->call->stage == STAGE_FILE &&
	    op->call->number != CALL_umount2 && op->call->number != CALL_open)
		tap_fail("%s in the new root", op->call->name);
	switch ((enum call_number)op->call->number) {
	case CALL_clone:
		seen->namespaces = true;
		CHECK(op->arg[0].i & 0x10000000);
		break;
	case CALL_id_map:
		CHECK(seen->namespaces);
		CHECK_STR(op->arg[1].s, "deny");
		/* Inside, one blank, outside: never 0. */
		CHECK(strstr(op->arg[2].s, " 0 1\n") == NULL && strstr(op->arg[3].s, " 0 1\n") == NULL);
		break;
	case CALL_setresuid:
		seen->identity = true;
		break;
	case CALL_move_mount:
		seen->mounted = true;
		break;
	case CALL_mkdirat:
	case CALL_mknodat:
		/* In the root itself only while it is mounted nowhere. */
		CHECK(op->arg[0].i != 1 || !seen->mounted);
		break;
	case CALL_bind_in:
		CHECK(op->arg[5].i & 2);
		break;
	case CALL_pivot_root:
		seen->entered = true;
		break;
	case CALL_capset:
		/* The first of two has what the second takes away. */
		if (op->arg[0].n != op->arg[2].n)
			break;
		CHECK_INT(op->arg[0].n, seen->caps);
		CHECK_INT(op->arg[1].n, seen->caps);
		seen->rights_gone = true;
		break;
	case CALL_landlock_create_ruleset:
		seen->rules = true;
		break;
	case CALL_landlock_allow:
	case CALL_landlock_allow_found:
	case CALL_landlock_allow_stream:
	case CALL_landlock_allow_ports:
		CHECK(seen->rules && !seen->obeyed);
		break;
	case CALL_landlock_restrict_self:
		seen->obeyed = true;
		break;
	case CALL_exec:
		seen->execs++;
		break;
	default:
		CHECK(seen->execs == 0);
		break;
	}
}

static void check_program(const carrel_spec *s, const struct host *h)
{
	const struct behaviour_context x = { .umask = -1, .search = "/bin", .view = h, .landlock_abi = 7 };
	struct program_error e;
	struct program p;
	struct term_in in;
	struct buf b;
	struct seen seen = { .caps = s->caps != 0 };

	buf_init(&b, MESSAGE_BODY_MAX);
	term_out_list(&b, 3);
	term_out_atom(&b, "stdin");
	term_out_atom(&b, "stdout");
	term_out_atom(&b, "stderr");
	term_out_nil(&b);
	term_out_list(&b, 0);
	behaviour_of(s)->program(s, &x, &b);
	size_t size = program_memory(b.len);
	void *mem = malloc(size);
	term_in_init(&in, b.data, b.len);
	int r = program_in(&in, mem, size, &p, &e);
	if (r < 0)
		tap_fail("operation %d, argument %d: expected %s", e.index, e.arg, e.what);
	for (uint32_t i = 0; r == 0 && i < p.n_ops; i++)
		check_op(&p.op[i], &seen);
	CHECK(seen.namespaces && seen.identity && seen.entered && seen.rights_gone);
	CHECK(seen.rules == restrict_rules_wanted(s) && seen.obeyed == seen.rules);
	CHECK_INT(seen.execs, 1);
	free(mem);
	buf_finish(&b);
}

TEST(every_combination_is_sound)
{
	for (unsigned bits = 0; bits < 16384; bits++) {
		struct host h = standard();
		carrel_spec s = { .size = sizeof(s), .argv = CARREL_ARGV("x"), .behaviour = "rootless" };

		if (bits & 1)
			h.root = true, h.uid = h.gid = 0x70000000;
		if (bits & 2)
			h.root_dir = strdup("/srv/root");
		if (bits & 4)
			s.net = CARREL_NET_HOST;
		if (bits & 8)
			s.out.kind = CARREL_PTY;
		if (bits & 16)
			s.set = CARREL_SET_UID, s.uid = 0;
		if (bits & 32)
			h.mount[h.n_mounts++] = tmpfs("var/cache", 1);
		for (int i = 0; bits & 64 && i < CARREL_BINDS_MAX; i++) {
			char dest[40];

			snprintf(dest, sizeof(dest), i % 3 == 0 ? "a/b%d" : i % 3 == 1 ? "tmp/%d/c" : "a/b0/%d", i);
			h.mount[h.n_mounts++] = bound("/srv", dest, i, i % 2 ? ENTRY_DIR : ENTRY_FILE, i % 5 == 0);
		}
		if (bits & 128)
			s.in.kind = s.err.kind = CARREL_PIPE;
		if (bits & 256)
			s.shell = "x", s.argv = NULL;
		if (bits & 512)
			s.paths = paths + 2, s.n_paths = 1;
		if (bits & 1024)
			s.caps = UINT64_C(1) << 13;
		if (bits & 2048)
			s.limit_tcp = 1, s.scope = CARREL_SCOPE_SIGNAL;
		h.overlay = bits & (4096 | 8192);
		if (bits & 8192)
			h.layer = strdup("/srv/layer");
		check_program(&s, &h);
	}
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* A link in what was bound must not lead the making of a mount point somewhere else. */
TEST(nothing_is_made_in_what_was_bound)
{
	struct host h = standard();
	const carrel_spec s = { .size = sizeof(s), .behaviour = "rootless", .argv = CARREL_ARGV("x") };

	h.mount[h.n_mounts++] = bound("/srv/evil", "home/evil", 0, ENTRY_DIR, true);
	h.mount[h.n_mounts++] = bound("/srv/b", "home/evil/link/b", 1, ENTRY_DIR, false);
	const char *text = text_of(&s, &h);
	CHECK_INT(count(text, "make_in({slot, 1}, \"home/evil\", 16877)"), 1);
	CHECK_INT(count(text, "make_in"), 1);
	CHECK_INT(count(text, "link"), count(text, "symlink") + count(text, "home/evil/link/b"));
	CHECK_INT(count(text, "home/evil/link/b"), 1);
}

/* ------------------------------------------------------------ refused --- */

static int checked(const carrel_spec *s, carrel_error *e)
{
	carrel_spec full;

	return spec_check(s, &full, e);
}

TEST(what_cannot_be_honoured_is_named)
{
	static const carrel_bind nowhere[] = { { "/srv", "/proc/x", 0, 0, 0 } }, relative[] = { { "srv", NULL, 0, 0, 0 } },
				 up[] = { { "/srv", "/a/../b", 0, 0, 0 } }, root[] = { { "/srv", "//", 0, 0, 0 } },
				 none[] = { { NULL, "/a", 0, 0, 0 } };
	static const carrel_tmpfs dev[] = { { "/dev/pts", 0, 0 } }, no_path[] = { { NULL, 0, 0 } };
#define ISOLATED .size = sizeof(carrel_spec), .argv = CARREL_ARGV("x"), .behaviour = "rootless"
#define PLAIN .size = sizeof(carrel_spec), .argv = CARREL_ARGV("x")
	const struct {
		carrel_spec s;
		int err;
		const char *word;
	} cases[] = {
		{ { PLAIN, .behaviour = "jail" }, EOPNOTSUPP, "FreeBSD" },
		{ { PLAIN, .behaviour = "jial" }, EOPNOTSUPP, "jial" },
		{ { PLAIN, .root = "/" }, EOPNOTSUPP, "root" },
		{ { PLAIN, .hostname = "x" }, EOPNOTSUPP, "hostname" },
		{ { PLAIN, .overlay = 1 }, EOPNOTSUPP, "overlay" },
		{ { ISOLATED, .overlay_dir = "" }, EINVAL, "overlay_dir" },
		{ { ISOLATED, .overlay_size = 1 }, EINVAL, "overlay_size" },
		{ { ISOLATED, .overlay = 1, .overlay_dir = "x", .overlay_size = 1 }, EINVAL, "overlay_size" },
		{ { PLAIN, .net = CARREL_NET_NONE }, EOPNOTSUPP, "net none" },
		{ { PLAIN, .binds = up, .n_binds = 1 }, EOPNOTSUPP, "binds" },
		{ { PLAIN, .tmpfs = dev, .n_tmpfs = 1 }, EOPNOTSUPP, "tmpfs" },
		{ { PLAIN, .net = (carrel_net)9 }, EINVAL, "net 9" },
		{ { ISOLATED, .allow_setuid = 1 }, EOPNOTSUPP, "allow_setuid" },
		{ { ISOLATED, .set = CARREL_SET_UID_AUTO }, EOPNOTSUPP, "uid auto" },
		{ { ISOLATED, .set = CARREL_SET_GROUPS, .groups = (const gid_t[]){ 1 }, .n_groups = 1 }, EOPNOTSUPP,
		  "groups" },
		{ { ISOLATED, .session = CARREL_SESSION_KEEP }, EOPNOTSUPP, "session" },
		{ { ISOLATED, .on_exit = CARREL_EXIT_KEEP_TREE }, EOPNOTSUPP, "on_exit" },
		{ { ISOLATED, .cwd = "here" }, EINVAL, "cwd" },
		{ { ISOLATED, .hostname = "" }, EINVAL, "hostname" },
		{ { ISOLATED, .hostname = "a\nb" }, EINVAL, "hostname" },
		{ { ISOLATED, .root = "" }, EINVAL, "root" },
		{ { ISOLATED, .binds = nowhere, .n_binds = 1 }, EINVAL, "/proc" },
		{ { ISOLATED, .binds = relative, .n_binds = 1 }, EINVAL, "absolute" },
		{ { ISOLATED, .binds = up, .n_binds = 1 }, EINVAL, ".." },
		{ { ISOLATED, .binds = root, .n_binds = 1 }, EINVAL, "bind" },
		{ { ISOLATED, .binds = none, .n_binds = 1 }, EINVAL, "source" },
		{ { ISOLATED, .binds = up, .n_binds = 49 }, EINVAL, "48" },
		{ { ISOLATED, .tmpfs = dev, .n_tmpfs = 1 }, EINVAL, "tmpfs" },
		{ { ISOLATED, .tmpfs = no_path, .n_tmpfs = 1 }, EINVAL, "tmpfs" },
		{ { ISOLATED, .tmpfs = NULL, .n_tmpfs = 1 }, EINVAL, "NULL" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		carrel_error e = { 0 };

		CHECK_INT(checked(&cases[i].s, &e), -1);
		CHECK_INT(e.err, cases[i].err);
		CHECK_INT(e.stage, CARREL_STAGE_ARGS);
		if (strstr(e.msg, cases[i].word) == NULL)
			tap_fail("case %zu: '%s' has no '%s'", i, e.msg, cases[i].word);
	}
	const carrel_spec restricted[] = {
		{ PLAIN, .paths = paths, .n_paths = 257 },
		{ PLAIN, .paths = NULL, .n_paths = 1 },
		{ PLAIN, .paths = (const carrel_path[]){ { "x", 0 } }, .n_paths = 1 },
		{ PLAIN, .paths = (const carrel_path[]){ { "x", 8 } }, .n_paths = 1 },
		{ PLAIN, .paths = (const carrel_path[]){ { "", 1 } }, .n_paths = 1 },
		{ PLAIN, .paths = (const carrel_path[]){ { NULL, 1 } }, .n_paths = 1 },
		{ PLAIN, .paths = (const carrel_path[]){ { "@x", 1 } }, .n_paths = 1 },
		{ ISOLATED, .paths = paths, .n_paths = 1 },
		{ PLAIN, .no_system = 1 },
		{ PLAIN, .connect_ports = ports, .n_connect_ports = 4097 },
		{ PLAIN, .bind_ports = NULL, .n_bind_ports = 1 },
		{ PLAIN, .connect_ports = (const uint16_t[]){ 0 }, .n_connect_ports = 1 },
		{ PLAIN, .scope = 8 },
		{ PLAIN, .scope = CARREL_SCOPE_NONE | CARREL_SCOPE_SIGNAL },
		{ PLAIN, .caps = UINT64_C(1) << 63 },
		{ PLAIN, .caps = 1, .drop_caps = 1 },
	};
	for (size_t i = 0; i < sizeof(restricted) / sizeof(restricted[0]); i++) {
		carrel_error e = { 0 };

		CHECK_INT(checked(&restricted[i], &e), -1);
		CHECK_INT(e.err, EINVAL);
		CHECK_INT(e.stage, CARREL_STAGE_ARGS);
		CHECK(e.msg[0] != 0);
	}
	const carrel_spec good = { ISOLATED, .cwd = "/tmp", .hostname = "a-b.c", .net = CARREL_NET_HOST };
	carrel_error e = { 0 };
	CHECK_INT(checked(&good, &e), 0);
}

TEST(destinations)
{
	static const char *const cases[][2] = {
		{ "/a", "a" },	 { "//a///b/", "a/b" }, { "/a/b c", "a/b c" }, { "/...", "..." },
		{ "", NULL },	 { "a", NULL },		{ "/", NULL },	       { "///", NULL },
		{ "/.", NULL },	 { "/a/..", NULL },	{ "/../a", NULL },     { "/a/./b", NULL },
		{ "/..a", "..a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *dest = host_dest(cases[i][0]);

		if (cases[i][1] == NULL)
			CHECK(dest == NULL && errno == EINVAL);
		else
			CHECK_STR(dest, cases[i][1]);
		free(dest);
	}
}

TEST(names_of_capabilities)
{
	CHECK_STR(carrel_cap_name(0), "chown");
	CHECK_STR(carrel_cap_name(13), "net_raw");
	CHECK_STR(carrel_cap_name(CAP_NUMBER_SETPCAP), "setpcap");
	CHECK_STR(carrel_cap_name(40), "checkpoint_restore");
	CHECK(carrel_cap_name(63) == NULL && carrel_cap_name(64) == NULL && carrel_cap_name(UINT32_MAX) == NULL);
}

/* Ids of root's tasks: the same for one stream, others for the next. */
TEST(looking_at_the_host)
{
	const carrel_spec s = { .size = sizeof(s), .argv = CARREL_ARGV("x"), .behaviour = "rootless" };
	struct host a, b;
	carrel_error e = { 0 };

	CHECK_INT(host_look(&s, 77, 1, &a, &e), 0);
	CHECK_INT(host_look(&s, 77, 2, &b, &e), 0);
	CHECK(a.uid != 0 && a.gid != 0);
	CHECK(a.root == (a.uid != b.uid));
	CHECK_INT(a.n_mounts, 3);
	CHECK_STR(a.top[0].name, "usr");
	CHECK(a.top[0].kind == ENTRY_DIR);
	host_finish(&a);
	host_finish(&b);
	const carrel_bind missing = { "/nonexistent/x", "/x", 0, 0, 0 };
	carrel_spec bad = s;
	bad.binds = &missing;
	bad.n_binds = 1;
	CHECK_INT(host_look(&bad, 77, 0, &a, &e), -1);
	CHECK_INT(e.err, ENOENT);
	CHECK(strstr(e.msg, "bind") != NULL && strstr(e.msg, "/nonexistent/x") != NULL);
	host_finish(&a);
	bad = s;
	bad.root = "/nonexistent";
	CHECK_INT(host_look(&bad, 77, 0, &a, &e), -1);
	CHECK(strstr(e.msg, "root") != NULL);
	host_finish(&a);
	bad.root = "/usr";
	CHECK_INT(host_look(&bad, 77, 0, &a, &e), -1);
	CHECK(strstr(e.msg, "dev") != NULL);
	host_finish(&a);
}
