# SPDX-License-Identifier: MIT
"""The report: results of many boots become medians, spreads and ratios, for a terminal and as Markdown."""
import statistics

from places import COUNTED, PLACES

# Below this share of the native time there is no overhead to compare.
NO_OVERHEAD = 0.02


class Table:
    """Title, what it says, column heads, rows of cells; the first column is the row's name."""

    def __init__(self, title, text, heads, rows):
        self.title, self.text, self.heads, self.rows = title, text, heads, rows

    def markdown(self):
        lines = ["## " + self.title, "", self.text, "", "| %s |" % " | ".join(self.heads),
                 "| --- |" + " ---: |" * (len(self.heads) - 1)]
        return "\n".join(lines + ["| %s |" % " | ".join(row) for row in self.rows]) + "\n"

    def terminal(self):
        columns = list(zip(self.heads, *self.rows))
        widths = [max(len(cell) for cell in column) for column in columns]
        lines = [self.title]
        for row in [self.heads, *self.rows]:
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            lines.append("  ".join(cells))
        return "\n".join(lines) + "\n"


def median(runs):
    return statistics.median(run["value"] for run in runs)


def spread(runs):
    """From the least to the most as a share of the median: of the boots' medians, or of one boot's rounds."""
    middle = median(runs)
    if len(runs) > 1:
        runs = [{"least": run["value"], "most": run["value"]} for run in runs]
    return (max(run["most"] for run in runs) - min(run["least"] for run in runs)) / middle if middle else 0


def overhead_ratio(native, xen, enso):
    """(Enso - native) / (Xen - native), or None where Xen adds too little to compare."""
    if None in (native, xen, enso) or xen - native < NO_OVERHEAD * native:
        return None
    return (enso - native) / (xen - native)


def number(value):
    if value is None:
        return "-"
    return "%.0f" % value if value >= 1000 else "%.1f" % value if value >= 10 else "%.2f" % value


def summarize(rows):
    """row -> {place: median}, ratios and overhead ratios, worst spread: what table and chart are made of."""
    summary = {}
    for name, runs in rows.items():
        middle = {place: median(runs[place]) for place in PLACES if runs.get(place)}
        native = middle.get("native")
        ratio = {place: value / native for place, value in middle.items() if native and place != "native"}
        overhead = {domain: overhead_ratio(native, middle.get("xen-" + domain), middle.get("enso-" + domain))
                    for domain in ("dom0", "guest")}
        summary[name] = {"median": middle, "ratio": ratio, "overhead": overhead,
                         "spread": {place: spread(runs[place]) for place in middle}}
    return summary


CLOCK_TEXT = {
    "icount": "Virtual time, which counts instructions (2 ns each): ns for the machine without a hypervisor, then times that.",
    "wall": "Wall time of the emulator: ns for the machine without a hypervisor, then times that.",
}


def linux_table(clock, rows):
    heads = ["row", "native ns", "Xen dom0", "Enso dom0", "overhead", "Xen guest", "Enso guest", "overhead", "spread"]
    lines = []
    for name, row in summarize(rows).items():
        ratio = [number(row["ratio"].get(place)) for place in PLACES[1:]]
        worst = max(row["spread"].values())
        lines.append([name, number(row["median"].get("native")), ratio[0], ratio[1], number(row["overhead"]["dom0"]),
                      ratio[2], ratio[3], number(row["overhead"]["guest"]), "%.1f %%" % (100 * worst)])
    text = CLOCK_TEXT[clock] + " Overhead is (Enso - native) / (Xen - native); spread is from the least to the most of " \
        "the boots (of the rounds, if there was one boot), of the place where it is largest."
    return Table("Linux on each, " + clock, text, heads, lines)


def primitives_table(clock, rows):
    lines = []
    for name, runs in rows.items():
        xen, enso = (median(runs[place]) if runs.get(place) else None for place in ("xen", "enso"))
        lines.append([name, number(xen), number(enso), number(enso / xen if xen and enso is not None else None)])
    return Table("Primitives, " + clock, "A PV kernel of our own as the control domain (guest-kernels/bench); ns.",
                 ["row", "Xen ns", "Enso ns", "Enso / Xen"], lines)


COUNT_HEADS = {"user": "user", "kernel": "kernel", "hypervisor": "hypervisor", "cr3": "CR3", "registers": "registers",
               "tlb": "TLB", "returns": "returns"}


def counts_table(counts):
    lines = []
    for name, places in counts.items():
        for place in PLACES:
            if place in places:
                lines.append([name, place] + [number(places[place][what]) for what in COUNTED])
    text = "For one operation, by a QEMU plugin: instructions of user mode, of kernels and of the hypervisor; then what " \
        "took effect in the lowest layer: writes to CR3; writes to other privileged registers (control, model-specific, " \
        "debug, descriptor tables, swapgs); TLB flushes other than by CR3; returns to a less privileged ring."
    return Table("Instructions and privileged writes", text, ["row", "place"] + [COUNT_HEADS[w] for w in COUNTED], lines)
