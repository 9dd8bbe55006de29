/* SPDX-License-Identifier: ISC */
/* carrel supervise: services from the command line or a file, until they have ended or are told to. */
#include "supervise.h"

#include "optfile.h"
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* So many events, and signals and who asks get their turn: a service may write without a pause. */
#define EVENTS_IN_A_ROW 256

/* ------------------------------------------------------------- options --- */

static int take_file(void *to, const char *value, char *why)
{
	(void)why;
	((struct supervise_options *)to)->file = value;
	return 0;
}

static int take_socket(void *to, const char *value, char *why)
{
	(void)why;
	((struct supervise_options *)to)->socket = value;
	return 0;
}

static int take_name(void *to, const char *value, char *why)
{
	if (*value == '\0' || strchr(value, '/') != NULL) {
		snprintf(why, VALUES_WHY, "not a name without a slash");
		return -1;
	}
	((struct supervise_options *)to)->name = value;
	return 0;
}

static int take_strategy(void *to, const char *value, char *why)
{
	static const char *const names[] = { "one-for-one", "one-for-all", "rest-for-one" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(names[i], value) == 0) {
			((struct supervise_options *)to)->strategy = (carrel_strategy)i;
			return 0;
		}
	}
	snprintf(why, VALUES_WHY, "not one of one-for-one, one-for-all and rest-for-one");
	return -1;
}

static int take_intensity(void *to, const char *value, char *why)
{
	return entry_limit(value, &((struct supervise_options *)to)->intensity, why);
}

static int take_seed(void *to, const char *value, char *why)
{
	int64_t n = 0;

	if (values_number(value, 1, UINT32_MAX, &n, why) == -1)
		return -1;
	((struct supervise_options *)to)->seed = (uint32_t)n;
	return 0;
}

/* -o 'WORD VALUE': as a line of every service. */
static int take_default(void *to, const char *value, char *why)
{
	struct supervise_options *o = to;
	struct word *more = realloc(o->defaults, (o->n_defaults + 1) * sizeof(*more));
	char *name = more != NULL ? strdup(value) : NULL;

	if (name == NULL) {
		snprintf(why, VALUES_WHY, "%s", strerror(ENOMEM));
		return -1;
	}
	o->defaults = more;
	char *rest = name + strcspn(name, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	more[o->n_defaults++] = (struct word){ name, rest + strspn(rest, " \t") };
	return 0;
}

#define FLAG(member) .flag = offsetof(struct supervise_options, member)

static const struct option_row rows[] = {
	{ .help = "Services" },
	{ 'f', "file", "FILE", "read them from FILE; SIGHUP reads it again", take_file, 0 },
	{ 'o', "option", "'WORD VALUE'", "a word for each of them, as in a file", take_default, 0 },
	{ 0, "check", NULL, "say what is wrong with them, and start none", NULL, FLAG(check) },

	{ .help = "Restarts" },
	{ 0, "strategy", "NAME", "one-for-one, one-for-all or rest-for-one", take_strategy, 0 },
	{ 0, "max-restarts", "N/TIME", "end everything after more than N in TIME", take_intensity, 0 },

	{ .help = "Control" },
	{ 0, "name", "NAME", "its name for carrel ctl (the file's, or default)", take_name, 0 },
	{ 0, "socket", "PATH", "where carrel ctl finds it", take_socket, 0 },
	{ 0, "no-socket", NULL, "nowhere", NULL, FLAG(no_socket) },

	{ .help = "Other" },
	{ 0, "json", NULL, "say what happens as JSON on standard output", NULL, FLAG(json) },
	{ 0, "seed", "N", "of the delays, for the same ones again", take_seed, 0 },
	{ 0, "stamp", NULL, "put the time (UTC) before each line of output", NULL, FLAG(stamp) },
	{ 'q', "quiet", NULL, "do not say what happens", NULL, FLAG(quiet) },
	{ 0, "no-cgroup", NULL, "do not use a cgroup", NULL, FLAG(no_cgroup) },
	{ 'h', "help", NULL, "print this", NULL, FLAG(help) },
};

const struct option_table supervise_options_table = {
	.verb = "supervise",
	.usage = "carrel supervise [options] NAME='SHELL TEXT'...\n"
		 "       carrel supervise [options] -f FILE",
	.about = "Keep services running.",
	.notes = "Exit status: 0 all have ended as they should, or were told to; 1 one was\n"
		 "given up; 125 carrel failed; 2 usage.  See carrel-supervise(1).",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};

/* ------------------------------------------------------------- entries --- */

struct entry *supervise_find(const struct supervise *s, const char *name)
{
	for (struct entry *e = s->first; e != NULL; e = e->next) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* Services as they are read. */
struct reading {
	const struct supervise_options *o;
	struct entry *first, **last, *at;
};

static struct entry *reading_add(struct reading *r, const char *where, const char *name, int *status)
{
	struct entry *e;

	for (e = r->first; e != NULL; e = e->next) {
		if (strcmp(e->name, name) == 0) {
			report_line("%s: there is a service %s already", where, name);
			*status = EXIT_USAGE;
			return NULL;
		}
	}
	e = entry_create(name);
	*status = e != NULL ? OPTIONS_GO_ON : EXIT_CARREL;
	if (e == NULL) {
		report_line("%s: %s", where, strerror(ENOMEM));
		return NULL;
	}
	*r->last = e;
	r->last = &e->next;
	for (size_t i = 0; i < r->o->n_defaults && *status == OPTIONS_GO_ON; i++)
		*status = entry_word(e, "-o", r->o->defaults[i].name, r->o->defaults[i].value);
	return e;
}

static int on_section(void *arg, const char *where, const char *name)
{
	struct reading *r = arg;
	int status;

	r->at = reading_add(r, where, name, &status);
	return status;
}

static int on_line(void *arg, const char *where, const char *name, const char *value)
{
	struct reading *r = arg;

	if (r->at != NULL)
		return entry_word(r->at, where, name, value);
	report_line("%s: %s stands before the first [name] of a service", where, name);
	return EXIT_USAGE;
}

static void entries_free(struct entry *e)
{
	while (e != NULL) {
		struct entry *next = e->next;

		entry_free(e);
		e = next;
	}
}

/* All services that there are to be: OPTIONS_GO_ON, or an exit status and none. */
static int read_entries(struct reading *r, char **words)
{
	const struct optfile file = { on_section, on_line, r };
	int status = OPTIONS_GO_ON;

	r->last = &r->first;
	if (r->o->file != NULL)
		status = optfile_read(&file, r->o->file);
	for (; status == OPTIONS_GO_ON && *words != NULL; words++) {
		const char *equals = strchr(*words, '=');
		char name[80];

		if (equals == NULL || equals == *words || equals - *words >= (ptrdiff_t)sizeof(name)) {
			status = report_usage("supervise", "\"%s\" is not of the form NAME=COMMAND", *words);
			break;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(equals - *words), *words);
		struct entry *e = reading_add(r, *words, name, &status);
		if (status == OPTIONS_GO_ON)
			status = entry_word(e, name, "shell", equals + 1);
	}
	for (struct entry *e = r->first; e != NULL && status == OPTIONS_GO_ON; e = e->next)
		status = entry_complete(e);
	if (status == OPTIONS_GO_ON && r->first == NULL)
		status = report_usage("supervise", "no service: carrel supervise NAME='SHELL TEXT' or -f FILE");
	if (status != OPTIONS_GO_ON) {
		entries_free(r->first);
		r->first = NULL;
	}
	return status;
}

/* -------------------------------------------------------------- saying --- */

void supervise_say(struct supervise *s, const char *format, ...)
{
	char text[700];
	va_list ap;

	if (s->o->quiet || s->o->json)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	report_line("%s", text);
}

static const char *time_text(uint64_t ms, char buf[32])
{
	snprintf(buf, 32, "%" PRIu64 ".%03u s", ms / 1000, (unsigned)(ms % 1000));
	return buf;
}

static void say_end(struct supervise *s, const char *name, const carrel_status *st)
{
	char how[40], sig[16], wall[32];

	if (st->sig != 0)
		snprintf(how, sizeof(how), "%s", values_signal_name(st->sig, sig));
	else
		snprintf(how, sizeof(how), "exit %d", st->code);
	supervise_say(s, "%s: ended (%s) after %s", name, how, time_text(st->wall_us / 1000, wall));
}

static void on_event(struct supervise *s, const carrel_supervise_event *ev)
{
	struct entry *e = ev->user;
	char delay[32];

	if (s->o->json)
		supervise_json_event(s, ev);
	switch (ev->kind) {
	case CARREL_SUP_STARTED:
		log_started(s, e);
		supervise_say(s, "%s: started (pid %ld)", ev->name, (long)ev->pid);
		break;
	case CARREL_SUP_READY:
		if (e->service.ready != CARREL_READY_AT_START)
			supervise_say(s, "%s: ready", ev->name);
		break;
	case CARREL_SUP_OUTPUT:
		if (ev->event->kind != CARREL_EOF)
			log_output(s, e, ev->event);
		else
			log_ended(s, e, ev->event->stream);
		break;
	case CARREL_SUP_UNHEALTHY:
		supervise_say(s, "%s: health check failed (%u of %d)", ev->name, ev->failures,
			      e->service.health_failures > 0 ? e->service.health_failures : 3);
		break;
	case CARREL_SUP_ENDED:
		say_end(s, ev->name, ev->event->status);
		break;
	case CARREL_SUP_NOT_STARTED:
		report_line("%s: %s", ev->name, carrel_strerror(ev->error));
		break;
	case CARREL_SUP_DELAYED:
		if (ev->delay_ms > 0)
			supervise_say(s, "%s: next start in %s", ev->name, time_text((uint64_t)ev->delay_ms, delay));
		break;
	case CARREL_SUP_FAILED:
		report_line("%s: given up: it was started too often", ev->name);
		s->failed = 1;
		break;
	case CARREL_SUP_OFF:
		break;
	case CARREL_SUP_LOST:
		report_line("the control process was lost; everything it ran was killed");
		s->lost = 1;
		break;
	}
}

/* -------------------------------------------------------------- reload --- */

/* The new one takes the place of one of the same name: what it has in hand goes with it. */
static void take_place(struct supervise *s, struct entry *old, struct entry *e)
{
	struct entry **at = &s->first;

	while (*at != old)
		at = &(*at)->next;
	if (old->log.path != NULL && e->log.path != NULL && strcmp(old->log.path, e->log.path) == 0) {
		struct rotate keep = old->log;

		keep.path = e->log.path;
		keep.limit = e->log.limit;
		keep.keep = e->log.keep;
		e->log = keep;
		old->log.fd = -1;
	}
	e->held = old->held;
	e->n_held = old->n_held;
	e->recent = old->recent;
	e->n_recent = old->n_recent;
	e->paused = old->paused;
	memcpy(e->begun, old->begun, sizeof(e->begun));
	old->held = old->recent = NULL;
	e->next = old->next;
	*at = e;
	if (s->last == &old->next)
		s->last = &e->next;
	entry_free(old);
}

static int apply(struct supervise *s, struct entry *e)
{
	struct entry *old = supervise_find(s, e->name);
	carrel_error err = { 0 };

	if (old != NULL && strcmp(old->words, e->words) == 0) {
		/* It may be there again before it has left. */
		if (old->leaving)
			carrel_supervise_start(s->s, old->name);
		old->leaving = 0;
		old->seen = 1;
		entry_free(e);
		return 0;
	}
	if (log_open(e) == -1 && (old == NULL || old->log.path == NULL || strcmp(old->log.path, e->log.path) != 0)) {
		entry_free(e);
		return -1;
	}
	int r = old != NULL ? carrel_supervise_replace(s->s, &e->service, &err)
			    : carrel_supervise_add(s->s, &e->service, &err);
	if (r == -1) {
		report_error(&err);
		entry_free(e);
		return -1;
	}
	supervise_say(s, "%s: %s", e->name, old != NULL ? "changed" : "new");
	e->seen = 1;
	if (old != NULL) {
		take_place(s, old, e);
	} else {
		*s->last = e;
		s->last = &e->next;
		e->next = NULL;
	}
	carrel_supervise_start(s->s, e->name);
	return 0;
}

/* All of them could be services together: nothing of what is there is touched. */
static int check_entries(struct supervise *s, const struct entry *first)
{
	carrel_error e = { 0 };
	carrel_supervisor *trial = carrel_supervise_open(s->c, NULL, &e);
	int r = trial != NULL ? 0 : -1;

	for (const struct entry *v = first; v != NULL && r == 0; v = v->next)
		r = carrel_supervise_add(trial, &v->service, &e);
	carrel_supervise_close(trial);
	if (r == -1)
		report_error(&e);
	return r;
}

int supervise_reload(struct supervise *s)
{
	struct reading r = { .o = s->o };
	int result = 0;

	if (s->o->file == NULL) {
		supervise_say(s, "there is no file to read again");
		return -1;
	}
	if (read_entries(&r, s->words) != OPTIONS_GO_ON || check_entries(s, r.first) == -1) {
		report_line("%s has an error: everything stays as it is", s->o->file);
		entries_free(r.first);
		return -1;
	}
	for (struct entry *e = s->first; e != NULL; e = e->next)
		e->seen = 0;
	for (struct entry *e = r.first, *next; e != NULL; e = next) {
		next = e->next;
		result |= apply(s, e);
	}
	for (struct entry *e = s->first; e != NULL; e = e->next) {
		if (!e->seen && !e->leaving) {
			supervise_say(s, "%s: is not in %s any more", e->name, s->o->file);
			carrel_supervise_stop(s->s, e->name);
			e->leaving = 1;
		}
	}
	return result;
}

/* Services that have left, once they do not run. */
static void bury(struct supervise *s)
{
	for (struct entry **at = &s->first; *at != NULL;) {
		struct entry *e = *at;

		if (!e->leaving || carrel_supervise_remove(s->s, e->name) == -1) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		if (s->last == &e->next)
			s->last = at;
		entry_free(e);
	}
}

/* ---------------------------------------------------------------- loop --- */

static void end_all(struct supervise *s, int sig)
{
	char name[16];

	s->stopping++;
	if (s->stopping == 1) {
		supervise_say(s, "%s: stopping everything", values_signal_name(sig, name));
		carrel_supervise_stop(s->s, NULL);
	}
}

static void handle_signals(struct supervise *s)
{
	struct run_signal sig;

	while (run_signals_next(&s->signals, &sig)) {
		if (sig.sig == SIGTERM || sig.sig == SIGINT || sig.sig == SIGQUIT)
			end_all(s, sig.sig);
		else if (sig.sig == SIGHUP && s->stopping == 0)
			supervise_reload(s);
		else if (sig.sig == SIGTSTP)
			run_signals_suspend(&s->signals, SIGTSTP);
	}
}

static int at_most(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Wait until something happens; not at all if ${more} is known to be there. */
static void wait_for_more(struct supervise *s, int more)
{
	struct pollfd fds[4 + 1 + CTL_CLIENTS] = {
		{ .fd = s->signals.fd, .events = POLLIN },
		{ .fd = carrel_supervise_fd(s->s), .events = POLLIN },
	};
	int timeout = carrel_supervise_timeout(s->s);

	for (int i = 0; i < 2; i++) {
		const struct sink *k = &s->sinks[i];

		fds[2 + i] = (struct pollfd){ .fd = s->sink[i] == k && sink_holds(k) > 0 ? k->port.fd : -1,
					      .events = POLLOUT };
	}
	if (s->retry_ms != 0)
		timeout = at_most(timeout, 200);
	if (more)
		timeout = 0;
	ctl_poll(s, fds + 4);
	poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
	ctl_ready(s, fds + 4);
}

static int wants_more(const struct supervise *s)
{
	if (s->lost || s->stopping > 1)
		return 0;
	/* With a socket somebody may still ask for one. */
	return carrel_supervise_busy(s->s) > 0 || sink_holds(s->sink[0]) > 0 || sink_holds(s->sink[1]) > 0;
}

static int loop(struct supervise *s)
{
	carrel_supervise_event ev = { .size = sizeof(ev) };
	int n = 0;

	do {
		handle_signals(s);
		for (int i = 0; i < EVENTS_IN_A_ROW && s->stopping < 2; i++) {
			n = carrel_supervise_next(s->s, &ev, 0);
			if (n != 1)
				break;
			on_event(s, &ev);
		}
		if (n == -1 && errno != EPIPE) {
			report_line("cannot go on: %s", strerror(errno));
			return EXIT_CARREL;
		}
		bury(s);
		ctl_settle(s);
		log_flush(s);
		if (wants_more(s))
			wait_for_more(s, n == 1);
	} while (wants_more(s));
	return s->lost || s->unwritten ? EXIT_CARREL : s->failed ? 1 : 0;
}

/* --------------------------------------------------------------- start --- */

static int start(struct supervise *s)
{
	carrel_config cfg = { .size = sizeof(cfg), .no_cgroup = s->o->no_cgroup, .embedded = carrel_control_main };
	carrel_supervise_config how = { .size = sizeof(how), .strategy = s->o->strategy,
					.intensity = s->o->intensity };
	carrel_error e = { 0 };

	while (s->o->seed == 0 && getrandom(&s->o->seed, sizeof(s->o->seed), 0) != -1)
		continue;
	how.seed = s->o->seed;

	s->c = carrel_open(&cfg, &e);
	s->s = s->c != NULL ? carrel_supervise_open(s->c, &how, &e) : NULL;
	if (s->s == NULL)
		return report_error(&e);
	for (struct entry *v = s->first; v != NULL; v = v->next) {
		if (carrel_supervise_add(s->s, &v->service, &e) == -1) {
			report_error(&e);
			return e.stage == CARREL_STAGE_ARGS ? EXIT_USAGE : EXIT_CARREL;
		}
	}
	if (s->o->check)
		return 0;
	for (struct entry *v = s->first; v != NULL; v = v->next) {
		if (log_open(v) == -1)
			return EXIT_CARREL;
	}
	if (ctl_open(s) == -1)
		return EXIT_CARREL;
	if (s->o->json)
		supervise_json_begin(s);
	carrel_supervise_start(s->s, NULL);
	return OPTIONS_GO_ON;
}

static int supervise(struct supervise_options *o, char **words)
{
	struct supervise s = { .o = o, .words = words, .listener = -1, .lock = -1 };
	struct reading r = { .o = o };
	int one = port_same(STDOUT_FILENO, STDERR_FILENO);

	int status = read_entries(&r, words);
	if (status != OPTIONS_GO_ON)
		return status;
	s.first = r.first;
	s.last = r.last == &r.first ? &s.first : r.last;
	sink_init(&s.sinks[0], STDOUT_FILENO);
	if (!one)
		sink_init(&s.sinks[1], STDERR_FILENO);
	s.sink[0] = &s.sinks[0];
	s.sink[1] = &s.sinks[one ? 0 : 1];
	run_signals_look(&s.signals);
	if (run_signals_init(&s.signals, 0) == -1) {
		report_line("cannot take over signals: %s", strerror(errno));
		status = EXIT_CARREL;
	}
	if (status == OPTIONS_GO_ON)
		status = start(&s);
	if (status == OPTIONS_GO_ON)
		status = loop(&s);
	carrel_supervise_close(s.s);
	carrel_close(s.c);
	ctl_close(&s);
	run_signals_finish(&s.signals);
	sink_finish(&s.sinks[0]);
	if (!one)
		sink_finish(&s.sinks[1]);
	entries_free(s.first);
	return status;
}

int cmd_supervise(int argc, char **argv)
{
	struct supervise_options o = { 0 };
	int first;

	int status = options_read(&supervise_options_table, argc, argv, &o, &first);
	if (status == OPTIONS_GO_ON && o.help) {
		options_help(&supervise_options_table);
		status = report_flush();
	}
	if (status == OPTIONS_GO_ON)
		status = supervise(&o, argv + first);
	for (size_t i = 0; i < o.n_defaults; i++)
		free(o.defaults[i].name);
	free(o.defaults);
	return status;
}
