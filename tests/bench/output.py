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
    def __init__(self, folder, keep=False):
        self.folder, self.lock = folder, threading.Lock()
        self.rows, self.counts, self.scale, self.mitigations, self.commands, self.runs = {}, {}, {}, {}, {}, []
        self.old = {}
        if keep and os.path.exists(os.path.join(folder, "results.json")):
            with open(os.path.join(folder, "results.json")) as file:
                self.old = json.load(file)

    def keep_old(self):
        """What an earlier run measured and this one did not."""
        for group, clocks in self.old.get("rows", {}).items():
            for clock, rows in clocks.items():
                for name, runs in rows.items():
                    mine = self.rows.setdefault(group, {}).setdefault(clock, {}).setdefault(name, {})
                    self.rows[group][clock][name] = {**runs, **mine}
        for kind in "counts", "scale", "mitigations":
            for name, places_found in self.old.get(kind, {}).items():
                getattr(self, kind)[name] = {**places_found, **getattr(self, kind).get(name, {})}
        self.commands = {**self.old.get("commands", {}), **commands()}
        self.runs = self.old.get("runs", []) + [about()]

    def add(self, group, clock, place, found):
        """A boot's rows: row -> {value, least, most, unit}. In wall time the round counts that nothing got in the way of."""
        with self.lock:
            for name, value in found.items():
                if clock == "wall" and group == "linux":
                    value = dict(value, value=value["least"])
                self.rows.setdefault(group, {}).setdefault(clock, {}).setdefault(name, {}).setdefault(place, []).append(value)

    def count(self, place, found):
        with self.lock:
            for name, value in found.items():
                self.counts.setdefault(name, {})[place] = value

    def mitigate(self, case, found):
        with self.lock:
            for name, value in found.items():
                self.mitigations.setdefault(name, {})[case] = value["value"]

    def scales(self, hypervisor, found):
        with self.lock:
            for name, value in found.items():
                self.scale.setdefault(name, {})[hypervisor] = value

    def tables(self):
        for group, clocks in self.rows.items():
            for clock, rows in clocks.items():
                yield report.linux_table(clock, rows) if group == "linux" else report.pair_table(group, clock, rows)
        if self.mitigations:
            yield report.mitigations_table(self.mitigations)
        if self.scale:
            yield from report.scale_tables(self.scale)
        if self.counts:
            yield report.counts_table(self.counts)

    def charts(self):
        for clock, rows in self.rows.get("linux", {}).items():
            ratios = {name: row["ratio"] for name, row in report.summarize(rows).items()}
            if any(ratios.values()):
                yield "linux-" + clock, chart.draw("Linux: times native, %s" % clock, ratios)
        for group in "primitives", "system":
            for clock, rows in self.rows.get(group, {}).items():
                pairs = report.pair_ratios(rows)
                if pairs:
                    title = "%s: Enso's time, of Xen's, %s" % (group.capitalize(), clock)
                    yield "%s-%s" % (group, clock), chart.draw(title, pairs, chart.Linear)
        linear = [("mitigations", "Mitigations: time with, by time without, icount", report.mitigation_ratios(self.mitigations)),
                  *report.scale_ratios(self.scale),
                  ("instructions", "Instructions in the hypervisor: Enso's, of Xen's", report.count_ratios(self.counts))]
        for name, title, ratios in linear:
            ratios = {row: found for row, found in ratios.items() if found}
            if ratios:
                yield name, chart.draw(title, ratios, chart.Linear)

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        self.keep_old()
        summary = {group: {clock: report.summarize(rows) for clock, rows in clocks.items()}
                   for group, clocks in self.rows.items()}
        whole = {"runs": self.runs, "commands": self.commands, "summary": summary, "rows": self.rows, "counts": self.counts,
                 "scale": self.scale, "mitigations": self.mitigations}
        self.put("results.json", json.dumps(whole, indent=1) + "\n")
        tables = list(self.tables())
        text = ["# Enso's benchmark, %s\n" % self.runs[-1]["date"]]
        text += ["%(date)s: commit %(commit)s, Linux %(kernel)s, %(qemu)s, %(compiler)s.\n" % run for run in self.runs]
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
