# SPDX-License-Identifier: MIT
"""Whole-system rows: how long people wait for a control domain and its guests, and what a guest's devices carry."""
import os

import places
import vm

ROWS = ("login", "guest-create-first", "guest-create", "guest-destroy", "block-write", "block-read", "block-read-4k",
        "net-send", "net-receive")
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
        return every(output)

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
