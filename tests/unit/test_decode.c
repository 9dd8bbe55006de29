/* SPDX-License-Identifier: ISC */
/*
 * Arguments of requests to the port (port/answer.c, wire/argument.c and the files beside it): each
 * rule, what it takes and what it refuses, with which reply. Terms are written in notation.h.
 */
#include "tap.h"

#include "answer.h"
#include "notation.h"

#include <sys/select.h>
#include <sys/socket.h>

static struct arg arg[CALL_ARGS_MAX];
static char reply_text[64];

static const struct call *call(const char *name)
{
	const struct call *c =
		call_by_name((struct slice){ (const unsigned char *)name, strlen(name) });

	CHECK(c != NULL);
	return c;
}

/* The reply that port_decode() wrote, as one word. */
static const char *word(const struct buf *reply)
{
	struct term_in in;
	struct slice s;
	struct term t;

	term_in_init(&in, reply->data, reply->len);
	CHECK(term_in_version(&in) == 0 && term_in_next(&in, &t) == 0);
	if (t.kind == TERM_TUPLE)
		CHECK(t.n == 2 && term_in_atom(&in, &s) == 0 && slice_is(s, "error") &&
		      term_in_atom(&in, &s) == 0);
	else
		s = t.bytes;
	CHECK(in.p == in.end);
	snprintf(reply_text, sizeof(reply_text), "%.*s", (int)s.len, (const char *)s.data);
	return reply_text;
}

/* Decodes bytes that end where their memory ends. ok, or the word of the reply. */
static const char *decode_bytes(const struct call *c, const void *data, size_t len)
{
	static char mem[PORT_MEMORY];
	unsigned char *copy = malloc(len > 0 ? len : 1);
	unsigned char room[64];
	struct arena a = { mem, mem + sizeof(mem) };
	struct term_in in;
	struct buf reply;
	const char *result = "ok";

	CHECK(copy != NULL);
	memcpy(copy, data, len);
	memset(mem, 0xa5, sizeof(mem));
	memset(arg, 0x5a, sizeof(arg));
	buf_init_fixed(&reply, room, sizeof(room));
	term_in_init(&in, copy, len);
	int r = port_decode(c, &in, arg, &a, &reply);
	CHECK(r == 0 || r == -1);
	CHECK_INT(reply.len > 0, r == -1);
	CHECK(in.p <= in.end);
	if (r == -1)
		result = word(&reply);
	else
		CHECK(in.p == in.end);
	free(copy);
	return result;
}

static const char *decode(const char *name, const char *arguments)
{
	struct buf b;

	buf_init(&b, 1 << 24);
	notation(&b, arguments);
	const char *result = decode_bytes(call(name), b.data, b.len);
	buf_finish(&b);
	return result;
}

struct decoded {
	const char *call, *arguments, *want;
};

static void check_all(const struct decoded *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = decode(cases[i].call, cases[i].arguments);

		if (strcmp(got, cases[i].want) != 0)
			tap_fail("%s%s: %s, not %s", cases[i].call, cases[i].arguments, got,
				 cases[i].want);
	}
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

TEST(the_tuple)
{
	static const struct decoded cases[] = {
		{ "getpid", "{}", "ok" },
		{ "getpid", "+{}", "ok" },
		{ "getpid", "{1}", "badarg" },
		{ "getpid", "[]", "badarg" },
		{ "getpid", "ok", "badarg" },
		{ "kill", "{1, 15}", "ok" },
		{ "kill", "+{1, 15}", "ok" },
		{ "kill", "{1}", "badarg" },
		{ "kill", "{1, 15, 0}", "badarg" },
		{ "kill", "[1, 15]", "badarg" },
		/* Left to right. */
		{ "kill", "{x, nosuch}", "badarg" },
		{ "getpriority", "{nosuch, <>}", "enotsup" },
		{ "getpriority", "{<>, nosuch}", "badarg" },
		{ "open", "{</>, [nosuch], x}", "enotsup" },
		{ "open", "{<>, [nosuch], x}", "badarg" },
#ifdef __linux__
		/* The arity counts where the call is not there, the arguments do not. */
		{ "cap_enter", "{}", "undef" },
		{ "cap_enter", "{1}", "badarg" },
		{ "jail", "{x}", "undef" },
		{ "jail", "{x, x}", "badarg" },
		{ "pledge", "{1, 2}", "undef" },
		{ "procctl", "{1, 2, 3, 4}", "undef" },
		{ "cap_constant", "{cap_read}", "undef" },
#endif
	};

	CHECK_ALL(cases);
}

TEST(integers)
{
	static const struct decoded cases[] = {
		/* INT */
		{ "close", "{0}", "ok" },
		{ "close", "{-1}", "ok" },
		{ "close", "{2147483647}", "ok" },
		{ "close", "{-2147483648}", "ok" },
		{ "close", "{~5}", "ok" },
		{ "close", "{~-5}", "ok" },
		{ "close", "{2147483648}", "badarg" },
		{ "close", "{-2147483649}", "badarg" },
		{ "close", "{~~5}", "badarg" },
		{ "close", "{x}", "badarg" },
		{ "close", "{<5>}", "badarg" },
		{ "close", "{[]}", "badarg" },
		{ "close", "{{slot, 1}}", "badarg" },
		{ "close", "{{fd, stdin}}", "badarg" },
		{ "close", "{%4600000000}", "badarg" },
		/* UINT */
		{ "setuid", "{0}", "ok" },
		{ "setuid", "{4294967295}", "ok" },
		{ "setuid", "{~7}", "ok" },
		{ "setuid", "{4294967296}", "badarg" },
		{ "setuid", "{-1}", "badarg" },
		{ "setuid", "{~~7}", "badarg" },
		{ "setuid", "{{host, group}}", "badarg" },
		/* I64, U64 */
		{ "lseek", "{0, 9223372036854775807, 0}", "ok" },
		{ "lseek", "{0, -9223372036854775808, 0}", "ok" },
		{ "lseek", "{0, 9223372036854775808, 0}", "badarg" },
		{ "lseek", "{0, ~~1, 0}", "badarg" },
		{ "read", "{0, 18446744073709551615}", "ok" },
		{ "read", "{0, -1}", "badarg" },
		/* An integer that the port knows by its tag. */
		{ "fcntl", "{0, f_getfd, 2147483647}", "ok" },
		{ "fcntl", "{0, f_getfd, -1}", "ok" },
		{ "fcntl", "{0, f_getfd, ~5}", "badarg" },
		{ "fcntl", "{0, f_getfd, 2147483648}", "badarg" },
		{ "fcntl", "{0, f_getfd, f_getfd}", "badarg" },
		{ "fcntl", "{0, f_getfd, []}", "badarg" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("close", "{~-5}"), "ok");
	CHECK_INT(arg[0].i, -5);
	CHECK_STR(decode("chown", "{<f>, 4294967295, 0}"), "ok");
	CHECK_INT(arg[1].i, UINT32_MAX);
	CHECK_STR(decode("read", "{0, 18446744073709551615}"), "ok");
	CHECK(arg[1].u[0] == UINT64_MAX);
}

TEST(atoms)
{
	static const struct decoded cases[] = {
		/* The four forms: 100, 115, 118, 119. */
		{ "getopt", "{%64000178}", "ok" },
		{ "getopt", "{%730178}", "ok" },
		{ "getopt", "{%76000178}", "ok" },
		{ "getopt", "{%770178}", "ok" },
		{ "getopt", "{%7700}", "ok" },
		/* Latin-1 is Latin-1 in each. */
		{ "getopt", "{%640001ff}", "ok" },
		{ "getopt", "{%7302fffe}", "ok" },
		{ "getopt", "{%7702c3bf}", "ok" },
		{ "getopt", "{%760002c280}", "ok" },
		{ "getopt", "{%7702c480}", "badarg" },
		{ "getopt", "{%7703e282ac}", "badarg" },
		{ "getopt", "{%7701c3}", "badarg" },
		{ "getopt", "{%7701ff}", "badarg" },
		{ "getopt", "{x}", "ok" },
		{ "getopt", "{<x>}", "badarg" },
		{ "getopt", "{\"x\"}", "badarg" },
		{ "getopt", "{1}", "badarg" },
		{ "getopt", "{[]}", "badarg" },
		{ "signal_constant", "{sigterm}", "ok" },
		{ "signal_constant", "{15}", "badarg" },
		{ "signal_constant", "{[sigterm]}", "badarg" },
		/* An atom that is none cannot be a constant. */
		{ "kill", "{1, %7702c480}", "badarg" },
		{ "kill", "{1, %7702c3bf}", "enotsup" },
	};
	unsigned char long_atom[600] = { 104, 1, 118, 1, 254 };

	CHECK_ALL(cases);
	for (size_t i = 0; i < 510; i += 2)
		memcpy(long_atom + 5 + i, "\xc3\xbf", 2);
	CHECK_STR(decode_bytes(call("getopt"), long_atom, 5 + 510), "ok");
	long_atom[4] = 255;
	long_atom[5 + 510] = 'x';
	CHECK_STR(decode_bytes(call("getopt"), long_atom, 5 + 511), "badarg");
	CHECK_STR(decode("getopt", "{maxchild}"), "ok");
	CHECK_MEM(arg[0].s, arg[0].n, "maxchild", 8);
}

TEST(constants)
{
	static const struct decoded cases[] = {
		/* CONST */
		{ "kill", "{1, sigterm}", "ok" },
		{ "kill", "{1, SIGTERM}", "ok" },
		{ "kill", "{1, SigTerm}", "ok" },
		{ "kill", "{1, 0}", "ok" },
		{ "kill", "{1, -1}", "ok" },
		{ "kill", "{1, nosuch}", "enotsup" },
		{ "kill", "{1, o_rdonly}", "enotsup" },
		{ "kill", "{1, ~15}", "badarg" },
		{ "kill", "{1, 2147483648}", "badarg" },
		{ "kill", "{1, [sigterm]}", "badarg" },
		{ "kill", "{1, []}", "badarg" },
		{ "kill", "{1, <sigterm>}", "badarg" },
		{ "kill", "{1, \"a\"}", "badarg" },
		{ "setns", "{3, clone_newns}", "ok" },
		{ "setns", "{3, [clone_newns]}", "badarg" },
		{ "socket", "{af_unix, sock_stream, 0}", "ok" },
		{ "socket", "{af_unix, [sock_stream, sock_cloexec], 0}", "badarg" },
		{ "socket", "{af_unix, sigterm, 0}", "enotsup" },
		{ "setpriority", "{prio_process, prio_process, 1}", "ok" },
		{ "setpriority", "{prio_process, nosuch, 1}", "enotsup" },
		{ "setpriority", "{prio_process, ~0, 1}", "badarg" },
		/* CONSTS */
		{ "open", "{</>, [], 0}", "ok" },
		{ "open", "{</>, 1, 0}", "ok" },
		{ "open", "{</>, -1, 0}", "ok" },
		{ "open", "{</>, [o_rdonly, o_cloexec], 0}", "ok" },
		{ "open", "{</>, [o_wronly, 64], 0}", "ok" },
		{ "open", "{</>, \"#0140\", 0}", "ok" },
		{ "open", "{</>, o_rdonly, 0}", "badarg" },
		{ "open", "{</>, ~1, 0}", "badarg" },
		{ "open", "{</>, [~1], 0}", "badarg" },
		{ "open", "{</>, [[]], 0}", "badarg" },
		{ "open", "{</>, [<o_rdonly>], 0}", "badarg" },
		{ "open", "{</>, [o_rdonly, nosuch, also], 0}", "enotsup" },
		{ "open", "{</>, [o_rdonly | o_cloexec], 0}", "badarg" },
		{ "open", "{</>, <>, 0}", "badarg" },
		{ "waitpid", "{-1, wnohang}", "badarg" },
		{ "waitpid", "{-1, [wnohang, wuntraced]}", "ok" },
		{ "unshare", "{clone_newns}", "badarg" },
		{ "unshare", "{[clone_newns, clone_newuser]}", "ok" },
		{ "clone", "{[clone_newpid, clone_newnet]}", "ok" },
		{ "clone", "{[clone_vm]}", "enotsup" },
		/* Flags that are words, not ints. */
		{ "umount2", "{<m>, [mnt_detach]}", "ok" },
		{ "umount2", "{<m>, []}", "ok" },
		{ "umount2", "{<m>, mnt_detach}", "badarg" },
		{ "umount2", "{<m>, -1}", "badarg" },
		{ "umount2", "{<m>, [-1]}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, [ms_bind, rdonly], <>, <>}", "ok" },
		{ "mount", "{<s>, <t>, <f>, ms_bind, <>, <>}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, [ms_nouser], <>, <>}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, -1, <>, <>}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, [ms_mgc_val], <>, <>}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, [ms_mgc_msk], <>, <>}", "badarg" },
		{ "mount", "{<s>, <t>, <f>, [nosuch], <>, <>}", "enotsup" },
		/* CONST64 */
		{ "ioctl", "{0, tunsetiff, 0}", "ok" },
		{ "ioctl", "{0, -1, 0}", "ok" },
		{ "ioctl", "{0, 9223372036854775807, 0}", "ok" },
		{ "ioctl", "{0, ~21523, 0}", "ok" },
		{ "ioctl", "{0, 18446744073709551615, 0}", "badarg" },
		{ "ioctl", "{0, ~~1, 0}", "badarg" },
		{ "ioctl", "{0, nosuch, 0}", "enotsup" },
		{ "ioctl", "{0, [tunsetiff], 0}", "badarg" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("open", "{</>, \"#014080\", 0}"), "ok");
	CHECK_INT(arg[1].i, 0xc1);
	CHECK_STR(decode("open", "{</>, \"#000001\", 0}"), "ok");
	CHECK_INT(arg[1].i, 1);
	CHECK_STR(decode("open", "{</>, [o_wronly, o_creat, o_excl], 420}"), "ok");
	CHECK_INT(arg[1].i, O_WRONLY | O_CREAT | O_EXCL);
	CHECK_INT(arg[2].i, 420);
}

TEST(paths)
{
	static const struct decoded cases[] = {
		{ "chdir", "{</tmp>}", "ok" },
		{ "chdir", "{\"/tmp\"}", "ok" },
		{ "chdir", "{[</t>, \"mp\", [109, [112]]]}", "ok" },
		{ "chdir", "{<>}", "badarg" },
		{ "chdir", "{[]}", "badarg" },
		{ "chdir", "{\"\"}", "badarg" },
		{ "chdir", "{[<>]}", "badarg" },
		{ "chdir", "{tmp}", "badarg" },
		{ "chdir", "{1}", "badarg" },
		{ "chdir", "{<x*4095>}", "ok" },
		{ "chdir", "{<x*4096>}", "badarg" },
		{ "chdir", "{\"x*4094\"}", "ok" },
		{ "chdir", "{\"x*4095\"}", "badarg" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("chdir", "{[</t>, \"m\", [[112], <#00>, <x>]]}"), "ok");
	CHECK_MEM(arg[0].s, arg[0].n + 1, "/tmp\0x", 7);
	CHECK_STR(arg[0].s, "/tmp");
}

TEST(iodata)
{
	static const struct decoded cases[] = {
		{ "iolist_to_bin", "{[]}", "ok" },
		{ "iolist_to_bin", "{<>}", "ok" },
		{ "iolist_to_bin", "{[[], [<>, []]]}", "ok" },
		{ "iolist_to_bin", "{[0, 255]}", "ok" },
		{ "iolist_to_bin", "{65}", "badarg" },
		{ "iolist_to_bin", "{[256]}", "badarg" },
		{ "iolist_to_bin", "{[-1]}", "badarg" },
		{ "iolist_to_bin", "{[~65]}", "badarg" },
		{ "iolist_to_bin", "{[%6200000041]}", "badarg" },
		{ "iolist_to_bin", "{[abc]}", "badarg" },
		{ "iolist_to_bin", "{[{65}]}", "badarg" },
		{ "iolist_to_bin", "{[<a> | <b>]}", "badarg" },
		{ "iolist_to_bin", "{[<a>, [<b> | <c>]]}", "badarg" },
		{ "iolist_to_bin", "{%6c000000006a}", "badarg" },
		/* Sixteen lists, and one too many. */
		{ "iolist_to_bin", "{[[[[[[[[[[[[[[[[<x>]]]]]]]]]]]]]]]]}", "ok" },
		{ "iolist_to_bin", "{[[[[[[[[[[[[[[[[[<x>]]]]]]]]]]]]]]]]]}", "badarg" },
		{ "iolist_to_bin", "{[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", "ok" },
		/* Full: a string wants a byte more, and behind the last byte there is no element. */
		{ "iolist_to_bin", "{<x*65535>}", "ok" },
		{ "iolist_to_bin", "{<x*65536>}", "badarg" },
		{ "iolist_to_bin", "{\"x*65534\"}", "ok" },
		{ "iolist_to_bin", "{\"x*65535\"}", "badarg" },
		{ "iolist_to_bin", "{[<x*65535>]}", "ok" },
		{ "iolist_to_bin", "{[<x*65535>, <>]}", "badarg" },
		{ "iolist_to_bin", "{[<x*65535>, []]}", "badarg" },
		{ "iolist_to_bin", "{[[<x*65535>], 1]}", "badarg" },
		{ "iolist_to_bin", "{[<x*65534>, 1]}", "ok" },
		{ "iolist_to_bin", "{[<x*65534>, 1, 2]}", "badarg" },
		{ "iolist_to_bin", "{[<x*65533>, \"y\"]}", "ok" },
		{ "iolist_to_bin", "{[<x*65534>, \"y\"]}", "badarg" },
		/* Names. */
		{ "getenv", "{<A>}", "ok" },
		{ "getenv", "{[]}", "badarg" },
		{ "getenv", "{<>}", "badarg" },
		{ "setenv", "{<A>, [], 1}", "ok" },
		{ "setenv", "{[], <x>, 1}", "badarg" },
		{ "setenv", "{<A>, <x*65534>, 1}", "ok" },
		{ "setenv", "{<A>, <x*65535>, 1}", "badarg" },
		{ "sethostname", "{<x*63>}", "ok" },
		{ "sethostname", "{<x*64>}", "badarg" },
		{ "sethostname", "{<>}", "badarg" },
		{ "mount", "{[], <t>, [], 0, [], []}", "ok" },
		{ "mount", "{[], [], [], 0, [], []}", "badarg" },
		{ "mount", "{<x*4096>, <t>, [], 0, [], []}", "badarg" },
		{ "mount", "{[], <t>, <x*4096>, 0, [], []}", "badarg" },
		/* Bits. */
		{ "filter", "{<>, <>}", "ok" },
		{ "filter", "{<x*16>, <x*16>}", "ok" },
		{ "filter", "{<x*17>, <>}", "badarg" },
		{ "filter", "{<>, <x*17>}", "badarg" },
		{ "filter", "{[], <>}", "badarg" },
		{ "filter", "{\"x\", <>}", "badarg" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("write", "{1, [<a#>, [98, \"cd\", [<e>]], 102]}"), "ok");
	CHECK_MEM(arg[1].s, arg[1].n, "a#bcdef", 7);
}

TEST(vectors)
{
	static const struct decoded cases[] = {
		{ "execvp", "{<sh>, []}", "ok" },
		{ "execvp", "{<sh>, [<sh>, \"-c\", [<a>, 98]]}", "ok" },
		{ "execvp", "{<sh>, [[]]}", "ok" },
		{ "execvp", "{<sh>, [<>, []]}", "ok" },
		{ "execvp", "{<sh>, \"sh\"}", "badarg" },
		{ "execvp", "{<sh>, <sh>}", "badarg" },
		{ "execvp", "{<sh>, [sh]}", "badarg" },
		{ "execvp", "{<sh>, [1]}", "badarg" },
		{ "execvp", "{<sh>, [<sh> | <x>]}", "badarg" },
		{ "execvp", "{<>, []}", "badarg" },
		{ "execve", "{</x>, [<x>], [<A=b>]}", "ok" },
		{ "execve", "{</x>, [<x>], env}", "badarg" },
		{ "execve", "{</x>, [<x>], [{a, b}]}", "badarg" },
		{ "fexecve", "{5, [<x>], []}", "ok" },
		{ "execvp", "{<sh>, [<x*65534>]}", "ok" },
		{ "execvp", "{<sh>, [<x*65535>]}", "badarg" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("execve", "{</x>, [<x>, [], [<a>, 98, <#00>, <c>]], []}"), "ok");
	CHECK_INT(arg[1].n, 3);
	CHECK_STR(arg[1].v[0], "x");
	CHECK_STR(arg[1].v[1], "");
	CHECK_STR(arg[1].v[2], "ab");
	CHECK(arg[1].v[3] == NULL);
	CHECK(arg[2].kind == ARG_VECTOR && arg[2].v == NULL && arg[2].n == 0);
}

TEST(lists_of_numbers)
{
	static const struct decoded cases[] = {
		{ "setgroups", "{[]}", "ok" },
		{ "setgroups", "{[1000, 4294967295]}", "ok" },
		{ "setgroups", "{\"#01c8\"}", "ok" },
		{ "setgroups", "{[4294967296]}", "badarg" },
		{ "setgroups", "{[-1]}", "badarg" },
		{ "setgroups", "{[1 | 2]}", "badarg" },
		{ "setgroups", "{[x]}", "badarg" },
		{ "setgroups", "{<x>}", "badarg" },
		{ "setgroups", "{5}", "badarg" },
		{ "select", "{[], [], [], []}", "ok" },
		{ "select", "{\"#01c8\", [300], [], []}", "ok" },
		{ "select", "{[], [], [], {alcove_timeval, 1, 0}}", "ok" },
		{ "select", "{[], [], [], {alcove_timeval, -1, -9223372036854775808}}", "ok" },
		{ "select", "{[], [], [], {alcove_timeval, ~~1, 0}}", "badarg" },
		{ "select", "{[], [], [], {alcove_timeval, 1}}", "badarg" },
		{ "select", "{[], [], [], {timeval, 1, 0}}", "badarg" },
		{ "select", "{[], [], [], {alcove_timeval, x, 0}}", "badarg" },
		{ "select", "{[], [], [], {alcove_timeval, 9223372036854775808, 0}}", "badarg" },
		{ "select", "{[], [], [], 1}", "badarg" },
		{ "select", "{[], [], [], <>}", "badarg" },
		{ "select", "{[1024], [], [], []}", "ebadf" },
		{ "select", "{[-1], [], [], []}", "ebadf" },
		{ "select", "{x, [], [], []}", "ebadf" },
		{ "select", "{[], <x>, [], []}", "ebadf" },
		{ "select", "{[], [], [1 | 2], []}", "ebadf" },
		{ "select", "{[], [], [x], 5}", "ebadf" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, 0, 18446744073709551615}}", "ok" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, -1, 0}}", "badarg" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, ~1, 1}}", "ok" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, 1, ~~1}}", "badarg" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, 0}}", "badarg" },
		{ "setrlimit", "{rlimit_nofile, {rlimit, 0, 0}}", "badarg" },
		{ "setrlimit", "{nosuch, {alcove_rlimit, 0, 0}}", "enotsup" },
		{ "sigaction", "{sigterm, sig_info}", "ok" },
		{ "sigaction", "{sigterm, sig_dfl}", "ok" },
		{ "sigaction", "{sigterm, sig_ign}", "ok" },
		{ "sigaction", "{sigterm, []}", "ok" },
		{ "sigaction", "{sigterm, <>}", "ok" },
		{ "sigaction", "{sigterm, SIG_DFL}", "badarg" },
		{ "sigaction", "{sigterm, <x>}", "badarg" },
		{ "sigaction", "{sigterm, 0}", "badarg" },
		{ "sigaction", "{sigterm, \"x\"}", "badarg" },
		{ "sigaction", "{nosuch, sig_dfl}", "enotsup" },
	};
	struct buf b;

	CHECK_ALL(cases);
	CHECK_STR(decode("setgroups", "{\"#01c8\"}"), "ok");
	CHECK_INT(arg[0].n, 2);
	CHECK_INT(arg[0].ids[1], 200);
	CHECK_STR(decode("sigaction", "{2, <>}"), "ok");
	CHECK_INT(arg[1].i, HANDLER_QUERY);
	CHECK_STR(decode("sigaction", "{2, sig_info}"), "ok");
	CHECK_INT(arg[1].i, HANDLER_INFO);
	CHECK_STR(decode("select", "{[], [], [], {alcove_timeval, 3, -4}}"), "ok");
	CHECK(arg[3].n == 1 && arg[3].time[0] == 3 && arg[3].time[1] == -4);
	CHECK_STR(decode("select", "{[], [], [], []}"), "ok");
	CHECK_INT(arg[3].n, 0);
	/* As many as fit a set, and one more. */
	for (uint32_t n = FD_SETSIZE - 1; n <= FD_SETSIZE; n++) {
		buf_init(&b, 1 << 20);
		term_out_tuple(&b, 4);
		term_out_list(&b, n);
		for (uint32_t i = 0; i < n; i++)
			term_out_int(&b, i % 1000);
		for (int i = 0; i < 4; i++)
			term_out_nil(&b);
		CHECK_STR(decode_bytes(call("select"), b.data, b.len), n < FD_SETSIZE ? "ok" : "ebadf");
		buf_finish(&b);
	}
}

TEST(structures)
{
	static const struct decoded cases[] = {
		{ "alloc", "{[<abc>]}", "ok" },
		{ "alloc", "{[<>]}", "ok" },
		{ "alloc", "{[{ptr, 4}, {ptr, <ab>}, {ptr, 0}, {ptr, <>}, <x>]}", "ok" },
		{ "alloc", "{[]}", "badarg" },
		{ "alloc", "{\"ab\"}", "badarg" },
		{ "alloc", "{<abc>}", "badarg" },
		{ "alloc", "{[x]}", "badarg" },
		{ "alloc", "{[1]}", "badarg" },
		{ "alloc", "{[[]]}", "badarg" },
		{ "alloc", "{[{ptr}]}", "badarg" },
		{ "alloc", "{[{ptr, -1}]}", "badarg" },
		{ "alloc", "{[{ptr, ~4}]}", "badarg" },
		{ "alloc", "{[{ptr, x}]}", "badarg" },
		{ "alloc", "{[{ptr, []}]}", "badarg" },
		{ "alloc", "{[{pt, 4}]}", "badarg" },
		{ "alloc", "{[{PTR, 4}]}", "badarg" },
		{ "alloc", "{[{ptr, 4, 4}]}", "badarg" },
		{ "alloc", "{[+{ptr, 4}]}", "badarg" },
		{ "alloc", "{[<a> | <b>]}", "badarg" },
		/* 65535 bytes in all. */
		{ "alloc", "{[<x*65535>]}", "ok" },
		{ "alloc", "{[<x*65536>]}", "badarg" },
		{ "alloc", "{[{ptr, 65535}]}", "ok" },
		{ "alloc", "{[{ptr, 65536}]}", "badarg" },
		{ "alloc", "{[{ptr, <x*65535>}]}", "ok" },
		{ "alloc", "{[{ptr, 65000}, <x*535>]}", "ok" },
		{ "alloc", "{[{ptr, 65000}, <x*536>]}", "badarg" },
		{ "alloc", "{[<x*65528>, {ptr, 0}]}", "badarg" },
		{ "alloc", "{[<x*65527>, {ptr, 0}]}", "ok" },
		/* connect: a socket address, or none. */
		{ "connect", "{3, []}", "ok" },
		{ "connect", "{3, [<x*128>]}", "ok" },
		{ "connect", "{3, [<x*129>]}", "badarg" },
		{ "connect", "{3, [<x*121>, {ptr, 0}]}", "badarg" },
		{ "connect", "{3, <x>}", "badarg" },
		{ "seccomp", "{seccomp_set_mode_filter, 0, []}", "ok" },
		{ "seccomp", "{seccomp_set_mode_filter, 0, [<#01000000>, {ptr, 8}]}", "ok" },
		{ "seccomp", "{nosuch, 0, []}", "enotsup" },
		{ "seccomp", "{0, [], []}", "badarg" },
		{ "seccomp", "{0, 0, 0}", "badarg" },
	};
	struct buf b;

	CHECK_ALL(cases);
	CHECK_STR(decode("alloc", "{[<ab>, {ptr, 4}, {ptr, <xyz>}, {ptr, 0}, <c>]}"), "ok");
	const struct arg_memory *m = arg[0].memory;
	CHECK_INT(m->len, 2 + 3 * sizeof(void *) + 1);
	CHECK_INT(m->n_parts, 5);
	CHECK(memcmp(m->data, "ab", 2) == 0 && m->data[m->len - 1] == 'c');
	CHECK(memcmp(m->data + 2, &m->part[1].to, sizeof(void *)) == 0);
	CHECK_MEM(m->part[1].to, 4, "\0\0\0\0", 4);
	CHECK_MEM(m->part[2].to, m->part[2].len, "xyz", 3);
	CHECK(m->part[3].to == NULL && m->part[3].len == sizeof(void *));
	/* Zeroed to the end of what a call may write. */
	for (uint32_t i = m->len; i < 65535; i++)
		CHECK(m->data[i] == 0);
	/* 1023 parts, and one more. */
	for (uint32_t n = 1023; n <= 1024; n++) {
		buf_init(&b, 1 << 20);
		term_out_tuple(&b, 1);
		term_out_list(&b, n);
		for (uint32_t i = 0; i < n; i++)
			term_out_text(&b, "a");
		term_out_nil(&b);
		CHECK_STR(decode_bytes(call("alloc"), b.data, b.len), n == 1023 ? "ok" : "badarg");
		buf_finish(&b);
	}
}

#ifdef __linux__
TEST(words)
{
	static const struct decoded cases[] = {
		{ "ioctl", "{0, 0, 0}", "ok" },
		{ "ioctl", "{0, 0, -1}", "ok" },
		{ "ioctl", "{0, 0, -2147483648}", "ok" },
		{ "ioctl", "{0, 0, <abc>}", "ok" },
		{ "ioctl", "{0, 0, <>}", "ok" },
		{ "ioctl", "{0, 0, [<abc>, {ptr, 1}]}", "ok" },
		{ "ioctl", "{0, 0, <x*65535>}", "ok" },
		{ "ioctl", "{0, 0, <x*65536>}", "badarg" },
		{ "ioctl", "{0, 0, []}", "badarg" },
		{ "ioctl", "{0, 0, \"a\"}", "badarg" },
		{ "ioctl", "{0, 0, x}", "badarg" },
		{ "ioctl", "{0, 0, ~1}", "badarg" },
		{ "ioctl", "{0, 0, 2147483648}", "badarg" },
		{ "ptrace", "{ptrace_cont, 1, 0, 2147483647}", "ok" },
		{ "ptrace", "{ptrace_cont, 1, <a>, [<b>]}", "ok" },
		{ "ptrace", "{ptrace_cont, 1, -1, 0}", "badarg" },
		{ "ptrace", "{ptrace_cont, 1, 0, []}", "badarg" },
		{ "ptrace", "{ptrace_cont, 1, sigterm, 0}", "badarg" },
		{ "ptrace", "{ptrace_cont, 1, 0, ~0}", "badarg" },
		{ "ptrace", "{ptrace_cont, 1, 0, \"a\"}", "badarg" },
		{ "prctl", "{pr_set_name, <a>, 0, 0, 0}", "ok" },
		{ "prctl", "{pr_set_name, [], [], [], []}", "ok" },
		{ "prctl", "{pr_set_seccomp, seccomp_mode_filter, [<a>], 0, 0}", "ok" },
		{ "prctl", "{pr_set_name, nosuch, 0, 0, 0}", "enotsup" },
		{ "prctl", "{nosuch, 0, 0, 0, 0}", "enotsup" },
		{ "prctl", "{[pr_set_name], 0, 0, 0, 0}", "badarg" },
		{ "prctl", "{pr_set_ptracer, pr_set_ptracer_any, 0, 0, 0}", "badarg" },
		{ "prctl", "{1, seccomp_ret_kill_process, 0, 0, 0}", "badarg" },
		{ "prctl", "{1, -1, 0, 0, 0}", "badarg" },
		{ "prctl", "{1, ~1, 0, 0, 0}", "badarg" },
		{ "prctl", "{1, \"a\", 0, 0, 0}", "badarg" },
		{ "prctl", "{1, 2147483648, 0, 0, 0}", "badarg" },
		/* The tail of a structure is no argument. */
		{ "prctl", "{1, [<a>], 5, 0, 0}", "ok" },
	};

	CHECK_ALL(cases);
	CHECK_STR(decode("prctl", "{1, [<a>], 5, [], seccomp_mode_filter}"), "ok");
	CHECK_INT(arg[2].i, 5);
	CHECK_INT(arg[3].i, 0);
	CHECK_INT(arg[4].i, 2);
	CHECK_STR(decode("prctl", "{1, <a*1>, <b>, <c>, <d>}"), "ok");
	CHECK(arg[1].memory->data != arg[2].memory->data);
	CHECK_INT(arg[4].memory->max, 65535);
}
#endif

/* What is cut off anywhere is refused, and nothing behind its end is looked at. */
TEST(cut_off)
{
	static const struct decoded cases[] = {
		{ "mount", "{<s>, [<t>, [\"u\", 5]], <f>, [ms_bind, 5], <d>, []}", "ok" },
		{ "alloc", "{[<ab>, {ptr, 4}, {ptr, <xyz>}]}", "ok" },
		{ "execve", "{</x>, [<x>, [], [<a>, 98]], []}", "ok" },
		{ "select", "{[3], \"#0405\", [], {alcove_timeval, 1, 500000}}", "ok" },
		{ "setrlimit", "{rlimit_nofile, {alcove_rlimit, 0, 18446744073709551615}}", "ok" },
		{ "ioctl", "{0, 9223372036854775807, [<abc>, {ptr, 1}]}", "ok" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1 << 16);
		notation(&b, cases[i].arguments);
		for (size_t len = 0; len < b.len; len++) {
			const char *got = decode_bytes(call(cases[i].call), b.data, len);

			if (strcmp(got, "badarg") != 0 && strcmp(got, "ebadf") != 0)
				tap_fail("%s cut at %zu: %s", cases[i].call, len, got);
		}
		CHECK_STR(decode_bytes(call(cases[i].call), b.data, b.len), "ok");
		buf_finish(&b);
	}
}

/* Whatever comes in a request, the memory that PORT_MEMORY says is enough. */
TEST(memory_is_enough)
{
	struct buf b;

	/* Empty arguments: the most pointers for a byte. */
	buf_init(&b, 1 << 20);
	term_out_tuple(&b, 2);
	term_out_text(&b, "sh");
	term_out_list(&b, 65500);
	for (int i = 0; i < 65501; i++)
		term_out_nil(&b);
	CHECK_STR(decode_bytes(call("execvp"), b.data, b.len), "ok");
	CHECK_INT(arg[1].n, 65500);
	buf_finish(&b);
#ifdef __linux__
	buf_init(&b, 1 << 20);
	term_out_tuple(&b, 5);
	term_out_int(&b, 1);
	for (int k = 0; k < 4; k++) {
		term_out_list(&b, 1023);
		for (int i = 0; i < 1023; i++) {
			term_out_tuple(&b, 2);
			term_out_atom(&b, "ptr");
			term_out_int(&b, 64);
		}
		term_out_nil(&b);
	}
	CHECK(b.len < 65535);
	CHECK_STR(decode_bytes(call("prctl"), b.data, b.len), "ok");
	buf_finish(&b);
#endif
}
