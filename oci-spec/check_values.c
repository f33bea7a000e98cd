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
version_number(const char *text, unsigned *ret_number)
{
	unsigned n = 0;

	if (!isdigit((unsigned char)*text) || (text[0] == '0' && isdigit((unsigned char)text[1])))
		return NULL;
	for (; isdigit((unsigned char)*text); text++)
		n = n > 100000 ? n : n * 10 + (unsigned)(*text - '0');
	*ret_number = n;
	return text;
}

/* Dot-separated words of letters, digits and '-'; in a pre-release, a word of
 * digits has no leading zero. Ends at `end` or at the end of s. */
static const char *
version_words(const char *text, char end, bool prerelease)
{
	for (;;) {
		size_t n = 0, digits = strspn(text, "0123456789");

		while (isalnum((unsigned char)text[n]) || text[n] == '-')
			n++;
		if (n == 0 || (prerelease && digits == n && n > 1 && text[0] == '0'))
			return NULL;
		text += n;
		if (*text != '.')
			return *text == '\0' || *text == end ? text : NULL;
		text++;
	}
}

/* SemVer 2.0.0: MAJOR.MINOR.PATCH[-pre.release][+build]. */
static bool
version_parse(const char *text, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned patch;

	if (!(text = version_number(text, ret_major)) || *text++ != '.' || !(text = version_number(text, ret_minor)) ||
	    *text++ != '.' || !(text = version_number(text, &patch)))
		return false;
	if (*text == '-' && !(text = version_words(text + 1, '+', true)))
		return false;
	if (*text == '+' && !(text = version_words(text + 1, '\0', false)))
		return false;
	return *text == '\0';
}

void
check_version(struct parser *parser, const struct json_value *value)
{
	unsigned major, minor, own_major, own_minor;

	if (!value || value->type != JSON_STRING || value->broken ||
	    !version_parse(OCI_VERSION, &own_major, &own_minor))
		return;
	if (!version_parse(value->text, &major, &minor))
		field_error_at(parser, value, "expected a version like \"" OCI_VERSION "\", found %s",
			       json_quote(parser->arena, value->text));
	else if (major != own_major)
		field_error_at(parser, value, "version %s is not supported, expected %u.x", value->text, own_major);
	else if (minor > own_minor)
		field_warn_at(parser, value, "version %s is newer than %s, new properties are ignored", value->text,
			      OCI_VERSION);
}

bool
check_version_is_before(const char *version, unsigned minor)
{
	unsigned own_major, own_minor;

	return version_parse(version, &own_major, &own_minor) && own_major == 1 && own_minor < minor;
}

/* ---- lists of numbers ------------------------------------------------ */

/* A decimal number of at most five digits, with spaces around it; NULL: none. */
static const char *
list_number(const char *text, unsigned *ret_number)
{
	unsigned n = 0;
	size_t digits;

	text += strspn(text, " ");
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5)
		return NULL;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (unsigned)(text[i] - '0');
	*ret_number = n;
	text += digits;
	return text + strspn(text, " ");
}

static bool
is_number_list(const char *text)
{
	unsigned first, last;

	if (text[strspn(text, " ")] == '\0')
		return true;
	for (;;) {
		if (!(text = list_number(text, &first)))
			return false;
		if (*text == '-' && (!(text = list_number(text + 1, &last)) || last < first))
			return false;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

void
check_number_list(struct parser *parser, const struct json_value *value)
{
	if (value && value->type == JSON_STRING && !value->broken && !is_number_list(value->text))
		field_error_at(parser, value, "expected a list like \"0-3,7\", found %s",
			       json_quote(parser->arena, value->text));
}

/* ---- id mappings ----------------------------------------------------- */

#define MAPPINGS_MAX 340 /* user_namespaces(7), since Linux 4.15 */

static bool
overlaps(uint32_t first, uint32_t a_size, uint32_t second, uint32_t b_size)
{
	return (uint64_t)first < (uint64_t)second + b_size && (uint64_t)second < (uint64_t)first + a_size;
}

static void
check_mapping(struct parser *parser, const struct json_value *value, const struct spec_id_mapping *maps, size_t i)
{
	const struct spec_id_mapping *m = &maps[i];
	const uint64_t end = (uint64_t)ID_MAX + 1;

	if ((uint64_t)m->container_id + m->size > end || (uint64_t)m->host_id + m->size > end) {
		field_error_member(parser, value, "size", "the range goes beyond the largest id %u", ID_MAX);
		return;
	}
	for (size_t j = 0; j < i; j++) {
		if (overlaps(m->container_id, m->size, maps[j].container_id, maps[j].size))
			field_error_member(parser, value, "containerID", "the range overlaps that of entry %zu", j);
		else if (overlaps(m->host_id, m->size, maps[j].host_id, maps[j].size))
			field_error_member(parser, value, "hostID", "the range overlaps that of entry %zu", j);
		else
			continue;
		return;
	}
}

void
check_id_mappings(struct parser *parser, const struct json_value *value, const struct spec_id_mappings *maps)
{
	const struct json_value *e;
	size_t i = 0;

	if (!value || value->type != JSON_ARRAY)
		return;
	if (maps->n > MAPPINGS_MAX) {
		field_error_at(parser, value, "has %zu entries, the kernel allows %d", maps->n, MAPPINGS_MAX);
		return;
	}
	for (e = value->first; e && i < maps->n; e = e->next) {
		if (e->type != JSON_OBJECT)
			continue;
		if (maps->items[i].size > 0) /* else broken, and reported */
			check_mapping(parser, e, maps->items, i);
		i++;
	}
}
