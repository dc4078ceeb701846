"""`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling")."""

import io
import os
import stat

BLOCK_BYTES = 65536
# A descriptor has a path of its own there, whatever becomes of the file's name.
_HAS_DESCRIPTOR_PATHS = os.path.isdir('/proc/self/fd')


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
    """(offset, bytes to the end) when the gateway can read the file by itself, else None.

    Only plain binary files are trusted: others with a fileno() transform what they read, as gzip does.
    """
    if not _HAS_DESCRIPTOR_PATHS or type(filelike) not in (io.BufferedReader, io.FileIO):
        return None
    if type(filelike) is io.BufferedReader and type(filelike.raw) is not io.FileIO:
        return None
    try:
        seen = os.fstat(filelike.fileno())
        if not stat.S_ISREG(seen.st_mode):
            return None
        offset = filelike.tell()
    except (OSError, ValueError):
        return None
    return offset, max(0, seen.st_size - offset)


def duplicate_descriptor(filelike):
    """(descriptor, path by which the gateway opens it), or None.

    The app may close and unlink its file at any time, and runs its close() before the gateway has seen the frame: the
    descriptor is ours.
    """
    try:
        descriptor = os.dup(filelike.fileno())
    except OSError:
        return None
    return descriptor, b'/proc/%d/fd/%d' % (os.getpid(), descriptor)
