/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target over the files, and the files in the folders, that are given, so that what a
 * fuzzer once found is tried in every ordinary test run, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f == NULL || fstat(fileno(f), &st) == -1) {
		perror(path);
		return -1;
	}
	/* Memory that ends exactly behind the data, for the sanitizers. */
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size > 0 ? size : 1);
	if (data == NULL || fread(data, 1, size, f) != size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	/* Said before, so that the last one is known when the target ends the process. */
	fprintf(stderr, "%s (%zu bytes)\n", path, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

/* How many files were tried, or -1. */
static int replay(const char *path)
{
	char name[4096];
	struct stat st;
	struct dirent *entry;
	int n = 0;

	if (stat(path, &st) == -1) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	DIR *d = opendir(path);
	if (d == NULL) {
		perror(path);
		return -1;
	}
	while (n >= 0 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		int r = replay(name);
		n = r < 0 ? r : n + r;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	/* A run over nothing proves nothing. */
	return total == 0;
}
