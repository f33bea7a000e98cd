/* Theory of operation: a config is checked as it would be run, by preparing a launch: every
 * rule that run has is then one of check's, and stays so. What differs is the host, which is
 * the reference host of plans, and that an error does not end it (struct err_sink). */
#include "libcontainer/launch/launch.h"

#include <errno.h>

#include "base/log.h"

struct check {
	struct err_sink sink; /* first: take() is given its address */
	struct launch launch;
	struct arena *arena;
	struct spec_report *report;
};

static void
take_error(struct err_sink *sink, const struct err *err)
{
	struct check *k = (struct check *)sink;
	char text[ERR_MSG_MAX + 64];

	spec_report_add(k->arena, k->launch.spec, k->report, SPEC_ERROR, err_format(err, text, sizeof(text)));
}

static void
take_warning(void *arg, const char *msg)
{
	struct check *k = arg;

	if (k->launch.spec)
		spec_report_add(k->arena, k->launch.spec, k->report, SPEC_WARNING, msg);
}

int
container_check(const struct container_env *env, const struct container_create_options *options, struct err *err)
{
	struct check k = { .sink = { take_error }, .arena = env->arena, .report = options->report };
	struct container_create_options with_sink = *options;
	struct host host;
	int r;

	host_reference(true, &host);
	with_sink.sink = &k.sink;
	log_divert_warnings(take_warning, &k);
	r = launch_prepare(&k.launch, env, &with_sink, LAUNCH_PLAN, &host, err);
	log_divert_warnings(NULL, NULL);
	if (r < 0 && k.launch.spec)
		r = err_hand_over(&k.sink, err, r);
	else if (r == 0 && !k.launch.spec->process)
		spec_report_add(k.arena, k.launch.spec, k.report, SPEC_NOTE,
				"process: required to run a container or to start it, but the config has none");
	launch_close(&k.launch);
	return r < 0 ? r : 0;
}
