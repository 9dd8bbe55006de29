/* SPDX-License-Identifier: ISC */
/* wire/constant.c: names of numbers and back. */
#include "tap.h"

#include "constant.h"

#include <sys/resource.h>
#ifdef __linux__
#include <linux/seccomp.h>
#endif

/* errno is for names only. */
static const char families[] = "cflprsbdinotuwyADIOPghqv";

static int value(char family, const char *name, int64_t *ret)
{
	return constant_value(family, (struct slice){ (const unsigned char *)name, strlen(name) },
			      ret);
}

TEST(known_values)
{
	static const struct {
		char family;
		const char *name;
		int64_t want;
	} cases[] = {
		{ 's', "sighup", SIGHUP },
		{ 's', "sigterm", SIGTERM },
		{ 's', "sigkill", SIGKILL },
		{ 's', "sigsys", SIGSYS },
		{ 's', "sigiot", SIGABRT },
		{ 's', "sigpoll", SIGIO },
		{ 'f', "o_rdonly", O_RDONLY },
		{ 'f', "o_wronly", O_WRONLY },
		{ 'f', "o_creat", O_CREAT },
		{ 'f', "o_cloexec", O_CLOEXEC },
		{ 'f', "o_directory", O_DIRECTORY },
		{ 'f', "o_ndelay", O_NONBLOCK },
		{ 'p', "prio_process", PRIO_PROCESS },
		{ 'p', "prio_user", PRIO_USER },
		{ 'r', "rlimit_cpu", RLIMIT_CPU },
		{ 'r', "rlimit_nofile", RLIMIT_NOFILE },
		{ 'r', "rlimit_as", RLIMIT_AS },
#ifdef __linux__
		{ 'c', "pr_set_no_new_privs", PR_SET_NO_NEW_PRIVS },
		{ 'c', "pr_set_dumpable", PR_SET_DUMPABLE },
		{ 'c', "pr_set_name", PR_SET_NAME },
		{ 'c', "seccomp_mode_filter", SECCOMP_MODE_FILTER },
		{ 'l', "landlock_scope_abstract_unix_socket", 1 },
		{ 'l', "landlock_scope_signal", 2 },
#endif
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char upper[64];
		int64_t v = -77;

		if (value(cases[i].family, cases[i].name, &v) != 0)
			tap_fail("%s is not known", cases[i].name);
		CHECK_INT(v, cases[i].want);
		for (size_t k = 0; k <= strlen(cases[i].name); k++) {
			char c = cases[i].name[k];

			/* Every other letter in upper case. */
			upper[k] = (char)(c >= 'a' && c <= 'z' && k % 2 ? c - 'a' + 'A' : c);
		}
		v = -77;
		CHECK_INT(value(cases[i].family, upper, &v), 0);
		CHECK_INT(v, cases[i].want);
	}
}

/* The name of a value is one that stands for it; the first in the list where there are several. */
TEST(names_of_values)
{
	CHECK_STR(constant_name('s', SIGTERM), "sigterm");
	CHECK_STR(constant_name('s', SIGABRT), "sigabrt");
	CHECK_STR(constant_name('s', SIGIO), "sigio");
	CHECK_STR(constant_name('f', O_NONBLOCK), "o_nonblock");
	CHECK_STR(constant_name('f', 0), "o_rdonly");
	CHECK_STR(constant_name('r', RLIMIT_NOFILE), "rlimit_nofile");
	CHECK_STR(constant_name('p', 0), "prio_process");
	CHECK_STR(constant_name('l', 2), "landlock_scope_signal");
	CHECK(constant_name('s', 0) == NULL);
	CHECK(constant_name('s', -1) == NULL);
	CHECK(constant_name('s', 12345) == NULL);
	CHECK(constant_name('l', 0) == NULL);
	/* Not cut down to 32 bits. */
	CHECK(constant_name('s', INT64_C(0x10000000f)) == NULL);
}

TEST(every_name_comes_back)
{
	for (const char *f = families; *f != '\0'; f++) {
		int n = 0;

		for (int64_t v = -1; v < (*f == 'f' ? 10000000 : 300000); v++) {
			const char *name = constant_name(*f, v);
			int64_t back = -77;

			if (name == NULL)
				continue;
			n++;
			CHECK_INT(value(*f, name, &back), 0);
			CHECK_INT(back, v);
			CHECK(strlen(name) <= 255);
			for (const char *p = name; *p != '\0'; p++)
				CHECK((*p >= 'a' && *p <= 'z') || *p == '_' ||
				      (*p >= '0' && *p <= '9'));
		}
		CHECK(n >= 2);
	}
}

TEST(every_signal_has_a_name)
{
	for (int sig = 1; sig < 32; sig++)
		CHECK(constant_name('s', sig) != NULL);
}

TEST(what_is_no_constant)
{
	static const char *const names[] = { "",	 "sig",	      "sigter",
					     "sigterms", "term",      "sigterm ",
					     " sigterm", "o_creat",   "SIGTERM\xc3\xa9",
					     "\xff",	 "\xd3igterm" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t v = 4711;

		CHECK_INT(value('s', names[i], &v), -ENOTSUP);
		CHECK_INT(v, 4711);
	}
	int64_t v = 4711;
	CHECK_INT(constant_value('s', (struct slice){ (const unsigned char *)"sigterm\0", 8 }, &v),
		  -ENOTSUP);
	CHECK_INT(constant_value('s', (struct slice){ (const unsigned char *)"sigterm", 6 }, &v),
		  -ENOTSUP);
	CHECK_INT(v, 4711);
}

/* A family knows its own names only, and there are no other families. */
TEST(families_are_apart)
{
	static const char *const names[] = {
		"pr_set_name", "o_creat",	"landlock_scope_signal", "prio_user",
		"rlimit_as",   "sigterm",	"seccomp_set_mode_strict", "f_getfd",
		"tunsetiff",   "clone_newns",	"af_unix",		 "ptrace_cont",
		"ms_bind",     "wnohang",	"sys_getpid",
		"close_range_cloexec", "mfd_allow_sealing", "ioprio_class_idle", "pollin", "addr_no_randomize",
		"at_removedir", "resolve_in_root", "mount_attr_rdonly", "cap_sys_admin",
	};

	CHECK_INT(sizeof(names) / sizeof(names[0]), strlen(families));
	for (int c = 0; c < 256; c++) {
		bool known = c != 0 && (strchr(families, c) != NULL || c == 'e');

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			int64_t v = 4711;
			bool own = c == families[i];

			/* The prctl family has the seccomp names as well. */
			if (c == 'c' && families[i] == 'b')
				own = true;
			CHECK_INT(value((char)c, names[i], &v), own ? 0 : -ENOTSUP);
		}
		if (!known)
			CHECK(constant_name((char)c, 1) == NULL);
	}
}

#ifdef __linux__
/* What the port protocol fixes: numbers that programs were written with. */
TEST(values_of_the_port_protocol)
{
	static const struct {
		char family;
		const char *name;
		uint64_t want;
	} cases[] = {
		{ 'n', "clone_newtime", 0x80 },
		{ 'n', "CLONE_NEWUSER", 0x10000000 },
		{ 'd', "f_setpipe_sz", 1031 },
		{ 'd', "fd_cloexec", 1 },
		{ 'f', "o_rdonly", 0 },
		{ 'f', "o_accmode", 3 },
		{ 'f', "__o_sync", 04000000 },
		{ 'b', "seccomp_filter_flag_tsync", 1 },
		{ 'o', "pf_inet6", 10 },
		{ 'o', "sock_seqpacket", 5 },
		{ 'w', "wcontinued", 8 },
		{ 'u', "rdonly", 1 },
		{ 'u', "noatime", 1024 },
		{ 'u', "ms_nouser", UINT64_C(18446744071562067968) },
		{ 'u', "ms_mgc_val", 0xc0ed0000 },
		{ 'u', "mnt_detach", 2 },
		{ 'u', "umount_nofollow", 8 },
		{ 't', "ptrace_traceme", 0 },
		{ 't', "ptrace_o_tracesysgood", 1 },
		{ 't', "ptrace_event_stop", 128 },
		{ 'c', "pr_set_ptracer_any", UINT64_MAX },
		{ 'c', "seccomp_mode_filter", 2 },
		{ 'i', "tunsetiff", 0x400454ca },
		{ 'i', "tiocgwinsz", 0x5413 },
		{ 'i', "fionread", 0x541b },
		{ 'i', "siocgifindex", 0x8933 },
#ifdef __x86_64__
		{ 'y', "sys_read", 0 },
		{ 'y', "sys_exit_group", 231 },
		{ 'y', "sys_seccomp", 317 },
#endif
		{ 'y', "audit_arch_x86_64", 3221225534 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = -77;

		if (value(cases[i].family, cases[i].name, &v) != 0)
			tap_fail("%s is not known", cases[i].name);
		if ((uint64_t)v != cases[i].want)
			tap_fail("%s is %jd", cases[i].name, (intmax_t)v);
	}
}

TEST(names_that_this_system_lacks)
{
	static const struct {
		char family;
		const char *name;
	} cases[] = {
		{ 'y', "sys_sigreturn" }, { 'y', "sys_ugetrlimit" }, { 'u', "mnt_rdonly" },
		{ 'u', "ms_overlay" },	  { 'i', "siocgifmtus" },    { 's', "siglost" },
		{ 's', "sigrtmin" },	  { 'w', "p_pid" },	     { 'a', "cap_read" },
		{ 'z', "proc_aslr_ctl" }, { 'n', "clone_vm" },	     { 'c', "pr_set" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = -77;

		if (value(cases[i].family, cases[i].name, &v) != -ENOTSUP)
			tap_fail("%s is known", cases[i].name);
		CHECK_INT(v, -77);
	}
}

TEST(names_of_errors)
{
	static const struct {
		int number;
		const char *name;
	} cases[] = {
		{ 1, "eperm" },	      { 2, "enoent" },	   { 11, "eagain" },	 { 22, "einval" },
		{ 34, "erange" },     { 35, "edeadlk" },   { 38, "enosys" },	 { 40, "eloop" },
		{ 41, "unknown" },    { 42, "enomsg" },	   { 58, "unknown" },	 { 59, "ebfont" },
		{ 83, "elibexec" },   { 84, "unknown" },   { 85, "unknown" },	 { 86, "unknown" },
		{ 87, "eusers" },     { 95, "enotsup" },   { 111, "econnrefused" },
		{ 119, "enavail" },   { 120, "unknown" },  { 121, "eremoteio" }, { 122, "edquot" },
		{ 123, "unknown" },   { 125, "unknown" },  { 129, "unknown" },	 { 130, "eownerdead" },
		{ 131, "enotrecoverable" },		   { 132, "unknown" },	 { 133, "unknown" },
		{ 0, "unknown" },     { -1, "unknown" },   { INT32_MIN, "unknown" },
		{ 99999, "unknown" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_STR(errno_name(cases[i].number), cases[i].name);
}
#endif
