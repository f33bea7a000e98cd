/* What the attacker's two halves share: who is attacked (attacker.c) and what is tried
 * on them (reach.c). */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAX_LIST 16

/* What the harness says about the host and about the program that the victim becomes. */
struct knowledge {
	dev_t devices[MAX_LIST]; /* file systems that the container does not have */
	size_t n_devices;
	const char *namespaces[MAX_LIST]; /* of the host: "net:[4026531840]" */
	size_t n_namespaces;
	const char *secrets[MAX_LIST];
	size_t n_secrets;
	unsigned uid, gid, seccomp, nofile;
	unsigned long long caps;
	bool filter_may_come; /* the attacker may trace anything: the filter may still be missing */
};

struct target {
	pid_t pid;
	int pidfd;
	bool appeared;
	bool held;		 /* by ptrace: it did not stop, so it could not be let go */
	unsigned long long born; /* nanoseconds */
	unsigned next_way, attached;
	unsigned lost; /* bits: ways by which this one was lost */
};

struct way {
	const char *name;
	void (*attempt)(struct target *target, unsigned way);
};

/* Lets a held one go. False: not yet. */
bool reach_release(struct target *target);

extern const struct way ways[];
extern const size_t n_ways;
extern struct knowledge know;

/* The process has not executed anything since it was cloned: it is the runtime still. */
bool target_is_runtime(pid_t pid);

/* It has the ids, capabilities, limits and filter that the program will have. */
bool target_is_final(pid_t pid, char *ret_what, size_t size);

/* Says what was reached and counts it. */
void target_lose(struct target *target, unsigned way, const char *what);

/* One operation was tried, and the kernel let it happen. */
void count_attempt(bool granted);

#endif
