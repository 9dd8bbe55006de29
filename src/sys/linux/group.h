/* SPDX-License-Identifier: ISC */
/* What the files about cgroups share. */
#ifndef SYS_LINUX_GROUP_H
#define SYS_LINUX_GROUP_H

#include "sys.h"

/* sys_cgroup_root(): where the v2 hierarchy is mounted; sys_cgroup_own(): the caller's own cgroup in it.
 * A descriptor, or -errno. */
int sys_cgroup_root(void);
int sys_cgroup_own(void);

/* group_dir(g, c): the directory with the files of ${c}, or -1. */
int group_dir(const struct sys_group *g, enum sys_controller c);

#endif
