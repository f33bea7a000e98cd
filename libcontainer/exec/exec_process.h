/* The process object of an exec. */
#ifndef KNARR_LIBCONTAINER_EXEC_EXEC_PROCESS_H
#define KNARR_LIBCONTAINER_EXEC_EXEC_PROCESS_H

#include "libcontainer/container.h"

/* From the file options->process, or from the config's process (NULL: the config has
 * none) with the arguments of options; then what options sets is changed in it. config is left
 * alone. 0 or -errno; options->report then tells what is wrong with the file. */
int exec_process_make(const struct spec_process *config, const struct container_exec_options *options, struct arena *a,
		      struct err *err, struct spec_process **ret_process);

#endif
