"""Mounts a FUSE file system at a directory that behaves as a cloud client's does.

Its files are described in JSON, one a line of the file named second:

    {"name": "a", "text": "hello", "away": true, "open": [35, 110], "read": [5]}

Errors are given in order, one each time the file is opened or read, then it works; with
"always" the last one stays. A file that is away has no blocks, and the mark of OpenCloud's
client; opening it brings it in, unless "stuck". Every open and every read is a line of the
file named third. It says "mounted" on stdout and waits to be killed; mount(2) needs root.
"""

import ctypes
import errno
import json
import os
import struct
import sys
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 14, 15, 17, 18
GETXATTR, LISTXATTR, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 22, 23, 25, 26, 27, 28, 29
INTERRUPT, BATCH_FORGET = 36, 42  # all of linux/fuse.h
ROOT, FOLDER, FILE, DIRECT_IO = 1, 0o40755, 0o100644, 1
BORN = int(time.time()) - 3600


class File:
    def __init__(self, told):
        self.name = told["name"].encode()
        self.text = told.get("text", "").encode()
        self.away = told.get("away", False)
        self.stuck = told.get("stuck", False)
        self.always = told.get("always", False)
        self.errors = {"open": told.get("open", []), "read": told.get("read", [])}
        self.changed = BORN + told.get("age", 0)

    def fail(self, what):
        errors = self.errors[what]
        if not errors:
            return 0
        return errors[0] if self.always and len(errors) == 1 else errors.pop(0)

    def marks(self):
        if not self.away:
            return {}
        size = str(len(self.text)).encode()
        return {b"user.openvfs.state": b"virtual", b"user.openvfs.fsize": size}


def attributes(node, file):
    mode = FOLDER if file is None else FILE
    size = 0 if file is None else len(file.text)
    blocks = 0 if file is None or file.away else 8
    changed = BORN if file is None else file.changed
    times = struct.pack("<QQQIII", BORN, BORN, changed, 0, 0, 0)
    return struct.pack("<QQQ", node, size, blocks) + times + struct.pack(
        "<IIIIIII", mode, 1, os.getuid(), os.getgid(), 0, 4096, 0
    )


class Server:
    def __init__(self, fd, files, log):
        self.fd, self.files, self.log = fd, files, log

    def file(self, node):
        return None if node == ROOT else self.files[node - 2]

    def answer(self, unique, body=b"", error=0):
        os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)

    def tell(self, what, file):
        self.log.write(f"{what} {file.name.decode()}\n")
        self.log.flush()

    def init(self, unique, node, body):
        major, minor = struct.unpack_from("<II", body)
        limits = (1 << 16, 0, 1, 1, 1 << 16, 1, 0, 0, 0)
        self.answer(unique, struct.pack("<IIIIHHIIHHI28x", major, minor, *limits))

    def lookup(self, unique, node, body):
        name = body.rstrip(b"\0")
        found = [n for n, file in enumerate(self.files) if file.name == name]
        if not found:
            return self.answer(unique, error=errno.ENOENT)
        node = found[0] + 2
        entry = struct.pack("<QQQQII", node, 0, 0, 0, 0, 0)
        self.answer(unique, entry + attributes(node, self.file(node)))

    def getattr(self, unique, node, body):
        self.answer(unique, struct.pack("<QII", 0, 0, 0) + attributes(node, self.file(node)))

    def open(self, unique, node, body):
        file = self.file(node)
        self.tell("open", file)
        error = file.fail("open")
        if error == 0 and file.away and not file.stuck:
            file.away, file.changed = False, file.changed + 1
        self.answer(unique, b"" if error else struct.pack("<QII", node, DIRECT_IO, 0), error)

    def read(self, unique, node, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        file = self.file(node)
        self.tell("read", file)
        error = file.fail("read")
        self.answer(unique, b"" if error else file.text[offset : offset + size], error)

    def opendir(self, unique, node, body):
        self.answer(unique, struct.pack("<QII", 0, 0, 0))

    def readdir(self, unique, node, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        entries = b""
        for n, file in list(enumerate(self.files))[offset:]:
            entry = struct.pack("<QQII", n + 2, n + 1, len(file.name), 8) + file.name
            entry += b"\0" * (-len(entry) % 8)
            if len(entries) + len(entry) > size:
                break
            entries += entry
        self.answer(unique, entries)

    def xattr(self, unique, size, value):
        if size == 0:
            return self.answer(unique, struct.pack("<II", len(value), 0))
        fits = len(value) <= size
        self.answer(unique, value if fits else b"", 0 if fits else errno.ERANGE)

    def listxattr(self, unique, node, body):
        (size,) = struct.unpack_from("<I", body)
        marks = {} if node == ROOT else self.file(node).marks()
        self.xattr(unique, size, b"".join(name + b"\0" for name in marks))

    def getxattr(self, unique, node, body):
        (size,) = struct.unpack_from("<I", body)
        marks = {} if node == ROOT else self.file(node).marks()
        value = marks.get(body[8:].rstrip(b"\0"))
        if value is None:
            return self.answer(unique, error=errno.ENODATA)
        self.xattr(unique, size, value)

    def statfs(self, unique, node, body):
        room = struct.pack("<QQQQQIIII24x", 1 << 30, 1 << 29, 1 << 29, 1000, 1000, 4096, 255, 4096, 0)
        self.answer(unique, room)

    def done(self, unique, node, body):
        self.answer(unique)

    def serve(self):
        silent = {FORGET, BATCH_FORGET, INTERRUPT}
        known = {
            INIT: self.init, LOOKUP: self.lookup, GETATTR: self.getattr, OPEN: self.open,
            READ: self.read, OPENDIR: self.opendir, READDIR: self.readdir,
            LISTXATTR: self.listxattr, GETXATTR: self.getxattr, STATFS: self.statfs,
            RELEASE: self.done, RELEASEDIR: self.done, FLUSH: self.done,
        }
        while True:
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError as e:
                if e.errno == errno.ENODEV:
                    return  # It was unmounted.
                raise
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in known:
                known[opcode](unique, node, request[40:])
            elif opcode not in silent:
                self.answer(unique, error=errno.ENOSYS)
            if opcode == INIT:
                print("mounted", flush=True)


def main(point, described, log):
    with open(described, encoding="utf-8") as lines:
        files = [File(json.loads(line)) for line in lines]
    fd = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"provider", point.encode(), b"fuse.provider", 0, options.encode()) != 0:
        sys.exit(f"can't mount: {os.strerror(ctypes.get_errno())}")
    Server(fd, files, open(log, "w", encoding="utf-8")).serve()


main(*sys.argv[1:])
