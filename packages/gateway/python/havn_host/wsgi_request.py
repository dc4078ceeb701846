"""A request as the gateway sent it, until its thread has answered it."""

import io
import os
import tempfile

MEMORY_BYTES = 524288


class Request:
    """One stream. The thread that reads the socket writes `credit` and `cancelled`; the app's thread reads them."""

    __slots__ = ('stream', 'head', 'body', 'in_file', 'deadline', 'credit', 'cancelled', 'wake', 'collector', 'is_opened')

    def __init__(self, stream, head, body, in_file, deadline, credit):
        self.stream = stream
        self.head = head
        self.body = body
        self.in_file = in_file
        # time.monotonic() at which the gateway gives up, or None.
        self.deadline = deadline
        # Body bytes that may still be sent.
        self.credit = credit
        self.cancelled = False
        # The gateway has opened the file that is its response.
        self.is_opened = False
        # threading.Event of a thread that waits for credit.
        self.wake = None
        # BodyCollector, while body frames are still to come.
        self.collector = None

    def open_input(self):
        """`wsgi.input` and the size of the whole body: a seekable binary file at its beginning."""
        body = self.body
        if self.in_file:
            path = os.fsdecode(body)
            file = open(path, 'rb')
            os.unlink(path)
            return file, os.fstat(file.fileno()).st_size
        if self.collector is not None:
            return self.collector.open()
        return io.BytesIO(body), len(body)


class BodyCollector:
    """A body that arrives in several frames: in memory, then in an unnamed file."""

    def __init__(self, first):
        self._file = io.BytesIO()
        self._is_spooled = False
        self._size = 0
        self.add(first)

    def add(self, data):
        self._size += len(data)
        if not self._is_spooled and self._size > MEMORY_BYTES:
            spool = tempfile.TemporaryFile()
            spool.write(self._file.getbuffer())
            self._file = spool
            self._is_spooled = True
        self._file.write(data)

    def open(self):
        self._file.seek(0)
        return self._file, self._size

    def close(self):
        self._file.close()
