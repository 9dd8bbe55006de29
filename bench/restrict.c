/* SPDX-License-Identifier: ISC */
/* restrict NOP: what Landlock rules and capabilities cost at the start of a command that does nothing. */
#include "measure.h"

#include <carrel.h>
#include <stdio.h>

#define ROUNDS 400
#define WARM 20

struct kind {
	const char *name;
	carrel_spec spec;
	struct samples took;
};

static void once(carrel *c, struct kind *k, int keep)
{
	carrel_event ev = { .size = sizeof(ev) };
	carrel_error e;
	double begin = now_us();

	if (carrel_spawn(c, &k->spec, &e) == NULL)
		die(carrel_strerror(&e));
	do {
		if (carrel_next(c, &ev, -1) != 1)
			die("carrel_next");
	} while (ev.kind != CARREL_GONE);
	carrel_release(ev.proc);
	if (keep)
		samples_add(&k->took, now_us() - begin);
}

static void compare(struct kind *k, size_t n)
{
	carrel_error e;
	carrel *c = carrel_open(NULL, &e);

	if (c == NULL)
		die(carrel_strerror(&e));
	for (int round = -WARM; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++)
			once(c, &k[i], round >= 0);
	}
	for (size_t i = 0; i < n; i++)
		row(k[i].name, "us", &k[i].took, i > 0 ? &k[0].took : NULL, NULL);
	for (size_t i = 0; i < n; i++)
		samples_finish(&k[i].took);
	carrel_close(c);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: restrict NOP\n");
		return 2;
	}
	const carrel_path here[] = { { argv[1], CARREL_READ | CARREL_EXECUTE }, { ".", CARREL_READ } };
	const carrel_path there[] = { { "/nop", CARREL_READ | CARREL_EXECUTE } };
	const carrel_bind shown[] = { { argv[1], "/nop", 0, 0, 0 } };
	const uint16_t ports[] = { 80, 443 };
#define PLAIN .size = sizeof(carrel_spec), .argv = CARREL_ARGV(argv[1])
#define INSIDE .size = sizeof(carrel_spec), .argv = CARREL_ARGV("/nop"), .behaviour = "rootless", .binds = shown, .n_binds = 1
	struct kind process[] = {
		{ .name = "process", .spec = { PLAIN } },
		{ .name = "process, two paths and the system", .spec = { PLAIN, .paths = here, .n_paths = 2 } },
		{ .name = "process, two paths, no system", .spec = { PLAIN, .paths = here, .n_paths = 2, .no_system = 1 } },
		{ .name = "process, two ports", .spec = { PLAIN, .connect_ports = ports, .n_connect_ports = 2 } },
		{ .name = "process, no capabilities", .spec = { PLAIN, .drop_caps = 1 } },
		{ .name = "process, all of these", .spec = { PLAIN, .paths = here, .n_paths = 2, .drop_caps = 1,
								     .connect_ports = ports, .n_connect_ports = 2 } },
	};
	struct kind rootless[] = {
		{ .name = "rootless", .spec = { INSIDE } },
		{ .name = "rootless, a path and the system", .spec = { INSIDE, .paths = there, .n_paths = 1 } },
		{ .name = "rootless, a capability", .spec = { INSIDE, .caps = UINT64_C(1) << 13 } },
	};

	title("Restrictions, on a handle");
	compare(process, sizeof(process) / sizeof(process[0]));
	compare(rootless, sizeof(rootless) / sizeof(rootless[0]));
	return 0;
}
