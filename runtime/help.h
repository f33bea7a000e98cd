/* Help texts, made from the tables of commands and options. */
#ifndef KNARR_RUNTIME_HELP_H
#define KNARR_RUNTIME_HELP_H

#include "base/arena.h"
#include "runtime/command.h"

/* "knarr [GLOBAL OPTION]... run [OPTION]... ID". In a, as the text below. */
char *help_usage(struct arena *a, const struct command *command);

/* What `knarr help COMMAND` prints; NULL: what `knarr help` prints. */
const char *help_text(struct arena *a, const struct command *command);

#endif
