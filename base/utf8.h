/* Well-formed UTF-8, as strict as Unicode is (table 3-7): no overlong form, no
 * surrogate, nothing above U+10FFFF. */
#ifndef KNARR_BASE_UTF8_H
#define KNARR_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character at text (1 to 4), or 0 when it is not well-formed. text ends
 * with a NUL byte, behind which nothing is read; NUL itself is one byte long. */
size_t utf8_char_length(const char *text);

/* Offset of the first byte of text[0..len) that is not well-formed; len when all
 * is. text[len] is readable and NUL. */
size_t utf8_first_fault(const char *text, size_t len);

#endif
