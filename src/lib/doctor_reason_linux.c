/* SPDX-License-Identifier: ISC */
/* Why something was refused: settings and surroundings are only looked at once a trial has failed. */
#include "doctor.h"

#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static long field_of(const char *path, const char *name)
{
	char text[8192], key[40];

	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -1;
	snprintf(key, sizeof(key), "\n%s:", name);
	const char *p = strstr(text, key);
	return p != NULL ? strtol(p + strlen(key), NULL, 10) : -1;
}

long reason_field(const char *name)
{
	return field_of("/proc/self/status", name);
}

bool reason_no_new_privs(void)
{
	return reason_field("NoNewPrivs") == 1;
}

bool reason_file_capable(const char *path)
{
	return syscall(SYS_getxattr, path, "security.capability", NULL, 0) > 0;
}

/* ------------------------------------------------------ what is around us --- */

/* Who made the sandbox that we are in, and what they are told to allow what their filter refuses. */
static const struct manager {
	const char *file, *begins;	/* a file that is there, and how it begins */
	const char *name, *unfiltered, *unmasked, *unconfined;
} managers[] = {
	{ "/proc/1/comm", "carrel:init", "the carrel around this one", NULL, NULL, NULL },
	{ "/proc/1/comm", "bwrap", "the bwrap around carrel", NULL, NULL, NULL },
	{ "/proc/1/comm", "firejail", "the firejail around carrel", NULL, NULL, NULL },
	{ "/.dockerenv", "", "Docker", "docker run --security-opt seccomp=unconfined ...",
	  "docker run --security-opt systempaths=unconfined ...", "docker run --security-opt apparmor=unconfined ..." },
	{ "/run/.containerenv", "", "Podman", "podman run --security-opt seccomp=unconfined ...",
	  "podman run --security-opt unmask=ALL ...", "podman run --security-opt apparmor=unconfined ..." },
	{ "/run/systemd/container", "", "the container around carrel", NULL, NULL, NULL },
};

static const struct manager nobody = { .name = "what carrel was started by" };

static const struct manager *around(void)
{
	char text[64];

	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++) {
		const struct manager *m = &managers[i];

		if (fd_read_file(AT_FDCWD, m->file, text, sizeof(text)) >= 0 &&
		    strncmp(text, m->begins, strlen(m->begins)) == 0)
			return m;
	}
	return &nobody;
}

/* A path below which a line of the table of mounts has its mount, in ${ret}; without ${below}: there is one on ${path}
 * itself. */
static bool mounted(const char *path, bool below, char *ret, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, point[256];
	size_t room = 0, len = strlen(path);
	bool found = false;

	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%*s %*s %*s %*s %255s", point) != 1)
			continue;
		found = below ? strncmp(point, path, len) == 0 && point[len] == '/' : strcmp(point, path) == 0;
		if (found)
			snprintf(ret, size, "%s", point);
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

/* The profile of AppArmor that confines us, or "". */
static void confinement(char *text, size_t size)
{
	if (fd_read_file(AT_FDCWD, "/proc/self/attr/apparmor/current", text, size) < 0)
		*text = 0;
	text[strcspn(text, " \n")] = 0;
	if (strcmp(text, "unconfined") == 0)
		*text = 0;
}

static bool id_is_mapped(void)
{
	char text[4096];
	unsigned first, count;
	int len;

	if (fd_read_file(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text)) < 0)
		return true;
	for (const char *p = text; sscanf(p, "%u %*u %u%n", &first, &count, &len) == 2; p += len) {
		if (geteuid() >= first && geteuid() - first < count)
			return true;
	}
	return false;
}

uint64_t reason_ids(const char *name)
{
	char path[32], text[8192];
	unsigned count;
	uint64_t sum = 0;
	int len;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if (fd_read_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	for (const char *p = text; sscanf(p, "%*u %*u %u%n", &count, &len) == 1; p += len)
		sum += count;
	return sum;
}

static bool selinux_enforces(void)
{
	char text[8];

	return fd_read_file(AT_FDCWD, "/sys/fs/selinux/enforce", text, sizeof(text)) > 0 && *text == '1';
}

/* ------------------------------------------------------------ namespaces --- */

/* A switch as sys_namespaces_forbidden() names it: "user.max_user_namespaces=0". */
static void by_switch(carrel_fact *f, const char *text)
{
	const int len = (int)strcspn(text, "=");

	const char *value = strncmp(text, "user.", 5) == 0 ? "15000" : strcmp(text + len, "=0") == 0 ? "1" : "0";
	struct statvfs fs;
	const bool fixed = statvfs("/proc/sys/kernel", &fs) == 0 && fs.f_flag & ST_RDONLY;

	fact_set(f, CARREL_FACT_NO, "%s%s", text, fixed ? ", set by what is around carrel" : "");
	/* The limits of an inner user namespace can be changed in it only. */
	if (!fixed || reason_ids("uid_map") == UINT32_MAX)
		fact_remedy(f, "sysctl -w %.*s=%s%s", len, text, value, fixed ? "   (outside of the container)" : "");
}

static void by_surroundings(carrel_fact *f, int err)
{
	const struct manager *m = around();
	char profile[64], path[256];

	confinement(profile, sizeof(profile));
	if (!mounted("/", false, path, sizeof(path))) {
		fact_set(f, CARREL_FACT_NO, "carrel is in a chroot, where the kernel makes no user namespaces");
	} else if (!id_is_mapped()) {
		fact_set(f, CARREL_FACT_NO, "user %u is not mapped in the user namespace around carrel", (unsigned)geteuid());
	} else if (reason_field("Seccomp") == 2) {
		/* A container's filter is on its first process, too. */
		if (m->unfiltered != NULL && field_of("/proc/1/status", "Seccomp") == 0)
			m = &nobody;
		fact_set(f, CARREL_FACT_NO, "refused (%s), most likely by the system call filter of %s", strerror(err), m->name);
		if (m->unfiltered != NULL)
			fact_remedy(f, "%s", m->unfiltered);
	} else if (*profile != 0) {
		fact_set(f, CARREL_FACT_NO, "refused (%s), most likely by the AppArmor profile %s", strerror(err), profile);
		if (m->unconfined != NULL)
			fact_remedy(f, "%s", m->unconfined);
	} else if (selinux_enforces()) {
		fact_set(f, CARREL_FACT_NO, "refused (%s), most likely by SELinux: ausearch -m avc shows it", strerror(err));
	} else if (err == EACCES) {
		fact_set(f, CARREL_FACT_NO, "refused (%s), most likely by Landlock rules for files around carrel", strerror(err));
	} else {
		fact_set(f, CARREL_FACT_NO, "refused (%s) by a container or security module around carrel", strerror(err));
	}
}

void reason_namespace(carrel_fact *f, uint64_t namespaces, int err, bool made)
{
	scoped_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *text = proc >= 0 ? sys_namespaces_forbidden(proc, namespaces, err, made) : NULL;

	if (text != NULL && strchr(text, '=') != NULL)
		by_switch(f, text);
	else if (err == ENOSPC || err == EUSERS)
		fact_set(f, CARREL_FACT_NO, "refused (%s) by a limit around carrel: an outer user.max_*_namespaces, or 32 levels",
			 strerror(err));
	else if (err == EINVAL && !made)
		fact_set(f, CARREL_FACT_NO, "this kernel was built without it");
	else if (err == EPERM || err == EACCES)
		by_surroundings(f, err);
	else
		fact_set(f, CARREL_FACT_NO, "%s", strerror(err));
}

void reason_call(carrel_fact *f, const char *what, int err)
{
	struct utsname u = { 0 };

	uname(&u);
	/* Filters of containers answer ENOSYS, too. */
	if (err == ENOSYS && reason_field("Seccomp") != 2)
		fact_set(f, CARREL_FACT_NO, "it takes %s; this is %.40s", what, u.release);
	else if (err == ENOSYS || err == EPERM || err == EACCES)
		by_surroundings(f, err);
	else
		fact_set(f, CARREL_FACT_NO, "%s", strerror(err));
}

bool reason_masks(carrel_fact *f)
{
	const struct manager *m = around();
	char path[256];

	if (!mounted("/proc", true, path, sizeof(path)))
		return false;
	fact_set(f, CARREL_FACT_NO, "%.60s is covered by %s; the kernel shows no other /proc then", path, m->name);
	if (m->unmasked != NULL)
		fact_remedy(f, "%s", m->unmasked);
	return true;
}
