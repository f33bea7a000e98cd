# Each target runs its seeds once in `make check`, or, after configure --enable-fuzzing, has
# libFuzzer's main(). README.md here tells how to fuzz.
FUZZ_TARGETS =
FUZZ_SHARED = tests/fuzz/fuzz.c tests/fuzz/fuzz.h tests/fuzz/replay.c
FUZZ_COMPILE = $(AM_CPPFLAGS) $(FUZZ_DEFINES)
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_MAIN)

FUZZ_TARGETS += tests/fuzz/fuzz_spec
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c $(FUZZ_SHARED)
tests_fuzz_fuzz_spec_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_spec_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_spec_LDADD = $(knarr_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_seccomp
tests_fuzz_fuzz_seccomp_SOURCES = tests/fuzz/fuzz_seccomp.c $(SECCOMP_MODEL) $(FUZZ_SHARED)
tests_fuzz_fuzz_seccomp_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_seccomp_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_seccomp_LDADD = $(knarr_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_kernel
tests_fuzz_fuzz_kernel_SOURCES = tests/fuzz/fuzz_kernel.c $(FUZZ_SHARED)
tests_fuzz_fuzz_kernel_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_kernel_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_kernel_LDADD = $(knarr_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_files
tests_fuzz_fuzz_files_SOURCES = tests/fuzz/fuzz_files.c $(FUZZ_SHARED)
tests_fuzz_fuzz_files_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_files_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_files_LDADD = $(knarr_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_messages
tests_fuzz_fuzz_messages_SOURCES = tests/fuzz/fuzz_messages.c $(FUZZ_SHARED)
tests_fuzz_fuzz_messages_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_messages_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_messages_LDADD = $(knarr_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_words
tests_fuzz_fuzz_words_SOURCES = tests/fuzz/fuzz_words.c $(FUZZ_SHARED) runtime/duration.c runtime/number.c \
	runtime/options.c runtime/signal_name.c
tests_fuzz_fuzz_words_CPPFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_words_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_words_LDADD = $(knarr_LDADD)
check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/run.sh tests/fuzz/spec.dict tests/fuzz/text.dict tests/fuzz/corpus
