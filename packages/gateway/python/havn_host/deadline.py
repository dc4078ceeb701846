"""The deadline of a request, for apps that run past it."""

from . import frames

CODE = 'HAVN_ERR_REQUEST_DEADLINE'
MESSAGE = 'The app was interrupted at the deadline of the request.'

HEAD = b'504 Gateway Timeout\0Content-Type\0text/plain; charset=utf-8'
BODY = b'Gateway Timeout\n'


class DeadlineExceeded(BaseException):
    """
    Raised in the thread of a WSGI request whose deadline has passed, wherever its code is.

    A BaseException, as KeyboardInterrupt is: `except Exception` lets it pass, `finally` and context managers clean up.
    """


def encode_timeout(stream, is_head_request, begun):
    """The answer to a request that was interrupted before its response had begun."""
    body = b'' if is_head_request else BODY
    return frames.encode_response(stream, frames.END, HEAD, body, begun)
