# SPDX-License-Identifier: MIT
"""A directory of Debian packages, served over HTTP on this machine's loopback: what a guest installs from."""
import functools
import hashlib
import http.server
import os
import subprocess
import tempfile
import threading

# Where QEMU's user network shows the loopback of the machine that it runs on.
SEEN_FROM_GUESTS = "10.0.2.2"

GREETING = """Package: enso-greeting
Version: 1.0
Architecture: all
Maintainer: Enso's tests <tests@enso.invalid>
Description: one script, to see a package being installed
"""


def make(folder):
    """Builds one small package and the index that apt reads."""
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(tree + "/DEBIAN")
        os.makedirs(tree + "/usr/bin")
        with open(tree + "/DEBIAN/control", "w") as control:
            control.write(GREETING)
        with open(tree + "/usr/bin/enso-greeting", "w") as script:
            script.write("#!/bin/sh\necho greetings from $(hostname)\n")
        os.chmod(tree, 0o755)
        os.chmod(script.name, 0o755)
        package = os.path.join(folder, "enso-greeting_1.0_all.deb")
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, package], check=True, stdout=subprocess.DEVNULL)
    data = open(package, "rb").read()
    with open(os.path.join(folder, "Packages"), "w") as index:
        index.write("%sFilename: ./%s\nSize: %d\nSHA256: %s\n\n" % (GREETING, os.path.basename(package), len(data),
                                                              hashlib.sha256(data).hexdigest()))


class Server:
    """Serves folder until the end of the with block; url is the one for a guest behind QEMU's user network."""

    def __init__(self, folder):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = "http://%s:%d" % (SEEN_FROM_GUESTS, self.server.server_port)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
