/* SPDX-License-Identifier: ISC */
/*
 * host [-n] COMMAND [ARG...]: a host with an ordinary handle (nursery, spare reaper): runs the command
 * with its own standard streams and ends as it did; 125 when that cannot be said. -n: without a
 * cgroup. -p: prints the pids of guard, supervisor, nursery and task first. -k N: N commands at once.
 * -o FILE: the operations of the file, in place of a command. -b NAME: a behaviour.
 * -l: with limits and a record. 66: a descriptor is left when the handle is closed.
 */
#include <carrel.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
	fputs("usage: host [-lnp] [-b BEHAVIOUR] [-k N] COMMAND [ARG...] | -o FILE\n", stderr);
	return 2;
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static char *slurp(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "re");
	size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = 0;
	if (f != NULL)
		fclose(f);
	return n > 0 ? text : NULL;
}

static int finish(carrel *c, int n)
{
	carrel_event ev = { .size = sizeof(ev) };
	int status = 125;

	while (n > 0 && carrel_next(c, &ev, -1) == 1) {
		if (ev.kind == CARREL_LOST)
			break;
		if (ev.kind != CARREL_GONE)
			continue;
		n--;
		status = ev.status->exited ? ev.status->code : 128 + ev.status->sig;
	}
	return status;
}

int main(int argc, char **argv)
{
	carrel_config cfg = { .size = sizeof(cfg) };
	carrel_caps caps = { .size = sizeof(caps) };
	carrel_error e;
	const char *ops = NULL, *behaviour = NULL;
	int opt, print = 0, n = 1, limits = 0, before = open_descriptors();

	while ((opt = getopt(argc, argv, "+lnpb:k:o:")) != -1) {
		if (opt == 'n')
			cfg.no_cgroup = 1;
		else if (opt == 'l')
			limits = 1;
		else if (opt == 'p')
			print = 1;
		else if (opt == 'b')
			behaviour = optarg;
		else if (opt == 'k')
			n = atoi(optarg);
		else if (opt != 'o' || (ops = slurp(optarg)) == NULL)
			return usage();
	}
	if ((optind == argc) != (ops != NULL) || n < 1)
		return usage();
	const char **words = calloc((size_t)(argc - optind) + 1, sizeof(*words));
	carrel *c = carrel_open(&cfg, &e);
	if (words == NULL || c == NULL || carrel_probe(c, &caps) < 0) {
		fprintf(stderr, "host: %s\n", carrel_strerror(&e));
		free(words);
		return 125;
	}
	memcpy(words, argv + optind, (size_t)(argc - optind) * sizeof(*words));
	for (int i = 0; i < n; i++) {
		carrel_proc *p = carrel_spawn(c, CARREL_SPEC(.argv = ops == NULL ? words : NULL, .ops = ops, .behaviour = behaviour,
							     .in.kind = CARREL_INHERIT,
							     .out.kind = CARREL_INHERIT,
							     .err.kind = CARREL_INHERIT,
							     .memory = limits ? UINT64_C(2) << 30 : 0,
							     .pids = limits ? 1000 : 0, .record = limits,
							     .session = behaviour == NULL ? CARREL_SESSION_OWN :
											    CARREL_SESSION_AUTO), &e);

		if (p == NULL) {
			fprintf(stderr, "host: %s\n", carrel_strerror(&e));
			carrel_close(c);
			free(words);
			return 125;
		}
		if (print)
			printf("%d %d %d %d\n", caps.guard, caps.supervisor, caps.nursery, carrel_pid(p));
	}
	fflush(stdout);
	int status = finish(c, n);
	carrel_close(c);
	free(words);
	if (open_descriptors() != before) {
		fputs("host: a descriptor is left\n", stderr);
		return 66;
	}
	return status;
}
