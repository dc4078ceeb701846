"""A WSGI app whose paths do what lifecycle tests need."""

import os
import signal
import socket
import sys
import time


def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/slow':
        time.sleep(float(environ['QUERY_STRING'].split('&')[0] or 0.5))
    elif path == '/stream':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return stream()
    elif path == '/garbage':
        write_garbage()
        time.sleep(30)
    elif path == '/kill':
        os.kill(os.getpid(), signal.SIGKILL)
    elif path == '/fork':
        return [str(fork(start_response)).encode()]
    elif path == '/fork-and-exit':
        child = os.fork()
        if child == 0:
            sys.exit(0)
        os.waitpid(child, 0)
    elif path == '/print':
        print('a line of the app', flush=True)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(os.getpid()).encode()]


def fork(start_response):
    """The id of a child that outlives its parent."""
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return child


def stream():
    for _ in range(8):
        time.sleep(0.1)
        yield b'x'


def write_garbage():
    """Writes what is no frame into the connection to the gateway."""
    for name in os.listdir('/proc/self/fd'):
        descriptor = int(name)
        try:
            if not os.readlink('/proc/self/fd/' + name).startswith('socket:'):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                if connection.family == socket.AF_UNIX and connection.getpeername():
                    connection.sendall(b'\xff' * 256)
        except OSError:
            continue
