/* libcontainer/checkpoint/criu_reply.c: replies as CRIU sends them. */
#include <errno.h>
#include <string.h>

#include "base/protobuf.h"
#include "libcontainer/checkpoint/criu_reply.h"
#include "tests/unit/check.h"

enum { RESTORE = 2, NOTIFY = 6 }; /* criu_req_type */

static int
parse(struct arena *a, const struct protobuf *message, struct criu_reply *reply)
{
	*reply = (struct criu_reply){ .fd = -1 };
	return criu_reply_parse(a, message->data, message->len, reply);
}

/* {type, success, restore {pid}, cr_errmsg}; a negative pid has ten bytes. */
static void
test_response(struct arena *a, int64_t pid, pid_t taken)
{
	struct protobuf message = { .arena = a }, restore = { .arena = a };
	struct criu_reply reply;

	protobuf_put_number(&restore, 1, (uint64_t)pid);
	protobuf_put_number(&message, 1, RESTORE);
	protobuf_put_number(&message, 2, pid > 0);
	protobuf_put_message(&message, 4, &restore);
	protobuf_put_string(&message, 9, "Restoring FAILED");
	CHECK(parse(a, &message, &reply) == 0);
	CHECK(reply.type == RESTORE && reply.success == (pid > 0) && reply.pid == taken);
	CHECK(strcmp(reply.message, "Restoring FAILED") == 0 && !reply.event);
}

static void
test_notification(struct arena *a, int64_t pid, pid_t taken)
{
	struct protobuf message = { .arena = a }, notify = { .arena = a };
	struct criu_reply reply;

	protobuf_put_string(&notify, 1, "pre-resume");
	protobuf_put_number(&notify, 2, (uint64_t)pid);
	protobuf_put_number(&message, 1, NOTIFY);
	protobuf_put_number(&message, 2, 1);
	protobuf_put_message(&message, 5, &notify);
	CHECK(parse(a, &message, &reply) == 0);
	CHECK(reply.type == NOTIFY && reply.pid == taken && strcmp(reply.event, "pre-resume") == 0);
	for (size_t len = 1; len < message.len; len++) {
		struct protobuf cut = { .data = message.data, .len = message.len - len };

		CHECK(parse(a, &cut, &reply) == 0 || parse(a, &cut, &reply) == -EBADMSG);
	}
}

int
main(void)
{
	static const struct {
		int64_t pid;
		pid_t taken;
	} pids[] = { { 1, 1 },	{ 4711, 4711 }, { INT32_MAX, INT32_MAX }, { (int64_t)INT32_MAX + 1, 0 },
		     { -1, 0 }, { 0, 0 } };
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		test_response(&a, pids[i].pid, pids[i].taken);
		test_notification(&a, pids[i].pid, pids[i].taken);
	}
	return failed;
}
