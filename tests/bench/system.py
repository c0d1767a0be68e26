# SPDX-License-Identifier: MIT
"""Whole-system rows: how long people wait for a control domain and its guests, and what a guest's devices carry."""
import json
import os

import places
import vm

ROWS = ("login", "guest-create-first", "guest-create", "guest-destroy", "block-write", "block-read", "block-read-4k",
        "net-send", "net-receive", "domain-round-trip")
CREATES = 3
HOST, GUEST = "10.9.0.1", "10.9.0.2"


def rows():
    return ROWS


class Boot:
    """One boot of the control domain on a hypervisor; guests are created, destroyed, and one of them uses its devices."""

    def __init__(self, hypervisor, clock):
        self.hypervisor, self.clock = hypervisor, clock
        self.log = os.path.join(places.FOLDER, "log", "system-%s.%s" % (hypervisor, clock))

    def run(self):
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        devices = places.ICOUNT if self.clock == "icount" else ()
        with places.open_host(self.hypervisor, self.log, devices) as machine:
            places.start_dom0(machine, self.hypervisor, "console=hvc0 quiet nokaslr", "dom0.img")
            found = self.login(machine)
            machine.check("cp /boot/bench /tmp/")
            found.update(self.creates(machine))
            found.update(self.round_trip(machine))
            found.update(self.io(machine))
        return found

    def login(self, machine):
        started = machine.seconds()
        machine.start()
        seconds = machine.seconds() - started
        # By the clock icount the host's time says nothing, and the guest's does not begin with GRUB.
        return {} if self.clock == "icount" else {"login": once(seconds * 1e9, "ns")}

    def creates(self, machine):
        file = places.linux_guest(machine, "idle", "list")
        output = ""
        for name in ["guest-create-first"] + CREATES * ["guest-create"]:
            output += machine.check("/tmp/bench time %s enso create %s" % (name, file), timeout=120)
            output += machine.check("/tmp/bench time guest-destroy enso destroy idle", timeout=120)
        found = every(output)
        # The first one reads from the medium, and then the clock icount only says how long the emulator took for that.
        return {row: found[row] for row in found if row != "guest-create-first" or self.clock != "icount"}

    def round_trip(self, machine):
        """An event to another domain and back, between two of our kernels: two context switches between domains."""
        def start(name, work):
            file = places.guest_file(machine, name, mib=16, kernel="bench.elf", cmdline=work)
            machine.check("enso create " + file, timeout=120)

        # Each has to know the other's id before it starts: they are given out in order.
        start("first", "pong=0")
        listed = json.loads(machine.check("enso list --json", timeout=120))
        first = next(domain["id"] for domain in listed if domain["name"] == "first")
        start("pong", "pong=%d" % (first + 2))
        start("ping", "ping=%d" % (first + 1))
        log = "/var/log/enso/console/ping.log"
        machine.check("until grep -q 'Test result' %s; do usleep 200000; done" % log, timeout=120)
        # ping ends by itself.
        found = places.results(machine.check("grep ^bench %s; enso destroy first && enso destroy pong" % log, timeout=120))
        if "domain_round_trip" not in found:
            raise vm.Failed("two kernels did not hear of each other")
        return {"domain-round-trip": found["domain_round_trip"]}

    def io(self, machine):
        """A disk that is a file in the control domain's memory, and a bridge without a card."""
        machine.check("ip link add br9 type bridge && ip addr add %s/24 dev br9 && ip link set br9 up" % HOST)
        machine.check("dd if=/dev/zero of=/tmp/disk.img bs=1M count=24 2>/dev/null")
        machine.check("{ /tmp/bench server >/tmp/server.log 2>&1 & }")
        file = places.linux_guest(machine, "io", "io,%s,%s" % (HOST, GUEST), mib=128, disk="/tmp/disk.img", bridge="br9")
        machine.check("enso create " + file, timeout=120)
        machine.send("enso console io")
        return places.results(places.wait(machine))


def once(value, unit):
    return {"value": value, "least": value, "most": value, "unit": unit}


def every(output):
    """Of rows that were measured several times the median, least and most."""
    values = {}
    for name, value, unit, *_ in places.LINE.findall(output):
        values.setdefault(name, []).append(float(value))
    if not values:
        raise vm.Failed("nothing was measured:\n" + output)
    return {name: {"value": sorted(found)[len(found) // 2], "least": min(found), "most": max(found), "unit": "ns"}
            for name, found in values.items()}
