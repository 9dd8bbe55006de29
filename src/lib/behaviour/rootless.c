/* SPDX-License-Identifier: ISC */
/*
 * The rootless behaviour: isolated by whoever calls.  The one id inside is the caller's own outside, or one of
 * nobody's when the caller is root.
 */
#include "internal.h"

const struct behaviour behaviour_rootless = { .name = "rootless", .isolates = true, .program = isolate_program, .needs = CALL_clone };
