/* Sizes for people. */
#ifndef KNARR_BASE_SIZE_TEXT_H
#define KNARR_BASE_SIZE_TEXT_H

#include <stdint.h>

#define SIZE_TEXT_MAX 32

/* Writes bytes with the largest unit of 1024 that leaves at least 1 ("64 MiB",
 * "1.5 GiB", "512 B"), cut to one decimal, into buf of SIZE_TEXT_MAX bytes. Returns buf. */
const char *size_text(uint64_t bytes, char *buf);

#endif
