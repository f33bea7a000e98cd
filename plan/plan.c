/* Building and sealing plans.
 *
 * The builder grows three arrays (steps, alternates, sources) and one blob in
 * an arena. Sealing lays them out in a single anonymous mapping
 *
 *     struct plan | steps … alternates … | sources | blob
 *
 * and takes away the right to write it. The mapping is inherited by the child,
 * at the same address, so the three pointers in struct plan hold there too. */
#include "plan/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#define BLOB_ALIGN 8
#define MAX_STEPS  60000

void
plan_begin(struct plan_builder *b, struct arena *a)
{
	memset(b, 0, sizeof(*b));
	b->arena = a;
	b->blob_cap = 4096;
	b->blob = arena_alloc(a, b->blob_cap);
	b->blob_len = BLOB_ALIGN; /* offset 0 means "no string" */
}

/* Room for one more item in an array of the arena. */
static void *
reserve(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	size_t old = *cap;

	if (n < old)
		return items;
	*cap = old ? old * 2 : 64;
	return arena_grow(a, items, old * size, *cap * size);
}

static uint32_t
blob_append(struct plan_builder *b, const void *data, size_t len)
{
	size_t at = b->blob_len;

	if (b->blob_cap - at < len) {
		size_t cap = b->blob_cap * 2;

		while (cap - at < len)
			cap *= 2;
		b->blob = arena_grow(b->arena, b->blob, at, cap);
		b->blob_cap = cap;
	}
	if (len)
		memcpy(b->blob + at, data, len);
	b->blob_len = at + len;
	return (uint32_t)at;
}

plan_str
plan_string(struct plan_builder *b, const char *text)
{
	return text ? blob_append(b, text, strlen(text) + 1) : 0;
}

struct plan_strv
plan_strings(struct plan_builder *b, const char *const *items, size_t n)
{
	struct plan_strv v = { (uint32_t)b->blob_len, (uint32_t)n };

	for (size_t i = 0; i < n; i++)
		plan_string(b, items[i]);
	return v;
}

struct plan_bytes
plan_data(struct plan_builder *b, const void *data, size_t len)
{
	static const char zeros[BLOB_ALIGN];
	size_t rest = b->blob_len % BLOB_ALIGN;
	struct plan_bytes r;

	if (rest)
		blob_append(b, zeros, BLOB_ALIGN - rest);
	r.off = blob_append(b, data, len);
	r.len = (uint32_t)len;
	return r;
}

struct plan_step *
plan_add(struct plan_builder *b, enum plan_kind kind, const char *what, ...)
{
	struct plan_step *s;
	va_list ap;

	b->steps = reserve(b->arena, b->steps, b->n_steps, &b->cap_steps, sizeof(*s));
	s = &b->steps[b->n_steps++];
	memset(s, 0, sizeof(*s));
	s->kind = (uint8_t)kind;
	va_start(ap, what);
	s->what = plan_string(b, arena_vprintf(b->arena, what, ap));
	va_end(ap);
	return s;
}

void
plan_alternate(struct plan_builder *b, uint32_t errnos, const struct plan_step *alt)
{
	struct plan_step *s = &b->steps[b->n_steps - 1];

	b->alts = reserve(b->arena, b->alts, b->n_alts, &b->cap_alts, sizeof(*alt));
	b->alts[b->n_alts] = *alt;
	s->on_error = PLAN_ALT;
	s->errnos = errnos;
	s->alt = (uint16_t)b->n_alts++; /* plan_seal() adds the number of steps */
}

uint16_t
plan_add_source(struct plan_builder *b, const char *path, bool recursive, bool nofollow, plan_str what)
{
	struct plan_source *src;

	b->sources = reserve(b->arena, b->sources, b->n_sources, &b->cap_sources, sizeof(*src));
	src = &b->sources[b->n_sources];
	*src = (struct plan_source){
		.slot = (uint16_t)(PLAN_FD_SOURCES + b->n_sources),
		.recursive = recursive,
		.nofollow = nofollow,
		.path = plan_string(b, path),
		.what = what,
	};
	b->n_sources++;
	return src->slot;
}

static uint16_t *
held_of(struct plan_step *step)
{
	return step->kind == PLAN_MOUNT_FS ? &step->u.mount_fs.held : &step->u.mount_bind.held;
}

uint16_t
plan_hold(struct plan_builder *b, size_t i)
{
	struct plan_step *step = &b->steps[i];
	uint16_t *slot = held_of(step);

	if (!*slot)
		*slot = (uint16_t)(PLAN_FD_MAX - ++b->n_held);
	if (step->on_error == PLAN_ALT)
		*held_of(&b->alts[step->alt]) = *slot;
	return *slot;
}

static int
check_sizes(const struct plan_builder *b, struct err *err)
{
	if (b->n_steps + b->n_alts > MAX_STEPS) {
		err_plain(err, "the config needs %zu set-up steps, the limit is %d", b->n_steps + b->n_alts, MAX_STEPS);
		return -E2BIG;
	}
	if (PLAN_FD_SOURCES + b->n_sources > PLAN_FD_MAX) {
		err_plain(err, "mounts: %zu bind sources that the runtime has to open, the limit is %d", b->n_sources,
			  PLAN_FD_MAX - PLAN_FD_SOURCES);
		return -E2BIG;
	}
	if (PLAN_FD_SOURCES + b->n_sources + b->n_held > PLAN_FD_MAX) {
		err_plain(err,
			  "mounts: %zu bind sources that the runtime has to open and %zu mounts that it has to keep "
			  "open, the limit is %d",
			  b->n_sources, b->n_held, PLAN_FD_MAX - PLAN_FD_SOURCES);
		return -E2BIG;
	}
	if (b->blob_len > UINT32_MAX / 2) {
		err_plain(err, "the config holds %zu bytes of strings, the limit is %u", b->blob_len, UINT32_MAX / 2);
		return -E2BIG;
	}
	return 0;
}

int
plan_seal(const struct plan_builder *b, struct err *err, struct plan **ret_plan)
{
	size_t n_all = b->n_steps + b->n_alts;
	size_t steps_at = (sizeof(struct plan) + BLOB_ALIGN - 1) / BLOB_ALIGN * BLOB_ALIGN;
	size_t sources_at = steps_at + n_all * sizeof(struct plan_step);
	size_t blob_at =
		(sources_at + b->n_sources * sizeof(struct plan_source) + BLOB_ALIGN - 1) / BLOB_ALIGN * BLOB_ALIGN;
	size_t size = blob_at + b->blob_len;
	struct plan_step *steps;
	struct plan *p;
	int r = check_sizes(b, err);

	if (r < 0)
		return r;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_set(err, errno, "map %zu bytes for the plan", size);

	steps = (struct plan_step *)((char *)p + steps_at);
	if (b->n_steps)
		memcpy(steps, b->steps, b->n_steps * sizeof(*steps));
	if (b->n_alts)
		memcpy(steps + b->n_steps, b->alts, b->n_alts * sizeof(*steps));
	for (size_t i = 0; i < b->n_steps; i++)
		if (steps[i].on_error == PLAN_ALT)
			steps[i].alt = (uint16_t)(steps[i].alt + b->n_steps);
	if (b->n_sources)
		memcpy((char *)p + sources_at, b->sources, b->n_sources * sizeof(*b->sources));
	memcpy((char *)p + blob_at, b->blob, b->blob_len);

	*p = (struct plan){
		.size = size,
		.n_steps = (uint32_t)b->n_steps,
		.n_sources = (uint32_t)b->n_sources,
		.spawn = b->spawn,
		.steps = steps,
		.sources = (struct plan_source *)((char *)p + sources_at),
		.blob = (char *)p + blob_at,
	};
	if (mprotect(p, size, PROT_READ) < 0) {
		r = err_set(err, errno, "seal the plan");
		munmap(p, size);
		return r;
	}
	*ret_plan = p;
	return 0;
}

void
plan_free(struct plan *plan)
{
	if (plan)
		munmap(plan, plan->size);
}

const char *
plan_next(const char *text)
{
	return text + strlen(text) + 1;
}

int
plan_vector(const struct plan *plan, struct plan_strv vector, const char **vec, size_t max)
{
	const char *s = plan_first(plan, vector);

	if (vector.n >= max)
		return -E2BIG;
	for (uint32_t i = 0; i < vector.n; i++, s = plan_next(s))
		vec[i] = s;
	vec[vector.n] = NULL;
	return (int)vector.n;
}

uint32_t
plan_errno_bit(int code)
{
	switch (code) {
	case EPERM:
		return PLAN_EPERM;
	case EACCES:
		return PLAN_EACCES;
	case ENOENT:
		return PLAN_ENOENT;
	case EINVAL:
		return PLAN_EINVAL;
	case ENOSYS:
		return PLAN_ENOSYS;
	case EROFS:
		return PLAN_EROFS;
	case EOPNOTSUPP:
		return PLAN_EOPNOTSUPP;
	case EBUSY:
		return PLAN_EBUSY;
	case ENODEV:
		return PLAN_ENODEV;
	case ENOTDIR:
		return PLAN_ENOTDIR;
	case ELOOP:
		return PLAN_ELOOP;
	}
	return 0;
}
