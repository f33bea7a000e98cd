/* Where the bus is. For systemd_*.c only. */
#ifndef KNARR_CGROUPS_SYSTEMD_SYSTEMD_ADDRESS_H
#define KNARR_CGROUPS_SYSTEMD_SYSTEMD_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The address of the system's or the user's bus, as D-Bus writes it: "unix:path=/run/dbus/…". */
void systemd_address_find(bool user, char *buf, size_t size);

/* A socket that is connected to one of the addresses, which have ";" between them; the caller's.
 * -errno of the last one: -EINVAL: it is none; -EPROTONOSUPPORT: it is not a socket of this machine;
 * -ETIMEDOUT: timeout_ms is over. */
int systemd_address_connect(const char *addresses, int timeout_ms);

/* Fills err for a bus, "system bus" or "user's bus", that cannot be connected to. -code. */
int systemd_address_error(const char *name, const char *address, int code, struct err *err);

#endif
