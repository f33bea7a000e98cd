/* Theory of operation: D-Bus specification, "Server Addresses". Only sockets of this machine are
 * spoken to, by path or in the abstract namespace. */
#include "cgroups/systemd/systemd_address.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/events.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

/* ---- which it is -------------------------------------------------------- */

/* The form that D-Bus wants of a path in an address. */
static void
path_address(const char *directory, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "unix:path=");
	static const char tail[] = "/bus";

	for (const char *c = directory; *c && n + 4 + sizeof(tail) < size; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			     strchr("-_/.", *c);

		n += (size_t)snprintf(buf + n, size - n, plain ? "%c" : "%%%02x", (unsigned char)*c);
	}
	snprintf(buf + n, size - n, "%s", tail);
}

void
systemd_address_find(bool user, char *buf, size_t size)
{
	const char *address = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *directory = getenv("XDG_RUNTIME_DIR");
	char own[64];

	if (address && *address) {
		snprintf(buf, size, "%s", address);
	} else if (!user) {
		snprintf(buf, size, "%s", SYSTEM_BUS);
	} else {
		snprintf(own, sizeof(own), "/run/user/%u", (unsigned)geteuid());
		path_address(directory && *directory ? directory : own, buf, size);
	}
}

int
systemd_address_error(const char *name, const char *address, int code, struct err *err)
{
	const char *hint = "";

	if (access("/run/systemd/system", F_OK) < 0)
		hint = " (systemd does not run on this host; hint: --cgroup-manager=cgroupfs)";
	else if (!strcmp(name, "user's bus"))
		hint = " (hint: is there a systemd for this user? loginctl enable-linger; XDG_RUNTIME_DIR or "
		       "DBUS_SESSION_BUS_ADDRESS tells where its bus is)";
	return err_set(err, code, "--systemd-cgroup: connect to the %s at '%s'%s", name, address, hint);
}

/* ---- reading one -------------------------------------------------------- */

static int
hex_digit(char ch)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = ch ? strchr(digits, ch >= 'A' && ch <= 'F' ? ch - 'A' + 'a' : ch) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The len bytes of a value without "%2f", at most size of them: how many, or -errno. */
static ssize_t
unescape(const char *value, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool escaped = value[i] == '%';
		int high = escaped && i + 2 < len ? hex_digit(value[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(value[i + 2]) : -1;

		if (escaped && low < 0)
			return -EINVAL;
		if (n == size)
			return -ENAMETOOLONG;
		buf[n++] = escaped ? (char)(high << 4 | low) : value[i];
		i += escaped ? 2 : 0;
	}
	return (ssize_t)n;
}

/* One "key=value" of len bytes; other keys than the two of a place say nothing to a client. */
static int
read_pair(const char *pair, size_t len, struct sockaddr_un *address, socklen_t *length)
{
	size_t key = strcspn(pair, "="), skipped;
	bool is_path = key == 4 && !strncmp(pair, "path", key),
	     is_abstract = key == 8 && !strncmp(pair, "abstract", key);
	ssize_t n;

	if (key >= len)
		return -EINVAL;
	if (!is_path && !is_abstract)
		return 0;
	if (*length > 0)
		return -EINVAL;
	skipped = is_abstract ? 1 : 0;
	/* A path is followed by a NUL, which is there. */
	n = unescape(pair + key + 1, len - key - 1, address->sun_path + skipped, sizeof(address->sun_path) - 1);
	if (n < 0)
		return (int)n;
	if (n == 0 || (is_path && memchr(address->sun_path, '\0', (size_t)n)))
		return -EINVAL;
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return 0;
}

/* The address of len bytes at text. */
static int
read_address(const char *text, size_t len, struct sockaddr_un *ret_address, socklen_t *ret_length)
{
	static const char transport[] = "unix:";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t at = sizeof(transport) - 1, n;
	socklen_t length = 0;

	if (len < at || strncmp(text, transport, at) != 0)
		return memchr(text, ':', len) ? -EPROTONOSUPPORT : -EINVAL;
	for (; at < len; at += n + 1) {
		int r;

		n = strcspn(text + at, ",;");
		r = read_pair(text + at, n, &address, &length);
		if (r < 0)
			return r;
	}
	if (length == 0)
		return -EINVAL;
	*ret_address = address;
	*ret_length = length;
	return 0;
}

/* ---- connecting --------------------------------------------------------- */

/* connect(2) waits while too many others wait for the bus to take them; as long as the socket
 * says that it may wait to send. */
static int
connect_one(const char *text, size_t len, int timeout_ms)
{
	struct timeval timeout = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	struct sockaddr_un address;
	socklen_t length;
	auto_close int fd = -1;
	int r = read_address(text, len, &address, &length);

	if (r < 0)
		return r;
	if (timeout_ms <= 0)
		return -ETIMEDOUT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	while ((r = connect(fd, (const struct sockaddr *)&address, length)) < 0 && errno == EINTR)
		;
	if (r < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return fd_take(&fd);
}

int
systemd_address_connect(const char *addresses, int timeout_ms)
{
	int64_t deadline = events_clock_ms() + timeout_ms;
	int r = -EINVAL;

	while (*addresses && r < 0) {
		size_t len = strcspn(addresses, ";");

		r = connect_one(addresses, len, (int)(deadline - events_clock_ms()));
		addresses += len + (addresses[len] == ';');
	}
	return r;
}
