"""
Keeps a project that is booted for a look from doing anything: it reaches no network, and what it writes goes to a
folder of its own, where it finds it again.

Settings make log files, keys and folders as they load, and must not fail for that. So the functions that make them are
led elsewhere; what gets around these, the audit hook refuses.
"""

import builtins
import errno
import io
import os
import shutil
import stat
import sys
import tempfile

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_NETWORK_EVENTS = frozenset((
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.getnameinfo", "socket.bind",
))
_CHANGING_EVENTS = frozenset((
    "os.mkdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.rmdir", "os.chmod", "os.chown", "os.truncate",
    "shutil.rmtree",
))
_MAX_COPY_BYTES = 16 * 1024 * 1024

# The folder that stands in for the disk; None while nothing is confined.
_overlay = None
_free_folders = ()
_real_open = os.open
_real_io_open = io.open
_real_mkdir = os.mkdir
_real_makedirs = os.makedirs


class NetworkIsOff(OSError):
    """The project wants the network while it loads."""


class WritingIsOff(PermissionError):
    """The project changes files in a way that cannot be led elsewhere."""


def install():
    """Puts the functions in place; they do as always until `enter`."""
    builtins.open = io.open = _open
    os.open = _os_open
    os.mkdir = _mkdir
    for name, writes in (
        ("link", (0, 1)), ("symlink", (1,)), ("rename", (0, 1)), ("replace", (0, 1)), ("unlink", (0,)),
        ("remove", (0,)), ("rmdir", (0,)), ("chmod", (0,)), ("chown", (0,)), ("utime", (0,)), ("truncate", (0,)),
    ):
        setattr(os, name, _redirected(getattr(os, name), writes))


def enter(overlay):
    """Confines this process for good."""
    global _overlay, _free_folders
    _cut_network()
    _free_folders = tuple(
        os.path.realpath(folder) + os.sep for folder in (tempfile.gettempdir(), "/dev", "/proc", overlay)
        if not os.getcwd().startswith(os.path.realpath(folder) + os.sep)
    )
    _overlay = os.path.realpath(overlay)
    # A project that lies in the machine's folder for temporary files has them elsewhere.
    tempfile.tempdir = os.environ["TMPDIR"] = _overlay
    sys.addaudithook(_audit)


def _cut_network():
    """A network namespace without any interface, where the system gives one; the audit hook cannot see native code."""
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        uid, gid = os.getuid(), os.getgid()
        if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            return
        for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
            with _real_io_open("/proc/self/" + name, "w") as file:
                file.write(text)
    except Exception:
        pass


def _audit(event, args):
    if event in _NETWORK_EVENTS:
        raise NetworkIsOff(errno.ENETUNREACH, "The network is off while settings are checked")
    if event == "open":
        path, mode, flags = args
        if isinstance(path, (str, bytes, os.PathLike)) and isinstance(flags, int) and flags & _WRITING:
            _refuse(path)
    elif event in _CHANGING_EVENTS:
        _refuse(args[1] if event in ("os.link", "os.symlink") else args[0])


def _refuse(path):
    if isinstance(path, int) or _overlaid(path) is None:
        return
    raise WritingIsOff(errno.EACCES, "Nothing is written while settings are checked", os.fsdecode(path))


def _overlaid(path):
    """Where in the overlay a path has its place; None for what may be written as it is."""
    if _overlay is None or isinstance(path, int):
        return None
    text = os.fsdecode(path)
    folder, name = os.path.split(os.path.abspath(text))
    real = os.path.join(os.path.realpath(folder), name)
    if (real + os.sep).startswith(_free_folders):
        return None
    return _overlay + real


def _written(path):
    """The place to write to instead, with its folders made and what the disk has there copied."""
    place = _overlaid(path)
    if place is None:
        return path
    if not os.path.lexists(place):
        _real_makedirs(os.path.dirname(place), exist_ok=True)
        try:
            info = os.stat(path)
            if stat.S_ISREG(info.st_mode) and info.st_size <= _MAX_COPY_BYTES:
                shutil.copyfile(path, place)
        except OSError:
            pass
    return place


def _read(path):
    """The place to read from: what was written since lies in the overlay."""
    place = _overlaid(path)
    return path if place is None or not os.path.isfile(place) else place


def _open(file, mode="r", *args, **kwargs):
    if _overlay is not None and not isinstance(file, int):
        writes = any(letter in mode for letter in "wax+")
        # An exclusive creation must see what the disk has.
        file = file if "x" in mode and os.path.lexists(file) else _written(file) if writes else _read(file)
    return _real_io_open(file, mode, *args, **kwargs)


def _os_open(path, flags, mode=0o777, *, dir_fd=None):
    if _overlay is not None and dir_fd is None:
        path = _written(path) if flags & _WRITING else _read(path)
    return _real_open(path, flags, mode, dir_fd=dir_fd)


def _mkdir(path, mode=0o777, *, dir_fd=None):
    if _overlay is None or dir_fd is not None or os.path.lexists(path):
        return _real_mkdir(path, mode, dir_fd=dir_fd)
    place = _overlaid(path)
    if place is not None:
        _real_makedirs(os.path.dirname(place), exist_ok=True)
    return _real_mkdir(path if place is None else place, mode)


def _redirected(function, positions):
    def redirected(*args, **kwargs):
        if _overlay is not None and not any(name.endswith("dir_fd") and kwargs[name] is not None for name in kwargs):
            args = tuple(_written(arg) if at in positions else arg for at, arg in enumerate(args))
        return function(*args, **kwargs)

    redirected.__name__ = function.__name__
    return redirected
