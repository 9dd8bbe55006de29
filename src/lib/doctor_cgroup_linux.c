/* SPDX-License-Identifier: ISC */
/* Cgroups: which are ours to divide. */
#include "doctor.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_ROOM 512

/* Where the hierarchy of ${type} with ${controller} ("" for v2) is mounted, and from which cgroup on. */
static bool find_mount(const char *type, const char *controller, char *point, char *from)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, options[256];
	size_t room = 0, len = strlen(controller);
	bool found = false;

	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		char is[32], *rest = strstr(line, " - ");

		if (rest == NULL || sscanf(rest, " - %31s %*s %255s", is, options) != 2 || strcmp(is, type) != 0 ||
		    sscanf(line, "%*s %*s %*s %511s %511s", from, point) != 2)
			continue;
		found = len == 0;
		for (char *p = options; !found && p != NULL; p = strchr(p, ',')) {
			p += *p == ',';
			found = strncmp(p, controller, len) == 0 && (p[len] == ',' || p[len] == 0);
		}
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

/* Our cgroup's path in the line of /proc/self/cgroup with ${controller}. */
static bool find_own(const char *controller, char *ret)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t room = 0, len = strlen(controller);
	bool found = false;

	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;

		if (path == NULL)
			continue;
		*path = 0;
		for (char *p = list; !found && p != NULL; p = strchr(p + 1, ','))
			found = strncmp(p + 1, controller, len) == 0 && (p[1 + len] == ',' || p[1 + len] == 0);
		path[1 + strcspn(path + 1, "\n")] = 0;
		found &= snprintf(ret, PATH_ROOM, "%s", path + 1) < PATH_ROOM;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

/* The directory of our cgroup. */
static bool own_directory(const char *type, const char *controller, char *dir, size_t size)
{
	char point[PATH_ROOM], from[PATH_ROOM], own[PATH_ROOM];

	if (!find_mount(type, controller, point, from) || !find_own(controller, own))
		return false;
	/* A container may see a part of the hierarchy only. */
	size_t skip = strcmp(from, "/") != 0 && strncmp(own, from, strlen(from)) == 0 ? strlen(from) : 0;
	int len = snprintf(dir, size, "%s%s", point, own + skip);
	while (len > 1 && (size_t)len < size && dir[len - 1] == '/')
		dir[--len] = 0;
	return len > 0 && (size_t)len < size && strpbrk(dir, "\"\\\n") == NULL;
}

/* -------------------------------------------------------------------- v2 --- */

static void no_v2(carrel_fact *f, const char *dir)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) == 0 && fs.f_flag & ST_RDONLY) {
		f->err = EROFS;
		fact_set(f, CARREL_FACT_LIMITED, "%.90s is mounted read-only; trees end by the reaper", dir);
		return;
	}
	if (access(dir, W_OK) == 0 && geteuid() == 0) {
		f->err = ENOENT;
		fact_set(f, CARREL_FACT_LIMITED, "no cgroup.kill (Linux 5.14); trees end by the reaper");
		return;
	}
	f->err = EACCES;
	fact_set(f, CARREL_FACT_LIMITED, "%.80s is not delegated to this user; trees end by the reaper", dir);
	if (access("/run/systemd/system", F_OK) == 0)
		fact_remedy(f, "systemd-run --user --scope -p Delegate=yes carrel ...");
	else if (geteuid() != 0)
		fact_remedy(f, "d=%.90s/user-%u; mkdir $d && chown -R %u $d && echo %d >$d/cgroup.procs", dir,
			    (unsigned)geteuid(), (unsigned)geteuid(), (int)getppid());
}

static void v2(struct doctor *d)
{
	char dir[PATH_ROOM * 2], path[PATH_ROOM * 2 + 32], controllers[128] = "";
	carrel_caps caps = { .size = sizeof(caps) };
	carrel_fact *f = doctor_fact(d, "cgroup-v2");

	if (!own_directory("cgroup2", "", dir, sizeof(dir))) {
		f->err = ENOENT;
		fact_set(f, CARREL_FACT_LIMITED, "not mounted, or not where we are; trees end by the reaper");
		return;
	}
	snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
	fd_read_file(AT_FDCWD, path, controllers, sizeof(controllers));
	controllers[strcspn(controllers, "\n")] = 0;
	fact_detail(f, "our cgroup is %s; its controllers: %s", dir, *controllers != 0 ? controllers : "none");
	/* The control process has tried it already. */
	if (d->cfg->no_cgroup)
		fact_set(f, CARREL_FACT_LIMITED, "not tried, as asked (no_cgroup)");
	else if (d->c == NULL || carrel_probe(d->c, &caps) == -1 || !caps.cgroup)
		no_v2(f, dir);
	else if (*controllers == 0)
		fact_set(f, CARREL_FACT_LIMITED, "ours: ends trees; no controllers, so no limits by it");
	else
		fact_set(f, CARREL_FACT_OK, "ours: ends trees; controllers %.90s", controllers);
}

/* -------------------------------------------------------------------- v1 --- */

/* What limits are made of. */
static const char *const controllers[] = { "memory", "pids", "cpu", "blkio", "freezer" };

static void add_word(char *to, size_t size, const char *word)
{
	size_t at = strlen(to);

	snprintf(to + at, size - at, "%s%s", at > 0 ? " " : "", word);
}

/* A cgroup is made, and gone once the trial is over, whatever becomes of us. */
static int try_v1(struct doctor *d, carrel_fact *f, const char *dir)
{
	char program[PATH_ROOM * 4 + 160];
	int op;

	snprintf(program, sizeof(program), "before mkdir(\"%s/carrel-doctor-%d\", 493)\nafter rmdir(\"%s/carrel-doctor-%d\")\n", dir,
		 (int)getpid(), dir, (int)getpid());
	return trial_ops(d, f, program, &op);
}

static void v1(struct doctor *d)
{
	char dir[PATH_ROOM * 2], ours[80] = "", theirs[80] = "", refused[PATH_ROOM * 4] = "";
	carrel_fact *f = NULL;

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		if (!own_directory("cgroup", controllers[i], dir, sizeof(dir)))
			continue;
		if (f == NULL)
			f = doctor_fact(d, "cgroup-v1");
		carrel_fact of_this = { 0 };
		int err = try_v1(d, &of_this, dir);
		add_word(err == 0 ? ours : theirs, sizeof(ours), controllers[i]);
		if (err != 0) {
			if (f->err == 0)
				fact_detail(f, "%s", of_this.detail);
			f->err = err;
			add_word(refused, sizeof(refused), dir);
		}
	}
	if (f == NULL)
		return;
	if (*theirs == 0)
		fact_set(f, CARREL_FACT_OK, "ours: %s", ours);
	else if (*ours != 0)
		fact_set(f, CARREL_FACT_LIMITED, "ours: %s; not: %s", ours, theirs);
	else
		fact_set(f, CARREL_FACT_LIMITED, "not ours: %s (%s)", theirs, strerror(f->err));
	if (f->err == EACCES && geteuid() != 0 && strlen(refused) + 100 < sizeof(f->remedy))
		fact_remedy(f, "for d in %s; do mkdir $d/user-%u && chown -R %u $d/user-%u && echo %d >$d/user-%u/cgroup.procs; done",
			    refused, (unsigned)geteuid(), (unsigned)geteuid(), (unsigned)geteuid(), (int)getppid(),
			    (unsigned)geteuid());
}

void doctor_cgroups(struct doctor *d)
{
	v2(d);
	v1(d);
}
