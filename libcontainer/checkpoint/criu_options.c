/* The flags of the command line are a
 * table: where the value is, and the field of CRIU's options that it goes to. */
#include "libcontainer/checkpoint/criu_options.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "oci-spec/annotations.h"

#define CONFIG_DEFAULT "/etc/criu/runc.conf" /* what users of runc have */

/* CRIU's log has the reason of a failure, but only its level 4 says what led to it. */
#define LOG_LEVEL 4

/* ---- directories --------------------------------------------------------- */

static int
open_directory(const char *path, bool make, const char *what, struct err *err)
{
	int fd;

	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "make the %s '%s'", what, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the %s '%s'", what, path) : fd;
}

/* For messages: where the log is must not depend on the current directory. */
static const char *
absolute(struct arena *a, const char *path)
{
	char *real = realpath(path, NULL);
	const char *copy = arena_strdup(a, real ? real : path);

	free(real);
	return copy;
}

int
criu_directories_open(const struct container_criu_options *options, bool make, struct arena *a, struct err *err,
		      struct criu_directories *ret_directories)
{
	const char *image = options->image_path ? options->image_path : "checkpoint";
	struct criu_directories f = { .work_fd = -1 };

	f.image_fd = open_directory(image, make, "image path", err);
	if (f.image_fd < 0)
		return f.image_fd;
	f.image = f.work = absolute(a, image);
	if (options->work_path) {
		f.work_fd = open_directory(options->work_path, true, "work path", err);
		if (f.work_fd < 0) {
			fd_close(f.image_fd);
			return f.work_fd;
		}
		f.work = absolute(a, options->work_path);
	}
	*ret_directories = f;
	return 0;
}

void
criu_directories_close(struct criu_directories *directories)
{
	directories->image_fd = fd_close(directories->image_fd);
	directories->work_fd = fd_close(directories->work_fd);
}

static int
reopen(const char *path, int number, struct err *err)
{
	auto_close int fd = number >= 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (number >= 0 && (fd < 0 || dup3(fd, number, O_CLOEXEC) < 0))
		return err_set(err, errno, "open '%s' in the mount namespace of criu", path);
	return 0;
}

int
criu_directories_reopen(const struct criu_directories *directories, struct err *err)
{
	int r = reopen(directories->image, directories->image_fd, err);

	return r < 0 ? r : reopen(directories->work, directories->work_fd, err);
}

/* ---- flags ----------------------------------------------------------- */

static const struct {
	enum criu_option field;
	size_t offset;
} flags[] = {
	{ CRIU_OPT_LEAVE_RUNNING, offsetof(struct container_criu_options, leave_running) },
	{ CRIU_OPT_TCP_ESTABLISHED, offsetof(struct container_criu_options, tcp_established) },
	{ CRIU_OPT_TCP_SKIP_IN_FLIGHT, offsetof(struct container_criu_options, tcp_skip_in_flight) },
	{ CRIU_OPT_TCP_CLOSE, offsetof(struct container_criu_options, tcp_close) },
	{ CRIU_OPT_EXT_UNIX_SK, offsetof(struct container_criu_options, ext_unix_sk) },
	{ CRIU_OPT_SHELL_JOB, offsetof(struct container_criu_options, shell_job) },
	{ CRIU_OPT_FILE_LOCKS, offsetof(struct container_criu_options, file_locks) },
	{ CRIU_OPT_LAZY_PAGES, offsetof(struct container_criu_options, lazy_pages) },
	{ CRIU_OPT_AUTO_DEDUP, offsetof(struct container_criu_options, auto_dedup) },
	{ CRIU_OPT_LINK_REMAP, offsetof(struct container_criu_options, link_remap) },
};

static void
put_flags(const struct container_criu_options *opts, struct protobuf *options)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (*(const bool *)((const char *)opts + flags[i].offset))
			protobuf_put_number(options, flags[i].field, true);
}

/* ---- words ----------------------------------------------------------- */

struct word {
	const char *name;
	unsigned value;
};

static const struct word cgroup_modes[] = {
	{ "ignore", 0 }, { "soft", 3 }, { "full", 4 }, { "strict", 5 }, { NULL, 0 },
};
static const struct word network_locks[] = {
	{ "iptables", 1 },
	{ "nftables", 2 },
	{ "skip", 3 },
	{ NULL, 0 },
};
static const struct word namespaces[] = {
	{ "network", CLONE_NEWNET },
	{ NULL, 0 },
};

static int
put_word(const char *option, const struct word *words, const char *word, enum criu_option field, struct err *err,
	 struct protobuf *options)
{
	for (const struct word *w = words; w->name; w++) {
		if (strcmp(w->name, word) != 0)
			continue;
		protobuf_put_number(options, field, w->value);
		return 0;
	}
	return err_plain(err, "option '--%s': unknown value '%s'", option, word);
}

/* CRIU keeps the network still while it works, by default with iptables, which
 * newer systems lack. */
static const char *
default_lock(void)
{
	static const char *const programs[] = { "/usr/sbin/iptables-restore", "/sbin/iptables-restore",
						"/usr/bin/iptables-restore", "/usr/local/sbin/iptables-restore" };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (access(programs[i], X_OK) == 0)
			return NULL;
	return "nftables";
}

static int
put_words(const struct container_criu_options *opts, struct err *err, struct protobuf *options)
{
	const char *lock = opts->network_lock ? opts->network_lock : default_lock();
	int r = put_word("manage-cgroups-mode", cgroup_modes,
			 opts->manage_cgroups_mode ? opts->manage_cgroups_mode : "soft", CRIU_OPT_MANAGE_CGROUPS_MODE,
			 err, options);

	if (r == 0 && lock)
		r = put_word("network-lock", network_locks, lock, CRIU_OPT_NETWORK_LOCK, err, options);
	if (r == 0 && opts->empty_ns)
		r = put_word("empty-ns", namespaces, opts->empty_ns, CRIU_OPT_EMPTY_NS, err, options);
	return r;
}

/* ---- the page server ------------------------------------------------- */

/* "[::1]:80", "host:80": the last colon counts. */
static int
put_page_server(const char *text, struct arena *a, struct err *err, struct protobuf *options)
{
	enum { ADDRESS = 1, PORT = 2 };
	struct protobuf m = { .arena = a };
	const char *colon = strrchr(text, ':'), *from = text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	unsigned long port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;

	if (len > 2 && from[0] == '[' && from[len - 1] == ']') {
		from++;
		len -= 2;
	}
	if (len == 0 || port == 0 || port > 65535 || *end)
		return err_plain(err, "option '--page-server': expected ADDRESS:PORT, found '%s'", text);
	protobuf_put_string(&m, ADDRESS, arena_strndup(a, from, len));
	protobuf_put_number(&m, PORT, port);
	protobuf_put_message(options, CRIU_OPT_PAGE_SERVER, &m);
	return 0;
}

/* ---- all ------------------------------------------------------------- */

/* What such a file says wins over the request. An empty annotation means none. */
static void
put_config_file(const struct spec_pairs *annotations, struct protobuf *options)
{
	const char *file = annotation_get(annotations, ANNOTATION_CRIU_CONFIG);

	if (!file && access(CONFIG_DEFAULT, F_OK) == 0)
		file = CONFIG_DEFAULT;
	if (file && *file)
		protobuf_put_string(options, CRIU_OPT_CONFIG_FILE, file);
}

int
criu_options_put(const struct container_criu_options *opts, const struct criu_directories *directories,
		 const struct spec_pairs *annotations, const char *log_file, struct err *err, struct protobuf *options)
{
	int r = put_words(opts, err, options);

	if (r == 0 && opts->page_server)
		r = put_page_server(opts->page_server, options->arena, err, options);
	if (r < 0)
		return r;
	protobuf_put_number(options, CRIU_OPT_IMAGES_DIR_FD, (uint64_t)directories->image_fd);
	if (directories->work_fd >= 0)
		protobuf_put_number(options, CRIU_OPT_WORK_DIR_FD, (uint64_t)directories->work_fd);
	protobuf_put_number(options, CRIU_OPT_LOG_LEVEL, LOG_LEVEL);
	protobuf_put_string(options, CRIU_OPT_LOG_FILE, log_file);
	protobuf_put_number(options, CRIU_OPT_NOTIFY_SCRIPTS, true);
	protobuf_put_number(options, CRIU_OPT_ORPHAN_PTS_MASTER, true);
	protobuf_put_number(options, CRIU_OPT_MANAGE_CGROUPS, true);
	put_flags(opts, options);
	put_config_file(annotations, options);
	return 0;
}

int
criu_check_user(const char *verb, struct err *err)
{
	if (geteuid() == 0)
		return 0;
	err_plain(err, "%s needs root: CRIU stops, reads and creates processes of other users", verb);
	return -EPERM;
}
