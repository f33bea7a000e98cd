/* Commands that work on several containers: their ids, or those that a pattern
 * matches. */
#ifndef KNARR_RUNTIME_ID_OPERANDS_H
#define KNARR_RUNTIME_ID_OPERANDS_H

#include "runtime/command.h"

/* Calls each(c, id, data) for every id of the operands, or with regex for every
 * container whose id one of them, a POSIX extended regular expression, matches
 * anywhere. A container that fails does not keep the others from their turn: all
 * errors but the last are logged, the last is returned (-errno) with c->err. A pattern that
 * matches nothing is no error; with regex a container that is gone meanwhile is
 * none either. */
int id_operands_each(const struct cli *c, const struct option_list *operands, bool regex,
		     int (*each)(const struct cli *c, const char *id, const void *data), const void *data);

#endif
