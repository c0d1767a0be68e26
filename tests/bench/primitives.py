# SPDX-License-Identifier: MIT
"""The hypervisor's primitives: our PV kernel guest-kernels/bench as the control domain, on either hypervisor."""
import os
import re

import places
import vm

SOURCE = os.path.join(vm.BUILD, "..", "guest-kernels", "bench", "main.c")


def rows():
    """What the kernel measures, from its source: its table, and what it calls measure() or report() for."""
    with open(SOURCE) as source:
        return re.findall(r'(?m)^\t+(?:\{ |measure\(|report\()"(\w+)", ', source.read())


class Boot:
    def __init__(self, hypervisor, clock):
        self.hypervisor, self.clock = hypervisor, clock
        self.log = os.path.join(places.FOLDER, "log", "primitives-%s.%s" % (hypervisor, clock))

    def run(self):
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        devices = places.ICOUNT if self.clock == "icount" else ()
        with places.open_host(self.hypervisor, self.log, devices) as machine:
            # Two vCPUs on the one CPU, for the event to another of them.
            machine.grub_shell("multiboot2 %s console=com1 com1=115200,8n1 loglvl=all noreboot dom0_mem=64M dom0_max_vcpus=2"
                               % vm.HYPERVISOR[places.IMAGES[self.hypervisor]], "module2 /boot/bench.elf bench", "boot")
            result = machine.expect(r"Test result: (\w+)([^\n]*)\n", 300)
            if result.group(1) != "PASS":
                raise vm.Failed("the kernel failed:" + result.group(2))
            return places.results(machine.before)
