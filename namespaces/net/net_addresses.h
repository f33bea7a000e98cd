/* The addresses of a network device, which it loses when it moves. Internal to net_devices. */
#ifndef KNARR_NAMESPACES_NET_NET_ADDRESSES_H
#define KNARR_NAMESPACES_NET_NET_ADDRESSES_H

#include "namespaces/net/rtnetlink.h"

/* The addresses of all devices, by the rtnetlink socket fd. 0 or -errno. */
int net_addresses_list(struct arena *a, int fd, struct rtnetlink_answer *ret_list);

/* Adds the permanent ones that the device from_index has in the list to the device to_index,
 * by the rtnetlink socket fd. One that is there already is fine. 0 or -errno. */
int net_addresses_add(struct arena *a, int fd, const struct rtnetlink_answer *list, int from_index, int to_index);

#endif
