/* Theory of operation: a sysctl is written from inside the container, but only
 * those that a namespace keeps apart stop at its border. Every other one would
 * change the host, so it is refused, as is one whose namespace the container
 * shares with the runtime. The host name has a property of its own. */
#include <string.h>

#include "oci-spec/parse.h"

struct sysctl_rule {
	const char *name; /* with slashes; a final '/' means all below */
	enum ns_kind ns;
};

static const struct sysctl_rule rules[] = {
	{ "net/", NS_NETWORK },		 { "fs/mqueue/", NS_IPC },
	{ "kernel/msgmax", NS_IPC },	 { "kernel/msgmnb", NS_IPC },
	{ "kernel/msgmni", NS_IPC },	 { "kernel/sem", NS_IPC },
	{ "kernel/shmall", NS_IPC },	 { "kernel/shmmax", NS_IPC },
	{ "kernel/shmmni", NS_IPC },	 { "kernel/shm_rmid_forced", NS_IPC },
	{ "kernel/domainname", NS_UTS },
};

/* No empty component and none that climbs out. */
static bool
is_clean_path(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

char *
spec_sysctl_path(struct arena *a, const char *key)
{
	char *path = arena_strdup(a, key);

	if (key[strcspn(key, "./")] == '.')
		for (char *c = path; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return is_clean_path(path) ? path : NULL;
}

static const struct sysctl_rule *
find_rule(const char *path)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		size_t n = strlen(rules[i].name);

		if (rules[i].name[n - 1] == '/' ? strncmp(path, rules[i].name, n) == 0
						: strcmp(path, rules[i].name) == 0)
			return &rules[i];
	}
	return NULL;
}

enum ns_kind
spec_sysctl_namespace(const char *path)
{
	const struct sysctl_rule *rule = find_rule(path);

	return rule ? rule->ns : NS_COUNT;
}

static void
check_sysctl(struct parser *parser, const struct json_value *value, const struct spec_linux *section,
	     bool has_domainname)
{
	const char *path = spec_sysctl_path(parser->arena, value->key);
	const struct sysctl_rule *rule;

	if (!path) {
		field_error_key(parser, value, "%s is not the name of a kernel parameter",
				json_quote(parser->arena, value->key));
		return;
	}
	if (strcmp(path, "kernel/hostname") == 0) {
		field_error_key(parser, value, "the property \"hostname\" sets it");
		return;
	}
	if (strcmp(path, "kernel/domainname") == 0 && has_domainname) {
		field_error_key(parser, value, "the property \"domainname\" sets it, too");
		return;
	}
	rule = find_rule(path);
	if (!rule)
		field_error_key(parser, value,
				"this kernel parameter belongs to no namespace, setting it would change the host");
	else if (!section->namespaces[rule->ns].listed || section->namespaces[rule->ns].is_own)
		field_error_key(
			parser, value, "needs a namespace of type \"%s\", or it would change the host%s",
			ns_kinds[rule->ns].word,
			section->namespaces[rule->ns].is_own ? " (that of linux.namespaces is the runtime's own)" : "");
}

void
check_sysctls(struct parser *parser, const struct json_value *config, const struct spec_linux *section)
{
	const struct json_value *sysctl = json_get(json_get(config, "linux"), "sysctl");

	bool has_domainname = json_get(config, "domainname");

	if (!sysctl || sysctl->type != JSON_OBJECT)
		return;
	for (const struct json_value *m = sysctl->first; m; m = m->next)
		if (m->key[0])
			check_sysctl(parser, m, section, has_domainname);
}
