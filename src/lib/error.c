/* SPDX-License-Identifier: ISC */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {
	[CARREL_STAGE_NONE] = "none",	    [CARREL_STAGE_ARGS] = "arguments",
	[CARREL_STAGE_HELPER] = "helper",   [CARREL_STAGE_CHANNEL] = "channel",
	[CARREL_STAGE_FORK] = "fork",	    [CARREL_STAGE_PROCESS] = "process",
	[CARREL_STAGE_CWD] = "directory",   [CARREL_STAGE_FILE] = "file",
	[CARREL_STAGE_FDS] = "descriptors", [CARREL_STAGE_ENV] = "environment",
	[CARREL_STAGE_SIGNAL] = "signal",   [CARREL_STAGE_RLIMIT] = "rlimit",
	[CARREL_STAGE_IDS] = "ids",	    [CARREL_STAGE_RESTRICT] = "restrict",
	[CARREL_STAGE_EXEC] = "exec",	    [CARREL_STAGE_INPUT] = "input",
	[CARREL_STAGE_TERMINAL] = "terminal", [CARREL_STAGE_NAMESPACE] = "namespaces",
};

/* The wire's stages are the header's. */
_Static_assert((int)STAGE_EXEC == (int)CARREL_STAGE_EXEC, "stages");
_Static_assert((int)STAGE_TERMINAL == (int)CARREL_STAGE_TERMINAL, "stages");
_Static_assert((int)STAGE_NAMESPACE == (int)CARREL_STAGE_NAMESPACE, "stages");
_Static_assert((int)STAGE_RESTRICT == (int)CARREL_STAGE_RESTRICT, "stages");
_Static_assert((int)STAGE_CWD == (int)CARREL_STAGE_CWD, "stages");
_Static_assert((int)STAGE_FDS == (int)CARREL_STAGE_FDS, "stages");
_Static_assert((int)STAGE_IDS == (int)CARREL_STAGE_IDS, "stages");
_Static_assert(STAGE_COUNT == sizeof(names) / sizeof(names[0]), "stages");
_Static_assert((int)CAUSE_LOSS == (int)CARREL_BY_LOSS, "causes");
_Static_assert((int)CAUSE_LIMIT == (int)CARREL_BY_LIMIT, "causes");
_Static_assert((int)LIMIT_CPU_TIME == (int)CARREL_LIMIT_CPU_TIME, "limits");

EXPORT const char *carrel_stage_name(carrel_stage stage)
{
	return (unsigned)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "unknown";
}

EXPORT const char *carrel_strerror(const carrel_error *e)
{
	return e != NULL && e->msg[0] != 0 ? e->msg : "no error";
}

EXPORT const char *carrel_version(void)
{
	return CARREL_VERSION;
}

int error_set(carrel_error *e, carrel_stage stage, int err, int index, const char *fmt, ...)
{
	if (e != NULL) {
		va_list ap;

		*e = (carrel_error){ .stage = stage, .err = err, .index = index };
		va_start(ap, fmt);
		vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
	}
	errno = err;
	return -1;
}
