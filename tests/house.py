#!/usr/bin/env python3
"""The house in figures: what a stranger would stumble over, counted (part of `make lint`).

Reads the sources as text, without comments and strings: a definition starts at the
beginning of a line, as .clang-format has it. With --names, also lists the letters that
name parameters. Exit status 1 when a bar does not hold; the bars are at the end.
"""
import collections
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOMS = 'base plan oci-spec namespaces cgroups libcontainer runtime'.split()

# What the functions of a room may begin with, besides the first word of their file's name.
ROOM_PREFIX = {
    'cgroups': 'cgroup', 'cgroups/systemd': 'systemd', 'libcontainer/checkpoint': 'criu', 'oci-spec': 'spec',
    'namespaces/user': 'idmap', 'runtime': 'cmd', 'libcontainer': 'container',
}
# One file per operation on a container: container.h declares it, wherever its room is.
OPERATION_PREFIX = 'container'

# A letter means one type in the whole tree; HACKING.md lists them.
LETTERS_MAX_TYPES = 1
FUNCTION_LINES = 60


def sources():
    out = []
    for room in ROOMS:
        for path, _, names in os.walk(os.path.join(TOP, room)):
            out += [os.path.relpath(os.path.join(path, n), TOP) for n in names if n.endswith(('.c', '.h'))]
    return sorted(out)


def blank(match):
    return re.sub(r'[^\n]', ' ', match.group(0))


def code_of(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as f:
        text = f.read()
    text = re.sub(r'/\*.*?\*/', blank, text, flags=re.S)
    text = re.sub(r'__attribute__\(\((?:[^()]|\([^()]*\))*\)\)', blank, text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


DEFINITION = re.compile(r'^(?P<type>[a-z_][^\n;{}=()#]*)\n(?P<name>[a-z_][a-z0-9_]*)\((?P<params>[^{};]*?)\)[^{};()]*\n\{',
                        re.M)


class Function:
    def __init__(self, path, match, text):
        self.path = path
        self.name = match['name']
        self.static = bool(re.search(r'\bstatic\b', match['type']))
        self.params = re.sub(r'\s+', ' ', match['params'])
        end = text.find('\n}', match.end())
        self.body = text[match.end():end]
        self.lines = self.body.count('\n')


def split_params(params):
    """(type, name) of each parameter."""
    depth, part, parts = 0, '', []
    for c in params:
        depth += c == '('
        depth -= c == ')'
        if c == ',' and depth == 0:
            parts.append(part)
            part = ''
        else:
            part += c
    parts.append(part)
    for p in parts:
        m = re.match(r'^\s*(.*?)(\b[a-z_][a-z0-9_]*)\s*(\[[^]]*\])*\s*$', p)
        if m and m[1].strip():
            kind = re.sub(r'\b(const|unsigned)\b|\*|\s|\bstruct\b', '', m[1])
            yield kind or 'unsigned', m[2]


def circles(edges):
    """Strongly connected components of more than one file (Tarjan)."""
    index, low, stack, on, out, count = {}, {}, [], set(), [], [0]

    def visit(v):
        index[v] = low[v] = count[0]
        count[0] += 1
        stack.append(v)
        on.add(v)
        for w in edges[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            part = []
            while True:
                w = stack.pop()
                on.discard(w)
                part.append(w)
                if w == v:
                    break
            if len(part) > 1:
                out.append(sorted(part))

    for v in list(edges):
        if v not in index:
            visit(v)
    return out


def report_rooms(paths, total):
    rooms = collections.defaultdict(lambda: [0, 0])
    for p in paths:
        with open(os.path.join(TOP, p), encoding='utf-8') as f:
            n = sum(1 for _ in f)
        rooms[os.path.dirname(p)][0] += 1
        rooms[os.path.dirname(p)][1] += n
    lines = sum(n for _, n in rooms.values())
    worst = 0
    for room in sorted(rooms):
        files, n = rooms[room]
        share = 100 * n / lines
        worst = max(worst, share)
        print(f'  {room:28} {files:4} files {n:6} lines  {share:4.1f} %')
    print(f'  {"all":28} {len(paths):4} files {lines:6} lines, {total} functions')
    return worst


def prefixes_of(path):
    room, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    words = {stem.split('_')[0], stem, stem.rstrip('s'), ROOM_PREFIX.get(room, os.path.basename(room))}
    if room.startswith('libcontainer'):
        words.add(OPERATION_PREFIX)
    return words


def main():
    paths = sources()
    code = {p: code_of(p) for p in paths}
    functions = [Function(p, m, code[p]) for p in paths if p.endswith('.c') for m in DEFINITION.finditer(code[p])]
    exported = {f.name: f.path for f in functions if not f.static}
    ok = True

    def bar(words, value, holds, details=()):
        nonlocal ok
        print(f'{"ok    " if holds else "FAIL  "}{words}: {value}')
        if not holds:
            ok = False
            for d in details:
                print(f'        {d}')

    print('Lines per directory:')
    worst = report_rooms(paths, len(functions))

    upward = subprocess.run(['sh', os.path.join(TOP, 'tests/lint-includes.sh')], stdout=subprocess.PIPE, text=True,
                            env=dict(os.environ, top_srcdir=TOP), check=False).stdout.splitlines()

    edges = {p: set() for p in paths if p.endswith('.c')}
    for p in edges:
        own = {f.name for f in functions if f.path == p and f.static}
        for word in set(re.findall(r'\b[a-z_][a-z0-9_]*\b', code[p])) - own:
            if word in exported and exported[word] != p:
                # The name of a member or of a variable is not a call.
                if re.search(r'(?<![.>\w])' + word + r'\s*\(|[(,=&{]\s*' + word + r'\s*[,;)}]', code[p]):
                    edges[p].add(exported[word])
    rings = circles(edges)

    strays = sorted(f'{path}: {name}' for name, path in exported.items() if name != 'main' and
                    not any(name == w or name.startswith(w + '_') for w in prefixes_of(path)))

    letters, count, short = collections.defaultdict(lambda: collections.defaultdict(set)), 0, 0
    for f in functions:
        for kind, name in split_params(f.params):
            count += 1
            if len(name) == 1:
                short += 1
                letters[name][kind].add(f'{f.path}: {f.name}()')
    several = {n: k for n, k in letters.items() if len(k) > LETTERS_MAX_TYPES}
    if '--names' in sys.argv:
        for n in sorted(letters):
            for k in sorted(letters[n], key=lambda k: -len(letters[n][k])):
                print(f'  {n}  {len(letters[n][k]):4}  {k:28} {sorted(letters[n][k])[0]}')

    long = sorted((f.lines, f'{f.path}: {f.name}() {f.lines} lines') for f in functions if f.lines > FUNCTION_LINES)
    sizes = sorted(f.lines for f in functions)

    bar('largest directory, per cent of all lines', f'{worst:.1f}', worst <= 20)
    bar('includes that point upwards', len(upward), not upward, upward)
    bar('circles of calls between files', len(rings), not rings, [' '.join(r) for r in rings])
    bar('exported functions without the prefix of their module', len(strays), not strays, strays)
    bar('letters that name parameters of several types', len(several), not several,
        [f'{n}: {", ".join(sorted(k))}' for n, k in sorted(several.items())])
    print(f'      parameters of one letter: {100 * short / count:.0f} % of {count}')
    print(f'      functions: median {sizes[len(sizes) // 2]} lines, nine of ten below {sizes[len(sizes) * 9 // 10] + 1}')
    bar(f'functions over {FUNCTION_LINES} lines', len(long), len(long) <= 1, [w for _, w in long])
    return 0 if ok else 1


sys.exit(main())
