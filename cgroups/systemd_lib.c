/* Theory of operation: only containers under systemd need libsystemd, which brings
 * five libraries more; so it is opened for them and not linked. sd-bus has kept its
 * interface since version 221; the newest function used here is of 237. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "cgroups/systemd_bus.h"

#define SYMBOL(member, symbol)                                                                                         \
	{                                                                                                              \
		offsetof(struct systemd_lib, member), symbol                                                           \
	}

static const struct {
	size_t offset;
	const char *name;
} symbols[] = {
	SYMBOL(bus_new, "sd_bus_new"),
	SYMBOL(bus_set_address, "sd_bus_set_address"),
	SYMBOL(bus_set_bus_client, "sd_bus_set_bus_client"),
	SYMBOL(bus_start, "sd_bus_start"),
	SYMBOL(bus_is_ready, "sd_bus_is_ready"),
	SYMBOL(bus_process, "sd_bus_process"),
	SYMBOL(bus_wait, "sd_bus_wait"),
	SYMBOL(bus_close, "sd_bus_close"),
	SYMBOL(bus_unref, "sd_bus_unref"),
	SYMBOL(bus_call, "sd_bus_call"),
	SYMBOL(bus_add_match_async, "sd_bus_add_match_async"),
	SYMBOL(error_free, "sd_bus_error_free"),
	SYMBOL(message_new_method_call, "sd_bus_message_new_method_call"),
	SYMBOL(message_unref, "sd_bus_message_unref"),
	SYMBOL(message_append_basic, "sd_bus_message_append_basic"),
	SYMBOL(message_open_container, "sd_bus_message_open_container"),
	SYMBOL(message_close_container, "sd_bus_message_close_container"),
	SYMBOL(message_read_basic, "sd_bus_message_read_basic"),
	SYMBOL(message_enter_container, "sd_bus_message_enter_container"),
};

static void *
open_libsystemd(void)
{
#ifdef KNARR_STATIC_BINARY
	return NULL;
#else
	return dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
#endif
}

void
systemd_lib_close(struct systemd_lib *lib)
{
	if (lib->handle)
		dlclose(lib->handle);
	lib->handle = NULL;
}

int
systemd_lib_open(struct systemd_lib *ret_lib, struct err *err)
{
	struct systemd_lib lib = { .handle = open_libsystemd() };

	if (!lib.handle) {
#ifdef KNARR_STATIC_BINARY
		err_plain(err, "--systemd-cgroup: this knarr is one static program and cannot open libsystemd.so.0 "
			       "(hint: use a build with shared libraries)");
#else
		err_plain(err, "--systemd-cgroup: libsystemd.so.0 cannot be opened "
			       "(hint: install it; Debian: apt-get install libsystemd0)");
#endif
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(lib.handle, symbols[i].name);

		if (!symbol) {
			err_plain(err,
				  "--systemd-cgroup: libsystemd.so.0 has no %s (it must be of version 237 or newer)",
				  symbols[i].name);
			systemd_lib_close(&lib);
			return -ENOENT;
		}
		memcpy((char *)&lib + symbols[i].offset, &symbol, sizeof(symbol));
	}
	*ret_lib = lib;
	return 0;
}
