/* SPDX-License-Identifier: ISC */
/* What the constants are that argument tests name: those of the call table, and some that no call of it takes. */
#include "policy.h"

#include "constant.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Older headers lack these. */
#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

#define WORD(name) { #name, (uint64_t)(name) }

static const struct {
	const char *name;
	uint64_t value;
} words[] = {
	WORD(AF_ALG), WORD(AF_BLUETOOTH), WORD(AF_CAN), WORD(AF_TIPC), WORD(AF_VSOCK), WORD(AF_XDP),
	WORD(CLONE_FILES), WORD(CLONE_FS), WORD(CLONE_PARENT), WORD(CLONE_SIGHAND), WORD(CLONE_SYSVSEM),
	WORD(CLONE_THREAD), WORD(CLONE_VFORK), WORD(CLONE_VM),
	WORD(IPPROTO_ICMP), WORD(IPPROTO_ICMPV6), WORD(IPPROTO_IP), WORD(IPPROTO_IPV6), WORD(IPPROTO_RAW),
	WORD(IPPROTO_SCTP), WORD(IPPROTO_TCP), WORD(IPPROTO_UDP),
	WORD(MAP_ANONYMOUS), WORD(MAP_FIXED), WORD(MAP_PRIVATE), WORD(MAP_SHARED),
	WORD(NETLINK_AUDIT), WORD(NETLINK_GENERIC), WORD(NETLINK_KOBJECT_UEVENT), WORD(NETLINK_NETFILTER),
	WORD(NETLINK_ROUTE), WORD(NETLINK_SOCK_DIAG), WORD(NETLINK_XFRM),
	WORD(PR_SET_VMA), WORD(PROT_EXEC), WORD(PROT_READ), WORD(PROT_WRITE),
	WORD(S_IFBLK), WORD(S_IFCHR), WORD(S_IFIFO), WORD(S_IFMT), WORD(S_IFREG), WORD(S_IFSOCK), WORD(S_ISGID),
	WORD(S_ISUID),
	WORD(SOL_SOCKET), WORD(SOL_TCP), WORD(TCP_ULP),
};

int policy_word(const char *name, size_t len, uint64_t *ret)
{
	/* Families of the call table: sockets, ioctl, clone, prctl, ptrace, files, mounts, ... */
	static const char families[] = "oincftguPswAlD";
	const struct slice s = { (const unsigned char *)name, len };
	int64_t value;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncasecmp(words[i].name, name, len) == 0 && words[i].name[len] == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	for (const char *f = families; *f != 0; f++) {
		if (constant_value(*f, s, &value) == 0) {
			*ret = (uint64_t)value;
			return 0;
		}
	}
	return -ENOENT;
}
