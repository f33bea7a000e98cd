/* A connection to systemd over D-Bus that never takes longer than it was given.
 * For systemd_*.c only. */
#ifndef KNARR_CGROUPS_SYSTEMD_SYSTEMD_BUS_H
#define KNARR_CGROUPS_SYSTEMD_SYSTEMD_BUS_H

#include "cgroups/systemd/systemd_message.h"

struct systemd_bus {
	const char *name;   /* "system bus" or "user's bus", for messages */
	char address[4096]; /* of the bus, as D-Bus writes it */
	int64_t deadline;   /* events_clock_ms() */
	int fd;
	struct arena arena;
	struct systemd_writer out;	     /* what is not sent yet */
	unsigned char *in;		     /* what came */
	size_t in_n, in_cap, in_used;	     /* the first in_used bytes have been looked at */
	bool is_authenticated;		     /* the bus has said so */
	uint32_t serial, hello, match;	     /* of the last message, and of those two; 0: none */
	const struct systemd_method *method; /* of the call that is being made */
};

/* Connects to the system's or the user's bus, *ret_bus; all that is done with the connection must be
 * done within timeout_ms, or is -ETIMEDOUT. 0 or -errno with err, as what follows. The bus's welcome
 * is awaited by the first call. */
int systemd_bus_open(bool user, int timeout_ms, struct err *err, struct systemd_bus *ret_bus);
void systemd_bus_close(struct systemd_bus *bus);

/* The same with a socket that is connected, which becomes the bus's; name, address and deadline are
 * set. */
void systemd_bus_begin(struct systemd_bus *bus, int fd);

/* Asks for JobRemoved signals from now on; to be called once, before the call that makes the job. */
void systemd_bus_watch_jobs(struct systemd_bus *bus);

/* Begins a call; its arguments are to be written to what it returns. */
struct systemd_writer *systemd_bus_method(struct systemd_bus *bus, const struct systemd_method *method);

/* Sends it and waits for the reply, *ret_reply (NULL: not wanted), which has the signature of the
 * method and is there until the next call. An answer that is an error: -EREMOTEIO with err, and its
 * name in ret_error (256 bytes; NULL: not wanted). */
int systemd_bus_call(struct systemd_bus *bus, const char *what, struct err *err, char *ret_error,
		     struct systemd_message *ret_reply);

/* Waits for the end of the job that the reply names. -EREMOTEIO: it was not done. */
int systemd_bus_wait_job(struct systemd_bus *bus, const struct systemd_message *reply, const char *what,
			 struct err *err);

/* For a reply that is not what it should be. */
int systemd_bus_unexpected(const char *what, struct err *err);

#endif
