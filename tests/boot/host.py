# SPDX-License-Identifier: MIT
"""A host that runs Enso's toolstack, as the end-to-end tests use it: its guests, its consoles, its commands' answers."""
import json
import os
import re
import subprocess
import sys
import time

import vm

HELLO = "/etc/enso/guests/hello.xml"
MINI = "/etc/enso/guests/mini.xml"
LEFT = 256
HELLO_PROMPT = r"hello:\S*# "
# In a guest: counts in a file, and says so in another if a clock went back. One for each CPU.
BUSY = ("work() { l=0; n=0; while :; do read u x </proc/uptime; u=${u%.*}${u#*.}; [ $u -ge $l ] || echo $u after $l >>/back; "
        "l=$u; n=$((n+1)); echo $n >/count$1; done; }; work 1 & work 2 & "
        "count() { v=; until [ -n \"$v\" ]; do v=$(cat /count$1); done; echo $v; };")
MONOTONIC = "dmesg | sed -n 's/^\\[ *\\([0-9]*\\)\\.\\([0-9]*\\)\\].*/\\1\\2/p' | sort -cn && echo in order"


def make_data_disk(path, mib):
    """What stays over a reboot of the host: an empty file system with the label, as the administrator makes it."""
    with open(path, "wb") as disk:
        disk.truncate(mib << 20)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-L", "ENSO-DATA", path], check=True)


class Host(vm.Machine):
    """The machine, logged in, with the daemons up and the boot medium there."""

    def __init__(self, image=None, log=None, **options):
        super().__init__(log or os.environ["TEST_SERIAL"], image=image or (sys.argv[1:] or ["enso"])[0], **options)

    def start(self):
        self.login()
        self.check("until enso list >/dev/null 2>&1; do usleep 200000; done", timeout=60)
        self.check("until [ -e /boot/vmlinux ] && [ -e /run/enso/host-ready ]; do usleep 200000; done", timeout=60)
        return self

    def guests(self):
        """Name -> what enso list tells of it, without the control domain."""
        # A loaded machine may show what was typed once more before it.
        listed = json.loads(re.search(r"(?ms)^\[.*^\]", self.check("enso list --json", timeout=30)).group(0))
        return {guest["name"]: guest for guest in listed if guest["id"] != 0}

    def wait_guest(self, name, wanted, timeout=60):
        """Waits until wanted(guest) holds; guest is None while there is none of that name."""
        end = time.monotonic() + timeout * vm.PATIENCE
        while True:
            guest = self.guests().get(name)
            if wanted(guest):
                return guest
            if time.monotonic() > end:
                raise vm.Failed("guest %s after %d s: %s" % (name, timeout * vm.PATIENCE, guest))
            time.sleep(0.5)

    def free_kib(self):
        return json.loads(self.check("enso host --json", timeout=30))["free_kib"]

    def memory_is_back(self, free):
        """All memory of ended guests is free again, but for what the hypervisor's heap keeps in hand (LEFT KiB)."""
        end = time.monotonic() + 20 * vm.PATIENCE
        while self.free_kib() < free - LEFT:
            if time.monotonic() > end:
                raise vm.Failed("%d KiB of memory are gone" % (free - self.free_kib()))
            time.sleep(1)
        print("memory not back: %d KiB" % (free - self.free_kib()))

    def refused(self, command, status, says):
        """The command fails with status and one line that says what."""
        output = self.check(command, says, status=status)
        lines = [line for line in output.split("\n") if line.strip()]
        if len(lines) != 1:
            raise vm.Failed("%s: not one line but %d:\n%s" % (command, len(lines), output))

    # --- a guest's console ---------------------------------------------------------------------------------------------

    def console(self, name, prompt=HELLO_PROMPT, timeout=120):
        """Attaches to a guest's console and waits for its prompt."""
        self.text = ""
        self.send("enso console " + name)
        end = time.monotonic() + timeout * vm.PATIENCE
        while time.monotonic() < end:
            self.type("\r")
            try:
                if not re.search(prompt, self.expect(prompt + "|" + vm.PROMPT, 5 / vm.PATIENCE).group(0)):
                    raise vm.Failed("the console of %s ended:\n%s" % (name, self.shell("enso list; enso dmesg | tail")[1]))
                if prompt == HELLO_PROMPT:
                    self.pass_backlog()
                return
            except vm.Failed as failure:
                if "not within" not in str(failure):
                    raise
        raise vm.Failed("no prompt on the console of %s within %d s" % (name, timeout * vm.PATIENCE))

    def pass_backlog(self):
        """A console shows first what was on it before: that must not be taken for what is asked for next."""
        self.asked = getattr(self, "asked", 0) + 1
        self.send("echo now=$((%d))" % self.asked)
        self.expect(r"(?m)^now=%d$" % self.asked, 30)
        self.expect(HELLO_PROMPT, 30)

    def guest_shell(self, command, pattern, prompt=HELLO_PROMPT, timeout=30):
        """Runs a command in the guest whose console is attached."""
        self.text = ""
        self.send(command)
        self.expect(r"\n", timeout)
        found = self.expect(pattern, timeout)
        self.expect(prompt, timeout)
        return found

    def busy_goes_on(self):
        """In the guest whose console is attached, which runs BUSY: both CPUs work, and no clock ever went back."""
        self.guest_shell("a=$(count 1); b=$(count 2); sleep 1; [ $(count 1) -gt $a ] && [ $(count 2) -gt $b ] && "
                         "[ ! -e /back ] && echo on it goes", "(?m)^on it goes")
        self.guest_shell(MONOTONIC, "(?m)^in order")

    def leave(self):
        """Ctrl-] leaves a console."""
        self.text = ""
        self.type("\x1d")
        self.expect(vm.PROMPT, 30)


def measured(what, seconds):
    print("%s: %.2f s" % (what, seconds), flush=True)
