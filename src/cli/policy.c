/* SPDX-License-Identifier: ISC */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)

int policy_is_preset(const char *name)
{
	for (size_t i = 0; carrel_policy_preset(i) != NULL; i++) {
		if (strcmp(name, carrel_policy_preset(i)) == 0)
			return 1;
	}
	return 0;
}

/* All of ${fd}: text to be freed, or NULL with errno. */
static char *read_text(int fd)
{
	char *text = malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text != NULL && len <= FILE_MAX && n != 0) {
		n = read(fd, text + len, FILE_MAX + 1 - len);
		if (n == -1 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL && (n == -1 || len > FILE_MAX || memchr(text, 0, len) != NULL)) {
		free(text);
		errno = n == -1 ? errno : len > FILE_MAX ? EFBIG : EILSEQ;
		return NULL;
	}
	if (text != NULL)
		text[len] = '\0';
	return text;
}

static char *read_file(const char *path, char *why, size_t size)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd != -1 ? read_text(fd) : NULL;
	int err = errno;

	if (fd > STDIN_FILENO)
		close(fd);
	if (text == NULL)
		snprintf(why, size, "%s", err == EILSEQ ? "it is not text" : err == EFBIG ? "it is longer than 1 MiB" :
										     strerror(err));
	return text;
}

static char *include_file(void *arg, const char *name, char *why, size_t size)
{
	(void)arg;
	return read_file(name, why, size);
}

carrel_policy *policy_load(const char *name, carrel_error *e)
{
	char why[100];

	if (policy_is_preset(name))
		return carrel_policy_parse(carrel_policy_text(name), name, NULL, NULL, e);
	char *text = read_file(name, why, sizeof(why));
	if (text == NULL) {
		*e = (carrel_error){ .stage = CARREL_STAGE_FILE, .err = EINVAL, .index = -1 };
		snprintf(e->msg, sizeof(e->msg), "cannot read the policy %.60s: %s%s", name, why,
			 strchr(name, '/') == NULL ? " (the presets are default, strict and none)" : "");
		return NULL;
	}
	carrel_policy *p = carrel_policy_parse(text, strcmp(name, "-") == 0 ? "standard input" : name, include_file,
					       NULL, e);
	free(text);
	return p;
}
