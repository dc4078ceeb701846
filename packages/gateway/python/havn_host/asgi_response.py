"""Sends one response of an ASGI app as frames."""

import asyncio
import os

from . import app_errors, deadline, frames
from .response_head import encode_asgi_head, encode_pairs

END = frames.END
MAX_DATA_BYTES = frames.MAX_DATA_BYTES

ERROR_HEAD = b'500\0content-type\0text/plain; charset=utf-8'
ERROR_BODY = b'Internal Server Error\n'


class ResponseSender:
    """The response to an HTTP request, or in place of a websocket."""

    def __init__(self, stream, is_head_request):
        self._stream = stream
        self._connection = stream.connection
        self._is_head_request = is_head_request
        self._head = None
        self._status = 0
        self._length = None
        self._sent = 0
        self._has_surplus = False
        self._has_trailers = False
        self._trailers = []
        self._is_body_done = False
        # RESPONSE is out.
        self.is_begun = False

    @property
    def is_started(self):
        return self._head is not None

    def start(self, message):
        if self._head is not None:
            raise RuntimeError('The response was started twice.')
        status = message['status']
        head, self._length, dropped = encode_asgi_head(status, message.get('headers', ()))
        self._head = head
        self._status = status
        self._has_trailers = bool(message.get('trailers', False))
        for name in dropped:
            words = 'The app sent the hop-by-hop header %s, which is the server\'s affair: it is left out.' % name
            self._connection.warn_once(name.lower(), words, app_errors.HOP_BY_HOP, self._stream.number)

    def try_whole(self, message):
        """Sends a small complete response as one frame; False where body() has to send it."""
        if self._head is None or self.is_begun or self._has_trailers or message.get('more_body', False):
            return False
        data = message.get('body', b'')
        if not isinstance(data, (bytes, bytearray, memoryview)):
            return False
        size = len(data)
        if self._has_no_body():
            if size and self._length is None and self._is_head_request and self._status not in (204, 304):
                self._head += b'\0content-length\0%d' % size
            self._begin(END)
            return True
        if size > MAX_DATA_BYTES or size > self._stream.credit or (self._length is not None and self._length != size):
            return False
        self._begin(END, data)
        return True

    async def body(self, message):
        """Sends a piece of the body, and the end of the response after the last one."""
        self._check_open()
        data = message.get('body', b'')
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError('The body must be bytes, not %s.' % type(data).__name__)
        data = self._limit(data)
        is_last = not message.get('more_body', False)
        await self._emit(data)
        if is_last:
            self._is_body_done = True
            if not self._has_trailers:
                self._end()

    async def pathsend(self, message):
        """The extension http.response.pathsend: the gateway reads the file. Returns once it is open there."""
        self._check_open()
        path = message['path']
        if not os.path.isabs(path):
            raise ValueError('http.response.pathsend needs an absolute path, not %r.' % (path,))
        if self.is_begun:
            raise RuntimeError('http.response.pathsend came after http.response.body.')
        if not os.access(path, os.R_OK):
            raise FileNotFoundError('http.response.pathsend: %s cannot be read.' % path)
        stream = self._stream
        if self._has_no_body():
            self._begin(END)
            return
        self.is_begun = True
        self._is_body_done = True
        response = frames.encode_response(stream.number, 0, self._head, b'', stream.begun)
        file = frames.encode_file(stream.number, os.fsencode(path), 0, self._length)
        self._connection.send(response + file)
        await stream.wait_until_opened()
        stream.end_with(frames.encode(frames.BODY, END, stream.number))

    def trailers(self, message):
        """The extension http.response.trailers."""
        if not self._has_trailers or not self._is_body_done:
            raise RuntimeError('http.response.trailers needs trailers=True at the start, and the whole body before it.')
        self._trailers += message.get('headers', ())
        if not message.get('more_trailers', False):
            self._end()

    def fail(self):
        """Ends the response after the app has failed."""
        stream = self._stream
        if self.is_begun or stream.is_gone:
            stream.end_with(frames.encode(frames.CANCEL, 0, stream.number))
        elif stream.is_overdue:
            stream.end_with(deadline.encode_timeout(stream.number, self._is_head_request, stream.begun))
        else:
            body = b'' if self._is_head_request else ERROR_BODY
            stream.end_with(frames.encode_response(stream.number, END, ERROR_HEAD, body, stream.begun))

    def _begin(self, flags, data=b''):
        self.is_begun = True
        stream = self._stream
        frame = frames.encode_response(stream.number, flags, self._head, data, stream.begun)
        if flags:
            stream.end_with(frame)
        else:
            self._connection.send(frame)

    async def _emit(self, data):
        stream = self._stream
        if not self.is_begun:
            self._begin(0)
        if self._has_no_body():
            return
        view = memoryview(data)
        size = len(view)
        offset = 0
        while offset < size:
            await stream.wait_for_credit()
            count = min(size - offset, stream.credit, MAX_DATA_BYTES)
            stream.credit -= count
            self._sent += count
            self._connection.send(frames.encode(frames.BODY, 0, stream.number, view[offset : offset + count]))
            offset += count
            if offset < size:
                # Other streams have their turn between two frames of this one.
                self._connection.flush()
                await asyncio.sleep(0)

    def _end(self):
        stream = self._stream
        if self._length is not None and self._sent < self._length and not self._has_no_body():
            message = 'The app sent %d bytes of body and declared a Content-Length of %d.'
            values = (self._sent, self._length)
            self._connection.log('error', message % values, app_errors.CONTENT_LENGTH, stream.number)
            self.fail()
        elif self._trailers:
            payload = encode_pairs(self._trailers)
            stream.end_with(frames.encode(frames.TRAILERS, END, stream.number, payload))
        else:
            stream.end_with(frames.encode(frames.BODY, END, stream.number))

    def _limit(self, data):
        """No more than Content-Length goes out."""
        length = self._length
        if length is None or self._sent + len(data) <= length or self._has_no_body():
            return data
        if not self._has_surplus:
            self._has_surplus = True
            message = 'The app sent %d bytes of body or more and declared a Content-Length of %d: the rest is cut off.'
            values = (self._sent + len(data), length)
            self._connection.log('error', message % values, app_errors.CONTENT_LENGTH, self._stream.number)
        return data[: length - self._sent]

    def _check_open(self):
        if self._head is None:
            raise RuntimeError('The body was sent before http.response.start.')
        if self._is_body_done:
            raise RuntimeError('The body was sent after its end.')

    def _has_no_body(self):
        return self._is_head_request or self._status == 204 or self._status == 304
