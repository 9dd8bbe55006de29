/* SPDX-License-Identifier: ISC */
#include "constant.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#ifdef __linux__
#include <linux/seccomp.h>
#include <sys/prctl.h>
/* Landlock's scopes are newer (6.12) than the headers of Debian 12. */
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET 1
#define LANDLOCK_SCOPE_SIGNAL 2
#endif

#include "constants.inc"

static const struct constant *family_table(char family)
{
	switch (family) {
	case 'c':
		return prctl_table;
	case 'f':
		return file_table;
	case 'l':
		return landlock_table;
	case 'p':
		return prio_table;
	case 'r':
		return rlimit_table;
	case 's':
		return signal_table;
	default:
		return NULL;
	}
}

static bool same_name(const char *name, struct slice s)
{
	size_t i;

	for (i = 0; i < s.len && name[i] != 0; i++) {
		if (tolower(s.data[i]) != name[i])
			return false;
	}
	return i == s.len && name[i] == 0;
}

int constant_value(char family, struct slice name, int64_t *ret)
{
	const struct constant *c = family_table(family);

	for (; c != NULL && c->name != NULL; c++) {
		if (same_name(c->name, name)) {
			*ret = c->value;
			return 0;
		}
	}
	return -ENOTSUP;
}

const char *constant_name(char family, int64_t value)
{
	const struct constant *c = family_table(family);

	for (; c != NULL && c->name != NULL; c++) {
		if (c->value == value)
			return c->name;
	}
	return NULL;
}
