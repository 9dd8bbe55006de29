/* SPDX-License-Identifier: ISC */
/* The ids that /etc/subuid and /etc/subgid give to a user, for a user namespace: subuid(5), subgid(5). */
#include "internal.h"

#include <errno.h>
#include <pwd.h>
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

static const char *program(const char *const paths[2])
{
	return access(paths[0], X_OK) == 0 ? paths[0] : access(paths[1], X_OK) == 0 ? paths[1] : NULL;
}

int subid_look(bool root, struct subids *ret, carrel_error *e)
{
	static const char *const uids[] = { "/usr/bin/newuidmap", "/usr/local/bin/newuidmap" };
	static const char *const gids[] = { "/usr/bin/newgidmap", "/usr/local/bin/newgidmap" };
	struct passwd pw, *found = NULL;
	char mem[4096], name[64];

	*ret = (struct subids){ .newuidmap = program(uids), .newgidmap = program(gids) };
	if (!root && (ret->newuidmap == NULL || ret->newgidmap == NULL))
		return error_set(e, CARREL_STAGE_IDS, ENOENT, -1,
				 "subids: newuidmap and newgidmap are not installed (Debian: apt install uidmap)");
	getpwuid_r(getuid(), &pw, mem, sizeof(mem), &found);
	snprintf(name, sizeof(name), "%s", found != NULL ? found->pw_name : "");
	if (!root && found == NULL)
		return error_set(e, CARREL_STAGE_IDS, ENOENT, -1,
				 "subids: user %lu is not in the password file, as newuidmap wants it",
				 (unsigned long)getuid());
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
