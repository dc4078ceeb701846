"""The socket of an ASGI host: an asyncio protocol that writes once a turn of the loop."""

import asyncio
import time

from . import frames
from .asgi_http import HttpStream
from .asgi_scope import build_scope
from .asgi_websocket import WebSocketStream
from .log_line import encode_log
from .process import exit_for_protocol, exit_now


class AsgiConnection(asyncio.Protocol):
    """Frames in and out; `streams` holds those that the gateway may still send on."""

    def __init__(self, application, settings, slot):
        self.settings = settings
        self.streams = {}
        self.on_drain = None
        self.on_idle = None
        # The lifespan's state; each request has a shallow copy.
        self.state = None
        self._application = application
        self._slot = slot
        self._reader = frames.FrameReader()
        self._loop = asyncio.get_running_loop()
        self._transport = None
        self._outgoing = []
        # Streams whose app runs: a stream may have ended while its app goes on.
        self._running = set()
        self._warned = set()

    @property
    def is_idle(self):
        return not self._running

    def connection_made(self, transport):
        self._transport = transport

    def connection_lost(self, error):
        exit_now(0)

    def eof_received(self):
        exit_now(0)

    def data_received(self, data):
        try:
            for type_, flags, stream, payload in self._reader.feed(data):
                self._receive(type_, flags, stream, payload)
        except frames.ProtocolError as error:
            exit_for_protocol(error)

    def send(self, frame):
        """Goes out with all that this turn of the loop sends."""
        outgoing = self._outgoing
        if not outgoing:
            self._loop.call_soon(self.flush)
        outgoing.append(frame)

    def flush(self):
        outgoing = self._outgoing
        if outgoing:
            self._transport.write(outgoing[0] if len(outgoing) == 1 else b''.join(outgoing))
            outgoing.clear()

    async def write_all(self):
        """Returns when the socket has taken what was sent."""
        self.flush()
        while self._transport.get_write_buffer_size():
            await asyncio.sleep(0.001)

    def log(self, level, message, code=None, stream=0, traceback=None):
        self.send(encode_log(level, message, code, stream, traceback))

    def warn_once(self, key, message, code, stream):
        """What an app does wrong in each response is told once."""
        if key not in self._warned:
            self._warned.add(key)
            self.log('warn', message, code, stream)

    def cancel_all(self):
        for stream in self._running:
            stream.cancel()

    def finished(self, stream):
        """The app has returned. Safe to call twice."""
        self._running.discard(stream)
        if not self._running:
            self._slot.phase(0, 0, time.monotonic())
            if self.on_idle is not None:
                self.on_idle()

    def _receive(self, type_, flags, stream, payload):
        if type_ == frames.REQUEST:
            self._open(flags, stream, payload)
        elif type_ == frames.PING:
            self.send(frames.encode(frames.PONG, 0, 0, payload))
        elif type_ == frames.DRAIN:
            self.on_drain()
        elif stream != 0:
            found = self.streams.get(stream)
            # Frames of a stream that has ended here crossed its end.
            if found is not None:
                found.receive_frame(type_, flags, payload)

    def _open(self, flags, stream, payload):
        if stream in self.streams:
            raise frames.ProtocolError('REQUEST on stream %d, which is open' % stream)
        if flags & frames.IN_FILE:
            raise frames.ProtocolError('REQUEST with FILE on an ASGI stream')
        head, body, deadline_ms = frames.decode_request(payload)
        now = time.monotonic()
        scope = build_scope(head, self.state, now + deadline_ms / 1000 if deadline_ms else None)
        kind = HttpStream if scope['type'] == 'http' else WebSocketStream
        opened = kind(self, stream, scope, body, bool(flags & frames.END))
        opened.begun = now
        self.streams[stream] = opened
        self._slot.begin(stream, now)
        self._running.add(opened)
        opened.task = self._loop.create_task(opened.run(self._application))
        if deadline_ms:
            opened.limit(deadline_ms / 1000)
