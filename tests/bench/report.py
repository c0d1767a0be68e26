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
    "wall": "Wall time of the emulator, of each boot the best of 15 short rounds: ns for the machine without a hypervisor, then "
            "times that.",
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


PAIR_TEXT = {
    "primitives": "A PV kernel of our own as the control domain (guest-kernels/bench).",
    "system": "What people wait for in the control domain, and a guest's disk (a file in the control domain's memory) and network.",
}


def pair_ratios(rows):
    """row -> {enso: its time as a part of Xen's}; of a rate the inverse, so that less is better everywhere."""
    ratios = {}
    for name, runs in rows.items():
        if runs.get("xen") and runs.get("enso") and median(runs["xen"]) and median(runs["enso"]):
            ratio = median(runs["enso"]) / median(runs["xen"])
            ratios[name] = {"enso": ratio if runs["xen"][0]["unit"] == "ns" else 1 / ratio}
    return ratios


def pair_table(group, clock, rows):
    ratios, lines = pair_ratios(rows), []
    for name, runs in rows.items():
        middle = [median(runs[place]) if runs.get(place) else None for place in ("xen", "enso")]
        unit = next(iter(runs.values()))[0]["unit"]
        lines.append([name, number(middle[0]), number(middle[1]), unit, number(ratios.get(name, {}).get("enso"))])
    return Table("%s, %s" % (group.capitalize(), clock), PAIR_TEXT[group] + " The last column: Enso's time by Xen's.",
                 ["row", "Xen", "Enso", "unit", "Enso / Xen"], lines)


def mitigations_table(found):
    """found: row -> {case: ns}, the cases of mitigations.CASES."""
    cases = ("xen-on", "xen-off", "enso-on", "enso-off")
    lines = [[name, *(number(row.get(case)) for case in cases)] for name, row in found.items()]
    return Table("Mitigations, icount", "ns in a guest, with what each hypervisor does by itself (Xen: XPTI and the rest of spec-ctrl; "
                 "Enso: SMEP) and without.", ["row", "Xen on", "Xen off", "Enso on", "Enso off"], lines)


def mitigation_ratios(found):
    """row -> {hypervisor: its time with mitigations by that without}."""
    return {name: {hypervisor: row[hypervisor + "-on"] / row[hypervisor + "-off"] for hypervisor in ("xen", "enso")
                   if row.get(hypervisor + "-on") and row.get(hypervisor + "-off")} for name, row in found.items()}


def weight_names(scale):
    return sorted({name for found in scale.get("weights", {}).values() for name in found}, key=lambda name: int(name[7:]))


def scale_ratios(scale):
    """What guests get, as the tables have it: for each chart its name, its title, and row -> {hypervisor: ratio}."""
    def each(name, what):
        return {hypervisor: found[what] for hypervisor, found in scale[name].items() if what in found}

    many = [row for row in scale if row.startswith("guests-")]
    yield "guests", "Many guests: together, by what one does alone; the least, by the mean", \
        {"%s, %s" % (row[7:], what): each(row, what) for row in many for what in ("total", "least")}
    yield "weights", "Weights: got, by due", {"weight " + name[7:]: each("weights", name) for name in weight_names(scale)}
    yield "isolation", "One that computes beside others: got, by due", \
        {row[7:]: each(row, "of_due") for row in scale if row.startswith("beside-")}


def scale_tables(scale):
    """scale: row -> {hypervisor: {what: figure}}."""
    def cells(row, names):
        return [number(scale[row].get(hypervisor, {}).get(name)) for name in names for hypervisor in ("xen", "enso")]

    def heads(first, names):
        return [first] + ["%s %s" % (hypervisor, name) for name in names for hypervisor in ("Xen", "Enso")]

    many = ("total", "least", "jain", "kib_each")
    rows = [[row[7:]] + cells(row, many) for row in scale if row.startswith("guests-")]
    if rows:
        yield Table("Many guests on one CPU", "Guests that compute: their work together by what one does alone, the least that "
                    "one got by the mean, Jain's index of fairness (1: all alike), and KiB of the host's memory for each.",
                    heads("guests", ("total", "least", "Jain", "KiB each")), rows)
    if "weights" in scale:
        yield Table("Weights", "What guests of different weights got, by what they were due.",
                    heads("weight", ("got / due",)), [[name[7:]] + cells("weights", (name,)) for name in weight_names(scale)])
    beside = ("due", "got", "of_due")
    rows = [[row[7:]] + cells(row, beside) for row in scale if row.startswith("beside-")]
    if rows:
        yield Table("Isolation", "A well-behaved guest beside others on one CPU: the share of the CPU that it is due (an equal part of "
                    "what the others leave), the work that it did by what it does alone, and that by what it is due.",
                    heads("beside", ("due", "got", "got / due")), rows)


COUNT_HEADS = {"user": "user", "kernel": "kernel", "hypervisor": "hypervisor", "cr3": "CR3", "registers": "registers",
               "tlb": "TLB", "returns": "returns"}


def count_ratios(counts):
    """row -> {place on Enso: instructions in the hypervisor, by those in Xen}, where it has more than a few."""
    return {name: {"enso-" + domain: row["enso-" + domain]["hypervisor"] / row["xen-" + domain]["hypervisor"]
                   for domain in ("dom0", "guest") if row.get("xen-" + domain, {}).get("hypervisor", 0) > 200 and
                   "enso-" + domain in row} for name, row in counts.items()}


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
