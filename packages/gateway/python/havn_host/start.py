"""From the environment to a served app."""

import os
import sys

from . import __version__, frames
from .link import Link, send_all
from .loading import LoadingError, load_app
from .process import EXIT_FAILED, exit_now, prepare_process
from .settings import read_settings

# JSON writes a character with at most 12 bytes; a frame holds 1 MiB.
MAX_TRACEBACK = 65536
MAX_MESSAGE = 8192


def start():
    settings = read_settings()
    prepare_process(settings.stacks)
    hello = {
        'protocol': 1,
        'worker': settings.worker,
        'instance': settings.instance,
        'pid': os.getpid(),
        'host': 'cpython',
        'version': '%d.%d.%d' % sys.version_info[:3],
        'hostVersion': __version__,
        'scoreboard': settings.scoreboard,
    }
    link = Link(settings.socket, frames.encode_json(frames.HELLO, hello))
    # A child that the app forks must neither answer in this process's name nor keep its connection open.
    os.register_at_fork(after_in_child=link.close)
    try:
        if settings.interface == 'wsgi':
            from .wsgi_server import serve_wsgi

            application = load_app(settings)
            serve_wsgi(link.wait(), application, settings)
        else:
            from .asgi_server import serve_asgi

            serve_asgi(link.wait, settings)
    except LoadingError as error:
        # The end of a traceback says most, should it not fit a frame.
        traceback = error.traceback[-MAX_TRACEBACK:]
        failure = {'reason': error.reason, 'message': error.message[:MAX_MESSAGE], 'traceback': traceback}
        connection = link.wait()
        connection.setblocking(True)
        send_all(connection, frames.encode_json(frames.FAILED, failure))
        connection.close()
        exit_now(EXIT_FAILED)
