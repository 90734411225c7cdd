#!/usr/bin/env python3
"""Draw the plots of docs/BENCHMARKS.md from the CSV files that `noren bench --csv` wrote beside this script.

usage: plot.py

The same files make the same bytes. Standard library only.
"""
import csv
import math
import os
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH = 720
INK, FAINT = '#333333', '#cccccc'
COLOURS = ['#1b6ca8', '#7aa6c2', '#d1793b', '#8a8a8a']
MAIN = 'two facets'
PERCENTILES = [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.9]

# (label, file)
SERVICES = [
    ('Noren, 300,000 products', 'noren-300k.csv'),
    ('Noren, 1,000,000 products', 'noren-1m.csv'),
    ('OpenSearch 3.8, 300,000 products', 'opensearch-300k.csv'),
]
# (label, name in the file, the most that is wanted)
RATIOS = [
    ('two facets / none', 'two facets against none', 1.4),
    ('over HTTP / index in process', 'over HTTP against the index in process', 1.2),
    ('one in five misspelt / spelt right', 'one in five misspelt against right once more', 1.5),
    ('the same, no word known yet', 'one in five misspelt against right for the first time', 1.5),
    ('all misspelt / spelt right', 'all misspelt against right once more', 1.5),
    ('the same, no word known yet', 'all misspelt against right for the first time', 1.5),
    ('99% beside 500 writes a second / without', '99% beside writes against without', 1.5),
]


def read(file):
    """{(name, measure): value}"""
    with open(os.path.join(HERE, file), newline='') as rows:
        return {(row['name'], row['measure']): float(row['value']) for row in csv.DictReader(rows)}


class Drawing:
    def __init__(self, height, title):
        self.height, self.parts = height, []
        self.text(0, 18, title, size=15, weight='bold')

    def text(self, x, y, text, anchor='start', size=12, weight='normal'):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{INK}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1.0):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def curve(self, points, colour):
        points = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        self.parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def write(self, file):
        with open(os.path.join(HERE, file), 'w', newline='\n') as out:
            out.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -5 {WIDTH + 20} {self.height + 10}" '
                'font-family="sans-serif">\n<rect x="-10" y="-5" width="100%" height="100%" fill="white"/>\n')
            out.write('\n'.join(self.parts))
            out.write('\n</svg>\n')


def bars(file, title, rows, unit, wanted=None):
    """Rows of (label, value, colour, what is wanted of it)."""
    left, step = 290, 30
    most = max([value for _, value, _, _ in rows] + [want for *_, want in rows if want]) * 1.2
    drawing = Drawing(40 + step * len(rows) + (20 if wanted else 0), title)
    scale = (WIDTH - left) / most
    for at, (label, value, colour, want) in enumerate(rows):
        y = 36 + at * step
        drawing.text(left - 8, y + 14, label, 'end')
        drawing.bar(left, y, value * scale, 20, colour)
        drawing.text(left + max(value, want or 0) * scale + 6, y + 14, unit(value))
        if want:
            drawing.line(left + want * scale, y - 3, left + want * scale, y + 23, INK, 2)
    if wanted:
        drawing.text(left, 36 + step * len(rows) + 14, wanted, size=11)
    drawing.write(file)


def latencies(file, title, series):
    """Curves of percentiles, with times on a logarithmic scale."""
    left, top, height = 60, 40, 300
    drawing = Drawing(top + height + 40 + 20 * len(series), title)
    times = [value for _, values in series for value in values]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    y = lambda ms: top + height * (high - math.log10(ms)) / (high - low)
    # 90, 99 and 99.9 of 100 are equally far apart.
    place = lambda percent: -math.log10(1 - percent / 100)
    x = lambda percent: left + (WIDTH - left) * place(percent) / place(PERCENTILES[-1])
    for power in range(low, high + 1):
        drawing.line(left, y(10 ** power), WIDTH, y(10 ** power))
        drawing.text(left - 6, y(10 ** power) + 4, f'{10.0 ** power:g} ms', 'end')
    for percent in (50, 90, 99, 99.9):
        drawing.line(x(percent), top, x(percent), top + height)
        drawing.text(x(percent), top + height + 16, f'{percent:g}%', 'middle')
    for at, (label, values) in enumerate(series):
        drawing.curve([(x(percent), y(ms)) for percent, ms in zip(PERCENTILES, values)], COLOURS[at])
        below = top + height + 40 + at * 20
        drawing.bar(left, below - 9, 14, 9, COLOURS[at])
        drawing.text(left + 20, below, label)
    drawing.write(file)


def main():
    services = [(label, read(file)) for label, file in SERVICES if os.path.exists(os.path.join(HERE, file))]
    rows = [(label, figures[MAIN, 'per_second'], COLOURS[at], None) for at, (label, figures) in enumerate(services)]
    bars('searches.svg', 'Searches a second, two facets, 2 connections, 2 processors', rows, lambda value: f'{value:,.0f}')
    series = [(label, [figures[MAIN, f'p{percent:g}'] for percent in PERCENTILES]) for label, figures in services]
    latencies('latencies.svg', 'Within how long so many of 100 searches are answered', series)
    figures = read(SERVICES[0][1])
    rows = [(label, figures[name, 'value'], COLOURS[0], want) for label, name, want in RATIOS if (name, 'value') in figures]
    bars('ratios.svg', 'How many times as long, 300,000 products', rows, lambda value: f'{value:.2f}', 'line: the most that is wanted')


if __name__ == '__main__':
    main()
