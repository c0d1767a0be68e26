/* SPDX-License-Identifier: MIT */
/* Progress of long work, in place on a terminal: see cli/cli.h. */
#include <unistd.h>

#include "cli/cli.h"

#define WORTH_IT 1.0	/* seconds after which there is a line at all */
#define EACH	 0.1	/* seconds between two of them */

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void show(void *context, uint64_t done, uint64_t all)
{
	struct cli_progress *progress = context;
	double seconds = seconds_since(&progress->start);
	double rate = (double)done / seconds;

	if (seconds < WORTH_IT || (seconds_since(&progress->last) < EACH && done < all))
		return;
	if (done >= all && !progress->shown)	/* nobody waits any more */
		return;
	fprintf(stderr, "\r%s: %llu of %llu MiB, %.0f MiB/s", progress->what,
		(unsigned long long)done >> 20, (unsigned long long)all >> 20, rate / 1048576.0);
	if (all > done && done)
		fprintf(stderr, ", %.0f s left", (double)(all - done) / rate);
	fprintf(stderr, "\033[K");
	clock_gettime(CLOCK_MONOTONIC, &progress->last);
	progress->shown = true;
}

cli_progress_fn *cli_progress_start(struct cli_progress *progress, const char *what)
{
	*progress = (struct cli_progress){ .what = what };
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	return isatty(STDERR_FILENO) ? show : NULL;
}

void cli_progress_end(struct cli_progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
}
