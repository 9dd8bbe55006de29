/* SPDX-License-Identifier: ISC */
#include "internal.h"

#include <string.h>

static const struct behaviour *const behaviours[] = {
	&behaviour_process,
	&behaviour_rootless,
	&behaviour_container,
	&behaviour_jail,
};

const struct behaviour *behaviour_of(const carrel_spec *s)
{
	for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		if (s->behaviour == NULL || strcmp(s->behaviour, behaviours[i]->name) == 0)
			return behaviours[i];
	}
	return NULL;
}
