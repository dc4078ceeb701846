"""What HTTP and websocket streams share: credit both ways, and the sending of a response."""

import asyncio
import os

from . import app_errors, frames
from .app_errors import describe_error, format_app_traceback
from .response_head import encode_asgi_head, encode_pairs

END = frames.END
MAX_DATA_BYTES = frames.MAX_DATA_BYTES

ERROR_HEAD = b'500\0content-type\0text/plain; charset=utf-8'
ERROR_BODY = b'Internal Server Error\n'


class ClientDisconnected(OSError):
    """send() after the client has gone (ASGI HTTP 2.4)."""


class Stream:
    """One stream between its REQUEST and the end of the app's coroutine."""

    def __init__(self, connection, number, scope):
        self.connection = connection
        self.number = number
        self.scope = scope
        # Body bytes that may still be sent.
        self.credit = connection.settings.response_window
        # The gateway wants no more.
        self.is_gone = False
        # The last frame of this side is out.
        self.is_done = False
        self._credit_wait = None
        self._uncredited = 0
        self._credit_batch = connection.settings.body_window // 2

    async def run(self, application):
        """Runs the app; never raises."""
        try:
            result = await application(self.scope, self.receive, self.send)
            if result is not None:
                message = 'The ASGI app returned %s; it should return None.' % type(result).__name__
                self.connection.warn_once('result', message, None, self.log_stream)
            self.finish_incomplete()
        except ClientDisconnected:
            self.fail()
        except asyncio.CancelledError:
            self.fail()
        except BaseException as error:
            # An app that waits for the disconnect event may well raise out of its wait: that is no fault.
            if not (self.is_gone and isinstance(error, OSError)):
                message = 'The app raised an exception: %s' % describe_error(error)
                self.connection.log(
                    'error', message, app_errors.EXCEPTION, self.log_stream, format_app_traceback(error)
                )
            self.fail()

    @property
    def log_stream(self):
        """A finished stream's number may belong to another request already."""
        return 0 if self.is_done else self.number

    def end_with(self, frame):
        """Sends this side's last frame; the gateway may then use the number again."""
        self.is_done = True
        self.connection.streams.pop(self.number, None)
        self.connection.send(frame)

    def add_credit(self, size):
        self.credit += size
        self.wake_sender()

    def wake_sender(self):
        waiting = self._credit_wait
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def wait_for_credit(self):
        """Returns with credit; raises when the client has gone."""
        while self.credit <= 0:
            if self.is_gone:
                raise ClientDisconnected('The client has gone.')
            self._credit_wait = asyncio.get_running_loop().create_future()
            try:
                await self._credit_wait
            finally:
                self._credit_wait = None
        if self.is_gone:
            raise ClientDisconnected('The client has gone.')

    def give_credit(self, size, is_urgent=False):
        """Lets the gateway send as much more as the app has taken."""
        self._uncredited += size
        if self._uncredited and (is_urgent or self._uncredited >= self._credit_batch) and not self.is_done:
            self.connection.send(frames.encode_credit(self.number, self._uncredited))
            self._uncredited = 0


class ResponseSender:
    """Sends one response on a stream: of an HTTP request, or in place of a websocket."""

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

    async def body(self, message):
        self._check_open()
        data = message.get('body', b'')
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError('The body must be bytes, not %s.' % type(data).__name__)
        data = self._limit(data)
        is_last = not message.get('more_body', False)
        if is_last and not self._has_trailers and not self.is_begun and self._try_whole(data):
            return
        await self._emit(data)
        if is_last:
            self._is_body_done = True
            if not self._has_trailers:
                self._end()

    def pathsend(self, message):
        """The extension http.response.pathsend: the gateway reads the file."""
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
        response = frames.encode_response(stream.number, 0, self._head)
        stream.end_with(response + frames.encode_file(stream.number, os.fsencode(path), 0, self._length))

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
        else:
            body = b'' if self._is_head_request else ERROR_BODY
            stream.end_with(frames.encode_response(stream.number, END, ERROR_HEAD, body))

    def _try_whole(self, data):
        """Sends a small complete response as one frame."""
        size = len(data)
        if self._has_no_body():
            if size and self._length is None and self._is_head_request and self._status not in (204, 304):
                self._head += b'\0content-length\0%d' % size
            self._begin(END)
            return True
        if size > MAX_DATA_BYTES or size > self._stream.credit:
            return False
        if self._length is not None and self._length != size:
            return False
        self._begin(END, data)
        return True

    def _begin(self, flags, data=b''):
        self.is_begun = True
        stream = self._stream
        frame = frames.encode_response(stream.number, flags, self._head, data)
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
