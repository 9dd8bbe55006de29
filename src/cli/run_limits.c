/* SPDX-License-Identifier: ISC */
/* The options of carrel run that limit the whole tree, and say how soon it is served. */
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

static carrel_spec *spec(void *to)
{
	return &((struct run_options *)to)->spec;
}

/* A size that limits something: not 0. */
static int take_size(const char *value, uint64_t *ret, char *why)
{
	uint64_t size;

	if (values_size(value, &size, why) == -1)
		return -1;
	if (size == 0)
		return no(why, "a limit of nothing; leave the option out for no limit");
	*ret = size;
	return 0;
}

int run_limits_take_memory(void *to, const char *value, char *why)
{
	return take_size(value, &spec(to)->memory, why);
}

int run_limits_take_pids(void *to, const char *value, char *why)
{
	int64_t n = 0;

	if (values_number(value, 1, INT32_MAX, &n, why) == -1)
		return -1;
	spec(to)->pids = (uint64_t)n;
	return 0;
}

int run_limits_take_cpu(void *to, const char *value, char *why)
{
	return values_share(value, &spec(to)->cpu, why);
}

int run_limits_take_cpu_time(void *to, const char *value, char *why)
{
	if (values_time(value, &spec(to)->cpu_time_ms, why) == -1)
		return -1;
	return spec(to)->cpu_time_ms > 0 ? 0 : no(why, "no time at all; leave the option out for no limit");
}

int run_limits_take_max_output(void *to, const char *value, char *why)
{
	return take_size(value, &spec(to)->output_limit, why);
}

/* One of read=SIZE, write=SIZE, reads=N, writes=N. */
static int take_rate(carrel_io_limit *l, const char *word, char *why)
{
	const struct {
		const char *key;
		uint64_t *to;
	} keys[] = { { "read=", &l->read_bytes }, { "write=", &l->write_bytes },
		     { "reads=", &l->reads },	  { "writes=", &l->writes } };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(word, keys[i].key, len) == 0)
			return take_size(word + len, keys[i].to, why);
	}
	snprintf(why, VALUES_WHY, "\"%.40s\" is none of read=SIZE, write=SIZE, reads=N and writes=N (a second)", word);
	return -1;
}

/* DEVICE:read=SIZE[,...]; the device may be MAJOR:MINOR, so that its end is the colon before a word. */
int run_limits_take_io(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	carrel_io_limit l = { 0 };

	if (o->spec.n_io_limits == CARREL_IO_LIMITS_MAX)
		return no(why, "too many devices");
	char *text = strdup(value), *save = NULL;
	if (text == NULL)
		return no(why, strerror(ENOMEM));
	o->io_texts[o->spec.n_io_limits] = text;
	char *colon = strrchr(text, ':');
	if (colon == NULL || colon == text || strchr(colon, '=') == NULL) {
		free(text);
		o->io_texts[o->spec.n_io_limits] = NULL;
		return no(why, "not of the form DEVICE:read=SIZE,write=SIZE,reads=N,writes=N");
	}
	*colon++ = '\0';
	l.device = text;
	o->io_limits[o->spec.n_io_limits++] = l;
	for (char *word = strtok_r(colon, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
		if (take_rate(&o->io_limits[o->spec.n_io_limits - 1], word, why) == -1)
			return -1;
	}
	o->spec.io_limits = o->io_limits;
	return 0;
}

int run_limits_take_cpus(void *to, const char *value, char *why)
{
	struct run_options *o = to;
	unsigned *cpus = NULL;

	if (values_cpus(value, &cpus, &o->spec.n_cpus, why) == -1)
		return -1;
	free(o->cpus);
	o->cpus = cpus;
	o->spec.cpus = cpus;
	return 0;
}

/* CLASS[:LEVEL] */
int run_limits_take_io_priority(void *to, const char *value, char *why)
{
	static const char *const names[] = { "realtime", "best-effort", "idle" };
	size_t len = strcspn(value, ":");
	int64_t level = 4;

	for (int i = 0; i < 3; i++) {
		if (strlen(names[i]) != len || strncmp(value, names[i], len) != 0)
			continue;
		if (value[len] == ':' && i == 2)
			return no(why, "idle has no levels");
		if (value[len] == ':' && values_number(value + len + 1, 0, 7, &level, why) == -1)
			return -1;
		spec(to)->set |= CARREL_SET_IO_PRIORITY;
		spec(to)->io_class = (carrel_io_class)(i + 1);
		spec(to)->io_level = i == 2 ? 0 : (int)level;
		return 0;
	}
	return no(why, "not of the form idle, best-effort[:0-7] or realtime[:0-7]");
}

int run_limits_take_oom_score_adj(void *to, const char *value, char *why)
{
	int64_t n = 0;

	if (values_number(value, -1000, 1000, &n, why) == -1)
		return -1;
	spec(to)->set |= CARREL_SET_OOM_SCORE_ADJ;
	spec(to)->oom_score_adj = (int)n;
	return 0;
}

int run_limits_are_on(const struct run_options *o)
{
	const carrel_spec *s = &o->spec;

	return s->memory > 0 || s->pids > 0 || s->cpu > 0 || s->n_io_limits > 0;
}

void run_limits_finish(struct run_options *o)
{
	for (size_t i = 0; i < CARREL_IO_LIMITS_MAX; i++)
		free(o->io_texts[i]);
	free(o->cpus);
}
