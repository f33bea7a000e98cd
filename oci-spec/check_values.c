/* Theory of operation: values with a grammar of their own: versions, lists of
 * numbers, id mappings. */
#include <ctype.h>
#include <string.h>

#include "oci-spec/documents.h"
#include "oci-spec/parse.h"

/* ---- ociVersion ------------------------------------------------------ */

/* One number of a version: digits without a leading zero. Returns what follows
 * it, or NULL. Numbers too large to mean anything saturate. */
static const char *
version_number(const char *s, unsigned *ret_number)
{
	unsigned n = 0;

	if (!isdigit((unsigned char)*s) || (s[0] == '0' && isdigit((unsigned char)s[1])))
		return NULL;
	for (; isdigit((unsigned char)*s); s++)
		n = n > 100000 ? n : n * 10 + (unsigned)(*s - '0');
	*ret_number = n;
	return s;
}

/* Dot-separated words of letters, digits and '-'; in a pre-release, a word of
 * digits has no leading zero. Ends at `end` or at the end of s. */
static const char *
version_words(const char *s, char end, bool prerelease)
{
	for (;;) {
		size_t n = 0, digits = strspn(s, "0123456789");

		while (isalnum((unsigned char)s[n]) || s[n] == '-')
			n++;
		if (n == 0 || (prerelease && digits == n && n > 1 && s[0] == '0'))
			return NULL;
		s += n;
		if (*s != '.')
			return *s == '\0' || *s == end ? s : NULL;
		s++;
	}
}

/* SemVer 2.0.0: MAJOR.MINOR.PATCH[-pre.release][+build]. */
static bool
version_parse(const char *s, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned patch;

	if (!(s = version_number(s, ret_major)) || *s++ != '.' || !(s = version_number(s, ret_minor)) || *s++ != '.' ||
	    !(s = version_number(s, &patch)))
		return false;
	if (*s == '-' && !(s = version_words(s + 1, '+', true)))
		return false;
	if (*s == '+' && !(s = version_words(s + 1, '\0', false)))
		return false;
	return *s == '\0';
}

void
check_version(struct parser *p, const struct json_value *v)
{
	unsigned major, minor, own_major, own_minor;

	if (!v || v->type != JSON_STRING || v->broken || !version_parse(OCI_VERSION, &own_major, &own_minor))
		return;
	if (!version_parse(v->text, &major, &minor))
		error_at(p, v, "expected a version like \"" OCI_VERSION "\", found %s", json_quote(p->arena, v->text));
	else if (major != own_major)
		error_at(p, v, "version %s is not supported, expected %u.x", v->text, own_major);
	else if (minor > own_minor)
		warn_at(p, v, "version %s is newer than %s, new properties are ignored", v->text, OCI_VERSION);
}

bool
version_is_before(const char *version, unsigned minor)
{
	unsigned own_major, own_minor;

	return version_parse(version, &own_major, &own_minor) && own_major == 1 && own_minor < minor;
}

/* ---- lists of numbers ------------------------------------------------ */

/* A decimal number of at most five digits, with spaces around it; NULL: none. */
static const char *
list_number(const char *s, unsigned *ret_number)
{
	unsigned n = 0;
	size_t digits;

	s += strspn(s, " ");
	digits = strspn(s, "0123456789");
	if (digits == 0 || digits > 5)
		return NULL;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (unsigned)(s[i] - '0');
	*ret_number = n;
	s += digits;
	return s + strspn(s, " ");
}

static bool
is_number_list(const char *s)
{
	unsigned first, last;

	if (s[strspn(s, " ")] == '\0')
		return true;
	for (;;) {
		if (!(s = list_number(s, &first)))
			return false;
		if (*s == '-' && (!(s = list_number(s + 1, &last)) || last < first))
			return false;
		if (*s == '\0')
			return true;
		if (*s++ != ',')
			return false;
	}
}

void
check_number_list(struct parser *p, const struct json_value *v)
{
	if (v && v->type == JSON_STRING && !v->broken && !is_number_list(v->text))
		error_at(p, v, "expected a list like \"0-3,7\", found %s", json_quote(p->arena, v->text));
}

/* ---- id mappings ----------------------------------------------------- */

#define MAPPINGS_MAX 340 /* user_namespaces(7), since Linux 4.15 */

static bool
overlaps(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return (uint64_t)a < (uint64_t)b + b_size && (uint64_t)b < (uint64_t)a + a_size;
}

static void
check_mapping(struct parser *p, const struct json_value *v, const struct spec_id_mapping *maps, size_t i)
{
	const struct spec_id_mapping *m = &maps[i];
	const uint64_t end = (uint64_t)ID_MAX + 1;

	if ((uint64_t)m->container_id + m->size > end || (uint64_t)m->host_id + m->size > end) {
		error_member(p, v, "size", "the range goes beyond the largest id %u", ID_MAX);
		return;
	}
	for (size_t j = 0; j < i; j++) {
		if (overlaps(m->container_id, m->size, maps[j].container_id, maps[j].size))
			error_member(p, v, "containerID", "the range overlaps that of entry %zu", j);
		else if (overlaps(m->host_id, m->size, maps[j].host_id, maps[j].size))
			error_member(p, v, "hostID", "the range overlaps that of entry %zu", j);
		else
			continue;
		return;
	}
}

void
check_id_mappings(struct parser *p, const struct json_value *v, const struct spec_id_mappings *maps)
{
	const struct json_value *e;
	size_t i = 0;

	if (!v || v->type != JSON_ARRAY)
		return;
	if (maps->n > MAPPINGS_MAX) {
		error_at(p, v, "has %zu entries, the kernel allows %d", maps->n, MAPPINGS_MAX);
		return;
	}
	for (e = v->first; e && i < maps->n; e = e->next) {
		if (e->type != JSON_OBJECT)
			continue;
		if (maps->items[i].size > 0) /* else broken, and reported */
			check_mapping(p, e, maps->items, i);
		i++;
	}
}
