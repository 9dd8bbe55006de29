/* SPDX-License-Identifier: ISC */
/* Landlock. */
#include "calls.h"

#include "sys.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's, as of ABI 6; Debian 12's headers have the first member only. */
struct rules {
	uint64_t files, net, scope;
};

struct port_rule {
	uint64_t access, port;
};

#define RULE_PORT 2

int64_t call_landlock_scope(const struct arg *a)
{
	return sys_landlock_scope((uint64_t)a[0].i);
}

/* What an old kernel does not know is zero there and so no error, unless it was asked for. */
int64_t call_landlock_create_ruleset(const struct arg *a)
{
	const struct rules rules = { (uint64_t)a[0].i, (uint64_t)a[1].i, (uint64_t)a[2].i };

	return call_result(syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0));
}

int64_t call_landlock_add_path(const struct arg *a)
{
	const struct landlock_path_beneath_attr rule = { .allowed_access = (uint64_t)a[2].i,
							 .parent_fd = (int)a[1].i };

	return call_result(
		syscall(SYS_landlock_add_rule, (int)a[0].i, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int64_t call_landlock_add_port(const struct arg *a)
{
	const struct port_rule rule = { (uint64_t)a[2].i, (uint64_t)a[1].i };

	return call_result(syscall(SYS_landlock_add_rule, (int)a[0].i, RULE_PORT, &rule, 0));
}

int64_t call_landlock_restrict_self(const struct arg *a)
{
	return call_result(syscall(SYS_landlock_restrict_self, (int)a[0].i, 0));
}
