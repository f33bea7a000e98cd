/* Commands that work on several containers: their ids, or those that a pattern
 * matches. */
#ifndef KNARR_RUNTIME_ID_OPERANDS_H
#define KNARR_RUNTIME_ID_OPERANDS_H

#include "runtime/command.h"

/* Calls each(cli, id, data) for every id of the operands, or with regex for every
 * container whose id one of them, a POSIX extended regular expression, matches
 * anywhere. A failure does not stop the others: all errors but the last are logged, the
 * last is returned (-errno) with cli->err. A pattern that matches nothing is not an error;
 * with regex neither is a container that has been deleted meanwhile. */
int id_operands_each(const struct cli *cli, const struct option_list *operands, bool regex,
		     int (*each)(const struct cli *cli, const char *id, const void *data), const void *data);

#endif
