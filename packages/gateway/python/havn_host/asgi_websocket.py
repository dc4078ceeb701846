"""One websocket in an ASGI app."""

import asyncio
import collections

from . import app_errors, frames
from .asgi_response import ResponseSender
from .asgi_stream import ClientDisconnected, Stream
from .response_head import encode_pairs

CONNECTING, OPEN, DENYING, CLOSED = range(4)

NORMAL_CLOSURE = 1000
NO_STATUS = 1005
ABNORMAL_CLOSURE = 1006
INTERNAL_ERROR = 1011


class WebSocketStream(Stream):
    """`receive` and `send` of a scope of type websocket."""

    def __init__(self, connection, number, scope, body, is_whole):
        super().__init__(connection, number, scope)
        self._state = CONNECTING
        self._events = collections.deque([({'type': 'websocket.connect'}, 0)])
        self._waiting = None
        self._parts = []
        self._denial = ResponseSender(self, False)

    async def receive(self):
        events = self._events
        while not events:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        event, size = events[0]
        # The disconnect event stays: whoever asks again learns it again.
        if event['type'] != 'websocket.disconnect':
            events.popleft()
            self.give_credit(size)
        return event

    async def send(self, message):
        kind = message['type']
        if self.is_gone:
            raise ClientDisconnected('The client has gone.')
        if self.is_done:
            raise RuntimeError('%s was sent after the websocket had closed.' % kind)
        if self._state == OPEN and kind == 'websocket.send':
            await self._send_message(message)
        elif self._state == OPEN and kind == 'websocket.close':
            self._close(message.get('code', NORMAL_CLOSURE), message.get('reason') or '')
        elif self._state == CONNECTING and kind == 'websocket.accept':
            self._accept(message)
        elif self._state == CONNECTING and kind == 'websocket.close':
            self._refuse()
        elif self._state == CONNECTING and kind == 'websocket.http.response.start':
            self._denial.start(message)
            self._state = DENYING
        elif self._state == DENYING and kind == 'websocket.http.response.body':
            if not self._denial.try_whole(message):
                await self._denial.body(message)
            if self.is_done:
                self._disconnect(ABNORMAL_CLOSURE, '')
        else:
            where = ('before it was accepted', 'once it was open', 'while it is refused', 'after its end')[self._state]
            raise RuntimeError('%r does not fit a websocket %s (ASGI).' % (kind, where))

    def receive_frame(self, type_, flags, payload):
        if type_ == frames.WS_MESSAGE:
            self._receive_message(flags, payload)
        elif type_ == frames.CREDIT:
            self.add_credit(frames.decode_credit(payload))
        elif type_ == frames.WS_CLOSE:
            code, reason = frames.decode_close(payload)
            self._end_by_peer(code, reason, frames.encode_close(self.number, code, ''))
        elif type_ == frames.CANCEL:
            self._end_by_peer(ABNORMAL_CLOSURE, '', frames.encode(frames.CANCEL, 0, self.number))
        elif type_ != frames.BODY:
            raise frames.ProtocolError('type %d does not belong to a websocket stream' % type_)

    def finish_incomplete(self):
        """The app has returned: an open websocket closes, one that was never answered is its fault."""
        if self.is_done:
            return
        if self._state == OPEN:
            self._close(NORMAL_CLOSURE, '')
            return
        what = 'a complete response' if self._state == DENYING else 'websocket.accept or websocket.close'
        message = 'The ASGI app returned and never sent %s.' % what
        self.connection.log('error', message, app_errors.ASGI_INCOMPLETE, self.number)
        self._denial.fail()

    def fail(self):
        if self.is_done:
            return
        if self._state == OPEN:
            self._close(INTERNAL_ERROR, '')
        else:
            self._denial.fail()

    def release(self):
        """Breaks the cycle with the response, so that what the websocket held is freed at once."""
        self._denial = None

    def _accept(self, message):
        subprotocol = message.get('subprotocol') or ''
        headers = encode_pairs(message.get('headers') or ())
        if '\0' in subprotocol or '\r' in subprotocol or '\n' in subprotocol:
            raise ValueError('The subprotocol %r holds a line break or NUL.' % subprotocol)
        payload = subprotocol.encode('latin-1') + (b'\0' + headers if headers else b'')
        self._state = OPEN
        self.connection.send(frames.encode(frames.WS_ACCEPT, 0, self.number, payload))

    def _refuse(self):
        self._state = CLOSED
        self.end_with(frames.encode_response(self.number, frames.END, b'403', b'', self.begun))
        self._disconnect(ABNORMAL_CLOSURE, '')

    def _close(self, code, reason):
        self._state = CLOSED
        self.end_with(frames.encode_close(self.number, code, reason))
        self._disconnect(code, reason)

    async def _send_message(self, message):
        data = message.get('bytes')
        kind = 0
        if data is None:
            text = message.get('text')
            if not isinstance(text, str):
                raise TypeError('websocket.send needs bytes or text.')
            data = text.encode('utf-8')
            kind = frames.TEXT
        elif not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError('websocket.send needs bytes, not %s.' % type(data).__name__)
        view = memoryview(data)
        size = len(view)
        offset = 0
        while True:
            if size:
                await self.wait_for_credit()
            count = min(size - offset, max(0, self.credit), frames.MAX_DATA_BYTES)
            part = view[offset : offset + count]
            offset += count
            self.credit -= count
            flags = kind | (frames.MORE if offset < size else 0)
            self.connection.send(frames.encode(frames.WS_MESSAGE, flags, self.number, part))
            if offset >= size:
                return
            self.connection.flush()
            await asyncio.sleep(0)

    def _receive_message(self, flags, payload):
        if self._state != OPEN:
            raise frames.ProtocolError('WS_MESSAGE on stream %d before WS_ACCEPT' % self.number)
        self._parts.append(payload)
        if flags & frames.MORE:
            # The app cannot take a part of a message, so its bytes are credited as they come.
            self.give_credit(len(payload), is_urgent=True)
            return
        data = b''.join(self._parts)
        self._parts = []
        event = {'type': 'websocket.receive', 'bytes': None, 'text': None}
        if flags & frames.TEXT:
            event['text'] = data.decode('utf-8', 'replace')
        else:
            event['bytes'] = data
        self._push(event, len(payload))

    def _end_by_peer(self, code, reason, answer):
        self.is_gone = True
        self._state = CLOSED
        self.end_with(answer)
        self._disconnect(code, reason)
        self.wake_sender()

    def _disconnect(self, code, reason):
        self._push({'type': 'websocket.disconnect', 'code': code, 'reason': reason}, 0)

    def _push(self, event, size):
        self._events.append((event, size))
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
