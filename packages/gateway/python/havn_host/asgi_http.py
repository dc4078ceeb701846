"""One HTTP request in an ASGI app."""

import asyncio

from . import app_errors, frames
from .asgi_response import ResponseSender
from .asgi_stream import ClientDisconnected, Stream


class HttpStream(Stream):
    """`receive` and `send` of a scope of type http."""

    def __init__(self, connection, number, scope, body, is_whole):
        super().__init__(connection, number, scope)
        self._pieces = [body] if body else []
        # Bytes of the pieces that used credit: all but those in REQUEST.
        self._credited = 0
        self._is_whole = is_whole
        self._is_taken = False
        self._waiting = None
        self._response = ResponseSender(self, scope['method'] == 'HEAD')

    async def receive(self):
        """The body as it comes, then the disconnect event."""
        while not self._pieces and not self._is_whole and not self.is_gone and not self.is_done:
            await self._wait()
        if self.is_gone or self.is_done:
            return {'type': 'http.disconnect'}
        if not self._is_taken:
            return self._take()
        while not self.is_gone and not self.is_done:
            await self._wait()
        return {'type': 'http.disconnect'}

    async def send(self, message):
        kind = message['type']
        if self.is_gone:
            raise ClientDisconnected('The client has gone.')
        if self.is_done:
            raise RuntimeError('%s was sent after the response had ended.' % kind)
        response = self._response
        if kind == 'http.response.body':
            if not response.try_whole(message):
                await response.body(message)
        elif kind == 'http.response.start':
            response.start(message)
        elif kind == 'http.response.pathsend':
            await response.pathsend(message)
        elif kind == 'http.response.trailers':
            response.trailers(message)
        else:
            raise RuntimeError('%r is no message of the http protocol of ASGI.' % (kind,))
        if self.is_done:
            self._wake()

    def receive_frame(self, type_, flags, payload):
        if type_ == frames.BODY:
            if self._is_whole:
                raise frames.ProtocolError('BODY on stream %d after its END' % self.number)
            self._is_whole = bool(flags & frames.END)
            if payload:
                self._pieces.append(payload)
                self._credited += len(payload)
            self._wake()
        elif type_ == frames.CREDIT:
            self.add_credit(frames.decode_credit(payload))
        elif type_ == frames.OPENED:
            self.is_opened = True
            self.wake_sender()
        elif type_ == frames.CANCEL:
            self.is_gone = True
            self._wake()
            self.wake_sender()
        else:
            raise frames.ProtocolError('type %d does not belong to an HTTP stream' % type_)

    def finish_incomplete(self):
        """The app has returned: its response should have ended."""
        if self.is_done:
            return
        if not self.is_gone:
            what = 'sent no complete body' if self._response.is_started else 'sent no response'
            message = 'The ASGI app returned and %s: it must send http.response.start, and http.response.body until more_body is false.'
            self.connection.log('error', message % what, app_errors.ASGI_INCOMPLETE, self.number)
        self.fail()

    def fail(self):
        if not self.is_done:
            self._response.fail()

    def release(self):
        """Breaks the cycle with the response, so that what the request held is freed at once."""
        self._response = None

    def _take(self):
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b''.join(pieces)
        self._pieces = []
        self._is_taken = self._is_whole
        if not self._is_whole:
            self.give_credit(self._credited)
        self._credited = 0
        return {'type': 'http.request', 'body': body, 'more_body': not self._is_whole}

    async def _wait(self):
        # receive() may be called by two tasks at once: each waits for the same future.
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiting)

    def _wake(self):
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
