# SPDX-License-Identifier: MIT
"""Bar charts as SVG, written by hand: for each row a bar for each place, as long as a ratio, or its logarithm, says."""
import math
from xml.sax.saxutils import escape

NAMES = {"xen-dom0": "Xen, control domain", "enso-dom0": "Enso, control domain",
         "xen-guest": "Xen, guest", "enso-guest": "Enso, guest", "xen": "Xen", "enso": "Enso"}
COLOURS = {"xen-dom0": "#b9c2cc", "enso-dom0": "#1f77b4", "xen-guest": "#8a949e", "enso-guest": "#0b3d66",
           "xen": "#b9c2cc", "enso": "#1f77b4"}
LEFT, WIDTH, RIGHT, BAR, GAP, TOP = 140, 520, 60, 9, 8, 66
TICKS = (1, 1.5, 2, 3, 5, 7, 10, 20, 30, 50, 100, 300, 1000, 3000, 10000, 30000)


def text(x, y, what, anchor="start", size=12, colour="#222", weight="normal"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s" font-weight="%s">%s</text>' % (
        x, y, anchor, size, colour, weight, escape(what))


def rectangle(x, y, width, height, colour):
    return '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>' % (x, y, width, height, colour)


class Logarithmic:
    """From 1 to the largest ratio."""

    def __init__(self, largest):
        self.end = next((tick for tick in TICKS if tick >= largest), largest)
        self.ticks = [tick for tick in TICKS if tick <= self.end]

    def at(self, ratio):
        return WIDTH * math.log(max(ratio, 1)) / math.log(self.end)


class Linear:
    """From 0 to the largest ratio, or 1."""

    def __init__(self, largest):
        self.end = max(math.ceil(largest * 4) / 4, 1)
        self.ticks = [quarter / 4 for quarter in range(int(self.end * 4) + 1)]

    def at(self, ratio):
        return WIDTH * ratio / self.end


def legend(places):
    parts, x = [], LEFT
    for place in places:
        parts += [rectangle(x, 34, 10, 10, COLOURS[place]), text(x + 15, 43, NAMES[place], size=11)]
        x += 30 + 6.2 * len(NAMES[place])
    return parts


def grid(scale, height):
    parts = []
    for tick in scale.ticks:
        x = LEFT + scale.at(tick)
        parts += ['<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/>' % (x, x, TOP - 4, height - 10),
                  text(x, TOP - 8, "%g" % tick, "middle", 10, "#777")]
    return parts


def draw(title, rows, kind=Logarithmic):
    """rows: name -> {place: ratio}. Gives the SVG's text."""
    places = [place for place in COLOURS if any(place in row for row in rows.values())]
    step = BAR * len(places) + GAP
    height = TOP + step * len(rows) + 14
    scale = kind(max((ratio for row in rows.values() for ratio in row.values()), default=1))
    parts = [text(LEFT, 20, title, size=14, weight="bold"), *legend(places), *grid(scale, height)]
    for number, (name, row) in enumerate(rows.items()):
        y = TOP + step * number
        parts.append(text(LEFT - 8, y + BAR * len(places) / 2 + 4, name, "end"))
        for place in places:
            if place in row:
                length = scale.at(row[place])
                parts += [rectangle(LEFT, y, max(length, 1), BAR - 1, COLOURS[place]),
                          text(LEFT + length + 4, y + BAR - 2, "%.2f" % row[place], size=9, colour="#555")]
            y += BAR
    whole = LEFT + WIDTH + RIGHT
    return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif">\n' \
        '%s\n%s\n</svg>\n' % (whole, height, whole, height, rectangle(0, 0, whole, height, "#fff"), "\n".join(parts))
