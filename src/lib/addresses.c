/* SPDX-License-Identifier: ISC */
/* The addresses of the host's interfaces, all of them, for a jail that has its network. */
#include "internal.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void add(struct host *h, const struct sockaddr *a)
{
	if (a->sa_family == AF_INET && h->n_ip4 < HOST_ADDRESSES) {
		memcpy(h->ip4[h->n_ip4++], &((const struct sockaddr_in *)(const void *)a)->sin_addr, sizeof(h->ip4[0]));
	} else if (a->sa_family == AF_INET6 && h->n_ip6 < HOST_ADDRESSES) {
		memcpy(h->ip6[h->n_ip6++], &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		       sizeof(h->ip6[0]));
	}
}

int host_addresses(struct host *h)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) == -1)
		return -errno;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr != NULL)
			add(h, i->ifa_addr);
	}
	freeifaddrs(list);
	return 0;
}
