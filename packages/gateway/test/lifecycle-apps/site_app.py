"""A WSGI app whose paths do what lifecycle tests need."""

import os
import signal
import socket
import time


def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/slow':
        time.sleep(float(environ['QUERY_STRING'] or 0.5))
    elif path == '/stream':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return stream()
    elif path == '/garbage':
        write_garbage()
        time.sleep(30)
    elif path == '/kill':
        os.kill(os.getpid(), signal.SIGKILL)
    elif path == '/print':
        print('a line of the app', flush=True)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(os.getpid()).encode()]


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
