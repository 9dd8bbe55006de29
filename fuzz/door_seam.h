/* SPDX-License-Identifier: ISC */
/*
 * Put in front of the port's files for fuzz_door.c: what would harm this machine, this process or the fuzzer, and
 * what waits, is done by the harness.  Pipes, sockets and epoll are real.
 */
#ifndef FUZZ_DOOR_SEAM_H
#define FUZZ_DOOR_SEAM_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int fuzz_poll(struct pollfd *fd, nfds_t n, int timeout);
ssize_t fuzz_read(int fd, void *data, size_t n);
int fuzz_close(int fd);
int fuzz_dup2(int fd, int to);
int fuzz_pipe2(int fd[2], int flags);
int fuzz_socketpair(int domain, int type, int protocol, int fd[2]);
pid_t fuzz_waitpid(pid_t pid, int *status, int options);
int fuzz_kill(pid_t pid, int sig);
_Noreturn void fuzz_exit(int status);
int fuzz_exec(void);
int fuzz_getrlimit(int what, struct rlimit *limit);
int fuzz_setrlimit(int what, const struct rlimit *limit);

#define poll(...) fuzz_poll(__VA_ARGS__)
#define read(...) fuzz_read(__VA_ARGS__)
#define close(...) fuzz_close(__VA_ARGS__)
#define dup2(...) fuzz_dup2(__VA_ARGS__)
#define pipe2(...) fuzz_pipe2(__VA_ARGS__)
#define socketpair(...) fuzz_socketpair(__VA_ARGS__)
#define waitpid(...) fuzz_waitpid(__VA_ARGS__)
#define kill(...) fuzz_kill(__VA_ARGS__)
#define exit(...) fuzz_exit(__VA_ARGS__)
#define _exit(...) fuzz_exit(__VA_ARGS__)
#define execve(path, argv, env) ((void)(path), (void)(argv), (void)(env), fuzz_exec())
#define fexecve(fd, argv, env) ((void)(fd), (void)(argv), (void)(env), fuzz_exec())
#define getrlimit(what, limit) fuzz_getrlimit((int)(what), limit)
#define setrlimit(what, limit) fuzz_setrlimit((int)(what), limit)
#define signal(sig, handler) ((void)(sig), (void)(handler), SIG_DFL)
/* close_range(2) would not ask fuzz_close(). */
#define syscall(...) (-1)

#endif
