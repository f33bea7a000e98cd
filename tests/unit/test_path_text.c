/* Paths as text: path_clean(), path_is_in(), path_absolute(). */
#include <string.h>

#include "namespaces/mount/path_text.h"
#include "tests/unit/check.h"

static void
test_path_text(void)
{
	static const struct {
		const char *path, *clean;
	} rows[] = {
		{ "", "/" },	      { "/", "/" },
		{ "//", "/" },	      { ".", "/" },
		{ "..", "/" },	      { "/..", "/" },
		{ "a", "/a" },	      { "a/", "/a" },
		{ "/a//b/", "/a/b" }, { "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },  { "/a/b/../../..", "/" },
		{ "/...", "/..." },   { "/.a/..b", "/.a/..b" },
		{ "../../x", "/x" },  { "/a/..", "/" },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(strcmp(path_clean(&a, rows[i].path), rows[i].clean) == 0, "'%s' became '%s'", rows[i].path,
		      path_clean(&a, rows[i].path));
	CHECK(path_is_in("/a", "/a") && path_is_in("/a/b", "/a") && path_is_in("/a", "/"), "inside");
	CHECK(!path_is_in("/ab", "/a") && !path_is_in("/", "/a"), "outside");
	CHECK(strcmp(path_absolute(&a, "/b", "x"), "/b/x") == 0 && strcmp(path_absolute(&a, "/b", "/x"), "/x") == 0,
	      "absolute");
}

int
main(void)
{
	test_path_text();
	return failed;
}
