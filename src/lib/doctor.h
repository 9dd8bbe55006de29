/* SPDX-License-Identifier: ISC */
/*
 * What this machine and this user can do, found out by trying.
 *
 * A trial is the start of a task that cannot succeed in its last step: what is executed is a directory.  So nothing is
 * ever run, the host does not fork, and what a trial makes goes as everything goes that carrel starts.
 */
#ifndef LIB_DOCTOR_H
#define LIB_DOCTOR_H

#include "internal.h"

#include <stdbool.h>
#include <stdint.h>

#define FACTS_MAX 48

struct doctor {
	const carrel_config *cfg;
	carrel *c;		/* NULL: no control process could be had */
	carrel_error no_control; /* ... because of this */
	bool root;		/* the effective user is 0 here */
	carrel_fact fact[FACTS_MAX];
	size_t n;
};

/* doctor_fact(d, name): a new fact, which is OK until somebody finds otherwise. */
carrel_fact *doctor_fact(struct doctor *d, const char *name);

/* doctor_found(d, name): a fact that is there, or NULL. */
const carrel_fact *doctor_found(const struct doctor *d, const char *name);

/* fact_set(f, state, format, ...): its state and line. */
void fact_set(carrel_fact *f, carrel_fact_state state, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* fact_remedy(f, format, ...): the command that would allow it. */
void fact_remedy(carrel_fact *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* fact_detail(f, format, ...): one more clause of what was tried and seen. */
void fact_detail(carrel_fact *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* doctor_trial.c */
/* trial_spec(d, s, e): start ${s} up to its execution.  0; or the errno with ${e} filled. */
int trial_spec(struct doctor *d, const carrel_spec *s, carrel_error *e);
/* trial_ops(d, f, program, ret_op): the same for operations, and ${f} gets the details.  0, or the errno, and the
 * number of the operation that failed (-1: none of them) in ${ret_op}. */
int trial_ops(struct doctor *d, carrel_fact *f, const char *program, int *ret_op);

/* trial_reason(e): the sentence of ${e}, without the command that was none. */
const char *trial_reason(const carrel_error *e);

/* Namespaces and mounts, rules, cgroups, and the rest. */
/* doctor_namespaces_linux.c, doctor_rules_linux.c, doctor_cgroup_linux.c, doctor_host.c */
void doctor_namespaces(struct doctor *d);
void doctor_rules(struct doctor *d);
void doctor_cgroups(struct doctor *d);
void doctor_host(struct doctor *d);
void doctor_limits(struct doctor *d);
/* Behind the behaviours, which it takes. */
void doctor_ids(struct doctor *d);

/* doctor_reason_linux.c */
/* reason_namespace(f, namespaces, err, made): why namespaces (CLONE_NEW...) were refused with ${err}, or, ${made}, what
 * was to be done in them. */
void reason_namespace(carrel_fact *f, uint64_t namespaces, int err, bool made);
/* reason_call(f, what, err): why a call was refused that kernels with ${what} have. */
void reason_call(carrel_fact *f, const char *what, int err);
/* reason_masks(f): a file system of processes was refused with EPERM: true when what covers the present one is why. */
bool reason_masks(carrel_fact *f);
/* reason_no_new_privs(): no program that we execute gets privileges. */
bool reason_no_new_privs(void);
/* reason_file_capable(path): the file has capabilities. */
bool reason_file_capable(const char *path);
/* reason_ids(name): how many ids the map ${name} (uid_map, gid_map) has; UINT32_MAX: all of them. */
uint64_t reason_ids(const char *name);
/* reason_field(name): the number after "name:" in /proc/self/status, -1 without it. */
long reason_field(const char *name);

#endif
