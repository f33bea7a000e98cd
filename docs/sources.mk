# Man pages: prose by hand in docs/man/*.md, the rest from the help texts of the
# program (docs/gen-man.sh). They are made again when a table changes, but not
# whenever the program is linked: a tarball carries them, and needs no pandoc.
man_pages = \
	docs/man/knarr.1 \
	docs/man/knarr-check.1 \
	docs/man/knarr-checkpoint.1 \
	docs/man/knarr-completion.1 \
	docs/man/knarr-create.1 \
	docs/man/knarr-delete.1 \
	docs/man/knarr-events.1 \
	docs/man/knarr-exec.1 \
	docs/man/knarr-features.1 \
	docs/man/knarr-help.1 \
	docs/man/knarr-kill.1 \
	docs/man/knarr-list.1 \
	docs/man/knarr-mounts.1 \
	docs/man/knarr-pause.1 \
	docs/man/knarr-plan.1 \
	docs/man/knarr-ps.1 \
	docs/man/knarr-restore.1 \
	docs/man/knarr-resume.1 \
	docs/man/knarr-run.1 \
	docs/man/knarr-spec.1 \
	docs/man/knarr-start.1 \
	docs/man/knarr-state.1 \
	docs/man/knarr-stats.1 \
	docs/man/knarr-update.1 \
	docs/man/knarr-version.1 \
	docs/man/knarr-wait.1
EXTRA_DIST += docs/annotations.md
EXTRA_DIST += docs/gen-options.sh docs/options.tsv docs/options.md docs/help-rows.awk
EXTRA_DIST += docs/gen-screens.sh docs/install.md docs/systemd.md docs/check.svg docs/plan.svg
EXTRA_DIST += contrib docs/clients.md
EXTRA_DIST += docs/limits-table.md
EXTRA_DIST += docs/gen-man.sh docs/limits.md docs/performance.md docs/security.md docs/spec-conformance.md docs/state.md $(man_pages:.1=.md)

if HAVE_MAN
dist_man1_MANS = $(man_pages)
endif

SUFFIXES = .md .1
.md.1:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && PANDOC='$(PANDOC)' $(top_srcdir)/docs/gen-man.sh ./knarr$(EXEEXT) $< >$@.tmp && mv $@.tmp $@
$(man_pages): docs/gen-man.sh docs/help-rows.awk runtime/help.c runtime/commands.c runtime/create_options.h | knarr$(EXEEXT)
docs/man/knarr-check.1: runtime/cmd_check.c
docs/man/knarr-checkpoint.1: runtime/cmd_checkpoint.c runtime/criu_options.h
docs/man/knarr-completion.1: runtime/cmd_completion.c
docs/man/knarr-create.1: runtime/cmd_create.c
docs/man/knarr-delete.1: runtime/cmd_delete.c
docs/man/knarr-events.1: runtime/cmd_events.c
docs/man/knarr-exec.1: runtime/cmd_exec.c
docs/man/knarr-features.1: runtime/cmd_features.c
docs/man/knarr-help.1: runtime/cmd_help.c
docs/man/knarr-kill.1: runtime/cmd_kill.c
docs/man/knarr-list.1: runtime/cmd_list.c
docs/man/knarr-mounts.1: runtime/cmd_mounts.c
docs/man/knarr-pause.1: runtime/cmd_pause.c
docs/man/knarr-plan.1: runtime/cmd_plan.c
docs/man/knarr-ps.1: runtime/cmd_ps.c
docs/man/knarr-restore.1: runtime/cmd_restore.c runtime/criu_options.h
docs/man/knarr-resume.1: runtime/cmd_resume.c
docs/man/knarr-run.1: runtime/cmd_run.c
docs/man/knarr-spec.1: runtime/cmd_spec.c
docs/man/knarr-start.1: runtime/cmd_start.c
docs/man/knarr-state.1: runtime/cmd_state.c
docs/man/knarr-stats.1: runtime/cmd_stats.c
docs/man/knarr-update.1: runtime/cmd_update.c
docs/man/knarr-version.1: runtime/cmd_version.c
docs/man/knarr-wait.1: runtime/cmd_wait.c
MAINTAINERCLEANFILES = $(man_pages)
