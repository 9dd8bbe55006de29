/* SPDX-License-Identifier: ISC */
/* The ids that /etc/subuid and /etc/subgid give to a user, for a user namespace: subuid(5), subgid(5). */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As many as a system in itself has; more would be of no use, and have to be mapped. */
#define COUNT_MAX 65536

/* The first range of the user ${name}, or with the number ${uid}, in ${path}: 0, or -errno. */
static int find(const char *path, const char *name, uid_t uid, struct id_range *ret)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int r = f != NULL ? -ESRCH : -errno;

	while (f != NULL && r < 0 && getline(&line, &size, f) > 0) {
		unsigned long first, count;
		char number[24], *colon = strchr(line, ':');

		if (colon == NULL || strchr(colon, '-') != NULL || sscanf(colon, ":%lu:%lu", &first, &count) != 2)
			continue;
		*colon = 0;
		snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
		if (strcmp(line, name) != 0 && strcmp(line, number) != 0)
			continue;
		if (count == 0 || first == 0 || first + count > UINT32_MAX)
			continue;
		*ret = (struct id_range){ (uint32_t)first, (uint32_t)(count < COUNT_MAX ? count : COUNT_MAX) };
		r = 0;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return r;
}

/* The name of the user ${uid}; "" when none is known.  Without the services that getpwuid(3) would load into the host;
 * a wrong name does no harm, because newuidmap(1) asks for itself. */
static void name_of(uid_t uid, char *name, size_t size)
{
	FILE *f = fopen("/etc/passwd", "re");
	const char *own = getenv("LOGNAME") != NULL ? getenv("LOGNAME") : getenv("USER");
	char *line = NULL;
	size_t room = 0;
	unsigned long id;
	bool found = false;

	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		found = sscanf(line, "%*[^:]:%*[^:]:%lu:", &id) == 1 && id == uid;
		if (found)
			snprintf(name, size, "%.*s", (int)strcspn(line, ":"), line);
	}
	if (!found)
		snprintf(name, size, "%s", own != NULL ? own : "");
	free(line);
	if (f != NULL)
		fclose(f);
}

static const char *program(const char *const paths[2])
{
	return access(paths[0], X_OK) == 0 ? paths[0] : access(paths[1], X_OK) == 0 ? paths[1] : NULL;
}

int subid_look(bool root, struct subids *ret, carrel_error *e)
{
	static const char *const uids[] = { "/usr/bin/newuidmap", "/usr/local/bin/newuidmap" };
	static const char *const gids[] = { "/usr/bin/newgidmap", "/usr/local/bin/newgidmap" };
	char name[64];

	*ret = (struct subids){ .newuidmap = program(uids), .newgidmap = program(gids) };
	if (!root && (ret->newuidmap == NULL || ret->newgidmap == NULL))
		return error_set(e, CARREL_STAGE_IDS, ENOENT, -1,
				 "subids: newuidmap and newgidmap are not installed (Debian: apt install uidmap)");
	name_of(getuid(), name, sizeof(name));
	if (name[0] == 0)
		snprintf(name, sizeof(name), "%lu", (unsigned long)getuid());
	for (int i = 0; i < 2; i++) {
		const char *path = i == 0 ? "/etc/subuid" : "/etc/subgid";
		int r = find(path, name, getuid(), i == 0 ? &ret->uids : &ret->gids);

		if (r == -ESRCH)
			return error_set(e, CARREL_STAGE_IDS, ENOENT, -1,
					 "subids: %s gives user %s no ids; root can: usermod --add-sub%ss 100000-165535 %s", path, name,
					 i == 0 ? "uid" : "gid", name);
		if (r < 0)
			return error_set(e, CARREL_STAGE_IDS, -r, -1, "subids: cannot read %s: %s", path, strerror(-r));
	}
	return 0;
}
