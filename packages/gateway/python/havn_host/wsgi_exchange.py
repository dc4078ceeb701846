"""One request in a WSGI app (PEP 3333)."""

from . import app_errors, deadline, frames
from .app_errors import describe_error, format_app_traceback
from .deadline import DeadlineExceeded
from .response_head import encode_wsgi_head
from .wsgi_file import FileWrapper, duplicate_descriptor, find_file_part

MAX_DATA_BYTES = frames.MAX_DATA_BYTES
END = frames.END

ERROR_HEAD = b'500 Internal Server Error\0Content-Type\0text/plain; charset=utf-8'
ERROR_BODY = b'Internal Server Error\n'

_SEQUENCES = (list, tuple)


class Cancelled(Exception):
    """The gateway wants no more of this response."""


class AppMistake(Exception):
    """The app broke PEP 3333 in a way that no traceback shows."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class Exchange:
    """Calls the app, iterates and closes its result, on one thread."""

    __slots__ = (
        '_worker',
        '_connection',
        '_request',
        '_head',
        '_status',
        '_length',
        '_sent',
        '_is_head_sent',
        '_is_done',
        '_is_head_request',
        '_has_surplus',
    )

    def __init__(self, worker, request):
        self._worker = worker
        self._connection = worker.connection
        self._request = request
        self._head = None
        self._status = 0
        self._length = None
        self._sent = 0
        self._is_head_sent = False
        self._is_done = False
        self._is_head_request = False
        self._has_surplus = False

    def run(self, application, base):
        """Never raises."""
        request = self._request
        result = None
        body = None
        try:
            environ = base.copy()
            fields = iter(request.head.decode('latin-1').split('\0'))
            environ.update(zip(fields, fields))
            self._is_head_request = environ.get('REQUEST_METHOD') == 'HEAD'
            body, size = self._open_input()
            environ['wsgi.input'] = body
            if size and 'CONTENT_LENGTH' not in environ:
                # The body is whole, whatever coding it came in: its size is known.
                environ['CONTENT_LENGTH'] = str(size)
            if request.deadline is not None:
                environ['havn.deadline'] = request.deadline
            result = application(environ, self.start_response)
            self._respond(result)
        except BaseException as error:
            self._fail(error)
        finally:
            self._close(result)
            if body is not None:
                body.close()

    def start_response(self, status, headers, exc_info=None):
        """The app's way to give status and headers; returns the `write` callable."""
        if exc_info is not None:
            try:
                if self._is_head_sent or self._is_done:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head is not None:
            raise AssertionError('start_response() was called twice, the second time without exc_info (PEP 3333).')
        self._head, self._status, self._length, dropped = encode_wsgi_head(status, headers)
        if dropped:
            self._worker.server.warn_hop_by_hop(dropped, self._request.stream)
        return self.write

    def write(self, data):
        """The older way to send a body: at once."""
        if type(data) is not bytes:
            raise TypeError('write() takes bytes, not %s (PEP 3333).' % type(data).__name__)
        if self._is_done:
            raise AssertionError('write() was called after the response had ended.')
        if data:
            self._emit(data, False)

    def _open_input(self):
        try:
            return self._request.open_input()
        except OSError as error:
            raise AppMistake(app_errors.REQUEST_BODY, 'The body cannot be read: %s.' % error) from None

    def _respond(self, result):
        kind = type(result)
        if kind in _SEQUENCES:
            self._complete(result[0] if len(result) == 1 else _join(result))
        elif getattr(result, 'streaming', None) is False:
            # Django's HttpResponse: it lies in memory whole, though it is no list.
            self._complete(_join(list(result)))
        elif kind is FileWrapper and self._send_file(result.filelike):
            return
        else:
            self._stream(_iterate(result))

    def _complete(self, body):
        """Answers with a body that is whole."""
        if type(body) is not bytes:
            raise _body_mistake('yielded', body)
        if self._head is None:
            raise _start_mistake()
        size = len(body)
        if self._is_head_sent:
            if size:
                self._emit(body, False)
            self._end()
            return
        if self._has_no_body():
            self._end_without_body(size)
            return
        length = self._length
        if length is not None and length != size:
            if length > size:
                self._emit(body, False)
                self._end()
                return
            self._log_surplus(size)
            body = body[:length]
            size = length
        request = self._request
        if size <= request.credit and size <= MAX_DATA_BYTES:
            self._finish(frames.encode_response(request.stream, END, self._head, body, self._worker.started))
        else:
            self._emit(body, True)

    def _stream(self, iterator):
        """Sends each chunk before the app is asked for the next one."""
        for chunk in iterator:
            if self._request.cancelled:
                raise Cancelled
            if type(chunk) is not bytes:
                raise _body_mistake('yielded', chunk)
            if not chunk:
                continue
            if self._head is None:
                raise _start_mistake()
            if self._has_no_body():
                self._end_without_body(0)
                return
            if self._length is None or self._sent + len(chunk) < self._length:
                self._emit(chunk, False)
                self._worker.look()
                continue
            if self._is_head_sent:
                self._emit(chunk, True)
            else:
                self._complete(chunk)
            self._exhaust(iterator)
            return
        if self._head is None:
            raise _start_mistake()
        self._end()

    def _exhaust(self, iterator):
        """The client has its whole body already; what the app does after it still runs."""
        for chunk in iterator:
            if chunk and not self._has_surplus:
                self._log_surplus(self._length + len(chunk))
                return

    def _emit(self, data, is_last):
        """Sends bytes as far as there is credit, and waits for more."""
        request = self._request
        length = self._length
        if length is not None and self._sent + len(data) > length:
            self._log_surplus(self._sent + len(data))
            data = data[: length - self._sent]
        if self._has_no_body():
            data = b''
        stream = request.stream
        view = memoryview(data)
        size = len(view)
        offset = 0
        while offset < size or not self._is_head_sent:
            if request.cancelled:
                raise Cancelled
            if request.credit <= 0 and self._is_head_sent:
                self._worker.wait_for_credit(request)
                continue
            count = min(size - offset, max(0, request.credit), MAX_DATA_BYTES)
            part = view[offset : offset + count]
            offset += count
            flags = END if is_last and offset == size else 0
            if flags:
                self._release()
            request.credit -= count
            self._sent += count
            if self._is_head_sent:
                self._connection.send(frames.encode(frames.BODY, flags, stream, part))
            else:
                self._is_head_sent = True
                self._connection.send(frames.encode_response(stream, flags, self._head, part, self._worker.started))

    def _send_file(self, filelike):
        """Leaves the reading to the gateway, where it can."""
        if self._head is None:
            raise _start_mistake()
        if self._is_head_sent or self._has_no_body():
            return False
        found = find_file_part(filelike)
        if found is None:
            return False
        offset, available = found
        length = available if self._length is None else self._length
        if length > available:
            return False
        if length <= MAX_DATA_BYTES:
            self._complete(filelike.read(length) if length else b'')
            return True
        duplicate = duplicate_descriptor(filelike)
        if duplicate is None:
            return False
        descriptor, path = duplicate
        head = self._head if self._length is not None else _with_length(self._head, length)
        request = self._request
        stream = request.stream
        self._is_head_sent = True
        self._is_done = True
        self._connection.send(
            frames.encode_response(stream, 0, head, b'', self._worker.started)
            + frames.encode_file(stream, path, offset, length)
        )
        self._connection.keep_file(request, descriptor)
        return True

    def _end(self):
        """After the last chunk."""
        if not self._is_head_sent:
            if self._has_no_body():
                self._end_without_body(0)
                return
            if not self._length:
                self._finish(
                    frames.encode_response(self._request.stream, END, self._head, b'', self._worker.started)
                )
                return
            self._emit(b'', False)
        stream = self._request.stream
        if self._length is not None and self._sent < self._length and not self._has_no_body():
            self._worker.server.log(
                'error',
                'The app sent %d bytes of body and declared a Content-Length of %d.' % (self._sent, self._length),
                app_errors.CONTENT_LENGTH,
                stream,
            )
            self._break_off()
            return
        self._release()
        self._connection.send(frames.encode(frames.BODY, END, stream))

    def _end_without_body(self, size):
        """HEAD, 204 and 304: the head alone, with the length that GET would have."""
        if self._is_head_sent:
            self._release()
            self._connection.send(frames.encode(frames.BODY, END, self._request.stream))
            return
        head = self._head
        if size and self._length is None and self._status not in (204, 304):
            head = _with_length(head, size)
        self._finish(frames.encode_response(self._request.stream, END, head, b'', self._worker.started))

    def _finish(self, frame):
        """A complete small response: the worker may hold it for a moment."""
        self._is_head_sent = True
        if self._request.cancelled:
            raise Cancelled
        self._release()
        self._worker.finish(frame)

    def _release(self):
        """Before the last frame: the gateway may use the number again as soon as it has it."""
        self._is_done = True
        self._connection.streams.pop(self._request.stream, None)

    def _break_off(self):
        self._release()
        self._connection.send(frames.encode(frames.CANCEL, 0, self._request.stream))

    def _fail(self, error):
        log = self._worker.server.log
        stream = 0 if self._is_done else self._request.stream
        if isinstance(error, AppMistake):
            log('error', error.message, error.code, stream)
        elif isinstance(error, DeadlineExceeded):
            log('error', deadline.MESSAGE, deadline.CODE, stream, format_app_traceback(error))
        elif not isinstance(error, Cancelled):
            message = 'The app raised an exception: %s' % describe_error(error)
            log('error', message, app_errors.EXCEPTION, stream, format_app_traceback(error))
        if self._is_done:
            return
        if self._is_head_sent or self._request.cancelled:
            self._break_off()
            return
        self._release()
        if isinstance(error, DeadlineExceeded):
            answer = deadline.encode_timeout(self._request.stream, self._is_head_request, self._worker.started)
            self._worker.finish(answer)
            return
        body = b'' if self._is_head_request else ERROR_BODY
        self._worker.finish(
            frames.encode_response(self._request.stream, END, ERROR_HEAD, body, self._worker.started)
        )

    def _close(self, result):
        close = getattr(result, 'close', None)
        if close is None:
            return
        try:
            close()
        except BaseException as error:
            message = 'close() of the response raised an exception: %s' % describe_error(error)
            self._worker.server.log('error', message, app_errors.EXCEPTION, 0, format_app_traceback(error))

    def _has_no_body(self):
        return self._is_head_request or self._status == 204 or self._status == 304

    def _log_surplus(self, size):
        if self._has_surplus:
            return
        self._has_surplus = True
        message = 'The app sent %d bytes of body or more and declared a Content-Length of %d: the rest is cut off.'
        stream = 0 if self._is_done else self._request.stream
        self._worker.server.log('error', message % (size, self._length), app_errors.CONTENT_LENGTH, stream)


def _iterate(result):
    if isinstance(result, (str, bytes)):
        raise _body_mistake('returned', result)
    try:
        return iter(result)
    except TypeError:
        raise _body_mistake('returned', result) from None


def _join(parts):
    for part in parts:
        if type(part) is not bytes:
            raise _body_mistake('yielded', part)
    return b''.join(parts)


def _with_length(head, length):
    return head + b'\0Content-Length\0%d' % length


def _body_mistake(verb, value):
    kind = type(value).__name__
    hint = ' Encode it: text.encode("utf-8").' if kind == 'str' else ''
    if verb == 'returned':
        hint = ' Put it into a list.' if kind == 'bytes' else ' Encode it and put it into a list.'
        hint = hint if kind in ('bytes', 'str') else ''
    message = 'The WSGI app %s %s, where PEP 3333 asks for an iterable of bytes.%s' % (verb, kind, hint)
    return AppMistake(app_errors.WSGI_BODY, message)


def _start_mistake():
    return AppMistake(app_errors.WSGI_START, 'The WSGI app gave a body but never called start_response (PEP 3333).')
