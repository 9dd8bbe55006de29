/* SPDX-License-Identifier: ISC */
/* carrel doctor: what carrel can do here, and what to type where it cannot. */
#include "doctor.h"

#include "report.h"
#include "text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More than the library has facts. */
#define ROOM 64

struct doctor_options {
	int help, json, verbose, no_cgroup;
	const char *helper;
};

static int take_helper(void *to, const char *value, char *why)
{
	(void)why;
	((struct doctor_options *)to)->helper = value;
	return 0;
}

#define FLAG(member) .flag = offsetof(struct doctor_options, member)

static const struct option_row rows[] = {
	{ .help = "Options" },
	{ 0, "json", NULL, "one JSON object a line", NULL, FLAG(json) },
	{ 'v', "verbose", NULL, "also what was tried, and what came of it", NULL, FLAG(verbose) },
	{ 0, "helper", "FILE", "control process to use", take_helper, 0 },
	{ 0, "no-cgroup", NULL, "do not try a cgroup for ending trees", NULL, FLAG(no_cgroup) },
	{ 'h', "help", NULL, "print this", NULL, FLAG(help) },
};

const struct option_table doctor_options_table = {
	.verb = "doctor",
	.usage = "carrel doctor [options]",
	.about = "Try what this machine lets this user do, and say how to allow what it refuses.",
	.notes = "Exit status: 0 all is there that carrel's behaviours need; 1 something is missing;\n"
		 "125 carrel could not look; 2 usage.  See carrel-doctor(1).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};

static const char *state_name(carrel_fact_state s)
{
	return s == CARREL_FACT_OK ? "ok" : s == CARREL_FACT_LIMITED ? "limited" : "no";
}

static int is_missing(const carrel_fact *f)
{
	return f->needed && f->state == CARREL_FACT_NO;
}

/* ------------------------------------------------------------------ JSON --- */

static void json_member(const char *name, const char *value)
{
	char text[sizeof(((carrel_fact *)0)->detail) * TEXT_ESCAPE_MAX];
	size_t len = 0;

	if (*value != 0 && text_escape((const unsigned char *)value, strlen(value), text, &len) == 0)
		printf(",\"%s\":\"%.*s\"", name, (int)len, text);
}

static void say_json(const carrel_fact *v, size_t n)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		printf("{\"fact\":\"%s\",\"state\":\"%s\",\"needed\":%s,\"errno\":%d", v[i].name, state_name(v[i].state),
		       v[i].needed ? "true" : "false", v[i].err);
		json_member("text", v[i].text);
		json_member("remedy", v[i].remedy);
		json_member("detail", v[i].detail);
		puts("}");
	}
	printf("{\"missing\":[");
	for (size_t i = 0; i < n; i++) {
		if (is_missing(&v[i])) {
			printf("%s\"%s\"", comma, v[i].name);
			comma = ",";
		}
	}
	puts("]}");
}

/* ---------------------------------------------------------------- people --- */

/* Facts that one command helps stand together, where the first of them is. */
static int told_before(const carrel_fact *v, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (v[j].state != CARREL_FACT_OK && strcmp(v[j].remedy, v[i].remedy) == 0)
			return 1;
	}
	return 0;
}

static void say_remedies(const carrel_fact *v, size_t n)
{
	int any = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].state == CARREL_FACT_OK || v[i].remedy[0] == 0 || told_before(v, i))
			continue;
		if (!any++)
			printf("\nTo have more%s:\n", geteuid() == 0 ? "" : " (most of it as root)");
		printf("  ");
		const char *comma = "";
		for (size_t j = i; j < n; j++) {
			if (v[j].state == CARREL_FACT_OK || strcmp(v[j].remedy, v[i].remedy) != 0)
				continue;
			printf("%s%s", comma, v[j].name);
			comma = ", ";
		}
		printf(":\n      %s\n", v[i].remedy);
	}
}

static void say_missing(const carrel_fact *v, size_t n)
{
	const char *comma = "\nMissing: ";

	for (size_t i = 0; i < n; i++) {
		if (is_missing(&v[i])) {
			printf("%s%s", comma, v[i].name);
			comma = ", ";
		}
	}
	if (*comma == ',')
		putchar('\n');
}

static void say(const carrel_fact *v, size_t n, int verbose)
{
	for (size_t i = 0; i < n; i++) {
		printf("%-18s%-9s%s\n", v[i].name, state_name(v[i].state), v[i].text);
		if (verbose && v[i].detail[0] != 0)
			printf("%-27s(%s)\n", "", v[i].detail);
	}
	say_missing(v, n);
	say_remedies(v, n);
}

int cmd_doctor(int argc, char **argv)
{
	static carrel_fact v[ROOM];
	struct doctor_options o = { 0 };
	carrel_error e = { 0 };
	int first;

	int status = options_read(&doctor_options_table, argc, argv, &o, &first);
	if (status == OPTIONS_GO_ON && o.help) {
		options_help(&doctor_options_table);
		return report_flush();
	}
	if (status != OPTIONS_GO_ON)
		return status;
	if (argv[first] != NULL)
		return report_usage("doctor", "doctor takes no \"%s\"", argv[first]);
	const carrel_config cfg = { .size = sizeof(cfg), .helper = o.helper, .no_cgroup = o.no_cgroup,
				    .embedded = carrel_control_main };
	ssize_t n = carrel_doctor(&cfg, v, ROOM, &e);
	if (n < 0)
		return report_error(&e);
	n = n < ROOM ? n : ROOM;
	if (o.json)
		say_json(v, (size_t)n);
	else
		say(v, (size_t)n, o.verbose);
	status = report_flush();
	for (ssize_t i = 0; i < n && status == 0; i++)
		status = is_missing(&v[i]);
	return status;
}
