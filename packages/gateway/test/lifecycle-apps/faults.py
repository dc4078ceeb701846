"""A WSGI app that writes down each request as it begins it, and whose paths end its process in all ways."""

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
    if kind == 'hold':
        wait_for('released')
    elif kind == 'nap':
        time.sleep(float(path.split('/')[2]))
    elif kind == 'segfault':
        ctypes.string_at(0)
    elif kind == 'exit':
        os._exit(7)
    elif kind == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    size = len(environ['wsgi.input'].read())
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'%d %d' % (os.getpid(), size)]


def note(line):
    """One write: whatever happens next, the line is whole and there."""
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode() + b'\n')
    os.close(descriptor)


def wait_for(name):
    while not os.path.exists(os.path.join(FLAGS, name)):
        time.sleep(0.005)
