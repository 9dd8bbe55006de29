/* SPDX-License-Identifier: ISC */
/* Why an isolated task could not be shown something, or its command not be executed inside. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------- the command --- */

/* Where the file at ${path} inside is on the host, to be freed; NULL where it is not known: what a root directory
 * has is not to be found by walking its links from here, and what is in memory nowhere. */
static char *outside(const carrel_spec *s, const char *path)
{
	static const char *const shown[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
	char *inside = host_dest(path), *found = NULL;
	bool known = inside == NULL;

	for (size_t i = s->n_binds; i-- > 0 && !known;) {
		const carrel_bind *b = &s->binds[i];
		char *dest = host_dest(b->dest != NULL ? b->dest : b->source);

		known = dest != NULL && path_below(inside, dest);
		if (known && asprintf(&found, "%s%s", b->source, inside + strlen(dest)) == -1)
			found = NULL;
		free(dest);
	}
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]) && !known && s->root == NULL; i++) {
		known = path_below(inside, shown[i]);
		if (known && asprintf(&found, "/%s", inside) == -1)
			found = NULL;
	}
	free(inside);
	return found;
}

/* The command's path inside, to be freed. */
static char *command_inside(const carrel_spec *s, const char *command)
{
	const char *cwd = s->cwd != NULL ? s->cwd : "/";
	char *path;

	if (strncmp(command, "./", 2) == 0)
		command += 2;
	if (asprintf(&path, "%s%s%s", *command == '/' ? "" : cwd,
		     *command == '/' || cwd[strlen(cwd) - 1] == '/' ? "" : "/", command) == -1)
		return NULL;
	return path;
}

static const carrel_tmpfs standard[] = { { "/tmp", 0, 0 }, { "/home", 0, 0 }, { "/dev/shm", 0, 0 } };

/* The directory in memory that ${path} inside is in and that forbids execution, or NULL. */
static const char *no_execution(const carrel_spec *s, const char *path)
{
	const char *found = NULL;
	char *inside = host_dest(path);

	for (size_t i = 0; inside != NULL && i < 3 + s->n_tmpfs; i++) {
		const carrel_tmpfs *t = i < 3 ? &standard[i] : &s->tmpfs[i - 3];
		char *dest = host_dest(t->dest);

		if (dest != NULL && path_below(inside, dest))
			found = t->exec ? NULL : t->dest;
		free(dest);
	}
	free(inside);
	return found;
}

static void exec_reason(const carrel_spec *s, int err, const char *path, char *why, size_t size)
{
	char *host = outside(s, path), text[128] = "";
	const char *memory = host == NULL && s->root == NULL ? no_execution(s, path) : NULL;
	struct stat st;
	ssize_t n = host != NULL ? peek_command(AT_FDCWD, host, text, sizeof(text), &st) : -1;
	const int length = (int)(strrchr(path, '/') - path);

	if (n >= 0)
		peek_reason(err, text, n, &st, " in the task's root; --bind shows it more of the host", why, size);
	if (*why != 0)
		;
	else if (err == EACCES && memory != NULL)
		snprintf(why, size, "nothing can be executed from %s: --tmpfs %s:exec allows it", memory, memory);
	else if (err == EACCES && n >= 0 && (st.st_mode & 0001) == 0)
		snprintf(why, size, "outside, the task's user is not the owner of '%.60s', and others may not execute it",
			 host);
	else if (err == ENOENT && s->root != NULL && host == NULL)
		snprintf(why, size, "it, or what it is interpreted or loaded by, is not in the root '%.80s'", s->root);
	else if (err == ENOENT && n < 0 && stat(path, &st) == 0)
		snprintf(why, size, "it is not in the task's root; --bind %.*s shows it",
			 length > 0 ? length : 1, path);
	else if (err == ENOENT && n < 0)
		snprintf(why, size, "it is not in the task's root");
	free(host);
}

void isolate_exec_reason(const carrel_spec *s, int err, const char *command, char *why, size_t size)
{
	bool searched = s->argv != NULL && s->path == NULL && strchr(command, '/') == NULL;
	char *path = searched ? NULL : command_inside(s, command);

	*why = 0;
	if (err == ENOENT && searched)
		snprintf(why, size, "not found in PATH, in the task's root; --bind shows it more of the host");
	else if (path != NULL)
		exec_reason(s, err, path, why, size);
	free(path);
}

/* ----------------------------------------------------------- the mounts --- */

/* The last two texts of an operation that mounts say where. */
static bool mounts_at(const char *operation, const char *dest)
{
	char text[64 + 3000];

	snprintf(text, sizeof(text), "{slot, 1}, \"%s\"", dest);
	return strstr(operation, text) != NULL;
}

static void bind_reason(const carrel_spec *s, const carrel_bind *b, int err, char *why, size_t size)
{
	const char *dest = b->dest != NULL ? b->dest : b->source;

	if (err == ENOENT)
		snprintf(why, size, "bind: '%.70s' is not in %s, where it cannot be made: %s", dest,
			 s->root != NULL ? "the root" : "what the host shows there",
			 s->root != NULL ? "make it there, or --overlay" : "make it there, or choose another place");
	else if (err == EINVAL && b->alone)
		snprintf(why, size, "bind: only root can leave out what is mounted below '%.60s': without norec", b->source);
	else if (err == EINVAL || err == ENOTDIR)
		snprintf(why, size, "bind: of '%.60s' and '%.60s' one is a directory and the other is not", b->source,
			 dest);
	else if (err == EACCES)
		snprintf(why, size, "bind: '%.60s' at '%.60s' is not to be reached by the task's user", b->source,
			 dest);
	else
		snprintf(why, size, "bind: cannot show '%.60s' as '%.60s': %s", b->source, dest, strerror(err));
}

void isolate_mount_reason(const carrel_spec *s, int err, const char *operation, char *why, size_t size)
{
	if (strstr(operation, " overlay(") != NULL || strstr(operation, "({slot, 55}") != NULL)
		snprintf(why, size, "overlay: cannot %s '%.60s': %s%s", s->overlay_dir != NULL ? "keep changes in" :
			 "put a layer on", s->overlay_dir != NULL ? s->overlay_dir : s->root != NULL ? s->root :
			 "the root", strerror(err), err == EACCES ? " for the task's user" : "");
	for (size_t i = s->n_binds; i-- > 0 && *why == 0;) {
		const carrel_bind *b = &s->binds[i];
		char *dest = host_dest(b->dest != NULL ? b->dest : b->source);

		if (dest != NULL && strstr(operation, " bind_in(") != NULL && mounts_at(operation, dest))
			bind_reason(s, b, err, why, size);
		free(dest);
	}
	for (size_t i = 0; i < 3 + s->n_tmpfs && *why == 0; i++) {
		const carrel_tmpfs *t = i < s->n_tmpfs ? &s->tmpfs[i] : &standard[i - s->n_tmpfs];
		char *dest = host_dest(t->dest);

		if (dest != NULL && strstr(operation, " mount_in(\"tmpfs\"") != NULL && mounts_at(operation, dest))
			snprintf(why, size, "tmpfs: cannot mount one at '%.80s': %s%s", t->dest, strerror(err),
				 err == ENOENT && s->root != NULL ? "; make it in the root, or --overlay" : "");
		free(dest);
	}
}
