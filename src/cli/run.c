/* SPDX-License-Identifier: ISC */
#include "run.h"

#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int describe(const struct run_options *o)
{
	carrel_error e = { 0 };
	char *text = NULL;

	if (carrel_describe(&o->spec, o->form, &text, &e) == -1)
		return report_error(&e);
	fputs(text, stdout);
	free(text);
	return report_flush();
}

/* The operations up to the one that failed are what --verbose is for. */
static int spawn_failed(struct run *r, const carrel_error *e)
{
	carrel_event ev = { .size = sizeof(ev) };

	while (r->o->verbose && carrel_next(r->c, &ev, 0) == 1) {
		if (ev.kind == CARREL_OP)
			report_op(ev.data, ev.len);
	}
	return run_record_write(r, NULL, e, report_error(e));
}

/* Spawn, follow, and leave nothing behind. */
static int run_tree(struct run *r, const carrel_spec *s)
{
	const struct run_options *o = r->o;
	carrel_config cfg = { .size = sizeof(cfg), .no_cgroup = o->no_cgroup, .once = 1,
			      .embedded = carrel_control_main, .limits = run_limits_are_on(o) };
	carrel_caps caps = { .size = sizeof(caps) };
	carrel_error e = { 0 };
	carrel_spec spec = *s;

	run_streams_prepare(r, &spec, &cfg);
	if (run_copy_open(r) == -1)
		return EXIT_CARREL;
	r->c = carrel_open(&cfg, &e);
	if (r->c == NULL) {
		run_copy_close(r);
		return run_record_write(r, NULL, &e, report_error(&e));
	}
	r->p = carrel_spawn(r->c, &spec, &e);
	int status = r->p != NULL ? run_events(r) : spawn_failed(r, &e);
	if (carrel_probe(r->c, &caps) == -1)
		snprintf(caps.mechanism, sizeof(caps.mechanism), "a lost control process");
	if (run_copy_close(r) == -1 && status == 0)
		status = EXIT_CARREL;
	if (r->gone && o->verbose)
		report_end(&r->status);
	if (r->gone && o->stats)
		report_stats(&r->status, caps.mechanism);
	if (r->gone && o->stats && r->record.size > 0)
		report_record(&r->record);
	if (r->gone && r->record.size > 0)
		status = run_record_write(r, &r->record, NULL, status);
	carrel_close(r->c);
	return status;
}

/* One try.  *${again}: to be run again. */
static int run_once(struct run_options *o, const struct run_signals *signals, unsigned tries, int *again)
{
	struct run r = { .o = o, .signals = *signals };
	carrel_spec spec = o->spec;
	int status = run_policy_start(o, &spec);

	*again = 0;
	if (status != 0)
		return status;
	if (run_signals_init(&r.signals, o->shared) == -1) {
		report_line("cannot take over signals: %s", strerror(errno));
		return EXIT_CARREL;
	}
	status = run_tree(&r, &spec);
	status = run_policy_end(o, r.gone, status);
	run_signals_finish(&r.signals);
	/*
	 * A shell leaves its script or loop only when its child *died* of the ^C that both got; a
	 * status of 130 would say that the command took it as a key and chose to end.
	 */
	if (r.gone && r.failed == 0 && r.status.sig != 0 && r.status.sig == r.interrupt)
		run_signals_die(r.interrupt);
	*again = run_retry_wanted(&r, tries);
	if (*again)
		run_retry_wait(&r, tries);
	return status;
}

static int run(struct run_options *o, const struct run_signals *signals)
{
	unsigned tries = 0;
	int again = 0, status;

	do
		status = run_once(o, signals, ++tries, &again);
	while (again);
	return status;
}

/* What the caller ignores as nohup(1) and & in a script do it, the command does too. */
static void keep_ignored(struct run_options *o, struct run_signals *signals)
{
	static const int kept[] = { SIGHUP, SIGINT, SIGQUIT };

	run_signals_look(signals);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (sigismember(&signals->ignored, kept[i]))
			o->ignored[o->spec.n_keep_ignored++] = kept[i];
	}
	o->spec.keep_ignored = o->ignored;
}

int run_learning(int argc, char **argv, const char *learn)
{
	struct run_signals signals = { .fd = -1 };
	struct run_options o;
	int first;

	run_options_init(&o);
	o.policy.learn = learn;
	int status = options_read(&run_options_table, argc, argv, &o, &first);
	if (status == OPTIONS_GO_ON && o.help) {
		options_help(&run_options_table);
		status = report_flush();
	}
	if (status == OPTIONS_GO_ON)
		status = run_options_complete(&o, argv + first);
	if (status == OPTIONS_GO_ON) {
		keep_ignored(&o, &signals);
		status = o.describe ? describe(&o) : run(&o, &signals);
	}
	run_options_finish(&o);
	return status;
}

int cmd_run(int argc, char **argv)
{
	return run_learning(argc, argv, NULL);
}
