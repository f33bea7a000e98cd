/* HOME for a program whose environment has none. */
#ifndef KNARR_LIBCONTAINER_HOME_H
#define KNARR_LIBCONTAINER_HOME_H

#include <stdint.h>

/* "HOME=<folder>" for uid from /etc/passwd of the present root, or "HOME=/" when
 * it names none. Static text. Runs in the container; allocates nothing. */
const char *home_find(uint32_t uid);

#endif
