/* SPDX-License-Identifier: ISC */
/*
 * The container behaviour: isolated by root, who may clone what the task's id cannot reach, drop every group, and
 * give each task an id of its own.  Apart from that there is nothing that root could add: the task's kernel id is
 * never 0, and its namespaces are never the host's.
 */
#include "internal.h"

const struct behaviour behaviour_container = { .name = "container", .isolates = true, .program = isolate_program, .needs = CALL_clone };
