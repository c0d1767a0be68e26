# SPDX-License-Identifier: MIT
"""A directory of Debian packages, served over HTTP on this machine's loopback: what a guest installs from."""
import functools
import gzip
import hashlib
import http.server
import os
import re
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


def index(folder):
    """The paragraphs of an index for the packages in folder/pool."""
    for name in sorted(os.listdir(folder + "/pool")):
        path = "%s/pool/%s" % (folder, name)
        control = subprocess.run(["dpkg-deb", "-f", path], check=True, stdout=subprocess.PIPE, text=True).stdout
        with open(path, "rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        yield "%sFilename: pool/%s\nSize: %d\nSHA256: %s\n" % (control, name, os.path.getsize(path), checksum)


def mirror(folder, debs, suite="bookworm"):
    """Makes folder a mirror of the packages in the folder debs, as debootstrap wants one. It is signed by nobody."""
    lists = "%s/dists/%s/main/binary-amd64" % (folder, suite)
    os.makedirs(lists)
    os.makedirs(folder + "/pool")
    for name in os.listdir(debs):
        # As on a mirror: without the epoch that apt and debootstrap keep in a file's name.
        os.symlink(os.path.join(debs, name), os.path.join(folder, "pool", re.sub("_[0-9]+%3a", "_", name)))
    data = gzip.compress("".join(paragraph + "\n" for paragraph in index(folder)).encode())
    with open(lists + "/Packages.gz", "wb") as file:
        file.write(data)
    with open("%s/dists/%s/Release" % (folder, suite), "w") as release:
        release.write("Origin: Debian\nSuite: %s\nCodename: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n %s %d "
                      "main/binary-amd64/Packages.gz\n" % (suite, suite, hashlib.sha256(data).hexdigest(), len(data)))


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Server:
    """Serves folder until the end of the with block; url is the one for a guest behind QEMU's user network."""

    def __init__(self, folder):
        handler = functools.partial(Handler, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = "http://%s:%d" % (SEEN_FROM_GUESTS, self.server.server_port)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
