# SPDX-License-Identifier: MIT
"""Where the benchmark runs, and how that is started: the same kernel, RAM disk and QEMU, with what lies under it changed."""
import glob
import os
import re

import host
import vm

FOLDER = os.path.join(vm.BUILD, "bench")
# Debian's Xen 4.17 needs SMAP and SMEP off in QEMU's emulator (see tests/boot/vm.py): so all do without.
CPU = "max,smap=off,smep=off"
# What makes one run like the other: virtual time counts instructions (2 ns each), and nothing comes from the host.
ICOUNT = ("-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1")
MEMORY = 1024
LINUX = "quiet nokaslr bench.args=%s"
HYPERVISORS = {"xen": ("peer", "/boot/xen.gz placeholder"), "enso": ("enso", "/boot/enso.gz")}
PLACES = ("native", "xen-dom0", "enso-dom0", "xen-guest", "enso-guest")


class Place:
    """One boot: where (of PLACES), the program's arguments, by which clock (wall, icount), and what more QEMU gets."""

    def __init__(self, where, arguments, clock="icount", more=(), patience=900):
        self.where, self.arguments, self.clock, self.patience = where, arguments, clock, patience
        self.log = os.path.join(FOLDER, "log", "%s.%s.%s" % (where, clock, arguments[0]))
        self.more = (ICOUNT if clock == "icount" else ()) + tuple(more)

    def run(self):
        """Boots, waits for the program's end and gives what it printed."""
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        os.environ["TEST_SERIAL"] = self.log
        hypervisor, _, domain = self.where.partition("-")
        if hypervisor == "native":
            return self.native()
        image, command = HYPERVISORS[hypervisor]
        with host.Host(image, iso=FOLDER + "/bench.iso", smp=1, mem=MEMORY, cpu=CPU, devices=self.more) as machine:
            dom0 = "dom0.img" if domain == "guest" else "bench.img"
            machine.grub_shell("multiboot2 %s console=com1 com1=115200,8n1 dom0_mem=256M,max:256M" % command,
                               "module2 /boot/vmlinux console=hvc0 " + LINUX % ",".join(self.arguments),
                               "module2 /boot/" + dom0, "boot")
            if domain == "guest":
                self.create(machine)
            return self.wait(machine)

    def native(self):
        kernel = glob.glob(vm.BUILD + "/kernel/boot/vmlinuz-*")[0]
        boot = ["-kernel", kernel, "-initrd", FOLDER + "/bench.img",
                "-append", "console=ttyS0 mem=256M tsc=reliable " + LINUX % ",".join(self.arguments)]
        with vm.Machine(self.log, smp=1, mem=MEMORY, cpu=CPU, devices=self.more, boot=boot) as machine:
            return self.wait(machine)

    def create(self, machine):
        machine.start()
        machine.check("sed 's/@ARGS@/%s/' /boot/guest.xml >/tmp/bench.xml" % ",".join(self.arguments))
        machine.check("enso create /tmp/bench.xml", timeout=120)
        machine.send("enso console bench")

    def wait(self, machine):
        machine.expect("bench kernel [^\n]*\n", 240)
        machine.expect("bench done|bench: [^\n]*\n", self.patience)
        return machine.before


def results(text):
    """What a run printed: row -> (median, least, most) in its unit."""
    found = re.findall(r"(?m)^bench (\S+) ([0-9.]+) (\S+)(?: min ([0-9.]+) max ([0-9.]+))?", text)
    return {name: (float(value), float(least or value), float(most or value)) for name, value, _, least, most in found}


def counts(text, file):
    """What the plugin counted: row -> for one operation, what COUNTED names."""
    rows = re.findall(r"(?m)^counted (\S+) (\d+)", text)
    lines = [[int(word) for word in line.split()] for line in open(file)]
    return {name: [value / int(times) for value in line] for (name, times), line in zip(rows, lines)}


COUNTED = ("user", "kernel", "hypervisor", "cr3", "registers", "tlb", "returns")


def plugin(file, native):
    return ("-plugin", "%s/count.so,out=%s%s" % (FOLDER, file, ",kernel=on" if native else ""))
