/* SPDX-License-Identifier: ISC */
/*
 * isolated CARREL HELPER BUNDLE STATE: what it takes to run true(1) isolated, with everything that rootless and container do
 * by default, beside other programs that are told to do the same.  HELPER is
 * carrel-control, BUNDLE an OCI bundle and STATE a directory
 * for those that use one: bench/isolated makes them.
 */
#include "peers.h"

#include <carrel.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 150
#define SPAWNS 300
#define WARM 20

static const char *command, *helper;

/* --------------------------------------------------------------- programs --- */

#define BWRAP                                                                                                      \
	"bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL",    \
		"--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--uid", "65534", "--gid", "65534",            \
		"--hostname", "carrel", "--ro-bind", "/usr", "/usr", "--ro-bind", "/bin", "/bin", "--ro-bind",    \
		"/lib", "/lib", "--ro-bind", "/lib64", "/lib64", "--ro-bind", "/etc/ld.so.cache",                 \
		"/etc/ld.so.cache", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/home",    \
		"--chdir", "/"

static void programs(const char *program, const char *bundle, const char *state)
{
	const int root = geteuid() == 0;
	struct peer p[] = {
		{ .name = "bwrap, strict", .args = { BWRAP } },
		{ .name = "carrel run -b rootless", .args = { program, "run", "-b", "rootless" }, .aim = "<= 0.5" },
		{ .name = "carrel run -b container", .args = { program, "run", "-b", "container" }, .aim = "<= 0.5" },
		{ .name = "carrel run", .args = { program, "run" } },
		{ .name = "unshare",
		  .args = { "unshare", "--user", "--map-user=65534", "--map-group=65534", "--mount", "--pid", "--fork",
			    "--mount-proc", "--kill-child", "--ipc", "--uts", "--cgroup", "--net" } },
		{ .name = "crun", .args = { "crun", "--cgroup-manager=disabled", "--root", state, "run", "--bundle", bundle, "carrel-bench" },
		  .alone = 1 },
		{ .name = "runc", .args = { "runc", "--root", state, "run", "--bundle", bundle, "carrel-bench" },
		  .alone = 1 },
		{ .name = "firejail",
		  .args = { "firejail", "--quiet", "--noprofile", "--net=none", "--private", "--private-tmp",
			    "--private-dev", "--caps.drop=all", "--nonewprivs", "--noroot", "--ipc-namespace",
			    "--hostname=carrel", "--read-only=/usr", "--" } },
		{ .name = "" },
	};
	const size_t n = sizeof(p) / sizeof(p[0]);

	if (!root)
		p[2].why_not = "needs root";
	peers_find(p, n);
	peers_try(p, n, command);
	peers_compare(p, n, 0, command, "true", ROUNDS);
}

/* ---------------------------------------------------------------- library --- */

struct way {
	const char *name, *aim;
	carrel_spec spec;
	carrel *c;
	struct samples took, started;
};

static void once(struct way *w, int keep)
{
	const char *const argv[] = { command, NULL };
	carrel_spec spec = w->spec;
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;

	spec.size = sizeof(spec);
	spec.argv = argv;
	double begin = now_us();
	if (carrel_spawn(w->c, &spec, &e) == NULL)
		die(carrel_strerror(&e));
	double started = now_us();
	do {
		if (carrel_next(w->c, &ev, -1) != 1)
			die("carrel_next");
	} while (ev.kind != CARREL_GONE);
	double end = now_us();
	if (!ev.status->exited || ev.status->code != 0)
		die("the command failed");
	carrel_release(ev.proc);
	if (keep) {
		samples_add(&w->started, started - begin);
		samples_add(&w->took, end - begin);
	}
}

static void library(void)
{
	const carrel_config cfg = { .size = sizeof(cfg), .helper = helper };
	struct way w[] = {
		{ .name = "process" },
		{ .name = "rootless", .aim = "<= 1500", .spec = { .behaviour = "rootless" } },
		{ .name = "rootless, the host's network",
		  .spec = { .behaviour = "rootless", .net = CARREL_NET_HOST } },
		{ .name = "container", .aim = "<= 1500", .spec = { .behaviour = "container" } },
	};
	const size_t n = sizeof(w) / sizeof(w[0]) - (geteuid() != 0);
	carrel_error e;
	char what[120];

	for (size_t i = 0; i < n; i++) {
		w[i].c = carrel_open(&cfg, &e);
		if (w[i].c == NULL)
			die(carrel_strerror(&e));
	}
	for (int round = -WARM; round < SPAWNS; round++) {
		for (size_t i = 0; i < n; i++)
			once(&w[i], round >= 0);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "carrel_spawn, %s", w[i].name);
		row(what, "us", &w[i].started, i > 0 ? &w[0].started : NULL, w[i].aim);
		snprintf(what, sizeof(what), "carrel_spawn .. GONE, %s", w[i].name);
		row(what, "us", &w[i].took, i > 0 ? &w[0].took : NULL, NULL);
	}
	for (size_t i = 0; i < n; i++) {
		samples_finish(&w[i].started);
		samples_finish(&w[i].took);
		carrel_close(w[i].c);
	}
}

int main(int argc, char **argv)
{
	static char path[256], text[80];

	if (argc != 5) {
		fprintf(stderr, "usage: isolated CARREL HELPER BUNDLE STATE\n");
		return 2;
	}
	if (find_program("true", path, sizeof(path)) == -1)
		die("true");
	command = path;
	helper = argv[2];
	snprintf(text, sizeof(text), "Isolated, %s: one true and its end", geteuid() == 0 ? "root" : "an ordinary user");
	title(text);
	programs(argv[1], argv[3], argv[4]);
	snprintf(text, sizeof(text), "Isolated, %s: from an open handle", geteuid() == 0 ? "root" : "an ordinary user");
	title(text);
	library();
	return 0;
}
