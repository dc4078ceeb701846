"""From the environment to a served app."""

import os
import platform
import socket

from . import __version__, frames
from .loading import LoadingError, load_app
from .process import EXIT_FAILED, exit_now, prepare_process
from .settings import read_settings

SOCKET_BUFFER_BYTES = 1 << 20
# JSON writes a character with at most 12 bytes; a frame holds 1 MiB.
MAX_TRACEBACK = 65536
MAX_MESSAGE = 8192


def start():
    settings = read_settings()
    prepare_process()
    connection = _connect(settings.socket)
    # A child that the app forks must neither answer in this process's name nor keep its connection open.
    os.register_at_fork(after_in_child=connection.close)
    hello = {
        'protocol': 1,
        'worker': settings.worker,
        'pid': os.getpid(),
        'host': 'cpython',
        'version': platform.python_version(),
        'hostVersion': __version__,
    }
    _send(connection, frames.encode_json(frames.HELLO, hello))
    try:
        if settings.interface == 'wsgi':
            from .wsgi_server import serve_wsgi

            serve_wsgi(connection, load_app(settings), settings)
        else:
            from .asgi_server import serve_asgi

            serve_asgi(connection, settings)
    except LoadingError as error:
        # The end of a traceback says most, should it not fit a frame.
        traceback = error.traceback[-MAX_TRACEBACK:]
        failure = {'reason': error.reason, 'message': error.message[:MAX_MESSAGE], 'traceback': traceback}
        connection.setblocking(True)
        _send(connection, frames.encode_json(frames.FAILED, failure))
        connection.close()
        exit_now(EXIT_FAILED)


def _connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
    try:
        connection.connect(path)
    except OSError:
        # The gateway is gone already.
        exit_now(0)
    return connection


def _send(connection, frame):
    try:
        connection.sendall(frame)
    except OSError:
        exit_now(0)
