/* SPDX-License-Identifier: ISC */
/*
 * Looking at all processes of a tree.  The host reads /proc itself, from the stream's reaper down: no
 * process leaves the tree but by its end.
 */
#include "internal.h"

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* While a tree forks as fast as it is walked, this often. */
#define LIMIT_ROUNDS 100

/* The processes of a tree, breadth first. */
struct walk {
	carrel_info *v;
	size_t n, cap;
	struct map seen;
	int err;
};

static bool read_info(pid_t pid, carrel_info *ret)
{
	char path[32], text[1024];
	unsigned long long user, system;
	long rss;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	/* The name may hold anything, brackets included: it ends at the last one. */
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (open == NULL || close == NULL || close < open)
		return false;
	*ret = (carrel_info){ .pid = pid };
	if (sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
		   &ret->state, &ppid, &user, &system, &rss) != 5)
		return false;
	*close = 0;
	snprintf(ret->comm, sizeof(ret->comm), "%.15s", open + 1);
	ret->ppid = ppid;
	ret->rss_kb = (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
	ret->cpu_us = (user + system) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

static void add(struct walk *w, pid_t pid)
{
	carrel_info info;

	if (w->err != 0 || map_get(&w->seen, (uint32_t)pid) != NULL || !read_info(pid, &info))
		return;
	if (w->n == w->cap) {
		size_t cap = w->cap == 0 ? 64 : w->cap * 2;
		carrel_info *v = realloc(w->v, cap * sizeof(*v));

		if (v == NULL) {
			w->err = ENOMEM;
			return;
		}
		w->v = v;
		w->cap = cap;
	}
	if (map_put(&w->seen, (uint32_t)pid, w) < 0)
		w->err = ENOMEM;
	else
		w->v[w->n++] = info;
}

/* A list of any length: numbers, each with a blank behind it. */
static void add_list(struct walk *w, FILE *f)
{
	int pid;

	while (fscanf(f, "%d", &pid) == 1)
		add(w, pid);
}

/* The children of all threads of ${pid}. */
static void add_children(struct walk *w, pid_t pid)
{
	char path[64];
	struct dirent *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", pid, d->d_name);
		FILE *f = fopen(path, "re");
		if (f == NULL)
			continue;
		add_list(w, f);
		fclose(f);
	}
	closedir(dir);
}

/* From the stream's reaper down; or from a task that is a part of another tree, and has none. */
static void walk(struct walk *w, pid_t reaper, pid_t leader)
{
	if (reaper == leader)
		add(w, leader);
	else
		add_children(w, reaper);
	for (size_t i = 0; i < w->n && w->err == 0; i++)
		add_children(w, w->v[i].pid);
	for (size_t i = 1; i < w->n; i++) {
		if (w->v[i].pid == leader) {
			carrel_info first = w->v[i];

			memmove(&w->v[1], &w->v[0], i * sizeof(first));
			w->v[0] = first;
		}
	}
}

static void finish(struct walk *w)
{
	free(w->v);
	map_finish(&w->seen);
}

/* What holds for ${p} now, without keeping the handle locked while /proc is read. */
static int look(carrel_proc *p, pid_t *ret_reaper)
{
	if (enter(p->c) < 0)
		return -errno;
	channel_read(p->c);
	*ret_reaper = p->gone ? 0 : p->reaper != 0 ? p->reaper : p->pid;
	leave(p->c);
	return 0;
}

EXPORT ssize_t carrel_tree(carrel_proc *p, carrel_info *v, size_t n)
{
	struct walk w = { 0 };
	pid_t reaper = 0;

	if (p == NULL || (v == NULL && n > 0)) {
		errno = EINVAL;
		return -1;
	}
	int r = look(p, &reaper);
	if (r == 0 && reaper > 0) {
		walk(&w, reaper, p->pid);
		/* Had it ended meanwhile, the reaper's number could be somebody else's by now. */
		r = look(p, &reaper);
	}
	ssize_t found = reaper > 0 ? (ssize_t)w.n : 0;
	if (r == 0 && found > 0 && n > 0)
		memcpy(v, w.v, (n < w.n ? n : w.n) * sizeof(*v));
	r = r == 0 ? -w.err : r;
	finish(&w);
	if (r == 0)
		return found;
	errno = -r;
	return -1;
}

/* Every process that has not got it yet; how many there were, or -errno. */
static int limit_round(struct walk *w, struct map *done, const carrel_rlimit *l)
{
	const struct rlimit limit = { .rlim_cur = (rlim_t)l->soft, .rlim_max = (rlim_t)l->hard };
	int n = 0;

	for (size_t i = 0; i < w->n; i++) {
		uint32_t pid = (uint32_t)w->v[i].pid;

		if (map_get(done, pid) != NULL)
			continue;
		if (prlimit(w->v[i].pid, (RLIMIT_WHAT)l->what, &limit, NULL) == -1) {
			if (errno == ESRCH)
				continue;
			return -errno;
		}
		if (map_put(done, pid, w) < 0)
			return -ENOMEM;
		n++;
	}
	return n;
}

EXPORT int carrel_set_limit(carrel_proc *p, const carrel_rlimit *l)
{
	struct map done = { 0 };
	int r = 1, err;
	pid_t reaper = 0;

	if (p == NULL || l == NULL || l->soft > l->hard) {
		errno = EINVAL;
		return -1;
	}
	/* Whoever forked while the others were limited may have given away the old limit. */
	for (int round = 0; r > 0 && round < LIMIT_ROUNDS; round++) {
		struct walk w = { 0 };

		r = look(p, &reaper);
		if (r == 0 && reaper > 0) {
			walk(&w, reaper, p->pid);
			r = look(p, &reaper);
			if (r == 0 && reaper > 0)
				r = w.err != 0 ? -w.err : limit_round(&w, &done, l);
		}
		finish(&w);
	}
	int n = (int)done.len;
	map_finish(&done);
	if (r >= 0 && reaper == 0 && n == 0)
		r = -ESRCH;
	err = -r;
	if (r >= 0)
		return n;
	errno = err;
	return -1;
}
