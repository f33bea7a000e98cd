#!/usr/bin/env python3
"""Samples of bench.c as a table in Markdown, and as a plot.

    report.py [--cpu] [--plot FILE] SAMPLES
    report.py [--cpu] --drivers SAMPLES

One line for each name, one column for each program: the median and both quartiles. Then what knarr takes for each unit of the floor's time, and what the
others take for each of knarr's. --cpu: CPU time instead of time. --drivers: what PROGRAM-systemd takes beside PROGRAM, and how much more that is.
"""
import argparse
import math
import sys

MEMORY_OF = 'run podman'
# Columns in this order; any other program comes after knarr.
FIRST, LAST = ['floor', 'knarr'], ['crun', 'runc', 'bubblewrap']
COLOURS = ['#7f8c8d', '#1f77b4', '#2ca02c', '#d62728', '#9467bd', '#ff7f0e', '#17becf']


def quantile(values, part):
    """The value below which that part of them lies, between two of them in proportion."""
    values = sorted(values)
    place = (len(values) - 1) * part
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class Cell:
    def __init__(self, values):
        self.first, self.median, self.third = (quantile(values, p) for p in (0.25, 0.5, 0.75))

    def __str__(self):
        if self.first == self.third == int(self.median):
            return '%d' % self.median
        return '%.2f (%.2f–%.2f)' % (self.median, self.first, self.third)


def read(path, cpu=False):
    """{name: {program: Cell}}, in the order in which bench.c got the rows, with a name of its own for the memory."""
    values, memory = {}, {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            name, *sample = line.rstrip('\n').split('\t')
            row = values.setdefault(name, {})
            if not sample:
                continue
            program, time, cpu_time, kib = sample
            row.setdefault(program, []).append(float(cpu_time if cpu else time))
            if name == MEMORY_OF:
                memory.setdefault(program, []).append(float(kib) / 1024)
    if memory and not cpu:
        values['largest process of %s, MiB' % MEMORY_OF] = memory
    return {name: {program: Cell(v) for program, v in row.items()} for name, row in values.items() if row}


def columns(rows):
    found = []
    for row in rows.values():
        found += [program for program in row if program not in found]
    middle = sorted(p for p in found if p not in FIRST + LAST)
    return [p for p in FIRST + middle + LAST if p in found]


def ratio(row, above, below):
    if above not in row or below not in row or row[below].median == 0:
        return '–'
    return '%.2f' % (row[above].median / row[below].median)


def table(rows, programs):
    others = [p for p in programs if p not in FIRST]
    ratios = [('knarr', p) for p in programs if p == 'floor'] + [(p, 'knarr') for p in others]
    yield '| | ' + ' | '.join(programs + ['%s : %s' % pair for pair in ratios]) + ' |'
    yield '|---' * (1 + len(programs) + len(ratios)) + '|'
    for name, row in rows.items():
        cells = [str(row.get(p, '–')) for p in programs] + [ratio(row, *pair) for pair in ratios]
        yield '| %s | %s |' % (name, ' | '.join(cells))


def drivers_table(rows):
    programs = [p for p in columns(rows) if not p.endswith('-systemd')]
    yield '| | ' + ' | '.join('%s, cgroupfs | systemd | more' % p for p in programs) + ' |'
    yield '|---' * (1 + 3 * len(programs)) + '|'
    for name, row in rows.items():
        cells = []
        for pair in ((p, p + '-systemd') for p in programs):
            cells += [str(row.get(p, '–')) for p in pair]
            cells.append('%+.2f' % (row[pair[1]].median - row[pair[0]].median) if all(p in row for p in pair) else '–')
        yield '| %s | %s |' % (name, ' | '.join(cells))


def decades(rows):
    """Powers of ten around all that is plotted."""
    cells = [cell for row in rows.values() for cell in row.values()]
    low = min(max(cell.first, 0.001) for cell in cells)
    high = max(cell.third for cell in cells)
    return math.floor(math.log10(low)), math.ceil(math.log10(high) + 1e-9)


def times_of(rows):
    return {name: row for name, row in rows.items() if not name.startswith(('system calls', 'largest process'))}


def plot(rows, programs):
    """Time to the right, by powers of ten: a point is the median, its line goes from quartile to quartile, and behind ×
    is the ratio to the floor, or to knarr where there is none."""
    left, width, step = 260, 640, 12
    low, high = decades(rows)
    height = 50 + sum(len(row) * step + 10 for row in rows.values())

    def across(value):
        return left + width * (math.log10(max(value, 10.0 ** low)) - low) / (high - low)

    yield '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (
        left + width + 110, height + 10)
    yield '<rect width="100%" height="100%" fill="white"/>'
    for i, program in enumerate(programs):
        yield '<text x="%d" y="15" fill="%s">● %s</text>' % (left + 110 * i, COLOURS[i % len(COLOURS)], program)
    for power in range(low, high + 1):
        x = across(10.0 ** power)
        yield '<path d="M%.1f 35V%d" stroke="#ddd"/><text x="%.1f" y="30" text-anchor="middle">%g ms</text>' % (
            x, height, x, 10.0 ** power)
    y = 50
    for name, row in rows.items():
        yield '<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (left - 10, y + len(row) * step / 2, name)
        for program in (p for p in programs if p in row):
            cell, colour = row[program], COLOURS[programs.index(program) % len(COLOURS)]
            label = '%.2f' % cell.median
            base = next((p for p in FIRST if p in row), program)
            if base != program:
                label += '  ×%s' % ratio(row, program, base)
            yield '<path d="M%.1f %dH%.1f" stroke="%s" stroke-width="4" opacity="0.5"/>' % (
                across(cell.first), y, across(cell.third), colour)
            yield '<circle cx="%.1f" cy="%d" r="3.5" fill="%s"/><text x="%.1f" y="%d">%s</text>' % (
                across(cell.median), y, colour, across(cell.third) + 8, y + 4, label)
            y += step
        y += 10
    yield '</svg>'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cpu', action='store_true')
    parser.add_argument('--plot', metavar='FILE')
    parser.add_argument('--drivers', action='store_true')
    parser.add_argument('samples')
    args = parser.parse_args()
    rows = read(args.samples, args.cpu)
    programs = columns(rows)
    if 'knarr' not in programs:
        sys.exit('report.py: %s: no samples of knarr' % args.samples)
    print('\n'.join(drivers_table(rows) if args.drivers else table(rows, programs)))
    if not args.plot:
        return
    if not times_of(rows):
        print('report.py: no times to plot', file=sys.stderr)
        return
    with open(args.plot, 'w', encoding='utf-8') as file:
        file.write('\n'.join(plot(times_of(rows), programs)) + '\n')


if __name__ == '__main__':
    main()
