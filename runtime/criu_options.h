/* The options that checkpoint and restore share. */
#ifndef KNARR_RUNTIME_CRIU_OPTIONS_H
#define KNARR_RUNTIME_CRIU_OPTIONS_H

#include "runtime/command.h"

struct criu_values {
	const char *image_path, *work_path, *parent_path, *page_server, *manage_cgroups_mode, *network_lock, *empty_ns;
	const char *lsm_profile, *lsm_mount_context;
	unsigned status_fd; /* 0: none */
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk, shell_job,
		file_locks, lazy_pages, auto_dedup, link_remap;
};

/* type: the command's struct of values, with a member criu. */
#define CRIU_VALUE(type, member) offsetof(type, criu.member)

/* clang-format off */
#define CRIU_ROWS(type) \
	{ "image-path", 0, OPTION_TEXT, "DIR", CRIU_VALUE(type, image_path), "image directory (default: checkpoint)" }, \
	{ "work-path", 0, OPTION_TEXT, "DIR", CRIU_VALUE(type, work_path), \
	  "directory for CRIU's logs and sockets (default: the image directory)" }, \
	{ "tcp-established", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, tcp_established), "allow open TCP connections" }, \
	{ "ext-unix-sk", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, ext_unix_sk), \
	  "allow Unix sockets that are connected to the outside" }, \
	{ "shell-job", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, shell_job), \
	  "allow a container that uses the caller's own terminal" }, \
	{ "file-locks", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, file_locks), "allow file locks" }, \
	{ "link-remap", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, link_remap), "allow open files that were unlinked" }, \
	{ "manage-cgroups-mode", 0, OPTION_CHOICE, "soft|full|strict|ignore", CRIU_VALUE(type, manage_cgroups_mode), \
	  "how CRIU handles cgroups (default: soft)" }, \
	{ "network-lock", 0, OPTION_CHOICE, "iptables|nftables|skip", CRIU_VALUE(type, network_lock), \
	  "how packets are held back meanwhile (default: iptables where installed, otherwise nftables)" }, \
	{ "empty-ns", 0, OPTION_CHOICE, "network", CRIU_VALUE(type, empty_ns), \
	  "leave out the contents of this namespace" }, \
	{ "auto-dedup", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, auto_dedup), \
	  "remove from parent images the memory pages that this image has" }, \
	{ "lazy-pages", 0, OPTION_FLAG, NULL, CRIU_VALUE(type, lazy_pages), \
	  "transfer memory pages on demand, through criu lazy-pages" }
/* clang-format on */

/* What the library takes; strings are not copied. */
struct container_criu_options criu_options_fill(const struct criu_values *values);

#endif
