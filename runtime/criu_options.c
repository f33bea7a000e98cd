/* Theory of operation: see criu_options.h. */
#include "runtime/criu_options.h"

struct container_criu_options
criu_options_fill(const struct criu_values *v)
{
	return (struct container_criu_options){
		.image_path = v->image_path,
		.work_path = v->work_path,
		.parent_path = v->parent_path,
		.page_server = v->page_server,
		.manage_cgroups_mode = v->manage_cgroups_mode,
		.network_lock = v->network_lock,
		.empty_ns = v->empty_ns,
		.lsm_profile = v->lsm_profile,
		.lsm_mount_context = v->lsm_mount_context,
		.status_fd = v->status_fd ? (int)v->status_fd : -1,
		.leave_running = v->leave_running,
		.pre_dump = v->pre_dump,
		.tcp_established = v->tcp_established,
		.tcp_skip_in_flight = v->tcp_skip_in_flight,
		.tcp_close = v->tcp_close,
		.ext_unix_sk = v->ext_unix_sk,
		.shell_job = v->shell_job,
		.file_locks = v->file_locks,
		.lazy_pages = v->lazy_pages,
		.auto_dedup = v->auto_dedup,
		.link_remap = v->link_remap,
	};
}
