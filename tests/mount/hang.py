"""Mounts a FUSE file system at a directory and answers nothing but its greeting.

What a dead server looks like from a program that touches its mount: a request
that was taken and is not answered can't even be killed. It says "mounted" on
stdout and waits to be killed itself; mount(2) needs root.
"""

import ctypes
import os
import struct
import sys

INIT = 26  # FUSE_INIT of linux/fuse.h


def mount(fd, point):
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"hang", point.encode(), b"fuse.hang", 0, options.encode()) != 0:
        sys.exit(f"can't mount: {os.strerror(ctypes.get_errno())}")


def greet(fd):
    request = os.read(fd, 1 << 17)
    _, opcode, unique = struct.unpack_from("<IIQ", request)
    major, minor = struct.unpack_from("<II", request, 40)
    assert opcode == INIT, opcode
    body = struct.pack("<IIIIHHIIHHI28x", major, minor, 1 << 16, 0, 1, 1, 1 << 16, 1, 0, 0, 0)
    os.write(fd, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)


fuse = os.open("/dev/fuse", os.O_RDWR)
mount(fuse, sys.argv[1])
greet(fuse)
print("mounted", flush=True)
while True:
    os.read(fuse, 1 << 17)
