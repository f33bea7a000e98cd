#!/usr/bin/env python3
"""Samples of scale.sh as a table in Markdown: scale.py [--cpu] SAMPLES

For each kind of item and program: microseconds per item at three sizes, over the time without any,
and the growth: what an item costs between the second and the third size, by what it costs between
the first and the second. In proportion it is 1, and about 3 for what grows with the square.

"NOT LINEAR" is a growth of more than 1.5 even if the quartiles of all three times lie as they would have
to for the least of it; "unclear" if only the medians say so: more rounds may tell. Where the quartiles of the
first and the last size overlap, nothing can be said. --cpu: CPU time instead of time, which other work of the
machine changes less.
"""
import sys

# Nothing is left beside the source.
sys.dont_write_bytecode = True
from report import columns, read

GROWTH_MAX = 1.5


def slope(low, high, value):
    return (value[1] - value[0]) / (high - low)


def growth_of(sizes, cells, least):
    """By the medians, or, for the least of it, by the quartiles. None if the lower part took no time."""
    _, first, second, third = cells
    _, low, middle, high = sizes
    if least:
        above, below = slope(middle, high, (second.third, third.first)), slope(low, middle, (first.first, second.third))
    else:
        above, below = slope(middle, high, (second.median, third.median)), slope(low, middle, (first.median, second.median))
    return above / below if below > 0 else None


def verdict(sizes, cells):
    if cells[3].first <= cells[1].third:
        return 'too small to tell'
    least, growth = (growth_of(sizes, cells, bound) for bound in (True, False))
    if least is not None and least > GROWTH_MAX:
        return '**NOT LINEAR**'
    return 'linear' if growth is not None and growth <= GROWTH_MAX else 'unclear'


def kinds_of(rows):
    """{kind: {size: row}}"""
    kinds = {}
    for name, row in rows.items():
        kind, size = name.rsplit(': ', 1)
        kinds.setdefault(kind, {})[int(size)] = row
    return kinds


def lines(rows):
    yield '| items | program | none, ms | N/10 | N/3 | N | N of them, ms | growth | |'
    yield '|---|---|---|---|---|---|---|---|---|'
    for kind, by_size in kinds_of(rows).items():
        sizes = sorted(by_size)
        for program in columns(rows):
            cells = [by_size[size].get(program) for size in sizes]
            if len(sizes) != 4 or None in cells:
                none = '%.2f' % cells[0].median if cells[0] else '–'
                yield '| %d %s | %s | %s | | | | | | left out |' % (sizes[-1], kind, program, none)
                continue
            each = ['%.2f' % ((c.median - cells[0].median) * 1000 / s) for c, s in zip(cells[1:], sizes[1:])]
            growth = growth_of(sizes, cells, False)
            yield '| %d %s | %s | %.2f | %s | %.2f | %s | %s |' % (
                sizes[-1], kind, program, cells[0].median, ' | '.join(each), cells[3].median,
                '–' if growth is None else '%.2f' % growth, verdict(sizes, cells))


def main():
    cpu = sys.argv[1:2] == ['--cpu']
    if len(sys.argv) != 2 + cpu:
        sys.exit(__doc__)
    rows = read(sys.argv[-1], cpu)
    if 'knarr' not in columns(rows):
        sys.exit('scale.py: %s: no samples of knarr' % sys.argv[-1])
    print('\n'.join(lines(rows)))


main()
