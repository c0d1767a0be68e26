# SPDX-License-Identifier: MIT
"""A machine in QEMU and its serial console, for tests that sit in front of it as a person would.

A Machine is started with an image and what the emulated computer has; expect() waits for what it prints, send() types,
shell() runs one command in the control domain and gives its status and output. Everything that it prints goes to a log file.
A wait that runs out of time raises Failed, as everything else here that a test did not ask for.
"""
import os
import re
import select
import signal
import socket
import subprocess
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(ROOT, "build")
OVMF = "/usr/share/ovmf/OVMF.fd"

# QEMU 7.2 checks a PV guest's ring-3 accesses as ring 0's once SMAP is on: Xen 4.17 dies of it, so it has to do without.
DEFAULT_CPU = {"enso": "max", "peer": "max,smap=off,smep=off"}

# What GRUB starts: the hypervisor and the first of its options, as the two media's menus have them.
HYPERVISOR = {"enso": "/boot/enso.gz", "peer": open(os.path.join(ROOT, "dom0-rootfs", "peer.command")).read().strip()}

PROMPT = r"root@enso:\S*# "
# An emulator on a loaded machine: waits are generous, a test that passes does not use them up.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))


class Failed(Exception):
    """What the test wanted did not come."""


class Skipped(Exception):
    """The test can't be run here, and why."""


class Machine:
    def __init__(self, log, image="enso", iso=None, firmware="bios", machine="q35", smp=2, mem=2048,
                 cpu=None, devices=(), boot=None):
        """boot: what QEMU starts in place of the medium."""
        self.image = image
        self.log = open(log, "wb")
        self.text = ""
        self.monitor_path = log + ".monitor"
        if not cpu or (image == "peer" and cpu == "max"):
            cpu = DEFAULT_CPU[image]
        iso = iso or os.path.join(BUILD, image + ".iso")
        if not boot and not os.path.exists(iso):
            raise Skipped(os.path.basename(iso) + " is not built")
        # QEMU 7.2 may keep a translation of code that another of its threads changes meanwhile: a kernel that patches itself
        # was seen to take a breakpoint for ever that was no longer in memory. With many CPUs on few cores, one thread.
        accel = "tcg,thread=single" if smp > 4 else "tcg"
        command = ["qemu-system-x86_64", "-machine", machine, "-accel", accel, "-cpu", cpu,
                   "-smp", str(smp), "-m", str(mem), "-display", "none", "-no-user-config", "-nodefaults",
                   "-vga", "std", "-serial", "stdio", *(boot or ["-cdrom", iso, "-boot", "d"]),
                   "-monitor", "unix:%s,server=on,wait=off" % self.monitor_path, *devices]
        if firmware == "uefi":
            command += ["-bios", OVMF]
        self.log.write((" ".join(command) + "\n").encode())
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if os.path.exists(self.monitor_path):
            os.unlink(self.monitor_path)

    def seconds(self):
        return time.monotonic() - self.started

    def _read(self, timeout):
        """Takes in what there is, waiting at most timeout seconds; False at the end of the machine."""
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        if not ready:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        text = data.decode("latin1").replace("\r", "")
        self.text += text
        # In the log each line says when it came.
        self.log.write(text.replace("\n", "\n%7.2f  " % self.seconds()).encode())
        self.log.flush()
        return bool(data)

    def expect(self, pattern, timeout=60, fatal=r"Kernel panic|PANIC|\(XEN\) Panic on CPU"):
        """Waits for pattern in what came since the last call that matched; returns the match and forgets up to its end."""
        pattern = re.compile(pattern)
        end = time.monotonic() + timeout * PATIENCE
        alive = True
        while True:
            found = pattern.search(self.text)
            if found:
                self.before = self.text[:found.start()]
                self.text = self.text[found.end():]
                return found
            if fatal and re.search(fatal, self.text):
                self._drain()
                raise Failed("the machine crashed while the test waited for: " + pattern.pattern)
            if not alive:
                raise Failed("the machine ended while the test waited for: " + pattern.pattern)
            if time.monotonic() > end:
                raise Failed("not within %d s: %s\n%s" % (timeout * PATIENCE, pattern.pattern, self.where()))
            alive = self._read(0.5)

    def _drain(self):
        """The last words of a crash."""
        end = time.monotonic() + 2
        while time.monotonic() < end and self._read(0.2):
            pass

    def type(self, text):
        """Types text, not faster than a serial line takes it."""
        for start in range(0, len(text), 8):
            self.process.stdin.write(text[start:start + 8].encode("latin1"))
            self.process.stdin.flush()
            time.sleep(0.03)

    def send(self, line):
        self.type(line + "\r")

    # --- GRUB --------------------------------------------------------------------------------------------------------

    def grub_shell(self, *lines):
        """Types lines at GRUB's command line, each character after the last one's echo: with UEFI the firmware reads the
        same serial line, and two characters at a time can change places."""
        for line in lines:
            self.expect("grub> ", 60)
            for char in line:
                self.text = ""
                self.type(char)
                self.expect(re.escape(char), 10)
            self.type("\r")

    def grub_menu(self, key):
        """Presses a key in GRUB's menu."""
        self.expect("GNU GRUB", 60)
        self.expect("executed automatically", 10)
        self.type(key)

    def boot(self, xen="", linux=""):
        """Starts the control domain with more options than the menu gives: for the hypervisor and for Linux."""
        self.grub_menu("c")
        self.grub_shell("multiboot2 %s console=com1,vga com1=115200,8n1 dom0_mem=256M,max:256M %s" % (HYPERVISOR[self.image], xen),
                        "module2 /boot/vmlinux console=tty0 console=hvc0 %s" % linux,
                        "module2 /boot/dom0.img", "boot")

    # --- the control domain ------------------------------------------------------------------------------------------

    def login(self, timeout=240):
        self.expect(r"enso login: ", timeout)
        self.send("root")
        self.expect(PROMPT, 30)
        self.shell("stty cols 240; dmesg -n 1")

    def shell(self, command, timeout=60):
        """Runs command in the control domain's shell: its status and what it printed."""
        self.text = ""
        self.send(command + '; echo "<$?>"')
        status = int(self.expect(r"<(\d+)>\n", timeout).group(1))
        output = self.before.split("\n", 1)[-1]
        self.expect(PROMPT, 30)
        return status, output

    def check(self, command, pattern=None, timeout=60, status=0):
        """Runs command, which has to end with status and print what pattern looks for; gives what it printed."""
        got, output = self.shell(command, timeout)
        if got != status:
            raise Failed("%s: status %d, not %d:\n%s" % (command, got, status, output))
        if pattern and not re.search(pattern, output):
            raise Failed("%s: no %s in:\n%s" % (command, pattern, output))
        return output

    # --- the machine -------------------------------------------------------------------------------------------------

    def monitor(self, command):
        """Gives the command to QEMU; what it answers, up to its next prompt."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(60 * PATIENCE)
            monitor.connect(self.monitor_path)
            monitor.sendall((command + "\n").encode())
            answer = b""
            while answer.count(b"(qemu) ") < 2:
                data = monitor.recv(65536)
                if not data:
                    raise Failed("QEMU ended while it was asked: " + command)
                answer += data
            return answer.decode()

    def where(self):
        """Where each CPU is, one line each: for a machine that does not go on."""
        try:
            registers = self.monitor("info registers -a")
        except OSError as error:
            return "QEMU does not answer: %s" % error
        found = re.findall(r"(?s)CPU#(\d+).*?[RE]IP=(\w+).*?CPL=(\d).*?HLT=(\d)", registers)
        return "\n".join("CPU %s: rip %s in ring %s%s" % (cpu, rip, ring, ", halted" if halted == "1" else "")
                         for cpu, rip, ring, halted in found)

    def wait_off(self, timeout=60):
        """Waits until the machine has turned itself off."""
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            if not self._read(0.5):
                self.process.wait()
                return
        raise Failed("not turned off within %d s" % timeout)


def main(test):
    """Runs test(); its end becomes an exit status that tests/run knows: 0, 1 or 77 (skipped)."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(1)))
    try:
        test()
    except Failed as failure:
        print(failure)
        raise SystemExit(1)
    except Skipped as why:
        print(why)
        raise SystemExit(77)
