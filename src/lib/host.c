/* SPDX-License-Identifier: ISC */
/* What isolation has to know about the host, looked up before the program is written. */
#include "internal.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fork bombs end here; since Linux 5.14 it is counted for each user namespace apart. */
#define PROCESSES_MAX 4096
#define TMPFS_SIZE ((uint64_t)64 << 20)

/*
 * The ids on the host of tasks that root isolates.  No system assigns these to users, containers or services
 * (systemd's list has nothing between 0x70000000 and 0x7ffe0000).  Each handle has 32 of the first part to itself, by
 * the number of its control process: what runs at the same time has different ones.  Only a handle with more tasks at
 * once than that takes from the second part, where others may meet it by chance.
 */
#define IDS_FIRST UINT32_C(0x70000000)
#define IDS_EACH 32
#define PIDS UINT32_C(0x400000)
#define IDS_MORE (IDS_FIRST + PIDS * IDS_EACH)
#define IDS_END UINT32_C(0x7ffe0000)
/* Where only few ids are mapped: the last of them, but for those that mean nobody. */
#define IDS_FEW 1024

static const char *const top[HOST_TOP] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
static const char *const etc[HOST_ETC] = { "etc/alternatives",	"etc/ld.so.cache", "etc/ld.so.conf",
					   "etc/ld.so.conf.d",	"etc/localtime",   "etc/mime.types",
					   "etc/pki/ca-trust",	"etc/pki/tls/certs", "etc/protocols",
					   "etc/services",	"etc/ssl/certs",   "etc/ssl/openssl.cnf",
					   "etc/hosts",		"etc/resolv.conf" };
/* The last of them belong to the host's network. */
#define ETC_NET 12

/* ----------------------------------------------------------------- ids --- */

/* Whether ${id} is mapped by /proc/self/${name}, and the largest range there. */
static bool mapped(const char *name, uint32_t id, struct id_range *ret_largest)
{
	char path[32], text[8192];
	bool found = false;
	unsigned first, count;
	int len;

	*ret_largest = (struct id_range){ 0, 0 };
	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	for (const char *p = text; sscanf(p, "%u %*u %u%n", &first, &count, &len) == 2; p += len) {
		found |= id >= first && id - first < count;
		if (count > ret_largest->count)
			*ret_largest = (struct id_range){ first, count };
	}
	return found;
}

static uint32_t of_range(struct id_range r, uint32_t n)
{
	return r.first + r.count - 3 - n % IDS_FEW;
}

static void choose_ids(pid_t owner, uint32_t number, struct host *h)
{
	const uint32_t process = (uint32_t)owner % PIDS;
	const uint32_t n = number < IDS_EACH ? process * IDS_EACH + number :
					       IDS_MORE - IDS_FIRST + (process * 1009 + number) % (IDS_END - IDS_MORE);
	struct id_range users, groups;

	h->uid = geteuid();
	h->gid = getegid();
	if (h->uid != 0)
		return;
	const bool user = mapped("uid_map", IDS_FIRST + n, &users);
	const bool group = mapped("gid_map", IDS_FIRST + n, &groups);
	if (user && group) {
		h->root = true;
		h->uid = h->gid = IDS_FIRST + n;
	} else if (users.count > 2 * IDS_FEW && groups.count > 2 * IDS_FEW) {
		h->root = true;
		h->uid = of_range(users, n);
		h->gid = of_range(groups, n);
	}
	/* Else: the root of a user namespace with nobody else in it, who is somebody's own id outside. */
}

/* A limit above our own hard one could not be set. */
static uint64_t processes(void)
{
	struct rlimit own;

	return getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_max < PROCESSES_MAX ? own.rlim_max : PROCESSES_MAX;
}

/* --------------------------------------------------------------- files --- */

static enum entry_kind kind_of(const struct stat *st)
{
	return S_ISDIR(st->st_mode) ? ENTRY_DIR : S_ISLNK(st->st_mode) ? ENTRY_LINK : ENTRY_FILE;
}

/* Links in / are shown as links. */
static void look_top(const char *name, struct entry *ret)
{
	char path[64];
	struct stat st;

	*ret = (struct entry){ .name = name };
	snprintf(path, sizeof(path), "/%s", name);
	if (lstat(path, &st) == -1)
		return;
	ret->kind = kind_of(&st);
	if (ret->kind != ENTRY_LINK)
		return;
	ssize_t n = readlink(path, ret->target, sizeof(ret->target) - 1);
	/* One that is too long for us, or points to nothing, is not shown. */
	if (n <= 0 || n == sizeof(ret->target) - 1 || stat(path, &st) == -1)
		ret->kind = ENTRY_NONE;
	else
		ret->target[n] = 0;
}

/* In /etc, what a link leads to is shown. */
static void look_etc(const char *name, struct entry *ret)
{
	char path[64];
	struct stat st;

	*ret = (struct entry){ .name = name };
	snprintf(path, sizeof(path), "/%s", name);
	if (stat(path, &st) == 0)
		ret->kind = kind_of(&st);
}

static char *absolute(const char *path)
{
	char *text = NULL, *cwd;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd != NULL && asprintf(&text, "%s/%s", cwd, path) == -1)
		text = NULL;
	free(cwd);
	return text;
}

char *host_dest(const char *path)
{
	char *dest = malloc(strlen(path) + 1), *to = dest;

	if (dest == NULL)
		return NULL;
	for (const char *p = path; *p == '/'; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");

		if (len == 0)
			break;
		if (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))) {
			to = dest;
			break;
		}
		if (to != dest)
			*to++ = '/';
		memcpy(to, p, len);
		to += len;
	}
	*to = 0;
	if (to == dest) {
		free(dest);
		errno = EINVAL;
		return NULL;
	}
	return dest;
}

bool path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == 0);
}

/* -------------------------------------------------------------- mounts --- */

static int no_memory(carrel_error *e)
{
	return error_set(e, CARREL_STAGE_ARGS, ENOMEM, -1, "no memory for the mounts");
}

static int add_tmpfs(struct host *h, const carrel_tmpfs *t, carrel_error *e)
{
	char *dest = host_dest(t->dest);
	struct mount *m = &h->mount[0];

	if (dest == NULL)
		return no_memory(e);
	/* One of the default ones keeps its place. */
	while (m < h->mount + h->n_mounts && strcmp(m->dest, dest) != 0)
		m++;
	free(m->dest);
	*m = (struct mount){ .dest = dest, .kind = ENTRY_DIR, .exec = t->exec != 0,
			     .size = t->size != 0 ? t->size : TMPFS_SIZE };
	if (m == h->mount + h->n_mounts)
		h->n_mounts++;
	return 0;
}

static int add_bind(struct host *h, const carrel_bind *b, int i, carrel_error *e)
{
	struct mount *m = &h->mount[h->n_mounts];
	struct stat st;

	if (b->optional && stat(b->source, &st) == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	h->n_mounts++;
	*m = (struct mount){ .number = i, .writable = b->writable != 0, .alone = b->alone != 0,
			     .source = absolute(b->source),
			     .dest = host_dest(b->dest != NULL ? b->dest : b->source) };
	if (m->source == NULL || m->dest == NULL)
		return no_memory(e);
	if (stat(m->source, &st) == -1)
		return error_set(e, CARREL_STAGE_FILE, errno, i, "bind: cannot show '%.150s': %s", b->source,
				 strerror(errno));
	m->kind = kind_of(&st);
	return 0;
}

static int look_mounts(const carrel_spec *s, struct host *h, carrel_error *e)
{
	static const carrel_tmpfs standard[] = { { "/tmp", 0, 0 }, { "/home", 0, 0 }, { "/dev/shm", 0, 0 } };
	int r = 0;

	for (size_t i = 0; i < 3 && r == 0; i++) {
		if (i != 1 || h->root_dir == NULL || h->has_home || h->overlay)
			r = add_tmpfs(h, &standard[i], e);
	}
	for (size_t i = 0; i < s->n_tmpfs && r == 0; i++)
		r = add_tmpfs(h, &s->tmpfs[i], e);
	for (size_t i = 0; i < s->n_binds && r == 0; i++)
		r = add_bind(h, &s->binds[i], (int)i, e);
	return r;
}

static int look_root(const carrel_spec *s, struct host *h, carrel_error *e)
{
	static const char *const needed[] = { "dev", "proc", "tmp", "home" };
	struct stat st;

	if (s->root == NULL)
		return 0;
	h->root_dir = absolute(s->root);
	if (h->root_dir == NULL)
		return no_memory(e);
	scoped_fd dir = open(h->root_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return error_set(e, CARREL_STAGE_FILE, errno, -1, "root: cannot use '%.150s': %s", s->root,
				 strerror(errno));
	for (int i = 0; i < 3 && !h->overlay; i++) {
		if (fstatat(dir, needed[i], &st, AT_SYMLINK_NOFOLLOW) == -1)
			return error_set(e, CARREL_STAGE_FILE, errno, -1,
					 "root: '%.80s' must have the directories dev, proc and tmp; %s: %s "
					 "(carrel root create makes one with all of them)", s->root,
					 needed[i], strerror(errno));
	}
	h->has_home = fstatat(dir, needed[3], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	return 0;
}

/* Whether something is mounted below ${dir}. */
static bool covers_mounts(const char *dir)
{
	char *real = realpath(dir, NULL), *line = NULL;
	size_t len = real != NULL ? strlen(real) : 0, size = 0;
	FILE *f = real != NULL ? fopen("/proc/self/mountinfo", "re") : NULL;
	bool found = false;

	while (f != NULL && !found && getline(&line, &size, f) > 0) {
		char point[4096];

		/* Blanks in it are written otherwise: then it is not found, and below it nothing is shown. */
		found = sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 && strncmp(point, real, len) == 0 &&
			point[len] == '/';
	}
	if (f != NULL)
		fclose(f);
	free(line);
	free(real);
	return found;
}

/* A layer that is kept belongs to whom its files belong to: our own user, or the one of nobody's that had it first. */
static int look_layer(const carrel_spec *s, struct host *h, carrel_error *e)
{
	struct stat st;

	if (h->overlay && h->root_dir != NULL && covers_mounts(h->root_dir))
		return error_set(e, CARREL_STAGE_FILE, EINVAL, -1,
				 "overlay: below the root '%.120s' something is mounted, which would not be shown",
				 s->root);
	if (s->overlay_dir == NULL)
		return 0;
	h->layer = absolute(s->overlay_dir);
	if (h->layer == NULL)
		return no_memory(e);
	scoped_fd dir = open(h->layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return error_set(e, CARREL_STAGE_FILE, errno, -1, "overlay: cannot keep changes in '%.140s': %s",
				 s->overlay_dir, strerror(errno));
	if (fstatat(dir, "upper", &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (h->root && st.st_uid >= IDS_FIRST && st.st_uid < IDS_END) {
		h->uid = st.st_uid;
		h->gid = st.st_gid;
	} else if (h->root || st.st_uid != h->uid) {
		return error_set(e, CARREL_STAGE_FILE, EPERM, -1,
				 "overlay: the changes kept in '%.120s' belong to user %lu, who is not the task's outside",
				 s->overlay_dir, (unsigned long)st.st_uid);
	}
	return 0;
}

static int look_net(const carrel_spec *s, struct host *h, carrel_error *e)
{
	if (s->net != CARREL_NET_PATH)
		return 0;
	scoped_fd fd = open(s->net_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return error_set(e, CARREL_STAGE_NAMESPACE, errno, -1, "net: cannot join '%.150s': %s", s->net_path,
				 strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return error_set(e, CARREL_STAGE_NAMESPACE, EINVAL, -1,
				 "net: '%.150s' is no network namespace, as /run/netns/NAME and /proc/PID/ns/net are",
				 s->net_path);
	h->net = absolute(s->net_path);
	return h->net != NULL ? 0 : no_memory(e);
}

int host_look(const carrel_spec *s, pid_t owner, uint32_t number, struct host *ret, carrel_error *e)
{
	*ret = (struct host){ .processes = processes(),
			      .overlay = s->overlay != 0 || s->overlay_dir != NULL };
	choose_ids(owner, number, ret);
	if (behaviour_of(s) == &behaviour_container && !ret->root)
		return error_set(e, CARREL_STAGE_ARGS, EPERM, -1,
				 geteuid() == 0 ? "behaviour container needs user numbers to give to the task, and "
						  "none are mapped here; rootless works without" :
						  "behaviour container needs root; rootless does not");
	for (size_t i = 0; i < HOST_TOP && top[i] != NULL; i++)
		look_top(top[i], &ret->top[i]);
	for (size_t i = 0; i < (spec_own_net(s) ? ETC_NET : HOST_ETC) && etc[i] != NULL; i++)
		look_etc(etc[i], &ret->etc[i]);
	int r = s->subids ? subid_look(ret->root, &ret->subids, e) : 0;
	if (r == 0)
		r = look_net(s, ret, e);
	if (r == 0)
		r = look_root(s, ret, e);
	if (r == 0)
		r = look_layer(s, ret, e);
	return r < 0 ? r : look_mounts(s, ret, e);
}

void host_finish(struct host *h)
{
	free(h->root_dir);
	free(h->layer);
	free(h->net);
	for (size_t i = 0; i < h->n_mounts; i++) {
		free(h->mount[i].source);
		free(h->mount[i].dest);
	}
}
