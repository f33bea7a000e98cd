/* Theory of operation: see err.h. Nothing here allocates: every function is
 * also called by the container's init between clone and execve. */
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
err_clear(struct err *e)
{
	e->code = 0;
	e->step = ERR_NO_STEP;
	e->reserved = 0;
	e->msg[0] = '\0';
}

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -code;
}

int
err_plain(struct err *e, const char *fmt, ...)
{
	va_list ap;

	e->code = 0;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	size_t n;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", old);
	return e->code ? -e->code : -EINVAL;
}

/* strerror() may allocate and translate; the kernel's own names are few and
 * fixed, and the tables of the C library behind strerrordesc_np() are static. */
const char *
err_reason(int code)
{
	static char text[128];
#ifdef HAVE_STRERRORDESC_NP
	const char *desc = strerrordesc_np(code);
#else
	const char *desc = strerror(code);
#endif

	if (!desc) {
		snprintf(text, sizeof(text), "error %d", code);
		return text;
	}
	snprintf(text, sizeof(text), "%s", desc);
	/* "Invalid argument" but not "RFS specific error": only words. */
	if (isupper((unsigned char)text[0]) && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

const char *
err_format(const struct err *e, char *buf, size_t size)
{
	if (e->code)
		snprintf(buf, size, "%s: %s", e->msg, err_reason(e->code));
	else
		snprintf(buf, size, "%s", e->msg);
	return buf;
}
