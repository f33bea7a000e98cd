/* The groups of linux.resources whose entries are
 * about single devices, sizes of pages or interfaces. */
#include <string.h>

#include "cgroups/settings_list.h"

/* ---- block io ---------------------------------------------------------- */

/* The BFQ scheduler's file takes v1 weights; io.weight goes from 1 to 10000.
 * device: "8:0 ", or "" for the group's own weight. */
static int
add_weight(struct settings *settings, unsigned weight, const char *property, const char *device, struct err *err)
{
	struct setting *item;

	if (weight == 0)
		return 0;
	if (weight < 10 || weight > 1000)
		return err_plain(err, "%s: %u is not between 10 and 1000", property, weight);
	item = settings_add(settings, CONTROLLER_IO, property, "io.bfq.weight",
			    arena_printf(settings->arena, "%s%u", device, weight));
	item->alt_file = "io.weight";
	item->alt_value = arena_printf(settings->arena, "%s%u", device, 1 + (weight - 10) * 9999 / 990);
	return 0;
}

static int
add_weights(struct settings *settings, const struct spec_block_io *io, struct err *err)
{
	int e;

	if (io->weight.set && (e = add_weight(settings, io->weight.v, "linux.resources.blockIO.weight", "", err)) < 0)
		return e;
	if ((e = settings_refuse_if(io->leaf_weight.set && io->leaf_weight.v, "linux.resources.blockIO.leafWeight",
				    err)) < 0)
		return e;
	for (size_t i = 0; i < io->n_weight_devices; i++) {
		const struct spec_weight_device *d = &io->weight_devices[i];
		const char *property = arena_printf(settings->arena, "linux.resources.blockIO.weightDevice[%zu]", i);
		const char *device =
			arena_printf(settings->arena, "%lld:%lld ", (long long)d->major, (long long)d->minor);

		if (d->weight.set && (e = add_weight(settings, d->weight.v, property, device, err)) < 0)
			return e;
		property = arena_printf(settings->arena, "%s.leafWeight", property);
		if ((e = settings_refuse_if(d->leaf_weight.set && d->leaf_weight.v, property, err)) < 0)
			return e;
	}
	return 0;
}

static void
add_throttles(struct settings *settings, const struct spec_throttles *throttles, const char *name, const char *key)
{
	for (size_t i = 0; i < throttles->n; i++) {
		const struct spec_throttle_device *d = &throttles->items[i];
		const char *property = arena_printf(settings->arena, "linux.resources.blockIO.%s[%zu]", name, i);
		long long major = d->major, minor = d->minor;

		/* v1 takes a rate of 0 as "no limit". */
		if (d->rate == 0)
			settings_add_unlimited(settings, property, "io.max",
					       arena_printf(settings->arena, "%lld:%lld %s=max", major, minor, key));
		else
			settings_add(settings, CONTROLLER_IO, property, "io.max",
				     arena_printf(settings->arena, "%lld:%lld %s=%llu", major, minor, key,
						  (unsigned long long)d->rate));
	}
}

int
settings_block_io(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	const struct spec_block_io *io = resources->block_io;
	int e;

	if (!io)
		return 0;
	if ((e = add_weights(settings, io, err)) < 0)
		return e;
	add_throttles(settings, &io->read_bps, "throttleReadBpsDevice", "rbps");
	add_throttles(settings, &io->write_bps, "throttleWriteBpsDevice", "wbps");
	add_throttles(settings, &io->read_iops, "throttleReadIOPSDevice", "riops");
	add_throttles(settings, &io->write_iops, "throttleWriteIOPSDevice", "wiops");
	return 0;
}

/* ---- hugetlb, rdma, network -------------------------------------------- */

int
settings_hugepages(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const struct spec_hugepage_limit *h = &resources->hugepage_limits[i];
		const char *property = arena_printf(settings->arena, "linux.resources.hugepageLimits[%zu]", i);
		const char *value = arena_printf(settings->arena, "%llu", (unsigned long long)h->limit);

		if (!settings_is_file_name(h->page_size) || strchr(h->page_size, '.'))
			return err_plain(err, "%s.pageSize: '%s' is not a size like \"2MB\"", property, h->page_size);
		/* Reservations are counted since Linux 5.7. */
		settings_add(settings, CONTROLLER_HUGETLB, property,
			     arena_printf(settings->arena, "hugetlb.%s.rsvd.max", h->page_size), value)
			->optional = true;
		settings_add(settings, CONTROLLER_HUGETLB, property,
			     arena_printf(settings->arena, "hugetlb.%s.max", h->page_size), value);
	}
	return 0;
}

int
settings_rdma(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct spec_rdma *d = &resources->rdma[i];
		const char *value = d->device;

		if (d->hca_handles.set)
			value = arena_printf(settings->arena, "%s hca_handle=%u", value, d->hca_handles.v);
		if (d->hca_objects.set)
			value = arena_printf(settings->arena, "%s hca_object=%u", value, d->hca_objects.v);
		settings_add(settings, CONTROLLER_RDMA,
			     arena_printf(settings->arena, "linux.resources.rdma[\"%s\"]", d->device), "rdma.max",
			     value);
	}
	return 0;
}

int
settings_network(struct settings *settings, const struct spec_resources *resources, struct err *err)
{
	(void)err;
	if (resources->network && resources->network->class_id.set && resources->network->class_id.v)
		settings_add_warning(settings, "linux.resources.network.classID");
	if (resources->network && resources->network->n_priorities)
		settings_add_warning(settings, "linux.resources.network.priorities");
	return 0;
}
