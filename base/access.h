/* May the process do that to a file? */
#ifndef KNARR_BASE_ACCESS_H
#define KNARR_BASE_ACCESS_H

/* faccessat2(2) with the effective ids; mode: R_OK, W_OK, X_OK or F_OK. Where the call is
 * missing or denied by a seccomp profile, faccessat(2), which goes by the real ids.
 * Allocates nothing. 0 or -errno. */
int access_check(int dirfd, const char *path, int mode);

#endif
