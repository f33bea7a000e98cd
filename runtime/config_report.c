/* The report on a config as text, and the hint for a bundle that has none yet. */
#include "runtime/config_report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/printable.h"
#include "runtime/text.h"

char *
config_file_name(struct arena *a, const char *bundle, const char *config)
{
	char *absolute, *name;

	if (config)
		return arena_strdup(a, config);
	absolute = realpath(bundle ? bundle : ".", NULL);
	name = arena_printf(a, "%s/config.json", absolute ? absolute : bundle);
	free(absolute);
	return name;
}

int
config_report_missing(struct arena *a, const char *bundle, const char *config, int code, struct err *err)
{
	char before[ERR_MSG_MAX + 256];

	if (code != -ENOENT || config || access(bundle, X_OK) < 0 ||
	    access(arena_printf(a, "%s/config.json", bundle), F_OK) == 0 || errno != ENOENT)
		return code;
	err_format(err, before, sizeof(before));
	err_plain(err, "%s (knarr spec --bundle %s writes one)", before, bundle);
	return code;
}

const char *
config_report_text(struct arena *a, const char *file, const struct spec_report *report, enum spec_severity least)
{
	struct text t = { .arena = a };
	size_t n_errors = 0;

	for (size_t i = 0; i < report->n; i++) {
		const struct spec_issue *issue = &report->items[i];

		n_errors += issue->severity == SPEC_ERROR;
		if (issue->severity <= least)
			text_add(&t, "%s%s", t.len ? "\n" : "", printable_text(a, spec_issue_format(a, file, issue)));
	}
	if (n_errors < report->n_errors)
		text_add(&t, "%s%s: %zu more errors", t.len ? "\n" : "", printable_text(a, file),
			 report->n_errors - n_errors);
	return text_get(&t);
}
