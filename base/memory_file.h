/* Files in memory. */
#ifndef KNARR_BASE_MEMORY_FILE_H
#define KNARR_BASE_MEMORY_FILE_H

/* memfd_create(2): close-on-exec, can be sealed. Since Linux 6.3 a caller says whether it
 * is to be executed, and vm.memfd_noexec = 2 denies that (-EACCES). The descriptor is the
 * caller's; or -errno. Allocates nothing. */
int memory_file(const char *name);
int memory_file_executable(const char *name);

#endif
