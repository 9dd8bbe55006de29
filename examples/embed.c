/* SPDX-License-Identifier: ISC */
/*
 * embed COMMAND [ARG...]: one static file that needs nothing installed: carrel-control is inside.
 *
 * The linker put the program's bytes between two symbols (control.S).  They go into a memory file, and the
 * library is given its name in /proc.  It has to be the name under our own pid: the new process closes what it
 * inherited before it executes the file, so /proc/self/fd would be empty there.
 *
 * Where this cannot work, say so and fall back: /proc is not mounted or of another pid namespace, this process
 * may not be looked at (prctl(PR_SET_DUMPABLE, 0), set-user-ID), or the system executes no memory files
 * (sysctl vm.memfd_noexec=2).  A file in a folder of your own does then.
 */
#include <carrel.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

extern const unsigned char control_begin[], control_end[];

/* The descriptor of a sealed memory file with the control process, or -1. */
static int control_file(void)
{
	/* Kernels before 6.3 do not know MFD_EXEC and need none. */
	int fd = memfd_create("carrel-control", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd == -1)
		fd = memfd_create("carrel-control", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	for (const unsigned char *at = control_begin; fd != -1 && at < control_end;) {
		ssize_t n = write(fd, at, (size_t)(control_end - at));

		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += n;
	}
	if (fd != -1)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return fd;
}

/* As carrel_open(), with the control process inside this program. */
static carrel *open_embedded(carrel_error *e)
{
	carrel_config cfg = { .size = sizeof(cfg) };
	char path[64];
	int fd = control_file();

	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fd);
	if (fd != -1 && access(path, X_OK) == 0)
		cfg.helper = path;
	carrel *c = carrel_open(&cfg, e);
	/* A handle starts one control process and keeps it: the file is not needed again. */
	if (fd != -1)
		close(fd);
	return c;
}

int main(int argc, char **argv)
{
	carrel_result r;
	carrel_error e;
	carrel *c;

	if (argc < 2)
		return fprintf(stderr, "usage: embed COMMAND [ARG...]\n"), 2;
	c = open_embedded(&e);
	if (c == NULL || carrel_run(c, CARREL_SPEC(.argv = (const char *const *)argv + 1), &r, &e) == -1) {
		fprintf(stderr, "%s\n", carrel_strerror(&e));
		carrel_close(c);
		return 125;
	}
	fwrite(r.out, 1, r.out_len, stdout);
	int status = r.status.exited ? r.status.code : 128 + r.status.sig;
	carrel_result_free(&r);
	carrel_close(c);
	return status;
}
