/* SPDX-License-Identifier: ISC */
#include "report.h"

#include "file.h"
#include "values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A line leaves in one write, so that it is not mixed with what the command writes to the same
 * terminal.  Names and arguments in it can come from a process that would like to send the
 * terminal an escape sequence.
 */
static void write_line(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	/* Where nobody can hear it, nobody can be told. */
	file_write(STDERR_FILENO, line, len);
}

static void report_va(const char *suffix, const char *format, va_list ap)
{
	static const char prefix[] = "carrel: ";
	char text[1024];
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(text, sizeof(text), format, ap);
	size_t size = sizeof(prefix) + strlen(suffix) + (len > 0 ? (size_t)len : 0) + 1;
	/* A long line needs memory; without any, its beginning is better than silence. */
	char spare[sizeof(text) + 128], *line = size <= sizeof(spare) ? NULL : malloc(size);
	if (line != NULL) {
		int at = snprintf(line, size, "%s", prefix);

		at += vsnprintf(line + at, size - (size_t)at, format, again);
		snprintf(line + at, size - (size_t)at, "%s", suffix);
		write_line(line, strlen(line));
	} else {
		snprintf(spare, sizeof(spare), "%s%s%s", prefix, text, suffix);
		write_line(spare, strlen(spare));
	}
	free(line);
	va_end(again);
}

void report_line(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report_va("", format, ap);
	va_end(ap);
}

int report_usage(const char *verb, const char *format, ...)
{
	char suffix[64];
	va_list ap;

	snprintf(suffix, sizeof(suffix), " (see carrel %s%s--help)", verb,
		 *verb != '\0' ? " " : "");
	va_start(ap, format);
	report_va(suffix, format, ap);
	va_end(ap);
	return EXIT_USAGE;
}

int report_error(const carrel_error *e)
{
	report_line("%s", carrel_strerror(e));
	if (e->stage != CARREL_STAGE_EXEC)
		return EXIT_CARREL;
	return e->err == ENOENT || e->err == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC;
}

void report_op(const char *data, size_t len)
{
	while (len > 0 && data[len - 1] == '\n')
		len--;
	report_line("op: %.*s", (int)len, data);
}

/* The name of a process is bytes of its own choice: only plain ASCII is shown. */
static void plain_name(const char *comm, char name[16])
{
	size_t i = 0;

	for (; i < 15 && comm[i] != '\0'; i++)
		name[i] = (unsigned char)comm[i] < 0x80 ? comm[i] : '?';
	name[i] = '\0';
}

static void report_leftovers(const carrel_status *st)
{
	char text[CARREL_LEFTOVERS_MAX * 40 + 40], name[16];
	size_t at = 0, n = st->leftovers;

	if (n == 0)
		return;
	if (n > CARREL_LEFTOVERS_MAX)
		n = CARREL_LEFTOVERS_MAX;
	text[0] = '\0';
	for (size_t i = 0; i < n && at < sizeof(text); i++) {
		plain_name(st->leftover[i].comm, name);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s (%ld)",
				       i > 0 ? ", " : "", name, (long)st->leftover[i].pid);
	}
	if (n < st->leftovers && at < sizeof(text))
		snprintf(text + at, sizeof(text) - at, " and %zu more", st->leftovers - n);
	report_line("killed %u leftover%s: %s", st->leftovers, st->leftovers == 1 ? "" : "s", text);
}

static const char *cause_text(carrel_cause cause)
{
	switch (cause) {
	case CARREL_BY_TIMEOUT:
		return " by the time limit";
	case CARREL_BY_STOP:
		return " by a stop";
	case CARREL_BY_LOSS:
		return " by the loss of the control process";
	case CARREL_BY_OOM:
		return " without memory";
	case CARREL_BY_LIMIT:
		return " by a limit";
	case CARREL_BY_ITSELF:
		break;
	}
	return "";
}

/* Microseconds as "1.204 s". */
static const char *seconds(uint64_t us, char buf[32])
{
	us += 500;
	snprintf(buf, 32, "%" PRIu64 ".%03" PRIu64 " s", us / 1000000, us / 1000 % 1000);
	return buf;
}

/* Kilobytes as "812 kB" or "12.3 MB". */
static const char *kilobytes(uint64_t kb, char buf[32])
{
	if (kb < 1024)
		snprintf(buf, 32, "%" PRIu64 " kB", kb);
	else
		snprintf(buf, 32, "%" PRIu64 ".%" PRIu64 " MB", kb / 1024, kb % 1024 * 10 / 1024);
	return buf;
}

void report_end(const carrel_status *st)
{
	char wall[32];

	if (st->cause == CARREL_BY_TIMEOUT)
		report_line("the time limit ended it after %s", seconds(st->wall_us, wall));
	report_leftovers(st);
}

void report_stats(const carrel_status *st, const char *mechanism)
{
	char how[64], sig[16], wall[32], user[32], sys[32], peak[32];

	if (st->sig != 0)
		snprintf(how, sizeof(how), "%s%s", values_signal_name(st->sig, sig),
			 st->core ? " (core dumped)" : "");
	else if (st->exited)
		snprintf(how, sizeof(how), "exit %d", st->code);
	else
		snprintf(how, sizeof(how), "killed");
	report_line("%s%s after %s (user %s, system %s, peak %s), %u leftover%s killed, kept by %s",
		    how, cause_text(st->cause), seconds(st->wall_us, wall),
		    seconds(st->utime_us, user), seconds(st->stime_us, sys),
		    kilobytes(st->maxrss_kb, peak), st->leftovers, st->leftovers == 1 ? "" : "s",
		    mechanism);
}

/* One line with the names of what holds, or does not. */
static void report_holds(const carrel_record *rec, carrel_hold hold)
{
	char text[900] = "";
	size_t at = 0;

	for (size_t i = 0; i < rec->n_restrictions && at < sizeof(text); i++) {
		const carrel_restriction *c = &rec->restrictions[i];

		if (c->hold == hold)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%s%s", at > 0 ? ", " : "", c->name,
					       *c->mechanism ? " (" : "", c->mechanism, *c->mechanism ? ")" : "");
	}
	if (at > 0)
		report_line("%s: %s", carrel_hold_name(hold), text);
}

void report_record(const carrel_record *rec)
{
	char memory[64] = "", pids[64] = "", kb[32];

	if (rec->memory_peak != CARREL_UNCOUNTED)
		snprintf(memory, sizeof(memory), "%s of memory", kilobytes(rec->memory_peak / 1024, kb));
	if (rec->pids_peak != CARREL_UNCOUNTED)
		snprintf(pids, sizeof(pids), "%s%" PRIu64 " processes and threads", *memory ? ", " : "", rec->pids_peak);
	if (*memory || *pids)
		report_line("at most at one time: %s%s", memory, pids);
	report_holds(rec, CARREL_ENFORCED);
	report_holds(rec, CARREL_NOT_ENFORCED);
	report_holds(rec, CARREL_UNKNOWN);
}

void report_limit(const carrel_spec *s, carrel_limit limit, int verbose)
{
	char size[32], time[32];

	if (limit == CARREL_LIMIT_MEMORY)
		report_line("out of memory: a process was killed at the limit of %s",
			    kilobytes(s->memory / 1024, size));
	else if (!verbose)
		return;
	else if (limit == CARREL_LIMIT_PIDS)
		report_line("a process or thread was refused at the limit of %" PRIu64, s->pids);
	else if (limit == CARREL_LIMIT_CPU_TIME)
		report_line("the limit of %s of processor time ends it",
			    seconds((uint64_t)s->cpu_time_ms * 1000, time));
	else if (limit == CARREL_LIMIT_OUTPUT)
		report_line("the limit of %s of output ends it", kilobytes(s->output_limit / 1024, size));
}

int report_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	report_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_CARREL;
}
