#!/usr/bin/env python3
"""How many lines of the source the tests have run, from the counts of clang's programs.

    tests/coverage.py [--all] BUILD SOURCE [FILE...]

BUILD is a build with --enable-coverage whose programs have run. Prints the lines of each directory
and of each file that parses what an attacker or another program writes, and "ok" or "FAIL" for the
bar of the latter, with --all for that of the whole source, too: without the tests of whole containers
that has none. The exit status is 1 below a bar. Of each FILE the lines that did not run are listed."""

import os
import subprocess
import sys

BAR_PARSERS = 95.0
BAR_ALL = 85.0

# What reads texts and messages of others. Lines that ask the kernel (open, fork) stand elsewhere.
PARSERS = """
base/mountinfo.c base/proc_text.c base/protobuf.c base/utf8.c
cgroups/keyed.c cgroups/resctrl_schemata.c cgroups/stats.c
cgroups/systemd/systemd_address.c cgroups/systemd/systemd_names.c cgroups/systemd/systemd_properties.c
cgroups/systemd/systemd_read.c cgroups/systemd/systemd_value.c
libcontainer/checkpoint/criu_log.c libcontainer/checkpoint/criu_reply.c
libcontainer/process/home.c libcontainer/stage/stage_ask.c libcontainer/stage/stage_channel.c
libcontainer/state/oom_log.c libcontainer/state/state_json.c
namespaces/mount/mount_idmap_option.c namespaces/mount/mount_options.c namespaces/mount/mount_userspace.c
namespaces/net/net_addresses.c namespaces/net/rtnetlink.c namespaces/user/idmap_subid.c
oci-spec/check.c oci-spec/check_sysctl.c oci-spec/check_values.c oci-spec/config_edit.c oci-spec/field_issues.c
oci-spec/fields.c oci-spec/issues.c oci-spec/json_error.c oci-spec/json_text.c oci-spec/json_value.c
oci-spec/names.c oci-spec/parse_config.c oci-spec/parse_linux.c oci-spec/parse_process.c
oci-spec/parse_resources.c oci-spec/parse_seccomp.c
runtime/duration.c runtime/number.c runtime/options.c runtime/signal_name.c
""".split()

ROOMS = ("base", "cgroups", "libcontainer", "namespaces", "oci-spec", "plan", "runtime")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def programs(build):
    """knarr and the programs of the tests."""
    found = [os.path.join(build, "knarr")]
    for directory in ("tests/unit", "tests/fuzz"):
        directory = os.path.join(build, directory)
        for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
            if entry.is_file() and os.access(entry.path, os.X_OK) and "." not in entry.name:
                found.append(entry.path)
    return found


def counts(build, source):
    """file -> line -> how often it ran, added up over all programs that have the file."""
    tools = os.environ.get("LLVM_TOOLS", "llvm-")
    raw = [os.path.join(build, "counts", name) for name in os.listdir(os.path.join(build, "counts"))]
    merged = os.path.join(build, "all.profdata")
    run(tools + "profdata", "merge", "-sparse", "-o", merged, *raw)
    lines = {}
    for program in programs(build):
        report = run(tools + "cov", "export", "-format=lcov", "-instr-profile=" + merged, program)
        add(lines, report, source)
    return lines


def add(lines, report, source):
    """Lines of lcov's format: "SF:FILE", then "DA:LINE,COUNT" for each of its lines."""
    of_file = {}
    for entry in report.splitlines():
        kind, _, value = entry.partition(":")
        if kind == "SF":
            path = os.path.relpath(os.path.realpath(value), os.path.realpath(source))
            wanted = path.split("/")[0] in ROOMS and path.endswith(".c")
            of_file = lines.setdefault(path, {}) if wanted else {}
        elif kind == "DA":
            number, count = (int(part) for part in value.split(",")[:2])
            # The counts are merged already: a function is the same one in each program that has it.
            of_file[number] = max(of_file.get(number, 0), count)


def total(lines, paths):
    """How many lines there are in these files, and how many of them ran."""
    every = [count for path in paths for count in lines.get(path, {}).values()]
    return len(every), sum(1 for count in every if count)


def row(name, n, ran):
    print(f"{name:<44} {ran:>6} {n:>6} {100.0 * ran / n if n else 100.0:>7.1f} %")


def bar(name, lines, paths, limit):
    """limit None: there is none."""
    n, ran = total(lines, paths)
    percent = 100.0 * ran / n if n else 0.0
    fine = limit is None or percent >= limit
    what = "no bar" if limit is None else f"the bar is {limit:.0f} %"
    print(f"{'ok  ' if fine else 'FAIL'} {name}: {percent:.1f} % of {n} lines, {what}")
    return fine


def missing(path, of_file):
    """The lines that did not run, as ranges."""
    ranges = []
    previous = None
    for number in sorted(of_file):
        if of_file[number]:
            previous = None
        elif previous is not None:
            ranges[-1][1] = previous = number
        else:
            ranges.append([number, number])
            previous = number
    return path + ": " + " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)


def main():
    args = [arg for arg in sys.argv[1:] if arg != "--all"]
    build, source, wanted = args[0], args[1], args[2:]
    lines = counts(build, source)
    absent = [path for path in PARSERS if path not in lines]
    print(f"{'':<44} {'ran':>6} {'lines':>6}")
    for directory in sorted({os.path.dirname(path) for path in lines}):
        row(directory + "/", *total(lines, [p for p in lines if os.path.dirname(p) == directory]))
    print()
    for path in PARSERS:
        row(path, *total(lines, [path]))
    print()
    for path in wanted:
        print(missing(path, lines.get(path, {})))
    fine = bar("parsers", lines, PARSERS, BAR_PARSERS)
    fine = bar("all", lines, list(lines), BAR_ALL if "--all" in sys.argv else None) and fine
    for path in absent:
        print(f"FAIL {path} is in no program")
    return 0 if fine and not absent else 1


if __name__ == "__main__":
    sys.exit(main())
