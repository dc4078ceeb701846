"""Shared slots that tell the gateway what each thread does, GIL or no GIL."""

import mmap
import os
import struct

SLOT_BYTES = 64
IDLE, TAKEN, IN_APP, SENDING = range(4)

_SLOT = struct.Struct('<IIdQ')
_PHASE = struct.Struct('<IId')


class Scoreboard:
    """The mapped file; a plain buffer stands in where the gateway keeps none."""

    def __init__(self, path, slots):
        size = SLOT_BYTES * slots
        if path is None:
            self._memory = bytearray(size)
            return
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < size:
                os.ftruncate(descriptor, size)
            self._memory = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def slot(self, number):
        return Slot(self._memory, number * SLOT_BYTES)


class Slot:
    """One thread's line."""

    __slots__ = ('_memory', '_offset', '_begun')

    def __init__(self, memory, offset):
        self._memory = memory
        self._offset = offset
        self._begun = 0

    def begin(self, stream, now):
        """A request goes into the app."""
        self._begun = begun = self._begun + 1
        _SLOT.pack_into(self._memory, self._offset, stream, IN_APP, now, begun)

    def phase(self, stream, phase, now):
        _PHASE.pack_into(self._memory, self._offset, stream, phase, now)
