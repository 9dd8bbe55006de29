/* SPDX-License-Identifier: ISC */
/* The texts of the presets, and of the groups. */
#include "policy.h"

#include <string.h>

#include "texts.inc"

static const struct {
	const char *name, *text;
} presets[] = { { "default", default_policy }, { "strict", strict_policy }, { "none", none_policy } };

#define N_PRESETS (sizeof(presets) / sizeof(presets[0]))

const char *policy_preset(const char *name, size_t len)
{
	for (size_t i = 0; i < N_PRESETS; i++) {
		if (strlen(presets[i].name) == len && memcmp(presets[i].name, name, len) == 0)
			return presets[i].text;
	}
	return NULL;
}

const char *policy_preset_name(size_t i)
{
	return i < N_PRESETS ? presets[i].name : NULL;
}
