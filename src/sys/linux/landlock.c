/* SPDX-License-Identifier: ISC */
#include "sys.h"

#include "fd.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

/* The kernel's struct landlock_ruleset_attr as of ABI 6; Debian 12's headers end at ABI 2. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define CREATE_RULESET_VERSION 1
#define ABI_WITH_SCOPES 6

int sys_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

int sys_landlock_scope(uint64_t scope)
{
	struct ruleset_attr attr = { .scoped = scope };

	if (sys_landlock_abi() < ABI_WITH_SCOPES)
		return -EOPNOTSUPP;
	scoped_fd fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd == -1 || syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		return -errno;
	return 0;
}
