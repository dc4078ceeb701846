"""WSGI apps (PEP 3333) for the host's tests: the path names the case."""

import hashlib
import os
import sys
import tempfile
import time
from wsgiref.validate import validator

DIRECTORY = os.environ.get('HAVN_TEST_DIRECTORY', '.')
TEXT = [('Content-Type', 'text/plain')]
closed = []
started = []


def application(environ, start_response):
    name = environ['PATH_INFO'].strip('/').replace('-', '_') or 'hello'
    started.append(name)
    return globals()['case_' + name](environ, start_response)


class Closing:
    """An iterable that tells when it was closed."""

    def __init__(self, name, parts):
        self.name = name
        self.parts = iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        part = next(self.parts)
        if isinstance(part, Exception):
            raise part
        return part

    def close(self):
        closed.append(self.name)


def wait_for(name):
    while not os.path.exists(os.path.join(DIRECTORY, name)):
        time.sleep(0.005)


def case_hello(environ, start_response):
    start_response('200 OK', TEXT)
    return [b'hello']


def case_closed(environ, start_response):
    start_response('200 OK', TEXT)
    return [','.join(closed).encode()]


def case_started(environ, start_response):
    start_response('200 OK', TEXT)
    return [','.join(started).encode()]


def case_environ(environ, start_response):
    start_response('200 OK', TEXT)
    lines = ['%s=%r' % (key, value) for key, value in sorted(environ.items())]
    return ['\n'.join(lines).encode('utf-8')]


def case_echo(environ, start_response):
    start_response('201 Created', TEXT)
    return [environ['wsgi.input'].read()]


def case_lines(environ, start_response):
    source = environ['wsgi.input']
    parts = [source.readline(), source.read(2), b''.join(source.readlines(1)), b'|'.join(source), source.read()]
    start_response('200 OK', TEXT)
    return [repr(parts).encode()]


def case_digest(environ, start_response):
    digest = hashlib.sha256()
    size = 0
    for block in iter(lambda: environ['wsgi.input'].read(65536), b''):
        digest.update(block)
        size += len(block)
    start_response('200 OK', TEXT)
    return [('%d %s' % (size, digest.hexdigest())).encode()]


def case_stream(environ, start_response):
    start_response('200 OK', TEXT)
    return Closing('stream', (b'x' * 65536 for _ in range(int(environ['QUERY_STRING']))))


def case_list(environ, start_response):
    start_response('200 OK', TEXT)
    return [b'a', b'', b'b']


def case_empty(environ, start_response):
    start_response('200 OK', TEXT)
    return Closing('empty', [])


def case_late(environ, start_response):
    """start_response is called by the first iteration."""

    def parts():
        yield b''
        start_response('202 Accepted', TEXT)
        yield b'late'

    return parts()


def case_write(environ, start_response):
    write = start_response('200 OK', TEXT)
    write(b'first ')
    write(b'second ')
    return [b'third']


def case_twice(environ, start_response):
    start_response('200 OK', TEXT)
    start_response('201 Created', TEXT)
    return [b'never']


def case_replaced(environ, start_response):
    start_response('200 OK', TEXT + [('X-Old', '1')])
    try:
        raise KeyError('mistake')
    except KeyError:
        start_response('500 Replaced', [('X-New', '1')], sys.exc_info())
    return [b'replaced']


def case_too_late(environ, start_response):
    start_response('200 OK', TEXT)

    def parts():
        yield b'begun'
        try:
            raise KeyError('after the head')
        except KeyError:
            start_response('500 Oops', [], sys.exc_info())
        yield b'never'

    return Closing('too_late', parts())


def case_raise(environ, start_response):
    raise ValueError('it broke')


def case_raise_in_iteration(environ, start_response):
    start_response('200 OK', TEXT)
    return Closing('raise_in_iteration', [ValueError('it broke')])


def case_raise_midway(environ, start_response):
    start_response('200 OK', TEXT)
    return Closing('raise_midway', [b'begun', ValueError('it broke')])


def case_exit(environ, start_response):
    sys.exit(9)


def case_str(environ, start_response):
    start_response('200 OK', TEXT)
    return Closing('str', ['text'])


def case_str_list(environ, start_response):
    start_response('200 OK', TEXT)
    return ['text']


def case_str_itself(environ, start_response):
    start_response('200 OK', TEXT)
    return 'text'


def case_bytes_itself(environ, start_response):
    start_response('200 OK', TEXT)
    return b'text'


def case_none(environ, start_response):
    start_response('200 OK', TEXT)


def case_no_start(environ, start_response):
    return [b'body']


def case_bad_status(environ, start_response):
    start_response(200, TEXT)
    return [b'']


def case_bad_header(environ, start_response):
    start_response('200 OK', [('X-Number', 5)])
    return [b'']


def case_split_header(environ, start_response):
    start_response('200 OK', [('X-Split', 'a\r\nSet-Cookie: b')])
    return [b'']


def case_wide_header(environ, start_response):
    start_response('200 OK', [('X-Wide', '\u20ac')])
    return [b'']


def case_hop_by_hop(environ, start_response):
    start_response('200 OK', TEXT + [('Connection', 'close'), ('Transfer-Encoding', 'chunked'), ('X-Kept', '1')])
    return [b'kept']


def case_cookies(environ, start_response):
    start_response('200 OK', [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=\xe9')])
    return [b'']


def case_length(environ, start_response):
    """The query: declared length, then sizes of the parts."""
    declared, *sizes = [int(number) for number in environ['QUERY_STRING'].split(',')]
    start_response('200 OK', [('content-LENGTH', str(declared))])
    return Closing('length', [b'x' * size for size in sizes])


def case_length_list(environ, start_response):
    declared, size = [int(number) for number in environ['QUERY_STRING'].split(',')]
    start_response('200 OK', [('Content-Length', str(declared))])
    return [b'x' * size]


def case_no_content(environ, start_response):
    start_response('204 No Content', [])
    return Closing('no_content', [b'ignored'])


def case_not_modified(environ, start_response):
    start_response('304 Not Modified', [('ETag', '"a"')])
    return [b'ignored']


def case_endless(environ, start_response):
    start_response('200 OK', TEXT)

    def parts():
        while True:
            yield b'tick'
            time.sleep(0.002)

    return Closing('endless', parts())


def case_wait(environ, start_response):
    """Runs until the test makes a file."""
    wait_for(environ['QUERY_STRING'])
    start_response('200 OK', TEXT)
    return [b'waited']


def case_file(environ, start_response):
    """The query: path, offset, Content-Length or nothing."""
    path, offset, length = environ['QUERY_STRING'].split(',')
    file = open(path, 'rb')
    file.seek(int(offset))
    start_response('200 OK', [('Content-Length', length)] if length else [])
    return environ['wsgi.file_wrapper'](file)


class PassingFile:
    """A file that is there only as long as its response."""

    def __init__(self):
        self.path = tempfile.mktemp(dir=DIRECTORY)
        with open(self.path, 'wb') as file:
            file.write(b'p' * 100000)
        self.file = open(self.path, 'rb')

    def close(self):
        self.file.close()
        os.unlink(self.path)
        closed.append('passing_file')


def case_passing_file(environ, start_response):
    passing = PassingFile()
    wrapper = environ['wsgi.file_wrapper'](passing.file)
    wrapper.close = passing.close
    start_response('200 OK', TEXT)
    return wrapper


def case_unlinked_file(environ, start_response):
    file = tempfile.TemporaryFile()
    file.write(b'y' * 200000)
    file.seek(100000)
    start_response('200 OK', TEXT)
    return environ['wsgi.file_wrapper'](file)


def case_print(environ, start_response):
    print('to wsgi.errors', file=environ['wsgi.errors'])
    start_response('200 OK', TEXT)
    return [b'']


def case_close_raises(environ, start_response):
    class Raising(list):
        def close(self):
            raise ValueError('close broke')

    start_response('200 OK', TEXT)
    return Raising([b'sent'])


def case_after_length(environ, start_response):
    """The body is whole, then the app goes on until the test makes a file."""
    start_response('200 OK', [('Content-Length', '4')])

    def parts():
        yield b'body'
        wait_for(environ['QUERY_STRING'])

    return Closing('after_length', parts())


@validator
def case_valid(environ, start_response):
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    start_response('200 OK', TEXT)
    return iter([b'valid ', body])


@validator
def case_valid_write(environ, start_response):
    write = start_response('200 OK', TEXT)
    write(b'written ')
    return [b'valid']


@validator
def case_valid_file(environ, start_response):
    start_response('200 OK', TEXT)
    return environ['wsgi.file_wrapper'](open(__file__, 'rb'))
