/* The attacker of races.bats in a pid namespace: looks for processes of the
 * runtime and tries to open what leads out of them.
 *
 *	watch SECONDS
 *
 * A process is the runtime's while its name begins with "knarr". Prints each
 * thing that could be opened, and at the end how many processes were seen. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The name is asked for again afterwards: in between the process may have become
 * the container's program, which may be opened. */
static int
is_runtime(const char *pid)
{
	char path[64], name[32] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	n = read(fd, name, sizeof(name) - 1);
	close(fd);
	return n > 0 && strncmp(name, "knarr", 5) == 0;
}

static void
attack(const char *pid)
{
	/* The directory fd opens for root; what is in it must not. */
	static const struct {
		const char *file;
		int flags;
	} ways[] = {
		{ "exe", O_RDONLY },	 { "mem", O_RDWR },    { "root", O_PATH }, { "cwd", O_PATH },
		{ "fd/0", O_PATH },	 { "fd/3", O_PATH },   { "fd/4", O_PATH }, { "fd/5", O_PATH },
		{ "fd/6", O_PATH },	 { "fd/7", O_PATH },   { "fd/8", O_PATH }, { "fd/9", O_PATH },
		{ "environ", O_RDONLY }, { "maps", O_RDONLY },
	};
	char path[PATH_MAX], buf[1];

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int fd, readable;

		snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, ways[i].file);
		fd = open(path, ways[i].flags | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* environ and maps may open and then be empty. */
		readable = strcmp(ways[i].file, "environ") && strcmp(ways[i].file, "maps") ? 1 : read(fd, buf, 1) > 0;
		if (readable && is_runtime(pid))
			printf("opened %s of pid %s\n", ways[i].file, pid);
		close(fd);
	}
}

int
main(int argc, char **argv)
{
	unsigned long seen = 0;
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 1);

	do {
		DIR *proc = opendir("/proc");
		struct dirent *e;

		while (proc && (e = readdir(proc)))
			if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_runtime(e->d_name)) {
				attack(e->d_name);
				seen++;
			}
		if (proc)
			closedir(proc);
	} while (time(NULL) < end);
	printf("seen %lu\n", seen);
	return 0;
}
