#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""carrel from Python, by ctypes:

    with Carrel() as c:
        for kind, value in c.run(["sh", "-c", "echo hi; exit 3"], timeout_ms=5000):
            print(kind, value)          # OUT b'hi\\n' ... GONE Status(code=3, ...)

Leaving the loop early, or an exception in it, ends the command and all that it started; so does the end of this
process, however it comes. As a program: carrel.py COMMAND [ARG...]"""
import ctypes as ct
import os
import sys
from collections import namedtuple

Status = namedtuple("Status", "code sig leftovers")
KINDS = ["", "STARTED", "OP", "OUT", "ERR", "EOF", "STDIN_ROOM", "STDIN_CLOSED", "STOPPED", "CONTINUED", "EXIT",
         "GONE", "LOST", "INPUT_FAILED", "SIGNAL"]


class Error(ct.Structure):
    _fields_ = [("stage", ct.c_int), ("err", ct.c_int), ("index", ct.c_int), ("msg", ct.c_char * 232)]


class IO(ct.Structure):
    _fields_ = [("kind", ct.c_int), ("fd", ct.c_int), ("pipe_size", ct.c_int), ("path", ct.c_char_p),
                ("append", ct.c_int)]


# Structs begin with their size, so a beginning of one is enough: what it does not have is the default.
class Spec(ct.Structure):
    _fields_ = [("size", ct.c_size_t), ("argv", ct.POINTER(ct.c_char_p)), ("shell", ct.c_char_p),
                ("path", ct.c_char_p), ("env", ct.POINTER(ct.c_char_p)), ("env_clear", ct.c_int),
                ("cwd", ct.c_char_p), ("user", ct.c_void_p), ("stdin", IO), ("stdout", IO), ("stderr", IO),
                ("pass_fds", ct.c_void_p), ("n_pass_fds", ct.c_size_t), ("input", ct.c_char_p),
                ("input_len", ct.c_size_t), ("timeout_ms", ct.c_int)]


class RawStatus(ct.Structure):
    _fields_ = [("exited", ct.c_int), ("code", ct.c_int), ("sig", ct.c_int), ("core", ct.c_int),
                ("cause", ct.c_int), ("leftovers", ct.c_uint)]


class Event(ct.Structure):
    _fields_ = [("size", ct.c_size_t), ("kind", ct.c_int), ("proc", ct.c_void_p), ("user", ct.c_void_p),
                ("stream", ct.c_int), ("data", ct.POINTER(ct.c_char)), ("len", ct.c_size_t), ("pid", ct.c_int),
                ("sig", ct.c_int), ("status", ct.POINTER(RawStatus))]


lib = ct.CDLL(os.environ.get("LIBCARREL", "libcarrel.so.0"), use_errno=True)
lib.carrel_open.restype = lib.carrel_spawn.restype = ct.c_void_p  # they would be cut to an int
lib.carrel_open.argtypes = [ct.c_void_p, ct.POINTER(Error)]
lib.carrel_spawn.argtypes = [ct.c_void_p, ct.POINTER(Spec), ct.POINTER(Error)]
lib.carrel_next.argtypes = [ct.c_void_p, ct.POINTER(Event), ct.c_int]
lib.carrel_release.argtypes = lib.carrel_close.argtypes = [ct.c_void_p]


class Carrel:
    def __init__(self):
        error = Error()
        self.handle = lib.carrel_open(None, error)
        if not self.handle:
            raise OSError(error.err, error.msg.decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        handle, self.handle = self.handle, None
        lib.carrel_close(handle)

    def run(self, argv, stdin=b"", timeout_ms=0):
        """Yield (kind, value) until the tree is empty; value is bytes, a Status, or a stream's number."""
        spec = Spec(size=ct.sizeof(Spec), input=stdin, input_len=len(stdin), timeout_ms=timeout_ms)
        spec.argv = (ct.c_char_p * (len(argv) + 1))(*map(os.fsencode, argv), None)
        error, event = Error(), Event(size=ct.sizeof(Event))
        proc = lib.carrel_spawn(self.handle, spec, error)
        if not proc:
            raise OSError(error.err, error.msg.decode())
        try:
            while lib.carrel_next(self.handle, event, -1) == 1:  # ctypes lets go of the GIL meanwhile
                kind, value = KINDS[event.kind], event.stream or None
                if kind in ("OUT", "ERR", "LOST"):
                    value = event.data[:event.len]  # a copy: the library's ends with the next call
                elif kind in ("EXIT", "GONE"):
                    s = event.status.contents
                    value = Status(s.code, s.sig, s.leftovers)
                yield kind, value
                if kind in ("GONE", "LOST"):
                    return
        finally:
            if self.handle:  # closing it has released everything
                lib.carrel_release(proc)


if __name__ == "__main__":
    with Carrel() as carrel:
        for what, got in carrel.run(sys.argv[1:]):
            print(what, got)
