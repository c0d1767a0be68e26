# SPDX-License-Identifier: MIT
"""Many guests on one CPU: what they get together and each, what each costs in memory, weights, and guests that misbehave.

The guests are our kernel guest-kernels/load, which say in the time of the host how much they have done. Shares are of what one
such guest does alone; the share that a guest is due follows from what the others (the control domain among them) used of the
CPU.
"""
import json
import math
import os

import places
import vm

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
QUICK_SIZES = (1, 8, 32)
WEIGHTS = (128, 256, 512, 1024)
HOGS = ("fork", "disk", "touch", "events")
ROWS = tuple("guests-%d" % size for size in SIZES) + ("weights",) + tuple("beside-" + hog for hog in HOGS + ("all",))
MIB, MEMORY = 8, 2048
# Longer than it takes all guests to have their turn a few times: seconds, for each guest.
LEAST_WINDOW, WINDOW = 2, 0.1
# us, from a change of weights on, that are not looked at.
SETTLE = 1000000
LOGS = "/var/log/enso/console"


def rows(quick=False):
    return [row for row in ROWS if not quick or not row.startswith("guests-") or int(row[7:]) in QUICK_SIZES]


class Boot:
    def __init__(self, hypervisor, clock, rows):
        self.hypervisor, self.clock, self.rows = hypervisor, clock, rows
        self.log = os.path.join(places.FOLDER, "log", "scale-%s.%s" % (hypervisor, clock))
        self.found = {}

    def run(self):
        """Row -> {what: figure}."""
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        devices = places.ICOUNT if self.clock == "icount" else ()
        with places.open_host(self.hypervisor, self.log, devices, mem=MEMORY) as machine:
            self.machine = machine
            places.start_dom0(machine, self.hypervisor, "console=hvc0 quiet nokaslr", "dom0.img", 320)
            machine.start()
            self.alone = 0
            self.ladder()
            if "weights" in self.rows:
                self.weights()
            if any(row.startswith("beside-") for row in self.rows):
                self.isolation()
        return self.found

    # --- guests that compute -------------------------------------------------------------------------------------------

    def create_many(self, first, end):
        """load<first> to load<end - 1>, which compute; the others wait meanwhile, as nothing gets far among many that do."""
        file = places.guest_file(self.machine, "load", mib=MIB, kernel="load.elf", cmdline="spin")
        one = "sed 's#>load<#>load'$i'<#' %s >/tmp/one.xml && enso create --paused /tmp/one.xml || break" % file
        self.all_at_once("pause", first)
        self.machine.check("i=%d; while [ $i -lt %d ]; do %s; i=$((i + 1)); done; [ $i = %d ]" % (first, end, one, end),
                           timeout=60 + 5 * (end - first))
        self.all_at_once("unpause", end)

    def all_at_once(self, verb, count):
        self.machine.check("i=0; while [ $i -lt %d ]; do enso %s load$i & i=$((i + 1)); done; wait" % (count, verb),
                           timeout=60 + 2 * count)

    def create(self, name, work="spin", weight=None):
        file = places.guest_file(self.machine, name, mib=MIB, kernel="load.elf", cmdline=work)
        self.machine.check("enso create " + file, timeout=120)
        if weight:
            self.machine.check("enso schedinfo --weight %d %s" % (weight, name))

    def first_in_line(self, yes):
        """The control domain before all guests, while it creates them; as one of them, while is measured."""
        self.machine.check("enso schedinfo --weight %d Domain-0" % (65535 if yes else 256), timeout=600)

    def span(self):
        return [int(word) for word in self.awk("").split()[-2:]]

    def awk(self, options):
        return self.machine.check("awk %s -f /boot/rates.awk %s/load*.log" % (options, LOGS), timeout=300)

    def rates(self, seconds, first=False):
        """Guest -> units of work a second, while the control domain does nothing for so long; `first`: but is first in line
        before and after it, as it would not get far among many."""
        begin = self.span()[1]
        if first:
            self.first_in_line(False)
            begin += SETTLE
        self.machine.check("sleep %d" % math.ceil(seconds + 2 * SETTLE / 1e6), timeout=300 + 10 * seconds)
        if first:
            self.first_in_line(True)
        end = min(self.span()[0], begin + int(seconds * 1e6))
        if end <= begin:
            raise vm.Failed("a guest did not say what it did within %d s" % seconds)
        lines = [line.split() for line in self.awk("-v from=%d -v to=%d" % (begin, end)).split("\n")]
        return {line[0]: int(line[1]) * 1e6 / (end - begin) for line in lines if len(line) == 2 and line[1].isdigit()}

    def ladder(self):
        """More and more guests, all alike."""
        count = 0
        free = self.free_kib()
        for size in SIZES:
            if "guests-%d" % size not in self.rows and size > 1:
                continue
            self.first_in_line(True)
            self.create_many(count, size)
            count = size
            rates = self.rates(max(LEAST_WINDOW, WINDOW * size), first=True)
            if len(rates) != size:
                raise vm.Failed("%d guests of %d say what they do" % (len(rates), size))
            self.alone = self.alone or rates["load0"]
            self.found["guests-%d" % size] = dict(throughput(rates, self.alone),
                                                  kib_each=(free - self.free_kib()) / size)
        self.machine.check("for i in $(seq 0 %d); do enso destroy load$i || break; done" % (count - 1), timeout=600)
        self.machine.check("rm -f %s/load*" % LOGS)
        self.first_in_line(False)

    def free_kib(self):
        return json.loads(self.machine.check("enso host --json", timeout=120))["free_kib"]

    def weights(self):
        """Guests with different weights: what each gets of the whole, by what it is due; 1 is right."""
        self.first_in_line(True)
        for number, weight in enumerate(WEIGHTS):
            self.create("load%d" % number, weight=weight)
        rates = self.rates(8, first=True)
        self.first_in_line(False)
        whole = sum(rates.values())
        due = {"load%d" % number: weight / sum(WEIGHTS) for number, weight in enumerate(WEIGHTS)}
        self.found["weights"] = {"weight_%d" % weight: rates["load%d" % number] / whole / due["load%d" % number]
                                 for number, weight in enumerate(WEIGHTS)}
        self.destroy(["load%d" % number for number in range(len(WEIGHTS))])

    def destroy(self, names):
        for name in names:
            self.machine.check("enso destroy %s; rm -f %s/%s.log" % (name, LOGS, name), timeout=120)

    # --- guests that misbehave -------------------------------------------------------------------------------------------

    def isolation(self):
        self.machine.check("dd if=/dev/zero of=/tmp/disk.img bs=1M count=24 2>/dev/null")
        self.create("load0")
        for hogs in [[hog] for hog in HOGS] + [list(HOGS)]:
            row = "beside-" + (hogs[0] if len(hogs) == 1 else "all")
            if row in self.rows:
                self.found[row] = self.beside(hogs)
        self.destroy(["load0"])

    def beside(self, hogs):
        """What a well-behaved guest gets beside hogs: of the CPU, of what it is due, and of what it did alone."""
        for hog in hogs:
            self.start_hog(hog)
        self.machine.check("sleep 3", timeout=300)
        before = self.used()
        rate = self.rates(5)["load0"]
        after = self.used()
        spent = {name: after[name] - before[name] for name in after if name in before}
        whole = sum(spent.values())
        share = {name: seconds / whole for name, seconds in spent.items()}
        due = fair_share(share, "load0")
        self.destroy(["hog-" + hog for hog in hogs])
        return {"due": due, "got": rate / self.alone, "of_due": rate / self.alone / due,
                "dom0": share["Domain-0"], "hogs": 1 - share["load0"] - share["Domain-0"]}

    def start_hog(self, hog):
        name = "hog-" + hog
        if hog in ("touch", "events"):
            self.create(name, hog)
            return
        disk = {"disk": "/tmp/disk.img"} if hog == "disk" else {}
        file = places.linux_guest(self.machine, name, "hog," + hog, mib=128, **disk)
        self.machine.check("enso create " + file, timeout=120)
        log = "%s/%s.log" % (LOGS, name)
        self.machine.check("until grep -q 'bench clocksource' %s; do usleep 200000; done" % log, timeout=300)

    def used(self):
        """Domain -> seconds of CPU time."""
        listed = json.loads(self.machine.check("enso list --json", timeout=120))
        return {domain["name"]: domain["cpu_seconds"] for domain in listed}


def throughput(rates, alone):
    """All guests' work by what one does alone; the least and most that one got, and Jain's index of fairness."""
    whole = sum(rates.values())
    squares = sum(rate * rate for rate in rates.values())
    mean = whole / len(rates)
    return {"total": whole / alone, "least": min(rates.values()) / mean, "most": max(rates.values()) / mean,
            "jain": whole * whole / (len(rates) * squares)}


def fair_share(share, name):
    """What a domain that wants all is due of a CPU: an equal part of what is left by those who want less than theirs."""
    left, count = 1.0, len(share)
    for other, used in sorted(share.items(), key=lambda item: item[1]):
        if other != name and used < 0.9 * left / count:
            left -= used
            count -= 1
    return left / count
