/* Theory of operation: config-linux.md, "Control groups" as tables. Only what
 * the spec itself demands is refused; what a controller of this host can do is
 * the business of cgroups/. */
#include <string.h>

#include "oci-spec/parse.h"

/* The kernel's device numbers have 12 and 20 bits (MKDEV). */
#define MAJOR_MAX 4095
#define MINOR_MAX 1048575

/* ---- device rules ---------------------------------------------------- */

/* major, minor: -1 is "any", as Docker writes it for "*". */
static void
field_device_number(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	struct opt_i64 *number = (void *)((char *)obj + field->offset);
	uint64_t n;

	if (!field_expect_integer(parser, value, -1, field->max, &n) || (int64_t)n == -1)
		return;
	*number = (struct opt_i64){ true, (int64_t)n };
}

static void
field_device_type(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	if (!field_expect_type(parser, value, JSON_STRING, "a string") || value->broken || value->n == 0)
		return;
	if (value->n != 1 || !strchr("abc", value->text[0]))
		field_error_at(parser, value, "unknown device type %s, expected \"a\", \"b\" or \"c\"",
			       json_quote(parser->arena, value->text));
	else
		*((char *)obj + field->offset) = value->text[0];
}

static void
check_device_rule(struct parser *parser, const struct json_value *value, void *obj)
{
	struct spec_device_rule *rule = obj;
	const struct json_value *access = json_get(value, "access");

	if (!rule->type)
		rule->type = 'a';
	if (!access) {
		rule->read = rule->write = rule->mknod = true;
		return;
	}
	if (!field_expect_type(parser, access, JSON_STRING, "a string") || access->broken)
		return;
	if (access->n == 0 || strspn(access->text, "rwm") != access->n)
		field_error_at(parser, access, "expected one or more of the letters r, w and m, found %s",
			       json_quote(parser->arena, access->text));
	rule->read = strchr(access->text, 'r') != NULL;
	rule->write = strchr(access->text, 'w') != NULL;
	rule->mknod = strchr(access->text, 'm') != NULL;
}

/* Read by check_device_rule(), which also knows the default. */
static void
field_access(struct parser *parser, const struct field *field, const struct json_value *value, void *obj)
{
	(void)parser;
	(void)field;
	(void)value;
	(void)obj;
}

static const struct field type_device_rule_fields[] = {
	{ "allow", field_bool, AT(spec_device_rule, allow), .flags = FIELD_REQUIRED },
	{ "type", field_device_type, AT(spec_device_rule, type) },
	{ "major", field_device_number, AT(spec_device_rule, major), .max = MAJOR_MAX },
	{ "minor", field_device_number, AT(spec_device_rule, minor), .max = MINOR_MAX },
	{ "access", .parse = field_access },
};
OBJECT_TYPE(type_device_rule, spec_device_rule, check_device_rule);

/* ---- memory, cpu, pids ----------------------------------------------- */

#define BYTES_AT(member) OPT_INT_AT(spec_memory, member, -1, INT64_MAX)

static const struct field type_memory_fields[] = {
	{ "limit", BYTES_AT(limit) },
	{ "reservation", BYTES_AT(reservation) },
	{ "swap", BYTES_AT(swap) },
	{ "kernel", BYTES_AT(kernel) },
	{ "kernelTCP", BYTES_AT(kernel_tcp) },
	{ "swappiness", OPT_INT_AT(spec_memory, swappiness, 0, 100) },
	{ "disableOOMKiller", field_bool, AT(spec_memory, disable_oom_killer), .flags = FIELD_OPT },
	{ "useHierarchy", field_bool, AT(spec_memory, use_hierarchy), .flags = FIELD_OPT },
	{ "checkBeforeUpdate", field_bool, AT(spec_memory, check_before_update), .flags = FIELD_OPT },
};
OBJECT_TYPE(type_memory, spec_memory, NULL);

static void
check_cpu(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_cpu *cpu = obj;

	if (field_object_is_clean(parser) && cpu->burst.set && cpu->quota.set && cpu->quota.v > 0 &&
	    cpu->burst.v > (uint64_t)cpu->quota.v)
		field_error_member(parser, value, "burst", "must not be larger than quota");
	check_number_list(parser, json_get(value, "cpus"));
	check_number_list(parser, json_get(value, "mems"));
}

static const struct field type_cpu_fields[] = {
	{ "shares", OPT_INT_AT(spec_cpu, shares, 0, UINT64_MAX) },
	{ "quota", OPT_INT_AT(spec_cpu, quota, INT64_MIN, INT64_MAX) },
	{ "burst", OPT_INT_AT(spec_cpu, burst, 0, UINT64_MAX) },
	{ "period", OPT_INT_AT(spec_cpu, period, 0, UINT64_MAX) },
	{ "realtimeRuntime", OPT_INT_AT(spec_cpu, realtime_runtime, INT64_MIN, INT64_MAX) },
	{ "realtimePeriod", OPT_INT_AT(spec_cpu, realtime_period, 0, UINT64_MAX) },
	{ "cpus", field_string, AT(spec_cpu, cpus), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "mems", field_string, AT(spec_cpu, mems), .flags = FIELD_EMPTY_IS_ABSENT },
	{ "idle", OPT_INT_AT(spec_cpu, idle, 0, 1) },
};
OBJECT_TYPE(type_cpu, spec_cpu, check_cpu);

struct pids {
	struct opt_i64 limit;
};

static const struct field type_pids_fields[] = {
	{ "limit", OPT_INT_AT(pids, limit, -1, INT64_MAX) },
};
OBJECT_TYPE(type_pids, pids, NULL);

/* ---- block I/O ------------------------------------------------------- */

static void
check_weight_device(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)obj;
	if (!json_get(value, "weight") && !json_get(value, "leafWeight"))
		field_error_at(parser, value, "at least one of weight and leafWeight is required");
}

static const struct field type_weight_device_fields[] = {
	{ "major", INT_AT(spec_weight_device, major, 0, MAJOR_MAX), .flags = FIELD_REQUIRED },
	{ "minor", INT_AT(spec_weight_device, minor, 0, MINOR_MAX), .flags = FIELD_REQUIRED },
	{ "weight", OPT_INT_AT(spec_weight_device, weight, 0, UINT16_MAX) },
	{ "leafWeight", OPT_INT_AT(spec_weight_device, leaf_weight, 0, UINT16_MAX) },
};
OBJECT_TYPE(type_weight_device, spec_weight_device, check_weight_device);

static const struct field type_throttle_fields[] = {
	{ "major", INT_AT(spec_throttle_device, major, 0, MAJOR_MAX), .flags = FIELD_REQUIRED },
	{ "minor", INT_AT(spec_throttle_device, minor, 0, MINOR_MAX), .flags = FIELD_REQUIRED },
	{ "rate", INT_AT(spec_throttle_device, rate, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
};
OBJECT_TYPE(type_throttle, spec_throttle_device, NULL);

#define THROTTLES(name, member)                                                                                        \
	{                                                                                                              \
		name, field_objects, STRINGS_AT(spec_block_io, member), .type = &type_throttle                         \
	}

static const struct field type_block_io_fields[] = {
	{ "weight", OPT_INT_AT(spec_block_io, weight, 0, UINT16_MAX) },
	{ "leafWeight", OPT_INT_AT(spec_block_io, leaf_weight, 0, UINT16_MAX) },
	{ "weightDevice", field_objects, LIST_AT(spec_block_io, weight_devices, n_weight_devices),
	  .type = &type_weight_device },
	THROTTLES("throttleReadBpsDevice", read_bps),
	THROTTLES("throttleWriteBpsDevice", write_bps),
	THROTTLES("throttleReadIOPSDevice", read_iops),
	THROTTLES("throttleWriteIOPSDevice", write_iops),
};
OBJECT_TYPE(type_block_io, spec_block_io, NULL);

/* ---- huge pages, network, rdma --------------------------------------- */

/* "2MB": a number without leading zero, one of K, M, G, then B. */
static void
check_hugepage(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct spec_hugepage_limit *h = obj;
	size_t digits;

	if (!h->page_size)
		return;
	digits = strspn(h->page_size, "0123456789");
	if (digits == 0 || h->page_size[0] == '0' || !h->page_size[digits] || !strchr("KMG", h->page_size[digits]) ||
	    strcmp(h->page_size + digits + 1, "B") != 0)
		field_error_member(parser, value, "pageSize",
				   "expected a size like \"64KB\", \"2MB\" or \"1GB\", found %s",
				   json_quote(parser->arena, h->page_size));
}

static const struct field type_hugepage_fields[] = {
	{ "pageSize", field_string, AT(spec_hugepage_limit, page_size), .flags = FIELD_REQUIRED },
	{ "limit", INT_AT(spec_hugepage_limit, limit, 0, UINT64_MAX), .flags = FIELD_REQUIRED },
};
OBJECT_TYPE(type_hugepage, spec_hugepage_limit, check_hugepage);

static const struct field type_net_priority_fields[] = {
	{ "name", field_string, AT(spec_net_priority, name), .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY },
	{ "priority", INT_AT(spec_net_priority, priority, 0, UINT32_MAX), .flags = FIELD_REQUIRED },
};
OBJECT_TYPE(type_net_priority, spec_net_priority, NULL);

static const struct field type_network_fields[] = {
	{ "classID", OPT_INT_AT(spec_network, class_id, 0, UINT32_MAX) },
	{ "priorities", field_objects, LIST_AT(spec_network, priorities, n_priorities), .type = &type_net_priority },
};
OBJECT_TYPE(type_network, spec_network, NULL);

static void
check_rdma(struct parser *parser, const struct json_value *value, void *obj)
{
	(void)obj;
	if (!json_get(value, "hcaHandles") && !json_get(value, "hcaObjects"))
		field_error_at(parser, value, "at least one of hcaHandles and hcaObjects is required");
}

static const struct field type_rdma_fields[] = {
	{ "hcaHandles", OPT_INT_AT(spec_rdma, hca_handles, 0, UINT32_MAX) },
	{ "hcaObjects", OPT_INT_AT(spec_rdma, hca_objects, 0, UINT32_MAX) },
};
OBJECT_TYPE(type_rdma, spec_rdma, check_rdma);

/* ---- resources ------------------------------------------------------- */

/* "cgroup.procs": "1" would move a process of the host into the container's cgroup, whose
 * processes end with it; one that is frozen or killed from the start never runs. */
static bool
is_about_processes(const char *file)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(file, files[i]) == 0)
			return true;
	return false;
}

/* Keys of `unified` are names of files in the container's cgroup, no paths. */
static void
check_resources(struct parser *parser, const struct json_value *value, void *obj)
{
	const struct json_value *unified = json_get(value, "unified");

	(void)obj;
	for (const struct json_value *m = unified && unified->type == JSON_OBJECT ? unified->first : NULL; m;
	     m = m->next)
		if (strchr(m->key, '/') || strcmp(m->key, ".") == 0 || strcmp(m->key, "..") == 0)
			field_error_key(parser, m, "expected the name of a cgroup file, found %s",
					json_quote(parser->arena, m->key));
		else if (is_about_processes(m->key))
			field_error_key(parser, m,
					"moves, freezes or kills processes and is not a limit of a container");
}

static const struct field type_resources_fields[] = {
	{ "devices", field_objects, LIST_AT(spec_resources, devices, n_devices), .type = &type_device_rule },
	{ "memory", field_pointer, AT(spec_resources, memory), .type = &type_memory },
	{ "cpu", field_pointer, AT(spec_resources, cpu), .type = &type_cpu },
	{ "pids", field_object, AT(spec_resources, pids_limit), .type = &type_pids },
	{ "blockIO", field_pointer, AT(spec_resources, block_io), .type = &type_block_io },
	{ "hugepageLimits", field_objects, LIST_AT(spec_resources, hugepage_limits, n_hugepage_limits),
	  .type = &type_hugepage },
	{ "network", field_pointer, AT(spec_resources, network), .type = &type_network },
	{ "rdma", field_map, LIST_AT(spec_resources, rdma, n_rdma), .type = &type_rdma },
	{ "unified", field_pairs, STRINGS_AT(spec_resources, unified) },
};
SHARED_OBJECT_TYPE(type_resources, spec_resources, check_resources);
