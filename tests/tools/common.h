/* SPDX-License-Identifier: ISC */
/* What stepper and survivors have in common. Functions end the process where they say so (die). */
#ifndef TOOLS_COMMON_H
#define TOOLS_COMMON_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { EXIT_USAGE = 2, EXIT_TIMEOUT = 124, EXIT_OWN = 125 };

/* The tool's name, for messages. */
extern const char *tool_name;

/* The signal that told the tool to end, or 0; see catch_signals(). */
extern volatile sig_atomic_t stopped_by;

/* die(status, format, ...): says it on standard error with the tool's name, and exits. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int status, const char *format, ...);

/* now(): seconds of the monotonic clock. */
double now(void);

/* catch_signals(): SIGTERM, SIGINT and SIGHUP are noted in ${stopped_by} instead of ending the process. */
void catch_signals(void);

/* block_children(ret_before): blocks SIGCHLD, so that doze() can wait for it; the mask before. */
void block_children(sigset_t *ret_before);

/* doze(ms): until a child has something to say, but briefly: a signal may just have been missed. */
void doze(int ms);

/* slurp(pid, what, buf, size): the bytes of /proc/PID/WHAT, ended by a NUL; -1 when unreadable. */
ssize_t slurp(pid_t pid, const char *what, char *buf, size_t size);

/* children(out, max): this process's children now. */
size_t children(pid_t *out, size_t max);

/* execute(words, user): becomes that user (-1: stays) without supplementary groups, and executes. */
__attribute__((noreturn)) void execute(char **words, long user);

/* Values of options; what is none ends the tool with EXIT_USAGE. */
double parse_seconds(const char *option, const char *text);
long parse_number(const char *option, const char *text, long min, long max);

#endif
