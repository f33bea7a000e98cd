/* Copies the values of the command line into the options of the library. */
#include "runtime/criu_options.h"

struct container_criu_options
criu_options_fill(const struct criu_values *values)
{
	return (struct container_criu_options){
		.image_path = values->image_path,
		.work_path = values->work_path,
		.parent_path = values->parent_path,
		.page_server = values->page_server,
		.manage_cgroups_mode = values->manage_cgroups_mode,
		.network_lock = values->network_lock,
		.empty_ns = values->empty_ns,
		.lsm_profile = values->lsm_profile,
		.lsm_mount_context = values->lsm_mount_context,
		.status_fd = values->status_fd ? (int)values->status_fd : -1,
		.leave_running = values->leave_running,
		.pre_dump = values->pre_dump,
		.tcp_established = values->tcp_established,
		.tcp_skip_in_flight = values->tcp_skip_in_flight,
		.tcp_close = values->tcp_close,
		.ext_unix_sk = values->ext_unix_sk,
		.shell_job = values->shell_job,
		.file_locks = values->file_locks,
		.lazy_pages = values->lazy_pages,
		.auto_dedup = values->auto_dedup,
		.link_remap = values->link_remap,
	};
}
