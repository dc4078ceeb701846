"""Interrupts WSGI requests at their deadlines: in the app's own code, and nowhere else.

An exception is set in the thread that runs the request, and is raised there at its next step in Python. A thread counts
as inside the app only between `enter` and `leave`, which share a lock with the thread that interrupts: the host's own
code, another request on the same thread, and a request that has finished in between are never hit.
"""

import ctypes
import threading
import time

from .deadline import DeadlineExceeded
from .wsgi_file import FileWrapper

# How late an interrupt may be.
TICK_S = 0.05
# The watch rests after so many looks at which no request was in the app.
IDLE_TICKS = 20

_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class GuardedApplication:
    """The app, with requests that have a deadline under guard."""

    def __init__(self, application):
        self._application = application
        self._local = threading.local()
        self._watch = _Watch()

    def __call__(self, environ, start_response):
        deadline = environ.get('havn.deadline')
        if deadline is None:
            return self._application(environ, start_response)
        guard = self._find_guard()
        guard.deadline = deadline
        return _wrap_result(guard.run(self._application, environ, _wrap_start(guard, start_response)), guard)

    def _find_guard(self):
        guard = getattr(self._local, 'guard', None)
        if guard is None:
            guard = self._local.guard = Guard(self._watch)
            self._watch.add(guard)
        return guard


class Guard:
    """One thread's way into the app and out of it."""

    def __init__(self, watch):
        self.deadline = 0.0
        self.is_inside = False
        self._watch = watch
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._lock = threading.Lock()
        self._is_interrupted = False

    def run(self, function, *arguments):
        """Calls what may be interrupted."""
        try:
            try:
                self.enter()
                return function(*arguments)
            finally:
                self.leave()
        finally:
            # The interrupt may have come in the midst of leaving; it comes once.
            if self.is_inside:
                self.leave()

    def enter(self):
        with self._lock:
            self.is_inside = True
        self._watch.unpark()

    def leave(self):
        """From here on nothing is raised; an interrupt that has not arrived is taken back."""
        with self._lock:
            self.is_inside = False
            if self._is_interrupted:
                self._is_interrupted = False
                _set_async_exception(self._thread, None)

    def check(self, now):
        """Interrupts the thread when it is late. For the watch."""
        with self._lock:
            if self.is_inside and not self._is_interrupted and now >= self.deadline:
                self._is_interrupted = True
                _set_async_exception(self._thread, ctypes.py_object(DeadlineExceeded))


class _Watch:
    """A thread that looks after all guards while requests with a deadline are in the app."""

    def __init__(self):
        self._guards = []
        self._is_parked = False
        self._parking = threading.Lock()
        self._parking.acquire()
        threading.Thread(target=self._run, name='havn-deadline', daemon=True).start()

    def add(self, guard):
        self._guards.append(guard)

    def unpark(self):
        # Nothing is interrupted while the watch is parked.
        if self._is_parked:
            self._is_parked = False
            try:
                self._parking.release()
            except RuntimeError:
                # Two threads did it at once.
                pass

    def _run(self):
        idle = 0
        while True:
            time.sleep(TICK_S)
            now = time.monotonic()
            for guard in self._guards:
                if guard.is_inside:
                    idle = 0
                    guard.check(now)
            idle += 1
            if idle > IDLE_TICKS:
                self._park()
                idle = 0

    def _park(self):
        self._is_parked = True
        if any(guard.is_inside for guard in self._guards):
            # It entered before it could see the watch parked.
            self._is_parked = False
            return
        self._parking.acquire()


class _GuardedResult:
    """A response that is made as it is iterated."""

    def __init__(self, result, guard):
        self._result = result
        self._iterator = None
        self._guard = guard

    def __iter__(self):
        self._iterator = self._guard.run(iter, self._result)
        return self

    def __next__(self):
        return self._guard.run(next, self._iterator)

    def close(self):
        close = getattr(self._result, 'close', None)
        if close is None:
            return
        if time.monotonic() < self._guard.deadline:
            self._guard.run(close)
        else:
            # Cleaning up after an interrupt must not be interrupted.
            close()


def _wrap_result(result, guard):
    # What lies in memory, or is left to the gateway, runs no code of the app any more.
    is_ready = isinstance(result, (list, tuple, str, bytes)) or type(result) is FileWrapper
    if is_ready or getattr(result, 'streaming', None) is False or not hasattr(result, '__iter__'):
        return result
    return _GuardedResult(result, guard)


def _wrap_start(guard, start_response):
    """What the app calls of ours is ours: a frame that is half sent would break the connection."""

    def step_out(function, *arguments):
        guard.leave()
        try:
            return function(*arguments)
        finally:
            guard.enter()

    def start(status, headers, exc_info=None):
        write = step_out(start_response, status, headers, exc_info)
        return lambda data: step_out(write, data)

    return start
