/* criu_resp of CRIU's images/rpc.proto, with the two messages in it that say a pid. Fields
 * that are not asked for here are skipped. */
#include "libcontainer/checkpoint/criu_reply.h"

#include <errno.h>

#include "base/protobuf.h"

enum { RESP_TYPE = 1, RESP_SUCCESS = 2, RESP_RESTORE = 4, RESP_NOTIFY = 5, RESP_ERRMSG = 9 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };
enum { RESTORE_PID = 1 };

/* It is signalled and waited for: -1, which CRIU says of a restore that failed, would mean
 * every process. */
static pid_t
take_pid(const struct protobuf_field *field)
{
	return field->value <= INT32_MAX ? (pid_t)field->value : 0;
}

static int
parse_notify(struct arena *a, const struct protobuf_field *outer, struct criu_reply *reply)
{
	struct protobuf_reader reader = { outer->data, outer->len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0) {
		if (f.number == NOTIFY_SCRIPT)
			reply->event = protobuf_text(a, &f);
		if (f.number == NOTIFY_PID)
			reply->pid = take_pid(&f);
	}
	return n;
}

static int
parse_restore(const struct protobuf_field *outer, struct criu_reply *reply)
{
	struct protobuf_reader reader = { outer->data, outer->len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0)
		if (f.number == RESTORE_PID)
			reply->pid = take_pid(&f);
	return n;
}

int
criu_reply_parse(struct arena *a, const unsigned char *data, size_t len, struct criu_reply *reply)
{
	struct protobuf_reader reader = { data, len };
	struct protobuf_field f;
	int n;

	while ((n = protobuf_next(&reader, &f)) > 0) {
		if (f.number == RESP_TYPE)
			reply->type = f.value;
		if (f.number == RESP_SUCCESS)
			reply->success = f.value;
		if (f.number == RESP_ERRMSG)
			reply->message = protobuf_text(a, &f);
		if (f.number == RESP_NOTIFY && parse_notify(a, &f, reply) < 0)
			return -EBADMSG;
		if (f.number == RESP_RESTORE && parse_restore(&f, reply) < 0)
			return -EBADMSG;
	}
	return n;
}
