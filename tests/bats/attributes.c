/* A program of spec_attributes.bats: prints what the kernel says of the attributes
 * of its own process, a line each, and makes no other process. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_BITS (8 * sizeof(unsigned long))

struct scheduler_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void
print_list(const char *name, const unsigned long *mask, size_t bits)
{
	printf("%s", name);
	for (size_t i = 0; i < bits; i++)
		if (mask[i / LONG_BITS] & 1UL << i % LONG_BITS)
			printf(" %zu", i);
	printf("\n");
}

int
main(void)
{
	struct scheduler_attr a = { 0 };
	unsigned long mask[32768 / LONG_BITS];
	int mode = -1;

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0)
		return 1;
	printf("scheduler %u nice %d priority %u flags %#llx\n", a.policy, a.nice, a.priority,
	       (unsigned long long)a.flags);
	printf("deadline %llu %llu %llu\n", (unsigned long long)a.runtime, (unsigned long long)a.deadline,
	       (unsigned long long)a.period);
	printf("io %lx\n", syscall(SYS_ioprio_get, 1, 0));
	printf("personality %#x\n", (unsigned)personality(0xffffffff));
	memset(mask, 0, sizeof(mask));
	if (syscall(SYS_get_mempolicy, &mode, mask, 32768UL, NULL, 0UL) < 0)
		printf("memory errno %d\n", errno);
	printf("memory %#x", mode);
	print_list("", mask, 32768);
	memset(mask, 0, sizeof(mask));
	if (syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) < 0)
		return 1;
	print_list("cpus", mask, 32768);
	return 0;
}
