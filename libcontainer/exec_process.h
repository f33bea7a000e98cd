/* The process object of an exec. */
#ifndef KNARR_LIBCONTAINER_EXEC_PROCESS_H
#define KNARR_LIBCONTAINER_EXEC_PROCESS_H

#include "libcontainer/container.h"

/* From the file o->process, or from the config's process (NULL: the config has
 * none) with the arguments of o; then what o sets is changed in it. config is left
 * alone. 0 or -errno; o->report then tells what is wrong with the file. */
int exec_process_make(const struct spec_process *config, const struct container_exec_options *o, struct arena *a,
		      struct err *err, struct spec_process **ret_process);

#endif
