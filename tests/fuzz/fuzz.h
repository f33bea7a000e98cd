/* What the fuzz targets share. An input is a letter, which chooses the parser, and then what that
 * parser reads:
 *
 *	static const struct fuzz_parser parsers[] = { { 'm', fuzz_mountinfo }, … };
 *	FUZZ_TARGET(parsers, "kernel")
 *
 * With -DFUZZ_REPLAY a target has a main() that runs the files named on its command line once
 * each, or the seed corpus when none is named (in `make check`). */
#ifndef KNARR_TESTS_FUZZ_FUZZ_H
#define KNARR_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_MAX 65536 /* bytes of an input */

struct fuzz_parser {
	char letter;
	/* len bytes and a NUL behind them, in a block of their own, so that whoever reads beyond is seen.
	 * It may be written to. */
	void (*run)(char *text, size_t len);
};

/* Runs the parser that the first byte names; any other input is passed over. Afterwards no
 * descriptor may be left open. */
void fuzz_run(const struct fuzz_parser *parsers, size_t n, const uint8_t *data, size_t size);

/* Ends the program, for the fuzzer to report, unless what must hold does. */
#define FUZZ_MUST(condition) fuzz_must((condition), __FILE__, __LINE__, #condition)
void fuzz_must(bool holds, const char *file, int line, const char *what);

/* Cuts the first line off *text, without its end; "" when there is none. */
char *fuzz_line(char **text);

/* A file with this text, open for reading from its beginning; the caller's. */
int fuzz_file(const char *text, size_t len);

/* A directory of this process, which is removed at its end: the caller's descriptor, and
 * its path. */
int fuzz_directory(void);
const char *fuzz_directory_path(void);

/* Fills the directory with the files of the list (NULL: the end) that the text has, and with no
 * other: a line "--- NAME" begins one. */
void fuzz_fill(const char *const *names, char *text);

/* One end of a socket pair whose other end has sent packets and is *ret_peer, both the caller's,
 * which do not wait. A packet is a byte with its length, one with how many descriptors come along,
 * and so many bytes. */
int fuzz_packets(const char *data, size_t len, int *ret_peer);

/* Of each target; called by libFuzzer's main(), or by fuzz_replay(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Runs the files, of at most max bytes, that the arguments name, or all of the directory corpus below
 * tests/fuzz/corpus. What main() returns. */
int fuzz_replay(int argc, char **argv, const char *corpus, size_t max);

#ifdef FUZZ_REPLAY
#define FUZZ_MAIN(corpus, max)                                                                                         \
	int main(int argc, char **argv)                                                                                \
	{                                                                                                              \
		return fuzz_replay(argc, argv, corpus, max);                                                           \
	}
#else
#define FUZZ_MAIN(corpus, max)
#endif

#define FUZZ_TARGET(parsers, corpus)                                                                                   \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                                                   \
	{                                                                                                              \
		fuzz_run(parsers, sizeof(parsers) / sizeof((parsers)[0]), data, size);                                 \
		return 0;                                                                                              \
	}                                                                                                              \
	FUZZ_MAIN(corpus, FUZZ_MAX)

#endif
