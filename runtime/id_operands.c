/* Visits the containers of a command one after another; a failure is kept or logged, and
 * the next container has its turn. */
#include "runtime/id_operands.h"

#include <errno.h>
#include <regex.h>

#include "base/log.h"

struct walk {
	const struct cli *c;
	int (*each)(const struct cli *c, const char *id, const void *data);
	const void *data;
	int result; /* of the last failure; its text is in c->err */
};

/* The first of two failures is logged, so that none is lost. */
static void
visit(struct walk *walk, const char *id, bool may_be_gone)
{
	char text[ERR_MSG_MAX + 256];
	struct err before = *walk->c->err;
	int r;

	err_clear(walk->c->err);
	r = walk->each(walk->c, id, walk->data);
	if (r == 0 || (r == -ENOENT && may_be_gone)) {
		*walk->c->err = before;
		return;
	}
	if (walk->result < 0)
		log_error("%s", err_format(&before, text, sizeof(text)));
	walk->result = r;
}

static int
visit_matching(struct walk *walk, const char *pattern, char *const *ids, size_t n)
{
	char reason[256];
	regex_t re;
	int r = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (r != 0) {
		regerror(r, &re, reason, sizeof(reason));
		return err_plain(walk->c->err, "option '--regex': '%s': %s", pattern, reason);
	}
	for (size_t i = 0; i < n; i++)
		if (regexec(&re, ids[i], 0, NULL, 0) == 0)
			visit(walk, ids[i], /* may_be_gone= */ true);
	regfree(&re);
	return 0;
}

int
id_operands_each(const struct cli *cli, const struct option_list *operands, bool regex,
		 int (*each)(const struct cli *cli, const char *id, const void *data), const void *data)
{
	struct walk w = { .c = cli, .each = each, .data = data };
	char **ids = NULL;
	size_t n = 0;
	int r = regex ? state_list(cli->env.root, cli->arena, cli->err, &ids, &n) : 0;

	for (size_t i = 0; r == 0 && i < operands->n; i++) {
		if (regex)
			r = visit_matching(&w, operands->items[i], ids, n);
		else
			visit(&w, operands->items[i], /* may_be_gone= */ false);
	}
	return r < 0 ? r : w.result;
}
