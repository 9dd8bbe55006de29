/* SPDX-License-Identifier: ISC */
/* A directory to be the root of isolated tasks: made beside its place, and put there when it is whole. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	mode_t mode;
} dirs[] = {
	{ "dev", 0755 }, { "etc", 0755 },  { "home", 0755 }, { "mnt", 0755 }, { "opt", 0755 }, { "proc", 0755 },
	{ "run", 0755 }, { "srv", 0755 },  { "sys", 0755 },  { "tmp", 01777 }, { "usr", 0755 }, { "var", 0755 },
};

static const struct {
	const char *name, *text;
} files[] = {
	{ "etc/passwd", "root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/home:/bin/sh\n" },
	{ "etc/group", "root:x:0:\nnogroup:x:65534:\n" },
	{ "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n" },
	{ "etc/hostname", "carrel\n" },
	{ "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 carrel\n::1 localhost\n" },
};

static const char *const links[][2] = { { "../tmp", "var/tmp" }, { "../run", "var/run" } };
/* As the host has them, so that its /usr fits. */
static const char *const top[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

static int make_dir(int root, const char *name, mode_t mode)
{
	/* The umask is not asked. */
	return mkdirat(root, name, mode) == -1 || fchmodat(root, name, mode, 0) == -1 ? -1 : 0;
}

static int make_file(int root, const char *name, const char *text)
{
	const ssize_t len = (ssize_t)strlen(text);
	scoped_fd fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd == -1 || write(fd, text, (size_t)len) != len || fchmod(fd, 0644) == -1 ? -1 : 0;
}

static int make_top(int root, const char *name)
{
	char path[16], target[64];
	struct stat st;

	snprintf(path, sizeof(path), "/%s", name);
	if (lstat(path, &st) == -1)
		return 0;
	ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof(target) - 1) : 0;
	if (n <= 0)
		return make_dir(root, name, 0755);
	target[n] = 0;
	return symlinkat(target, root, name);
}

/* Everything: 0, or -1 with the one that failed. */
static int fill(int root, const char **ret_name)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && r == 0; i++)
		r = make_dir(root, *ret_name = dirs[i].name, dirs[i].mode);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && r == 0; i++)
		r = make_file(root, *ret_name = files[i].name, files[i].text);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && r == 0; i++)
		r = symlinkat(links[i][0], root, *ret_name = links[i][1]);
	for (size_t i = 0; i < sizeof(top) / sizeof(top[0]) && r == 0; i++)
		r = make_top(root, *ret_name = top[i]);
	return r;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st, (void)f;
	return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static int create(const char *dir, char *work, carrel_error *e)
{
	const char *name = "";

	if (mkdtemp(work) == NULL)
		return error_set(e, CARREL_STAGE_FILE, errno, -1, "root: cannot make '%.150s': %s", dir, strerror(errno));
	scoped_fd root = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = root == -1 || fill(root, &name) < 0 || fchmod(root, 0755) == -1 ? errno : 0;
	/* Nobody's work is replaced, not even that of who came in between. */
	if (err == 0 && syscall(SYS_renameat2, AT_FDCWD, work, AT_FDCWD, dir, RENAME_NOREPLACE) == -1) {
		err = errno;
		name = "";
	}
	if (err == 0)
		return 0;
	nftw(work, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (err == EEXIST && *name == 0)
		return error_set(e, CARREL_STAGE_FILE, err, -1, "root: '%.150s' is there already", dir);
	return error_set(e, CARREL_STAGE_FILE, err, -1, "root: cannot make '%.150s%s%s': %s", dir,
			 *name != 0 ? "/" : "", name, strerror(err));
}

EXPORT int carrel_root_create(const char *dir, carrel_error *e)
{
	size_t len = dir != NULL ? strlen(dir) : 0;
	struct stat st;
	char *path, *work;
	int r = -1;

	if (len == 0)
		return error_set(e, CARREL_STAGE_ARGS, EINVAL, -1, "root: dir is %s", dir == NULL ? "NULL" : "empty");
	if (lstat(dir, &st) == 0)
		return error_set(e, CARREL_STAGE_FILE, EEXIST, -1, "root: '%.150s' is there already", dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	path = strndup(dir, len);
	if (path == NULL || asprintf(&work, "%s.XXXXXX", path) == -1) {
		error_set(e, CARREL_STAGE_FILE, ENOMEM, -1, "root: no memory");
	} else {
		r = create(path, work, e);
		int err = errno;

		free(work);
		errno = err;
	}
	free(path);
	return r;
}
