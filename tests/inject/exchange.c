/* The attacker of races.bats on the file system: exchanges two names, again and
 * again, for some seconds.
 *
 *	exchange SECONDS A B
 *
 * Each exchange is one renameat2(2): there is no moment at which a name is
 * missing, only the other thing behind it. Prints how many exchanges were made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

int
main(int argc, char **argv)
{
	unsigned long n = 0;
	time_t end;

	if (argc != 4) {
		fprintf(stderr, "usage: exchange SECONDS A B\n");
		return 2;
	}
	end = now() + strtol(argv[1], NULL, 10);
	for (; n % 256 || now() < end; n++) {
		/* Something is mounted there at the moment. */
		if (syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) < 0 &&
		    errno != EBUSY) {
			fprintf(stderr, "exchange %s and %s: %s\n", argv[2], argv[3], strerror(errno));
			return 1;
		}
		/* Odd, so that both states last a while. */
		if (n % 15 == 0)
			usleep(20);
	}
	printf("%lu\n", n);
	return 0;
}
