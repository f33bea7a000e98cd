/* What writes settings to the files of a cgroup. Inside cgroups/ only. */
#ifndef KNARR_CGROUPS_CGROUP_RESOURCES_H
#define KNARR_CGROUPS_CGROUP_RESOURCES_H

/* One write(2) for each line of value: io.max, rdma.max and their kin take one device each.
 * 0 or -errno. */
int cgroup_write_lines(int dirfd, const char *file, const char *value);

#endif
