/* What is wrong with a config, as lines for people. */
#ifndef KNARR_RUNTIME_CONFIG_REPORT_H
#define KNARR_RUNTIME_CONFIG_REPORT_H

#include "base/arena.h"
#include "oci-spec/spec.h"

/* Name of the config in messages, as spec_load() has it, in a. */
char *config_file_name(struct arena *a, const char *bundle, const char *config);

/* After a failure code: if the directory `bundle` exists and its config.json does not, err
 * also says how to write one. Returns code. */
int config_report_missing(struct arena *a, const char *bundle, const char *config, int code, struct err *err);

/* The issues down to least (SPEC_ERROR: only errors), one per line, no newline at
 * the end, and a last line that counts the errors that were not kept. In a. */
const char *config_report_text(struct arena *a, const char *file, const struct spec_report *report,
			       enum spec_severity least);

#endif
