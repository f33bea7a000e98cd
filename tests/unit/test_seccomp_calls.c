/* The table of system calls: in order, and with the numbers of the libseccomp that is built against. */
#include "libcontainer/seccomp/seccomp_calls.h"

#include <seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "libcontainer/seccomp/seccomp.h"
#include "libcontainer/seccomp/seccomp_tables.h"
#include "tests/unit/check.h"

#define N_NUMBERS 1024

static void
test_order(void)
{
	struct seccomp_call call, before = { "", NULL }, found;
	unsigned n = 0;

	for (; seccomp_call_nth(n, &call); n++) {
		CHECK(strcmp(before.name, call.name) < 0, "'%s' after '%s'", call.name, before.name);
		CHECK(seccomp_call_find(call.name, &found) && found.row == call.row, "%s", call.name);
		before = call;
	}
	CHECK(n > 500, "%u", n);
	CHECK(!seccomp_call_find("", &found) && !seccomp_call_find("no_such_call", &found) &&
	      !seccomp_call_find("zzz", &found) && !seccomp_call_find("accept44", &found));
}

/* Which name was looked up before changes nothing. */
static void
test_after(void)
{
	struct seccomp_call call, before, found;

	for (unsigned i = 0; seccomp_call_nth(i, &before); i++)
		for (unsigned j = 0; seccomp_call_nth(j, &call); j++)
			CHECK(seccomp_call_find_after(call.name, &before, &found) && found.row == call.row &&
				      found.name == call.name,
			      "%s after %s", call.name, before.name);
	for (unsigned i = 0; seccomp_call_nth(i, &before); i++)
		CHECK(!seccomp_call_find_after("no_such_call", &before, &found), "after %s", before.name);
	before.row = NULL;
	CHECK(seccomp_call_find_after("read", &before, &found) && found.row);
	CHECK(seccomp_call_find_after("read", NULL, &found) && found.row);
}

static void
test_arches(void)
{
	for (const char *const *name = seccomp_known_archs(); *name; name++) {
		const struct seccomp_arch *arch = seccomp_arch_find(seccomp_arch_token(*name));

		CHECK(arch && strcmp(arch->name, *name) == 0, "%s", *name);
	}
	CHECK(!seccomp_arch_find(12345));
}

/* libseccomp gives some names as parts of socketcall(2) or ipc(2), below zero; the number of the call
 * itself it gives the other way round. */
static int64_t
direct_number(uint32_t token, const struct seccomp_arch *arch, const char *name)
{
	for (uint32_t i = 0; i < N_NUMBERS; i++) {
		char *found = seccomp_syscall_resolve_num_arch(token, (int)(arch->base + i));
		bool same = found && strcmp(found, name) == 0;

		free(found);
		if (same)
			return arch->base + i;
	}
	return -1;
}

static void
compare_number(uint32_t token, const struct seccomp_arch *arch, const struct seccomp_call *call)
{
	int theirs = seccomp_syscall_resolve_name_arch(token, call->name);
	int64_t own = seccomp_call_number(call, arch), multiplexer;
	uint32_t part = 0;

	if (theirs == __NR_SCMP_ERROR)
		return; /* newer than this libseccomp */
	multiplexer = seccomp_call_multiplexer(call, arch, &part);
	CHECK((multiplexer >= 0) == (theirs <= -100 && theirs >= -224 && arch->multiplexes), "%s %s", arch->name,
	      call->name);
	if (multiplexer >= 0) {
		CHECK(part == (uint32_t)-theirs % (theirs <= -200 ? 200 : 100), "%s %s: part %u", arch->name,
		      call->name, part);
		CHECK(multiplexer - arch->base == (theirs <= -200 ? 117 : 102), "%s %s", arch->name, call->name);
		theirs = (int)direct_number(token, arch, call->name);
	}
	/* Since libseccomp 2.6.0 x32 has it, as the kernel always had. */
	if (strcmp(call->name, "map_shadow_stack") == 0 && token == SCMP_ARCH_X32)
		return;
	CHECK(own == (theirs < 0 ? -1 : theirs), "%s %s: %lld, libseccomp %d", arch->name, call->name, (long long)own,
	      theirs);
}

static void
test_numbers(void)
{
	for (const char *const *name = seccomp_known_archs(); *name; name++) {
		uint32_t token = seccomp_arch_token(*name);
		const struct seccomp_arch *arch = seccomp_arch_find(token);
		struct seccomp_call call;

		for (unsigned i = 0; seccomp_call_nth(i, &call); i++)
			compare_number(token, arch, &call);
	}
}

/* Whatever libseccomp has a number for, the table has, unless libseccomp is newer. */
static void
test_complete(void)
{
	for (const char *const *known = seccomp_known_archs(); *known; known++) {
		uint32_t token = seccomp_arch_token(*known);
		const struct seccomp_arch *arch = seccomp_arch_find(token);

		for (uint32_t i = 0; i <= 471; i++) {
			char *name = seccomp_syscall_resolve_num_arch(token, (int)(arch->base + i));
			struct seccomp_call call;

			if (name)
				CHECK(seccomp_call_find(name, &call) && call.row &&
					      seccomp_call_number(&call, arch) == arch->base + i,
				      "%s %s %u", *known, name, i);
			free(name);
		}
	}
}

/* Calls that this libseccomp need not know. */
static void
test_newer(void)
{
	static const struct {
		const char *name;
		int number;
	} rows[] = { { "statmount", 457 },	   { "listmount", 458 },	{ "lsm_get_self_attr", 459 },
		     { "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
		     { "setxattrat", 463 },	   { "getxattrat", 464 },	{ "listxattrat", 465 },
		     { "removexattrat", 466 },	   { "open_tree_attr", 467 },	{ "file_getattr", 468 },
		     { "file_setattr", 469 },	   { "listns", 470 },		{ "rseq_slice_yield", 471 } };
	struct seccomp_call call;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		NEED(seccomp_call_find(rows[i].name, &call), "%s", rows[i].name);
		for (const char *const *name = seccomp_known_archs(); *name; name++) {
			const struct seccomp_arch *arch = seccomp_arch_find(seccomp_arch_token(*name));

			CHECK(seccomp_call_number(&call, arch) == arch->base + rows[i].number, "%s %s", *name,
			      rows[i].name);
		}
	}
	NEED(seccomp_call_find("uretprobe", &call));
	CHECK(seccomp_call_number(&call, seccomp_arch_find(SCMP_ARCH_X86_64)) == 335);
	CHECK(seccomp_call_number(&call, seccomp_arch_find(SCMP_ARCH_AARCH64)) == -1);
	NEED(seccomp_call_find("set_tls", &call));
	CHECK(seccomp_call_number(&call, seccomp_arch_find(SCMP_ARCH_ARM)) == 0xf0005);
	NEED(seccomp_call_find("getpid", &call));
	CHECK(seccomp_call_number(&call, seccomp_arch_find(seccomp_arch_native())) == SYS_getpid);
}

int
main(void)
{
	test_order();
	test_after();
	test_arches();
	test_numbers();
	test_complete();
	test_newer();
	return failed;
}
