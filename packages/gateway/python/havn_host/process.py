"""What the host does as a process: signals, its parent's death, its end."""

import atexit
import ctypes
import faulthandler
import os
import signal
import socket
import sys
import threading
import time

EXIT_FAILED = 3
EXIT_PROTOCOL = 4
LINGER_S = 1.0

_PR_SET_PDEATHSIG = 1
# A real-time signal, so that it is no app's.
_STACK_SIGNAL = 50

_ending = threading.Lock()


def prepare_process(stacks):
    """
    SIGINT is the gateway's affair; SIGUSR2 shows where each thread is; no host outlives its gateway. Stacks of a fatal
    error, and those that the gateway asks for, go to the file `stacks`, where there is one.
    """
    # A handler, not SIG_IGN: children of the app would inherit that.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    # Until the app is served there is nothing to drain.
    signal.signal(signal.SIGTERM, lambda number, frame: exit_now(0))
    _write_stacks(stacks)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(line_buffering=True)
    _die_with_parent()


def exit_now(code=0):
    """Ends the process from any thread, without waiting for the app's."""
    _flush_streams()
    os._exit(code)


def exit_cleanly(connection):
    """Ends the process after a drain: what the app registered with atexit runs, and nothing that was sent is lost."""
    if not _ending.acquire(blocking=False):
        # Another thread is at it.
        time.sleep(3600)
    try:
        atexit._run_exitfuncs()
    except BaseException:  # It has been printed; the end is near all the same.
        pass
    _linger(connection)
    exit_now(0)


def _linger(connection):
    """
    Waits for the gateway to close the socket: a CREDIT that crosses our end would break it on the gateway's side
    before what we sent last was read.
    """
    try:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(LINGER_S)
        while connection.recv(65536):
            pass
    except OSError:
        pass


def exit_for_protocol(error):
    """Ends the process after the gateway broke the protocol."""
    sys.stderr.write('havn host: the gateway broke the host protocol: %s\n' % error)
    exit_now(EXIT_PROTOCOL)


def _write_stacks(path):
    faulthandler.register(signal.SIGUSR2)
    if path is None:
        faulthandler.enable()
        return
    # The descriptor is open as long as the process: faulthandler keeps the number alone.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    faulthandler.enable(descriptor)
    # A fatal error of a child that the app forks is none of this process.
    os.register_at_fork(after_in_child=faulthandler.enable)
    if hasattr(signal, 'SIGRTMIN') and signal.SIGRTMIN <= _STACK_SIGNAL <= signal.SIGRTMAX:
        faulthandler.register(_STACK_SIGNAL, descriptor)


def _die_with_parent():
    if not sys.platform.startswith('linux'):
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def _flush_streams():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
