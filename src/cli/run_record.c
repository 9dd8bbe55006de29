/* SPDX-License-Identifier: ISC */
/* The record of a run: for people (--stats), and as one JSON object (--status-fd); carrel-status(5). */
#include "report.h"
#include "run.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_record_take_fd(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int64_t fd = 0;

	if (values_number(value, 1, 1 << 20, &fd, why) == -1)
		return -1;
	int flags = fcntl((int)fd, F_GETFL);
	if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY) {
		snprintf(why, VALUES_WHY, flags == -1 ? "not an open descriptor: the shell opens it with %d>FILE" :
							"open for reading only: the shell opens it with %d>FILE",
			 (int)fd);
		return -1;
	}
	/* Of 1 and 2 the command's are copies. */
	if (fd > 2)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	o->status_fd = (int)fd;
	return 0;
}

/* --------------------------------------------------------------- as JSON --- */

static void out_text(FILE *f, const char *key, const char *text)
{
	size_t len = strlen(text), n = 0;
	char *mem = malloc(len * TEXT_ESCAPE_MAX + 1);

	fprintf(f, "\"%s\":", key);
	if (mem == NULL || text_escape((const unsigned char *)text, len, mem, &n) == -1)
		fputs("null", f);
	else
		fprintf(f, "\"%.*s\"", (int)n, mem);
	free(mem);
}

static void out_count(FILE *f, const char *key, uint64_t n)
{
	if (n == CARREL_UNCOUNTED)
		fprintf(f, ",\"%s\":null", key);
	else
		fprintf(f, ",\"%s\":%" PRIu64, key, n);
}

static void out_leftovers(FILE *f, const carrel_status *st)
{
	fprintf(f, ",\"leftovers\":%u,\"leftover\":[", st->leftovers);
	for (unsigned i = 0; i < st->leftovers && i < CARREL_LEFTOVERS_MAX; i++) {
		fprintf(f, "%s{\"pid\":%ld,", i > 0 ? "," : "", (long)st->leftover[i].pid);
		out_text(f, "comm", st->leftover[i].comm);
		putc('}', f);
	}
	putc(']', f);
}

static void out_restrictions(FILE *f, const carrel_record *rec)
{
	fputs(",\"restrictions\":[", f);
	for (size_t i = 0; i < rec->n_restrictions; i++) {
		const carrel_restriction *c = &rec->restrictions[i];

		fputs(i > 0 ? ",{" : "{", f);
		out_text(f, "name", c->name);
		putc(',', f);
		out_text(f, "asked", c->asked);
		putc(',', f);
		out_text(f, "hold", carrel_hold_name(c->hold));
		putc(',', f);
		out_text(f, "mechanism", c->mechanism);
		putc(',', f);
		out_text(f, "found", c->found);
		putc('}', f);
	}
	putc(']', f);
}

static void out_record(FILE *f, const struct run *r, const carrel_record *rec, int exit_status)
{
	const carrel_status *st = &rec->status;
	char name[16];

	fprintf(f, "{\"exit_status\":%d", exit_status);
	if (st->exited)
		fprintf(f, ",\"code\":%d,\"signal\":null", st->code);
	else
		fprintf(f, ",\"code\":null,\"signal\":\"%s\"", values_signal_name(st->sig != 0 ? st->sig : SIGKILL, name));
	fprintf(f, ",\"core\":%s,", st->core ? "true" : "false");
	out_text(f, "ended_by", carrel_ender_name(rec->ended_by));
	putc(',', f);
	if (rec->limit == CARREL_LIMIT_NONE)
		fputs("\"limit\":null", f);
	else
		out_text(f, "limit", carrel_limit_name(rec->limit));
	out_count(f, "wall_us", st->wall_us);
	out_count(f, "user_us", st->utime_us);
	out_count(f, "system_us", st->stime_us);
	out_count(f, "maxrss_kb", st->maxrss_kb);
	out_count(f, "memory_peak", rec->memory_peak);
	out_count(f, "pids_peak", rec->pids_peak);
	out_count(f, "oom_kills", rec->oom_kills);
	out_count(f, "pids_refused", rec->pids_refused);
	out_count(f, "throttled_us", rec->throttled_us);
	out_count(f, "in_bytes", run_streams_moved(r, 0, st->in_bytes));
	out_count(f, "out_bytes", run_streams_moved(r, 1, st->out_bytes));
	out_count(f, "err_bytes", run_streams_moved(r, 2, st->err_bytes));
	out_leftovers(f, st);
	putc(',', f);
	out_text(f, "mechanism", rec->mechanism);
	out_restrictions(f, rec);
	fputs("}\n", f);
}

/* It never came about. */
static void out_error(FILE *f, const carrel_error *e, int exit_status)
{
	fprintf(f, "{\"exit_status\":%d,\"error\":{", exit_status);
	out_text(f, "stage", carrel_stage_name(e->stage));
	fprintf(f, ",\"errno\":%d,\"index\":%d,", e->err, e->index);
	out_text(f, "message", carrel_strerror(e));
	fputs("}}\n", f);
}

static int put(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int run_record_write(const struct run *r, const carrel_record *rec, const carrel_error *e, int exit_status)
{
	char *text = NULL;
	size_t len = 0;

	if (r->o->status_fd < 0)
		return exit_status;
	FILE *f = open_memstream(&text, &len);
	if (f != NULL && rec != NULL)
		out_record(f, r, rec, exit_status);
	else if (f != NULL)
		out_error(f, e, exit_status);
	int err = f == NULL || fclose(f) != 0 ? ENOMEM : put(r->o->status_fd, text, len);
	free(text);
	if (err == 0)
		return exit_status;
	report_line("cannot write the status to descriptor %d: %s", r->o->status_fd, strerror(err));
	return EXIT_CARREL;
}
