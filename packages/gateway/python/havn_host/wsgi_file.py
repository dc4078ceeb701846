"""`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling")."""

import io
import os
import stat

BLOCK_BYTES = 65536


class FileWrapper:
    """What an app returns to have a file sent."""

    def __init__(self, filelike, block_size=8192):
        self.filelike = filelike
        self.block_size = max(block_size, BLOCK_BYTES)
        if hasattr(filelike, 'close'):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_size)
        if data:
            return data
        raise StopIteration


def find_file_part(filelike):
    """(path as bytes, offset, bytes to the end) when the gateway can read the file by itself, else None.

    Only plain binary files are trusted: others with a fileno() transform what they read, as gzip does, or vanish
    when they are closed, as temporary ones do.
    """
    if type(filelike) not in (io.BufferedReader, io.FileIO):
        return None
    raw = filelike.raw if type(filelike) is io.BufferedReader else filelike
    if type(raw) is not io.FileIO:
        return None
    try:
        descriptor = filelike.fileno()
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_nlink == 0:
            return None
        path = _find_path(descriptor, raw)
        named = os.stat(path)
        if (named.st_dev, named.st_ino) != (seen.st_dev, seen.st_ino):
            return None
        path.encode('utf-8')
        offset = filelike.tell()
    except (OSError, ValueError):
        return None
    return path.encode('utf-8'), offset, max(0, seen.st_size - offset)


def _find_path(descriptor, raw):
    try:
        path = os.readlink('/proc/self/fd/%d' % descriptor)
    except OSError:
        path = os.path.abspath(raw.name) if isinstance(raw.name, str) else ''
    if not path.startswith('/'):
        raise ValueError('the file has no path')
    return path
