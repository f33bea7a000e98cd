/* Who owns which host ids: /etc/subuid and /etc/subgid. Internal to idmap. */
#ifndef KNARR_NAMESPACES_USER_IDMAP_SUBID_H
#define KNARR_NAMESPACES_USER_IDMAP_SUBID_H

#include "base/err.h"
#include "plan/plan.h"

struct idmap_kind {
	const char *property; /* "linux.uidMappings" */
	const char *file;     /* "subuid" */
	const char *proc;     /* "uid_map" */
	const char *helper;   /* "newuidmap" */
};
extern const struct idmap_kind idmap_uids, idmap_gids;

/* Checks that each host range is the user's own id `own` alone or lies in their
 * ranges of dir/FILE. The helpers decide in the end; this is for a message that
 * says what is missing. It stays out where their answer does not come from the
 * file ("subid:" in nsswitch.conf, a user that /etc/passwd does not have).
 * *ret_delegated: at least one range comes from the file. 0 or -errno with err. */
int idmap_check_owned(const struct idmap_kind *kind, const char *dir, uid_t uid, uint32_t own,
		      const struct plan_id_map *maps, size_t n, struct err *err, bool *ret_delegated);

#endif
