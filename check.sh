#!/usr/bin/env bash
# Runs every test of knarr: installs what they need (Debian and its kin; as root
# or with sudo), builds with gcc and clang, lints, and runs the unit tests and the
# tests of whole containers, then all again with sanitizers, and a release.
#
#   ./check.sh            everything
#   ./check.sh --quick    one build, lint, unit tests, container tests
#   ./check.sh --vm …     also limits, checkpoint and restore on Debian's kernel, and systemd,
#                         in virtual machines (tests/vm/run.sh alone runs these), which takes
#                         a quarter of an hour where the CPU cannot run them itself
#   ./check.sh --no-install …   do not ask for packages
#
# The fuzzers run their seeds here; `make fuzz` runs each for a minute, and `make coverage` counts lines.
#
# The last line is "N passed, N failed, N skipped"; the exit status is 1 if any
# failed. Each skip is printed with its reason. Logs lie in build-check/.

# Stages are called by name; a lane counts for itself.
# shellcheck disable=SC2317,SC2030,SC2031
set -uo pipefail
shopt -s extglob
# A caller in the background ignores SIGINT and SIGQUIT; what is tested here would too.
if [ -z "${CHECK_SIGNALS:-}" ]; then
	exec env --default-signal CHECK_SIGNALS=1 "$0" "$@"
fi
cd "$(dirname "$0")" || exit 1
exec </dev/null
export LC_ALL=C.UTF-8

quick=no install=yes vm=no
for arg in "$@"; do
	case $arg in
	--quick) quick=yes ;;
	--no-install) install=no ;;
	--vm) vm=yes ;;
	*)
		sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
done

out=$PWD/build-check
src=$out/src
passed=0 failed=0 skipped=0
jobs=$(nproc)
began=$SECONDS

needed_packages=(autoconf automake make gcc libc6-dev pkg-config libseccomp-dev libyajl-dev libcap-dev busybox-static
	bats jq clang clang-format clang-tidy shellcheck pandoc xz-utils procps util-linux libcap2-bin uidmap strace
	python3-minimal git man-db zsh fish attr valgrind)
# Other runtimes and makers of bundles, to compare with, and callers.
peer_packages=(runc crun podman umoci containerd slurmctld slurmd slurm-client munge)

vm_packages=(qemu-system-x86 kmod cpio e2fsprogs criu iptables iproute2 python3-minimal apparmor secilc)

# ---- counting -----------------------------------------------------------------

pass()
{
	passed=$((passed + 1))
}

# fail NAME [LOG]: with the end of the log, if any, without the tests that passed.
fail()
{
	failed=$((failed + 1))
	printf 'FAIL: %s\n' "$1"
	if [ $# -gt 1 ] && [ -s "$2" ]; then
		grep -av -e '^PASS: ' -e '^ok ' "$2" | tail -n 25 | sed 's/^/    /'
	fi
}

skip()
{
	skipped=$((skipped + 1))
	printf 'SKIP: %s: %s\n' "$1" "$2"
}

# stage NAME COMMAND...: one test; its output goes to a log.
stage()
{
	local name=$1 t0=$SECONDS log
	shift
	log=$out/$(echo "$name" | tr -c 'a-zA-Z0-9\n' -).log
	if ("$@") >"$log" 2>&1; then
		pass
		printf 'ok    %s (%d s)\n' "$name" $((SECONDS - t0))
	else
		fail "$name" "$log"
		return 1
	fi
}

# title LINE: the words of a TAP line, without verdict and number.
title()
{
	local text=${1#not }
	text=${text#ok }
	text=${text##+([0-9])}
	text=${text# }
	echo "${text#- }"
}

# count_tap NAME FILE STATUS: each line of a TAP report is a test; a report that
# stops early counts its missing tests as failed.
count_tap()
{
	local name=$1 file=$2 status=$3 line planned=0 seen=0 bad=0
	while IFS= read -r line; do
		case $line in
		'# '*) [ $bad -eq 0 ] || printf '    %s\n' "$line" ;;
		1..*) planned=${line#1..} ;;
		'ok '*'# skip'* | 'ok '*'# SKIP'*)
			seen=$((seen + 1))
			skip "$name: $(title "${line%% # [sS][kK][iI][pP]*}")" "${line##* # [sS][kK][iI][pP] }"
			;;
		'ok '*)
			seen=$((seen + 1))
			pass
			;;
		'not ok '*)
			seen=$((seen + 1)) bad=$((bad + 1))
			fail "$name: $(title "$line")"
			;;
		*) [ $bad -eq 0 ] || printf '    %s\n' "$line" ;;
		esac
	done <"$file"
	if [ "$planned" -gt $seen ]; then
		failed=$((failed + planned - seen))
		printf 'FAIL: %s: %d of %d tests did not report (exit status %d)\n' "$name" $((planned - seen)) "$planned" "$status"
	elif [ "$status" != 0 ] && [ $bad = 0 ]; then
		fail "$name: exit status $status" "$file"
	fi
	printf 'ran   %s: %d tests, %d failed\n' "$name" $seen $bad
}

# ---- packages -----------------------------------------------------------------

as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

missing_of()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

install_packages()
{
	local missing
	command -v dpkg-query >/dev/null || {
		echo "No dpkg here; needed: ${needed_packages[*]}"
		return
	}
	[ $vm = no ] || peer_packages+=("${vm_packages[@]}")
	mapfile -t missing < <(missing_of "${needed_packages[@]}" "${peer_packages[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "Installing ${missing[*]}"
	{
		as_root apt-get -q update
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"
	} >"$out/apt.log" 2>&1
	mapfile -t missing < <(missing_of "${needed_packages[@]}")
	[ ${#missing[@]} = 0 ] || fail "packages that the tests need are missing: ${missing[*]}" "$out/apt.log"
	mapfile -t missing < <(missing_of "${peer_packages[@]}")
	[ ${#missing[@]} = 0 ] || echo "Not installed, so some comparisons will be skipped: ${missing[*]}"
}

# ---- building and testing -----------------------------------------------------

# A copy of the source, so that neither an in-tree build is disturbed nor one disturbs.
copy_source()
{
	local list=$out/files
	if git -c safe.directory='*' ls-files -co --exclude-standard -z >"$list" 2>/dev/null && [ -s "$list" ]; then
		:
	else
		find . -type f -not -path './build*' -not -path './.git/*' -print0 >"$list"
	fi
	mkdir -p "$src"
	tar -c --null --ignore-failed-read -T "$list" 2>/dev/null | tar -x -C "$src"
	[ -e "$src/configure.ac" ]
}

# build_in DIRECTORY CONFIGURE-ARGUMENTS…
build_in()
{
	local dir=$out/$1
	shift
	mkdir -p "$dir" && cd "$dir" || return 1
	"$src/configure" "$@" && make -s -j"$jobs"
}

in_src()
{
	cd "$src" && "$@"
}

unit_tests()
{
	local name=$1 dir=$out/$2 trs result test t0=$SECONDS seen=0 bad=$failed
	make -C "$dir" -s -k -j"$jobs" check >"$out/$2-unit.log" 2>&1
	while IFS= read -r trs; do
		test=$(basename "$trs" .trs)
		result=$(sed -n 's/^:test-result: //p' "$trs")
		seen=$((seen + 1))
		case $result in
		PASS*) pass ;;
		SKIP*) skip "$name: $test" "$(grep -m 1 -i '^SKIP' "${trs%.trs}.log" | sed 's/^SKIP:* *//I')" ;;
		*) fail "$name: $test ($result)" "${trs%.trs}.log" ;;
		esac
	done < <(find "$dir" -name '*.trs' | sort)
	# A test that does not compile leaves neither its own result nor a summary.
	if ! grep -q '^# TOTAL:' "$out/$2-unit.log"; then
		fail "$name: make check did not come to an end" "$out/$2-unit.log"
	fi
	printf 'ran   %s: %d tests, %d failed (%d s)\n' "$name" $seen $((failed - bad)) $((SECONDS - t0))
}

# Tests of whole containers run as root where that can be had; those that need an
# unprivileged user make themselves one.
container_tests()
{
	local name=$1 knarr=$out/$2/knarr tap=$out/$2-bats.tap status=0 via=() record=${3:-}
	if [ ! -x "$knarr" ]; then
		fail "$name: there is no $knarr"
		return
	fi
	[ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && via=(sudo -n); }
	"${via[@]}" env KNARR="$knarr" KNARR_SHARED="$out/shared/knarr" KNARR_TEST_PROPERTIES="$record" timeout -k 10 3000 bats --tap --print-output-on-failure "$src/tests/bats" >"$tap" 2>&1 || status=$?
	count_tap "$name" "$tap" $status
}

# Some container tests on seven kinds of older kernels; without arguments the script runs them all.
older_kernels()
{
	if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
		stage 'kernels without a system call' as_root env KNARR="$out/gcc/knarr" KNARR_SHARED="$out/shared/knarr" "$src/tests/inject/enosys.sh" -- \
			"$src/tests/bats/spec_state.bats" "$src/tests/bats/mounts_live.bats"
		sed 's/^/      without /' "$out/kernels-without-a-system-call.log"
		stage 'races without cgroup.kill' as_root env KNARR="$out/shared/knarr" "$src/tests/inject/enosys.sh" cgroup.kill -- \
			"$src/tests/bats/exec_many.bats" "$src/tests/bats/lifecycle.bats"
	else
		skip 'kernels without a system call' 'needs root'
	fi
}

# The rules of the specification whose tests did not run or failed. Skipped ones were
# counted before; here they stand with the rule.
conformance()
{
	local reports=("$out/gcc-bats.tap" "$out"/vm-*.tap) log=$out/conformance.log
	[ -e "${reports[1]}" ] || unset 'reports[1]'
	if tests/spec/conformance.sh --ran "${reports[@]}" >"$log" 2>&1; then
		pass
	else
		fail 'a test of each rule of the specification' "$log"
	fi
	sed -n 's/^SKIP /      not run: /p' "$log"
	printf 'ran   conformance: %d rules, %d tests skipped\n' "$(grep -c '^[^#]' tests/spec/requirements.tsv)" "$(grep -c ^SKIP "$log")"
}

# The tests that this machine's own kernel and cgroups may not allow.
machine_tests()
{
	local tap name words missing
	if [ $vm = no ]; then
		skip 'limits and systemd in a virtual machine' './check.sh --vm runs them'
		return
	fi
	missing=$(tests/vm/vmrun --missing | paste -sd ' ')
	if [ -n "$missing" ]; then
		skip 'limits and systemd in a virtual machine' "not installed: $missing"
		return
	fi
	KNARR=$out/gcc/knarr KNARR_SHARED=$out/shared/knarr KNARR_TEST_PROPERTIES=$out/properties tests/vm/run.sh --into "$out"
	while read -r name words; do
		tap=$out/vm-$name.tap
		if [ -s "$tap" ]; then
			count_tap "virtual machine, $words" "$tap" "$(<"$out/vm-$name.status")"
		else
			fail "virtual machine, $words" "$out/vm-$name.log"
		fi
	done < <(tests/vm/run.sh --list)
}

# Each property of the specification was in a config that knarr worked with. Says little
# after a test that failed.
all_properties()
{
	local options=()
	[ $vm = no ] || [ -n "$(tests/vm/vmrun --missing)" ] || options=(--vm)
	stage 'each property of the specification is exercised' tests/spec/properties.sh ${options[@]+"${options[@]}"} "$out/properties"
}

lint()
{
	local status=0
	tests/lint.sh >"$out/lint.tap" 2>&1 || status=$?
	# Findings stand below their "not ok" line; sizes are a report.
	sed -n 's/^# /      /p' "$out/lint.tap"
	{
		grep -v '^# ' "$out/lint.tap"
		echo "1..$(grep -cE '^(not )?ok ' "$out/lint.tap")"
	} >"$out/lint.plan"
	count_tap lint "$out/lint.plan" $status
}

# What the release carries is what git knows, and what autotools and the manual make of it:
# a file missing in a list would be missed first by the one who unpacks the tarball, and a
# left-over of this build would be in the way of theirs.
release_is_complete()
{
	local f status=0 release=$out/gcc/knarr-$version
	make -s -C "$out/gcc" distdir || return 1
	while IFS= read -r -d '' f; do
		case $f in
		.gitignore | .git*/*) continue ;;
		esac
		[ ! -e "$src/$f" ] || [ -e "$release/$f" ] || {
			echo "$f is in no list of Makefile.am or sources.mk"
			status=1
		}
	done <"$out/files"
	while IFS= read -r -d '' f; do
		case $f in
		Makefile.in | aclocal.m4 | build-aux/* | config.h.in | configure | docs/man/*.1) continue ;;
		esac
		grep -qzxF -e "$f" "$out/files" || {
			echo "$f is in the release, and git does not know it"
			status=1
		}
	done < <(find "$release" -type f -printf '%P\0')
	chmod -R u+w "$release" && rm -rf "$release"
	return "$status"
}

# Installs below DESTDIR, looks for what must be there, uninstalls, and nothing is left.
install_and_uninstall()
{
	local dest=$out/dest
	rm -rf "$dest"
	make -s -C "$out/gcc" install DESTDIR="$dest" || return 1
	find "$dest" -type f
	[ -x "$dest/usr/local/bin/knarr" ] && [ -e "$dest/usr/local/share/man/man1/knarr.1" ] || return 1
	"$dest/usr/local/bin/knarr" --version | grep -F "$version" || return 1
	make -s -C "$out/gcc" uninstall DESTDIR="$dest" || return 1
	[ -z "$(find "$dest" -type f -o -type l)" ]
}

# So that knarr does not get slower unnoticed; a clock would need an idle machine.
instructions()
{
	if command -v valgrind >/dev/null; then
		stage 'instructions of check and plan' env KNARR="$out/gcc/knarr" "$src/tests/perf/instructions.sh"
	else
		skip 'instructions of check and plan' 'valgrind is not installed'
	fi
}

nothing_is_shared()
{
	! readelf -dl "$out/gcc/knarr" | grep -e NEEDED -e INTERP
}

# Some tests preload a library into it.
shared_libraries()
{
	build_in shared --enable-shared-libs --enable-werror || return 1
	readelf -d "$out/shared/knarr" | grep -c 'NEEDED.*\(seccomp\|yajl\|libcap\|libc\)\.so' | grep -x 4
}

# ---- lanes --------------------------------------------------------------------

# lane_begin NAME COMMAND: runs it beside what follows, until lane_end NAME, which prints
# what it printed and adds what it counted.
lane_begin()
{
	local name=$1
	shift
	(
		passed=0 failed=0 skipped=0
		"$@" >"$out/lane-$name.log" 2>&1
		echo "$passed $failed $skipped" >"$out/lane-$name.counts"
	) &
	lane_pid=$!
}

lane_end()
{
	local p=0 f=0 s=0
	wait "$lane_pid"
	cat "$out/lane-$1.log"
	if ! read -r p f s 2>/dev/null <"$out/lane-$1.counts"; then
		fail "the lane $1 did not come to an end"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

first_build()
{
	if [ -x "$out/gcc/knarr" ]; then
		unit_tests 'unit tests' gcc
		stage 'the program is static' nothing_is_shared
		stage 'install with DESTDIR, uninstall' install_and_uninstall
		instructions
	fi
	stage 'build with shared libraries' shared_libraries
	lint
	container_tests 'containers' gcc "$out/properties"
	older_kernels
	machine_tests
	conformance
	all_properties
}

other_builds()
{
	stage 'build with clang, warnings are errors' build_in clang CC=clang --enable-werror
	if stage 'build with sanitizers' build_in sanitizers --enable-sanitizers --enable-werror; then
		unit_tests 'unit tests with sanitizers' sanitizers
		container_tests 'containers with sanitizers' sanitizers
	fi
	stage 'static analysis (gcc -fanalyzer)' make -s -C "$out/gcc" analyze
	stage 'the release is complete' release_is_complete
	stage 'make distcheck' make -s -C "$out/gcc" -j"$jobs" distcheck
}

# In a function, so that all of it is read before any of it runs: the file may change
# meanwhile.
main()
{
	rm -rf "$out"
	mkdir -p "$out" || exit 1
	[ $install = no ] || install_packages
	version=$(sed -n 's/^AC_INIT(\[knarr\], \[\(.*\)\])/\1/p' configure.ac)

	stage 'copy of the source' copy_source
	stage 'autogen.sh' in_src ./autogen.sh
	if ! stage 'build with gcc, warnings are errors' build_in gcc --enable-werror; then
		quick=yes
	fi
	# Two lanes, since nearly all that is tested runs on one CPU: what they print does not mix.
	[ $quick = yes ] || lane_begin second other_builds
	first_build
	[ $quick = yes ] || lane_end second

	echo "took $((SECONDS - began)) s; logs in $out"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

main; exit
