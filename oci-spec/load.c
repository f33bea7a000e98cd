/* Theory of operation: reading config.json from a bundle, and the files of process,
 * resources and mounts that commands take; the issues of a report as text; small
 * questions about a spec. A first error becomes the message of the command. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "oci-spec/names.h"
#include "oci-spec/spec.h"

char *
spec_issue_format(struct arena *a, const char *file, const struct spec_issue *issue)
{
	static const char *const words[] = {
		[SPEC_ERROR] = "error", [SPEC_WARNING] = "warning", [SPEC_ADVICE] = "warning", [SPEC_NOTE] = "note"
	};

	return arena_printf(a, "%s:%u:%u: %s: %s%s%s", file, issue->line, issue->column, words[issue->severity],
			    issue->path, *issue->path ? ": " : "", issue->text);
}

char *
spec_issue_log_text(struct arena *a, const char *file, const struct spec_issue *issue)
{
	return arena_printf(a, "%s:%u:%u: %s%s%s", file, issue->line, issue->column, issue->path,
			    *issue->path ? ": " : "", issue->text);
}

/* The first error of a report, as the text of a struct err. */
static int
first_error(const char *file, const struct spec_report *report, struct err *err)
{
	const struct spec_issue *first = NULL;

	for (size_t i = 0; i < report->n && !first; i++)
		if (report->items[i].severity == SPEC_ERROR)
			first = &report->items[i];
	if (!first)
		return err_plain(err, "%s: %zu errors", file, report->n_errors);
	if (report->n_errors == 1)
		return err_plain(err, "%s:%u:%u: %s%s%s", file, first->line, first->column, first->path,
				 *first->path ? ": " : "", first->text);
	return err_plain(err, "%s:%u:%u: %s%s%s (and %zu more error%s)", file, first->line, first->column, first->path,
			 *first->path ? ": " : "", first->text, report->n_errors - 1, report->n_errors == 2 ? "" : "s");
}

/* The caller frees *ret_text. */
static int
read_text(const char *file, bool or_stdin, char **ret_text, size_t *ret_len, struct err *err)
{
	bool is_stdin = or_stdin && !strcmp(file, "-");
	int r = is_stdin ? fd_read_all(STDIN_FILENO, SPEC_MAX_SIZE, ret_text, ret_len)
			 : fd_read_file_at(AT_FDCWD, file, SPEC_MAX_SIZE, ret_text, ret_len);

	if (r == -EFBIG)
		return err_set(err, EFBIG, "'%s' is larger than %zu bytes", file, SPEC_MAX_SIZE);
	return r < 0 ? err_set(err, -r, "read '%s'", file) : 0;
}

static int
load(const char *bundle, const char *config_path, bool is_new, struct arena *a, struct spec_report *report,
     struct err *err, struct spec **ret_spec)
{
	const char *file = config_path ? config_path : arena_printf(a, "%s/config.json", bundle);
	char *text = NULL;
	size_t len;
	int r;

	*report = (struct spec_report){ 0 };
	r = read_text(file, /* or_stdin= */ false, &text, &len, err);
	if (r < 0)
		return r;
	r = (is_new ? spec_parse_new : spec_parse)(file, text, len, a, report, ret_spec);
	free(text);
	return r < 0 ? first_error(file, report, err) : 0;
}

int
spec_load(const char *bundle, const char *config_path, struct arena *a, struct spec_report *report, struct err *err,
	  struct spec **ret_spec)
{
	return load(bundle, config_path, /* is_new= */ false, a, report, err, ret_spec);
}

int
spec_load_new(const char *bundle, const char *config_path, struct arena *a, struct spec_report *report, struct err *err,
	      struct spec **ret_spec)
{
	return load(bundle, config_path, /* is_new= */ true, a, report, err, ret_spec);
}

int
spec_load_process(const char *path, struct arena *a, struct spec_report *report, struct err *err,
		  struct spec_process **ret_process)
{
	char *text;
	size_t len;
	int r = read_text(path, /* or_stdin= */ true, &text, &len, err);

	*report = (struct spec_report){ 0 };
	if (r < 0)
		return r;
	r = spec_parse_process(text, len, a, report, ret_process);
	free(text);
	return r < 0 ? first_error(path, report, err) : 0;
}

int
spec_load_resources(const char *path, struct arena *a, struct spec_report *report, struct err *err,
		    struct spec_resources **ret_resources)
{
	char *text;
	size_t len;
	int r = read_text(path, /* or_stdin= */ true, &text, &len, err);

	*report = (struct spec_report){ 0 };
	if (r < 0)
		return r;
	r = spec_parse_resources(text, len, a, report, ret_resources);
	free(text);
	return r < 0 ? first_error(path, report, err) : 0;
}

int
spec_load_mounts(const char *path, struct arena *a, struct spec_report *report, struct err *err,
		 struct spec_mount **ret_mounts, size_t *ret_n)
{
	char *text;
	size_t len;
	int r = read_text(path, /* or_stdin= */ true, &text, &len, err);

	*report = (struct spec_report){ 0 };
	if (r < 0)
		return r;
	r = spec_parse_mounts(text, len, a, report, ret_mounts, ret_n);
	free(text);
	return r < 0 ? first_error(path, report, err) : 0;
}
