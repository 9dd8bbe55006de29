/* SPDX-License-Identifier: ISC */
/* The options of carrel run that take rights away: files, ports, scopes and capabilities. */
#include "run.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535

static int no(char *why, const char *text)
{
	snprintf(why, VALUES_WHY, "%s", text);
	return -1;
}

/* --------------------------------------------------------------- files --- */

static int take_path(struct run_options *o, const char *value, unsigned access, char *why)
{
	if (o->spec.n_paths == CARREL_PATHS_MAX)
		return no(why, "too many paths");
	if (*value == '\0')
		return no(why, "an empty path; the current directory is .");
	o->restrictions.paths[o->spec.n_paths++] = (carrel_path){ value, access };
	o->spec.paths = o->restrictions.paths;
	return 0;
}

int run_restrict_take_ro(void *to, const char *value, char *why)
{
	return take_path(to, value, CARREL_READ, why);
}

int run_restrict_take_rw(void *to, const char *value, char *why)
{
	return take_path(to, value, CARREL_READ | CARREL_WRITE, why);
}

int run_restrict_take_exec(void *to, const char *value, char *why)
{
	return take_path(to, value, CARREL_READ | CARREL_EXECUTE, why);
}

/* --------------------------------------------------------------- ports --- */

/* ${value} as FIRST or FIRST-LAST. */
static int read_ports(const char *value, int64_t min, int64_t *first, int64_t *last, char *why)
{
	char text[16];
	const char *hyphen = strchr(value, '-');
	size_t len = hyphen != NULL ? (size_t)(hyphen - value) : strlen(value);

	snprintf(text, sizeof(text), "%.*s", len < sizeof(text) ? (int)len : 0, value);
	if (values_number(text, min, PORT_MAX, first, why) == -1 ||
	    (hyphen != NULL && values_number(hyphen + 1, *first, PORT_MAX, last, why) == -1)) {
		snprintf(why, VALUES_WHY, "not a port from %d to %d such as 443, a range such as 8000-8009, or none", (int)min,
			 PORT_MAX);
		return -1;
	}
	if (hyphen == NULL)
		*last = *first;
	return 0;
}

static int take_ports(struct run_options *o, const char *value, int which, size_t *n, char *why)
{
	uint16_t **ports = &o->restrictions.ports[which];
	int64_t first = 0, last = 0;

	o->spec.limit_tcp = 1;
	if (strcmp(value, "none") == 0)
		return 0;
	if (read_ports(value, which == 0, &first, &last, why) == -1)
		return -1;
	if ((size_t)(last - first) >= CARREL_PORTS_MAX - *n) {
		snprintf(why, VALUES_WHY, "more than %d ports", CARREL_PORTS_MAX);
		return -1;
	}
	if (*ports == NULL && (*ports = calloc(CARREL_PORTS_MAX, sizeof(**ports))) == NULL)
		return no(why, strerror(ENOMEM));
	for (int64_t port = first; port <= last; port++)
		(*ports)[(*n)++] = (uint16_t)port;
	return 0;
}

int run_restrict_take_connect(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int r = take_ports(o, value, 0, &o->spec.n_connect_ports, why);

	o->spec.connect_ports = o->restrictions.ports[0];
	return r;
}

int run_restrict_take_bind_port(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	int r = take_ports(o, value, 1, &o->spec.n_bind_ports, why);

	o->spec.bind_ports = o->restrictions.ports[1];
	return r;
}

/* -------------------------------------------------------------- scopes --- */

int run_restrict_take_scope(void *to, const char *value, char *why)
{
	static const struct {
		const char *word;
		unsigned scope;
	} words[] = { { "signal", CARREL_SCOPE_SIGNAL }, { "abstract", CARREL_SCOPE_ABSTRACT }, { "none", CARREL_SCOPE_NONE } };
	carrel_spec *s = &((struct run_options *)to)->spec;

	for (const char *p = value;; p++) {
		size_t len = strcspn(p, ","), i = 0;

		while (i < 3 && (strlen(words[i].word) != len || strncmp(words[i].word, p, len) != 0))
			i++;
		if (i == 3)
			return no(why, "not signal, abstract, signal,abstract or none");
		s->scope |= words[i].scope;
		p += len;
		if (*p == '\0')
			break;
	}
	if (s->scope & CARREL_SCOPE_NONE && s->scope != CARREL_SCOPE_NONE)
		return no(why, "none excludes signal and abstract");
	return 0;
}

/* -------------------------------------------------------- capabilities --- */

static const char *cap_name(const void *from, size_t i)
{
	(void)from;
	return carrel_cap_name((unsigned)i);
}

int run_restrict_take_cap(void *to, const char *value, char *why)
{
	const char *name = strncasecmp(value, "cap_", 4) == 0 ? value + 4 : value;

	for (unsigned i = 0; carrel_cap_name(i) != NULL; i++) {
		if (strcasecmp(carrel_cap_name(i), name) == 0) {
			((struct run_options *)to)->spec.caps |= UINT64_C(1) << i;
			return 0;
		}
	}
	char lower[32];
	size_t len = 0;
	for (; name[len] != '\0' && len < sizeof(lower) - 1; len++)
		lower[len] = (char)tolower((unsigned char)name[len]);
	lower[len] = '\0';
	const char *near = options_nearest(lower, cap_name, NULL);
	if (near != NULL)
		snprintf(why, VALUES_WHY, "unknown capability; did you mean %s?", near);
	else
		snprintf(why, VALUES_WHY, "unknown capability; capabilities(7) names them");
	return -1;
}

void run_restrict_finish(struct run_restrict *r)
{
	free(r->ports[0]);
	free(r->ports[1]);
}
