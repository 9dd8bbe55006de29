/* SPDX-License-Identifier: ISC */
/* The options of carrel run, and how they become a spec. */
#include "report.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --------------------------------------------------------------- values --- */

static int take_shell(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->spec.shell = value;
	return 0;
}

static int take_chdir(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->spec.cwd = value;
	return 0;
}

static int take_env(void *to, const char *value, char *why)
{
	struct run_options *o = to;

	if (*value == '=' || strchr(value, '=') == NULL) {
		snprintf(why, VALUES_WHY, "not of the form NAME=VALUE");
		return -1;
	}
	const char **env = realloc(o->env, (o->n_env + 2) * sizeof(*env));
	if (env == NULL) {
		snprintf(why, VALUES_WHY, "%s", strerror(ENOMEM));
		return -1;
	}
	o->env = env;
	env[o->n_env++] = value;
	env[o->n_env] = NULL;
	return 0;
}

static int take_timeout(void *to, const char *value, char *why)
{
	return values_time(value, &((struct run_options *)to)->spec.timeout_ms, why);
}

static int take_kill_after(void *to, const char *value, char *why)
{
	return values_time(value, &((struct run_options *)to)->spec.stop[0].wait_ms, why);
}

static int take_signal(void *to, const char *value, char *why)
{
	return values_signal(value, &((struct run_options *)to)->spec.stop[0].sig, why);
}

/* (uid_t)-1 and (gid_t)-1 mean "leave it as it is" to the kernel, so that nobody has them. */
#define ID_MAX 4294967294

static int take_uid(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int64_t id = 0;

	if (strcmp(value, "auto") == 0) {
		o->spec.set = (o->spec.set & ~(unsigned)CARREL_SET_UID) | CARREL_SET_UID_AUTO;
		return 0;
	}
	if (values_number(value, 0, ID_MAX, &id, why) == -1) {
		snprintf(why, VALUES_WHY, "not a user number from 0 to %lld, nor auto",
			 (long long)ID_MAX);
		return -1;
	}
	o->spec.set = (o->spec.set & ~(unsigned)CARREL_SET_UID_AUTO) | CARREL_SET_UID;
	o->spec.uid = (uid_t)id;
	return 0;
}

static int take_gid(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int64_t id = 0;

	if (values_number(value, 0, ID_MAX, &id, why) == -1)
		return -1;
	o->spec.set |= CARREL_SET_GID;
	o->spec.gid = (gid_t)id;
	return 0;
}

static int take_groups(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	gid_t *groups = NULL;

	if (values_ids(value, &groups, &o->spec.n_groups, why) == -1)
		return -1;
	free(o->groups);
	o->groups = groups;
	o->spec.groups = groups;
	o->spec.set |= CARREL_SET_GROUPS;
	return 0;
}

static int take_priority(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int64_t nice = 0;

	if (values_number(value, -20, 19, &nice, why) == -1)
		return -1;
	o->spec.set |= CARREL_SET_PRIORITY;
	o->spec.priority = (int)nice;
	return 0;
}

static int take_umask(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	unsigned mask = 0;

	if (values_octal(value, 0777, &mask, why) == -1)
		return -1;
	o->spec.set |= CARREL_SET_UMASK;
	o->spec.umask = (mode_t)mask;
	return 0;
}

/* A limit that is named again replaces the first: after a lowered hard limit it could not. */
static void set_limit(struct run_options *o, carrel_rlimit limit)
{
	size_t i = 0;

	while (i < o->spec.n_limits && o->limits[i].what != limit.what)
		i++;
	if (i == RUN_LIMITS_MAX) /* more than there are kinds */
		return;
	o->limits[i] = limit;
	if (i == o->spec.n_limits)
		o->spec.n_limits++;
}

static int take_rlimit(void *to, const char *value, char *why)
{
	carrel_rlimit limit = { 0 };

	if (values_rlimit(value, &limit, why) == -1)
		return -1;
	set_limit(to, limit);
	return 0;
}

static int take_on_exit(void *to, const char *value, char *why)
{
	if (strcmp(value, "kill") != 0 && strcmp(value, "wait") != 0 && strcmp(value, "keep") != 0) {
		snprintf(why, VALUES_WHY, "not one of kill, wait and keep");
		return -1;
	}
	((struct run_options *)to)->on_exit = value;
	return 0;
}

static int take_print_ops(void *to, const char *value, char *why)
{
	struct run_options *o = to;

	if (value != NULL && strcmp(value, "json") != 0) {
		snprintf(why, VALUES_WHY, "not json");
		return -1;
	}
	o->describe = 1;
	o->form = value != NULL ? CARREL_FORM_JSON : CARREL_FORM_OPS;
	return 0;
}

static int take_explain(void *to, const char *value, char *why)
{
	struct run_options *o = to;

	(void)value, (void)why;
	o->describe = 1;
	o->form = CARREL_FORM_WORDS;
	return 0;
}

/* ---------------------------------------------------------------- table --- */

#define FLAG(member) .flag = offsetof(struct run_options, member)

static const struct option_row rows[] = {
	{ .help = "The command" },
	{ 'c', "shell", "TEXT", "run TEXT with /bin/sh -c", take_shell, 0 },
	{ 'b', "behaviour", "NAME", "how to isolate it: process, rootless, container",
	  run_isolate_take_behaviour, 0 },
	{ 'C', "chdir", "DIR", "run it in DIR", take_chdir, 0 },
	{ 'e', "env", "NAME=VALUE", "set a variable of its environment", take_env, 0 },
	{ 0, "clear-env", NULL, "begin with an empty environment", NULL, FLAG(spec.env_clear) },

	{ .help = "What it is shown (rootless, container)" },
	{ 0, "net", "none|host|PATH", "its network (none), or that of a namespace", run_isolate_take_net, 0 },
	{ 0, "bind", "SRC[:DEST][:OPT,...]", "show it SRC of the host (ro; rw, norec, optional)",
	  run_isolate_take_bind, 0 },
	{ 0, "tmpfs", "DEST[:SIZE][:exec]", "an empty directory in memory (64M)", run_isolate_take_tmpfs, 0 },
	{ 0, "root", "DIR", "its root, read-only (made of the host's /usr)", run_isolate_take_root, 0 },
	{ 0, "overlay", "[=DIR]", "let it change its root: for itself, or kept in DIR", run_isolate_take_overlay, 0 },
	{ 0, "overlay-size", "SIZE", "room for these changes in memory (256M)", run_isolate_take_overlay_size, 0 },
	{ 0, "hostname", "NAME", "its host name (carrel)", run_isolate_take_hostname, 0 },

	{ .help = "What it may use" },
	{ 0, "ro", "PATH", "read PATH and below; with one such option, no other files", run_restrict_take_ro, 0 },
	{ 0, "rw", "PATH", "... and write, make and remove", run_restrict_take_rw, 0 },
	{ 0, "exec", "PATH", "read and execute", run_restrict_take_exec, 0 },
	{ 0, "no-system", NULL, "... not even the system's programs and libraries", NULL, FLAG(spec.no_system) },
	{ 0, "connect", "PORT|none", "TCP to this port (80, 8000-8009), and to no others", run_restrict_take_connect, 0 },
	{ 0, "bind-port", "PORT|none", "TCP from this port of its own", run_restrict_take_bind_port, 0 },
	{ 0, "scope", "NAMES", "not to reach outside: signal, abstract, or none", run_restrict_take_scope, 0 },
	{ 0, "cap", "NAME", "keep this capability, and no others", run_restrict_take_cap, 0 },
	{ 0, "drop-caps", NULL, "keep none", NULL, FLAG(spec.drop_caps) },

	{ .help = "What it may do" },
	{ 0, "seccomp", "PRESET|FILE", "its system calls: default, strict, none, or a policy's file", run_policy_take, 0 },
	{ 0, "seccomp-log", NULL, "... refuse nothing, and say at the end what would have been", NULL, FLAG(policy.log) },

	{ .help = "Its end" },
	{ 't', "timeout", "TIME", "end everything after TIME (1.5s, 300ms, 2m)", take_timeout, 0 },
	{ 's', "signal", "NAME", "end with this signal (TERM)", take_signal, 0 },
	{ 'k', "kill-after", "TIME", "send KILL this long after it (5s)", take_kill_after, 0 },
	{ 0, "on-exit", "kill|wait|keep", "what happens to what it leaves behind (kill)",
	  take_on_exit, 0 },
	{ 0, "wait-tree", NULL, "the same as --on-exit wait", NULL, FLAG(wait_tree) },

	{ 0, "retry", "N", "run it again, up to N times, when it fails", run_retry_take, 0 },
	{ 0, "backoff", "MIN..MAX", "... after longer and longer times (100ms..30s)", run_retry_take_backoff, 0 },

	{ .help = "Identity and limits" },
	{ 0, "uid", "N|auto", "run as user number N", take_uid, 0 },
	{ 0, "gid", "N", "run as group number N", take_gid, 0 },
	{ 0, "groups", "N,N", "supplementary groups", take_groups, 0 },
	{ 0, "subids", NULL, "also the user's ids of /etc/subuid (rootless, container)", NULL, FLAG(spec.subids) },
	{ 0, "setuid", NULL, "let set-user-ID programs gain privileges", NULL,
	  FLAG(spec.allow_setuid) },
	{ 0, "priority", "N", "nice value, -20 to 19", take_priority, 0 },
	{ 0, "rlimit", "NAME=SOFT[:HARD]", "a resource limit, such as nofile=64", take_rlimit, 0 },
	{ 0, "umask", "OCTAL", "file mode creation mask", take_umask, 0 },
	{ 0, "oom-score-adj", "N", "how soon it is killed without memory, -1000 to 1000",
	  run_limits_take_oom_score_adj, 0 },

	{ .help = "Limits of everything it starts, together" },
	{ 0, "memory", "SIZE", "memory and swap, such as 512M", run_limits_take_memory, 0 },
	{ 0, "pids", "N", "processes and threads", run_limits_take_pids, 0 },
	{ 0, "cpu", "PERCENT|N", "of one processor: 50%, 150%, or 1.5 processors", run_limits_take_cpu, 0 },
	{ 0, "cpu-time", "TIME", "processor time, after which it is ended", run_limits_take_cpu_time, 0 },
	{ 0, "io", "DEVICE:read=SIZE,...", "a second: read=, write=, reads=, writes=", run_limits_take_io, 0 },
	{ 0, "max-output", "SIZE", "of standard output and error, after which it is ended",
	  run_limits_take_max_output, 0 },
	{ 0, "cpus", "LIST", "the processors that it may use, such as 0-1,3", run_limits_take_cpus, 0 },
	{ 0, "io-priority", "CLASS[:LEVEL]", "idle, best-effort:0-7 or realtime:0-7",
	  run_limits_take_io_priority, 0 },
	{ 0, "best-effort", NULL, "leave out what cannot be limited here", NULL, FLAG(spec.best_effort) },

	{ .help = "Streams and reports" },
	{ 0, "stdio", "share|relay|null", "its standard streams: ours, pipes to ours, none (share)",
	  run_stdio_take, 0 },
	{ 0, "pty", NULL, "give it a terminal of its own", NULL, FLAG(pty) },
	{ 0, "input", "FILE", "its standard input", run_stdio_take_input, 0 },
	{ 0, "output", "FILE", "its standard output", run_stdio_take_output, 0 },
	{ 0, "error", "FILE", "its standard error", run_stdio_take_error, 0 },
	{ 0, "append", NULL, "keep what is in these files", NULL, FLAG(append) },
	{ 0, "tee", "FILE[:SIZE[:KEEP]]", "copy its output to FILE too, and rotate that", run_copy_take_tee, 0 },
	{ 0, "record", "FILE", "record it, on a terminal of its own (asciicast)", run_stdio_take_record, 0 },
	{ 0, "lines", NULL, "pass its output on in whole lines", NULL, FLAG(lines) },
	{ 0, "tag", NULL, "... each with \"out: \" or \"err: \" before it", NULL, FLAG(tag) },
	{ 0, "stamp", NULL, "... each with the time (UTC) before it", NULL, FLAG(stamp) },
	{ 0, "quiet", NULL, "show its output only if it fails", NULL, FLAG(quiet) },
	{ 0, "json", NULL, "print events, one JSON object a line", NULL, FLAG(json) },
	{ 0, "stats", NULL, "say at the end what it used", NULL, FLAG(stats) },
	{ 0, "status-fd", "N", "write the record to descriptor N, as JSON", run_record_take_fd, 0 },
	{ 'v', "verbose", NULL, "say what is done and what was killed", NULL, FLAG(verbose) },

	{ .help = "Other" },
	{ 0, "print-ops", "[=json]", "print the operation program and exit", take_print_ops, 0 },
	{ 0, "explain", NULL, "say what it will see and may use, and exit", take_explain, 0 },
	{ 0, "ops", "FILE", "run this operation program (- is stdin)", run_ops_take, 0 },
	{ 0, "ops-add", "FILE", "add these operations to the behaviour's", run_ops_take_add, 0 },
	{ 0, "ops-override", "FILE", "... put them in place of those of their phases", run_ops_take_override, 0 },
	{ 0, "no-cgroup", NULL, "do not use a cgroup", NULL, FLAG(no_cgroup) },
	{ 'h', "help", NULL, "print this", NULL, FLAG(help) },
};

static const char *const later[] = {
	"profile", "ordered", NULL,
};

const struct option_table run_options_table = {
	.verb = "run",
	.usage = "carrel run [options] [--] COMMAND [ARG...]\n"
		 "       carrel run [options] -c 'SHELL TEXT'\n"
		 "       carrel run [options] --ops FILE",
	.about = "Run COMMAND as if it had been typed, and leave nothing of it behind.",
	.notes = "Exit status: the command's own; 128+N after signal N; 124 ended by a limit of time\n"
		 "or output;\n"
		 "125 carrel failed; 126 not executable; 127 not found; 2 usage.\n"
		 "See carrel-run(1).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
	.later = later,
};

/* ----------------------------------------------------------- completion --- */

void run_options_init(struct run_options *o)
{
	*o = (struct run_options){ .spec = { .size = sizeof(carrel_spec) }, .status_fd = -1 };
	o->backoff_min_ms = 100;
	o->backoff_max_ms = 30000;
	o->spec.stop[0] = (carrel_step){ .sig = SIGTERM, .wait_ms = 5000 };
}

void run_options_finish(struct run_options *o)
{
	run_isolate_finish(&o->isolate);
	run_limits_finish(o);
	run_ops_finish(o);
	run_restrict_finish(&o->restrictions);
	run_policy_finish(&o->policy);
	free(o->tee_path);
	free(o->env);
	free(o->groups);
}

static int complete_exit(struct run_options *o)
{
	const char *word = o->on_exit != NULL ? o->on_exit : o->wait_tree ? "wait" : "kill";

	if (o->wait_tree && strcmp(word, "wait") != 0)
		return report_usage(run_options_table.verb,
				    "--wait-tree is --on-exit wait and cannot be given with --on-exit %s",
				    word);
	o->spec.on_exit = *word == 'w' ? CARREL_EXIT_WAIT_TREE :
			  word[1] == 'e' ? CARREL_EXIT_KEEP_TREE : CARREL_EXIT_KILL_TREE;
	return OPTIONS_GO_ON;
}

int run_options_complete(struct run_options *o, char **words)
{
	const char *verb = run_options_table.verb;

	if (o->ops.file != NULL && (o->spec.shell != NULL || *words != NULL))
		return report_usage(verb, "--ops names the command, so no other can be given");
	if (o->spec.shell != NULL && *words != NULL)
		return report_usage(verb, "-c takes one text and no words such as \"%s\"", *words);
	if (o->ops.file == NULL && o->spec.shell == NULL && *words == NULL)
		return report_usage(verb, "no command: carrel run [options] COMMAND [ARG...]");
	int status = complete_exit(o);
	if (status == OPTIONS_GO_ON)
		status = run_stdio_complete(o);
	if (status == OPTIONS_GO_ON)
		status = run_policy_complete(o);
	if (status != OPTIONS_GO_ON)
		return status;

	/* No core file unless asked for: the library's default counts without limits only. */
	size_t i = 0;
	while (i < o->spec.n_limits && o->limits[i].what != RLIMIT_CORE)
		i++;
	if (o->spec.n_limits > 0 && i == o->spec.n_limits)
		set_limit(o, (carrel_rlimit){ .what = RLIMIT_CORE });
	o->spec.limits = o->limits;
	o->spec.argv = *words != NULL ? (const char *const *)words : NULL;
	o->spec.env = o->env;
	o->spec.trace = o->verbose;
	o->spec.record = o->stats || o->status_fd >= 0;
	return run_ops_load(o);
}
