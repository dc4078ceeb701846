"""A WSGI app for what clients do wrong: each interface has the same paths."""

import json
import os
import tempfile
import threading

CHUNK = b'x' * 65536
TEXT = [('Content-Type', 'text/plain')]


def application(environ, start_response):
    path = environ['PATH_INFO']
    if 'HTTP_X_WHAT' in environ:
        start_response('200 OK', TEXT)
        return [json.dumps(what(environ)).encode()]
    if path == '/upload':
        size = 0
        for block in iter(lambda: environ['wsgi.input'].read(65536), b''):
            size += len(block)
        start_response('200 OK', TEXT)
        return [b'%d bytes' % size]
    if path == '/endless':
        start_response('200 OK', TEXT)
        return iter(lambda: CHUNK, None)
    if path == '/late':
        threading.Event().wait(3)
        start_response('200 OK', TEXT)
        return [b'late']
    if path == '/sorry':
        start_response('500 Internal Server Error', [('ETag', '"a"'), ('X-Kept', 'yes')])
        return [b'internals']
    if path == '/fails':
        raise ValueError('as it should')
    if path == '/threads':
        return Watched(start_response)
    if path == '/seen':
        start_response('200 OK', TEXT)
        return [','.join('%s %d' % pair for pair in Watched.seen).encode()]
    if path == '/passing-file':
        start_response('200 OK', TEXT)
        return PassingFile(environ['wsgi.file_wrapper']).wrapper
    if path == '/empty':
        start_response('204 No Content', [])
        return []
    if path == '/unchanged':
        start_response('304 Not Modified', [('ETag', '"a"')])
        return []
    if path == '/terminated':
        body = environ['wsgi.input'].read() if environ['wsgi.input_terminated'] else b'?'
        start_response('200 OK', TEXT)
        return [body]
    start_response('200 OK', TEXT)
    return [b'hello']


def what(environ):
    """What the app sees of its request."""
    names = [key[5:].replace('_', '-').lower() for key in environ if key.startswith('HTTP_')]
    if environ.get('CONTENT_LENGTH'):
        names.append('content-length')
    return {
        'method': environ['REQUEST_METHOD'],
        'path': environ['PATH_INFO'],
        'query': environ['QUERY_STRING'],
        'host': environ.get('HTTP_HOST'),
        'client': environ['REMOTE_ADDR'],
        'names': sorted(names),
        'body': environ['wsgi.input'].read().decode('latin-1'),
    }


class PassingFile:
    """A file that its response alone needs."""

    def __init__(self, file_wrapper):
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(CHUNK * 5)
        self.name = file.name
        self.file = open(file.name, 'rb')
        self.wrapper = file_wrapper(self.file)
        self.wrapper.close = self.close

    def close(self):
        self.file.close()
        os.unlink(self.name)


class Watched:
    """A response that notes the threads on which it is made, iterated and closed."""

    seen = []

    def __init__(self, start_response):
        self.seen[:] = []
        self.left = 4
        self.note('call')
        start_response('200 OK', TEXT)

    def note(self, what):
        self.seen.append((what, threading.get_ident()))

    def __iter__(self):
        self.note('iter')
        return self

    def __next__(self):
        self.note('next')
        self.left -= 1
        if not self.left:
            raise StopIteration
        # Long enough for another thread to take the lead.
        threading.Event().wait(0.02)
        return CHUNK * 8

    def close(self):
        self.note('close')
