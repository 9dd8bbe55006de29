/* SPDX-License-Identifier: ISC */
/* What is in directories, and which is ours. */
#include "calls.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/*
 * The kernel's own call on Linux: what libc does when the kernel's answer is no path would be more
 * system calls, which a process under a seccomp filter must not make.
 */
static int working_directory(char *path, size_t size)
{
#ifdef __linux__
	if (syscall(SYS_getcwd, path, size) < 0)
		return -errno;
	/* A directory outside of the root. */
	return path[0] == '/' || path[0] == 0 ? 0 : -ENOENT;
#else
	return getcwd(path, size) != NULL ? 0 : -errno;
#endif
}

int call_getcwd(const struct arg *a, struct result *r)
{
	char *path = arena_take(&r->mem, PATH_MAX, 1, 1);

	(void)a;
	if (path == NULL)
		return -ENOMEM;
	int e = working_directory(path, PATH_MAX);
	return e < 0 ? e : result_add(r, value_text(path));
}

static size_t count(DIR *dir)
{
	size_t n = 0;

	while (readdir(dir) != NULL)
		n++;
	rewinddir(dir);
	return n;
}

static int names(DIR *dir, struct result *r)
{
	size_t most = count(dir), n = 0;
	struct value *v = ARENA_TAKE(&r->mem, most, struct value);
	struct dirent *entry;

	if (v == NULL)
		return -EMSGSIZE;
	for (errno = 0; n < most && (entry = readdir(dir)) != NULL; n++) {
		size_t len = strlen(entry->d_name);
		char *name = arena_take(&r->mem, len, 1, 1);

		if (name == NULL)
			return -EMSGSIZE;
		memcpy(name, entry->d_name, len);
		v[n] = value_bytes(name, len);
	}
	return n < most && errno != 0 ? -errno : result_add(r, value_list(v, n));
}

int call_readdir(const struct arg *a, struct result *r)
{
	DIR *dir = opendir(a[0].s);

	if (dir == NULL)
		return -errno;
	int e = names(dir, r);
	closedir(dir);
	return e;
}
