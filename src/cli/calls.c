/* SPDX-License-Identifier: ISC */
/* carrel calls: the table of calls, and the constants that they take. */
#include "calls.h"

#include "report.h"
#include "text.h"

#include <carrel.h>
#include <stdio.h>
#include <string.h>

struct calls_options {
	int json, constants, help;
};

#define FLAG(member) .flag = offsetof(struct calls_options, member)

static const struct option_row rows[] = {
	{ .help = "What is printed" },
	{ 0, "constants", NULL, "the families of constants, or those of the families named", NULL,
	  FLAG(constants) },
	{ 0, "json", NULL, "one JSON object a line", NULL, FLAG(json) },
	{ 'h', "help", NULL, "print this", NULL, FLAG(help) },
};

const struct option_table calls_options_table = {
	.verb = "calls",
	.usage = "carrel calls [--json] [NAME...]\n"
		 "       carrel calls --constants [--json] [FAMILY...]",
	.about = "Print the table of calls, or all about the ones that are named.",
	.notes = "See carrel-calls(7).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};

/* ----------------------------------------------------------------- words --- */

struct word {
	unsigned bit;
	const char *name;
};

static const struct word systems[] = {
	{ CARREL_ON_LINUX, "Linux" },
	{ CARREL_ON_FREEBSD, "FreeBSD" },
	{ CARREL_ON_OPENBSD, "OpenBSD" },
	{ 0, NULL },
};

static const struct word doors[] = {
	{ CARREL_DOOR_PROGRAM, "program" },
	{ CARREL_DOOR_OUTSIDE, "outside" },
	{ CARREL_DOOR_TASK, "task" },
	{ CARREL_DOOR_PORT, "port" },
	{ 0, NULL },
};

/* The words of ${bits} with ${between} between them, in ${text}. */
static const char *words(const struct word *w, unsigned bits, const char *between, char text[64])
{
	size_t at = 0;

	for (*text = '\0'; w->name != NULL; w++) {
		if (bits & w->bit)
			at += (size_t)snprintf(text + at, 64 - at, "%s%s", at > 0 ? between : "", w->name);
	}
	return text;
}

/* name(argument, argument) */
static const char *signature(const carrel_call_row *row, char text[256])
{
	size_t at = (size_t)snprintf(text, 256, "%s(", row->name);

	for (int i = 0; i < row->argc; i++)
		at += (size_t)snprintf(text + at, 256 - at, "%s%s", i > 0 ? ", " : "", row->arg[i].name);
	snprintf(text + at, 256 - at, ")");
	return text;
}

/* -------------------------------------------------------------- one call --- */

static void print_short(const carrel_call_row *row)
{
	char text[256];

	printf("%3d  %-58s %s%s\n", row->number, signature(row, text), row->summary,
	       row->here ? "" : " (not on this system)");
}

/* Sentences, in lines of at most 78 columns. */
static void print_note(const char *note)
{
	size_t column = 0;

	while (*note != '\0') {
		size_t len = strcspn(note, " ");

		if (column > 0 && column + 1 + len > 76) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column > 0 ? " " : "  ", (int)len, note);
		note += len;
		note += strspn(note, " ");
	}
	putchar('\n');
}

static void print_long(const carrel_call_row *row)
{
	char text[256];

	printf("%s: %s\n", signature(row, text), row->summary);
	for (int i = 0; i < row->argc; i++)
		printf("  %-14s%s\n", row->arg[i].name, row->arg[i].what);
	printf("  answers       %s\n", row->answers);
	printf("  number        %d\n", row->number);
	printf("  systems       %s%s\n", words(systems, row->systems, ", ", text),
	       row->here ? "" : ": not this one");
	printf("  doors         %s\n", words(doors, row->doors, ", ", text));
	printf("  stage         %s\n", carrel_stage_name(row->stage));
	if (row->note != NULL)
		print_note(row->note);
}

#define JSON_TEXT_MAX 1024

/* "key":"value", for a text of the table. */
static void json_text(const char *key, const char *value)
{
	char text[TEXT_ESCAPE_MAX * JSON_TEXT_MAX];
	size_t n = 0, len = strlen(value);

	if (text_escape((const unsigned char *)value, len < JSON_TEXT_MAX ? len : JSON_TEXT_MAX, text, &n) == -1)
		n = 0;
	printf("\"%s\":\"%.*s\"", key, (int)n, text);
}

static void json_words(const char *key, const struct word *w, unsigned bits)
{
	char text[64];

	printf("\"%s\":[%s%s%s],", key, bits != 0 ? "\"" : "", words(w, bits, "\",\"", text),
	       bits != 0 ? "\"" : "");
}

static void print_json(const carrel_call_row *row)
{
	printf("{\"number\":%d,", row->number);
	json_text("name", row->name);
	printf(",\"arguments\":[");
	for (int i = 0; i < row->argc; i++) {
		printf("%s{", i > 0 ? "," : "");
		json_text("name", row->arg[i].name);
		printf(",");
		json_text("what", row->arg[i].what);
		if (row->arg[i].family != NULL) {
			printf(",");
			json_text("family", row->arg[i].family);
		}
		printf("}");
	}
	printf("],");
	json_text("answers", row->answers);
	printf(",");
	json_words("systems", systems, row->systems);
	printf("\"here\":%s,", row->here ? "true" : "false");
	json_words("doors", doors, row->doors);
	json_text("stage", carrel_stage_name(row->stage));
	printf(",");
	json_text("summary", row->summary);
	if (row->note != NULL) {
		printf(",");
		json_text("note", row->note);
	}
	printf("}\n");
}

/* ------------------------------------------------------------- all calls --- */

static const char *call_name(const void *row, size_t i)
{
	carrel_call_row r = { .size = sizeof(r) };

	(void)row;
	return carrel_call_info(i, &r) == 1 ? r.name : NULL;
}

static int call_by_name(const char *name, carrel_call_row *ret)
{
	*ret = (carrel_call_row){ .size = sizeof(*ret) };
	for (size_t i = 0; carrel_call_info(i, ret) == 1; i++) {
		if (strcmp(ret->name, name) == 0)
			return 0;
	}
	return -1;
}

static int unknown(const char *what, const char *word, const char *near, const char *all)
{
	if (near != NULL)
		return report_usage("calls", "unknown %s \"%s\"; did you mean %s?", what, word, near);
	return report_usage("calls", "unknown %s \"%s\"; %s lists them", what, word, all);
}

static int print_calls(const struct calls_options *o, char **names)
{
	carrel_call_row row = { .size = sizeof(row) };

	/* A wrong name prints nothing. */
	for (char **name = names; *name != NULL; name++) {
		if (call_by_name(*name, &row) == -1)
			return unknown("call", *name, options_nearest(*name, call_name, NULL), "carrel calls");
	}
	for (char **name = names; *name != NULL; name++) {
		call_by_name(*name, &row);
		(o->json ? print_json : print_long)(&row);
	}
	for (size_t i = 0; *names == NULL && carrel_call_info(i, &row) == 1; i++)
		(o->json ? print_json : print_short)(&row);
	return report_flush();
}

/* ------------------------------------------------------------- constants --- */

static const char *family_name(const void *from, size_t i)
{
	(void)from;
	return carrel_constant_family(i, NULL);
}

static int is_family(const char *name)
{
	const char *family;

	for (size_t i = 0; (family = carrel_constant_family(i, NULL)) != NULL; i++) {
		if (strcmp(family, name) == 0)
			return 1;
	}
	return 0;
}

static void print_families(const struct calls_options *o)
{
	const char *name, *summary = "";

	for (size_t i = 0; (name = carrel_constant_family(i, &summary)) != NULL; i++) {
		if (!o->json) {
			printf("%-14s%s\n", name, summary);
			continue;
		}
		printf("{");
		json_text("family", name);
		printf(",");
		json_text("summary", summary);
		printf("}\n");
	}
}

static void print_family(const struct calls_options *o, const char *family)
{
	const char *name;
	int64_t value = 0;

	for (size_t i = 0; (name = carrel_constant_name(family, i, &value)) != NULL; i++) {
		if (!o->json) {
			printf("%-36s%lld\n", name, (long long)value);
			continue;
		}
		printf("{");
		json_text("family", family);
		printf(",");
		json_text("name", name);
		printf(",\"value\":%lld}\n", (long long)value);
	}
}

static int print_constants(const struct calls_options *o, char **names)
{
	for (char **name = names; *name != NULL; name++) {
		if (!is_family(*name))
			return unknown("family of constants", *name, options_nearest(*name, family_name, NULL),
				       "carrel calls --constants");
	}
	if (*names == NULL)
		print_families(o);
	for (char **name = names; *name != NULL; name++)
		print_family(o, *name);
	return report_flush();
}

int cmd_calls(int argc, char **argv)
{
	struct calls_options o = { 0 };
	int first;
	int status = options_read(&calls_options_table, argc, argv, &o, &first);

	if (status != OPTIONS_GO_ON)
		return status;
	if (o.help) {
		options_help(&calls_options_table);
		return report_flush();
	}
	return (o.constants ? print_constants : print_calls)(&o, argv + first);
}
