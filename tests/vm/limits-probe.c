/* What the programs of limits-cases.bash cannot say in shell: takes memory page by
 * page, huge pages, and contexts and objects of an RDMA device. Prints how far it came.
 *
 *   limits-probe memory MIB | huge PAGES | contexts N | objects N */
#include <fcntl.h>
#include <rdma/ib_user_verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
take_pages(size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED) {
		printf("refused\n");
		return 3;
	}
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	printf("taken\n");
	return 0;
}

/* A command of the device's first interface: header, body, answer. */
static int
verbs_command(int fd, unsigned command, void *body, size_t body_size, size_t answer_size)
{
	char buf[256];
	struct ib_uverbs_cmd_hdr header = {
		.command = command,
		.in_words = (unsigned short)((sizeof(header) + body_size) / 4),
		.out_words = (unsigned short)(answer_size / 4),
	};

	memcpy(buf, &header, sizeof(header));
	memcpy(buf + sizeof(header), body, body_size);
	return write(fd, buf, sizeof(header) + body_size) < 0 ? -1 : 0;
}

static int
open_context(void)
{
	struct ib_uverbs_get_context_resp answer;
	struct ib_uverbs_get_context body = { .response = (unsigned long)&answer };
	int fd = open("/dev/infiniband/uverbs0", O_RDWR);

	if (fd < 0) {
		perror("uverbs0");
		exit(2);
	}
	return verbs_command(fd, IB_USER_VERBS_CMD_GET_CONTEXT, &body, sizeof(body), sizeof(answer)) < 0 ? -1 : fd;
}

static int
alloc_domain(int fd)
{
	struct ib_uverbs_alloc_pd_resp answer;
	struct ib_uverbs_alloc_pd body = { .response = (unsigned long)&answer };

	return verbs_command(fd, IB_USER_VERBS_CMD_ALLOC_PD, &body, sizeof(body), sizeof(answer));
}

/* How many of n there are, up to the first that is refused. */
static int
count_rdma(int n, int objects)
{
	int fd = objects ? open_context() : -1, i = 0;

	while (i < n && (objects ? alloc_domain(fd) : open_context()) >= 0)
		i++;
	printf("had %d\n", i);
	return 0;
}

int
main(int argc, char **argv)
{
	size_t n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc == 3 && !strcmp(argv[1], "memory"))
		return take_pages(n << 20, 0);
	if (argc == 3 && !strcmp(argv[1], "huge"))
		return take_pages(n << 21, MAP_HUGETLB);
	if (argc == 3 && !strcmp(argv[1], "contexts"))
		return count_rdma((int)n, 0);
	if (argc == 3 && !strcmp(argv[1], "objects"))
		return count_rdma((int)n, 1);
	return 2;
}
