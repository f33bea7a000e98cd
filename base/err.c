/* Nothing here allocates: every function is
 * also called by the container's init between clone and execve. */
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
err_clear(struct err *err)
{
	err->code = 0;
	err->step = ERR_NO_STEP;
	err->reserved = 0;
	err->msg[0] = '\0';
}

int
err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return -code;
}

int
err_plain(struct err *err, const char *fmt, ...)
{
	va_list ap;

	err->code = 0;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	size_t n;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old);
	return err->code ? -err->code : -EINVAL;
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
err_format(const struct err *err, char *buf, size_t size)
{
	if (err->code)
		snprintf(buf, size, "%s: %s", err->msg, err_reason(err->code));
	else
		snprintf(buf, size, "%s", err->msg);
	return buf;
}

int
err_hand_over(struct err_sink *sink, struct err *err, int code)
{
	if (code >= 0 || !sink)
		return code;
	sink->take(sink, err);
	err_clear(err);
	return 0;
}
