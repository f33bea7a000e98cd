/* Theory of operation: the tree of json_text.c as text again. Strings are decoded in
 * the tree and escaped anew; numbers keep their digits. */
#include "oci-spec/json_text.h"

void
json_write(struct json_out *j, const struct json_value *value)
{
	switch (value->type) {
	case JSON_NULL:
		json_out_string(j, NULL);
		return;
	case JSON_BOOL:
		json_out_bool(j, value->boolean);
		return;
	case JSON_NUMBER:
		json_out_number(j, value->text);
		return;
	case JSON_STRING:
		json_out_string(j, value->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	json_out_open(j, value->type == JSON_ARRAY ? '[' : '{');
	for (const struct json_value *m = value->first; m; m = m->next) {
		if (m->key)
			json_out_key(j, m->key);
		json_write(j, m);
	}
	json_out_close(j, value->type == JSON_ARRAY ? ']' : '}');
}
