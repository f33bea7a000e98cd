/* A process of a config to start from, for the tests of credentials: what a config
 * without any of the properties gives, to be changed before compile(). */
#ifndef KNARR_TESTS_UNIT_CREDENTIALS_FIXTURE_H
#define KNARR_TESTS_UNIT_CREDENTIALS_FIXTURE_H

#include <string.h>

#include "libcontainer/process/credentials.h"
#include "tests/unit/check.h"
#include "tests/unit/log_capture.h"

#define CAP(n) ((uint64_t)1 << (n))
enum { CHOWN = 0, KILL = 5, SETUID = 7, NET_BIND = 10, SYS_CHROOT = 18, SYS_ADMIN = 21, SYS_RESOURCE = 24 };

struct fixture {
	struct arena arena;
	struct spec spec;
	struct spec_process process;
	struct spec_capabilities capabilities;
	struct host host;
	struct plan_builder builder;
	struct err err;
	struct plan *plan;
};

static inline void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->spec.process = &f->process;
	f->process.cwd = (char *)"/";
	f->process.capabilities = &f->capabilities;
	host_reference(true, &f->host);
	plan_begin(&f->builder, &f->arena);
	err_clear(&f->err);
	log_captured[0] = '\0';
}

static inline void
fixture_free(struct fixture *f)
{
	plan_free(f->plan);
	arena_free(&f->arena);
}

static inline int
compile(struct fixture *f)
{
	int r = credentials_plan_limits(&f->builder, &f->spec, &f->host, &f->err);

	if (r == 0)
		r = credentials_plan(&f->builder, &f->spec, &f->host, &f->err);
	return r < 0 ? r : plan_seal(&f->builder, &f->err, &f->plan);
}

static inline const struct plan_step *
find(const struct fixture *f, enum plan_kind kind)
{
	for (uint32_t i = 0; f->plan && i < f->plan->n_steps; i++)
		if (f->plan->steps[i].kind == kind)
			return &f->plan->steps[i];
	return NULL;
}

#endif
