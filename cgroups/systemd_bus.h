/* A connection to systemd over D-Bus that never takes longer than it was given.
 * For systemd_*.c only.
 *
 * The library, libsystemd's sd-bus, is opened when it is needed: knarr does not
 * link it. Its types are opaque and its functions are reached through a table. */
#ifndef KNARR_CGROUPS_SYSTEMD_BUS_H
#define KNARR_CGROUPS_SYSTEMD_BUS_H

#include "cgroups/systemd.h"

struct sd_bus;
struct sd_bus_message;

/* As <systemd/sd-bus.h> has it. */
struct systemd_bus_error {
	const char *name, *message;
	int need_free;
};

/* clang-format off */
struct systemd_lib {
	void *handle;
	int (*bus_new)(struct sd_bus **ret);
	int (*bus_set_address)(struct sd_bus *bus, const char *address);
	int (*bus_set_bus_client)(struct sd_bus *bus, int b);
	int (*bus_start)(struct sd_bus *bus);
	int (*bus_is_ready)(struct sd_bus *bus);
	int (*bus_process)(struct sd_bus *bus, struct sd_bus_message **ret);
	int (*bus_wait)(struct sd_bus *bus, uint64_t usec);
	void (*bus_close)(struct sd_bus *bus);
	struct sd_bus *(*bus_unref)(struct sd_bus *bus);
	int (*bus_call)(struct sd_bus *bus, struct sd_bus_message *m, uint64_t usec, struct systemd_bus_error *error,
			struct sd_bus_message **reply);
	int (*bus_add_match_async)(struct sd_bus *bus, void **slot, const char *match,
				   int (*callback)(struct sd_bus_message *, void *, struct systemd_bus_error *),
				   int (*install)(struct sd_bus_message *, void *, struct systemd_bus_error *), void *data);
	void (*error_free)(struct systemd_bus_error *error);
	int (*message_new_method_call)(struct sd_bus *bus, struct sd_bus_message **m, const char *destination,
				       const char *path, const char *interface, const char *member);
	struct sd_bus_message *(*message_unref)(struct sd_bus_message *m);
	int (*message_append_basic)(struct sd_bus_message *m, char type, const void *value);
	int (*message_open_container)(struct sd_bus_message *m, char type, const char *contents);
	int (*message_close_container)(struct sd_bus_message *m);
	int (*message_read_basic)(struct sd_bus_message *m, char type, void *value);
	int (*message_enter_container)(struct sd_bus_message *m, char type, const char *contents);
};
/* clang-format on */

struct systemd_bus {
	struct systemd_lib lib;
	struct sd_bus *bus;
	const char *name;   /* "system bus" or "user's bus", for messages */
	char address[4096]; /* of the bus, as D-Bus writes it */
	int64_t deadline;   /* events_clock_ms() */
};

/* Opens libsystemd.so.0. -ENOENT with err, which names the package. */
int systemd_lib_open(struct systemd_lib *ret_lib, struct err *err);
void systemd_lib_close(struct systemd_lib *lib);

/* Connects to the system's or the user's bus, *ret_bus, which must stay where it is; all
 * that is done with the connection must be done within timeout_ms, or is -ETIMEDOUT. 0 or
 * -errno with err, as what follows. */
int systemd_bus_open(bool user, int timeout_ms, struct err *err, struct systemd_bus *ret_bus);
void systemd_bus_close(struct systemd_bus *b);

/* Starts a call of a method of systemd's manager; *ret_m is for systemd_bus_call(). */
int systemd_bus_method(struct systemd_bus *b, const char *member, struct err *err, struct sd_bus_message **ret_m);

/* Sends it and waits for the reply, the caller's to unref (NULL: not wanted). Frees m
 * in any case. An answer that is an error: -EREMOTEIO with err, and its name in
 * ret_error (256 bytes; NULL: not wanted). */
int systemd_bus_call(struct systemd_bus *b, struct sd_bus_message *m, const char *what, struct err *err,
		     char *ret_error, struct sd_bus_message **ret_reply);

struct systemd_job {
	const struct systemd_lib *lib;
	char path[256];	 /* of the job that is awaited */
	char result[64]; /* "done", "failed"…; empty: not yet */
};

/* Asks for JobRemoved signals from now on; to be called once, before the call that
 * makes the job. Fills *job, which must stay where it is until the bus is closed. */
int systemd_bus_watch_jobs(struct systemd_bus *b, struct systemd_job *job, struct err *err);

/* Waits for the end of the job that the reply names; drops the reply. -EREMOTEIO: the
 * job was not done. */
int systemd_bus_wait_job(struct systemd_bus *b, struct sd_bus_message *reply, struct systemd_job *job, const char *what,
			 struct err *err);

/* Appends text, or an array of all names and values, a(sv), to a message. A negative
 * number is -errno, without err. */
int systemd_bus_append_text(struct systemd_bus *b, struct sd_bus_message *m, const char *text);
int systemd_bus_append_properties(struct systemd_bus *b, struct sd_bus_message *m, const struct systemd_properties *p);

#endif
