/* SPDX-License-Identifier: ISC */
/* Commands that are put before another one, measured in turns. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "measure.h"

#define PEER_ARGS_MAX 64

struct peer {
	const char *name;
	/* Before the command; the first is a name, which is looked up in PATH.  None: the command alone. */
	const char *args[PEER_ARGS_MAX];
	int alone;		/* it knows the command already */
	const char *aim;
	const char *why_not;	/* set when it cannot be measured */
	struct samples took;
};

/* peers_find(p, n): look the programs of ${p} up; those that are not there have why_not then. */
void peers_find(struct peer *p, size_t n);

/* peers_try(p, n, command): run each once and set why_not of those that fail, with what they said. */
void peers_try(struct peer *p, size_t n, const char *command);

/*
 * peers_compare(p, n, base, command, shown, rounds): run each with ${command} behind it, in turns, and print a row
 * for each; ratios are those to the peer number ${base}.
 */
void peers_compare(struct peer *p, size_t n, size_t base, const char *command, const char *shown, int rounds);

#endif
