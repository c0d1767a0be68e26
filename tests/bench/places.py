# SPDX-License-Identifier: MIT
"""Where the benchmark runs, and how that is started: the same kernel, RAM disk and QEMU, what lies under it changed."""
import glob
import os
import re
import statistics

import host
import vm

FOLDER = os.path.join(vm.BUILD, "bench")
# Debian's Xen 4.17 needs SMAP and SMEP off in QEMU's emulator (see tests/boot/vm.py): so all do without.
CPU = "max,smap=off,smep=off"
# What makes one run like the other: virtual time counts instructions (2 ns each), and nothing comes from the host.
ICOUNT = ("-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1")
MEMORY = 1024
DOMAIN = 256
LINUX = "quiet nokaslr bench.args=%s"
IMAGES = {"xen": "peer", "enso": "enso"}
PLACES = ("native", "xen-dom0", "enso-dom0", "xen-guest", "enso-guest")
# What the plugin counts, in its order (plugin/count.c).
COUNTED = ("user", "kernel", "hypervisor", "cr3", "registers", "tlb", "returns")


class Boot:
    """One boot of the Linux rows: where (of PLACES), with what arguments for the program, by which clock."""

    # More for the hypervisor's command line, and QEMU's CPU.
    options, cpu = "", CPU

    def __init__(self, where, clock, patterns=(), counting=False):
        self.where, self.clock = where, clock
        self.arguments = ",".join(["fixed" if clock == "icount" else "wall", *patterns])
        self.log = os.path.join(FOLDER, "log", "%s.%s" % (where, clock))
        self.counts = self.log + ".counts" if counting else None
        self.devices = list(ICOUNT) if clock == "icount" else []
        if counting:
            lowest = ",kernel=on" if where == "native" else ""
            self.devices += ["-plugin", "%s/count.so,out=%s%s" % (FOLDER, self.counts, lowest)]

    def run(self):
        """Boots, waits for the program's end and gives what it printed."""
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        hypervisor, _, domain = self.where.partition("-")
        if hypervisor == "native":
            with vm.Machine(self.log, smp=1, mem=MEMORY, cpu=self.cpu, devices=self.devices, boot=self.native()) as machine:
                return wait(machine)
        with open_host(hypervisor, self.log, self.devices, cpu=self.cpu) as machine:
            self.start(machine, hypervisor, "dom0.img" if domain == "guest" else "bench.img")
            if domain == "guest":
                self.create(machine)
            return wait(machine)

    def native(self):
        kernel = glob.glob(vm.BUILD + "/kernel/boot/vmlinuz-*")[0]
        options = "console=ttyS0 mem=%dM tsc=reliable %s" % (DOMAIN, LINUX % self.arguments)
        return ["-kernel", kernel, "-initrd", FOLDER + "/bench.img", "-append", options]

    def start(self, machine, hypervisor, initrd):
        start_dom0(machine, hypervisor, "console=hvc0 " + LINUX % self.arguments, initrd, options=self.options)

    def create(self, machine):
        machine.start()
        machine.check("enso create " + linux_guest(machine, "bench", self.arguments), timeout=120)
        machine.send("enso console bench")


def open_host(hypervisor, log, devices=(), smp=1, mem=MEMORY, cpu=CPU):
    return host.Host(IMAGES[hypervisor], log, iso=FOLDER + "/bench.iso", smp=smp, mem=mem, cpu=cpu, devices=devices)


def start_dom0(machine, hypervisor, linux, initrd, memory=DOMAIN, options="", as_native=True):
    """Starts the control domain from GRUB's command line. as_native: kernels see ERMS as they do without a hypervisor."""
    command = vm.HYPERVISOR[IMAGES[hypervisor]]
    if as_native and hypervisor == "enso":
        options += " no-erms-check"
    machine.grub_shell("multiboot2 %s console=com1 com1=115200,8n1 dom0_mem=%dM,max:%dM%s" % (command, memory, memory,
                                                                                                options),
                       "module2 /boot/vmlinux " + linux, "module2 /boot/" + initrd, "boot")


def guest_file(machine, name, **words):
    """Writes a guest's XML in the control domain from domain.xml, with its words; gives the file's name."""
    path = "/tmp/%s.xml" % name
    edits = ["s#@%s@#%s#" % (word.upper(), value) for word, value in dict(words, name=name).items()]
    machine.check("sed '%s; /@[A-Z]*@/d' /boot/domain.xml >%s" % ("; ".join(edits), path))
    return path


def linux_guest(machine, name, arguments, mib=DOMAIN, **words):
    return guest_file(machine, name, mib=mib, kernel="vmlinux", initrd="bench.img",
                      cmdline="console=hvc0 " + LINUX % arguments, **words)


def wait(machine, patience=900):
    """What the program prints until it is done."""
    machine.expect("bench kernel [^\n]*\n", 300)
    if machine.expect("bench done|bench: [^\n]*\n", patience).group(0) != "bench done":
        raise vm.Failed("the benchmark failed: " + machine.before.strip().split("\n")[-1])
    return machine.before


LINE = re.compile(r"(?m)^bench (\S+) ([0-9.]+) (\S+)(?: min ([0-9.]+) max ([0-9.]+))?(?: rounds (\d+) times (\d+))?$")


def results(text):
    """Row -> {value, least, most} as printed."""
    found = {}
    for name, value, unit, least, most, _, _ in LINE.findall(text):
        found[name] = {"value": float(value), "least": float(least or value), "most": float(most or value), "unit": unit}
    return found


def counts(text, file):
    """What the plugin counted: row -> {of COUNTED: how many for one operation}, the median round's."""
    with open(file) as lines:
        rounds = [[int(word) for word in line.split()] for line in lines]
    found = {}
    for name, _, _, _, _, number, times in LINE.findall(text):
        if not number:
            continue
        mine, rounds = rounds[:int(number)], rounds[int(number):]
        found[name] = {what: statistics.median(column) / int(times) for what, column in zip(COUNTED, zip(*mine))}
    return found
