"""The socket of a WSGI host: any thread may send; one at a time reads."""

import os
import select
import threading
import time

from . import frames
from .process import exit_for_protocol, exit_now
from .wsgi_request import BodyCollector, Request

READ_BYTES = 262144
HELD_BYTES = 65536


class Connection:
    """Frames in and out. `queue` holds whole requests that wait for a thread, `streams` all that are open."""

    def __init__(self, connection, queue, settings):
        self.socket = connection
        self._reader = frames.FrameReader()
        self._sending = threading.Lock()
        self._held = []
        self._held_bytes = 0
        self._settings = settings
        self._readable = select.poll()
        self._readable.register(connection.fileno(), select.POLLIN)
        self._credit_batch = settings.body_window // 2
        self._uncredited = {}
        # Descriptors of files that the gateway is about to open, by stream.
        self._files = {}
        self.held_since = 0.0
        self.queue = queue
        self.streams = {}
        self.on_drain = None

    def send(self, frame):
        """Sends at once, after what is held."""
        with self._sending:
            held = self._held
            if held:
                count = len(held)
                frame = b''.join(held[:count]) + frame
                del held[:count]
                self._held_bytes = 0
            if frame:
                self._write(frame)

    def hold(self, frame, now):
        """Keeps a complete response back, to send it with its neighbours."""
        held = self._held
        held.append(frame)
        self._held_bytes += len(frame)
        if len(held) == 1:
            self.held_since = now
        elif now - self.held_since > 0.001 or self._held_bytes > HELD_BYTES:
            self.flush()

    def flush(self, is_urgent=True):
        """Sends what is held; when not urgent, leaves it to a thread that is sending just now."""
        if not self._held or not self._sending.acquire(is_urgent):
            return
        try:
            # Another thread may append at any moment, always at the end.
            held = self._held
            count = len(held)
            data = held[0] if count == 1 else b''.join(held[:count])
            del held[:count]
            self._held_bytes = 0
            if data:
                self._write(data)
        finally:
            self._sending.release()

    def finish(self):
        """Sends what is held, after whatever another thread is sending just now."""
        self.send(b'')

    def keep_file(self, request, descriptor):
        """Holds the descriptor of a file that was sent as FILE until the gateway has opened it."""
        self._files[request.stream] = descriptor
        # The thread that reads may have heard of it before it was here.
        if request.is_opened or request.cancelled:
            self._end_file(request)

    def has_held(self):
        return bool(self._held)

    def read(self):
        """Waits for bytes and acts on the frames in them. One thread at a time."""
        try:
            chunk = self.socket.recv(READ_BYTES)
        except OSError:
            chunk = b''
        if not chunk:
            exit_now(0)
        try:
            for type_, flags, stream, payload in self._reader.feed(chunk):
                self._receive(type_, flags, stream, payload)
        except frames.ProtocolError as error:
            exit_for_protocol(error)

    def is_readable(self):
        """True when bytes wait to be read. For the thread that may read."""
        return bool(self._readable.poll(0))

    def fileno(self):
        return self.socket.fileno()

    def _write(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            exit_now(0)

    def _receive(self, type_, flags, stream, payload):
        if type_ == frames.REQUEST:
            self._open(flags, stream, payload)
        elif type_ == frames.PING:
            self.send(frames.encode(frames.PONG, 0, 0, payload))
        elif type_ == frames.DRAIN:
            self.on_drain()
        elif stream == 0:
            return
        else:
            request = self.streams.get(stream)
            # Frames of a stream that has ended here crossed its end.
            if request is not None:
                self._receive_on(request, type_, flags, payload)

    def _open(self, flags, stream, payload):
        if stream in self.streams:
            raise frames.ProtocolError('REQUEST on stream %d, which is open' % stream)
        head, body, deadline_ms = frames.decode_request(payload)
        request = Request(
            stream,
            head,
            body,
            flags & frames.IN_FILE,
            time.monotonic() + deadline_ms / 1000 if deadline_ms else None,
            self._settings.response_window,
        )
        self.streams[stream] = request
        if flags & frames.END:
            self.queue.append(request)
        else:
            request.collector = BodyCollector(body)

    def _receive_on(self, request, type_, flags, payload):
        if type_ == frames.CREDIT:
            request.credit += frames.decode_credit(payload)
            _wake(request)
        elif type_ == frames.CANCEL:
            self._cancel(request)
        elif type_ == frames.OPENED:
            request.is_opened = True
            self._end_file(request)
        elif type_ == frames.BODY:
            self._collect(request, flags, payload)
        else:
            raise frames.ProtocolError('type %d does not belong to a WSGI stream' % type_)

    def _cancel(self, request):
        request.cancelled = True
        collector = request.collector
        if collector is not None and request.body is not None:
            # Its body never became whole, so no thread has seen it.
            del self.streams[request.stream]
            self._uncredited.pop(request.stream, None)
            collector.close()
            self.send(frames.encode(frames.CANCEL, 0, request.stream))
        else:
            _wake(request)
            self._end_file(request)

    def _end_file(self, request):
        """Ends a stream whose response is a file: of two threads that try, one finds the descriptor."""
        descriptor = self._files.pop(request.stream, None)
        if descriptor is None:
            return
        os.close(descriptor)
        self.streams.pop(request.stream, None)
        if request.is_opened:
            self.send(frames.encode(frames.BODY, frames.END, request.stream))
        else:
            self.send(frames.encode(frames.CANCEL, 0, request.stream))

    def _collect(self, request, flags, payload):
        if request.collector is None or request.body is None:
            raise frames.ProtocolError('BODY on stream %d after its END' % request.stream)
        request.collector.add(payload)
        if flags & frames.END:
            request.body = None
            self._uncredited.pop(request.stream, None)
            self.queue.append(request)
            return
        size = self._uncredited.get(request.stream, 0) + len(payload)
        if size >= self._credit_batch:
            self.send(frames.encode_credit(request.stream, size))
            size = 0
        self._uncredited[request.stream] = size


def _wake(request):
    if request.wake is not None:
        request.wake.set()
