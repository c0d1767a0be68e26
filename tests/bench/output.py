# SPDX-License-Identifier: MIT
"""What a run leaves: results.json with all that was measured, report.md and a chart for each table, made from it."""
import datetime
import glob
import json
import os
import re
import subprocess
import threading

import chart
import places
import report
import vm


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.split("\n")[0]


def about():
    kernel = glob.glob(vm.BUILD + "/kernel/boot/vmlinuz-*")
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"),
            "commit": first_line("git", "describe", "--always", "--dirty"),
            "qemu": first_line("qemu-system-x86_64", "--version"),
            "kernel": kernel and re.sub(".*vmlinuz-", "", kernel[0]),
            "compiler": first_line("gcc", "--version")}


class Results:
    def __init__(self, folder):
        self.folder, self.lock = folder, threading.Lock()
        self.rows, self.counts, self.commands = {}, {}, {}

    def add(self, group, clock, place, found):
        """A boot's rows: row -> {value, least, most, unit}."""
        with self.lock:
            for name, value in found.items():
                self.rows.setdefault(group, {}).setdefault(clock, {}).setdefault(name, {}).setdefault(place, []).append(value)

    def count(self, place, found):
        with self.lock:
            for name, value in found.items():
                self.counts.setdefault(name, {})[place] = value

    def tables(self):
        makers = {"linux": report.linux_table, "primitives": report.primitives_table}
        for group, clocks in self.rows.items():
            for clock, rows in clocks.items():
                yield makers[group](clock, rows)
        if self.counts:
            yield report.counts_table(self.counts)

    def charts(self):
        for clock, rows in self.rows.get("linux", {}).items():
            ratios = {name: row["ratio"] for name, row in report.summarize(rows).items()}
            if any(ratios.values()):
                yield "linux-" + clock, chart.draw("Linux: times native, %s" % clock, ratios)
        for clock, rows in self.rows.get("primitives", {}).items():
            pairs = {name: {place: report.median(runs[place]) / report.median(runs["xen"]) for place in runs}
                     for name, runs in rows.items() if "xen" in runs and report.median(runs["xen"])}
            if pairs:
                yield "primitives-" + clock, chart.draw("Primitives: times Xen, %s" % clock, pairs)

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        summary = {group: {clock: report.summarize(rows) for clock, rows in clocks.items()}
                   for group, clocks in self.rows.items()}
        whole = {"about": about(), "commands": commands(), "summary": summary, "rows": self.rows, "counts": self.counts}
        self.put("results.json", json.dumps(whole, indent=1) + "\n")
        tables = list(self.tables())
        text = ["# Enso's benchmark, %(date)s\n\nCommit %(commit)s, Linux %(kernel)s, %(qemu)s, %(compiler)s.\n"
                % whole["about"]]
        text += [table.markdown() for table in tables]
        text += ["## Command lines\n\n" + "".join("* %s: `%s`\n" % pair for pair in whole["commands"].items())]
        self.put("report.md", "\n".join(text))
        for name, svg in self.charts():
            self.put(name + ".svg", svg)
        print("\n" + "\n".join(table.terminal() for table in tables))
        print("written: %s/{results.json,report.md,*.svg}" % os.path.relpath(self.folder))

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)


def commands():
    """How QEMU was started for each: the first line of each log."""
    found = {}
    for log in sorted(glob.glob(places.FOLDER + "/log/*")):
        if log.endswith((".counts", ".monitor")):
            continue
        with open(log, errors="replace") as file:
            found[os.path.basename(log)] = file.readline().strip().replace(vm.BUILD, "build")
    return found
