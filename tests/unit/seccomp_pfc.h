/* Reads the tree of rules that libseccomp writes as text (seccomp_export_pfc(3)). */
#ifndef KNARR_TESTS_UNIT_SECCOMP_PFC_H
#define KNARR_TESTS_UNIT_SECCOMP_PFC_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* What the text says to a call; is_x32: look at x32's rules, which have the number of x86_64's
 * architecture. False: it has no rules for the architecture, or something that is not known here. */
bool seccomp_pfc_run(const char *text, bool is_x32, const struct seccomp_data *data, uint32_t *ret_value);

#endif
