/* SPDX-License-Identifier: ISC */
/* The options of carrel run that say how to isolate and what to show. */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no(char *why, const char *text)
{
	snprintf(why, VALUES_WHY, "%s", text);
	return -1;
}

static int no_memory(char *why)
{
	no(why, strerror(ENOMEM));
	return -2;
}

int run_isolate_take_behaviour(void *to, const char *value, char *why)
{
	static const char *const names[] = { "process", "rootless", "container" };

	if (strcmp(value, "jail") == 0)
		return no(why, "jails are FreeBSD's; on Linux there are rootless and container");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			((struct run_options *)to)->spec.behaviour = names[i];
			return 0;
		}
	}
	return no(why, "not one of process, rootless and container");
}

int run_isolate_take_net(void *to, const char *value, char *why)
{
	carrel_spec *s = &((struct run_options *)to)->spec;

	s->net_path = NULL;
	if (strncmp(value, "ns:", 3) == 0 && value[3] != '\0')
		s->net_path = value + 3;
	else if (strchr(value, '/') != NULL)
		s->net_path = value;
	s->net = s->net_path != NULL ? CARREL_NET_PATH : strcmp(value, "host") == 0 ? CARREL_NET_HOST : CARREL_NET_NONE;
	if (s->net == CARREL_NET_NONE && strcmp(value, "none") != 0)
		return no(why, "neither none nor host, nor the path of a network namespace");
	return 0;
}

int run_isolate_take_hostname(void *to, const char *value, char *why)
{
	(void)why;
	((struct run_options *)to)->spec.hostname = value;
	return 0;
}

int run_isolate_take_root(void *to, const char *value, char *why)
{
	if (*value == '\0')
		return no(why, "not a directory");
	((struct run_options *)to)->spec.root = value;
	return 0;
}

/* [DIR] */
int run_isolate_take_overlay(void *to, const char *value, char *why)
{
	carrel_spec *s = &((struct run_options *)to)->spec;

	if (value != NULL && *value == '\0')
		return no(why, "not a directory");
	s->overlay = 1;
	s->overlay_dir = value;
	return 0;
}

int run_isolate_take_overlay_size(void *to, const char *value, char *why)
{
	return values_size(value, &((struct run_options *)to)->spec.overlay_size, why);
}

/* A copy of ${value} that is freed with the options. */
static char *kept(struct run_isolate *i, const char *value)
{
	return i->n_texts < RUN_TEXTS_MAX ? i->texts[i->n_texts++] = strdup(value) : NULL;
}

/* The last part of ${text} if it is ${word}, which is cut off. */
static int ends_with(char *text, const char *word)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL || strcmp(colon + 1, word) != 0)
		return 0;
	*colon = '\0';
	return 1;
}

/* Words of ${options}, with commas between them: 1, 0 when one is none, and then nothing is set. */
static int bind_options(const char *options, carrel_bind *bind)
{
	static const char *const words[] = { "ro", "rw", "rec", "norec", "optional" };
	carrel_bind b = *bind;

	for (const char *p = options;; p++) {
		size_t len = strcspn(p, ","), i = 0;

		while (i < 5 && (strlen(words[i]) != len || strncmp(words[i], p, len) != 0))
			i++;
		if (i == 5)
			return 0;
		if (i < 2)
			b.writable = i == 1;
		else if (i < 4)
			b.alone = i == 3;
		else
			b.optional = 1;
		p += len;
		if (*p == '\0')
			break;
	}
	*bind = b;
	return 1;
}

/* SRC[:DEST][:OPTIONS] */
int run_isolate_take_bind(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	struct run_isolate *i = &o->isolate;
	carrel_bind bind = { 0 };

	if (o->spec.n_binds == CARREL_BINDS_MAX)
		return no(why, "too many binds");
	char *text = kept(i, value);
	if (text == NULL)
		return no_memory(why);
	char *colon = strrchr(text, ':');
	if (colon != NULL && bind_options(colon + 1, &bind))
		*colon = '\0';
	colon = strchr(text, ':');
	if (colon != NULL)
		*colon++ = '\0';
	if (colon != NULL && strchr(colon, ':') != NULL)
		return no(why, "not of the form SRC[:DEST][:OPTION,...], of ro, rw, rec, norec and optional");
	bind.source = text;
	bind.dest = colon;
	if (*text == '\0' || (colon == NULL ? *text : *colon) != '/')
		return no(why, "where it is shown must be an absolute path: SRC:DEST[:OPTION,...], of ro, rw, rec, "
			  "norec and optional");
	i->binds[o->spec.n_binds++] = bind;
	o->spec.binds = i->binds;
	return 0;
}

/* DEST[:SIZE][:exec] */
int run_isolate_take_tmpfs(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	struct run_isolate *i = &o->isolate;
	carrel_tmpfs tmpfs = { 0 };

	if (o->spec.n_tmpfs == RUN_TMPFS_MAX)
		return no(why, "too many of them");
	char *text = kept(i, value);
	if (text == NULL)
		return no_memory(why);
	tmpfs.exec = ends_with(text, "exec");
	char *colon = strchr(text, ':');
	if (colon != NULL)
		*colon++ = '\0';
	tmpfs.dest = text;
	if (*text != '/')
		return no(why, "it must begin with an absolute path");
	if (colon != NULL && values_size(colon, &tmpfs.size, why) == -1)
		return -1;
	i->tmpfs[o->spec.n_tmpfs++] = tmpfs;
	o->spec.tmpfs = i->tmpfs;
	return 0;
}

int run_isolate_is_on(const struct run_options *o)
{
	return o->spec.behaviour != NULL && strcmp(o->spec.behaviour, "process") != 0;
}

void run_isolate_finish(struct run_isolate *i)
{
	while (i->n_texts > 0)
		free(i->texts[--i->n_texts]);
}
