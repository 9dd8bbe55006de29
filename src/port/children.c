/* SPDX-License-Identifier: ISC */
/* The child table. */
#include "port.h"

#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Beyond so many children a look at each of them costs more than the kernel's set. */
#define MANY 16

/* Buffers that children hold. */
static size_t held_count;

int held_append(struct held *h, const void *data, size_t len)
{
	if (len > h->cap - h->len) {
		size_t cap = h->len + len < 4096 ? 4096 : 2 * (h->len + len);
		unsigned char *more = realloc(h->data, cap);

		if (more == NULL)
			return -ENOMEM;
		held_count += h->data == NULL;
		h->data = more;
		h->cap = cap;
	}
	if (len > 0)
		memcpy(h->data + h->len, data, len);
	h->len += len;
	return 0;
}

void held_shift(struct held *h, size_t n)
{
	h->len -= n;
	memmove(h->data, h->data + n, h->len);
}

void held_free(struct held *h)
{
	if (h->data == NULL)
		return;
	free(h->data);
	held_count--;
	*h = (struct held){ 0 };
}

static struct child *slot_of(const struct port *p, const void *value)
{
	return value != NULL ? &p->children.slot[(uintptr_t)value - 1] : NULL;
}

static void *slot_value(unsigned slot)
{
	return (void *)((uintptr_t)slot + 1);
}

struct child *child_find(const struct port *p, uint32_t pid)
{
	return slot_of(p, map_get(&p->children.by_pid, pid));
}

struct child *child_each(const struct port *p, unsigned *i)
{
	while (*i < p->children.cap) {
		struct child *c = &p->children.slot[(*i)++];

		if (c->pid != 0)
			return c;
	}
	return NULL;
}

int child_reserve(struct port *p, int highest)
{
	struct children *all = &p->children;

	/* The pid is not known yet: make room for any. */
	if (map_put(&all->by_pid, 0, all) < 0)
		return -ENOMEM;
	map_remove(&all->by_pid, 0);
	if (watch_reserve(&p->watch, highest) < 0)
		return -ENOMEM;
	if (all->count < all->cap)
		return 0;
	unsigned cap = all->cap == 0 ? 8 : 2 * all->cap;
	struct child *more = realloc(all->slot, cap * sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	memset(more + all->cap, 0, (cap - all->cap) * sizeof(*more));
	all->slot = more;
	all->cap = cap;
	return 0;
}

static void own(struct port *p, unsigned slot)
{
	const struct child *c = &p->children.slot[slot];
	const int fd[] = { c->ctl, c->in, c->out, c->err };
	const enum role role[] = { ROLE_CTL, ROLE_IN, ROLE_OUT, ROLE_ERR };

	for (int i = 0; i < 4; i++)
		watch_own(&p->watch, fd[i], slot, role[i]);
}

void child_add(struct port *p, const struct child *c)
{
	struct children *all = &p->children;
	unsigned slot = all->first_free;

	while (all->slot[slot].pid != 0)
		slot++;
	all->slot[slot] = *c;
	all->first_free = slot + 1;
	map_put(&all->by_pid, (uint32_t)c->pid, slot_value(slot));
	own(p, slot);
	child_watch(p, &all->slot[slot]);
	if (++all->count > MANY && p->watch.set == -1) {
		watch_many(&p->watch);
		low_open(p);
	}
}

void child_watch(struct port *p, const struct child *c)
{
	bool may_read = c->ctl != CTL_EXEC || c->flow != 0;

	watch_want(&p->watch, c->ctl, POLLIN);
	watch_want(&p->watch, c->in, c->queue.len > 0 ? POLLOUT : 0);
	watch_want(&p->watch, c->out, may_read ? POLLIN : 0);
	watch_want(&p->watch, c->err, may_read ? POLLIN : 0);
}

void child_close(struct port *p, int *fd, int left)
{
	watch_drop(&p->watch, *fd);
	fd_close(*fd);
	*fd = left;
}

void child_closed(struct port *p, int fd)
{
	const struct watched *f = watch_find(&p->watch, fd);

	if (f == NULL)
		return;
	struct child *c = &p->children.slot[f->slot];
	int *field[] = { [ROLE_CTL] = &c->ctl, [ROLE_IN] = &c->in, [ROLE_OUT] = &c->out,
			 [ROLE_ERR] = &c->err };
	*field[f->role] = f->role == ROLE_CTL ? CTL_LOST : -1;
	if (f->role == ROLE_IN)
		held_free(&c->queue);
	watch_drop(&p->watch, fd);
}

void child_free(struct port *p, struct child *c)
{
	struct children *all = &p->children;
	unsigned slot = (unsigned)(c - all->slot);

	child_close(p, &c->ctl, CTL_LOST);
	child_close(p, &c->in, -1);
	child_close(p, &c->out, -1);
	child_close(p, &c->err, -1);
	held_free(&c->partial);
	held_free(&c->queue);
	map_remove(&all->by_pid, (uint32_t)c->pid);
	c->pid = 0;
	if (slot < all->first_free)
		all->first_free = slot;
	if (--all->count == 0) {
		watch_few(&p->watch);
		low_close(p);
	}
}

void children_forget(struct port *p, int end)
{
	struct children *all = &p->children;
	struct child *c;

	for (unsigned i = 0; held_count > 0 && (c = child_each(p, &i)) != NULL;) {
		held_free(&c->partial);
		held_free(&c->queue);
	}
	free(all->slot);
	map_finish(&all->by_pid);
	*all = (struct children){ 0 };
	watch_forget(&p->watch, end);
}
