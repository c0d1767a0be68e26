/* SPDX-License-Identifier: MIT */
/* All the user space of the tiny Linux: says that it is there, and sleeps. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	int console = open("/dev/console", O_WRONLY);

	if (console >= 0)
		write(console, "tiny is up\n", 11);
	for (;;)
		pause();
}
