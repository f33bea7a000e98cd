/* oci-spec/config_edit.h: what an update and live mounts leave in the saved config. */
#include <stdio.h>
#include <string.h>

#include "oci-spec/config_edit.h"

static int failed;

#define CHECK_TEXT(found, wanted)                                                                                      \
	do {                                                                                                           \
		const char *text_ = (found);                                                                           \
		if (!text_ || strcmp(text_, (wanted)) != 0) {                                                          \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, text_ ? text_ : "NULL");                    \
			failed = 1;                                                                                    \
		}                                                                                                      \
	} while (0)

static char *
edit(struct arena *a, const char *config, const char *changes)
{
	struct spec_report report = { 0 };
	struct spec_resources *r = NULL;

	if (spec_parse_resources(changes, strlen(changes), a, &report, &r) < 0) {
		fprintf(stderr, "no resources: %s\n", changes);
		failed = 1;
		return NULL;
	}
	return config_edit_resources(a, config, strlen(config), r, NULL);
}

static char *
edit_mounts(struct arena *a, const char *config, const char *changes, bool add)
{
	struct spec_report report = { 0 };
	struct spec_mount *mounts = NULL;
	size_t n = 0;

	if (spec_parse_mounts(changes, strlen(changes), a, &report, &mounts, &n) < 0) {
		fprintf(stderr, "no mounts: %s\n", changes);
		failed = 1;
		return NULL;
	}
	return config_edit_mounts(a, config, strlen(config), mounts, n, add);
}

/* What is not touched stays: unknown members, numbers as written, escapes, null. */
static void
test_rest_stays(void)
{
	auto_arena struct arena a = { 0 };

	CHECK_TEXT(edit(&a,
			"{\"x\": [1.50e3, \"a\\u0001\\\"\", null, true], \"linux\": {\"y\": {}, \"resources\": "
			"{\"z\": 1, \"memory\": {\"limit\": 5, \"swap\": 7}}}}",
			"{\"memory\": {\"limit\": 6}, \"pids\": {\"limit\": 0}}"),
		   "{\"x\":[1.50e3,\"a\\u0001\\\"\",null,true],\"linux\":{\"y\":{},\"resources\":{\"z\":1,\"memory\":"
		   "{\"limit\":6,\"swap\":7},\"pids\":{\"limit\":0}}}}");
}

static void
test_missing(void)
{
	auto_arena struct arena a = { 0 };

	CHECK_TEXT(edit(&a, "{}", "{\"cpu\": {\"quota\": -1, \"cpus\": \"0-1\"}}"),
		   "{\"linux\":{\"resources\":{\"cpu\":{\"quota\":-1,\"cpus\":\"0-1\"}}}}");
	CHECK_TEXT(edit(&a, "{\"linux\":{\"resources\":{\"cpu\":null}}}", "{\"cpu\": {\"idle\": 0}}"),
		   "{\"linux\":{\"resources\":{\"cpu\":{\"idle\":0}}}}");
	CHECK_TEXT(edit(&a, "{\"linux\":{\"resources\":{\"cpu\":{\"burst\":5}}}}",
			"{\"cpu\": {\"burst\": 0}, \"memory\": {\"reservation\": 0}}"),
		   "{\"linux\":{\"resources\":{\"cpu\":{\"burst\":0},\"memory\":{\"reservation\":0}}}}");
}

/* Zeros that mean "as it is", and device rules, change nothing. */
static void
test_nothing(void)
{
	auto_arena struct arena a = { 0 };

	if (edit(&a, "{}",
		 "{\"devices\": [{\"allow\": false}], \"memory\": {\"limit\": 0, \"swap\": 0}, "
		 "\"cpu\": {\"shares\": 0, \"quota\": 0, \"period\": 0, \"cpus\": \"\", \"mems\": \"\"}, "
		 "\"blockIO\": {\"weight\": 0}}")) {
		fprintf(stderr, "%s:%d: something changed\n", __FILE__, __LINE__);
		failed = 1;
	}
}

static void
test_lists(void)
{
	auto_arena struct arena a = { 0 };

	CHECK_TEXT(edit(&a,
			"{\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},"
			"{\"pageSize\":\"1GB\",\"limit\":2}],\"unified\":{\"a.b\":\"1\",\"c.d\":\"2\"}}}}",
			"{\"hugepageLimits\": [{\"pageSize\": \"1GB\", \"limit\": 18446744073709551615},"
			"{\"pageSize\": \"64KB\", \"limit\": 4}], \"unified\": {\"c.d\": \"max\"},"
			"\"rdma\": {\"mlx\": {\"hcaHandles\": 3}},"
			"\"blockIO\": {\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": 20}]}}"),
		   "{\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},"
		   "{\"pageSize\":\"1GB\",\"limit\":18446744073709551615},{\"pageSize\":\"64KB\",\"limit\":4}],"
		   "\"unified\":{\"a.b\":\"1\",\"c.d\":\"max\"},"
		   "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":20}]},"
		   "\"rdma\":{\"mlx\":{\"hcaHandles\":3}}}}}");
}

static void
test_schemas(void)
{
	auto_arena struct arena a = { 0 };
	char l3[] = "L3:0=f";
	const struct spec_intel_rdt rdt = { .l3_cache_schema = l3 };
	const struct spec_resources none = { 0 };
	const char *config = "{\"linux\":{\"intelRdt\":{\"closID\":\"x\",\"memBwSchema\":\"MB:0=5\"}}}";

	CHECK_TEXT(config_edit_resources(&a, config, strlen(config), &none, &rdt),
		   "{\"linux\":{\"intelRdt\":{\"closID\":\"x\",\"memBwSchema\":\"MB:0=5\",\"l3CacheSchema\":\"L3:0=f\"}"
		   "}}");
}

static void
test_mounts(void)
{
	auto_arena struct arena a = { 0 };
	const char *one = "[{\"destination\": \"/a\", \"type\": \"bind\", \"source\": \"/s\", \"options\": [\"ro\"], "
			  "\"uidMappings\": [{\"containerID\": 0, \"hostID\": 7, \"size\": 1}], "
			  "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 7, \"size\": 1}]}]";
	char *text = edit_mounts(&a, "{\"mounts\":[{\"destination\":\"/a\"}]}", one, true);

	CHECK_TEXT(text, "{\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/a\",\"type\":\"bind\","
			 "\"source\":\"/s\",\"options\":[\"ro\"],"
			 "\"uidMappings\":[{\"containerID\":0,\"hostID\":7,\"size\":1}],"
			 "\"gidMappings\":[{\"containerID\":0,\"hostID\":7,\"size\":1}]}]}");
	/* The last one goes. */
	CHECK_TEXT(edit_mounts(&a, text, one, false), "{\"mounts\":[{\"destination\":\"/a\"}]}");
	CHECK_TEXT(edit_mounts(&a, "{\"mounts\":null}", "[{\"destination\": \"/b\"}]", true),
		   "{\"mounts\":[{\"destination\":\"/b\"}]}");
	CHECK_TEXT(edit_mounts(&a, "{}", one, false), "{\"mounts\":[]}");
}

int
main(void)
{
	test_rest_stays();
	test_missing();
	test_nothing();
	test_lists();
	test_schemas();
	test_mounts();
	return failed;
}
