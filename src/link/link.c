/* SPDX-License-Identifier: ISC */
#include "link.h"

#include "fd.h"
#include "sys.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static struct iovec iov_of(const void *p, size_t n)
{
	struct iovec iov = { .iov_len = n };

	memcpy(&iov.iov_base, &p, sizeof(p));
	return iov;
}

int link_send(int fd, enum message_type type, uint32_t id, const void *body, size_t len,
	      const int *fds, size_t n_fds, bool wait)
{
	unsigned char head[MESSAGE_HEAD_SIZE];
	struct message m = { .type = (uint16_t)type, .id = id, .body_len = (uint32_t)len };
	struct iovec iov[2] = { iov_of(head, sizeof(head)), iov_of(body, len) };
	int with_memory[MESSAGE_FDS_MAX + 1];

	if (len > MESSAGE_BODY_MAX || n_fds > MESSAGE_FDS_MAX)
		return -E2BIG;
	if (len <= MESSAGE_INLINE_MAX) {
		message_head_out(&m, head);
		return sys_send(fd, iov, 2, fds, n_fds, wait);
	}
	m.flags = MESSAGE_FLAG_MEMFD;
	message_head_out(&m, head);
	scoped_fd memory = sys_sealed_create(&iov[1], 1);
	if (memory < 0)
		return memory;
	with_memory[0] = memory;
	if (n_fds > 0)
		memcpy(with_memory + 1, fds, n_fds * sizeof(*fds));
	return sys_send(fd, iov, 1, with_memory, n_fds + 1, wait);
}

int link_recv(int fd, struct inbox *in, bool wait)
{
	size_t n_fds = MESSAGE_FDS_MAX + 1;
	ssize_t n = sys_recv(fd, in->datagram, sizeof(in->datagram), in->fd, &n_fds, NULL, wait);

	/* An empty datagram is no message, but may have brought descriptors. */
	if (n <= 0) {
		for (size_t i = 0; i < n_fds; i++)
			fd_close(in->fd[i]);
		if (n == -EMFILE && message_head_peek(in->datagram, &in->head) < 0)
			return -EBADMSG;
		return (int)n;
	}
	in->n_fds = n_fds;
	in->sealed = -1;
	in->map = NULL;
	in->body = in->datagram + MESSAGE_HEAD_SIZE;
	int r = message_head_in(in->datagram, (size_t)n, &in->head);
	if (r == 0 && in->head.flags & MESSAGE_FLAG_MEMFD) {
		if (n_fds == 0) {
			r = -EBADMSG;
		} else {
			in->sealed = in->fd[0];
			memmove(in->fd, in->fd + 1, --in->n_fds * sizeof(in->fd[0]));
			r = sys_sealed_map(in->sealed, in->head.body_len, &in->map);
			in->body = in->map;
		}
	}
	if (r == 0 && in->n_fds > MESSAGE_FDS_MAX)
		r = -EBADMSG;
	if (r == 0)
		return 1;
	link_release(in);
	return r;
}

int link_forward(int fd, const struct inbox *in, bool wait)
{
	int fds[MESSAGE_FDS_MAX + 1];
	size_t n = 0;
	size_t len = MESSAGE_HEAD_SIZE;

	if (in->sealed >= 0)
		fds[n++] = in->sealed;
	else
		len += in->head.body_len;
	if (in->n_fds > 0)
		memcpy(fds + n, in->fd, in->n_fds * sizeof(fds[0]));
	struct iovec iov = iov_of(in->datagram, len);
	return sys_send(fd, &iov, 1, fds, n + in->n_fds, wait);
}

void link_close_fds(struct inbox *in)
{
	for (size_t i = 0; i < in->n_fds; i++)
		in->fd[i] = fd_close(in->fd[i]);
	in->n_fds = 0;
}

void link_release(struct inbox *in)
{
	link_close_fds(in);
	if (in->map != NULL)
		munmap(in->map, in->head.body_len);
	in->map = NULL;
	in->sealed = fd_close(in->sealed);
}
