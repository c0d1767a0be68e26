# SPDX-License-Identifier: MIT
"""What mitigations cost: some of the Linux rows in a guest, with what each hypervisor does by itself and without.

Xen: XPTI, and what spec-ctrl stands for. Enso: SMEP (SMAP is broken in QEMU 7.2, see places.CPU); the index of the hypercall table is
masked always.
"""
import places

ROWS = ("null-call", "protection-fault", "fork-exit", "switch-2p-0k", "page-fault")
WITHOUT = places.CPU
WITH = places.CPU.replace("smep=off", "smep=on")
# Name of the column: hypervisor, its options, QEMU's CPU.
CASES = {
    "xen-on": ("xen", "", WITHOUT),
    "xen-off": ("xen", " spec-ctrl=no,eager-fpu xpti=no", WITHOUT),
    "enso-on": ("enso", "", WITH),
    "enso-off": ("enso", " no-smep", WITHOUT),
}


def rows():
    return ROWS


class Boot(places.Boot):
    def __init__(self, case, rows):
        self.case = case
        hypervisor, self.options, self.cpu = CASES[case]
        super().__init__(hypervisor + "-guest", "icount", rows)
        self.log = self.log.replace(self.where, "mitigations-" + case)
