/* The environment of a program: a name given twice, names that begin alike, entries
 * without '=', what is put and removed afterwards. */
#include <string.h>

#include "libcontainer/process/environment.h"
#include "tests/unit/check.h"

static struct arena arena;

/* The entries with blanks between them. */
static const char *
joined(const struct environment *e)
{
	const char *text = "";

	for (size_t i = 0; i < e->n; i++)
		text = arena_printf(&arena, "%s%s%s", text, i ? " " : "", e->items[i]);
	return text;
}

static struct environment
make(const char *const *items, size_t n)
{
	struct spec_strings list = { .items = (char **)(uintptr_t)items, .n = n };

	return environment_of(&arena, &list, /* more= */ 2);
}

static void
test_repeated(void)
{
	static const struct {
		const char *items[6];
		const char *result;
	} rows[] = {
		{ { NULL }, "" },
		{ { "A=1" }, "A=1" },
		{ { "A=1", "B=2", "A=3" }, "A=3 B=2" },
		{ { "B=1", "A=2", "B=3", "A=4", "B=5" }, "B=5 A=4" },
		{ { "AB=1", "A=2", "ABC=3", "A=4", "AB=5" }, "AB=5 A=4 ABC=3" },
		{ { "A=", "A==", "A" }, "A== A" },
		{ { "A", "A", "A=1" }, "A A A=1" },
		{ { "=1", "=2", "=" }, "=" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct environment e;
		size_t n = 0;

		while (rows[i].items[n])
			n++;
		e = make(rows[i].items, n);
		CHECK(strcmp(joined(&e), rows[i].result) == 0, "row %zu: '%s'", i, joined(&e));
	}
}

static void
test_changes(void)
{
	static const char *const items[] = { "A=1", "HOME=/", "B=2" };
	struct environment e = make(items, 3);

	environment_put(&e, "HOME=/root");
	environment_put(&e, "C=3");
	environment_remove(&e, "A");
	environment_remove(&e, "NONE");
	CHECK(strcmp(joined(&e), "HOME=/root B=2 C=3") == 0, "'%s'", joined(&e));
}

/* All alike but for their last bytes, in an order that a naive sort dislikes. */
static void
test_many(void)
{
	enum { N = 20000 };
	const char **items = arena_array(&arena, N, sizeof(*items));
	struct environment e;

	for (int i = 0; i < N; i++)
		items[i] = arena_printf(&arena, "A_LONG_NAME_%d=%d", i % (N / 2), i);
	e = make(items, N);
	CHECK(e.n == N / 2 && strcmp(e.items[0], "A_LONG_NAME_0=10000") == 0 &&
	      strcmp(e.items[N / 2 - 1], "A_LONG_NAME_9999=19999") == 0);
}

int
main(void)
{
	test_repeated();
	test_changes();
	test_many();
	arena_free(&arena);
	return failed;
}
