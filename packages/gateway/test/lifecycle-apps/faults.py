"""A WSGI app that writes down each request as it begins it, and whose paths fail their worker in all ways."""

import ctypes
import os
import signal
import time

JOURNAL = os.environ.get('FAULTS_JOURNAL', os.devnull)
FLAGS = os.path.dirname(os.path.abspath(JOURNAL))


def application(environ, start_response):
    path = environ['PATH_INFO']
    note('%s %s' % (environ['REQUEST_METHOD'], path))
    kind = path.split('/')[1]
    if kind == 'stream-spin':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return stream_and_spin()
    VIEWS.get(kind, answer)(path)
    size = len(environ['wsgi.input'].read())
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'%d %d' % (os.getpid(), size)]


def answer(path):
    sum(range(2000))


def hold(path):
    while not os.path.exists(os.path.join(FLAGS, 'released')):
        time.sleep(0.005)


def nap(path):
    time.sleep(float(path.split('/')[2]))


def spin(path):
    try:
        while True:
            pass
    finally:
        note('cleaned up')


def swallow(path):
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass


def sleep(path):
    time.sleep(3600)


def grow(path):
    kept = []
    while True:
        kept.append(b'x' * (8 << 20))


def keep_the_gil(path):
    """Of a PyDLL functions run without letting go of the GIL: no other thread of this process runs."""
    ctypes.PyDLL(None).sleep(3600)


def stream_and_spin():
    yield b'begun'
    spin('')


def note(line):
    """One write: whatever happens next, the line is whole and there."""
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode() + b'\n')
    os.close(descriptor)


VIEWS = {
    'grow': grow,
    'hold': hold,
    'nap': nap,
    'spin': spin,
    'swallow': swallow,
    'sleep': sleep,
    'gil': keep_the_gil,
    'segfault': lambda path: ctypes.string_at(0),
    'exit': lambda path: os._exit(7),
    'kill': lambda path: os.kill(os.getpid(), signal.SIGKILL),
}
