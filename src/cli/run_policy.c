/* SPDX-License-Identifier: ISC */
/* The options of carrel run that say which system calls the command may make. */
#include "policy.h"
#include "policy_report.h"
#include "report.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_policy_take(void *to, const char *value, char *why)
{
	if (*value == '\0') {
		snprintf(why, VALUES_WHY, "neither a preset nor a file");
		return -1;
	}
	((struct run_options *)to)->policy.name = value;
	return 0;
}

static int watches(const struct run_policy *p)
{
	return p->log || p->learn != NULL;
}

static int prints(const struct run_policy *p)
{
	return p->learn != NULL && strcmp(p->learn, "-") == 0;
}

/* What is known already is what is in the file that learns. */
static carrel_policy *load(const struct run_policy *p, carrel_error *e)
{
	if (p->learn == NULL)
		return policy_load(p->name != NULL ? p->name : "default", e);
	if (!prints(p) && access(p->learn, F_OK) == 0)
		return policy_load(p->learn, e);
	return carrel_policy_parse(policy_unlearned, p->learn, NULL, NULL, e);
}

/* The policy in a file becomes a filter; the presets are in the control process already. */
static int load_filter(struct run_options *o, carrel_error *e)
{
	struct run_policy *p = &o->policy;
	carrel_policy_mode mode = watches(p) ? CARREL_POLICY_ASK_REFUSED : CARREL_POLICY_ENFORCE;
	size_t len;

	p->policy = load(p, e);
	if (p->policy == NULL || carrel_policy_filter(p->policy, NULL, mode, &p->filter, &len, e) == -1)
		return -1;
	if (len == 0)
		o->spec.seccomp = "none";
	else
		o->spec.filter = p->filter, o->spec.filter_len = len, o->spec.filter_listens = watches(p);
	return 0;
}

int run_policy_complete(struct run_options *o)
{
	const struct run_policy *p = &o->policy;
	carrel_error e = { 0 };

	if (p->learn != NULL && (p->name != NULL || p->log))
		return report_usage(run_options_table.verb, "learning takes no --seccomp and no --seccomp-log");
	if (p->learn != NULL && o->retry != 0)
		return report_usage(run_options_table.verb, "learning takes no --retry: run it again with the same file");
	if (p->name == NULL && !watches(p))
		return OPTIONS_GO_ON;
	if (!watches(p) && policy_is_preset(p->name))
		o->spec.seccomp = p->name;
	else if (load_filter(o, &e) == -1)
		return report_error(&e);
	return OPTIONS_GO_ON;
}

int run_policy_start(struct run_options *o, carrel_spec *spec)
{
	if (!spec->filter_listens)
		return 0;
	if (policy_watch_start(&o->policy.watch) == -1) {
		report_line("cannot watch system calls: %s", strerror(errno));
		return EXIT_CARREL;
	}
	spec->filter_socket = o->policy.watch.socket;
	o->policy.learn_fd = prints(&o->policy) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;
	return 0;
}

/* 0, or an exit status after an error was reported. */
static int tell(const struct run_options *o)
{
	/* Where there was nothing to be asked about, nobody watched. */
	static const struct policy_calls nothing;
	const struct run_policy *p = &o->policy;
	const struct policy_calls *calls = p->watch.calls != NULL ? p->watch.calls : &nothing;
	const carrel_spec *s = &o->spec;

	if (p->learn == NULL) {
		policy_report(p->policy, calls);
		return 0;
	}
	return policy_learned(p->policy, calls, prints(p) ? NULL : p->learn, p->learn_fd,
			      s->shell != NULL ? s->shell : s->argv[0]);
}

int run_policy_end(struct run_options *o, int ran, int status)
{
	struct run_policy *p = &o->policy;

	if (!watches(p))
		return status;
	if (policy_watch_end(&p->watch) == -1) {
		report_line("the process that watched system calls was lost: what it counted is not all");
		status = EXIT_CARREL;
	}
	int r = ran ? tell(o) : 0;
	policy_watch_finish(&p->watch);
	return r != 0 ? r : status;
}

void run_policy_finish(struct run_policy *p)
{
	policy_watch_finish(&p->watch);
	carrel_policy_free(p->policy);
	free(p->filter);
}
