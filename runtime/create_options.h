/* The options that create, run, restore and plan share. */
#ifndef KNARR_RUNTIME_CREATE_OPTIONS_H
#define KNARR_RUNTIME_CREATE_OPTIONS_H

#include "runtime/command.h"

struct create_values {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *upper;
	struct option_list layers;
	unsigned preserve_fds;
	bool no_pivot, no_new_keyring, no_subreaper;
	bool detach, keep; /* run */
};

#define CREATE_VALUE(member) offsetof(struct create_values, member)

/* clang-format off */
#define LAYER_ROWS(type) \
	{ "layer", 0, OPTION_LIST, "DIR", offsetof(type, layers), \
	  "read-only layer of an overlay that becomes the root file system (may be repeated; bottom layer first)" }, \
	{ "upper", 0, OPTION_TEXT, "DIR|tmpfs", offsetof(type, upper), \
	  "where changes to the layers go: a directory (its work directory is created beside it), or a tmpfs that is gone with the container; without it the root is read-only" }

/* Also for restore, where CRIU restores descriptors and the root. */
#define LAUNCH_ROWS \
	{ "bundle", 'b', OPTION_TEXT, "DIR", CREATE_VALUE(bundle), "bundle directory (default: the current directory)" }, \
	{ "config", 'f', OPTION_TEXT, "FILE", CREATE_VALUE(config), "config file to use instead of config.json in the bundle" }, \
	{ "console-socket", 0, OPTION_TEXT, "SOCKET", CREATE_VALUE(console_socket), \
	  "Unix socket that receives the master end of the container's terminal" }, \
	{ "pidfd-socket", 0, OPTION_TEXT, "SOCKET", CREATE_VALUE(pidfd_socket), \
	  "Unix socket that receives a pidfd of the container's first process before its program runs" }, \
	{ "pid-file", 0, OPTION_TEXT, "FILE", CREATE_VALUE(pid_file), "write the pid of the container's first process to FILE" }, \
	LAYER_ROWS(struct create_values), \
	{ "no-new-keyring", 0, OPTION_FLAG, NULL, CREATE_VALUE(no_new_keyring), \
	  "keep the caller's session keyring instead of making a new one" }, \
	{ "no-subreaper", 0, OPTION_FLAG, NULL, CREATE_VALUE(no_subreaper), \
	  "accepted for compatibility with runc, without effect: knarr never becomes a subreaper" }

#define CREATE_ROWS \
	LAUNCH_ROWS, \
	{ "preserve-fds", 0, OPTION_NUMBER, "N", CREATE_VALUE(preserve_fds), \
	  "pass N file descriptors beyond stdin, stdout and stderr to the program" }, \
	{ "no-pivot", 0, OPTION_FLAG, NULL, CREATE_VALUE(no_pivot), \
	  "move the root mount instead of calling pivot_root(2), for a host whose root is a ramdisk; less secure" }
/* clang-format on */

/* What the library takes, from the values; strings are not copied. report and
 * layers: places that must live as long as *ret_options. 0 or -errno with cli->err. */
int create_options_fill(const struct cli *cli, const struct create_values *values, const char *id,
			struct spec_report *report, struct rootfs_layers *layers,
			struct container_create_options *ret_options);

/* After a failure: a broken config may have many errors, all of which are
 * printed here. Then returns the exit status 1, else code. */
int create_options_report(const struct cli *cli, const struct container_create_options *options, int code);

#endif
