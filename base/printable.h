/* Text of configs, images and callers for people: what a terminal would take for a command
 * (ESC, CSI), for the end of a line, or for another order of the text is shown as its bytes. */
#ifndef KNARR_BASE_PRINTABLE_H
#define KNARR_BASE_PRINTABLE_H

#include <stddef.h>

#include "base/arena.h"

/* Bytes of the character at text (1 to 4); 0 when it is not to be printed: a control character,
 * one that changes the direction or is not seen, a line separator, not UTF-8, or the NUL. */
size_t printable_length(const char *text);

/* Room for the escape of a byte. */
#define PRINTABLE_ESCAPE 5

/* Fills out with the escape of that byte: "\\n", "\\t" or "\\x1b". Returns its length. */
size_t printable_escape(char byte, char out[PRINTABLE_ESCAPE]);

/* text with an escape for each byte of what is not to be printed, in the arena. One line. */
char *printable_text(struct arena *a, const char *text);

#endif
